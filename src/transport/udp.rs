//! UDP: a datagram for each message. Its ends are kept; whether it arrives, and in which order, is not promised (RFC 768).
//!
//! There is no connection: a client's socket has a default address, and a server's one socket hears everybody.

mod client;
mod server;

use super::ends::Ends;

/// Both ends.
pub const ENDS: Ends = Ends {
    name: "udp",
    what: "a datagram for each message: whole if it arrives, and that is not promised",
    schemes: &["udp"],
    path: "/",
    pushes: true,
    acknowledges: false,
    options: &[],
    client: client::connect,
    server: server::new,
};

/// The layer's name, as it is told.
const UDP: &str = "UDP";

/// The most that a datagram carries over IPv4: 65,535 bytes less the headers of IP and UDP. Over IPv6 it would be 20 more.
const LONGEST: usize = 65_507;
