//! Every word of the lesson notation: calls, options, flags, errors, states, and what a claim can name.
//!
//! Names are the kernel's own. The parser, `lint`, the near-miss suggestions and `docs/lessons.md` (held against these tables by a
//! test) read these tables.

/// A call of the notation.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// As written; two words for the steps of the WebSocket.
    pub name: &'static str,
    /// What it takes, in the order of the man page.
    pub takes: &'static [Kind],
    /// What it gives back.
    pub gives: Gives,
    /// Whether it can wait in the kernel, so that `&` makes sense.
    pub may_block: bool,
    /// In a line.
    pub about: &'static str,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name of a socket of the acting host.
    Socket,
    /// The name of a WebSocket, as `ws handoff` gave it.
    WebSocket,
    /// One of [`PROTOCOLS`].
    Protocol,
    /// `:7000`, `server:7000`, `any:7000`, `127.0.0.2:7000`, or who sent what `recvfrom` gave: `m.from`.
    Address,
    /// A time, such as `200ms` or `2s`.
    Time,
    /// A number with this name.
    Number(&'static str),
    /// `"text"`, `"x" * 1000`, `hex"81 05"`.
    Bytes,
    /// Like `Bytes`, but may be left out.
    MaybeBytes,
    /// One of [`HOWS`].
    How,
    /// One of [`OPTIONS`].
    Option,
    /// Flags of send and recv; may be left out.
    Flags,
    /// One of [`OPCODES`].
    Opcode,
    /// A path such as `/chat`.
    Path,
    /// Modifiers of a frame made by hand; may be left out: see [`FRAME_MODIFIERS`].
    FrameModifiers,
    /// A number that may be left out.
    MaybeNumber(&'static str),
    /// This word, which may be left out.
    Maybe(&'static str),
    /// This word and a value behind it, `origin http://example.com`; both may be left out.
    MaybeNamed(&'static str),
}

/// What a call gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Success only.
    Nothing,
    /// A new descriptor.
    Socket,
    /// A WebSocket.
    WebSocket,
    /// A number.
    Number,
    /// Bytes.
    Bytes,
    /// A datagram: bytes, and who sent them.
    Datagram,
    /// An address.
    Address,
}

const fn word(
    name: &'static str,
    takes: &'static [Kind],
    gives: Gives,
    may_block: bool,
    about: &'static str,
) -> Word {
    Word { name, takes, gives, may_block, about }
}

/// All calls.
pub const WORDS: &[Word] = {
    use Kind as K;
    &[
        word("socket", &[K::Protocol], Gives::Socket, false, "make an endpoint: socket(2)"),
        word("bind", &[K::Socket, K::Address], Gives::Nothing, false, "give it a local address: bind(2)"),
        word(
            "listen",
            &[K::Socket, K::Number("backlog")],
            Gives::Nothing,
            false,
            "let it be called: listen(2)",
        ),
        word("accept", &[K::Socket], Gives::Socket, true, "take the first waiting connection: accept(2)"),
        word("connect", &[K::Socket, K::Address], Gives::Nothing, true, "call a listener: connect(2)"),
        word(
            "send",
            &[K::Socket, K::Bytes, K::Flags],
            Gives::Number,
            true,
            "hand bytes to the kernel: send(2)",
        ),
        word(
            "recv",
            &[K::Socket, K::Number("size"), K::Flags],
            Gives::Bytes,
            true,
            "take bytes that arrived: recv(2)",
        ),
        word(
            "sendto",
            &[K::Socket, K::Address, K::Bytes, K::Flags],
            Gives::Number,
            true,
            "hand over a datagram for an address: sendto(2)",
        ),
        word(
            "recvfrom",
            &[K::Socket, K::Number("size"), K::Flags],
            Gives::Datagram,
            true,
            "take a datagram, and learn who sent it: recvfrom(2)",
        ),
        word(
            "shutdown",
            &[K::Socket, K::How],
            Gives::Nothing,
            false,
            "end one direction or both: shutdown(2)",
        ),
        word("close", &[K::Socket], Gives::Nothing, true, "give the descriptor back: close(2)"),
        word("dup", &[K::Socket], Gives::Socket, false, "a second descriptor for the same socket: dup(2)"),
        word(
            "setsockopt",
            &[K::Socket, K::Option, K::Number("value")],
            Gives::Nothing,
            false,
            "set an option: setsockopt(2)",
        ),
        word("getsockopt", &[K::Socket, K::Option], Gives::Number, false, "read an option: getsockopt(2)"),
        word("getsockname", &[K::Socket], Gives::Address, false, "the local address: getsockname(2)"),
        word("getpeername", &[K::Socket], Gives::Address, false, "the remote address: getpeername(2)"),
        word("pause", &[K::Time], Gives::Nothing, true, "do nothing for a while: clock_nanosleep(2)"),
        word(
            "TcpListener::bind",
            &[K::Address],
            Gives::Socket,
            false,
            "std's socket, bind and listen in one go",
        ),
        word(
            "recv_until",
            &[K::Socket, K::Bytes],
            Gives::Bytes,
            true,
            "framing by hand: recv until a delimiter",
        ),
        word(
            "recv_exactly",
            &[K::Socket, K::Number("size")],
            Gives::Bytes,
            true,
            "framing by hand: recv until there are so many bytes",
        ),
        word(
            "send_prefixed",
            &[K::Socket, K::Bytes],
            Gives::Number,
            true,
            "framing by hand: a 4-byte length, then the bytes",
        ),
        word(
            "recv_prefixed",
            &[K::Socket],
            Gives::Bytes,
            true,
            "framing by hand: recv a 4-byte length, then so many bytes",
        ),
        word(
            "ws request",
            &[K::Socket, K::Path, K::MaybeNamed("host"), K::MaybeNamed("origin"), K::MaybeNamed("protocol")],
            Gives::Number,
            true,
            "send the opening request: RFC 6455 §4.1",
        ),
        word(
            "ws answer",
            &[K::Socket, K::MaybeNamed("allow"), K::MaybeNamed("protocol")],
            Gives::Number,
            true,
            "read a request, judge it, answer it: RFC 6455 §4.2",
        ),
        word("ws verify", &[K::Socket], Gives::Number, true, "read the answer and judge it: RFC 6455 §4.1"),
        word(
            "ws frame",
            &[K::Socket, K::Opcode, K::Bytes, K::FrameModifiers],
            Gives::Number,
            true,
            "send a frame made by hand: RFC 6455 §5.2",
        ),
        word(
            "ws unframe",
            &[K::Socket],
            Gives::Bytes,
            true,
            "receive a frame and take it apart: RFC 6455 §5.2",
        ),
        word(
            "ws handoff",
            &[K::Socket, K::Maybe("losing")],
            Gives::WebSocket,
            false,
            "hand the connection to tungstenite, with the bytes read too far (or, `losing`, without)",
        ),
        word(
            "ws send",
            &[K::WebSocket, K::Opcode, K::Bytes],
            Gives::Nothing,
            true,
            "send a message with tungstenite",
        ),
        word("ws recv", &[K::WebSocket], Gives::Bytes, true, "receive a message with tungstenite"),
        word("ws ping", &[K::WebSocket, K::MaybeBytes], Gives::Nothing, true, "send a Ping: RFC 6455 §5.5.2"),
        word(
            "ws close",
            &[K::WebSocket, K::MaybeNumber("code"), K::MaybeBytes],
            Gives::Nothing,
            true,
            "send a Close: RFC 6455 §5.5.1",
        ),
    ]
};

/// Protocols of `socket`.
pub const PROTOCOLS: &[&str] = &["tcp", "udp", "tcp6", "udp6", "icmp", "raw-icmp"];

/// Directions of `shutdown`.
pub const HOWS: &[&str] = &["SHUT_RD", "SHUT_WR", "SHUT_RDWR"];

/// Flags of `send` and `recv`.
pub const FLAGS: &[&str] = &["MSG_DONTWAIT", "MSG_PEEK", "MSG_WAITALL", "MSG_OOB", "MSG_TRUNC"];

/// Socket options.
pub const OPTIONS: &[&str] = &[
    "SO_REUSEADDR",
    "SO_KEEPALIVE",
    "SO_RCVBUF",
    "SO_SNDBUF",
    "SO_LINGER",
    "SO_BROADCAST",
    "SO_ERROR",
    "SO_TYPE",
    "SO_ACCEPTCONN",
    "TCP_NODELAY",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_KEEPCNT",
    "TCP_USER_TIMEOUT",
    "TCP_QUICKACK",
    "TCP_CORK",
    "TCP_SYNCNT",
    "TCP_MAXSEG",
    "IPV6_V6ONLY",
];

/// Kinds of WebSocket frames and messages.
pub const OPCODES: &[&str] = &["text", "binary", "continuation", "ping", "pong", "close", "reserved"];

/// What makes a hand-made frame different from the ordinary one of that side.
pub const FRAME_MODIFIERS: &[&str] = &["mask", "unmasked", "more", "rsv1"];

/// Where a claim may hold: the operating systems, the stages, and what a machine may lack.
pub const TAGS: &[&str] =
    &["linux", "macos", "windows", "linux+loopback", "loopback", "cable", "ipv6", "privileged-ports", "unix"];

/// States of TCP as in RFC 9293 §3.3.2, and the other words that a claim can say of a socket or a call.
pub const STATES: &[&str] = &[
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSE_WAIT",
    "CLOSING",
    "LAST_ACK",
    "TIME_WAIT",
    "gone",
    "blocked",
    "returned",
];

/// Words among [`STATES`] that are said of a call, not of a socket.
pub const CALL_STATES: &[&str] = &["blocked", "returned"];

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

/// Errors that a call can give, by the kernel's name.
pub const ERRNOS: &[&str] = &[
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EALREADY",
    "EBADF",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDESTADDRREQ",
    "EFAULT",
    "EHOSTUNREACH",
    "EINPROGRESS",
    "EINTR",
    "EINVAL",
    "EIO",
    "EISCONN",
    "EMFILE",
    "EMSGSIZE",
    "ENETUNREACH",
    "ENOBUFS",
    "ENOMEM",
    "ENOPROTOOPT",
    "ENOTCONN",
    "ENOTSOCK",
    "EOPNOTSUPP",
    "EPERM",
    "EPIPE",
    "EPROTO",
    "EPROTONOSUPPORT",
    "ESHUTDOWN",
    "ETIMEDOUT",
];

/// The entry of `list` that is `text`, with its life.
pub fn among(list: &'static [&'static str], text: &str) -> Option<&'static str> {
    list.iter().find(|word| **word == text).copied()
}
