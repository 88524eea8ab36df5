//! The interface of a transport: a row of the table, a client and a server. A transport uses nothing above
//! this file. Only `registry.rs` names the transports.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{event::Host, wire::LayerBytes};

use super::{
    connection::{Connection, Fault},
    events::{News, Reporter},
    message::Message,
    room::Room,
    script::{Cannot, Script, Sending},
};

/// A row of the table of transports.
#[derive(Debug)]
pub struct Transport {
    /// The name on the command line: `long-poll`.
    pub name: &'static str,
    /// The script that `diff` compares. `None`: `diff` does not offer this transport.
    pub scripted: Option<Scripted>,
    /// The client and the server. `None`: the transport has no live ends.
    pub ends: Option<Ends>,
}

/// The script by which a transport carries a message, for `diff`.
#[derive(Debug)]
pub struct Scripted {
    /// The heading: `HTTP, long polling`.
    pub title: &'static str,
    /// One sentence about the transport.
    pub about: &'static str,
    /// Why the transport exists.
    pub why: &'static str,
    /// The layers below it, outermost first: `IP`, `TCP`, `HTTP`.
    pub over: &'static [&'static str],
    /// The lesson that shows the transport.
    pub lesson: &'static str,
    /// The specifications that define it.
    pub sources: &'static [&'static str],
    /// Returns the script that carries a message.
    pub script: fn(&Sending) -> Result<Script, Cannot>,
    /// Splits the receiver's bytes into layers, outermost first.
    pub layers: fn(&[u8], Host) -> Vec<LayerBytes>,
}

/// Connects a client.
pub type NewClient = fn(ClientConfig) -> Result<Box<dyn Client>, Fault>;

/// Makes a server.
pub type NewServer = fn(&Room) -> Result<Arc<dyn Server>, Fault>;

/// Both ends of a transport.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// One line about the transport.
    pub what: &'static str,
    /// The URL schemes that the client accepts. An address without a scheme means the first.
    pub schemes: &'static [&'static str],
    /// The default path of a URL without a path.
    pub path: &'static str,
    /// Whether the server can send unasked, so that a message of one client can reach all.
    pub pushes: bool,
    /// Whether the protocol has acknowledgements that the client can request.
    pub acknowledges: bool,
    /// The transport's own options for `--set NAME=VALUE`: the name and the purpose.
    pub options: &'static [(&'static str, &'static str)],
    /// Connects a client, or the reason why there is no client.
    pub client: Result<NewClient, &'static str>,
    /// Makes a server for the terms and options of a room, or the reason why there is no server.
    pub server: Result<NewServer, &'static str>,
}

impl Ends {
    /// Returns whether web pages, which the server serves as well, are the only clients.
    pub fn is_for_browsers(&self) -> bool {
        self.client.is_err()
    }
}

/// The server that a client connects to, and the options of the client.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The addresses to try, in this order.
    pub to: Vec<SocketAddr>,
    /// The scheme of the URL, such as `ws`. For a bare address, the transport's first scheme.
    pub scheme: String,
    /// Host and port, as the `Host` header field has them.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Whether to request acknowledgements.
    pub ack: bool,
    /// Interval of the client's heartbeats, where the protocol lets the client choose it.
    pub beat: Duration,
    /// The largest message that the client accepts, in bytes.
    pub message: u64,
    /// Time limit for a connection, and for the answer to a handshake.
    pub within: Duration,
    /// The transport's own options, by name.
    pub options: BTreeMap<String, String>,
    /// Reports what happens.
    pub news: Reporter,
}

impl ClientConfig {
    /// Connects over TCP.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub fn connect(&self) -> Result<Arc<Connection>, Fault> {
        Connection::call(&self.to, self.within, &self.news)
    }

    /// Returns the value of an option of the transport, or `usual` if the option was not given.
    pub fn option<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.options.get(name).map_or(usual, String::as_str)
    }
}

