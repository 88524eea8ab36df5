//! The same message, sent over one transport after the other, each time for real; and what that came to.
//!
//! Each is a lesson made up on the spot and run on a stage like any other. What crossed is read from its
//! events: the bytes are those that the receiver's socket gave, cut as its calls gave them.

mod plan;
mod reader;

use std::{io, ops::Range, time::Duration};

use thiserror::Error;

use crate::{
    event::{Host, Sink},
    lesson::Lesson,
    run,
    stage::Stage,
    transport::{
        self,
        api::Scripted,
        registry,
        script::{Script, Sending},
        websocket::script::cut,
    },
    view::{Beat, Comparison, Outcome, Road, Roads, Side},
    wire::websocket::Header,
};
use plan::Plan;
use reader::Reader;

pub use transport::websocket::script::Also;

/// The largest piece that is sent at once, in bytes: the limit of a message that the other end takes.
pub const LARGEST: usize = 1 << 20;

/// How long a polling client pauses, unless it is told otherwise.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What is sent: each piece by a send of its own, and as a message of its own.
    pub pieces: Vec<Vec<u8>>,
    /// As binary messages. Text has to be UTF-8.
    pub binary: bool,
    /// All pieces so many times.
    pub repeat: usize,
    /// Who sends.
    pub from: Host,
    /// What else is to be on the WebSocket.
    pub also: Also,
    /// How long a polling client pauses between two questions.
    pub interval: Duration,
}

