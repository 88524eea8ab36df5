//! What belongs together.

const TOGETHER: &[&[&str]] = &[
    &["tcp.flags.syn", "call.connect", "state.syn_sent", "state.syn_recv", "tcp.seq"],
    &["tcp.flags.fin", "call.close", "call.shutdown", "flag.shut_wr", "state.time_wait", "state.close_wait"],
    &["tcp.flags.rst", "errno.econnreset", "errno.econnrefused", "option.so_linger"],
    &["state.time_wait", "errno.eaddrinuse", "option.so_reuseaddr", "call.bind"],
    &["state.fin_wait1", "state.fin_wait2", "state.closing", "state.time_wait"],
    &["state.close_wait", "state.last_ack"],
    &["state.listen", "call.listen", "call.accept", "errno.econnaborted"],
    &["state.established", "option.so_keepalive", "errno.etimedout"],
    &["tcp.flags.psh", "call.send", "option.tcp_nodelay"],
    &["tcp.window", "tcp.options.scale", "option.so_rcvbuf", "call.recv"],
    &["tcp.ack", "tcp.seq", "tcp.flags.ack", "tcp.options.sack"],
    &["tcp.options.mss", "tcp.options.mss.value", "icmp.3.4", "ip.flags.df"],
    &["tcp.flags.ece", "tcp.flags.cwr", "tcp.flags.ae", "ip.ecn"],
    &["tcp.flags.urg", "tcp.urgent", "flag.msg_oob"],
    &["errno.eagain", "flag.msg_dontwait", "call.recv"],
    &["errno.epipe", "errno.econnreset", "call.send", "option.so_sndbuf"],
    &["errno.enotconn", "call.getpeername"],
    &["ip.ttl", "icmp.11", "icmp.11.0", "ip6.hops"],
    &["icmp.3.3", "errno.econnrefused", "udp.dst"],
    &["icmp.3.1", "errno.ehostunreach", "arp.op"],
    &["icmp.3.0", "errno.enetunreach"],
    &["arp.op", "icmp6.135", "icmp6.136", "eth.dst"],
    &["ws.mask", "ws.key", "ws.rules.not-masked", "ws.rules.masked"],
    &["ws.close", "ws.opcode.8", "ws.close.1000", "ws.close.1006", "call.ws close"],
    &["ws.close.1005", "ws.close.1006", "ws.close.1015", "ws.rules.close-code-local"],
    &["ws.close.1007", "ws.rules.text-not-utf8", "ws.opcode.1"],
    &["ws.close.1002", "ws.rules"],
    &["ws.close.1009", "ws.rules.message-too-big", "ws.rules.frame-too-big"],
    &["ws.opcode.9", "ws.opcode.10", "option.so_keepalive"],
    &["ws.opcode.0", "ws.fin", "ws.rules.orphan-continuation"],
    &["http.status.101", "http.header.upgrade", "http.header.connection", "http.header.sec-websocket-accept"],
    &["http.header.sec-websocket-key", "http.header.sec-websocket-accept", "ws.key"],
    &["http.header.origin", "http.status.403"],
    &["transport.http", "transport.poll", "transport.long-poll", "transport.sse", "transport.websocket"],
    &[
        "transport.websocket",
        "transport.websocket-deflate",
        "transport.socketio",
        "transport.sockjs",
        "transport.stomp",
    ],
    &["sockjs.close.1002", "sockjs.close.2010", "sockjs.frame.c", "ws.close.1002"],
    &["sockjs.frame.h", "ws.opcode.9", "option.so_keepalive"],
    &[
        "sockjs.url.xhr_streaming",
        "sockjs.url.xhr",
        "sockjs.url.xhr_send",
        "transport.long-poll",
        "transport.sse",
    ],
    &["transport.stomp", "transport.stomp-tcp"],
    &["engineio.ping", "engineio.pong", "ws.opcode.9"],
    &["engineio.upgrade", "engineio.noop", "engineio.ping", "transport.socketio"],
    &["socketio.event", "socketio.ack", "socketio.binary_event", "engineio.message", "transport.socketio"],
    &["socketio.connect", "socketio.connect_error", "socketio.disconnect", "engineio.open"],
    &["stomp.header.receipt", "stomp.frame.receipt", "stomp.frame.ack"],
    &["stomp.header.heart-beat", "ws.opcode.9", "option.so_keepalive", "sockjs.frame.h"],
    &["stomp.header.content-length", "stomp.rules.null", "stomp.rules.body", "stomp.null"],
    &["stomp.frame.send", "stomp.frame.message", "stomp.frame.subscribe", "stomp.header.destination"],
    &["transport.tcp", "transport.udp", "transport.icmp"],
    &["http.status.426", "http.header.sec-websocket-version"],
];

/// What belongs together with this, at most five; and the list that it stands in.
pub(super) fn to(path: &str) -> Vec<&str> {
    let sets = TOGETHER.iter().filter(|set| set.contains(&path));
    let mut all: Vec<&str> = Vec::new();
    for other in sets.flat_map(|set| set.iter()) {
        if *other != path && !all.contains(other) && all.len() < 5 {
            all.push(other);
        }
    }
    if let Some((list, _)) = path.rsplit_once('.') {
        all.push(list);
    }
    all
}
