//! How is a message carried? One file a carrier, from bare TCP to STOMP over a WebSocket.
//!
//! Each carrier has two ends that are live: `NAME/client.rs` and `NAME/server.rs`, by hand over our own sockets. What they share is
//! in [`line`]; how one is plugged in, called and served is in [`ends`].

pub mod ends;
pub mod line;
pub mod stomp;
pub mod tcp;
pub mod websocket;