/// What can't be compared.
#[derive(Debug, Error)]
pub enum Fault {
    /// A text message that is none.
    #[error(
        "byte {at} of the message is no UTF-8, and a text message is (RFC 6455 §5.6): send it as --binary"
    )]
    NotText {
        /// The first byte that can't be.
        at: usize,
    },
    /// More than is taken.
    #[error("a piece of {length} bytes is more than is taken at once ({LARGEST})")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// Pieces that are more than the message.
    #[error("--split takes {wanted} bytes, and the message has {length}")]
    Split {
        /// The sum of the pieces.
        wanted: usize,
        /// Bytes of the message.
        length: usize,
    },
    /// The message can't go that way.
    #[error(transparent)]
    Cannot(#[from] transport::script::Cannot),
    /// A claim of the run did not hold.
    #[error("the run over {over} did not go as it should: {what}")]
    Failed {
        /// `TCP` or `WebSocket`.
        over: &'static str,
        /// The check that failed, and what was there instead.
        what: String,
    },
    /// The stage.
    #[error(transparent)]
    Stage(#[from] io::Error),
}

impl Wanted {
    /// Cuts a message into pieces of these lengths; what is left over is one more.
    ///
    /// # Errors
    /// If the lengths are more than the message has, if a piece is too large, or if a text is none.
    pub fn new(
        message: &[u8],
        split: &[usize],
        binary: bool,
        repeat: usize,
        from: Host,
    ) -> Result<Wanted, Fault> {
        let wanted: usize = split.iter().sum();
        if wanted > message.len() {
            return Err(Fault::Split { wanted, length: message.len() });
        }
        let pieces: Vec<Vec<u8>> = cut(message, split).into_iter().map(<[u8]>::to_vec).collect();
        let mut before = 0;
        for piece in &pieces {
            if piece.len() > LARGEST {
                return Err(Fault::TooLarge { length: piece.len() });
            }
            if let (false, Err(error)) = (binary, std::str::from_utf8(piece)) {
                return Err(Fault::NotText { at: before + error.valid_up_to() });
            }
            before += piece.len();
        }
        let repeat = repeat.max(1);
        Ok(Wanted { pieces, binary, repeat, from, also: Also::default(), interval: INTERVAL })
    }

    /// With more on the WebSocket than whole messages.
    pub fn with(self, also: Also) -> Wanted {
        Wanted { also, ..self }
    }

    /// Every message, in order.
    fn sending(&self) -> Sending {
        let messages = (0..self.repeat).flat_map(|_| self.pieces.iter().cloned()).collect();
        Sending { messages, binary: self.binary, from: self.from, interval: self.interval }
    }
}

/// Sends it over TCP and over a WebSocket, each on a stage of its own, and compares. Events go to `sink` as
/// they come.
///
/// # Errors
/// If a stage can't be had, or a run did not go as it should.
pub fn diff(
    wanted: &Wanted,
    mut stage: impl FnMut(&Lesson) -> io::Result<Stage>,
    sink: &mut dyn Sink,
) -> Result<Comparison, Fault> {
    let sending = wanted.sending();
    let find = |name| registry::scripted().find(|(own, _)| *own == name).expect("it is in the table");
    let (tcp, websocket) = (find("tcp"), find("websocket"));
    let script = (tcp.1.script)(&sending)?;
    let tcp = one(tcp, &script, &sending, false, &mut stage, sink)?;
    let script = transport::websocket::script::script(&sending, &wanted.also)?;
    let mut websocket = one(websocket, &script, &sending, false, &mut stage, sink)?;
    websocket.frames = frames(&websocket.bytes);
    Ok(Comparison {
        message: wanted.pieces.concat(),
        messages: wanted.pieces.len() * wanted.repeat,
        from: wanted.from,
        tcp,
        websocket,
    })
}

/// Sends it over each of these transports, one after the other. What one of them can't do is told beside it,
/// and ends nothing.
///
/// # Errors
/// If a run did not go as it should.
pub fn roads(
    wanted: &Wanted,
    transports: &[(&'static str, &'static Scripted)],
    mut stage: impl FnMut(&Lesson) -> io::Result<Stage>,
    sink: &mut dyn Sink,
) -> Result<Roads, Fault> {
    let sending = wanted.sending();
    let mut roads = Vec::new();
    for &(name, transport) in transports {
        let outcome = match (transport.script)(&sending) {
            Err(cannot) => Outcome::Cannot(cannot.to_string()),
            Ok(script) => match one((name, transport), &script, &sending, true, &mut stage, sink) {
                Ok(side) => {
                    let layers = (transport.layers)(&side.bytes, wanted.from);
                    let beat = script.times.beat.map(|every| Beat { every, says: script.times.beat_says });
                    Outcome::Carried { side: Box::new(side), layers, beat }
                }
                Err(Fault::Stage(error)) => Outcome::Cannot(error.to_string()),
                Err(fault) => return Err(fault),
            },
        };
        roads.push(Road {
            name,
            title: transport.title,
            about: transport.about,
            over: transport.over,
            lesson: transport.lesson,
            outcome,
        });
    }
    let Wanted { from, interval, .. } = *wanted;
    Ok(Roads { message: wanted.pieces.concat(), messages: sending.messages.len(), from, interval, roads })
}

fn one(
    (name, transport): (&'static str, &'static Scripted),
    script: &Script,
    sending: &Sending,
    whole: bool,
    stage: &mut dyn FnMut(&Lesson) -> io::Result<Stage>,
    sink: &mut dyn Sink,
) -> Result<Side, Fault> {
    let plan = Plan::new(name, script, whole);
    let stage = stage(&plan.lesson)?;
    let mut reader = Reader::new(&plan, sending.from, stage.link().is_some(), sink);
    run::run(&plan.lesson, 1, stage, &mut reader)?;
    match reader.failed.take() {
        Some(what) => Err(Fault::Failed { over: transport.title, what }),
        None => Ok(reader.side),
    }
}

/// The frames in a stream, as places of their headers and payloads.
fn frames(stream: &[u8]) -> Vec<(Range<usize>, Range<usize>)> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Ok(header) = Header::parse(stream.get(at..).unwrap_or_default()) {
        let payload = at + header.size();
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let end = payload.saturating_add(length).min(stream.len());
        frames.push((at..payload, payload..end));
        at = end;
    }
    frames
}

#[cfg(test)]
mod goldens;
#[cfg(test)]
mod tests;
