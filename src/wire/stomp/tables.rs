//! The commands and headers of STOMP: who sends them, what they need, what they are for.

use super::Version;

/// Which side sends a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The client.
    Client,
    /// The server, a broker mostly.
    Server,
}

impl Sender {
    /// `client` or `server`.
    pub fn name(self) -> &'static str {
        match self {
            Sender::Client => "client",
            Sender::Server => "server",
        }
    }
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// As it is written, case-sensitive.
    pub name: &'static str,
    /// Who sends it.
    pub sender: Sender,
    /// The version that brought it.
    pub since: Version,
    /// True if a body may follow.
    pub body: bool,
    /// Headers that it must have in 1.2 (Frames and Headers).
    pub required: &'static [&'static str],
    /// Headers that it may have, besides `content-length`, `content-type` and `receipt`.
    pub optional: &'static [&'static str],
    /// What it does.
    pub meaning: &'static str,
    /// Why it is there, or what is easily overlooked.
    pub why: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

const fn client(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    meaning: &'static str,
    why: &'static str,
    section: &'static str,
) -> Command {
    let (sender, since) = (Sender::Client, Version::V10);
    Command { name, sender, since, body: false, required, optional, meaning, why, section }
}

const fn server(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    meaning: &'static str,
    why: &'static str,
    section: &'static str,
) -> Command {
    Command { sender: Sender::Server, ..client(name, required, optional, meaning, why, section) }
}

/// All commands: the client's, then the server's.
pub const COMMANDS: [Command; 15] = [
    client(
        "CONNECT",
        &["accept-version", "host"],
        &["login", "passcode", "heart-beat"],
        "begins the session; the server answers CONNECTED, or ERROR",
        "TCP's connection, and the WebSocket's handshake, say nothing of versions, users and heart-beats of this protocol.",
        "STOMP 1.2, CONNECT or STOMP Frame",
    ),
    Command {
        since: Version::V11,
        ..client(
            "STOMP",
            &["accept-version", "host"],
            &["login", "passcode", "heart-beat"],
            "the same as CONNECT",
            "CONNECT is also a method of HTTP: whoever looks at the first bytes can tell this word from it.",
            "STOMP 1.2, CONNECT or STOMP Frame",
        )
    },
    Command {
        body: true,
        ..client(
            "SEND",
            &["destination"],
            &["transaction"],
            "sends a message to a destination",
            "It names no receiver: the server finds who has subscribed. What a destination means is the server's affair.",
            "STOMP 1.2, SEND",
        )
    },
    client(
        "SUBSCRIBE",
        &["destination", "id"],
        &["ack"],
        "asks for the messages of a destination",
        "One connection may have many; the id, chosen by the client, tells them apart in each MESSAGE.",
        "STOMP 1.2, SUBSCRIBE",
    ),
    client(
        "UNSUBSCRIBE",
        &["id"],
        &[],
        "ends the subscription with this id",
        "By its id and not its destination: two subscriptions may have the same destination.",
        "STOMP 1.2, UNSUBSCRIBE",
    ),
    client(
        "ACK",
        &["id"],
        &["transaction"],
        "says that a message was consumed",
        "TCP's acknowledgment says that bytes arrived at the host; this one says that the program is done with the message.",
        "STOMP 1.2, ACK",
    ),
    Command {
        since: Version::V11,
        ..client(
            "NACK",
            &["id"],
            &["transaction"],
            "says that a message was not consumed",
            "The server may give the message to somebody else, or put it aside.",
            "STOMP 1.2, NACK",
        )
    },
    client(
        "BEGIN",
        &["transaction"],
        &[],
        "begins a transaction",
        "What is sent and acknowledged in it happens as a whole, at COMMIT, or not at all.",
        "STOMP 1.2, BEGIN",
    ),
    client(
        "COMMIT",
        &["transaction"],
        &[],
        "makes a transaction happen",
        "Nobody hears a SEND of the transaction before.",
        "STOMP 1.2, COMMIT",
    ),
    client(
        "ABORT",
        &["transaction"],
        &[],
        "drops a transaction",
        "The end of the connection does the same for all that were not committed.",
        "STOMP 1.2, ABORT",
    ),
    client(
        "DISCONNECT",
        &[],
        &["receipt"],
        "the last frame of a client",
        "With a receipt the client learns that all before it was received: a close of the socket alone does not say so.",
        "STOMP 1.2, DISCONNECT",
    ),
    server(
        "CONNECTED",
        &["version"],
        &["session", "server", "heart-beat"],
        "the session has begun, in this version",
        "A client that doesn't wait for it doesn't know yet which rules hold.",
        "STOMP 1.2, CONNECTED Frame",
    ),
    Command {
        body: true,
        ..server(
            "MESSAGE",
            &["destination", "message-id", "subscription"],
            &["ack"],
            "a message for one subscription of this client",
            "The server pushes it when it has it: nobody asked just now. A client with two fitting subscriptions gets it twice.",
            "STOMP 1.2, MESSAGE",
        )
    },
    server(
        "RECEIPT",
        &["receipt-id"],
        &[],
        "the frame that asked for this receipt was processed",
        "All frames before that one were received then, as a stream keeps the order.",
        "STOMP 1.2, RECEIPT",
    ),
    Command {
        body: true,
        ..server(
            "ERROR",
            &[],
            &["message", "receipt-id"],
            "something went wrong; the server then closes the connection",
            "There is no way to go on: whoever wants to, connects again.",
            "STOMP 1.2, ERROR",
        )
    },
];

