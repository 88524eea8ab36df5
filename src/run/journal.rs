//! The journal: gives every event its time, and every call its number.

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
    /// The same moment by the clock on the wall.
    clock: SystemTime,
    last: u64,
    calls: u64,
    /// What came over the cable.
    pub frames: Frames,
    /// Frames that are taken off because they repeat others.
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

    /// Nanoseconds from 1970 to the moment from which times count; `None` if the clock is set to before.
    pub fn started(&self) -> Option<u64> {
        let since = self.clock.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_nanos()).ok()
    }

    pub fn frontend(&mut self) -> &mut dyn Frontend {
        self.frontend
    }

    /// An event that happens now.
    pub fn write(&mut self, what: What) {
        self.write_at(Instant::now(), what);
    }

    /// An event that happened then; never before the one written last, so that a trace reads in its order.
    pub fn write_at(&mut self, at: Instant, what: What) {
        self.last = micros(self.start, at).max(self.last);
        self.frames.hear(&what);
        self.frontend.take(&Event { at: self.last, what });
    }

    /// Something that happened on the cable.
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

    /// The number of the next call.
    pub fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// The calls and notes that a step was made of, as children of the call `parent`.
    pub fn write_pieces(&mut self, host: Host, parent: u64, done: &Completed) {
        // A note belongs behind the call that it was made of.
        let mut at = done.started;
        for piece in &done.parts {
            self.write_piece(host, Some(parent), piece, at);
            if let CallPart::Call(.., done) = piece {
                at = done.started + done.took;
            }
        }
    }

    /// A call or a note of its own, or as a child of the call `parent`; a note was made then.
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

/// The event of a call.
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
