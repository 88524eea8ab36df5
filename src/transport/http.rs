//! One request, one response (RFC 9112): the client asks, the server answers, and can't say anything by itself.

mod client;
pub mod server;

pub(super) use client::{Posting, good};
pub(super) use server::{not_allowed, too_large};

use super::ends::Ends;

/// Both ends.
pub const ENDS: Ends = Ends {
    name: "http",
    what: "one request, one response: a server says nothing by itself (RFC 9112)",
    schemes: &["http"],
    path: "/",
    pushes: false,
    acknowledges: true,
    options: &[],
    client: client::connect,
    server: server::new,
};
