//! The parts of an HTTP head, and the fields of WebSocket frames.

use super::{Name, Protocol as P, name, varied};

pub(super) const NAMES: &[Name] = &[
    name(
        P::Http,
        "http.method",
        "method",
        "It says what is wanted. For an upgrade it must be GET: a request that changes nothing, and that every server and proxy knows (RFC 6455 §4.1).",
    ),
    name(
        P::Http,
        "http.target",
        "request-target",
        "One port can have many WebSockets, as it has many pages: the path tells them apart.",
    ),
    varied(
        P::Http,
        "http.version",
        "HTTP-version",
        "of the form of this message; an upgrade needs 1.1",
        "Upgrade came with HTTP/1.1; in 1.0 a server would not know it. HTTP/2 has another way (RFC 8441).",
    ),
    name(
        P::Http,
        "http.status",
        "status-code",
        "Three digits, so that a program needs no words; the first digit alone is enough to act on.",
    ),
    name(
        P::Http,
        "http.reason",
        "reason-phrase",
        "A person who reads along is helped; nothing may depend on it.",
    ),
    name(
        P::Http,
        "http.space",
        "SP",
        "One space and no more: two readers of one line must not find different parts.",
    ),
    varied(
        P::Http,
        "http.field",
        "field-line",
        "a name, a colon and a value",
        "Names that are not known are passed over: so HTTP could grow, and WebSocket could be added.",
    ),
    name(
        P::Http,
        "http.crlf",
        "CRLF",
        "Two bytes, from the teletype: the carriage goes back, the paper goes up. Readers who disagree on line ends can be tricked.",
    ),
    name(
        P::Http,
        "http.lf",
        "LF",
        "A reader may let it pass (RFC 9112 §2.2); this program's own server does not.",
    ),
    varied(
        P::Http,
        "http.end",
        "empty line",
        "the head ends here",
        "Nothing in the head says how long it is: the reader must look for this line, and must not take bytes behind it for head.",
    ),
    name(
        P::Http,
        "http.rest",
        "rest",
        "One recv may give the head and the first frames together. Who throws them away loses messages.",
    ),
    name(
        P::WebSocket,
        "ws.fin",
        "FIN",
        "A sender that does not know yet how long its message gets can begin to send. It has nothing to do with TCP's FIN.",
    ),
    name(
        P::WebSocket,
        "ws.rsv1",
        "RSV1",
        "Kept for extensions: permessage-deflate marks a compressed message with it (RFC 7692 §6).",
    ),
    name(P::WebSocket, "ws.rsv2", "RSV2", "Kept for extensions; no common one uses it."),
    name(P::WebSocket, "ws.rsv3", "RSV3", "Kept for extensions; no common one uses it."),
    varied(
        P::WebSocket,
        "ws.opcode",
        "Opcode",
        "what kind of frame this is",
        "Control frames, from 0x8 up, may stand between the fragments of a message: a Ping needs not wait for a long one to end.",
    ),
    name(
        P::WebSocket,
        "ws.mask",
        "MASK",
        "Only a client masks. A script in a browser chooses what it sends; masked it can't choose what bytes stand on the wire, and so \
         can't fool a proxy with what looks like HTTP (RFC 6455 §10.3).",
    ),
    varied(
        P::WebSocket,
        "ws.len",
        "Payload len",
        "how long the payload is; 126 and 127 say that the length follows",
        "Most messages are short: up to 125 bytes the length costs one byte. Without a length TCP's stream would not say where a \
         message ends.",
    ),
    varied(
        P::WebSocket,
        "ws.len.extended",
        "Extended payload length",
        "the length, in 2 bytes or in 8",
        "It must be written in the fewest bytes, so that there is only one way to say a length.",
    ),
    name(
        P::WebSocket,
        "ws.key",
        "Masking-key",
        "It stands in the frame itself, so it hides nothing: it only makes bytes unforeseeable. So it must be fresh and random \
         (RFC 6455 §5.3).",
    ),
    varied(
        P::WebSocket,
        "ws.payload",
        "Payload Data",
        "what the frame carries",
        "Text must be UTF-8, binary may be anything, a Close has a code and a reason, a Pong repeats what the Ping had.",
    ),
    varied(
        P::WebSocket,
        "ws.close",
        "Status code",
        "why the connection is closed, for programs",
        "TCP's FIN says that it ends, and not why: a page may want to call again after 1001 and not after 1008.",
    ),
    varied(
        P::WebSocket,
        "ws.reason",
        "Reason",
        "why, in words",
        "For whoever reads a log. With the code it has 125 bytes at most, as control frames stay small.",
    ),
    varied(
        P::WebSocket,
        "ws.cutoff",
        "header continued",
        "the beginning of a header that is cut off",
        "A frame may end anywhere in what recv gave: a reader must keep the piece and wait for more.",
    ),
];
