//! The words of the lesson notation that are not part of a call: tags, what a claim can name, and what can be done to the
//! cable. The words of a call stand in its own file, in `call` and `websocket`.
//!
//! The parser, `lint`, the near-miss suggestions and a test of `docs/lessons.md` read these tables.

use crate::{call, websocket};

/// The notation of all calls: socket calls, then the steps of the WebSocket.
pub fn calls() -> impl Iterator<Item = &'static call::Grammar> {
    call::Call::GRAMMARS.iter().chain(websocket::Step::GRAMMARS).copied()
}

/// Where a claim may hold: the operating systems, the stages, and what a machine may lack.
pub const TAGS: &[&str] =
    &["linux", "macos", "windows", "linux+loopback", "loopback", "cable", "ipv6", "privileged-ports", "unix"];

/// What a claim can hold a value against.
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
    /// Bytes that wait for recv.
    RecvQueue,
    /// Bytes not acknowledged.
    SendQueue,
    /// Connections that wait for accept.
    AcceptQueue,
    /// The backlog in force.
    AcceptLimit,
    /// Maximum segment size.
    Mss,
    /// Congestion window.
    Cwnd,
    /// Segments sent again.
    Retransmits,
    /// Datagrams that the kernel has thrown away.
    Drops,
    /// Agreed on in the handshake.
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

/// What can be different about a lesson's cable: its hosts do not know each other's Ethernet addresses yet, and ask by ARP; its hosts
/// may open raw sockets; its client may open ping sockets.
pub const CABLES: &[&str] = &["unknown-neighbours", "raw-sockets", "ping-sockets"];

/// What can be done to the cable, what stands behind it, and what it does.
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

/// Kinds of frames that are not told by TCP's flags.
pub const FRAMES: &[&str] = &["data", "ARP", "ICMP", "UDP", "fragment"];

/// Flags of TCP, and their bits in the header: RFC 9293 §3.1.
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

/// What can have become of a frame.
pub const FATES: &[&str] = &["held", "delivered", "dropped", "duplicated", "corrupted", "lost", "delayed"];

/// What a claim about a frame can hold a number against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKey {
    /// Bytes that TCP, UDP or a ping carries.
    Length,
    /// Sequence number of TCP, counted from the SYN, which is 0.
    Sequence,
    /// Acknowledgment number of TCP, counted from the other side's SYN.
    Acknowledgment,
    /// Window in bytes, scaled where that was agreed on.
    Window,
    /// Maximum segment size that a SYN announces.
    Mss,
    /// Milliseconds since the frame that it repeats was sent.
    After,
    /// Type of ICMP.
    Type,
    /// Code of ICMP.
    Code,
    /// Identifier of a ping.
    Identifier,
}

/// Names of these keys.
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

/// The entry of `list` that is `text`, with its life.
pub fn among(list: &'static [&'static str], text: &str) -> Option<&'static str> {
    list.iter().find(|word| **word == text).copied()
}
