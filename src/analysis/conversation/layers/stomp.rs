//! STOMP: frames out of the bytes of one direction, whatever carries them.

use super::{
    Out, Place, Told,
    detector::{Detector, Dissector, Verdict},
    short,
};
use crate::analysis::conversation::budget::Budget;
use crate::event::Host;
use crate::view::quote;
use crate::wire::{
    Protocol,
    stomp::{self, Frame, FrameError, FrameReader, Item, Limits, Sender, Version, begins_like_stomp, check},
    text,
};

/// How much of a body is told, in bytes.
const BODY: usize = 200;

/// The row of the table.
pub(super) static DETECTOR: Detector = Detector {
    words: &[("stomp", Protocol::Stomp)],
    subprotocols: &["v12.stomp", "v11.stomp", "v10.stomp"],
    bytes: begins_like_stomp,
    session,
    stream: Some(|_, _| Box::new(Stomp::new())),
    ..Detector::NONE
};

/// Commands with which a session of STOMP begins.
const SESSIONS: [&[u8]; 3] = [b"CONNECT", b"STOMP", b"CONNECTED"];

/// Whether a session begins, from either side. Any other command might be a word of another protocol.
fn session(bytes: &[u8]) -> Verdict {
    if begins_like_stomp(bytes) && (bytes.starts_with(b"CONNECT") || bytes.starts_with(b"STOMP")) {
        return Verdict::Yes;
    }
    let begins = |command: &[u8]| {
        let line = bytes.strip_suffix(b"\r").filter(|line| *line == command).unwrap_or(bytes);
        command.starts_with(line)
    };
    if SESSIONS.iter().any(|command| begins(command)) { Verdict::Undecided } else { Verdict::No }
}

/// One direction.
#[derive(Debug)]
struct Stomp {
    reader: FrameReader,
    /// Bytes that the reader was given, and those of them that it has told.
    given: u64,
    told: u64,
    /// What it holds counts so much.
    counted: usize,
    version: Option<Version>,
    /// The next bytes are read if a frame begins with them.
    lost: bool,
}

impl Stomp {
    fn new() -> Stomp {
        let reader = FrameReader::default();
        Stomp { reader, given: 0, told: 0, counted: 0, version: None, lost: false }
    }
}

impl Dissector for Stomp {
    /// Where a message ends says nothing.
    fn message(&mut self, place: Place, _text: bool, payload: &[u8], out: &mut Out) {
        self.bytes(place, payload, out);
    }

    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        if self.lost {
            if !begins_like_stomp(bytes) {
                return;
            }
            self.begin(out.limit);
        }
        let start = self.given;
        self.given += bytes.len() as u64;
        if !self.count(out.budget) {
            return self.gap(out.budget);
        }
        self.reader.push(bytes);
        loop {
            match self.reader.take() {
                Ok(Some(Item::Frame { frame, offset, octets })) => {
                    self.told = offset + octets.len() as u64;
                    self.frame(exact(place, offset, start), &frame, &octets, out);
                }
                Ok(Some(Item::LineEnd { offset, length })) => {
                    self.told = offset + length as u64;
                    // Behind a frame it is what some put after each; alone it is a heart-beat.
                    if offset == start {
                        let octets: &[u8] = if length == 2 { b"\r\n" } else { b"\n" };
                        tell(place, "heart-beat", "", octets, true, out);
                    }
                }
                Ok(None) => {
                    self.count(out.budget);
                    return;
                }
                Err(error) => {
                    self.refused(place, &error, start, out);
                    return self.gap(out.budget);
                }
            }
        }
    }

    fn gap(&mut self, budget: &mut Budget) {
        self.reader = FrameReader::default();
        (self.given, self.told, self.lost) = (0, 0, true);
        self.count(budget);
    }
}

impl Stomp {
    fn begin(&mut self, limit: usize) {
        let limits = Limits { body: limit, ..Limits::default() };
        self.reader = FrameReader::new(self.version.unwrap_or(Version::V12), limits);
        self.lost = false;
    }

    /// The frame under way is held twice over: as it came, and what has been read of it.
    fn count(&mut self, budget: &mut Budget) -> bool {
        let held = usize::try_from(self.given - self.told).unwrap_or(usize::MAX / 2);
        budget.reserve(&mut self.counted, held.saturating_mul(2))
    }

    fn frame(&mut self, place: Place, frame: &Frame, raw: &[u8], out: &mut Out) {
        tell(place, &frame.command, &words(frame), raw, false, out);
        if frame.command == "CONNECTED" {
            self.version = frame.header("version").map_or(Some(Version::V10), Version::of_number);
            self.reader.speak(self.version.unwrap_or(Version::V12));
        }
        let sender = if place.from == Host::Client { Sender::Client } else { Sender::Server };
        // Of what a client sends the version is not known here: what only 1.2 asks for may be another's.
        let version = match frame.command.as_str() {
            "CONNECT" | "STOMP" => Version::V12,
            _ => self.version.unwrap_or(Version::V10),
        };
        if let Err(breach) = check(frame, sender, version) {
            let words = format!("{}: {}; had {}", breach.command, breach.rule.words, breach.had);
            out.broken(place, 0, &words, breach.rule.section);
        }
    }

    fn refused(&self, place: Place, error: &FrameError, start: u64, out: &mut Out) {
        // How much a receiver takes is its own affair: nobody has done anything wrong.
        if error.rule.section.ends_with("Size Limits") {
            return;
        }
        let at = usize::try_from(error.offset.saturating_sub(start)).unwrap_or(usize::MAX);
        let words = format!("{}; had {}", error.rule.words, error.had);
        out.broken(place, at, &words, error.rule.section);
    }
}

/// Where a frame begins in the stream itself, if TCP carries it: `start` is where in what was read the bytes
/// at `place` began.
fn exact(place: Place, offset: u64, start: u64) -> Place {
    let offset = if place.bare { (place.offset + offset).saturating_sub(start) } else { place.offset };
    Place { offset, ..place }
}

fn tell(place: Place, kind: &str, words: &str, bytes: &[u8], beat: bool, out: &mut Out) {
    let (protocol, fields, carries) = (Protocol::Stomp, stomp::fields, false);
    out.layer(place, &Told { protocol, kind, words, bytes, beat, carries, fields });
}

/// `/topic/chat "hello"`
fn words(frame: &Frame) -> String {
    const TOLD: [&str; 9] = [
        "destination",
        "message",
        "version",
        "receipt-id",
        "receipt",
        "id",
        "transaction",
        "heart-beat",
        "accept-version",
    ];
    let mut parts = Vec::new();
    for name in TOLD {
        let Some(value) = frame.header(name) else { continue };
        let value = text::shown(value.as_bytes(), 100);
        // Where it goes to, and what went wrong, needs no name.
        parts.push(match name {
            "destination" | "message" => value,
            name => format!("{name} {value}"),
        });
    }
    let mut words = parts.join(", ");
    if !frame.body.is_empty() {
        words += if words.is_empty() { "" } else { " " };
        let seen = &frame.body[..frame.body.len().min(BODY)];
        words += &match std::str::from_utf8(seen) {
            Err(error) if error.error_len().is_some() => text::hex(seen, 24),
            _ => quote(seen),
        };
    }
    short(words)
}
