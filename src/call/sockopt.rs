//! `setsockopt(2)` and `getsockopt(2)`: the options of a socket.

use std::{io, time::Duration};

use socket2::{Socket, Type};

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed, arg, system,
};
use crate::{event::Value, ran};

/// The options that can be set or read, by the names of socket(7), tcp(7) and ipv6(7).
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

/// `setsockopt s SO_REUSEADDR 1`
#[derive(Debug, Clone, PartialEq)]
pub struct SetSockOpt {
    /// One of [`OPTIONS`].
    pub option: &'static str,
    /// Its new value.
    pub value: i64,
}

/// `getsockopt s SO_RCVBUF`
#[derive(Debug, Clone, PartialEq)]
pub struct GetSockOpt {
    /// One of [`OPTIONS`].
    pub option: &'static str,
}

impl SetSockOpt {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "setsockopt",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: false,
        about: "set an option: setsockopt(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<SetSockOpt, R::Error> {
        Ok(SetSockOpt { option: read_option(arguments)?, value: arguments.number("value")? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let SetSockOpt { option, value } = *self;
        let level = level(option);
        // SO_LINGER takes a struct of a switch and seconds, see socket(7); all others here take an int.
        let (c, asked) = match option {
            "SO_LINGER" => {
                let linger = format!("{{{}, {}}}", u8::from(value >= 0), value.max(0));
                (format!("&(struct linger){linger}, sizeof(struct linger)"), linger)
            }
            _ => (format!("&(int){{{value}}}, sizeof(int)"), value.to_string()),
        };
        CallDescription {
            call: "setsockopt",
            args: vec![arg("option", option), arg("value", value)],
            c: format!("setsockopt({}, {level}, {option}, {c});", on.name),
            asked: format!("setsockopt({}, {level}, {option}, {asked})", on.fd),
            syscalls: &["setsockopt"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::done(set(at.socket(), self.option, self.value))
    }
}

impl GetSockOpt {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "getsockopt",
        on: On::Socket,
        returns: Returns::Number,
        may_block: false,
        about: "read an option: getsockopt(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<GetSockOpt, R::Error> {
        Ok(GetSockOpt { option: read_option(arguments)? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let option = self.option;
        let level = level(option);
        CallDescription {
            call: "getsockopt",
            args: vec![arg("option", option)],
            c: format!("getsockopt({}, {level}, {option}, &value, &len);", on.name),
            asked: format!("getsockopt({}, {level}, {option}, …)", on.fd),
            syscalls: &["getsockopt"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(read(at.socket(), self.option), Value::Number)
    }
}

fn read_option<R: Arguments>(arguments: &mut R) -> Result<&'static str, R::Error> {
    let options: Vec<_> = OPTIONS.iter().map(|option| (*option, *option)).collect();
    arguments.one_of("socket option", &options)
}

/// Corresponds to `setsockopt(2)`. Switches take 0 or 1, buffers bytes, `SO_LINGER` seconds (negative: off).
///
/// Errors: EINVAL (invalid value), ENOPROTOOPT (unknown option, or one that can only be read).
pub(super) fn set(socket: &Socket, option: &str, value: i64) -> Timed<()> {
    let on = value != 0;
    let bytes = usize::try_from(value).unwrap_or(0);
    let linger = u64::try_from(value).ok().map(Duration::from_secs);
    match option {
        "SO_REUSEADDR" => ran!(socket.set_reuse_address(on)),
        "SO_KEEPALIVE" => ran!(socket.set_keepalive(on)),
        "SO_RCVBUF" => ran!(socket.set_recv_buffer_size(bytes)),
        "SO_SNDBUF" => ran!(socket.set_send_buffer_size(bytes)),
        "SO_LINGER" => ran!(socket.set_linger(linger)),
        "SO_BROADCAST" => ran!(socket.set_broadcast(on)),
        "TCP_NODELAY" => ran!(socket.set_tcp_nodelay(on)),
        // Options of TCP that differ by system: integers, see tcp(7).
        _ if option.starts_with("TCP_") => ran!(system::set_tcp_option(socket, option, value)),
        "IPV6_V6ONLY" => ran!(socket.set_only_v6(on)),
        // SO_ERROR, SO_TYPE and SO_ACCEPTCONN can only be read.
        _ => ran!(Err(io::Error::from(io::ErrorKind::Unsupported))),
    }
}

/// Corresponds to `getsockopt(2)`. Switches are 0 or 1, buffers are bytes (Linux returns twice the set value,
/// as it counts its own bookkeeping: socket(7)), `SO_LINGER` is in seconds or −1 for off, `SO_ERROR` is an
/// error number, which reading clears.
pub(super) fn read(socket: &Socket, option: &str) -> Timed<i64> {
    match option {
        "SO_REUSEADDR" => ran!(socket.reuse_address()).map(i64::from),
        "SO_KEEPALIVE" => ran!(socket.keepalive()).map(i64::from),
        "SO_RCVBUF" => ran!(socket.recv_buffer_size()).map(length),
        "SO_SNDBUF" => ran!(socket.send_buffer_size()).map(length),
        "SO_LINGER" => ran!(socket.linger()).map(|linger| linger.map_or(-1, |time| length(time.as_secs()))),
        "SO_BROADCAST" => ran!(socket.broadcast()).map(i64::from),
        "SO_ERROR" => {
            ran!(socket.take_error()).map(|error| error.and_then(|e| e.raw_os_error()).map_or(0, i64::from))
        }
        "SO_TYPE" => ran!(socket.r#type()).map(|kind| if kind == Type::STREAM { 1 } else { 2 }),
        "SO_ACCEPTCONN" => ran!(system::is_listener(socket)).map(i64::from),
        "TCP_NODELAY" => ran!(socket.tcp_nodelay()).map(i64::from),
        _ if option.starts_with("TCP_") => ran!(system::tcp_option(socket, option)),
        _ => ran!(socket.only_v6()).map(i64::from),
    }
}

fn length(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// The level that an option belongs to, as C names it.
fn level(option: &str) -> &'static str {
    match option.split('_').next() {
        Some("TCP") => "IPPROTO_TCP",
        Some("IPV6") => "IPPROTO_IPV6",
        _ => "SOL_SOCKET",
    }
}
