//! What is taught: a lesson file becomes narration, steps and checks. Parsing only: nothing runs here.
//!
//! A lesson is Markdown that reads well by itself. Front matter names it, `##` headings are its parts, fenced `sock`
//! blocks its steps, `predict` blocks ask before they tell. `docs/lessons.md` teaches the notation to authors;
//! `grammar` has every word of it.

mod builtin;
mod diagnostic;
pub mod grammar;
mod lint;
mod parse;
mod statement;
mod token;

pub use builtin::{Builtin, builtin, find};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use parse::{Front, LARGEST, parse};
pub use statement::{escaped, step, unescaped};

use crate::{
    call::{self, Grammar, Target},
    event::Host,
    websocket,
};

pub use crate::call::{At, Place};

/// A lesson, parsed and checked as far as it can be without running it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The file that it came from.
    pub file: String,
    /// What the front matter says.
    pub front: Front,
    /// Prose before the first part.
    pub intro: Vec<Block>,
    /// At least one.
    pub parts: Vec<Part>,
}

impl Lesson {
    /// All steps, in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.parts.iter().flat_map(|part| &part.blocks).flat_map(|block| match block {
            Block::Steps(steps) => steps.as_slice(),
            _ => &[],
        })
    }
}

/// A scene of a lesson: three to five minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// What it is made of.
    pub blocks: Vec<Block>,
}

/// A piece of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Markdown, with `{placeholders}` for what only the run knows.
    Prose(String),
    /// The lines of a `sock` block.
    Steps(Vec<Step>),
    /// A question asked before the next steps show the answer.
    Predict(Predict),
}

/// A question with its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// In Markdown.
    pub question: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// Index of the right one.
    pub right: usize,
}

/// One line of a `sock` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// In the file, counted from 1.
    pub line: usize,
    /// The line as written, without its comment.
    pub text: String,
    /// What is to be done.
    pub what: Statement,
}

impl Step {
    /// Whether it only claims something, and does nothing.
    pub fn is_claim(&self) -> bool {
        matches!(self.what, Statement::Check(_) | Statement::CheckWire(_))
    }
}

/// What a step asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `server$ conn = accept s => …`
    Act(Act),
    /// `server$ wait r => …`
    Wait {
        /// Whose call it is.
        host: Host,
        /// The name that the call in the background was given.
        result: String,
        /// What it must have returned; success if empty.
        expect: Vec<Expected>,
        /// Milliseconds until it is ended, if the line says so.
        within: Option<u64>,
    },
    /// `check server.s LISTEN accept_queue=0`
    Check(Claim),
    /// `wire$ deliver SYN,ACK`
    Wire {
        /// What is done.
        act: WireAct,
        /// Milliseconds that its frames are waited for, if the line says so.
        within: Option<u64>,
    },
    /// `check wire client>server SYN`
    CheckWire(WireClaim),
    /// `client$ sysctl net.ipv4.tcp_syn_retries 2`
    Sysctl {
        /// Whose kernel.
        host: Host,
        /// As sysctl(8) names it.
        name: String,
        /// What it is to become.
        value: String,
    },
}

/// Something done to the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireAct {
    /// From now on every frame waits.
    Hold,
    /// Held frames cross, in their order.
    Deliver(Which),
    /// Held frames are taken away.
    Drop(Which),
    /// Held frames cross twice.
    Duplicate(Which),
    /// Held frames cross with a wrong bit in them.
    Corrupt(Which),
    /// All held frames cross, the newest first.
    Reorder,
    /// From now on every frame takes so many milliseconds.
    Delay(u64),
    /// From now on every frame is lost.
    Cut,
    /// The cable is as new: what is held crosses, and nothing is held, slow or lost any more.
    Mend,
}

impl WireAct {
    /// Its word in the notation.
    pub fn name(&self) -> &'static str {
        match self {
            WireAct::Hold => "hold",
            WireAct::Deliver(_) => "deliver",
            WireAct::Drop(_) => "drop",
            WireAct::Duplicate(_) => "duplicate",
            WireAct::Corrupt(_) => "corrupt",
            WireAct::Reorder => "reorder",
            WireAct::Delay(_) => "delay",
            WireAct::Cut => "cut",
            WireAct::Mend => "mend",
        }
    }

    /// Which frames it is about, if it chooses.
    pub fn which(&self) -> Option<&Which> {
        match self {
            WireAct::Deliver(which)
            | WireAct::Drop(which)
            | WireAct::Duplicate(which)
            | WireAct::Corrupt(which) => Some(which),
            _ => None,
        }
    }
}

/// Which of the held frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// So many, the oldest first.
    Oldest(usize),
    /// All of them.
    All,
    /// The oldest that looks like this.
    Like(FramePattern),
}

/// What a frame looks like. What is not said may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FramePattern {
    /// Who sent it.
    pub from: Option<Host>,
    /// `SYN,ACK`: these flags of TCP and no others, but for PSH, which is only compared if it is named. Bits as in the header.
    pub flags: Option<u8>,
    /// `data`, `ARP`, `ICMP`, `UDP`: one of [`grammar::FRAMES`].
    pub kind: Option<&'static str>,
    /// `again`: it repeats what was sent before.
    pub again: bool,
    /// `len=5`
    pub values: Vec<(grammar::FrameKey, Compare, i64)>,
    /// `held`, `dropped`: one of [`grammar::FATES`].
    pub fate: Option<&'static str>,
}

