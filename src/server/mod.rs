//! The server core: what every server of this program needs, whatever it serves.
//!
//! `accept ADDR`, `websocket ADDR`, `tap` and `serve` bind a [`listener`], run one [`acceptor`], keep their
//! connections in a [`registry`], and end by the rules of [`shutdown`]. Each of them adds a function that
//! serves one connection. [`origin`] decides which web pages may use a server.

pub mod acceptor;
pub mod http;
pub mod listener;
pub mod origin;
pub mod registry;
pub mod shutdown;

pub use acceptor::{AcceptError, Notice, accept_all};
pub use listener::{ListenError, Listener};
pub use registry::{Registry, ending};
pub use shutdown::{SHUTDOWN_GRACE, drain};