/// The entry of a command, compared with regard to case.
pub fn command_entry(name: &[u8]) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name.as_bytes() == name)
}

/// A header that the specification defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderName {
    /// As it is written, case-sensitive.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Why it is there, or what is easily overlooked.
    pub why: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

const fn header(
    name: &'static str,
    meaning: &'static str,
    why: &'static str,
    section: &'static str,
) -> HeaderName {
    HeaderName { name, meaning, why, section }
}

/// All headers of the specification; any others may stand in SEND and MESSAGE.
pub const HEADERS: [HeaderName; 19] = [
    header(
        "accept-version",
        "the versions that the client speaks",
        "The server takes the highest that both have. Without this header it is 1.0.",
        "STOMP 1.2, Protocol Negotiation",
    ),
    header(
        "host",
        "the virtual host that the client wants",
        "One server may keep several apart, as a web server does with HTTP's Host. RabbitMQ's is / at first.",
        "STOMP 1.2, CONNECT or STOMP Frame",
    ),
    header(
        "login",
        "the name of the user",
        "With the password it crosses as it is: only TLS below would hide it.",
        "STOMP 1.2, CONNECT or STOMP Frame",
    ),
    header(
        "passcode",
        "the password of the user",
        "A header like any other, in a frame that anybody on the way can read.",
        "STOMP 1.2, CONNECT or STOMP Frame",
    ),
    header(
        "heart-beat",
        "how often the sender can be heard, and how often it wants to hear, in milliseconds",
        "In each direction the longer of both numbers counts; with a 0 on either side there is none.",
        "STOMP 1.2, Heart-beating",
    ),
    header(
        "version",
        "the version of the session; in an ERROR, those that the server speaks",
        "From here on both follow the same rules, of escapes and line ends too.",
        "STOMP 1.2, Protocol Negotiation",
    ),
    header(
        "session",
        "the server's name for this session",
        "For logs: no frame of a client ever needs it.",
        "STOMP 1.2, CONNECTED Frame",
    ),
    header(
        "server",
        "the program that serves",
        "A name, maybe a version, maybe comments.",
        "STOMP 1.2, CONNECTED Frame",
    ),
    header(
        "destination",
        "where a message goes to, or comes from",
        "Just a text. That /topic/ means everybody and /queue/ means one is a custom of servers, not a rule of STOMP.",
        "STOMP 1.2, SEND",
    ),
    header(
        "id",
        "the client's name for a subscription; in ACK and NACK, what the MESSAGE had in ack",
        "The same word for two things: 1.2 gave ACK one header where 1.1 needed message-id and subscription.",
        "STOMP 1.2, SUBSCRIBE id Header",
    ),
    header(
        "ack",
        "how messages are acknowledged; in a MESSAGE, what an ACK must repeat",
        "auto is the default: then the server takes a message for consumed as soon as it is sent.",
        "STOMP 1.2, SUBSCRIBE ack Header",
    ),
    header(
        "transaction",
        "the transaction that this frame belongs to",
        "Chosen by the client, and its own: another connection may use the same word.",
        "STOMP 1.2, BEGIN",
    ),
    header(
        "receipt",
        "asks for a RECEIPT with this value",
        "Any frame of a client but CONNECT may ask.",
        "STOMP 1.2, Header receipt",
    ),
    header(
        "receipt-id",
        "the value that stood in receipt",
        "Answers may come late: by this value the client knows which frame is meant.",
        "STOMP 1.2, RECEIPT",
    ),
    header(
        "message-id",
        "the server's name for this message",
        "Unique for the message. For an ACK of 1.2 it is not this that counts but the header ack.",
        "STOMP 1.2, MESSAGE",
    ),
    header(
        "subscription",
        "the id of the subscription that gets this message",
        "The client needs it, as a server may deliver from destinations of other names than the one subscribed to.",
        "STOMP 1.2, MESSAGE",
    ),
    header(
        "message",
        "what went wrong, in a few words",
        "Details may follow in the body.",
        "STOMP 1.2, ERROR",
    ),
    header(
        "content-length",
        "how many octets the body has",
        "Without it the body ends at the first NULL; with it NULL may stand inside, and one more still ends the frame.",
        "STOMP 1.2, Header content-length",
    ),
    header(
        "content-type",
        "what kind of data the body is",
        "A MIME type, as in HTTP. Without it the body is a blob.",
        "STOMP 1.2, Header content-type",
    ),
];

/// The entry of a header, compared with regard to case.
pub fn header_entry(name: &[u8]) -> Option<&'static HeaderName> {
    HEADERS.iter().find(|header| header.name.as_bytes() == name)
}
