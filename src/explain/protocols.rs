//! Reasons for what has a number: options of TCP, opcodes, Close codes, rules, fields and statuses of the handshake, ICMP's errors.

/// Kind of a TCP option, the last part of its path, why it is there.
pub(super) const TCP_OPTIONS: &[(u8, &str, &str)] = &[
    (0, "end", "Options may end before the header does: what follows is padding."),
    (1, "nop", "Numbers of four bytes are read fastest where they begin at a multiple of four."),
    (
        2,
        "mss",
        "A segment that is too large would be cut by routers or lost. Each side says in its SYN what it takes; who says nothing gets 536 bytes over IPv4.",
    ),
    (
        3,
        "scale",
        "The Window field has 16 bits, for links of 1981. Only in SYNs: both must offer it, or none may use it.",
    ),
    (4, "sackok", "Only in SYNs: nobody may be sent SACKs that it would not understand."),
    (
        5,
        "sack",
        "One acknowledgment number can't say that a later piece is here. Without this the sender would repeat what has come.",
    ),
    (
        8,
        "timestamps",
        "How long to wait for an acknowledgment must be measured all the time; and on fast links sequence numbers come round too soon to tell old from new.",
    ),
    (
        19,
        "md5",
        "A forged RST could end the sessions by which routers learn their routes. It is replaced by TCP-AO.",
    ),
    (28, "timeout", "Each side has a patience of its own; here it can say how much."),
    (29, "ao", "MD5 is weak, and keys must be changed without a break: this replaced it."),
    (30, "mptcp", "A phone changes from Wi-Fi to mobile: the stream goes on over another pair of addresses."),
    (
        34,
        "fastopen",
        "A handshake costs a round trip before the first byte. A client that was here before may save it.",
    ),
    (69, "eno", "Encryption that needs no change of the program."),
    (
        172,
        "accecn0",
        "AE, CWR and ECE count marked packets, and to seven only: here bytes are counted, those of each mark (ECT(0), CE, ECT(1)), in 24 bits.",
    ),
    (
        174,
        "accecn1",
        "The same with the counters in the other order. Those at the end may be left out if they did not change: so there are two orders to choose from.",
    ),
    (253, "exp1", "New options can be tried out before they have a number."),
    (254, "exp2", "New options can be tried out before they have a number."),
];

/// Opcode, why.
pub(super) const OPCODES: [&str; 16] = [
    "A message may be cut into fragments, and the kind is said by the first.",
    "A browser hands it over as a string, so both must agree on the encoding: it is UTF-8, and other bytes fail the connection with 1007.",
    "Pictures and numbers are no text: no byte is looked at.",
    RESERVED_DATA,
    RESERVED_DATA,
    RESERVED_DATA,
    RESERVED_DATA,
    RESERVED_DATA,
    "TCP's end can't say why, and can't tell a finished talk from a broken one. Each side sends one, so both know that all has come.",
    "TCP may be up while the program hangs; and proxies forget what is idle. A browser answers Pings, and a script can't send any.",
    "With the Ping's own payload it is known which Ping it answers. Unasked it says: still here.",
    RESERVED_CONTROL,
    RESERVED_CONTROL,
    RESERVED_CONTROL,
    RESERVED_CONTROL,
    RESERVED_CONTROL,
];

const RESERVED_DATA: &str = "A later version may need it. Who gets it can't know what it means, so the connection is failed, not guessed at.";
const RESERVED_CONTROL: &str = "A later version may need it. The top bit already says that it is a control frame: at most 125 bytes, never cut.";

/// First Close code of an entry, why.
pub(super) const CLOSE_CODES: [(u16, &str); 21] = [
    (
        0,
        "They are not used at all; the RFC gives no reason. So no Close code can be taken for a status of HTTP.",
    ),
    (1000, "An end that was meant must look different from one that happened."),
    (1001, "Nobody is at fault: a client may call again, or somebody else."),
    (
        1002,
        "To go on would be to guess where the next frame begins: that is how two readers come to see two streams.",
    ),
    (1003, "A program that takes only text must be able to say so; the protocol itself was kept."),
    (1004, "It was kept for later, and nothing came."),
    (
        1005,
        "A Close may have no code, and the program that asks must be told something: a number that can't come from the wire.",
    ),
    (
        1006,
        "The program that asks for a code must get one, also where the TCP connection just ended. It is made up by this side: that is why it must not be sent.",
    ),
    (
        1007,
        "Text that is not UTF-8 can't be handed over as a string, and to replace bytes would change the message.",
    ),
    (1008, "For all that no other code fits, and for who does not want to tell more."),
    (
        1009,
        "A frame can claim 2^63 bytes: who takes all that comes has no memory left. Each receiver has a limit.",
    ),
    (1010, "Only a client sends it: a server that needs an extension can refuse the handshake."),
    (1011, "The client did nothing wrong, and should know it."),
    (1012, "The client may call again, but not all clients at once."),
    (1013, "The client should wait, or try another server."),
    (1014, "As 502 in HTTP: the fault is behind the server that answered."),
    (1015, "As with 1006 there is no WebSocket on which it could be sent."),
    (1016, "The next versions and extensions need room."),
    (3000, "Libraries must not take each other's numbers: who needs one asks IANA."),
    (4000, "Within one application nobody has to be asked."),
    (5000, "Two bytes could hold more numbers than were given a use."),
];

