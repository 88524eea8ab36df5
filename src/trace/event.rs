//! The events of a run: which there are, and what each carries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of the trace format, written into every `lesson` event.
///
/// It goes up when a field or an event changes its meaning or goes away; new fields and events may come without.
pub const FORMAT: u32 = 1;

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Microseconds since the lesson's own event: a tour writes several lessons into one trace.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A lesson begins.
    Lesson(Lesson),
    /// A part of the lesson begins.
    Part(Part),
    /// A step of the lesson begins: a call, or a step of the WebSocket upgrade.
    Step(Step),
    /// Prose of the lesson.
    Narration {
        /// The text, in Markdown.
        markdown: String,
    },
    /// A call is about to be made.
    Call(Call),
    /// A call has not returned: it waits in the kernel.
    Blocked(Blocked),
    /// A call has returned.
    Return(Return),
    /// What the kernel says of a socket now; written when it differs from what it said before.
    Socket(Socket),
    /// Something worked out by hand, value by value: a key, a mask, the fields of a frame.
    Working(Working),
    /// A requirement of the WebSocket opening handshake, and how it was judged.
    Upgrade(Requirement),
    /// A WebSocket message, or a violation of the protocol.
    Message(Message),
    /// A frame that a host sent, as it came to the cable.
    Frame(Frame),
    /// What became of a frame on the cable.
    Fate(Fate),
    /// Something was done to the cable.
    Wire(Wire),
    /// A setting of a host's kernel was changed.
    Setting(Setting),
    /// Somebody who is connected to a live server: who came, who left and how, with how many bytes.
    Peer(Peer),
    /// A claim of the lesson, held against the kernel.
    Check(Check),
    /// A prediction is asked for.
    Question(Question),
    /// The prediction, and what is right.
    Answer(Answer),
    /// The lesson ends.
    End(End),
}

/// Which of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// The one that calls.
    Client,
    /// The one that is called.
    Server,
}

impl Host {
    /// Both, in the order in which they stand on the screen.
    pub const ALL: [Host; 2] = [Host::Client, Host::Server];

    /// The other one.
    pub fn other(self) -> Host {
        match self {
            Host::Client => Host::Server,
            Host::Server => Host::Client,
        }
    }

    /// `client` or `server`, as in a lesson file.
    pub fn name(self) -> &'static str {
        match self {
            Host::Client => "client",
            Host::Server => "server",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `lesson`: which lesson runs, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lesson {
    /// The trace format, see [`FORMAT`].
    pub format: u32,
    /// The version of the program that wrote this.
    pub sockwalk: String,
    /// The operating system, as Rust names it: `linux`, `macos`, `windows`.
    pub system: String,
    /// The lesson's name, or the file's.
    pub name: String,
    /// One line on what it is about.
    pub title: String,
    /// The language of its text, as a BCP 47 tag.
    pub language: String,
    /// Where it runs: `cable`, `loopback` or `live`.
    pub stage: String,
    /// Nanoseconds from 1970 (UTC) to the moment from which the times of this lesson count, by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// How many parts it has.
    pub parts: usize,
    /// How many steps it has in all.
    pub steps: usize,
    /// Man pages and RFC sections that it leans on.
    pub sources: Vec<String>,
}

/// `part`: a scene of a lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// Counted from 1.
    pub number: usize,
    /// Its heading.
    pub title: String,
    /// False for a part that is run only to get the sockets to where a later part begins.
    pub shown: bool,
}

/// `step`: the line of the lesson that is done now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// Counted from 1 over the whole lesson.
    pub number: usize,
    /// The line in the lesson file.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// True for a step that only prepares what is asked for: it is told in a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

/// `call`: a call, as it is shown before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    /// Names this call in `blocked`, `return` and `parent`.
    pub id: u64,
    /// Who calls.
    pub host: Host,
    /// The call's name as in its man page: `bind`.
    pub call: String,
    /// The socket's name in the lesson, if the call takes one.
    pub socket: Option<String>,
    /// The socket's descriptor.
    pub fd: Option<i64>,
    /// Names and values of what is passed, in the order of the man page.
    pub args: Vec<Arg>,
    /// The line of this program that ran.
    pub source: Source,
    /// The same in C.
    pub c: String,
    /// What the kernel is asked, without what it answers: `accept4(3, …, SOCK_CLOEXEC)`. Empty if it is asked nothing.
    pub asked: String,
    /// The system calls that this makes on Linux, in their order: what strace shows.
    pub syscalls: Vec<String>,
    /// The call that this one is a piece of: `recv` within "receive until a newline".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// True if it runs on a thread of its own, so that the lesson goes on while it waits.
    #[serde(default)]
    pub background: bool,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Arg {
    /// As in the man page.
    pub name: String,
    /// For people to read.
    pub value: String,
}

/// Where a line of this program stands, and what it says: taken by the compiler from the source itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The expression.
    pub text: String,
    /// The file, from the top of the repository, with `/`.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// `blocked`: a call that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Blocked {
    /// The call's id.
    pub call: u64,
    /// What would end the wait.
    pub waits_for: String,
    /// How it is known: `/proc` (the thread was seen inside that very system call) or `time` (it has not come back within 50 ms).
    pub known_by: String,
}

