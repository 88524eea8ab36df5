//! The interface of a transport: what a row of the table, a client and a server are. A transport names nothing above this file, and
//! `registry.rs` alone names the transports.

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
    /// As it is typed: `long-poll`.
    pub name: &'static str,
    /// What `diff` compares; none: it is not compared.
    pub scripted: Option<Scripted>,
    /// Client and server; none: it has no live ends.
    pub ends: Option<Ends>,
}

/// How a transport carries a message by a script, for the comparison of all of them.
#[derive(Debug)]
pub struct Scripted {
    /// As a heading says it: `HTTP, long polling`.
    pub title: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// Why it is there.
    pub why: &'static str,
    /// What it stands on, from the outside in: `IP`, `TCP`, `HTTP`.
    pub over: &'static [&'static str],
    /// The lesson that shows it.
    pub lesson: &'static str,
    /// Where it is defined.
    pub sources: &'static [&'static str],
    /// How a message is carried.
    pub script: fn(&Sending) -> Result<Script, Cannot>,
    /// What of the receiver's bytes is what, from the outside in.
    pub layers: fn(&[u8], Host) -> Vec<LayerBytes>,
}

/// Connects a client.
pub type NewClient = fn(ClientConfig) -> Result<Box<dyn Client>, Fault>;

/// Makes a server.
pub type NewServer = fn(&Room) -> Result<Arc<dyn Server>, Fault>;

/// Both ends of a transport.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// What it is, in a line.
    pub what: &'static str,
    /// The schemes of the URLs that can be called; the first is meant by an address alone.
    pub schemes: &'static [&'static str],
    /// The path of a URL that names none.
    pub path: &'static str,
    /// Whether a server can send by itself, so that what one says can reach all.
    pub pushes: bool,
    /// Whether it has acknowledgements that can be asked for.
    pub acknowledges: bool,
    /// Options of its own, for `--set NAME=VALUE`: the name, and what it is for.
    pub options: &'static [(&'static str, &'static str)],
    /// Calls a server; or why there is no client.
    pub client: Result<NewClient, &'static str>,
    /// Makes a server, for these terms and options; or why there is none.
    pub server: Result<NewServer, &'static str>,
}

impl Ends {
    /// Whether the clients are web pages alone, which the server serves as well.
    pub fn is_for_browsers(&self) -> bool {
        self.client.is_err()
    }
}

/// Whom a client calls, and how.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The addresses to be tried, in this order.
    pub to: Vec<SocketAddr>,
    /// The scheme of the URL, `ws`; if an address was given, the first that the transport has.
    pub scheme: String,
    /// Host and port, as they stand in the line `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Ask for acknowledgements.
    pub ack: bool,
    /// How often the client shows that it is alive, where that is its choice.
    pub beat: Duration,
    /// The largest message that is taken, in bytes.
    pub message: u64,
    /// A connection, or an answer to a handshake, has to come in this time.
    pub within: Duration,
    /// What the transport is told besides, by name.
    pub options: BTreeMap<String, String>,
    /// Tells what happens.
    pub news: Reporter,
}

impl ClientConfig {
    /// Connects.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub fn connect(&self) -> Result<Arc<Connection>, Fault> {
        Connection::call(&self.to, self.within, &self.news)
    }

    /// An option of the transport's own, or what it is if it was not given.
    pub fn option<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.options.get(name).map_or(usual, String::as_str)
    }
}

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseMode {
    /// With all the goodbyes of its protocol.
    Orderly,
    /// With a RST, in the middle of it.
    Abrupt,
}

/// What a client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(Message),
    /// Something that it sent has arrived, in words.
    Acknowledged(String),
    /// Something that says nothing by itself: a sign of life, a handshake of some layer.
    Other,
    /// Nothing came in time.
    Nothing,
    /// The server has ended it.
    Closed {
        /// As the protocol wants it.
        orderly: bool,
        /// In words.
        why: String,
    },
}

/// A client: one thread uses it.
pub trait Client {
    /// Says something; with `ack`, the answer to it comes as [`Heard::Acknowledged`].
    ///
    /// # Errors
    /// If it can't be sent.
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault>;

    /// The next that comes, at most until then. Meanwhile it answers what has to be answered, and shows that it is alive when that is due.
    ///
    /// # Errors
    /// A cut connection, a broken rule, or a server that is silent for longer than the protocol lets it.
    fn hear(&mut self, until: Instant) -> Result<Heard, Fault>;

    /// How many answers are still to come: acknowledgements, or responses.
    fn awaits(&self) -> usize {
        0
    }

    /// Leaves. Whatever is called then has nobody to talk to.
    ///
    /// # Errors
    /// If the goodbye can't be said, or is not answered.
    fn end(&mut self, how: CloseMode) -> Result<(), Fault>;

    /// Connects again after a cut, with all that it knows from before.
    ///
    /// # Errors
    /// As the first time.
    fn again(&mut self) -> Result<(), Fault>;

    /// How long to wait before the `attempt`th try, counted from 1: some servers say so themselves.
    fn pause(&self, attempt: u32) -> Duration {
        // Twice as long each time, so that a server that comes back is not run over; see RFC 6455 §7.2.3.
        Duration::from_millis(200).saturating_mul(1 << attempt.saturating_sub(1).min(6))
    }
}

/// How the serving of a line ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// As the protocol wants it.
    pub orderly: bool,
    /// In words.
    pub why: String,
}

impl Ending {
    /// As the protocol wants it.
    pub fn orderly(why: impl Into<String>) -> Ending {
        Ending { orderly: true, why: why.into() }
    }

    /// Not as it wants it.
    pub fn abrupt(why: impl Into<String>) -> Ending {
        Ending { orderly: false, why: why.into() }
    }
}

/// A server: each connection has a thread that serves it, so it is shared by many.
pub trait Server: Send + Sync {
    /// Serves a connection to its end; all goodbyes are said when it returns, or the fault is told. The line is closed afterwards.
    ///
    /// # Errors
    /// What broke it off.
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault>;

    /// What takes the datagrams of all, where there are no connections; then [`Server::serve`] is never called.
    fn post(&self) -> Option<&dyn DatagramServer> {
        None
    }
}

/// A server without connections: one socket for everybody.
pub trait DatagramServer: Send + Sync {
    /// Takes and answers datagrams until the room is closed.
    ///
    /// # Errors
    /// If nothing more can be received.
    fn take_all(&self, socket: &UdpSocket, room: &Arc<Room>) -> io::Result<()>;
}

/// What a person says meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Nothing yet.
    Nothing,
    /// A line.
    Line(String),
    /// There will be no more lines.
    End,
}

/// Who is told, and says when it is enough.
pub trait Onlooker {
    /// Prose, in Markdown.
    fn say(&mut self, text: &str);
    /// What happened.
    fn tell(&mut self, news: &[News]);
    /// Whether it is to end.
    fn stopped(&mut self) -> bool;
    /// Waits for a word of the person, at most so long.
    fn hear(&mut self, most: Duration) -> Word;
}