/// Last part of a rule's path, why there is such a rule.
pub(super) const RULES: [(&str, &str); 22] = [
    ("reserved-bits", "The bit changes how the payload is to be read: who does not know how can't go on."),
    ("reserved-opcode", "To skip an unknown frame could be to skip what matters."),
    (
        "fragmented-control",
        "They stand between fragments of messages: if they were cut too, nobody could tell the pieces apart.",
    ),
    (
        "orphan-continuation",
        "A piece without a beginning has no kind: text or binary is said by the first frame.",
    ),
    ("interleaved", "A continuation does not say of which message it is: so there is only one under way."),
    (
        "not-masked",
        "Bytes that a script can foresee could fool a proxy; that holds only if every client masks (§10.3).",
    ),
    (
        "masked",
        "A server runs no stranger's script, so masking would only cost. And a masked frame from it shows that the sides are mixed up.",
    ),
    ("long-control", "A receiver can take a control frame at any time, in a small buffer."),
    ("length-top-bit", "So the length fits a signed number of 64 bits; many languages have no other."),
    ("length-not-minimal", "One length, one way to write it: two readers can't disagree."),
    (
        "frame-too-big",
        "A length is a claim that costs the sender nothing, and would cost the receiver memory.",
    ),
    ("message-too-big", "Many small fragments make a large message too: the limit must be for the sum."),
    (
        "text-not-utf8",
        "Both sides must see the same text; to replace what is wrong would change it in silence.",
    ),
    ("text-cut-off", "A fragment may end inside a character, a message may not."),
    ("close-one-byte", "Half a code says nothing: a body has none, or a whole one."),
    ("close-code-local", "They say what a side saw by itself. From the wire they would be a lie."),
    ("close-code-undefined", "Who does not know a code must at least know its range."),
    ("reason-not-utf8", "A script gets it as a string: as text messages it must be UTF-8."),
    (
        "data-after-close",
        "A Close says that no more data comes from this side. Whoever reads on after it waits for nothing.",
    ),
    (
        "compressed-bit",
        "The bit says that a whole message is compressed, so it stands once, at its beginning; control frames never are.",
    ),
    (
        "other-reserved-bits",
        "They wait for extensions to come. Who has agreed on none that uses them can't know what they change.",
    ),
    ("not-deflate", "Without the right bytes there is no message to give to the program."),
];

/// Field of a handshake's head, why it is there.
pub(super) const HEADERS: &[(&str, &str)] = &[
    (
        "Host",
        "By the time the request is there the name that was looked up is gone: TCP knows addresses only.",
    ),
    ("Upgrade", "It only asks: a server that does not know it answers as if it were not there."),
    (
        "Connection",
        "Upgrade is for the next hop. A proxy that does not understand it must take it off, and this says that it should.",
    ),
    (
        "Sec-WebSocket-Key",
        "It is no secret and no password: with it the answer can't be an old one from a cache. Scripts can't set fields that begin with Sec-.",
    ),
    (
        "Sec-WebSocket-Extensions",
        "An extension changes what frames look like: both must agree before the first.",
    ),
    (
        "Sec-WebSocket-Accept",
        "A server that only echoes, or that never heard of WebSocket, can't make it up: it takes SHA-1 of the key and of a fixed text.",
    ),
    (
        "Sec-WebSocket-Protocol",
        "WebSocket carries messages and does not say what they mean: here both agree on a language.",
    ),
    (
        "Sec-WebSocket-Version",
        "There were drafts, and servers that spoke them. 13 is the version that became the RFC.",
    ),
    (
        "Origin",
        "Any page in a browser may open a WebSocket to any server, with the visitor's cookies. The server must look at who asks; programs outside of a browser can write what they like.",
    ),
    (
        "Content-Length",
        "HTTP/1.1 keeps the connection for the next request: one must know where this content ends.",
    ),
    ("Content-Type", "Bytes do not say what they are."),
    (
        "Transfer-Encoding",
        "Content can be sent before its length is known. With a Content-Length beside it two readers may disagree: a known attack.",
    ),
    ("Allow", "A refusal that says what would have worked; a 405 must have it."),
    ("User-Agent", "For statistics, and to work around the faults of some clients."),
    ("Server", "As User-Agent, for the other side. It may be left out."),
    ("Date", "A cache reckons with it how old the answer is, and until when it may be used (RFC 9111 §4.2)."),
];

