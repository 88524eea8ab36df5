//! What is said around a live call: how to look at it from elsewhere, what an error means, what to do next.

use std::{net::SocketAddr, time::Duration};

use super::class::{Class, Service};

/// What an error of a call means and what to do about it, in Markdown; nothing if the system's words are all there is to say.
///
/// `counterpart` is the command that would have been there to be called.
pub(super) fn on(call: &str, errno: &str, about: Option<SocketAddr>, counterpart: &str) -> Option<String> {
    let at = about.map_or_else(|| "that address".to_owned(), |at| format!("`{at}`"));
    let port = about.map_or(0, |at| at.port());
    let v6 = about.is_some_and(|at| at.is_ipv6());
    Some(match (call, errno) {
        ("bind", "EADDRINUSE") => format!(
            "**EADDRINUSE**: {at} is taken, by a socket that listens or is bound there, or by a connection that is still \
             being wound up. This shows which:\n\n```\nss -tuanp 'sport = :{port}'\nlsof -nP -i :{port}\n```\n\n\
             End that program, or take another port; with port 0 the kernel picks a free one."
        ),
        ("bind", "EACCES") => format!(
            "**EACCES**: port {port} is one of the low ports that need a privilege (ip(7); CAP_NET_BIND_SERVICE on Linux). Take one from 1024 up."
        ),
        ("bind", "EADDRNOTAVAIL") if v6 => format!(
            "**EADDRNOTAVAIL**: {at} is no address of this machine; perhaps IPv6 is off here. Take 127.0.0.1; `ip addr` shows what there is."
        ),
        ("bind", "EADDRNOTAVAIL") => {
            format!("**EADDRNOTAVAIL**: {at} is no address of this machine. `ip addr` shows which are; 127.0.0.1 always is.")
        }
        ("socket", "EAFNOSUPPORT") => {
            "**EAFNOSUPPORT**: this kernel has no such address family: IPv6 is not there. Take an IPv4 address, such as 127.0.0.1."
                .to_owned()
        }
        ("socket" | "accept", "EMFILE") => {
            "**EMFILE**: this process has as many descriptors as it may. `ulimit -n` shows the limit, and raises it.".to_owned()
        }
        ("connect", "ECONNREFUSED") => format!(
            "**ECONNREFUSED**: the host answered at once, with a RST: nothing listens at {at} (or a firewall says so in its place). \
             Check the port, or start something there: `sockwalk {counterpart} {}`.",
            about.map_or_else(String::new, |at| at.to_string())
        ),
        ("connect", "ETIMEDOUT") => format!(
            "**ETIMEDOUT**: no SYN to {at} was answered. The host is not there, or a firewall drops them without a word."
        ),
        ("connect", "EHOSTUNREACH" | "ENETUNREACH") => {
            format!("**{errno}**: no way leads to {at} from here: `ip route get {}` shows the way that the kernel would take.",
                about.map_or_else(String::new, |at| at.ip().to_string()))
        }
        ("connect", "EADDRNOTAVAIL") => {
            format!("**EADDRNOTAVAIL**: {at} can't be called from any address of this machine; perhaps IPv6 is off here.")
        }
        ("connect", "EINTR") => "**EINTR**: the wait was ended. The handshake is given up with the socket.".to_owned(),
        (_, "ECONNRESET") => "**ECONNRESET**: a RST came. The other side has thrown the connection away, and with it whatever was on its way.".to_owned(),
        (_, "EPIPE") => "**EPIPE**: there is nobody left to send to: the connection was reset, or this side has shut it down.".to_owned(),
        _ => return None,
    })
}

/// When what came is not what a rule asks for.
pub(super) fn invalid(what: &str) -> String {
    format!(
        "The connection is failed, as the rule asks (RFC 6455 §7.1.7): {what}. What is told above names the place; it is for the other side to mend."
    )
}

/// When the other side broke a rule.
pub(super) fn violation(what: &str) -> String {
    format!("The other side broke a rule, and the connection is failed (RFC 6455 §7.1.7): {what}.")
}

/// Behind `socket`.
pub(super) fn made(fd: i64) -> String {
    let pid = std::process::id();
    format!(
        "The socket is there and has no address: nobody can find it by one. It is held until you press **Enter**. Look at it from a second terminal:\n\n\
         ```\nls -l /proc/{pid}/fd/{fd}\nlsof -nP -a -p {pid} -d {fd}\n```"
    )
}

/// Behind `bind`.
pub(super) fn bound(at: SocketAddr, udp: bool) -> String {
    let pid = std::process::id();
    if udp {
        return format!(
            "The socket is held until you press **Enter**. UDP needs no more: datagrams can come. Send one, and see it wait:\n\n\
             ```\necho hello | nc -u -w1 {} {}\nss -uanp 'sport = :{}'\n```",
            reach(at),
            at.port(),
            at.port()
        );
    }
    format!(
        "The socket is held until you press **Enter**. It has an address, and cannot be called yet. From a second terminal:\n\n\
         ```\nlsof -nP -a -p {pid} -i\nnc -v {} {}\nsockwalk bind {at}\n```\n\n\
         `nc` is refused: an address alone is no listener. A second socket can't have the address: EADDRINUSE.",
        reach(at),
        at.port()
    )
}

