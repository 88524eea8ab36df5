//! ICMP: a message in an echo, which the other host's kernel sends back (RFC 792). No program has to serve it.
//!
//! The socket is a ping socket, which is not raw: its kernel makes the identifier and the checksum (icmp(7)). Where raw sockets are
//! wanted, there is the lesson `raw-ip`.

mod client;

use std::sync::Arc;

use super::{
    ends::{Ends, Server},
    line::{Fault, room::Room},
};

/// Both ends, of which the kernel is one.
pub const ENDS: Ends = Ends {
    name: "icmp",
    what: "a ping with the message in it: icmp://HOST/, and that host's kernel answers",
    schemes: &["icmp"],
    path: "/",
    pushes: false,
    acknowledges: false,
    options: &[],
    client: client::connect,
    server: no_server,
};

/// The layer's name, as it is told.
const ICMP: &str = "ICMP";

fn no_server(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Err(Fault::Asked(
        "an echo is answered by the kernel of the host (RFC 1122 §3.2.2.6): there is nothing to serve, only to call"
            .to_owned(),
    ))
}
