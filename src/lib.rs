//! `sockwalk` walks a person through the life of a socket, call by call, on the real kernel.
//!
//! The house, one question a folder (ARCHITECTURE.md has the map and the arrows): `lesson` what is taught,
//! `run` how it goes, `stage` where it happens, `call` what is done, `transport` how a message is carried,
//! `websocket` the WebSocket opening handshake by hand, `kernel` what the kernel says, `wire` what crosses,
//! `analysis` what captured bytes mean, `tap` what passes between two programs, `compare` the same message by
//! several transports, `explain` why a name is what it is, `event` what happened, `view` how it is shown,
//! `cli` what a person types.

pub mod analysis;
pub mod call;
pub mod cli;
mod compare;
pub mod event;
mod explain;
pub mod kernel;
pub mod lesson;
mod random;
mod run;
pub mod server;
pub mod stage;
mod sync;
mod tap;
pub mod transport;
mod view;
pub mod websocket;
pub mod wire;