/// A claim about the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireClaim {
    /// True: wait until all is settled and look once. False: wait until it holds, up to a deadline.
    pub still: bool,
    /// What.
    pub what: WireWanted,
    /// Milliseconds that it is waited for, if the line says so.
    pub within: Option<u64>,
    /// On which systems or stages; everywhere if empty.
    pub on: Vec<&'static str>,
}

/// What is claimed of the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireWanted {
    /// A frame like this came, behind the one that the last such claim found.
    Frame(FramePattern),
    /// `quiet`: no frame has come since the last call, or the last thing done to the cable.
    Quiet,
    /// `held=2`: so many frames wait.
    Held(Compare, i64),
}

/// A call, or a step of the WebSocket upgrade.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Who does it.
    pub host: Host,
    /// The name for what it returns.
    pub result: Option<String>,
    /// The name of the socket or WebSocket that the call is on. Some unless the call's grammar says [`On::Nothing`].
    ///
    /// [`On::Nothing`]: call::On::Nothing
    pub on: Option<String>,
    /// Which call, with its arguments.
    pub call: Call,
    /// `&`: on a thread of its own.
    pub background: bool,
    /// Milliseconds until it is ended, if the line says so.
    pub within: Option<u64>,
    /// What it must return; success if empty.
    pub expect: Vec<Expected>,
}

/// A call as a lesson writes it, without the name of its socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// A socket call.
    Socket(call::Call<Target>),
    /// A step of the WebSocket upgrade.
    WebSocket(websocket::Step),
}

impl Call {
    /// The notation of this call.
    pub fn grammar(&self) -> &'static Grammar {
        match self {
            Call::Socket(call) => call.grammar(),
            Call::WebSocket(step) => step.grammar(),
        }
    }
}

/// What a call may return, and where this is so.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// What.
    pub what: Outcome,
    /// On which systems or stages; everywhere if empty.
    pub on: Vec<&'static str>,
}

/// What a call can come to, as written behind `=>`.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// `ok`: success, whatever it gives.
    Success,
    /// `ECONNREFUSED`
    Errno(&'static str),
    /// `5`, `>=1000`
    Number(Compare, i64),
    /// `"hello"`
    Bytes(Vec<u8>),
    /// `server:7000`
    Address(Place),
    /// `blocked`: it has not returned, and is seen to wait.
    Blocked,
    /// `deadline`: it had to be ended.
    Deadline,
    /// `invalid`: the bytes that came are not what a rule asks for, or end too early.
    Invalid,
    /// `close 1000`: a WebSocket Close with this code arrived.
    Close(u16),
    /// `violation 1002`: the peer broke a rule of the protocol, which this Close code answers.
    Violation(u16),
}

/// How two values are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Compare {
    /// Longest first, so that `>=` is not read as `>`.
    pub const ALL: [(&'static str, Compare); 6] = [
        ("!=", Compare::Unequal),
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("=", Compare::Equal),
        ("<", Compare::Less),
        (">", Compare::Greater),
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        Compare::ALL.iter().find(|(_, compare)| *compare == self).map_or("=", |(sign, _)| sign)
    }

    /// Whether it holds.
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Compare::Equal => left == right,
            Compare::Unequal => left != right,
            Compare::Less => left < right,
            Compare::AtMost => left <= right,
            Compare::Greater => left > right,
            Compare::AtLeast => left >= right,
        }
    }
}

/// A claim about one socket or one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// About whom.
    pub subject: Subject,
    /// True: wait until all is settled and look once. False: wait until it holds, up to a deadline.
    pub still: bool,
    /// None if only values are claimed.
    pub state: Option<State>,
    /// `accept_queue=0`
    pub values: Vec<(grammar::Key, Compare, Wanted)>,
    /// On which systems or stages; everywhere if empty.
    pub on: Vec<&'static str>,
}

/// The state that is claimed of a socket or a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A state of TCP: RFC 9293 §3.3.2, by its name in `kernel::STATES`.
    Tcp(&'static str),
    /// `gone`: the kernel no longer knows the socket.
    Gone,
    /// `blocked`: the call waits.
    Blocked,
    /// `returned`: the call has returned.
    Returned,
}

impl State {
    /// All states by name.
    pub fn all() -> impl Iterator<Item = (&'static str, State)> {
        crate::kernel::STATES.iter().map(|(name, ..)| (*name, State::Tcp(name))).chain([
            ("gone", State::Gone),
            ("blocked", State::Blocked),
            ("returned", State::Returned),
        ])
    }

    /// Whether it is a state of a call, not of a socket.
    pub fn is_of_a_call(self) -> bool {
        matches!(self, State::Blocked | State::Returned)
    }
}

/// Whom a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Whose kernel.
    pub host: Host,
    /// `server~client.c`: the other end of that host's socket, which has no descriptor here.
    pub other_end: bool,
    /// The socket's or the result's name.
    pub name: String,
}

/// The right side of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A number.
    Number(i64),
    /// `server:7000`
    Address(Place),
    /// `none`
    Nothing,
    /// A word, such as `sack` in `negotiated=sack`.
    Word(String),
    /// The same or another value of another socket: `local=server.s.local`.
    Of(Subject, grammar::Key),
}
