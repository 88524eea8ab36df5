//! Advice on live calls: how to examine them from a second terminal, what an error means, and what to do
//! next.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use super::class::{Class, Service};
use crate::{
    event::Socket,
    server::{
        listener::{self, list_sockets},
        origin::OriginPolicy,
    },
};

/// Returns what an error of a call means and what to do about it, in Markdown; `None` if the system's text
/// says all.
///
/// `counterpart` is the command that could serve that address.
pub(super) fn on(call: &str, errno: &str, about: Option<SocketAddr>, counterpart: &str) -> Option<String> {
    let at = about.map_or_else(|| "that address".to_owned(), |at| format!("`{at}`"));
    let v6 = about.is_some_and(|at| at.is_ipv6());
    Some(match (call, errno) {
        ("bind" | "listen", "EADDRINUSE") => return listener::advice(ErrorKind::AddrInUse, about),
        ("bind", "EACCES") => return listener::advice(ErrorKind::PermissionDenied, about),
        ("bind", "EADDRNOTAVAIL") => return listener::advice(ErrorKind::AddrNotAvailable, about),
        ("socket", "EAFNOSUPPORT") => {
            "**EAFNOSUPPORT**: this kernel has no such address family: IPv6 is not there. Take an IPv4 address, such as 127.0.0.1."
                .to_owned()
        }
        ("socket" | "accept", "EMFILE") => {
            "**EMFILE**: this process has as many descriptors as it may. `ulimit -n NUMBER` sets the limit for what the shell starts, up to the one of `ulimit -Hn`.".to_owned()
        }
        ("socket", "EPERM") => {
            "**EPERM**: a raw socket takes a privilege: on Linux CAP_NET_RAW (raw(7)). On the cable a lesson can have it: `cable: [raw-sockets]`.".to_owned()
        }
        ("socket", "EACCES") => {
            "**EACCES**: none of this process's groups may open a ping socket: the setting `net.ipv4.ping_group_range` says which may (icmp(7)).".to_owned()
        }
        ("send" | "sendto", "ECONNREFUSED") => {
            "**ECONNREFUSED**: this datagram was not sent. An earlier one came to a host where no socket has that port, which said so by ICMP (type 3, code 3), and this was the next call (udp(7)). The error is told once.".to_owned()
        }
        ("recv" | "recvfrom", "ECONNREFUSED") => {
            "**ECONNREFUSED**: a datagram sent before came to a host where no socket has that port, which said so by ICMP (type 3, code 3) (udp(7)). The error is told once.".to_owned()
        }
        ("send" | "sendto", "EMSGSIZE") => {
            "**EMSGSIZE**: a datagram goes whole or not at all, and this is more than fits into one: over IPv4 at most 65,507 bytes for UDP (udp(7)).".to_owned()
        }
        ("send", "EDESTADDRREQ") => {
            "**EDESTADDRREQ**: nobody has said where to: `connect` does for all that follows, `sendto` each time (send(2)).".to_owned()
        }
        ("connect", "ECONNREFUSED") => format!(
            "**ECONNREFUSED**: the SYN was answered with a RST: nothing listens at {at}. (Or a firewall refuses in its place, by RST or ICMP.) \
             Check the port, or start something on that machine:\n\n```\nsockwalk {counterpart} {}\n```",
            about.map_or_else(String::new, |at| at.to_string())
        ),
        ("connect", "ETIMEDOUT") => format!(
            "**ETIMEDOUT**: no SYN to {at} was answered. The host is not there, or a firewall drops them without a word, or whoever listens there \
             has a full accept queue (Linux drops a SYN then: listen(2))."
        ),
        ("connect", "ENETUNREACH") => format!("**ENETUNREACH**: this machine has no route to {at}."),
        ("connect", "EHOSTUNREACH") => format!(
            "**EHOSTUNREACH**: there is a route to {at}, and nobody at its end: the next host on it did not answer (ARP, or Neighbor Discovery over IPv6), or a router or a firewall \
             said so (ICMP).{}",
            if cfg!(target_os = "linux") {
                let ip = about.map_or_else(String::new, |at| at.ip().to_string());
                format!(" The route, and who answered:\n\n```\nip route get {ip}\nip neigh\n```")
            } else {
                String::new()
            }
        ),
        ("connect", "EADDRNOTAVAIL") if v6 => {
            format!("**EADDRNOTAVAIL**: no address of this machine can call {at}; perhaps IPv6 is off here.")
        }
        ("connect", "EADDRNOTAVAIL") => format!(
            "**EADDRNOTAVAIL**: the kernel found no local address and port for a connection to {at}. Perhaps all its ports for callers are in use with that one \
             (connect(2); on Linux `net.ipv4.ip_local_port_range`, ip(7))."
        ),
        ("connect", "EINTR") => "**EINTR**: the wait was ended. The handshake is given up with the socket.".to_owned(),
        (_, "ECONNRESET") => "**ECONNRESET**: a RST came. The other side has thrown the connection away, and with it whatever was on its way.".to_owned(),
        (_, "EPIPE") => "**EPIPE**: there is nobody left to send to: the connection was reset, or this side has shut it down.".to_owned(),
        _ => return None,
    })
}

