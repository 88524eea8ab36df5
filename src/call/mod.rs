//! What is done: one file for each socket call, the code that students are shown.
//!
//! Every call blocks, as a program's first sockets do, and goes through [socket2], which adds nothing but
//! types: one method, one system call. The few things that it does on the side are said where they happen.

mod accept;
mod bind;
mod close;
mod connect;
mod dup;
mod framing;
mod grammar;
mod listen;
mod names;
mod pause;
mod recv;
mod recvfrom;
mod send;
mod sendto;
mod shutdown;
mod socket;
mod socket_table;
mod sockopt;
mod std_listener;
mod system;
mod timed;

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use socket2::Socket;

pub use accept::Accept;
pub use bind::Bind;
pub use close::Close;
pub use connect::Connect;
pub use dup::Dup;
pub use framing::{RecvExactly, RecvPrefixed, RecvUntil, SendPrefixed, send_all};
pub(crate) use grammar::calls;
pub use grammar::{Arguments, At, Grammar, On, Place, Returns, Target};
pub use listen::Listen;
pub use names::{GetPeerName, GetSockName};
pub use pause::Pause;
pub use recv::Recv;
pub use recvfrom::RecvFrom;
pub use send::Send;
pub use sendto::SendTo;
pub use shutdown::{How, ShutDown};
pub use socket::NewSocket;
pub use socket_table::{Protocol, SocketEntry, SocketTable};
pub use sockopt::{GetSockOpt, OPTIONS, SetSockOpt};
pub use std_listener::StdListener;
pub use system::{ERRNOS, FLAGS, errno_name, errno_text};
pub use timed::{CallSite, CurrentCall, Timed, set_current_call, timed};

/// A call whose names are resolved.
pub type Request = Call;

use crate::event::{Arg, Value, What};

grammar::calls! {
    /// A socket call with its arguments, in the order of the man page, without the socket. In a lesson an
    /// address is a [`Target`], once names are resolved a [`SocketAddr`].
    Call<A = Target>, described for SocketRef, performed at Site: {
        /// `socket(2)`
        NewSocket,
        /// `bind(2)`
        Bind<A>,
        /// `listen(2)`
        Listen,
        /// `accept(2)`
        Accept,
        /// `connect(2)`
        Connect<A>,
        /// `send(2)`
        Send,
        /// `recv(2)`
        Recv,
        /// `sendto(2)`
        SendTo<A>,
        /// `recvfrom(2)`
        RecvFrom,
        /// `shutdown(2)`
        ShutDown,
        /// `close(2)`
        Close,
        /// `dup(2)`
        Dup,
        /// `setsockopt(2)`
        SetSockOpt,
        /// `getsockopt(2)`
        GetSockOpt,
        /// `getsockname(2)`
        GetSockName,
        /// `getpeername(2)`
        GetPeerName,
        /// `clock_nanosleep(2)`
        Pause,
        /// [`std::net::TcpListener::bind`]
        StdListener<A>,
        /// Framing by hand: up to a delimiter.
        RecvUntil,
        /// Framing by hand: a fixed length.
        RecvExactly,
        /// Framing by hand: a length in front, sent.
        SendPrefixed,
        /// Framing by hand: a length in front, received.
        RecvPrefixed,
    }
}

/// Where a call is made: the sockets of the host, and the one that the call is on.
pub struct Site<'a> {
    /// The host's sockets; a new one is inserted here.
    pub table: &'a SocketTable,
    /// The socket that the call is on. Some unless the call's grammar says [`On::Nothing`].
    pub on: Option<&'a SocketEntry>,
    /// The name for what the call returns.
    pub result: Option<&'a str>,
}

