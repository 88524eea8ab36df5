//! The journal: gives every event its time, and every call its number.

use std::time::Instant;

use super::{Audience, micros};
use crate::{
    call::{Done, Piece, Subject, Told},
    trace::{Call, Event, Host, What},
};

/// Writes events to the audience.
pub(super) struct Journal<'a> {
    audience: &'a mut dyn Audience,
    start: Instant,
    last: u64,
    calls: u64,
}

impl<'a> Journal<'a> {
    pub fn new(audience: &'a mut dyn Audience) -> Self {
        Journal { audience, start: Instant::now(), last: 0, calls: 0 }
    }

    pub fn audience(&mut self) -> &mut dyn Audience {
        self.audience
    }

    /// An event that happens now.
    pub fn write(&mut self, what: What) {
        self.write_at(Instant::now(), what);
    }

    /// An event that happened then; never before the one written last, so that a trace reads in its order.
    pub fn write_at(&mut self, at: Instant, what: What) {
        self.last = micros(self.start, at).max(self.last);
        self.audience.take(&Event { at: self.last, what });
    }

    /// The number of the next call.
    pub fn next_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// The calls and notes that a step was made of, as children of the call `parent`.
    pub fn write_pieces(&mut self, host: Host, parent: u64, done: &Done) {
        // A note belongs behind the call that it was made of.
        let mut at = done.started;
        for piece in &done.pieces {
            self.write_piece(host, Some(parent), piece, at);
            if let Piece::Call(.., done) = piece {
                at = done.started + done.took;
            }
        }
    }

    /// A call or a note of its own, or as a child of the call `parent`; a note was made then.
    pub fn write_piece(&mut self, host: Host, parent: Option<u64>, piece: &Piece, noted: Instant) {
        match piece {
            Piece::Note(what) => self.write_at(noted, what.clone()),
            Piece::Call(on, told, done) => {
                let id = self.next_call();
                let call = call(id, host, Some(on), told, done.here.source(), parent, false);
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
    on: Option<&Subject>,
    told: &Told,
    source: crate::trace::Source,
    parent: Option<u64>,
    background: bool,
) -> Call {
    Call {
        id,
        host,
        call: told.call.to_owned(),
        socket: on.map(|on| on.name.clone()),
        fd: on.map(|on| on.fd),
        args: told.args.clone(),
        source,
        c: told.c.clone(),
        asked: told.asked.clone(),
        syscalls: told.syscalls.iter().map(|name| (*name).to_owned()).collect(),
        parent,
        background,
    }
}