/// How a client closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseMode {
    /// With the closing handshake of each layer.
    Orderly,
    /// With a RST, without a closing handshake.
    Abrupt,
}

/// What a client received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(Message),
    /// The server acknowledged something that the client sent; in words.
    Acknowledged(String),
    /// A unit without content of its own: a heartbeat, or a handshake of some layer.
    Other,
    /// Nothing arrived in time.
    Nothing,
    /// The server closed the connection.
    Closed {
        /// Whether the close followed the protocol.
        orderly: bool,
        /// The reason, in words.
        why: String,
    },
}

/// A client, used by one thread.
pub trait Client {
    /// Sends a message. With `ack`, the acknowledgement arrives as [`Heard::Acknowledged`].
    ///
    /// # Errors
    /// Fails if the message can't be sent.
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault>;

    /// Waits up to `until` for what arrives next. Meanwhile the client answers what the protocol wants
    /// answered, and sends heartbeats when they are due.
    ///
    /// # Errors
    /// Fails if the connection is cut, if the server breaks a rule, or if the server is silent for longer
    /// than the protocol allows.
    fn hear(&mut self, until: Instant) -> Result<Heard, Fault>;

    /// Returns the number of outstanding answers: acknowledgements or responses.
    fn awaits(&self) -> usize {
        0
    }

    /// Closes the connection. Nothing can be sent or received afterwards.
    ///
    /// # Errors
    /// Fails if the closing handshake can't be sent, or is not answered.
    fn end(&mut self, how: CloseMode) -> Result<(), Fault>;

    /// Connects again after a cut, with the state from before.
    ///
    /// # Errors
    /// Fails as the first connection does.
    fn again(&mut self) -> Result<(), Fault>;

    /// Returns the delay before attempt `attempt`, counted from 1. Some servers set the delay themselves.
    fn pause(&self, attempt: u32) -> Duration {
        // The delay doubles with each attempt, so that clients do not overload a server that restarts; see
        // RFC 6455 §7.2.3.
        Duration::from_millis(200).saturating_mul(1 << attempt.saturating_sub(1).min(6))
    }
}

/// How a connection of a server ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Whether the end followed the protocol.
    pub orderly: bool,
    /// The reason, in words.
    pub why: String,
}

impl Ending {
    /// Returns an ending that followed the protocol.
    pub fn orderly(why: impl Into<String>) -> Ending {
        Ending { orderly: true, why: why.into() }
    }

    /// Returns an ending that did not follow the protocol.
    pub fn abrupt(why: impl Into<String>) -> Ending {
        Ending { orderly: false, why: why.into() }
    }
}

/// A server. Each connection has its own thread, and all these threads share the server.
pub trait Server: Send + Sync {
    /// Serves a connection until it ends. When this returns, the closing handshake is done, or the peer was
    /// told the fault. The caller then closes the connection.
    ///
    /// # Errors
    /// Fails with the fault that ended the connection.
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault>;

    /// Returns the datagram server of a transport without connections. [`Server::serve`] is never called
    /// then.
    fn post(&self) -> Option<&dyn DatagramServer> {
        None
    }
}

/// A server without connections: one socket for all clients.
pub trait DatagramServer: Send + Sync {
    /// Receives and answers datagrams until the room is closed.
    ///
    /// # Errors
    /// Fails if the socket can't receive any more.
    fn take_all(&self, socket: &UdpSocket, room: &Arc<Room>) -> io::Result<()>;
}

/// The user's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Nothing yet.
    Nothing,
    /// One line.
    Line(String),
    /// End of input.
    End,
}

/// The view of a running end: it shows the events, reads the user's input and requests the end.
pub trait Onlooker {
    /// Shows prose in Markdown.
    fn say(&mut self, text: &str);
    /// Shows events.
    fn tell(&mut self, news: &[News]);
    /// Returns whether the end was requested.
    fn stopped(&mut self) -> bool;
    /// Waits up to `most` for the user's input.
    fn hear(&mut self, most: Duration) -> Word;
}
