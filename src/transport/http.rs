//! One request, one response (RFC 9112): the client asks, the server answers, and can't say anything by
//! itself.
//!
//! The transports that stand on HTTP use what is here: requests that a server reads and answers ([`Serving`],
//! [`serve_site`]), and those that a client sends ([`Asking`]), one after the other.

mod asking;
mod client;
pub(super) mod script;
pub mod server;
mod serving;
mod site;

pub use crate::server::http::{Request, Response, decoded, reason};
pub use asking::{Asking, Piece};
pub use serving::{Allowed, Serving};
pub use site::{Handled, serve_site, with_query};

pub(super) use client::{Posting, good};
pub(super) use server::{not_allowed, too_large};

use super::api::{Ends, Transport};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "http",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "one request, one response: a server says nothing by itself (RFC 9112)",
        schemes: &["http"],
        path: "/",
        pushes: false,
        acknowledges: true,
        options: &[],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The layer's name, as it is told.
const HTTP: &str = "HTTP";