/// Returns what an error of a call means, in a few sentences; `None` if the system's text says all.
pub fn meaning(call: &str, errno: &str) -> Option<String> {
    let said = on(call, errno, None, "listen")?;
    let text = said.split("\n\n").next()?;
    let text = text.split_once("**: ").map_or(text, |(_, text)| text);
    // A sentence that introduces a command is useless without the command.
    let whole = match text.strip_suffix(':') {
        Some(open) => &open[..open.rfind(['.', ')']).map_or(open.len(), |at| at + 1)],
        None => text,
    };
    Some(whole.to_owned())
}

/// After bytes that violate a rule.
pub(super) fn invalid(what: &str) -> String {
    format!(
        "The connection is failed: {what}. Without an answer as RFC 6455 §4.1 asks for it, there is no WebSocket; it is for the other side to mend."
    )
}

/// After the peer violated a rule, or exceeded a limit of this program.
pub(super) fn violation(code: u16, what: &str) -> String {
    if code == 1009 {
        return format!(
            "More than this program takes in one message: it is its own limit, and no rule that was broken (RFC 6455 §10.4): {what}."
        );
    }
    format!("The other side broke a rule, and the connection is failed (RFC 6455 §7.1.7): {what}.")
}

/// Returns the commands that show a descriptor from outside.
fn descriptor(fd: i64) -> String {
    let pid = std::process::id();
    let list = if cfg!(target_os = "linux") { format!("ls -l /proc/{pid}/fd/{fd}\n") } else { String::new() };
    format!("{list}lsof -nP -a -p {pid} -d {fd}")
}

/// After `socket`.
pub(super) fn made(fd: i64, until: &str) -> String {
    format!(
        "The socket is there and has no address: nobody can find it by one. It is held until {until}. Look at it from a second terminal:\n\n```\n{}\n```",
        descriptor(fd)
    )
}

/// After `bind`.
pub(super) fn bound(at: SocketAddr, udp: bool, fd: i64, until: &str) -> String {
    let (host, port) = (reach(at), at.port());
    if udp {
        let linux = if cfg!(target_os = "linux") {
            "\n\n`to read` is the next datagram alone, without its header (FIONREAD, udp(7)); the `Recv-Q` of `ss` is the memory that all of them take."
        } else {
            ""
        };
        return format!(
            "The socket is held until {until}. UDP needs no more: datagrams can come. Send one, and see it wait:\n\n\
             ```\necho hello | nc -u -w1 {host} {port}\n{}\n```{linux}",
            list_sockets(port)
        );
    }
    let hidden = if cfg!(target_os = "linux") {
        " `lsof` knows that it is TCP and not where it is bound: a socket that is only bound is not in `/proc/net/tcp`, and `ss` leaves it out as well (a newer one has the option `-B` for it)."
    } else {
        ""
    };
    format!(
        "The socket is held until {until}. It has an address, and cannot be called yet. From a second terminal:\n\n\
         ```\nlsof -nP -a -p {} -d {fd}\nnc -v {host} {port}\nsockwalk bind {at}\n```\n\n\
         `nc` is refused: an address alone is no listener. A second socket can't have the address: EADDRINUSE.{hidden}",
        std::process::id()
    )
}

