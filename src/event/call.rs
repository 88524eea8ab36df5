//! Calls, and what they came to.

use serde::{Deserialize, Serialize};

use super::{Host, hex};

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
    /// How it is known.
    pub known_by: KnownBy,
}

/// How it is known that a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum KnownBy {
    /// The thread was seen inside that very system call.
    #[serde(rename = "/proc")]
    Proc,
    /// The call has not returned within 50 ms.
    #[serde(rename = "time")]
    Time,
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