/// `return`: what a call gave back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Return {
    /// The call's id.
    pub call: u64,
    /// What it gave, if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Value>,
    /// The name of its error, if it failed: `ECONNREFUSED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// The system's own words for that error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Nanoseconds inside the call.
    pub ns: u64,
    /// True if it was ended by the deadline of the lesson: it would have gone on waiting. With `ok`, it gives what it had done by then.
    #[serde(default)]
    pub deadline: bool,
}

/// What a call can give back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing but success: 0 in C.
    Done,
    /// A new descriptor; and, from `accept`, the address of who called.
    Socket {
        /// The name that the lesson gave it.
        name: String,
        /// The descriptor.
        fd: i64,
        /// Who called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<String>,
    },
    /// A number of bytes.
    Count(usize),
    /// Bytes that arrived, in hex.
    Data(
        #[serde(with = "hex")]
        #[cfg_attr(test, schemars(with = "String"))]
        Vec<u8>,
    ),
    /// A datagram that arrived, from `recvfrom`, or from `recv` with MSG_TRUNC.
    Datagram {
        /// What there was room for, in hex.
        #[serde(with = "hex")]
        #[cfg_attr(test, schemars(with = "String"))]
        bytes: Vec<u8>,
        /// What the call returned: with MSG_TRUNC the whole length of the datagram, which may be more than there was room for.
        length: usize,
        /// Who sent it; null where the call does not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// An address and port: `127.0.0.1:7000`.
    Address(String),
    /// The value of a socket option, or an HTTP status.
    Number(i64),
    /// A WebSocket Close.
    Close {
        /// Its code; 1005 if it had none, 1006 if the stream ended without one (RFC 6455 §7.1.5): these two are never on the wire.
        code: u16,
        /// Its reason.
        reason: String,
    },
}

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

/// `working`: a thing worked out by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Working {
    /// Who works it out.
    pub host: Host,
    /// On which socket, where a server has many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// What it is: `the accept key`.
    pub title: String,
    /// The bytes that it is about, in hex; empty if it is about none.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
    /// Value by value.
    pub rows: Vec<Row>,
}

/// A line of a [`Working`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// Name of the field or the step.
    pub name: String,
    /// The value, for people to read. Bytes from the network are escaped already.
    pub value: String,
    /// What it means, or why.
    pub meaning: String,
    /// Bit range in the bytes, from, to (not included), if it is a field of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<(usize, usize)>,
    /// The section that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// `upgrade`: a requirement and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requirement {
    /// Who judges.
    pub host: Host,
    /// On which socket, where a server has many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// The requirement in a few words.
    pub requirement: String,
    /// `RFC 6455 §4.2.1 (2)`.
    pub section: String,
    /// True if met.
    pub met: bool,
    /// What was there, escaped.
    pub found: String,
    /// Where it stands in the head, in bytes from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
}

/// `message`: a WebSocket message, or the rule that was broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Message {
    /// Who tells it.
    pub host: Host,
    /// The WebSocket's (or the socket's) name.
    pub socket: String,
    /// True if it came from the other side, false if it was sent.
    pub received: bool,
    /// `text`, `binary`, `ping`, `pong`, `close` or `violation`.
    pub kind: String,
    /// The payload, unmasked, in hex.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub data: Vec<u8>,
    /// The Close code, or the one that a violation is answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The rule that was broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where the rule stands: `RFC 6455 §5.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The word of the RFC: `MUST`, `SHOULD`, `MAY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The byte that broke it, from the start of the frame stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// `frame`: a frame as it came to the cable, whole, from the Ethernet header on. What became of it is said by `fate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Frame {
    /// Counted from 1, in the order in which they came.
    pub number: u64,
    /// Who sent it; it is on its way to the other.
    pub from: Host,
    /// Nanoseconds since the lesson's own event: `at` of an event that is written later is no earlier than that of the one before it.
    pub ns: u64,
    /// The frame, in hex.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
    /// Why the host's kernel sent it.
    pub cause: Cause,
    /// The call that asked for it; null where none did, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// The frame that it says again, if its bytes or its SYN or FIN were sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u64>,
}