/// Status that a handshake meets beside the refusals: code, reason phrase, section.
pub(super) const OTHER_STATUSES: &[(u16, &str, &str)] = &[
    (101, "Switching Protocols", "RFC 9110 §15.2.2"),
    (200, "OK", "RFC 9110 §15.3.1"),
    (301, "Moved Permanently", "RFC 9110 §15.4.2"),
    (401, "Unauthorized", "RFC 9110 §15.5.2"),
];

/// Status, what it is in a handshake, why.
pub(super) const STATUSES: &[(u16, &str, &str)] = &[
    (
        101,
        "yes: the bytes after this head are WebSocket",
        "HTTP ends on this connection with the empty line, for both sides at the same byte. Any other status leaves HTTP in force.",
    ),
    (
        200,
        "the server took it for an ordinary request",
        "A server that does not know Upgrade passes over it. So the client must see 101, and not just some success.",
    ),
    (301, "the resource is elsewhere", "A client may follow; browsers do not for WebSockets."),
    (
        400,
        "the request is wrong",
        "What is broken can't be upgraded, and to guess what was meant is how attacks begin.",
    ),
    (401, "a login is asked for", "The handshake is HTTP, so all that HTTP has for logins works before it."),
    (
        403,
        "understood, and refused",
        "A server that does not want this Origin says so here, before a WebSocket is there (RFC 6455 §4.2.2).",
    ),
    (404, "no such path", "The path names the WebSocket, as it names a page."),
    (405, "not with this method", "A handshake is a GET; the answer must say in Allow what would do."),
    (
        408,
        "the request did not come to its end in time",
        "A client that sends a byte now and then would hold a connection for ever.",
    ),
    (414, "the path is too long", "A server must not keep what has no end."),
    (
        426,
        "another protocol, or another version, is needed",
        "It names in Upgrade what it wants, and in Sec-WebSocket-Version which versions it knows: the client can try again (RFC 6455 §4.4).",
    ),
    (
        431,
        "the head is too large",
        "The head's end is not known in advance: without a limit it would fill the memory.",
    ),
    (
        505,
        "not this version of HTTP",
        "The first digit is the form of the message: of another one nothing can be read.",
    ),
];

/// Type of ICMP, what it tells, why. Its name is the decoder's.
pub(super) const ICMP: &[(u8, &str, &str)] = &[
    (0, "the answer to a ping", "It repeats all that the ping had, so the asker needs to remember nothing."),
    (
        3,
        "a datagram can't be delivered",
        "IP promises nothing, but who can't deliver may say so. The kernel finds the socket by the quoted header and gives its program an errno.",
    ),
    (
        4,
        "slow down",
        "It added packets just when there were too many, and anybody can send one: it must be neither sent nor heeded any more (RFC 6633).",
    ),
    (
        5,
        "there is a better router for this",
        "A host may know one router only. Hosts often ignore it, as anybody can send one.",
    ),
    (
        8,
        "a ping",
        "Every host must answer it (RFC 1122 §3.2.2.6): so one learns whether IP gets there, without any program being asked.",
    ),
    (
        9,
        "a router says that it is there",
        "Hosts could find a router without settings. Today DHCP names the router.",
    ),
    (10, "a host asks for routers", "A host that starts does not want to wait for the next announcement."),
    (
        11,
        "it was under way too long",
        "A packet that goes in a circle dies when its TTL is 0. traceroute makes use of it: each router in turn says who it is.",
    ),
    (12, "its header is wrong", "The Pointer names the byte, which helps whoever made the packet."),
    (13, "a question for the time", "It measures the way in both directions. Today clocks are set by NTP."),
    (14, "the answer to it", "It has three times, so that the time in the host can be taken off."),
    (
        15,
        "a question for the network's number",
        "For hosts that started without an address. DHCP has taken its place, and it was given up (RFC 6918 §2.2).",
    ),
    (16, "the answer to it", "Given up with the question (RFC 6918 §2.3)."),
];

