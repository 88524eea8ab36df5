//! Hands events on as they become known.

use crate::event::{StreamEvent, StreamWhat, stream::Time};

/// Where the events of one connection go, and what they have in common.
pub(crate) struct Teller<'a> {
    pub(crate) time: Option<u64>,
    pub(crate) packet: Option<u64>,
    pub(crate) stream: u64,
    pub(crate) tell: &'a mut dyn FnMut(&StreamEvent),
}

impl Teller<'_> {
    pub(crate) fn tell(&mut self, what: StreamWhat) {
        let (stream, packet, time) = (Some(self.stream), self.packet, self.time.map(Time));
        (self.tell)(&StreamEvent { stream, packet, time, what });
    }
}