impl Site<'_> {
    fn held(&self) -> &SocketEntry {
        self.on.expect("a call on a socket is given one")
    }

    fn socket(&self) -> &Socket {
        self.held().socket()
    }

    /// Inserts the new socket into the table under the name of the result.
    fn insert(&self, protocol: Protocol, new: Socket, peer: Option<SocketAddr>) -> Value {
        let name = self.result.unwrap_or("unnamed");
        let held = self.table.insert(name, protocol, new);
        Value::Socket {
            name: name.to_owned(),
            fd: held.descriptor(),
            peer: peer.map(|peer| peer.to_string()),
        }
    }

    /// Inserts a second descriptor of this socket.
    fn insert_duplicate(&self, new: Socket) -> Value {
        let name = self.result.unwrap_or("unnamed");
        let held = self.table.insert_duplicate(name, new, self.held());
        Value::Socket { name: name.to_owned(), fd: held.descriptor(), peer: None }
    }
}

/// A call as it is shown before it is made.
#[derive(Debug, Clone)]
pub struct CallDescription {
    /// Its name as in the man page.
    pub call: &'static str,
    /// Names and values of the arguments.
    pub args: Vec<Arg>,
    /// The same in C.
    pub c: String,
    /// What the kernel is asked.
    pub asked: String,
    /// The system calls on Linux.
    pub syscalls: &'static [&'static str],
    /// What would end the wait, should it block.
    pub waits_for: &'static str,
}

/// A call that was made on a host.
#[derive(Debug)]
pub struct Completed {
    /// The value, or the error of the call.
    pub outcome: io::Result<Value>,
    /// Time right before the call.
    pub started: Instant,
    /// Duration of the call.
    pub took: Duration,
    /// The line that ran.
    pub site: &'static CallSite,
    /// What it was made of, if it was more than one call.
    pub parts: Vec<CallPart>,
}

/// A part of a step that makes more than one call.
#[derive(Debug)]
pub enum CallPart {
    /// A call: its socket, its description and its result.
    Call(SocketRef, CallDescription, Completed),
    /// An event between the calls: a computation, a judgement, or received bytes.
    Note(What),
}

/// A socket's name in the lesson and its descriptor.
#[derive(Debug, Clone)]
pub struct SocketRef {
    /// In the lesson.
    pub name: String,
    /// The descriptor.
    pub fd: i64,
}

impl CallDescription {
    /// A step that is made of several calls: no line of C, and no system call of its own.
    pub(crate) fn of_steps(call: &'static str, args: Vec<Arg>, waits_for: &'static str) -> CallDescription {
        CallDescription { call, args, c: String::new(), asked: String::new(), syscalls: &[], waits_for }
    }
}

impl Completed {
    /// A call that returns nothing but success.
    fn done(ran: Timed<()>) -> Completed {
        Completed::of(ran, |()| Value::Done)
    }

    /// A single call.
    pub fn of<T>(ran: Timed<T>, value: impl FnOnce(T) -> Value) -> Completed {
        let Timed { outcome, started, took, site: here } = ran;
        Completed { outcome: outcome.map(value), started, took, site: here, parts: Vec::new() }
    }
}

impl CallPart {
    /// Returns the call as a part of the step, and its result for the code that continues.
    pub fn call<T>(
        on: SocketRef,
        description: CallDescription,
        ran: Timed<T>,
        value: impl FnOnce(&T) -> Value,
    ) -> (CallPart, io::Result<T>) {
        let Timed { outcome, started, took, site: here } = ran;
        let (shown, outcome) = match outcome {
            Ok(gave) => (Ok(value(&gave)), Ok(gave)),
            Err(error) => (Err(clone_error(&error)), Err(error)),
        };
        (
            CallPart::Call(
                on,
                description,
                Completed { outcome: shown, started, took, site: here, parts: Vec::new() },
            ),
            outcome,
        )
    }

    /// A `recv` as a part of a step.
    pub fn recv(on: &SocketEntry, size: usize) -> (CallPart, io::Result<Vec<u8>>) {
        let description = Recv { size, flags: Vec::new() }.describe(&on.subject(), None);
        CallPart::call(on.subject(), description, on.recv(size), |bytes| Value::Data(bytes.clone()))
    }

