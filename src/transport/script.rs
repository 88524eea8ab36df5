//! Scripts: the lines by which both ends carry a message, call by call, grouped by purpose. Each transport
//! has one file.

use std::time::Duration;

use thiserror::Error;

use crate::random::NoRandomness;
use crate::{event::Host, lesson};

/// Length in bytes from which the receiver must receive while the sender sends: no buffer is guaranteed to
/// hold more.
pub const BUFFERED: usize = 32 << 10;

/// The messages to carry.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Each message, in order.
    pub messages: Vec<Vec<u8>>,
    /// Whether the messages are bytes, not text.
    pub binary: bool,
    /// The sending host.
    pub from: Host,
    /// Pause of a polling client between two requests.
    pub interval: Duration,
}

impl Sending {
    /// Returns the first message, as the example of all.
    pub fn first(&self) -> &[u8] {
        self.messages.first().map_or(&[], Vec::as_slice)
    }

    /// Returns the messages as text.
    ///
    /// # Errors
    /// Fails if a message is no text, or if the messages are to be carried as bytes: `transport` carries text
    /// only.
    pub fn texts(&self, transport: &str) -> Result<Vec<&str>, Cannot> {
        if self.binary {
            return Err(Cannot(format!("{transport} carries text, no bytes")));
        }
        let text = |message: &'_ Vec<u8>| {
            std::str::from_utf8(message)
                .map(|_| ())
                .map_err(|_| Cannot(format!("{transport} carries text, and this is no UTF-8")))
        };
        self.messages.iter().try_for_each(text)?;
        Ok(self.messages.iter().filter_map(|message| std::str::from_utf8(message).ok()).collect())
    }
}

/// Why a transport can't carry a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Cannot(pub String);

impl From<NoRandomness> for Cannot {
    fn from(error: NoRandomness) -> Cannot {
        Cannot(error.to_string())
    }
}

/// The lines, grouped by purpose. Both ends exist from the beginning. What is still open after the last line
/// is closed.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The setup before the first message.
    pub open: Vec<String>,
    /// The transfer of the messages.
    pub talk: Vec<String>,
    /// The steps by which the client becomes able to receive.
    pub listen: Vec<String>,
    /// The lines from the moment at which the server has a message until the client has it. Empty if the
    /// server can't send unasked.
    pub news: Vec<String>,
    /// The traffic of an idle connection.
    pub idle: Vec<String>,
    /// The two ends of each TCP connection: the client's socket and the server's.
    pub streams: Vec<(&'static str, &'static str)>,
    /// The close.
    pub close: Vec<String>,
    /// The intervals that the lines stand for.
    pub times: Times,
    /// Whether the hosts may open raw sockets.
    pub raw: bool,
}

/// Intervals of repeated traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// Interval of the idle traffic. `None`: there is none.
    pub beat: Option<Duration>,
    /// The source of the interval.
    pub beat_says: &'static str,
}

/// A builder of lines.
#[derive(Debug, Default)]
pub struct Lines {
    lines: Vec<String>,
    /// Number of background results so far.
    results: usize,
}

impl Lines {
    /// Adds a line.
    pub fn say(&mut self, line: impl Into<String>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    /// Adds `send` at one end and `recv` at the other, until all bytes have arrived.
    pub fn pass(&mut self, from: Host, mine: &str, theirs: &str, bytes: &[u8]) -> &mut Self {
        let (to, length) = (from.other(), bytes.len());
        if bytes.is_empty() {
            return self;
        }
        let send = format!("{from}$ send {mine} {}", lesson::escaped(bytes));
        if length <= BUFFERED {
            return self.say(send).say(format!("{to}$ recv_exactly {theirs} {length}"));
        }
        let name = self.name();
        self.say(format!("{to}$ {name} = recv_exactly {theirs} {length} &"))
            .say(send)
            .say(format!("{to}$ wait {name} within 60s => ok"))
    }

    /// Adds a WebSocket frame from one end to the other, both encoded by hand.
    pub fn frame(
        &mut self,
        from: Host,
        (mine, theirs): (&str, &str),
        kind: &str,
        payload: &[u8],
    ) -> &mut Self {
        let to = from.other();
        let send = format!("{from}$ ws frame {mine} {kind} {}", lesson::escaped(payload));
        if payload.len() <= BUFFERED {
            return self.say(send).say(format!("{to}$ ws unframe {theirs}"));
        }
        let name = self.name();
        self.say(format!("{to}$ {name} = ws unframe {theirs} &"))
            .say(send)
            .say(format!("{to}$ wait {name} within 60s => ok"))
    }

    /// Returns a new name for a background result.
    pub fn name(&mut self) -> String {
        self.results += 1;
        format!("r{}", self.results)
    }

    /// Returns the lines so far, and clears the builder.
    pub fn done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// Returns the lines for a listening server and a client that is connected by TCP: `c` and `conn`.
pub fn connected() -> Vec<String> {
    let mut lines = Lines::default();
    lines.say("server$ s = socket tcp").say("server$ bind s :7000").say("server$ listen s 4");
    lines.lines.extend(connection("c", "conn"));
    lines.done()
}

/// Returns the lines for one more connection to the listening socket `s`.
pub fn connection(client: &str, server: &str) -> [String; 5] {
    // With Nagle's algorithm, a second small send would wait for the acknowledgement of the first, in every
    // transport.
    [
        format!("client$ {client} = socket tcp"),
        format!("client$ connect {client} server:7000"),
        format!("server$ {server} = accept s"),
        format!("client$ setsockopt {client} TCP_NODELAY 1"),
        format!("server$ setsockopt {server} TCP_NODELAY 1"),
    ]
}

/// Returns the socket of the sender and that of the receiver.
pub fn sockets(from: Host) -> (&'static str, &'static str) {
    match from {
        Host::Client => ("c", "conn"),
        Host::Server => ("conn", "c"),
    }
}
