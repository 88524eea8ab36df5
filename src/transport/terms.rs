//! The mode and the limits of a server.

use std::{collections::BTreeMap, time::Duration};

use crate::server::origin::OriginPolicy;

/// The mode and the limits of a server.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Whether a message of one client goes to all clients, not only back to its sender.
    pub chat: bool,
    /// Most simultaneous connections, and most sessions.
    pub connections: usize,
    /// Longest silence on a connection. After it, the server ends the connection.
    pub idle: Duration,
    /// Interval of heartbeats, where the protocol leaves the choice.
    pub beat: Duration,
    /// Most bytes that a client may send on a connection. After more, the server ends the connection.
    pub bytes: u64,
    /// The largest message, in bytes.
    pub message: u64,
    /// Most messages that may wait for one client.
    pub queue: usize,
    /// The origins whose pages may use the server.
    pub origins: OriginPolicy,
    /// The options of the protocol, by name.
    pub options: BTreeMap<String, String>,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            chat: false,
            connections: 1024,
            idle: Duration::from_secs(300),
            beat: Duration::from_secs(25),
            bytes: 64 << 20,
            message: 1 << 20,
            queue: 256,
            origins: OriginPolicy::default(),
            options: BTreeMap::new(),
        }
    }
}