/// After `listen`.
pub(super) fn listening(at: SocketAddr, backlog: u16, until: &str) -> String {
    let (host, port) = (reach(at), at.port());
    let calls = u32::from(backlog) + 2;
    let linux = if cfg!(target_os = "linux") {
        format!(
            "\n\nIn the LISTEN line `Recv-Q` is the queue and `Send-Q` its limit. Linux admits one more than that; the call after it stays in SYN-SENT. \
             The lines ESTAB with {port} as the local port are the queue: no program has them yet."
        )
    } else {
        String::new()
    };
    format!(
        "The socket listens, and nobody will accept. It is held until {until}. Call it {calls} times from a second terminal, and see the queue fill:\n\n\
         ```\nfor i in $(seq {calls}); do sleep 60 | nc {host} {port} & done\n{}\n```{linux}",
        list_sockets(port)
    )
}

/// After `listen` of a server that accepts one connection.
pub(super) fn call_me(at: SocketAddr) -> String {
    format!(
        "It waits for one caller at `{at}`. From a second terminal:\n\n```\nnc {} {}\n```\n\nEach line that you type there is sent with Enter; Ctrl-C there ends the stream.",
        reach(at),
        at.port()
    )
}

/// Returns the address at which a client on this machine reaches the listener.
fn reach(at: SocketAddr) -> String {
    match at {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "::1".to_owned(),
        other => other.ip().to_string(),
    }
}

/// After `connect`.
pub(super) fn connected(to: Option<SocketAddr>, until: &str) -> String {
    format!(
        "Connected. It is held until {until}; what the other side does meanwhile is shown. From a second terminal:\n\n```\n{}\n```",
        list_sockets(to.map_or(0, |to| to.port()))
    )
}

/// At the end of a stream.
pub(super) fn end_of_stream(calls: u64, bytes: u64, room: u32) -> String {
    let came = match (bytes, calls) {
        (0, _) => return "`recv` gave 0: the end of the stream. Not a byte came before it.".to_owned(),
        (1, _) => "1 byte came".to_owned(),
        (bytes, 1) => format!("{bytes} bytes came, in one call"),
        (bytes, calls) => format!("{bytes} bytes came, in {calls} calls"),
    };
    format!(
        "`recv` gave 0: the end of the stream. {came}. A `recv` gives what has come, up to its room of {room} bytes: TCP carries bytes, and keeps no record of who sent how many at once."
    )
}

/// After `close`: what became of the connection, from its state before and after the call.
pub(super) fn after_close(before: Option<&Socket>, now: Option<&Socket>) -> String {
    let unread = before.and_then(|socket| socket.recv_queue).unwrap_or_default();
    let passive = before.and_then(|socket| socket.state.as_deref()) == Some("CLOSE_WAIT");
    let goes_on = "`close` gave the descriptor back at once; the kernel goes on alone. ";
    let minute = if cfg!(target_os = "linux") { ", on Linux for a minute" } else { "" };
    match now.filter(|socket| socket.exists).and_then(|socket| socket.state.as_deref()) {
        Some("TIME_WAIT") => format!("{goes_on}Both sides have sent a FIN, and ours was the first: so it is here that TIME_WAIT stays{minute}."),
        Some("FIN_WAIT2") => format!(
            "{goes_on}The other side has acknowledged our FIN, and its program has not closed: FIN_WAIT2 until it does. Linux does not wait longer than `tcp_fin_timeout`, a minute (tcp(7))."
        ),
        Some(_) => format!("{goes_on}Our FIN is on its way, and not acknowledged yet."),
        None if unread > 0 => format!(
            "{} lay here that nobody had read. Then `close` sends no FIN but a RST, so that the other side learns that bytes were lost (RFC 9293 §3.6.1): nothing is left of the connection.",
            if unread == 1 { "1 byte".to_owned() } else { format!("{unread} bytes") }
        ),
        None if passive => {
            "The other side had ended its half first: our FIN was the last, and nothing is left of the connection here. TIME_WAIT is with the other side.".to_owned()
        }
        // A system that does not say, or what came between the last look and the call.
        None => "Nothing is seen of the connection any more. A FIN from here that is the first leads to FIN_WAIT2 and TIME_WAIT; one that is the second leaves nothing; and if bytes lay here unread, it was a RST (RFC 9293 §3.6.1).".to_owned(),
    }
}

