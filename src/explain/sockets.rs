//! Socket options, flags, ways to shut down, states and calls: what each is, and why.

/// Name, what it is, why it is so, where it is defined.
pub(super) const OPTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "SO_REUSEADDR",
        "bind may take an address that an old connection still holds",
        "After a restart the address is often held by a connection in TIME_WAIT. The kernel is careful until both sockets, the old and the new one, have agreed. Two that listen at once stay forbidden on Linux.",
        "socket(7)",
    ),
    (
        "SO_KEEPALIVE",
        "probe a connection on which nothing moves",
        "A peer whose cable is cut says nothing: without probes an idle connection to it looks well for ever. By default Linux waits two hours before the first.",
        "socket(7), tcp(7)",
    ),
    (
        "SO_RCVBUF",
        "room for bytes that wait for recv",
        "What fits is what the window tells the other side. Linux doubles the number, for its own bookkeeping.",
        "socket(7)",
    ),
    (
        "SO_SNDBUF",
        "room for bytes that are not acknowledged",
        "send returns when its bytes have a place here; the kernel keeps them, as it may have to send them again. Linux doubles the number.",
        "socket(7)",
    ),
    (
        "SO_LINGER",
        "what close does with bytes that are not sent yet",
        "close returns at once, and the program never learns what became of them. With a time it waits for them; with 0 it throws them away and sends a RST.",
        "socket(7)",
    ),
    (
        "SO_BROADCAST",
        "a datagram may go to all hosts of the link",
        "One datagram would trouble every host: nobody should send such by mistake.",
        "socket(7), ip(7)",
    ),
    (
        "SO_ERROR",
        "the error that waits, cleared by reading it",
        "Some errors come when no call is under way, such as how a connect without waiting went. They wait here.",
        "socket(7), connect(2)",
    ),
    (
        "SO_TYPE",
        "stream or datagram",
        "A program may be handed a descriptor and not know what it is.",
        "socket(7)",
    ),
    (
        "SO_ACCEPTCONN",
        "whether it listens",
        "A program that is handed a listener, say at its start, can make sure.",
        "socket(7)",
    ),
    (
        "TCP_NODELAY",
        "send small pieces at once (Nagle's algorithm off)",
        "Nagle holds a small piece while another is not acknowledged, so that keystrokes do not fill the net with headers. Where the other side delays its acknowledgment, both wait.",
        "tcp(7), RFC 9293 §3.7.4",
    ),
    (
        "TCP_KEEPIDLE",
        "seconds of silence before the first keep-alive probe",
        "A probe costs a packet, and a quiet connection may stay quiet for long: two hours unless it is set.",
        "tcp(7), RFC 9293 §3.8.4",
    ),
    (
        "TCP_KEEPINTVL",
        "seconds between two keep-alive probes",
        "One that is lost proves nothing, so several are sent, with time for an answer between them.",
        "tcp(7)",
    ),
    (
        "TCP_KEEPCNT",
        "keep-alive probes without an answer before the connection is given up",
        "A network may lose one or two. Who gives up after the first would end connections that are well.",
        "tcp(7)",
    ),
    (
        "TCP_USER_TIMEOUT",
        "milliseconds that sent bytes may stay without an acknowledgment",
        "By default a kernel repeats for a quarter of an hour. A program that knows how long its bytes are of use says so here.",
        "tcp(7), RFC 5482",
    ),
    (
        "TCP_QUICKACK",
        "acknowledge at once (no delayed ACK), for now",
        "A delayed ACK saves a packet where an answer carries it. Linux goes back to its own choice later, so it is no lasting switch.",
        "tcp(7)",
    ),
    (
        "TCP_CORK",
        "send no partial segment until it is taken out",
        "A program that writes a head and then a body gets full segments. After 200 milliseconds Linux sends what there is.",
        "tcp(7)",
    ),
    (
        "TCP_SYNCNT",
        "how often the SYN of this socket is sent again",
        "The setting tcp_syn_retries is for the whole host; a program may have less patience with one peer.",
        "tcp(7)",
    ),
    (
        "TCP_MAXSEG",
        "the largest segment, in bytes; set before connecting it is what the SYN announces",
        "Smaller segments fit through a narrower path. More than the interface carries is not taken.",
        "tcp(7), RFC 9293 §3.7.1",
    ),
    (
        "IPV6_V6ONLY",
        "an IPv6 socket takes no IPv4 callers",
        "Without it one socket can serve both, and sees IPv4 callers as ::ffff:a.b.c.d; with it a second socket can have the same port over IPv4.",
        "ipv6(7)",
    ),
];

