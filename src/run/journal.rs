//! The journal: assigns a time to every event and a number to every call.

use std::time::{Instant, SystemTime};

use super::{Frontend, cable::fate_of, frames::Frames, micros, nanos};
use crate::{
    call::{CallDescription, CallPart, Completed, SocketRef},
    event::{Became, Call, Event, Frame, Host, What, Wire},
    stage::{self, CableEvent},
};

/// Writes events to the frontend.
pub(super) struct Journal<'a> {
    frontend: &'a mut dyn Frontend,
    start: Instant,
    /// The wall clock at `start`.
    clock: SystemTime,
    last: u64,
    calls: u64,
    /// The frames that reached the cable.
    pub frames: Frames,
    /// Frames that are dropped because they repeat others.
    pub folded: Vec<u64>,
}

impl<'a> Journal<'a> {
    pub fn new(frontend: &'a mut dyn Frontend) -> Self {
        Journal {
            frontend,
            start: Instant::now(),
            clock: SystemTime::now(),
            last: 0,
            calls: 0,
            frames: Frames::default(),
            folded: Vec::new(),
        }
    }

    /// Returns the nanoseconds from 1970 to `start`; `None` if the clock is set to an earlier time.
    pub fn started(&self) -> Option<u64> {
        let since = self.clock.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_nanos()).ok()
    }

    pub fn frontend(&mut self) -> &mut dyn Frontend {
        self.frontend
    }

    /// Writes an event that happens now.
    pub fn write(&mut self, what: What) {
        self.write_at(Instant::now(), what);
    }

    /// Writes an event that happened at `at`. Its time is never earlier than that of the last event written.
    pub fn write_at(&mut self, at: Instant, what: What) {
        self.last = micros(self.start, at).max(self.last);
        self.frames.hear(&what);
        self.frontend.take(&Event { at: self.last, what });
    }

    /// Writes an event of the cable.
    pub fn write_happening(&mut self, happening: CableEvent) {
        let CableEvent { at, kind: what } = happening;
        let ns = nanos(self.start, at);
        match what {
            stage::CableEventKind::Sent { frame } => {
                let why = self.frames.came(frame.number, frame.from, at, &frame.bytes);
                let told = Frame {
                    number: frame.number,
                    from: frame.from,
                    ns,
                    bytes: frame.bytes.clone(),
                    cause: why.cause,
                    call: why.call,
                    again: why.again,
                };
                self.write_at(at, What::Frame(told));
            }
            stage::CableEventKind::Fate { frame, fate } => {
                let mut told = fate_of(frame, ns, fate);
                if let Some(at) = self.folded.iter().position(|number| *number == frame) {
                    self.folded.swap_remove(at);
                    told.fate = Became::Folded;
                }
                self.frames.fate(frame, told.fate);
                self.write_at(at, What::Fate(told));
            }
            stage::CableEventKind::Overrun { frames } => {
                let why = format!("{frames} frames came faster than they could be taken, and were lost");
                let told = Wire { action: "overrun".to_owned(), frames: Vec::new(), failed: Some(why) };
                self.write_at(at, What::Wire(told));
            }
            stage::CableEventKind::LogOverflow { events: happenings, .. } => {
                let why = format!("so much crossed at once that {happenings} events are left out here");
                let told = Wire { action: "left out".to_owned(), frames: Vec::new(), failed: Some(why) };
                self.write_at(at, What::Wire(told));
            }
        }
    }

    /// Returns the number of the next call.
    pub fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// Writes the calls and notes that a step consists of, as children of the call `parent`.
    pub fn write_pieces(&mut self, host: Host, parent: u64, done: &Completed) {
        // A note gets the time of the end of the call before it.
        let mut at = done.started;
        for piece in &done.parts {
            self.write_piece(host, Some(parent), piece, at);
            if let CallPart::Call(.., done) = piece {
                at = done.started + done.took;
            }
        }
    }

    /// Writes a call or a note, as a child of `parent` if there is one. `noted` is the time of a note.
    pub fn write_piece(&mut self, host: Host, parent: Option<u64>, piece: &CallPart, noted: Instant) {
        match piece {
            CallPart::Note(what) => self.write_at(noted, what.clone()),
            CallPart::Call(on, description, done) => {
                let id = self.next_call();
                let call = call(id, host, Some(on), description, done.site.source(), parent, false);
                self.write_at(done.started, What::Call(call));
                self.write_pieces(host, id, done);
                let returned = super::outcome::returned(id, done, false);
                self.write_at(done.started + done.took, What::Return(returned));
            }
        }
    }
}

/// Creates the event of a call.
pub(super) fn call(
    id: u64,
    host: Host,
    on: Option<&SocketRef>,
    description: &CallDescription,
    source: crate::event::Source,
    parent: Option<u64>,
    background: bool,
) -> Call {
    Call {
        id,
        host,
        call: description.call.to_owned(),
        socket: on.map(|on| on.name.clone()),
        fd: on.map(|on| on.fd),
        args: description.args.clone(),
        source,
        c: description.c.clone(),
        asked: description.asked.clone(),
        syscalls: description.syscalls.iter().map(|name| (*name).to_owned()).collect(),
        parent,
        background,
    }
}
