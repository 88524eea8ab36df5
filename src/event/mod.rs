//! What happened: the events of a run, and their form as JSON Lines.
//!
//! A run is a list of [`Event`]s and nothing else. The screen, the file behind `--trace` and a replay are all
//! made of the same events, so they can't disagree. `docs/trace.md` is the promise to other programs.

use std::fmt;

use serde::{Deserialize, Serialize};

mod cable;
mod call;
mod class;
mod hex;
mod lines;
mod socket;
mod upgrade;

pub use cable::{Became, Cause, Fate, Frame, Setting, Wire};
pub use call::{Arg, Blocked, Call, KnownBy, Return, Source, Value};
pub use class::{Ending, Peer, Phase};
pub use lines::{ReadError, Reader, Writer};
pub use socket::{Socket, SocketOption, TcpInfo};
pub use upgrade::{Message, Requirement, Row, Working};

/// The version of the trace format, written into every `lesson` event.
///
/// It goes up when a field or an event changes its meaning or goes away; new fields and events may come without.
pub const FORMAT: u32 = 1;

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Microseconds since the lesson's own event: a tour writes several lessons into one trace.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A lesson begins.
    Lesson(Lesson),
    /// A part of the lesson begins.
    Part(Part),
    /// A step of the lesson begins: a call, or a step of the WebSocket upgrade.
    Step(Step),
    /// Prose of the lesson.
    Narration {
        /// The text, in Markdown.
        markdown: String,
    },
    /// A call is about to be made.
    Call(Call),
    /// A call has not returned: it waits in the kernel.
    Blocked(Blocked),
    /// A call has returned.
    Return(Return),
    /// What the kernel says of a socket now; written when it differs from what it said before.
    Socket(Socket),
    /// Something worked out by hand, value by value: a key, a mask, the fields of a frame.
    Working(Working),
    /// A requirement of the WebSocket opening handshake, and how it was judged.
    Upgrade(Requirement),
    /// A WebSocket message, or a violation of the protocol.
    Message(Message),
    /// A frame that a host sent, as it came to the cable.
    Frame(Frame),
    /// What became of a frame on the cable.
    Fate(Fate),
    /// Something was done to the cable.
    Wire(Wire),
    /// A setting of a host's kernel was changed.
    Setting(Setting),
    /// Somebody who is connected to a live server: who came, who left and how, with how many bytes.
    Peer(Peer),
    /// A claim of the lesson, held against the kernel.
    Check(Check),
    /// A prediction is asked for.
    Question(Question),
    /// The prediction, and what is right.
    Answer(Answer),
    /// The lesson ends.
    End(End),
}

/// Which of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// The one that calls.
    Client,
    /// The one that is called.
    Server,
}

impl Host {
    /// Both, in the order in which they stand on the screen.
    pub const ALL: [Host; 2] = [Host::Client, Host::Server];

    /// The other one.
    pub fn other(self) -> Host {
        match self {
            Host::Client => Host::Server,
            Host::Server => Host::Client,
        }
    }

    /// `client` or `server`, as in a lesson file.
    pub fn name(self) -> &'static str {
        match self {
            Host::Client => "client",
            Host::Server => "server",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `lesson`: which lesson runs, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lesson {
    /// The trace format, see [`FORMAT`].
    pub format: u32,
    /// The version of the program that wrote this.
    pub sockwalk: String,
    /// The operating system, as Rust names it: `linux`, `macos`, `windows`.
    pub system: String,
    /// The lesson's name, or the file's.
    pub name: String,
    /// One line on what it is about.
    pub title: String,
    /// The language of its text, as a BCP 47 tag.
    pub language: String,
    /// Where it runs: `cable`, `loopback` or `live`.
    pub stage: String,
    /// Nanoseconds from 1970 (UTC) to the moment from which the times of this lesson count, by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// How many parts it has.
    pub parts: usize,
    /// How many steps it has in all.
    pub steps: usize,
    /// Man pages and RFC sections that it leans on.
    pub sources: Vec<String>,
}

/// `part`: a scene of a lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// Counted from 1.
    pub number: usize,
    /// Its heading.
    pub title: String,
    /// False for a part that is run only to get the sockets to where a later part begins.
    pub shown: bool,
}

/// `step`: the line of the lesson that is done now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// Counted from 1 over the whole lesson.
    pub number: usize,
    /// The line in the lesson file.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// True for a step that only prepares what is asked for: it is told in a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

/// `check`: a claim and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// The claim as the lesson writes it.
    pub text: String,
    /// The line in the lesson file.
    pub line: usize,
    /// Null where this system cannot say.
    pub holds: Option<bool>,
    /// What was there instead, or why it cannot be seen; empty if it holds and there is no more to say.
    pub observed: String,
}

/// `question`: a prediction asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Question {
    /// In Markdown.
    pub text: String,
    /// The answers to choose from, in Markdown.
    pub options: Vec<String>,
}

/// `answer`: shown when the steps behind the question have run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// The option chosen, counted from 0; null if nobody was asked.
    pub given: Option<usize>,
    /// The right option, counted from 0.
    pub right: usize,
    /// Its text, in Markdown.
    pub text: String,
}

/// `end`: the sum of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// Claims held against the kernel.
    pub checks: usize,
    /// Of these, how many did not hold.
    pub failed: usize,
    /// Of these, how many this system could not show.
    pub not_seen: usize,
    /// True if the lesson was left before its end.
    #[serde(default)]
    pub left: bool,
}

/// Where events go as they happen.
pub trait Sink {
    /// Takes one event. Errors are kept by the sink and told by it at the end: a full disk ends no lesson.
    fn take(&mut self, event: &Event);
}

impl Sink for Vec<Event> {
    fn take(&mut self, event: &Event) {
        self.push(event.clone());
    }
}

/// Runs of events handed on to several sinks, in order.
impl Sink for Vec<Box<dyn Sink + '_>> {
    fn take(&mut self, event: &Event) {
        for sink in self {
            sink.take(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/trace.schema.json` is a promise to other programs: it is made from the types, and this test holds them together.
    #[test]
    fn the_schema_in_docs_is_that_of_the_types() {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Event)).unwrap() + "\n";
        snapbox::assert_data_eq!(schema, snapbox::file!["../../docs/trace.schema.json"].raw());
    }
}