/// The same of the flags of send and recv, and of the ways to shut down.
pub(super) const FLAGS: &[(&str, &str, &str, &str)] = &[
    (
        "MSG_DONTWAIT",
        "this call does not wait",
        "A program that looks after many sockets must not be held up by one. It gives EAGAIN in place of waiting.",
        "recv(2), send(2)",
    ),
    (
        "MSG_PEEK",
        "look at bytes and leave them there",
        "A program can decide who is to read them before anybody has.",
        "recv(2)",
    ),
    (
        "MSG_WAITALL",
        "wait until all that was asked for is there",
        "recv gives what has come, which may be less. A signal, an error or the end of the stream still cuts it short.",
        "recv(2)",
    ),
    (
        "MSG_OOB",
        "TCP's urgent byte",
        "It was made for a key such as Ctrl-C. Few programs use it, and systems differ: leave it alone (RFC 6093).",
        "recv(2), tcp(7)",
    ),
    (
        "MSG_TRUNC",
        "how long was it really?",
        "Of a datagram that is larger than the room the rest is thrown away, and the plain call does not say so. With this flag it returns the whole length. Over TCP the bytes are thrown away instead.",
        "recv(2), udp(7), tcp(7)",
    ),
    (
        "SHUT_RD",
        "no more receiving",
        "Nothing is sent for it: the other side does not learn it. On Linux recv then gives 0 where nothing waits.",
        "shutdown(2)",
    ),
    (
        "SHUT_WR",
        "no more sending",
        "A FIN says that no more comes, while the answer can still be read. It does so however many descriptors there are.",
        "shutdown(2), RFC 9293 §3.6",
    ),
    (
        "SHUT_RDWR",
        "neither",
        "It ends the connection for everybody who has the socket, and wakes who waits in it; the descriptor must still be closed.",
        "shutdown(2)",
    ),
];

/// State, what it is, why there is such a state. All from RFC 9293 §3.3.2.
pub(super) const STATES: &[(&str, &str, &str)] = &[
    ("CLOSED", "no connection", "It stands for there being nothing: a fresh socket, or one that is over."),
    (
        "LISTEN",
        "waits for callers",
        "It has an address and no other side. It never becomes a connection: each caller gets a socket of its own.",
    ),
    (
        "SYN_SENT",
        "has called; no answer yet",
        "The SYN may be lost, so it is sent again until an answer comes, a RST comes, or the kernel gives up.",
    ),
    (
        "SYN_RECV",
        "was called, has answered; not confirmed",
        "An address can be made up. Only the caller's ACK of our number shows that our answer reached it. RFC 9293 writes SYN-RECEIVED.",
    ),
    (
        "ESTABLISHED",
        "both sides know that both know",
        "Data can move both ways. It says nothing of the cable now: with nothing to send, a dead peer is not noticed.",
    ),
    (
        "FIN_WAIT1",
        "we ended first; our FIN is not acknowledged",
        "A FIN can be lost like data: it must be kept until it is acknowledged.",
    ),
    (
        "FIN_WAIT2",
        "our FIN is acknowledged; theirs has not come",
        "The other direction may go on as long as its program likes. After close, Linux waits for a minute only.",
    ),
    (
        "CLOSE_WAIT",
        "they have ended; our program has not closed",
        "Only the program knows whether it has more to send. If it stays, the program forgot to close: no timer ends it.",
    ),
    (
        "CLOSING",
        "both ended at the same time",
        "Both FINs crossed: theirs is here, and ours is not acknowledged yet.",
    ),
    (
        "LAST_ACK",
        "we ended second; our FIN is not acknowledged",
        "When the acknowledgment comes there is nothing left to say, and nothing is kept.",
    ),
    (
        "TIME_WAIT",
        "over, and remembered for a while by who closed first",
        "The last ACK may be lost: then the FIN comes again and must be answered. And old segments must be gone before the same addresses and ports are used anew (RFC 9293 §3.4.2). Linux takes 60 s.",
    ),
];

