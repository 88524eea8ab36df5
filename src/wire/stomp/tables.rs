//! The commands and headers of STOMP.

use super::Version;

/// The side that sends a frame.
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
    /// Its name, case-sensitive.
    pub name: &'static str,
    /// The side that sends it.
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
    /// Where it is defined.
    pub section: &'static str,
}

const fn client(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    meaning: &'static str,
    section: &'static str,
) -> Command {
    let (sender, since) = (Sender::Client, Version::V10);
    Command { name, sender, since, body: false, required, optional, meaning, section }
}

const fn server(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    meaning: &'static str,
    section: &'static str,
) -> Command {
    Command { sender: Sender::Server, ..client(name, required, optional, meaning, section) }
}

/// All commands: the client's, then the server's.
pub const COMMANDS: [Command; 15] = [
    client(
        "CONNECT",
        &["accept-version", "host"],
        &["login", "passcode", "heart-beat"],
        "begins the session; the server answers CONNECTED, or ERROR",
        "STOMP 1.2, CONNECT or STOMP Frame",
    ),
    Command {
        since: Version::V11,
        ..client(
            "STOMP",
            &["accept-version", "host"],
            &["login", "passcode", "heart-beat"],
            "the same as CONNECT",
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
            "STOMP 1.2, SEND",
        )
    },
    client(
        "SUBSCRIBE",
        &["destination", "id"],
        &["ack"],
        "asks for the messages of a destination",
        "STOMP 1.2, SUBSCRIBE",
    ),
    client("UNSUBSCRIBE", &["id"], &[], "ends the subscription with this id", "STOMP 1.2, UNSUBSCRIBE"),
    client("ACK", &["id"], &["transaction"], "says that a message was consumed", "STOMP 1.2, ACK"),
    Command {
        since: Version::V11,
        ..client("NACK", &["id"], &["transaction"], "says that a message was not consumed", "STOMP 1.2, NACK")
    },
    client("BEGIN", &["transaction"], &[], "begins a transaction", "STOMP 1.2, BEGIN"),
    client("COMMIT", &["transaction"], &[], "makes a transaction happen", "STOMP 1.2, COMMIT"),
    client("ABORT", &["transaction"], &[], "drops a transaction", "STOMP 1.2, ABORT"),
    client("DISCONNECT", &[], &["receipt"], "the last frame of a client", "STOMP 1.2, DISCONNECT"),
    server(
        "CONNECTED",
        &["version"],
        &["session", "server", "heart-beat"],
        "the session has begun, in this version",
        "STOMP 1.2, CONNECTED Frame",
    ),
    Command {
        body: true,
        ..server(
            "MESSAGE",
            &["destination", "message-id", "subscription"],
            &["ack"],
            "a message for one subscription of this client",
            "STOMP 1.2, MESSAGE",
        )
    },
    server(
        "RECEIPT",
        &["receipt-id"],
        &[],
        "the frame that asked for this receipt was processed",
        "STOMP 1.2, RECEIPT",
    ),
    Command {
        body: true,
        ..server(
            "ERROR",
            &[],
            &["message", "receipt-id"],
            "something went wrong; the server then closes the connection",
            "STOMP 1.2, ERROR",
        )
    },
];

/// The entry of a command, compared with regard to case.
pub(crate) fn command_entry(name: &[u8]) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name.as_bytes() == name)
}

/// A header that the specification defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeaderName {
    /// Its name, case-sensitive.
    pub name: &'static str,
    /// Its data.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

const fn header(name: &'static str, meaning: &'static str, section: &'static str) -> HeaderName {
    HeaderName { name, meaning, section }
}

/// All headers of the specification; any others may stand in SEND and MESSAGE.
pub(crate) const HEADERS: [HeaderName; 19] = [
    header("accept-version", "the versions that the client speaks", "STOMP 1.2, Protocol Negotiation"),
    header("host", "the virtual host that the client wants", "STOMP 1.2, CONNECT or STOMP Frame"),
    header("login", "the name of the user", "STOMP 1.2, CONNECT or STOMP Frame"),
    header("passcode", "the password of the user", "STOMP 1.2, CONNECT or STOMP Frame"),
    header(
        "heart-beat",
        "how often the sender can be heard, and how often it wants to hear, in milliseconds",
        "STOMP 1.2, Heart-beating",
    ),
    header(
        "version",
        "the version of the session; in an ERROR, those that the server speaks",
        "STOMP 1.2, Protocol Negotiation",
    ),
    header("session", "the server's name for this session", "STOMP 1.2, CONNECTED Frame"),
    header("server", "the program that serves", "STOMP 1.2, CONNECTED Frame"),
    header("destination", "where a message goes to, or comes from", "STOMP 1.2, SEND"),
    header(
        "id",
        "the client's name for a subscription; in ACK and NACK, what the MESSAGE had in ack",
        "STOMP 1.2, SUBSCRIBE id Header",
    ),
    header(
        "ack",
        "how messages are acknowledged; in a MESSAGE, what an ACK must repeat",
        "STOMP 1.2, SUBSCRIBE ack Header",
    ),
    header("transaction", "the transaction that this frame belongs to", "STOMP 1.2, BEGIN"),
    header("receipt", "asks for a RECEIPT with this value", "STOMP 1.2, Header receipt"),
    header("receipt-id", "the value that stood in receipt", "STOMP 1.2, RECEIPT"),
    header("message-id", "the server's name for this message", "STOMP 1.2, MESSAGE"),
    header("subscription", "the id of the subscription that gets this message", "STOMP 1.2, MESSAGE"),
    header("message", "what went wrong, in a few words", "STOMP 1.2, ERROR"),
    header("content-length", "how many octets the body has", "STOMP 1.2, Header content-length"),
    header("content-type", "what kind of data the body is", "STOMP 1.2, Header content-type"),
];

/// The entry of a header, compared with regard to case.
pub(crate) fn header_entry(name: &[u8]) -> Option<&'static HeaderName> {
    HEADERS.iter().find(|header| header.name.as_bytes() == name)
}
