//! The HTTP front of all servers: a request head comes in, a route takes it, a response goes out.
//!
//! [`read_head`] reads a head from any source of bytes within limits of size and time; a [`Rejection`] says
//! which requirement a request misses, and becomes the same words in every server; a [`Request`] is a head
//! with its content, a [`Response`] the answer. [`page`] has the pages for browsers.

mod head;
mod message;
pub mod page;
mod rejection;

pub use head::{ByteSource, Head, Received, read_head};
pub use message::{Request, Response, decoded};
pub use rejection::{Rejection, reason};
