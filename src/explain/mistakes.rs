//! What people get wrong, each under what it is about. The lessons settle most of these by experiment.

/// Paths or their beginnings, and the mistake with what is so.
pub(super) const MISTAKES: &[(&[&str], &str)] = &[
    (
        &["call.send", "call.recv", "tcp.flags.psh"],
        "One send is not one recv: TCP carries bytes and keeps no messages.",
    ),
    (&["call.recv", "flag.msg_waitall"], "recv(n) does not give n bytes: it gives what has come, up to n."),
    (
        &["call.ws request", "http.status.101"],
        "A WebSocket is not a TCP socket: nc can't talk to it without handshake and frames.",
    ),
    (
        &["errno.eaddrinuse", "option.so_reuseaddr", "state.time_wait"],
        "The old process needs not be there still: TIME_WAIT has none. And SO_REUSEADDR, set now, does not help with a socket that lacked it.",
    ),
    (
        &["call.accept", "call.listen", "state.listen", "errno.enotconn"],
        "accept makes no new port, and the listener carries no data: all connections share the server's address and port.",
    ),
    (
        &["call.send", "option.so_sndbuf", "tcp.ack"],
        "That send returned does not mean that the peer has the bytes, and an ACK only that its kernel has.",
    ),
    (
        &["errno.epipe", "call.send", "errno.econnreset"],
        "Sending to a peer that has closed does not fail at once: the first send succeeds, a later one gives EPIPE or ECONNRESET.",
    ),
    (
        &["call.recv", "errno.eagain", "tcp.flags.fin"],
        "recv giving 0 does not mean \"nothing yet\": it is the end of the stream. Nothing yet is EAGAIN.",
    ),
    (
        &["call.accept", "call.connect", "state.established", "tcp.flags.syn"],
        "accept does not do the handshake: the kernel did it before, and connect returns without it.",
    ),
    (
        &["call.listen"],
        "The backlog is not the number of clients: it limits only those that wait for accept.",
    ),
    (
        &["call.bind", "errno.eaddrnotavail"],
        "127.0.0.1, 0.0.0.0 and localhost are not the same: one address, all addresses, a name that may mean ::1.",
    ),
    (
        &["state.time_wait", "state.close_wait"],
        "TIME_WAIT is no leak and not the server's fault: who closes first has it, and it ends by itself. CLOSE_WAIT does not: there a close is missing. tcp_fin_timeout changes neither.",
    ),
    (
        &["call.close", "call.shutdown", "tcp.flags.rst", "tcp.flags.fin", "flag.shut_"],
        "close is not always clean: with unread bytes it sends a RST on Linux, and what the other side had still to read may be lost.",
    ),
    (
        &["state.established", "option.so_keepalive", "errno.etimedout", "cable.cut"],
        "A program does not notice that the peer's cable is cut: the state stays ESTABLISHED. A killed program is not that case: its kernel sends a FIN, or a RST.",
    ),
    (
        &["tcp.src", "tcp.dst", "udp.src", "udp.dst", "call.bind"],
        "Ports on the wire are big-endian: in C, without htons, port 8080 becomes 36895.",
    ),
    (&["call.accept", "call.recv"], "A blocked call is no hang: the thread sleeps and takes no time."),
    (
        &["errno.econnrefused", "errno.etimedout", "errno.ehostunreach", "icmp.3"],
        "Refused is not timed out: refused is an answer, from a host that is there. Silence is a firewall, a lost packet, or nobody.",
    ),
    (
        &["ws.mask", "ws.key", "ws.rules.not-masked", "ws.rules.masked"],
        "Masking is no encryption: the key stands in the frame.",
    ),
    (
        &["ws.fin", "ws.opcode.0", "ws.payload", "call.ws send", "call.ws frame"],
        "One message is not one frame, and one frame is not one segment or one recv.",
    ),
    (
        &["ws.opcode.1", "ws.opcode.2", "ws.close.1007"],
        "Text and binary are not the same: bytes that are no UTF-8 fail the connection as text, and are fine as binary.",
    ),
    (
        &["ws.close.1006", "ws.close.1005", "ws.opcode.8", "call.ws close", "ws.rules.close-code-local"],
        "The server did not send 1006: the client made it up when TCP ended without a Close. On the wire it is itself a fault.",
    ),
    (
        &["http.header.sec-websocket-key", "http.header.sec-websocket-accept"],
        "The key is no authentication: anybody can compute the answer.",
    ),
    (
        &["option.tcp_nodelay"],
        "Small sends are not always sent at once: write, write, read waits some 40 ms for a delayed ACK unless this is set.",
    ),
    (
        &["state.fin_wait1"],
        "A FIN is not always acknowledged at once: a delayed ACK keeps this state for some milliseconds.",
    ),
];
