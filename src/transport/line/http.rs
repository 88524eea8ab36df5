//! HTTP/1.1 on a line: requests that a server reads and answers, and those that a client sends, one after the other.
//!
//! Heads are read by `wire::http`, content by its length or its chunks. What follows a message in the same segment is kept: it is
//! the next request, or the first frame of a WebSocket.

mod asking;
mod request;
mod serving;
mod site;

pub use asking::{Asking, Piece};
pub use request::{Request, Response, decoded, reason};
pub use serving::{Allowed, Serving};
pub use site::{Handled, serve_site, with_query};

/// The layer's name, as it is told.
pub(super) const HTTP: &str = "HTTP";