/// After `shutdown(SHUT_WR)`.
pub(super) const AFTER_HALF: &str = "Our half of the stream has ended: the other side's `recv` gives 0 once it has read all. It may still send, and we receive until it ends its half too. **Ctrl-C** if it does not.";

/// After a reset.
pub(super) const AFTER_RESET: &str = "With SO_LINGER at 0 seconds `close` sent a RST in place of a FIN, and this kernel has forgotten the connection. The other one does when the RST arrives; its program learns it by ECONNRESET, at its next `recv` or `send`.";

/// After the close of a listener whose accept queue was not empty.
pub(super) fn left_in_the_queue(waiting: u64) -> String {
    format!(
        "With the listener its queue is gone: the {} that waited there and {} never accepted got a RST.",
        if waiting == 1 { "connection".to_owned() } else { format!("{waiting} connections") },
        if waiting == 1 { "was" } else { "were" }
    )
}

/// Before the first message of a WebSocket.
pub(super) fn chat(wait: Duration) -> String {
    format!(
        "The WebSocket is open. Each line of the input goes out as a text message, and what comes is shown. An empty line or Ctrl-D is the last: our Close follows when nothing has come for {}. **Ctrl-C** closes at once.",
        duration(wait)
    )
}

/// About a server that keeps sending after our last message.
pub(super) fn never_silent(time: Duration) -> String {
    format!("It has not been silent in {}: our Close follows all the same.", duration(time))
}

/// About a server that does not upgrade.
pub(super) fn not_upgraded(status: i64) -> String {
    let more = match status {
        301 | 302 | 303 | 307 | 308 => {
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

/// At the start of a class.
pub(super) fn welcome(at: SocketAddr, class: &Class) -> String {
    let (host, port) = (reach(at), at.port());
    let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let Class { connections, idle, bytes, .. } = class;
    let (what, how, size) = match &class.service {
        Service::Echo => (
            format!("It serves `{at}`: a thread for each caller, and what comes is sent back."),
            format!("nc {host} {port}"),
            String::new(),
        ),
        Service::WebSocket { message, .. } => (
            format!(
                "It serves WebSockets at `ws://{shown}:{port}/`, a thread for each, and sends every message back. A browser gets a page at `http://{shown}:{port}/`."
            ),
            format!("sockwalk websocket ws://{shown}:{port}/ hello"),
            format!(", {} a message", bytes_told(*message)),
        ),
    };
    let origin = match &class.service {
        Service::WebSocket { origins: OriginPolicy { any: true, .. }, .. } => {
            "\n\n**Any origin:** a page of any web site, open in a browser that can reach this server, can connect and read what comes (RFC 6455 §10.2)."
        }
        Service::WebSocket { .. } if !at.ip().is_loopback() => {
            "\n\nThe page may connect under the address of this machine. Opened under a name, it is another origin: `--origin http://NAME:PORT` lets it in."
        }
        _ => "",
    };
    let (idle, bytes) = (duration(*idle), bytes_told(*bytes));
    let elsewhere = from_elsewhere(at, &class.service);
    format!(
        "{what} **Ctrl-C** ends it. From a second terminal:\n\n```\n{how}\n```{elsewhere}\n\nLimits: {connections} connections at once, {idle} in which nothing moves, {bytes} received on each{size}.{origin}"
    )
}

/// Returns how another machine reaches the server: at the addresses of this machine, if the server listens at
/// all of them.
fn from_elsewhere(at: SocketAddr, service: &Service) -> String {
    if !at.ip().is_unspecified() {
        return String::new();
    }
    let found: Vec<String> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .filter(|ip| ip.is_ipv4() == at.is_ipv4())
        .map(|ip| SocketAddr::new(ip, at.port()))
        .map(|there| match service {
            Service::Echo => format!("nc {} {}", there.ip(), there.port()),
            Service::WebSocket { .. } => format!("http://{there}/"),
        })
        .collect();
    match found.is_empty() {
        true => "\n\nThis machine has no other address than loopback's: nobody else can call it.".to_owned(),
        false => format!("\n\nFrom another machine:\n\n```\n{}\n```", found.join("\n")),
    }
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