    /// A `send` as a part of a step.
    pub fn send(on: &SocketEntry, bytes: &[u8]) -> (CallPart, io::Result<usize>) {
        let description = Send { bytes: bytes.to_vec(), flags: Vec::new() }.describe(&on.subject(), None);
        CallPart::call(on.subject(), description, on.send(bytes), |count| Value::Count(*count))
    }

    /// Whether it is a `send`.
    pub fn is_send(&self) -> bool {
        matches!(self, CallPart::Call(_, description, _) if description.call == "send")
    }

    /// An `accept` as a part of a step. The new socket is called `name`, and no socket table has it.
    pub fn accept(on: &SocketEntry, name: &str) -> (CallPart, io::Result<(SocketEntry, Option<SocketAddr>)>) {
        let ran = accept::accept(on.socket()).map(|(socket, peer)| {
            let (held, peer) = (SocketEntry::standalone(name, on.protocol, socket), peer.as_socket());
            held.record_addresses(None, peer);
            (held, peer)
        });
        CallPart::call(on.subject(), Accept.describe(&on.subject(), Some(name)), ran, |(held, peer)| {
            Value::Socket {
                name: name.to_owned(),
                fd: held.descriptor(),
                peer: peer.map(|peer| peer.to_string()),
            }
        })
    }

    /// A `shutdown` as a part of a step.
    pub fn shutdown(on: &SocketEntry, how: How) -> (CallPart, io::Result<()>) {
        let description = ShutDown { how }.describe(&on.subject(), None);
        CallPart::call(on.subject(), description, shutdown::shutdown(on.socket(), how), |()| Value::Done)
    }

    /// A `setsockopt` as a part of a step.
    pub fn set(on: &SocketEntry, option: &'static str, value: i64) -> (CallPart, io::Result<()>) {
        let description = SetSockOpt { option, value }.describe(&on.subject(), None);
        CallPart::call(on.subject(), description, sockopt::set(on.socket(), option, value), |()| Value::Done)
    }

    /// A `close` as a part of a step.
    pub fn close(on: &SocketEntry) -> CallPart {
        let (subject, description) = (on.subject(), Close.describe(&on.subject(), None));
        CallPart::call(subject, description, close::close(on), |()| Value::Done).0
    }
}

impl SocketEntry {
    /// Its name and descriptor.
    pub fn subject(&self) -> SocketRef {
        SocketRef { name: self.name.clone(), fd: self.descriptor() }
    }
}

/// An error once more: `io::Error` is not `Clone`.
pub fn clone_error(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

/// Bytes as an argument is shown: quoted, cut after 40, with their number.
pub(crate) fn describe_bytes(bytes: &[u8]) -> String {
    format!("{} ({})", quoted(bytes, 40), byte_count(bytes.len()))
}

pub(crate) fn arg(name: &str, value: impl ToString) -> Arg {
    Arg { name: name.to_owned(), value: value.to_string() }
}

/// Flags of send and recv as one number, and as C writes them.
fn flags(names: &[&'static str]) -> (i32, String) {
    let number = names.iter().fold(0, |all, name| all | system::flag(name));
    (number, if names.is_empty() { "0".to_owned() } else { names.join(" | ") })
}

/// Bytes as C would quote them, cut after `most` bytes with an ellipsis.
fn quoted(bytes: &[u8], most: usize) -> String {
    let shown = bytes[..bytes.len().min(most)].escape_ascii();
    format!("\"{shown}\"{}", if bytes.len() > most { "…" } else { "" })
}

/// `1 byte`, `5 bytes`
pub(crate) fn byte_count(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// A socket address as a C program passes it: a pointer, and below it what it points to.
fn c_address(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => format!("{{AF_INET, htons({}), {}}}", v4.port(), v4.ip()),
        SocketAddr::V6(v6) => format!("{{AF_INET6, htons({}), {}}}", v6.port(), v6.ip()),
    }
}
