//! What the kernel says of a socket.

use serde::{Deserialize, Serialize};

use super::Host;

/// `socket`: all that the kernel says of one socket at one moment.
///
/// Whatever the system cannot say is null, never a guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Socket {
    /// Whose kernel answered.
    pub host: Host,
    /// Its name in the lesson; `~client.c` on the server is the other end of the client's `c`, without a descriptor.
    pub name: String,
    /// Its descriptor; null once it is closed, or before it is accepted.
    pub fd: Option<i64>,
    /// `tcp` or `udp`, with a `6` over IPv6; `icmp` or `raw-icmp`.
    pub protocol: String,
    /// False once the kernel knows nothing of it any more.
    pub exists: bool,
    /// Local address and port.
    pub local: Option<String>,
    /// Remote address and port.
    pub peer: Option<String>,
    /// As in RFC 9293, with an underscore: `SYN_SENT`.
    pub state: Option<String>,
    /// Bytes that have arrived and wait for recv; of UDP on Linux the next datagram alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recv_queue: Option<u64>,
    /// Bytes that were sent and are not acknowledged yet, as the kernel counts: a SYN or a FIN on its way counts as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_queue: Option<u64>,
    /// Connections that wait for accept (a listening socket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_queue: Option<u64>,
    /// The backlog in force (a listening socket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_limit: Option<u64>,
    /// Datagrams that the kernel has thrown away here: for want of room, or as their checksum was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drops: Option<u64>,
    /// Milliseconds that TIME_WAIT will go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_wait_ms: Option<u64>,
    /// What TCP keeps about the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpInfo>,
    /// Socket options that are not at their default, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<SocketOption>,
}

impl Socket {
    /// Whether it is one of TCP's, which alone have states.
    pub fn has_states(&self) -> bool {
        self.protocol.starts_with("tcp")
    }
}

/// The value of a socket option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SocketOption {
    /// `SO_REUSEADDR`.
    pub name: String,
    /// As the kernel gives it.
    pub value: i64,
}

/// Out of `getsockopt(TCP_INFO)`, see tcp(7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TcpInfo {
    /// Smoothed round-trip time in µs.
    pub rtt_us: u32,
    /// Congestion window in segments.
    pub cwnd: u32,
    /// Maximum segment size for sending, in bytes.
    pub mss: u32,
    /// Segments sent again over the connection's life.
    pub retransmits: u32,
    /// What both sides agreed on in the handshake: `timestamps`, `sack`, `window scale`, `ecn`.
    pub negotiated: Vec<String>,
}
