//! A connection: two streams, and the conversation that they carry.

use std::net::SocketAddr;

use super::stream::Stream;
use crate::analysis::conversation::{Conversation, Shared, Teller};
use crate::event::{
    StreamWhat,
    stream::{Differs, Ending, Missing, Stretch},
};
use crate::wire::tcp::{Flags, Segment};

/// A connection that is followed. Its two ends are numbered 0, who sent the first packet, and 1.
#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    ends: [SocketAddr; 2],
    /// Where each side began, by its SYN.
    began: [Option<u32>; 2],
    streams: [Stream; 2],
    conversation: Conversation,
    over: bool,
}

impl Connection {
    /// As its first segment says. Who sends SYN is the client; without one it is who has the higher port.
    pub(super) fn new(number: u64, segment: &Segment) -> Self {
        let syn = segment.flags.contains(Flags::SYN);
        let answers = match (syn, segment.flags.contains(Flags::ACK)) {
            (true, ack) => ack,
            (false, _) => segment.source.port() < segment.destination.port(),
        };
        let ends = [segment.source, segment.destination];
        Connection {
            number,
            ends,
            began: [None; 2],
            streams: [Stream::default(), Stream::default()],
            conversation: Conversation::new(ends, usize::from(answers), syn),
            over: false,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.ends[0], self.ends[1])
    }

    fn side_of(&self, segment: &Segment) -> usize {
        usize::from(segment.source != self.ends[0])
    }

    /// True for a SYN that begins another connection between the same ends.
    pub(super) fn is_begun_anew(&self, segment: &Segment) -> bool {
        let (syn, ack) = (segment.flags.contains(Flags::SYN), segment.flags.contains(Flags::ACK));
        let side = self.side_of(segment);
        match self.began[side] {
            _ if !syn || ack => false,
            Some(began) => began != segment.sequence,
            // Data came before the SYN that belongs to them.
            None => self.over || self.streams[side].sequence() != Some(segment.sequence.wrapping_add(1)),
        }
    }

    /// Takes a segment of it. `claimed` is how many bytes of payload it had on the wire.
    pub(super) fn take(
        &mut self,
        segment: &Segment,
        packet: &[u8],
        claimed: u64,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        if self.over {
            return;
        }
        let side = self.side_of(segment);
        let mut sequence = segment.sequence;
        if segment.flags.contains(Flags::SYN) {
            self.began[side].get_or_insert(sequence);
            sequence = sequence.wrapping_add(1);
            self.streams[side].begin(sequence);
        }
        if segment.flags.contains(Flags::ACK) && !segment.flags.contains(Flags::RST) {
            self.streams[1 - side].acknowledge(segment.acknowledgment);
        }
        let payload = packet.get(segment.payload.clone()).unwrap_or_default();
        if !payload.is_empty() || claimed > 0 {
            self.payload(side, sequence, payload, claimed, shared, teller);
        }
        if segment.flags.contains(Flags::FIN) {
            let [.., a, b, c, d] = claimed.to_be_bytes();
            self.streams[side].end_at(sequence.wrapping_add(u32::from_be_bytes([a, b, c, d])));
        }
        self.patience(shared, teller);
        if segment.flags.contains(Flags::RST) {
            let by = self.conversation.host(side);
            self.end(Ending::Reset(by), shared, teller);
        } else if self.streams.iter().all(Stream::is_complete) {
            self.end(Ending::Fin, shared, teller);
        }
    }

    /// The capture ends, or the connection is let go.
    pub(super) fn finish(&mut self, shared: &mut Shared, teller: &mut Teller) {
        if !self.over {
            self.end(Ending::Open, shared, teller);
        }
    }

    fn payload(
        &mut self,
        side: usize,
        sequence: u32,
        payload: &[u8],
        claimed: u64,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let placed = self.streams[side].place(sequence, payload, &mut shared.budget);
        if let Some((offset, length)) = placed.differs {
            self.conversation.opened(teller);
            let from = self.conversation.host(side);
            teller.tell(StreamWhat::Differs(Differs { from, offset, length }));
        }
        if let Some((offset, bytes)) = placed.now {
            self.streams[side].advance(bytes, &mut shared.budget);
            self.deliver(side, offset, bytes, shared, teller);
        }
        let cut = claimed.saturating_sub(payload.len() as u64);
        let ends_here = sequence.wrapping_add(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        if cut > 0 && self.streams[side].sequence() == Some(ends_here) {
            let to = self.streams[side].next() + cut;
            let (offset, length) = self.streams[side].miss(to, &mut shared.budget);
            if length > 0 {
                self.missing(side, offset, length, true, shared, teller);
            }
        }
        self.ready(side, shared, teller);
        if placed.full {
            while let Some((offset, length)) = self.streams[side].give_up(&mut shared.budget) {
                self.missing(side, offset, length, false, shared, teller);
                self.ready(side, shared, teller);
            }
        }
    }

    /// Hands on what was held and comes next now.
    fn ready(&mut self, side: usize, shared: &mut Shared, teller: &mut Teller) {
        while let Some((offset, bytes)) = self.streams[side].ready(&mut shared.budget) {
            self.deliver(side, offset, &bytes, shared, teller);
        }
    }

    fn deliver(&mut self, side: usize, offset: u64, bytes: &[u8], shared: &mut Shared, teller: &mut Teller) {
        self.conversation.take(side, offset, bytes, shared, teller);
        let from = self.conversation.host(side);
        teller.tell(StreamWhat::Bytes(Stretch::new(from, offset, bytes)));
    }

    fn missing(
        &mut self,
        side: usize,
        offset: u64,
        length: u64,
        truncated: bool,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        self.conversation.opened(teller);
        let from = self.conversation.host(side);
        teller.tell(StreamWhat::Missing(Missing { from, offset, length, truncated }));
        self.conversation.missing(side, length, shared, teller);
    }

    /// What is waited for in vain is given up.
    fn patience(&mut self, shared: &mut Shared, teller: &mut Teller) {
        let limit = shared.options.limits.out_of_order;
        for side in 0..2 {
            if !self.streams[side].is_waiting() {
                continue;
            }
            self.streams[side].waited += 1;
            while self.streams[side].is_hopeless(limit)
                && let Some((offset, length)) = self.streams[side].give_up(&mut shared.budget)
            {
                self.missing(side, offset, length, false, shared, teller);
                self.ready(side, shared, teller);
            }
        }
    }

    fn end(&mut self, how: Ending, shared: &mut Shared, teller: &mut Teller) {
        for side in 0..2 {
            while let Some((offset, length)) = self.streams[side].give_up(&mut shared.budget) {
                self.missing(side, offset, length, false, shared, teller);
                self.ready(side, shared, teller);
            }
            if let Some((offset, length)) = self.streams[side].missing_end(&mut shared.budget) {
                self.missing(side, offset, length, false, shared, teller);
            }
        }
        let sent = [self.streams[0].next(), self.streams[1].next()];
        self.conversation.end(how, sent, shared, teller);
        self.streams.iter_mut().for_each(|stream| stream.clear(&mut shared.budget));
        self.over = true;
    }
}
