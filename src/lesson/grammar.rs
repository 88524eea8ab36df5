//! The grammar of the lesson notation apart from calls: tags, subjects of claims and cable actions. `call`
//! and `websocket` hold the grammars of their calls.
//!
//! The parser, `lint`, the near-miss suggestions and a test of `docs/lessons.md` read these tables.

use crate::{call, websocket};

/// Returns the grammars of all calls: socket calls, then WebSocket steps.
pub fn calls() -> impl Iterator<Item = &'static call::Grammar> {
    call::Call::GRAMMARS.iter().chain(websocket::Step::GRAMMARS).copied()
}

/// Conditions of a claim: operating systems, stages and optional features of the machine.
pub const TAGS: &[&str] =
    &["linux", "macos", "windows", "linux+loopback", "loopback", "cable", "ipv6", "privileged-ports", "unix"];

/// A property that a claim compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Descriptor.
    Fd,
    /// Local address and port.
    Local,
    /// Local port alone.
    LocalPort,
    /// Remote address and port.
    Peer,
    /// Remote port alone.
    PeerPort,
    /// Bytes in the receive queue.
    RecvQueue,
    /// Bytes not acknowledged.
    SendQueue,
    /// Connections in the accept queue.
    AcceptQueue,
    /// The backlog in force.
    AcceptLimit,
    /// Maximum segment size.
    Mss,
    /// Congestion window.
    Cwnd,
    /// Retransmitted segments.
    Retransmits,
    /// Datagrams that the kernel dropped.
    Drops,
    /// TCP options negotiated in the handshake.
    Negotiated,
    /// A socket option.
    Option(&'static str),
}

/// Names of the keys.
pub const KEYS: &[(&str, Key)] = &[
    ("fd", Key::Fd),
    ("local", Key::Local),
    ("local_port", Key::LocalPort),
    ("peer", Key::Peer),
    ("peer_port", Key::PeerPort),
    ("recv_queue", Key::RecvQueue),
    ("send_queue", Key::SendQueue),
    ("accept_queue", Key::AcceptQueue),
    ("accept_limit", Key::AcceptLimit),
    ("mss", Key::Mss),
    ("cwnd", Key::Cwnd),
    ("retransmits", Key::Retransmits),
    ("drops", Key::Drops),
    ("negotiated", Key::Negotiated),
    ("SO_REUSEADDR", Key::Option("SO_REUSEADDR")),
    ("SO_KEEPALIVE", Key::Option("SO_KEEPALIVE")),
    ("TCP_NODELAY", Key::Option("TCP_NODELAY")),
];

/// Options of the cable: empty neighbour caches, permission for raw sockets, and permission for ping sockets
/// in the client.
pub const CABLES: &[&str] = &["unknown-neighbours", "raw-sockets", "ping-sockets"];

/// Cable actions: name, argument and effect.
pub const WIRE: &[(&str, &str, &str)] = &[
    ("hold", "", "from now on every frame waits"),
    (
        "deliver",
        "[N|all|FRAME]",
        "held frames cross: the oldest, N of them, all, or the oldest that looks like FRAME",
    ),
    ("drop", "[N|all|FRAME]", "held frames are taken away"),
    ("duplicate", "[N|all|FRAME]", "held frames cross twice"),
    ("corrupt", "[N|all|FRAME]", "held frames cross with a wrong bit in what they carry"),
    ("reorder", "", "all held frames cross, the newest first"),
    ("delay", "TIME", "from now on every frame takes so long"),
    ("cut", "", "from now on every frame is lost"),
    ("mend", "", "the cable is as new: what is held crosses, and nothing is held, slow or lost any more"),
];

/// Kinds of frames that have no TCP flag in their name.
pub const FRAMES: &[&str] = &["data", "ARP", "ICMP", "UDP", "fragment"];

/// TCP flags and their bits in the header (RFC 9293 §3.1).
pub const TCP_FLAGS: &[(&str, u8)] = &[
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ECE", 0x40),
    ("CWR", 0x80),
];

/// Possible fates of a frame.
pub const FATES: &[&str] = &["held", "delivered", "dropped", "duplicated", "corrupted", "lost", "delayed"];

/// A property of a frame that a claim compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKey {
    /// Length of the payload of TCP or UDP, or of the body of an ICMP message.
    Length,
    /// TCP sequence number relative to the sender's SYN, which is 0.
    Sequence,
    /// TCP acknowledgment number relative to the SYN of the other side.
    Acknowledgment,
    /// Window in bytes, after window scaling.
    Window,
    /// Maximum segment size that a SYN announces.
    Mss,
    /// Milliseconds between the original frame and its retransmission.
    After,
    /// ICMP type.
    Type,
    /// ICMP code.
    Code,
    /// Identifier of an ICMP echo.
    Identifier,
}

/// Names of the frame keys.
pub const FRAME_KEYS: &[(&str, FrameKey)] = &[
    ("len", FrameKey::Length),
    ("seq", FrameKey::Sequence),
    ("ack", FrameKey::Acknowledgment),
    ("win", FrameKey::Window),
    ("mss", FrameKey::Mss),
    ("after", FrameKey::After),
    ("type", FrameKey::Type),
    ("code", FrameKey::Code),
    ("id", FrameKey::Identifier),
];

/// Returns the entry of `list` that equals `text`.
pub fn among(list: &'static [&'static str], text: &str) -> Option<&'static str> {
    list.iter().find(|word| **word == text).copied()
}
