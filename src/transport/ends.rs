//! How are both ends of a transport plugged in? A client is something that says and hears, a server something that serves a line.
//!
//! [`call`] is `sockwalk client PROTOCOL`, [`serve`] is `sockwalk serve PROTOCOL`; both know nothing of any transport but its [`Ends`]. To
//! add one: write `transport/NAME/client.rs` and `transport/NAME/server.rs`, and a row in [`ENDS`].

mod calling;
mod serving;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

pub use calling::{Call, call};
pub use serving::{NotServed, Serve, serve};

use super::line::{
    Fault, Line, News, Reporter,
    room::{Message, Room},
};

/// Both ends of a transport.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// As it is typed.
    pub name: &'static str,
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
    /// Calls a server.
    pub client: fn(Calling) -> Result<Box<dyn Client>, Fault>,
    /// Makes a server, for these terms and options.
    pub server: fn(&Room) -> Result<Arc<dyn Server>, Fault>,
}

impl Ends {
    /// Whether its clients are browsers alone: there is a page for them.
    pub fn is_for_browsers(&self) -> bool {
        self.name == super::news::ENDS.name
    }
}

/// All of them, in the order in which they are taught.
pub const ENDS: &[Ends] = &[
    super::tcp::ENDS,
    super::udp::ENDS,
    super::icmp::ENDS,
    super::http::ENDS,
    super::poll::SHORT,
    super::poll::LONG,
    super::sse::ENDS,
    super::websocket::ENDS,
    super::news::ENDS,
    super::socketio::ENDS,
    super::sockjs::ENDS,
    super::stomp::ENDS,
];

/// The ends with this name.
pub fn find(name: &str) -> Option<&'static Ends> {
    ENDS.iter().find(|ends| ends.name == name)
}

/// Whom a client calls, and how.
#[derive(Debug, Clone)]
pub struct Calling {
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

impl Calling {
    /// Connects.
    ///
    /// # Errors
    /// As [`Line::call`].
    pub fn connect(&self) -> Result<Arc<Line>, Fault> {
        Line::call(&self.to, self.within, &self.news)
    }

    /// An option of the transport's own, or what it is if it was not given.
    pub fn option<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.options.get(name).map_or(usual, String::as_str)
    }
}

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
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
    Over {
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
    fn end(&mut self, how: Leaving) -> Result<(), Fault>;

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
pub struct Over {
    /// As the protocol wants it.
    pub orderly: bool,
    /// In words.
    pub why: String,
}

impl Over {
    /// As the protocol wants it.
    pub fn orderly(why: impl Into<String>) -> Over {
        Over { orderly: true, why: why.into() }
    }

    /// Not as it wants it.
    pub fn abrupt(why: impl Into<String>) -> Over {
        Over { orderly: false, why: why.into() }
    }
}

/// A server: each connection has a thread that serves it, so it is shared by many.
pub trait Server: Send + Sync {
    /// Serves a connection to its end; all goodbyes are said when it returns, or the fault is told. The line is closed afterwards.
    ///
    /// # Errors
    /// What broke it off.
    fn serve(&self, line: &Arc<Line>, room: &Arc<Room>) -> Result<Over, Fault>;

    /// What takes the datagrams of all, where there are no connections; then [`Server::serve`] is never called.
    fn post(&self) -> Option<&dyn Post> {
        None
    }
}

/// A server without connections: one socket for everybody.
pub trait Post: Send + Sync {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_has_a_name_of_its_own_and_a_scheme() {
        for (index, ends) in ENDS.iter().enumerate() {
            assert!(!ends.what.is_empty() && !ends.schemes.is_empty() && ends.path.starts_with('/'));
            assert!(ENDS[..index].iter().all(|other| other.name != ends.name), "{}", ends.name);
            assert_eq!(find(ends.name).map(|found| found.name), Some(ends.name));
        }
        assert!(find("nothing").is_none());
    }
}
