//! How a server serves, and within which limits.

use std::{collections::BTreeMap, time::Duration};

use crate::server::origin::OriginPolicy;

/// How a server serves, and within which limits.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What one says is sent to all who are here, and not only back to who said it.
    pub chat: bool,
    /// So many connections at once, and so many sessions.
    pub connections: usize,
    /// A connection on which nothing has moved for so long is ended.
    pub idle: Duration,
    /// How often an end shows that it is alive, where the protocol leaves the choice.
    pub beat: Duration,
    /// A connection that has sent more than so many bytes is ended.
    pub bytes: u64,
    /// The largest message, in bytes.
    pub message: u64,
    /// So many messages may wait for one client.
    pub queue: usize,
    /// The web pages that may use the server.
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
