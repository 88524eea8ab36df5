//! ICMP: a message in an echo, which the other host's kernel sends back (RFC 792). No program has to serve
//! it.
//!
//! The socket is a ping socket, which is not raw: its kernel makes the identifier and the checksum (icmp(7)).
//! Where raw sockets are wanted, there is the lesson `raw-ip`.

mod client;
mod script;

use super::api::{Ends, Transport};

/// Both ends, of which the kernel is one.
pub(super) const TRANSPORT: Transport = Transport {
    name: "icmp",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "a ping with the message in it: icmp://HOST/, and that host's kernel answers",
        schemes: &["icmp"],
        path: "/",
        pushes: false,
        acknowledges: false,
        options: &[],
        client: Ok(client::connect),
        server: Err(
            "an echo is answered by the kernel of the host (RFC 1122 §3.2.2.6): there is nothing to serve, only to call",
        ),
    }),
};

/// The layer's name, as it is told.
const ICMP: &str = "ICMP";