/// Call, and why there is such a call. What it is and its manual page are in `lesson::words`.
pub(super) const CALLS: &[(&str, &str)] = &[
    (
        "socket",
        "Making the endpoint is apart from naming and using it, so that options can be set in between. Nothing is sent, and no address is taken.",
    ),
    ("bind", "A server must have a port that callers know. A client may leave it out: connect picks one."),
    (
        "listen",
        "It makes two queues, for handshakes that are under way and for connections that are done, and from then on the kernel answers SYNs by itself. The backlog limits how many may wait; Linux lets one more in.",
    ),
    (
        "accept",
        "It takes a connection that is already there off the queue: the handshake is done by then. A new descriptor, as the listener must go on listening.",
    ),
    (
        "connect",
        "The program says with whom, the kernel does the handshake and says how it ended. It returns when the SYN,ACK is here, before anybody has accepted.",
    ),
    (
        "send",
        "It copies into the kernel's buffer and returns: sending, and sending again, is the kernel's work. So it tells how much was taken, not how much has arrived.",
    ),
    (
        "recv",
        "It gives what is there, up to the room. TCP keeps no record of who sent how much at once. 0 is the end of the stream.",
    ),
    (
        "sendto",
        "Without a connection each datagram has to say whom it is for. One socket can send to everybody.",
    ),
    ("recvfrom", "Without a connection anybody may send: to answer, a program must be told who it was."),
    (
        "shutdown",
        "A connection is two streams, and one may end before the other. It acts on the socket, whatever descriptors there are.",
    ),
    (
        "close",
        "It gives the descriptor back; the last one ends the socket. The kernel goes on alone with FIN, repeats and TIME_WAIT.",
    ),
    (
        "dup",
        "A descriptor is a reference: several may name one socket, also in a child process. FIN comes with the last close.",
    ),
    ("setsockopt", "What only some programs want is no argument of every call."),
    (
        "getsockopt",
        "A program sees what the kernel made of what it set: buffers are doubled, and some options are only for reading.",
    ),
    ("getsockname", "The kernel may have picked the port, or the address by the route."),
    ("getpeername", "A connection knows its other side; a listener has none, and gives ENOTCONN."),
    (
        "pause",
        "A program that asks again and again must wait in between, or it keeps a processor busy with asking. What comes meanwhile lies in the kernel until the next question.",
    ),
    (
        "TcpListener::bind",
        "Most programs want all three calls: std makes them in one, with SO_REUSEADDR on Unix and a backlog of its own.",
    ),
    (
        "recv_until",
        "TCP has no messages, so the program needs a mark where one ends, which must not occur inside.",
    ),
    ("recv_exactly", "recv may give less than asked for: a loop is needed."),
    ("send_prefixed", "With the length first no mark is needed, and any byte may occur inside."),
    (
        "recv_prefixed",
        "Who reads needs two steps: the length, which itself may come in pieces, then so many bytes.",
    ),
    (
        "ws request",
        "A WebSocket begins as HTTP, so that it shares port 80 or 443 with pages and goes through what lets HTTP pass.",
    ),
    (
        "ws answer",
        "The answer proves that the request was read, and by somebody who speaks WebSocket: a server that echoes what it gets can't make it.",
    ),
    (
        "ws verify",
        "A client that took any answer for a yes could be led to talk to a server that knows nothing of WebSocket.",
    ),
    ("ws frame", "TCP keeps no messages: each frame says how long it is."),
    ("ws unframe", "A recv may end inside a frame or give several: only the header says where one ends."),
    (
        "ws handoff",
        "By hand is for learning. What was read too far belongs to the next reader: without it a message is lost.",
    ),
    ("ws send", "A message may be several frames; the library cuts, masks and sends."),
    ("ws recv", "It gives whole messages, and answers Pings meanwhile."),
    (
        "ws ping",
        "It shows that the other program still answers, and keeps what is between from forgetting an idle connection.",
    ),
    (
        "ws close",
        "A Close in each direction, and both know that all has been said; then TCP ends. That is why it is apart from close.",
    ),
];

/// What is done to the cable, and why one would.
pub(super) const CABLE: &[(&str, &str)] = &[
    ("hold", "A state that lasts a microsecond lasts as long as one likes while the next segment is held."),
    ("deliver", "One frame at a time shows what each one brings about."),
    ("drop", "Loss is what most of TCP is for: only with loss one sees it work."),
    ("duplicate", "IP may bring a packet twice; TCP must notice."),
    (
        "corrupt",
        "A wrong bit is what the checksum is for: such a segment is dropped without a word, and sent again.",
    ),
    ("reorder", "IP keeps no order; sequence numbers put it right."),
    ("delay", "With time on the way one sees who waits for whom: windows, delayed acknowledgments, Nagle."),
    ("cut", "A peer that vanishes sends no FIN: nobody notices until something is sent."),
    ("mend", "What TCP repeats after a cut goes through: a connection outlives its cable."),
];