/// Behind `listen`.
pub(super) fn listening(at: SocketAddr, backlog: u16) -> String {
    format!(
        "The socket listens, and nobody will accept. It is held until you press **Enter**. Call it from a second terminal, more than {backlog} times, and see the queue fill:\n\n\
         ```\nnc {} {} &\nss -ltn 'sport = :{}'\nss -tanp 'sport = :{}'\n```\n\n\
         In the LISTEN line `Recv-Q` is the queue and `Send-Q` its limit.",
        reach(at),
        at.port(),
        at.port(),
        at.port()
    )
}

/// Behind `listen` of a server that serves one.
pub(super) fn call_me(at: SocketAddr) -> String {
    format!(
        "It waits for one caller at `{at}`. From a second terminal:\n\n```\nnc {} {}\n```",
        reach(at),
        at.port()
    )
}

/// The address that a client on this machine calls.
fn reach(at: SocketAddr) -> String {
    match at {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "::1".to_owned(),
        other => other.ip().to_string(),
    }
}

/// Behind `connect`.
pub(super) fn connected(to: Option<SocketAddr>) -> String {
    let port = to.map_or(0, |to| to.port());
    format!(
        "Connected. It is held until you press **Enter**; what the other side does meanwhile is shown. From a second terminal:\n\n```\nss -tanp '( sport = :{port} or dport = :{port} )'\n```"
    )
}

/// At the end of a stream.
pub(super) fn end_of_stream(calls: u64, bytes: u64) -> String {
    format!(
        "`recv` gave 0: the end of the stream. {bytes} bytes came, in {calls} calls that gave some. Where they were cut, TCP decided: it carries bytes, and keeps no record of who sent how many at once."
    )
}

/// Behind a `close` that sends a FIN.
pub(super) const AFTER_FIN: &str = "`close` gave the descriptor back at once; the kernel goes on alone. It waits for the other side to close as well: \
    FIN_WAIT2 until then, TIME_WAIT after that. A program that does not close keeps us in FIN_WAIT2 (on Linux for a minute: `tcp_fin_timeout`, tcp(7)).";

/// Behind half a close.
pub(super) const AFTER_HALF: &str = "Our half of the stream has ended: the other side's `recv` gives 0 once it has read all. It may still send, and we receive until it ends its half too. **Ctrl-C** if it does not.";

/// Behind a reset.
pub(super) const AFTER_RESET: &str = "With SO_LINGER at 0 seconds `close` sent a RST in place of a FIN. Both kernels have forgotten the connection; the other side learns it by ECONNRESET.";

/// Connections that nobody accepted, when the listener closes.
pub(super) fn left_in_the_queue(waiting: u64) -> String {
    format!(
        "With the listener its queue is gone: the {} that waited there and {} never accepted got a RST.",
        if waiting == 1 { "connection".to_owned() } else { format!("{waiting} connections") },
        if waiting == 1 { "was" } else { "were" }
    )
}

/// Before a talk over a WebSocket.
pub(super) const CHAT: &str = "The WebSocket is open. Each line that you type goes out as a text message, and what comes is shown. An empty line closes it.";

/// A server that does not upgrade.
pub(super) fn not_upgraded(status: i64) -> String {
    let more = match status {
        301..=308 => {
            " It points elsewhere: see the line `Location`. A client may follow (RFC 6455 §4.1); this one leaves that to you."
        }
        401 | 407 => " It asks for a login, which this program does not do.",
        403 => " It does not want this client: perhaps because of its `Origin`.",
        404 => " It has no such path.",
        426 => " It wants another version of the protocol, or saw no right request for an upgrade.",
        _ => "",
    };
    format!(
        "The server answered {status} and not 101: it stays with HTTP, and there is no WebSocket (RFC 6455 §4.1).{more}"
    )
}

/// Before a class.
pub(super) fn welcome(at: SocketAddr, class: &Class) -> String {
    let (host, port) = (reach(at), at.port());
    let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let Class { connections, idle, bytes, message, .. } = class;
    let (what, how, size) = match class.service {
        Service::Echo => (
            format!("It serves `{at}`: a thread for each caller, and what comes is sent back."),
            format!("nc {host} {port}"),
            String::new(),
        ),
        Service::WebSocket { .. } => (
            format!(
                "It serves WebSockets at `ws://{shown}:{port}/`, a thread for each, and sends every message back. A browser gets a page at `http://{shown}:{port}/`."
            ),
            format!("sockwalk websocket ws://{shown}:{port}/ hello"),
            format!(", {} a message", bytes_told(*message)),
        ),
    };
    let origin = match &class.service {
        Service::WebSocket { any_origin: true, .. } => {
            "\n\n**Any origin:** a page of any web site, open in a browser that can reach this server, can connect and read what comes (RFC 6455 §10.2)."
        }
        Service::WebSocket { .. } if !at.ip().is_loopback() => {
            "\n\nThe page may connect under the address of this machine. Opened under a name, it is another origin: `--origin http://NAME:PORT` lets it in."
        }
        _ => "",
    };
    let (idle, bytes) = (duration(*idle), bytes_told(*bytes));
    format!(
        "{what} **Ctrl-C** ends it. From a second terminal:\n\n```\n{how}\n```\n\nLimits: {connections} connections at once, {idle} in which nothing moves, {bytes} received on each{size}.{origin}"
    )
}

/// `5 minutes`, `2 s`, `300 ms`
pub(super) fn duration(time: Duration) -> String {
    match time.as_millis() {
        60_000 => "1 minute".to_owned(),
        ms if ms >= 60_000 && ms % 60_000 == 0 => format!("{} minutes", ms / 60_000),
        ms if ms >= 1000 && ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// `64 MiB`, `100 bytes`
pub(super) fn bytes_told(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 && bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
