//! What is done: one file for each socket call, the code that students are shown.
//!
//! Every call blocks, as a program's first sockets do, and goes through [socket2], which adds nothing but types: one method,
//! one system call. The few things that it does on the side are said where they happen.

mod accept;
mod bind;
mod close;
mod connect;
mod desk;
mod dup;
pub mod framing;
mod listen;
mod names;
mod pause;
mod ran;
mod recv;
mod recvfrom;
mod send;
mod sendto;
mod shutdown;
mod socket;
mod sockopt;
mod std_listener;
mod system;

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use socket2::Socket;

pub use desk::{Desk, Held, Protocol};
pub use framing::send_all;
pub use ran::{Doing, Here, Ran, timed, watched_by};
pub use system::{errno_name, errno_text};

use crate::event::{Arg, Value, What};

/// A call with its arguments, as the man page orders them, without the socket.
#[derive(Debug, Clone)]
pub enum Request {
    /// `socket(2)`
    Socket(Protocol),
    /// `bind(2)`
    Bind(SocketAddr),
    /// `listen(2)`
    Listen(i32),
    /// `accept(2)`
    Accept,
    /// `connect(2)`
    Connect(SocketAddr),
    /// `send(2)`: the bytes and the names of flags.
    Send(Vec<u8>, Vec<&'static str>),
    /// `recv(2)`: room in bytes, and the names of flags.
    Recv(usize, Vec<&'static str>),
    /// `sendto(2)`: the address, the bytes and the names of flags.
    SendTo(SocketAddr, Vec<u8>, Vec<&'static str>),
    /// `recvfrom(2)`: room in bytes, and the names of flags.
    RecvFrom(usize, Vec<&'static str>),
    /// `shutdown(2)`: `SHUT_WR` …
    Shutdown(&'static str),
    /// `close(2)`
    Close,
    /// `dup(2)`
    Dup,
    /// `setsockopt(2)`: the option's name and value.
    SetOption(&'static str, i64),
    /// `getsockopt(2)`
    Option(&'static str),
    /// `getsockname(2)`
    LocalName,
    /// `getpeername(2)`
    PeerName,
    /// `clock_nanosleep(2)`
    Pause(Duration),
    /// [`std::net::TcpListener::bind`]
    StdListener(SocketAddr),
    /// Framing by hand, see [`framing`].
    Framing(framing::Framing),
}

/// A call as it is told before it is made.
#[derive(Debug, Clone)]
pub struct Told {
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

/// What a call gave.
#[derive(Debug)]
pub enum Gave {
    /// Success.
    Nothing,
    /// A new socket, and who called.
    Socket(Socket, Option<SocketAddr>),
    /// A number of bytes.
    Count(usize),
    /// Bytes.
    Data(Vec<u8>),
    /// A datagram: what there was room for, what the call returned, and who sent it.
    Datagram(Vec<u8>, usize, Option<SocketAddr>),
    /// An address; none where the system gave one of no known family.
    Address(Option<SocketAddr>),
    /// An option's value.
    Number(i64),
}

/// A call that was made on a host.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub outcome: io::Result<Value>,
    /// When it began.
    pub started: Instant,
    /// Time inside.
    pub took: Duration,
    /// The line that ran.
    pub here: &'static Here,
    /// What it was made of, if it was more than one call.
    pub pieces: Vec<Piece>,
}

/// A piece of a step that is more than one call.
#[derive(Debug)]
pub enum Piece {
    /// A call that was made on the way: on which socket, how it is told, and what it came to.
    Call(Subject, Told, Done),
    /// Something that was worked out, judged or received.
    Note(What),
}

/// A socket's name in the lesson and its descriptor: what a call is told with.
#[derive(Debug, Clone)]
pub struct Subject {
    /// In the lesson.
    pub name: String,
    /// The descriptor.
    pub fd: i64,
}

impl Request {
    /// The call as it is told: of the socket `on`; `result` is the name for what it will give.
    pub fn told(&self, on: Option<&Subject>, result: Option<&str>) -> Told {
        let none = Subject { name: String::new(), fd: -1 };
        let on = on.unwrap_or(&none);
        match self {
            Request::Socket(protocol) => socket::told(*protocol, result.unwrap_or("s")),
            Request::Bind(address) => bind::told(on, *address),
            Request::Listen(backlog) => listen::told(on, *backlog),
            Request::Accept => accept::told(on, result.unwrap_or("conn")),
            Request::Connect(address) => connect::told(on, *address),
            Request::Send(bytes, flags) => send::told(on, bytes, flags),
            Request::Recv(size, flags) => recv::told(on, *size, flags),
            Request::SendTo(address, bytes, flags) => sendto::told(on, *address, bytes, flags),
            Request::RecvFrom(size, flags) => recvfrom::told(on, *size, flags),
            Request::Shutdown(how) => shutdown::told(on, how),
            Request::Close => close::told(on),
            Request::Dup => dup::told(on, result.unwrap_or("d")),
            Request::SetOption(option, value) => sockopt::told_set(on, option, *value),
            Request::Option(option) => sockopt::told(on, option),
            Request::LocalName => names::told_local(on),
            Request::PeerName => names::told_peer(on),
            Request::Pause(time) => pause::told(*time),
            Request::StdListener(address) => std_listener::told(*address, result.unwrap_or("s")),
            Request::Framing(framing) => framing.told(on),
        }
    }

    /// Makes the call. `on` is its socket, if it takes one; what it gives is put on the desk as `result`.
    pub fn perform(&self, desk: &Desk, on: Option<&Held>, result: Option<&str>) -> Done {
        if let Request::Framing(framing) = self {
            return framing.perform(held(on));
        }
        let ran = match self {
            Request::Socket(protocol) => socket::socket(*protocol).map(|new| Gave::Socket(new, None)),
            Request::Bind(address) => bind::bind(held(on).socket(), *address).map(nothing),
            Request::Listen(backlog) => listen::listen(held(on).socket(), *backlog).map(nothing),
            Request::Accept => {
                accept::accept(held(on).socket()).map(|(new, peer)| Gave::Socket(new, peer.as_socket()))
            }
            Request::Connect(address) => {
                held(on).calls(*address);
                connect::connect(held(on).socket(), *address).map(nothing)
            }
            Request::Send(bytes, flags) => send::send(held(on).socket(), bytes, flags).map(Gave::Count),
            Request::Recv(size, flags) => {
                let tells_length = flags.contains(&"MSG_TRUNC");
                recv::recv(held(on).socket(), *size, flags).map(|came| match tells_length {
                    // Over TCP the bytes are counted and thrown away: the kernel has written none.
                    true if held(on).protocol.is_tcp() => Gave::Datagram(Vec::new(), came.length, None),
                    true => Gave::Datagram(came.bytes, came.length, None),
                    false => Gave::Data(came.bytes),
                })
            }
            Request::SendTo(address, bytes, flags) => {
                sendto::sendto(held(on).socket(), *address, bytes, flags).map(Gave::Count)
            }
            Request::RecvFrom(size, flags) => {
                recvfrom::recvfrom(held(on).socket(), *size, flags).map(|came| {
                    let thrown_away = held(on).protocol.is_tcp() && flags.contains(&"MSG_TRUNC");
                    let bytes = if thrown_away { Vec::new() } else { came.bytes };
                    Gave::Datagram(bytes, came.length, came.from)
                })
            }
            Request::Shutdown(how) => shutdown::shutdown(held(on).socket(), how).map(nothing),
            Request::Close => close::close(held(on)).map(nothing),
            Request::Dup => dup::dup(held(on).socket()).map(|new| Gave::Socket(new, None)),
            Request::SetOption(option, value) => sockopt::set(held(on).socket(), option, *value).map(nothing),
            Request::Option(option) => sockopt::read(held(on).socket(), option).map(Gave::Number),
            Request::LocalName => {
                names::local(held(on).socket()).map(|address| Gave::Address(address.as_socket()))
            }
            Request::PeerName => {
                names::peer(held(on).socket()).map(|address| Gave::Address(address.as_socket()))
            }
            Request::Pause(time) => pause::pause(*time).map(nothing),
            Request::StdListener(address) => std_listener::bind(*address).map(|new| Gave::Socket(new, None)),
            Request::Framing(_) => unreachable!("handled above"),
        };
        let protocol = match self {
            Request::Socket(protocol) => *protocol,
            Request::StdListener(address) if address.is_ipv6() => Protocol::Tcp6,
            _ => on.map_or(Protocol::Tcp, |held| held.protocol),
        };
        Done::of(ran, |gave| match gave {
            Gave::Socket(new, peer) => {
                let name = result.unwrap_or("unnamed");
                let held = match (self, on) {
                    (Request::Dup, Some(of)) => desk.put_again(name, new, of),
                    _ => desk.put(name, protocol, new),
                };
                Value::Socket {
                    name: name.to_owned(),
                    fd: held.descriptor(),
                    peer: peer.map(|peer| peer.to_string()),
                }
            }
            other => other.value(),
        })
    }
}

impl Gave {
    /// In the form of the trace; a socket that no desk holds has no form and counts as success.
    fn value(self) -> Value {
        match self {
            Gave::Nothing | Gave::Socket(..) => Value::Done,
            Gave::Count(count) => Value::Count(count),
            Gave::Data(bytes) => Value::Data(bytes),
            Gave::Datagram(bytes, length, from) => {
                Value::Datagram { bytes, length, from: from.map(|from| from.to_string()) }
            }
            Gave::Address(Some(address)) => Value::Address(address.to_string()),
            Gave::Address(None) => Value::Done,
            Gave::Number(number) => Value::Number(number),
        }
    }
}

impl Done {
    /// A single call.
    pub fn of<T>(ran: Ran<T>, value: impl FnOnce(T) -> Value) -> Done {
        let Ran { outcome, started, took, here } = ran;
        Done { outcome: outcome.map(value), started, took, here, pieces: Vec::new() }
    }
}

impl Piece {
    /// A call on the way, and what it returned, for the one who goes on with it.
    pub fn call<T>(
        on: Subject,
        told: Told,
        ran: Ran<T>,
        value: impl FnOnce(&T) -> Value,
    ) -> (Piece, io::Result<T>) {
        let Ran { outcome, started, took, here } = ran;
        let (shown, outcome) = match outcome {
            Ok(gave) => (Ok(value(&gave)), Ok(gave)),
            Err(error) => (Err(copy(&error)), Err(error)),
        };
        (Piece::Call(on, told, Done { outcome: shown, started, took, here, pieces: Vec::new() }), outcome)
    }

    /// `recv` on the way.
    pub fn recv(on: &Held, size: usize) -> (Piece, io::Result<Vec<u8>>) {
        let told = recv::told(&on.subject(), size, &[]);
        Piece::call(on.subject(), told, on.recv(size), |bytes| Value::Data(bytes.clone()))
    }

    /// `send` on the way.
    pub fn send(on: &Held, bytes: &[u8]) -> (Piece, io::Result<usize>) {
        let told = send::told(&on.subject(), bytes, &[]);
        Piece::call(on.subject(), told, on.send(bytes), |count| Value::Count(*count))
    }

    /// Whether it is a `send`.
    pub fn is_send(&self) -> bool {
        matches!(self, Piece::Call(_, told, _) if told.call == "send")
    }

    /// `accept` on the way: the new socket is `name`'s, and nobody's desk holds it.
    pub fn accept(on: &Held, name: &str) -> (Piece, io::Result<(Held, Option<SocketAddr>)>) {
        let ran = accept::accept(on.socket()).map(|(socket, peer)| {
            let (held, peer) = (Held::alone(name, on.protocol, socket), peer.as_socket());
            held.saw_ends(None, peer);
            (held, peer)
        });
        Piece::call(on.subject(), accept::told(&on.subject(), name), ran, |(held, peer)| Value::Socket {
            name: name.to_owned(),
            fd: held.descriptor(),
            peer: peer.map(|peer| peer.to_string()),
        })
    }

    /// `shutdown` on the way.
    pub fn shutdown(on: &Held, how: &'static str) -> (Piece, io::Result<()>) {
        let told = shutdown::told(&on.subject(), how);
        Piece::call(on.subject(), told, shutdown::shutdown(on.socket(), how), |()| Value::Done)
    }

    /// `setsockopt` on the way.
    pub fn set(on: &Held, option: &'static str, value: i64) -> (Piece, io::Result<()>) {
        let told = sockopt::told_set(&on.subject(), option, value);
        Piece::call(on.subject(), told, sockopt::set(on.socket(), option, value), |()| Value::Done)
    }

    /// `close` on the way.
    pub fn close(on: &Held) -> Piece {
        let (subject, told) = (on.subject(), close::told(&on.subject()));
        Piece::call(subject, told, close::close(on), |()| Value::Done).0
    }
}

impl Held {
    /// What a call on it is told with.
    pub fn subject(&self) -> Subject {
        Subject { name: self.name.clone(), fd: self.descriptor() }
    }
}

/// An error once more: `io::Error` is not `Clone`.
pub fn copy(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

/// Bytes as an argument is told: quoted, cut after 40, and how many they are.
pub(crate) fn told_bytes(bytes: &[u8]) -> String {
    format!("{} ({})", quoted(bytes, 40), byte_count(bytes.len()))
}

fn held(on: Option<&Held>) -> &Held {
    on.expect("the lesson's lint gives every such call its socket")
}

fn nothing((): ()) -> Gave {
    Gave::Nothing
}

fn arg(name: &str, value: impl ToString) -> Arg {
    Arg { name: name.to_owned(), value: value.to_string() }
}

/// Flags of send and recv as one number, and as C writes them.
fn flags(names: &[&'static str]) -> (i32, String) {
    let number = names.iter().fold(0, |all, name| all | system::flag(name));
    (number, if names.is_empty() { "0".to_owned() } else { names.join(" | ") })
}

/// Bytes as C would quote them, cut after so many bytes with an ellipsis.
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
