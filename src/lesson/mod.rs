//! Parser of lessons: a lesson file becomes narration, steps and checks. Nothing is executed here.
//!
//! A lesson is a Markdown file. Front matter names it, `##` headings are its parts, fenced `sock` blocks are
//! its steps, and `predict` blocks ask a question before the steps show the answer. `docs/lessons.md`
//! explains the notation to authors. `grammar` and the grammars of the calls define its words.

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

/// A lesson, parsed and checked as far as possible without running it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The name of the lesson's file.
    pub file: String,
    /// The front matter.
    pub front: Front,
    /// The prose before the first part.
    pub intro: Vec<Block>,
    /// The parts. At least one.
    pub parts: Vec<Part>,
}

impl Lesson {
    /// Returns all steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.parts.iter().flat_map(|part| &part.blocks).flat_map(|block| match block {
            Block::Steps(steps) => steps.as_slice(),
            _ => &[],
        })
    }
}

/// A part of a lesson. It takes three to five minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The heading.
    pub title: String,
    /// The content.
    pub blocks: Vec<Block>,
}

/// A block of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Markdown. A `{placeholder}` stands for a value that only the run knows.
    Prose(String),
    /// The lines of a `sock` block.
    Steps(Vec<Step>),
    /// A question that is asked before the next steps show the answer.
    Predict(Predict),
}

/// A question with its possible answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// The question, in Markdown.
    pub question: String,
    /// The answers to choose from, in Markdown.
    pub options: Vec<String>,
    /// Index of the right answer.
    pub right: usize,
}

/// One line of a `sock` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Number of the line in the file, counted from 1.
    pub line: usize,
    /// The line as written, without its comment.
    pub text: String,
    /// The parsed line.
    pub what: Statement,
}

impl Step {
    /// Returns whether the step only checks a claim.
    pub fn is_claim(&self) -> bool {
        matches!(self.what, Statement::Check(_) | Statement::CheckWire(_))
    }
}

/// The parsed content of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `server$ conn = accept s => …`
    Act(Act),
    /// `server$ wait r => …`
    Wait {
        /// The host of the call.
        host: Host,
        /// The result name of the background call.
        result: String,
        /// The expected outcomes; success if empty.
        expect: Vec<Expected>,
        /// Timeout in milliseconds, if the line sets one. When it expires, the call is interrupted.
        within: Option<u64>,
    },
    /// `check server.s LISTEN accept_queue=0`
    Check(Claim),
    /// `wire$ deliver SYN,ACK`
    Wire {
        /// The action.
        act: WireAct,
        /// Longest wait for the frames in milliseconds, if the line sets one.
        within: Option<u64>,
    },
    /// `check wire client>server SYN`
    CheckWire(WireClaim),
    /// `client$ sysctl net.ipv4.tcp_syn_retries 2`
    Sysctl {
        /// The host whose kernel is configured.
        host: Host,
        /// The name of the setting, as in sysctl(8).
        name: String,
        /// The new value.
        value: String,
    },
}

/// An action on the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireAct {
    /// From now on, every frame is held.
    Hold,
    /// Delivers held frames, in order.
    Deliver(Which),
    /// Drops held frames.
    Drop(Which),
    /// Delivers held frames twice.
    Duplicate(Which),
    /// Delivers held frames with one bit flipped.
    Corrupt(Which),
    /// Delivers all held frames, the newest first.
    Reorder,
    /// From now on, every frame is delayed by this number of milliseconds.
    Delay(u64),
    /// From now on, every frame is lost.
    Cut,
    /// Restores the cable: held frames are delivered, and no further frame is held, delayed or lost.
    Mend,
}

impl WireAct {
    /// Returns the word of the action in the notation.
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

    /// Returns which held frames the action selects, if it selects any.
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

/// A selection of held frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// This number of frames, the oldest first.
    Oldest(usize),
    /// All held frames.
    All,
    /// The oldest frame that matches the pattern.
    Like(FramePattern),
}

/// A pattern that frames are matched against. An absent property matches any frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FramePattern {
    /// The host that sent the frame.
    pub from: Option<Host>,
    /// `SYN,ACK`: exactly these TCP flags. PSH is compared only if it is named. The bits are those of the
    /// header.
    pub flags: Option<u8>,
    /// `data`, `ARP`, `ICMP`, `UDP`: one of [`grammar::FRAMES`].
    pub kind: Option<&'static str>,
    /// `again`: the frame is a retransmission.
    pub again: bool,
    /// `len=5`
    pub values: Vec<(grammar::FrameKey, Compare, i64)>,
    /// `held`, `dropped`: one of [`grammar::FATES`].
    pub fate: Option<&'static str>,
}

