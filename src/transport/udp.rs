//! UDP: a datagram for each message. Its ends are kept; whether it arrives, and in which order, is not
//! promised (RFC 768).
//!
//! There is no connection: a client's socket has a default address, and a server's one socket hears
//! everybody.

mod client;
mod script;
mod server;

use super::api::{Ends, Transport};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "udp",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "a datagram for each message: whole if it arrives, and that is not promised",
        schemes: &["udp"],
        path: "/",
        pushes: true,
        acknowledges: false,
        options: &[],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The layer's name, as it is told.
const UDP: &str = "UDP";

/// The most that a datagram carries over IPv4: 65,535 bytes less the headers of IP and UDP. Over IPv6 it
/// would be 20 more.
const LONGEST: usize = 65_507;
