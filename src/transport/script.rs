//! Scripts: the lines by which both ends carry a message, call by call, and what they are for. One file a transport.

use std::time::Duration;

use thiserror::Error;

use crate::random::NoRandomness;
use crate::{event::Host, lesson};

/// From so many bytes on somebody has to receive while they are sent: no buffer is sure to take more.
pub const BUFFERED: usize = 32 << 10;

/// What is to be carried.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Each message, in order.
    pub messages: Vec<Vec<u8>>,
    /// They are bytes, not text.
    pub binary: bool,
    /// Who sends.
    pub from: Host,
    /// How long a polling client pauses between two questions.
    pub interval: Duration,
}

impl Sending {
    /// The message that stands for any: the first.
    pub fn first(&self) -> &[u8] {
        self.messages.first().map_or(&[], Vec::as_slice)
    }

    /// The messages as text.
    ///
    /// # Errors
    /// If one is none, or if they are to go as bytes: `transport` takes text alone.
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

/// Why a transport can't take a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Cannot(pub String);

impl From<NoRandomness> for Cannot {
    fn from(error: NoRandomness) -> Cannot {
        Cannot(error.to_string())
    }
}

/// The lines, by what they are for. Both ends are there from the first on; what is left open at the end is closed.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What has to be done before a message can go.
    pub open: Vec<String>,
    /// The messages, from one end to the other.
    pub talk: Vec<String>,
    /// The client does what lets it hear.
    pub listen: Vec<String>,
    /// From the moment at which the server has a message for the client until the client has it. Empty: it can't be told unasked.
    pub news: Vec<String>,
    /// What happens when nothing is said.
    pub idle: Vec<String>,
    /// The two ends of each TCP connection: the client's socket and the server's.
    pub streams: Vec<(&'static str, &'static str)>,
    /// How it ends.
    pub close: Vec<String>,
    /// What these lines stand for in time.
    pub times: Times,
    /// The hosts may open raw sockets.
    pub raw: bool,
}

/// How often something happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// What happens when nothing is said happens so often; none: never.
    pub beat: Option<Duration>,
    /// Who says so.
    pub beat_says: &'static str,
}

/// Lines, as they are put together.
#[derive(Debug, Default)]
pub struct Lines {
    lines: Vec<String>,
    /// Results in the background so far.
    results: usize,
}

impl Lines {
    /// Adds a line.
    pub fn say(&mut self, line: impl Into<String>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    /// `send` at one end and `recv` at the other, until all of it is there.
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

    /// A WebSocket frame from one end to the other, both by hand.
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

    /// A name for what goes on in the background.
    pub fn name(&mut self) -> String {
        self.results += 1;
        format!("r{}", self.results)
    }

    /// Returns the lines so far, and begins anew.
    pub fn done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// A server that listens, and a client that is connected to it by TCP: `c` and `conn`.
pub fn connected() -> Vec<String> {
    let mut lines = Lines::default();
    lines.say("server$ s = socket tcp").say("server$ bind s :7000").say("server$ listen s 4");
    lines.lines.extend(connection("c", "conn"));
    lines.done()
}

/// One more connection to the server's listening socket `s`.
pub fn connection(client: &str, server: &str) -> [String; 5] {
    // Nagle's algorithm would hold a second small send back until the first is acknowledged, for every transport.
    [
        format!("client$ {client} = socket tcp"),
        format!("client$ connect {client} server:7000"),
        format!("server$ {server} = accept s"),
        format!("client$ setsockopt {client} TCP_NODELAY 1"),
        format!("server$ setsockopt {server} TCP_NODELAY 1"),
    ]
}

/// The sender's socket, and the receiver's.
pub fn sockets(from: Host) -> (&'static str, &'static str) {
    match from {
        Host::Client => ("c", "conn"),
        Host::Server => ("conn", "c"),
    }
}