/// A claim about the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireClaim {
    /// True: judge once, when nothing changes any more. False: wait until the claim holds, up to a deadline.
    pub still: bool,
    /// The claim.
    pub what: WireWanted,
    /// Longest wait in milliseconds, if the line sets one.
    pub within: Option<u64>,
    /// The tags of the systems or stages to which the claim applies; all if empty.
    pub on: Vec<&'static str>,
}

/// The content of a claim about the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireWanted {
    /// A frame matches the pattern, after the frame that the last such claim found.
    Frame(FramePattern),
    /// `quiet`: no frame was sent since the last step began.
    Quiet,
    /// `held=2`: number of held frames.
    Held(Compare, i64),
}

/// A call, or a step of the WebSocket upgrade.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The host that performs the act.
    pub host: Host,
    /// The name of the result.
    pub result: Option<String>,
    /// The name of the socket or WebSocket that the call is on. `None` only if the call's grammar says
    /// [`On::Nothing`].
    ///
    /// [`On::Nothing`]: call::On::Nothing
    pub on: Option<String>,
    /// The call with its arguments.
    pub call: Call,
    /// `&`: the call runs on a thread of its own.
    pub background: bool,
    /// Timeout in milliseconds, if the line sets one. When it expires, the call is interrupted.
    pub within: Option<u64>,
    /// The expected outcomes; success if empty.
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
    /// Returns the grammar of this call.
    pub fn grammar(&self) -> &'static Grammar {
        match self {
            Call::Socket(call) => call.grammar(),
            Call::WebSocket(step) => step.grammar(),
        }
    }
}

/// An expected outcome of a call, and where it applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The outcome.
    pub what: Outcome,
    /// The tags of the systems or stages to which the expectation applies; all if empty.
    pub on: Vec<&'static str>,
}

/// An outcome of a call, as written after `=>`.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// `ok`: success with any value.
    Success,
    /// `ECONNREFUSED`
    Errno(&'static str),
    /// `5`, `>=1000`
    Number(Compare, i64),
    /// `"hello"`
    Bytes(Vec<u8>),
    /// `server:7000`
    Address(Place),
    /// `blocked`: the call has not returned, and its thread is blocked.
    Blocked,
    /// `deadline`: the call was interrupted by its timeout.
    Deadline,
    /// `invalid`: the received bytes violate a rule or end too early.
    Invalid,
    /// `close 1000`: a WebSocket Close with this code arrived.
    Close(u16),
    /// `violation 1002`: the peer violated a rule of the protocol, and the violation was answered with this
    /// Close code.
    Violation(u16),
}

/// A comparison of two values.
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
    /// The signs of all comparisons. Signs of two characters come first, so that `>=` is not read as `>`.
    pub const ALL: [(&'static str, Compare); 6] = [
        ("!=", Compare::Unequal),
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("=", Compare::Equal),
        ("<", Compare::Less),
        (">", Compare::Greater),
    ];

    /// Returns the sign of the comparison.
    pub fn sign(self) -> &'static str {
        Compare::ALL.iter().find(|(_, compare)| *compare == self).map_or("=", |(sign, _)| sign)
    }

    /// Returns whether the comparison of `left` with `right` holds.
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
    /// The socket or call that the claim is about.
    pub subject: Subject,
    /// True: judge once, when nothing changes any more. False: wait until the claim holds, up to a deadline.
    pub still: bool,
    /// The claimed state; `None` if only values are claimed.
    pub state: Option<State>,
    /// `accept_queue=0`
    pub values: Vec<(grammar::Key, Compare, Wanted)>,
    /// The tags of the systems or stages to which the claim applies; all if empty.
    pub on: Vec<&'static str>,
}

/// The claimed state of a socket or a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A TCP state (RFC 9293 §3.3.2), by its name in `kernel::STATES`.
    Tcp(&'static str),
    /// `gone`: the kernel does not know the socket any more.
    Gone,
    /// `blocked`: the call is blocked.
    Blocked,
    /// `returned`: the call has returned.
    Returned,
}

impl State {
    /// Returns all states with their names.
    pub fn all() -> impl Iterator<Item = (&'static str, State)> {
        crate::kernel::STATES.iter().map(|(name, ..)| (*name, State::Tcp(name))).chain([
            ("gone", State::Gone),
            ("blocked", State::Blocked),
            ("returned", State::Returned),
        ])
    }

    /// Returns whether this is a state of a call, not of a socket.
    pub fn is_of_a_call(self) -> bool {
        matches!(self, State::Blocked | State::Returned)
    }
}

/// The socket or call that a claim is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The host whose kernel is asked.
    pub host: Host,
    /// `server~client.c`: the server's end of the connection of the client's socket `c`. It has no descriptor
    /// until it is accepted.
    pub other_end: bool,
    /// The name of the socket or the result.
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
    /// A value of another socket: `local=server.s.local`.
    Of(Subject, grammar::Key),
}
