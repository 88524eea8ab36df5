//! `sockwalk explain`: the reason why of a field, a flag, an opcode, an error, an option, a state, a status or a call.
//!
//! What a field says is asked of its decoder, which tells a few sample frames; numbers come from the tables that decoders and judges
//! use. Only reasons are written here and in [`crate::wire::names`].

mod entries;
mod errors;
mod fields;
mod find;
mod lessons;
mod mistakes;
mod protocols;
mod related;
mod sockets;
mod sockjs;
mod stomp;

use std::sync::OnceLock;

pub use find::{Found, find};

/// All that is known of a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Where to ask for it: `tcp.flags.psh`.
    pub path: String,
    /// As it is usually written: `PSH`.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Why it is there, or why it is so.
    pub why: String,
    /// Sections and manual pages.
    pub defined: String,
    /// Values, and what each means; empty where any number will do.
    pub values: Vec<(String, String)>,
    /// Further ways to write it.
    pub spellings: Vec<String>,
}

impl Entry {
    /// What people get wrong about it.
    pub fn mistakes(&self) -> Vec<&'static str> {
        let about = |path: &&str| {
            self.path == *path
                || self.path.starts_with(&format!("{path}."))
                || path.ends_with('_') && self.path.starts_with(*path)
        };
        mistakes::MISTAKES
            .iter()
            .filter(|(paths, _)| paths.iter().any(about))
            .map(|(_, mistake)| *mistake)
            .collect()
    }

    /// The command of the part of a lesson that shows it, and that part's title.
    pub fn lesson(&self) -> Option<(String, String)> {
        lessons::shows(self)
    }

    /// Paths to go on with.
    pub fn related(&self) -> Vec<&str> {
        related::to(&self.path)
    }

    /// The first part of its path: `tcp`.
    pub fn group(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }
}

/// The groups: the first part of a path, and what is in it.
pub const GROUPS: &[(&str, &str)] = &[
    ("call", "calls of the notation: `explain listen`"),
    ("option", "socket options: `explain SO_REUSEADDR`"),
    ("flag", "flags of send and recv, ways to shut down: `explain MSG_PEEK`"),
    ("errno", "errors: `explain ECONNRESET`"),
    ("state", "states of TCP: `explain TIME_WAIT`"),
    ("eth", "Ethernet: `explain eth.type`"),
    ("arp", "ARP: `explain arp.op`"),
    ("ip", "IPv4: `explain ip.ttl`"),
    ("ip6", "IPv6: `explain ip6.hops`"),
    ("icmp", "ICMP: `explain icmp.3.3`"),
    ("icmp6", "ICMPv6: `explain icmp6.135`"),
    ("tcp", "TCP: `explain tcp.flags.psh`, `explain tcp.options.mss`"),
    ("udp", "UDP: `explain udp.checksum`"),
    ("http", "the handshake's HTTP: `explain http.status.101`, `explain origin`"),
    ("ws", "WebSocket: `explain ws.close.1006`, `explain ws.rules`"),
    ("engineio", "Engine.IO, below Socket.IO: `explain engineio.noop`, `explain engineio.error.1`"),
    ("socketio", "Socket.IO: `explain socketio.ack`"),
    ("transport", "ways to carry a message: `explain transport.sse`"),
    ("sockjs", "SockJS: `explain sockjs.frame.a`, `explain sockjs.close.2010`"),
    ("stomp", "STOMP: `explain stomp.frame.send`, `explain stomp.header.receipt`, `explain stomp.rules`"),
    ("cable", "what a lesson does to the cable: `explain drop`"),
    ("data", "what programs send"),
];

/// All entries, in the order of the groups.
pub fn all() -> &'static [Entry] {
    static ALL: OnceLock<Vec<Entry>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = entries::all();
        all.sort_by_key(|entry| GROUPS.iter().position(|(group, _)| *group == entry.group()));
        all
    })
}

#[cfg(test)]
mod tests;