/// Why a kernel sent a frame. By its numbers, never by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A call asked for it: `connect` for the SYN, `send` for its bytes, `shutdown` or `close` for the FIN.
    Call,
    /// It answers a SYN, or a ping.
    Answer,
    /// It acknowledges what came.
    Acknowledgment,
    /// It says again what was not acknowledged.
    Retransmission,
    /// It tells the other side that the window has changed.
    WindowUpdate,
    /// It asks whether the other side is there, or whether its window has opened.
    Probe,
    /// It breaks a connection off, or refuses one.
    Reset,
    /// It looks for a neighbour's Ethernet address, or gives its own.
    Neighbour,
    /// It reports an error of the network.
    Report,
    /// None of these is known of it.
    Unknown,
}

/// `fate`: what became of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fate {
    /// Its number.
    pub frame: u64,
    /// Nanoseconds since the lesson's own event.
    pub ns: u64,
    /// What.
    pub fate: Became,
    /// Microseconds that it is to take, if it is delayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_us: Option<u64>,
    /// The bit that was turned over, counted from the first of the frame, if it was corrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit: Option<u64>,
}

/// What can become of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It waits on the cable.
    Held,
    /// It has reached the other host.
    Delivered,
    /// It was taken off the cable by hand.
    Dropped,
    /// It has reached the other host twice.
    Duplicated,
    /// It has reached the other host with a wrong bit.
    Corrupted,
    /// It said again what was sent before, while frames wait on the cable: it was taken off, and what it repeats stands for it.
    Folded,
    /// The cable is cut.
    Lost,
    /// It is on its way, slowly.
    Delayed,
}

/// `wire`: something was done to the cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wire {
    /// As in a lesson: `hold`, `deliver`, `drop`, `duplicate`, `reorder`, `corrupt`, `delay`, `cut`, `mend`.
    pub action: String,
    /// The frames that it was done to, by number.
    pub frames: Vec<u64>,
    /// Why it could not be done: no such frame was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// `setting`: what sysctl(8) changes, in one host's kernel alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// Whose kernel.
    pub host: Host,
    /// `net.ipv4.tcp_syn_retries`
    pub name: String,
    /// What it was, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it became.
    pub value: String,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// `peer`: a connection of a live server, at one moment. Bytes are all that crossed TCP, messages are text and binary ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Peer {
    /// The name of the connection, and of its socket: `c1`, `c2`, in the order of accept.
    pub name: String,
    /// Address and port of who called.
    pub address: String,
    /// How far it is.
    pub phase: Phase,
    /// The TCP state, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Why it is over, in phase `gone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Ending>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How far a connection of a live server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Accepted.
    Connected,
    /// Upgraded to a WebSocket.
    Open,
    /// Over: the numbers are final.
    Gone,
}

/// Why a connection of a live server is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The peer ended it in order: a Close, or a FIN where there is none.
    Closed,
    /// It broke: a RST, or a FIN in the middle of something.
    Reset,
    /// The opening request was refused.
    Refused,
    /// A page was asked for, and served.
    Page,
    /// The peer broke a rule of the protocol.
    Violation,
    /// A limit of this server was reached.
    Limit,
    /// The server was told to end.
    Stopped,
    /// Something failed on this side.
    Failed,
}

/// `check`: a claim and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// The claim as the lesson writes it.
    pub text: String,
    /// The line in the lesson file.
    pub line: usize,
    /// Null where this system cannot say.
    pub holds: Option<bool>,
    /// What was there instead, or why it cannot be seen; empty if it holds and there is no more to say.
    pub observed: String,
}

/// `question`: a prediction asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Question {
    /// In Markdown.
    pub text: String,
    /// The answers to choose from, in Markdown.
    pub options: Vec<String>,
}

/// `answer`: shown when the steps behind the question have run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// The option chosen, counted from 0; null if nobody was asked.
    pub given: Option<usize>,
    /// The right option, counted from 0.
    pub right: usize,
    /// Its text, in Markdown.
    pub text: String,
}

/// `end`: the sum of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// Claims held against the kernel.
    pub checks: usize,
    /// Of these, how many did not hold.
    pub failed: usize,
    /// Of these, how many this system could not show.
    pub not_seen: usize,
    /// True if the lesson was left before its end.
    #[serde(default)]
    pub left: bool,
}

/// Bytes in JSON: lower-case hex, two digits a byte.
mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/trace.schema.json` is a promise to other programs: it is made from the types, and this test holds them together.
    #[test]
    fn the_schema_in_docs_is_that_of_the_types() {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Event)).unwrap() + "\n";
        snapbox::assert_data_eq!(schema, snapbox::file!["../../docs/trace.schema.json"].raw());
    }
}
