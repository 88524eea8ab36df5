//! How is a message carried? By any of several transports, from bare TCP to STOMP over a WebSocket.
//!
//! [`registry`] is the table that `diff`, `explain`, `client`, `serve` and the tests read; [`api`] is the
//! interface of a transport. A transport has two live ends, `NAME/client.rs` and `NAME/server.rs`, written by
//! hand over our own sockets, and a [`Script`](script::Script) of lines of the lesson notation in
//! `NAME/script.rs`, whose bytes come from the encoders of [`wire`](crate::wire). What the ends share is
//! beside the folders: [`connection`], [`outbox`], [`feed`] and others.

pub mod api;
pub mod client;
pub mod connection;
pub mod events;
pub mod feed;
pub mod http;
mod icmp;
pub mod message;
mod news;
pub mod outbox;
mod pages;
mod poll;
pub mod registry;
pub mod room;
pub mod script;
pub mod serve;
mod socketio;
mod sockjs;
mod sse;
mod stomp;
mod tcp;
pub mod terms;
mod udp;
pub mod websocket;