/// Type and code of ICMP, why. Others have the reason of their type.
pub(super) const ICMP_CODES: &[(u8, u8, &str)] = &[
    (
        3,
        0,
        "A router has no way there. connect gives ENETUNREACH; an established connection only takes note, as the way may come back (RFC 1122 §4.2.3.9, RFC 9293 §3.9.2.2).",
    ),
    (3, 1, "The last router asked for the card by ARP, and nobody answered. connect gives EHOSTUNREACH."),
    (3, 2, "The host is there and does not speak this protocol."),
    (
        3,
        3,
        "The host is there, and no UDP socket has that port: a program learns it as ECONNREFUSED at its next call, if the socket was connected. TCP says the same with a RST.",
    ),
    (
        3,
        4,
        "It carries the size that fits: from it TCP learns how large its segments may be. A firewall that drops it makes connections hang once they have much to send.",
    ),
    (
        3,
        5,
        "The sender named the routers to go by, and one of them can't reach the next. It is a hint and no proof, as with 0 and 1.",
    ),
    (
        3,
        6,
        "It would say that there is no such network at all. A router can't know that: it should send 0 in its place.",
    ),
    (3, 7, "Only where the link itself tells the router that there is no such host; from silence follows 1."),
    (3, 8, "The sender's own network is cut off. Routers should not send it: 0 or 1 says what matters."),
    (3, 9, "Meant for devices that encrypt from end to end; a router that filters should send 13."),
    (3, 10, "Meant for devices that encrypt from end to end; a router that filters should send 13."),
    (3, 11, "There are ways to that network, but none for the kind of service that the packet asks for."),
    (3, 12, "There are ways to that host, but none for the kind of service that the packet asks for."),
    (3, 13, "A firewall says that it was a firewall. Many say nothing, and the caller waits."),
    (3, 14, "The first router does not let this sender have the precedence that the packet asks for."),
    (3, 15, "The network is so busy that packets below a certain precedence are turned away."),
    (11, 0, "Each router takes 1 off the TTL; whoever makes it 0 drops the packet and says so."),
    (11, 1, "Without the missing fragment the others are of no use, and they can't be kept for ever."),
    (12, 1, "Some networks ask for a security option in each packet, and this one had none."),
];

/// Type of ICMPv6, why.
pub(super) const ICMPV6: &[(u8, &str)] = &[
    (1, "As in ICMP: who can't deliver says so, and the kernel gives the program an errno."),
    (
        2,
        "No router cuts an IPv6 packet: so it must say what would have fitted. It must not be filtered away.",
    ),
    (3, "As in ICMP: it ends circles, and traceroute makes use of it."),
    (4, "An unknown extension header can't be passed over in every case: who stops there says so."),
    (128, "As ICMP's echo: does IP get there?"),
    (129, "It repeats what the request had."),
    (130, "A router asks which groups have listeners, so that it need not send to those without."),
    (131, "A host says which groups it wants."),
    (132, "The router need not wait for silence."),
    (133, "A host that starts does not want to wait for the next announcement."),
    (134, "Hosts get prefix, router and settings from it, with no server."),
    (135, "IPv6's ARP. It goes to a group that few hosts are in, not to all."),
    (136, "The answer; also sent unasked when a card has changed."),
    (137, "A host may know one router only; that one tells of a nearer one."),
    (143, "As 131, with who may send to the group (RFC 3810)."),
];

/// By number: why there is such a packet of Engine.IO.
pub(super) const ENGINE_IO: [&str; 7] = [
    "The server alone can name the session, and it knows its own limits and times: the client need not guess.",
    "By polling there is no connection whose end could say it: so a packet must.",
    "A WebSocket's own Ping can't be used: the same must work by polling. The server asks, as timers in browsers are not to be relied on.",
    "Only a program that runs can send it. After an upgrade's probe it shows that the WebSocket carries packets both ways.",
    "The layers are apart: what a message says is for the layer above, and Socket.IO is only one of those that there could be.",
    "Until it comes the server must answer GETs; from it on nothing may come by two ways, or the order would be lost.",
    "A GET that waits must be answered before polling can end: who cut its connection could lose what was just sent.",
];

/// By code: why a server refuses so.
pub(super) const ENGINE_IO_ERRORS: [&str; 6] = [
    "A server may be told to serve only one of the two ways; a client that asks for the other must not wait.",
    "A session lives in the memory of one server. After a restart, or behind a load balancer that picks another server, nobody knows it.",
    "A POST without a session has nobody to whom its packets could go.",
    "A session goes by one way at a time: after the upgrade a GET would take packets out of their order.",
    "A page of any origin can make its visitors' browsers ask here: the server must be able to say no.",
    "In version 3 the client pings and bodies are framed in another way: to guess would be to misread.",
];

/// By number: why there is such a packet of Socket.IO.
pub(super) const SOCKET_IO: [&str; 7] = [
    "One connection can serve several parts of a program; each is joined apart, and may ask who is there.",
    "To leave one part is not to leave all: the connection stays for the others.",
    "Programs react to things that have names. A WebSocket has only messages: everybody would make names of their own.",
    "TCP's acknowledgment says that bytes are in the other kernel. This says that the program has dealt with them.",
    "Who is not let in should know why, and should not be cut off from the parts that it is in.",
    "JSON has no bytes. As Base64 in the text they would be a third longer; so they go behind it, and a placeholder keeps their place.",
    "An answer may be a file as well as an event may.",
];
