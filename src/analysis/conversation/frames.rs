//! One direction of a WebSocket: frames, messages, and the rules that they break (RFC 6455 §5 to §8, RFC
//! 7692).
//!
//! Unlike an endpoint, which gives up at the first breach, this goes on as long as frames can be told apart:
//! whoever looks at a capture wants to see what came after.

mod judge;

use super::{
    Shared,
    budget::{Budget, Held},
    event::Teller,
    layers::{Layers, Out},
};
use judge::{judge_close, violation};

use crate::event::{
    Host, StreamWhat,
    stream::{Carried, Frame, Message, Stretch, Unfinished, Unit},
};
use crate::wire::utf8;
use crate::wire::websocket::{
    FrameReader, Header, Piece, deflate::Direction, opcode, plausible, rules, unmask_onto,
};

/// The longest payload of a control frame that is kept, in bytes.
const CONTROL: usize = 125;

/// Whether messages may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// No.
    None,
    /// As agreed.
    Agreed(Direction),
    /// The handshake is not there: who sets RSV1 had it agreed.
    Unknown,
}

/// The direction.
#[derive(Debug)]
pub(super) struct Frames {
    reader: FrameReader,
    begun: bool,
    /// Where the next frame begins is not known.
    lost: bool,
    compression: Compression,
    /// What later messages may refer to.
    history: Held,
    open: Option<Open>,
    /// The payload of the message under way, compressed if it is.
    message: Held,
    /// The payload of the control frame under way.
    control: Vec<u8>,
    /// Of the frame under way.
    carried: Carried,
    closed: bool,
}

/// A message under way.
#[derive(Debug)]
struct Open {
    opcode: u8,
    compressed: bool,
    offset: u64,
    frames: u64,
    length: u64,
    carried: Carried,
    text: utf8::Check,
    /// Its text was wrong before: that is told once.
    wrong: bool,
    /// Where the payload of the frame under way begins in what is kept.
    frame_start: usize,
}

impl Frames {
    pub(super) fn new(compression: Compression) -> Self {
        Frames {
            reader: FrameReader::new(),
            begun: false,
            lost: false,
            compression,
            history: Held::default(),
            open: None,
            message: Held::default(),
            control: Vec::new(),
            carried: Carried::default(),
            closed: false,
        }
    }

    /// The next bytes.
    pub(super) fn take(
        &mut self,
        from: Host,
        offset: u64,
        bytes: &[u8],
        layers: &mut Layers,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        if !self.begun {
            self.begun = true;
            self.reader = FrameReader::at_offset(offset);
        }
        if self.lost {
            let expected = from == Host::Client;
            match plausible(bytes).filter(|found| found.masked == expected && (found.exact || found.text)) {
                Some(_) => {
                    self.reader = FrameReader::at_offset(offset);
                    self.lost = false;
                }
                None => return teller.tell(StreamWhat::Data(Stretch::new(from, offset, bytes))),
            }
        }
        let mut rest = bytes;
        while let Some(piece) = self.reader.next(&mut rest) {
            self.piece(from, &piece, layers, shared, teller);
            if self.lost {
                if !rest.is_empty() {
                    let offset = offset + (bytes.len() - rest.len()) as u64;
                    teller.tell(StreamWhat::Data(Stretch::new(from, offset, rest)));
                }
                return;
            }
        }
    }

    /// Bytes that never come.
    pub(super) fn missing(
        &mut self,
        from: Host,
        length: u64,
        layers: &mut Layers,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        self.begun = true;
        match self.reader.skip(length) {
            Some(piece) if !self.lost => {
                self.carried.missing = true;
                self.piece(from, &piece, layers, shared, teller);
            }
            _ => {
                self.lost = true;
                layers.gap(from, &mut shared.budget);
                self.drop_message(&mut shared.budget);
                self.history.clear(&mut shared.budget);
            }
        }
    }

    /// True while it is not known where the next frame begins.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// The stream is over: tells the frame and the message that are under way.
    pub(super) fn unfinished(&self, from: Host, teller: &mut Teller) {
        if self.lost {
            return;
        }
        if let Some((offset, length, needed)) = self.reader.unfinished() {
            let unit = Unit::Frame;
            teller.tell(StreamWhat::Unfinished(Unfinished { from, offset, unit, length, needed }));
        }
        if let Some(Open { offset, length, .. }) = self.open {
            let (unit, needed) = (Unit::Message, None);
            teller.tell(StreamWhat::Unfinished(Unfinished { from, offset, unit, length, needed }));
        }
    }

    /// Gives all memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        self.drop_message(budget);
        self.history.clear(budget);
        self.lost = true;
    }

    fn drop_message(&mut self, budget: &mut Budget) {
        self.open = None;
        self.message.clear(budget);
        self.control.clear();
        self.carried = Carried::default();
    }

    fn piece(
        &mut self,
        from: Host,
        piece: &Piece,
        layers: &mut Layers,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let header = piece.header;
        if piece.first {
            self.judge(from, &header, piece.offset, teller);
            if header.length >> 63 == 1 {
                // Nothing of that length ever ends.
                self.lost = true;
                return self.drop_message(&mut shared.budget);
            }
            if !header.is_control() {
                self.begin(&header, piece.offset);
            }
        }
        if header.is_control() {
            let room = CONTROL.saturating_sub(self.control.len()).min(piece.bytes.len());
            unmask_onto(&mut self.control, &piece.bytes[..room], header.key, piece.index);
            self.carried.cut |= room < piece.bytes.len();
            if piece.last {
                self.control_ends(from, piece, teller);
            }
            return;
        }
        self.data(from, piece, layers, shared, teller);
    }

    /// Opens a message with its first frame, or goes on with it.
    fn begin(&mut self, header: &Header, offset: u64) {
        let goes_on = header.opcode == opcode::CONTINUATION && self.open.is_some();
        if goes_on {
            if let Some(open) = &mut self.open {
                open.frames += 1;
                open.frame_start = self.message.len();
            }
            return;
        }
        self.open = Some(Open {
            opcode: header.opcode,
            compressed: header.rsv1 && self.compression != Compression::None,
            offset,
            frames: 1,
            length: 0,
            carried: Carried::default(),
            text: utf8::Check::new(),
            wrong: false,
            frame_start: 0,
        });
    }

    fn data(
        &mut self,
        from: Host,
        piece: &Piece,
        layers: &mut Layers,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let Some(open) = &mut self.open else { return };
        let header = &piece.header;
        let mut scratch = std::mem::take(&mut shared.scratch);
        scratch.clear();
        unmask_onto(&mut scratch, piece.bytes, header.key, piece.index);
        open.length = open.length.saturating_add(piece.bytes.len() as u64);
        open.carried.missing |= self.carried.missing;
        if open.opcode == opcode::TEXT && !open.compressed && !open.wrong && !open.carried.missing {
            let payload_at = piece.offset + header.size() as u64 + piece.index;
            if let Err(index) = open.text.push(&scratch) {
                open.wrong = true;
                violation(from, payload_at + index as u64, &rules::TEXT_NOT_UTF8, teller);
            } else if piece.last && header.fin && open.text.unfinished() > 0 {
                open.wrong = true;
                let end = payload_at + piece.bytes.len() as u64;
                violation(
                    from,
                    end.saturating_sub(open.text.unfinished() as u64),
                    &rules::TEXT_CUT_OFF,
                    teller,
                );
            }
        }
        // A whole message in one piece needs no keeping.
        let at_once = piece.first && piece.last && header.fin && open.frames == 1;
        if !at_once {
            let room = shared.options.limits.message.saturating_sub(self.message.len()).min(scratch.len());
            let kept = self.message.add(&scratch[..room], &mut shared.budget);
            self.carried.cut |= !kept || room < scratch.len();
        }
        if piece.last {
            let payload = if at_once { &scratch[..] } else { &self.message.as_slice()[open.frame_start..] };
            teller.tell(StreamWhat::Frame(Frame {
                from,
                offset: piece.offset,
                header: *header,
                payload: payload.into(),
                carried: self.carried,
            }));
            open.carried.cut |= self.carried.cut;
            self.carried = Carried::default();
            if header.fin {
                let mut held = std::mem::take(&mut self.message);
                let payload = if at_once { &scratch } else { held.as_slice() };
                self.message_ends(from, payload, layers, shared, teller);
                held.clear(&mut shared.budget);
            }
        }
        if scratch.capacity() > 2 * shared.options.limits.message {
            scratch = Vec::new();
        }
        shared.scratch = scratch;
    }

    fn message_ends(
        &mut self,
        from: Host,
        payload: &[u8],
        layers: &mut Layers,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let Some(open) = self.open.take() else { return };
        let mut message = Message {
            from,
            offset: open.offset,
            opcode: open.opcode,
            frames: open.frames,
            length: open.length,
            compressed: open.compressed,
            packed: false,
            payload: payload.into(),
            carried: open.carried,
            above: false,
        };
        let limit = shared.options.limits.message;
        let direction = match self.compression {
            _ if !open.compressed => {
                let mut out = Out { budget: &mut shared.budget, limit, teller };
                return tell(message, payload, layers, &mut out);
            }
            Compression::Agreed(direction) => direction,
            Compression::Unknown | Compression::None => Direction::default(),
        };
        if open.carried.cut || open.carried.missing {
            // What can't be inflated can't be referred to either.
            message.packed = true;
            self.history.clear(&mut shared.budget);
            self.compression = Compression::Unknown;
            layers.gap(from, &mut shared.budget);
            return teller.tell(StreamWhat::Message(message));
        }
        let inflater = &mut shared.inflater;
        let room = shared.budget.is_roomy() || !self.history.is_empty();
        let inflated = self
            .history
            .change(&mut shared.budget, |history| inflater.inflate(payload, history, direction, limit));
        match inflated {
            Ok(inflated) => {
                (message.payload, message.carried.cut) = (inflated.bytes.into(), inflated.cut);
                tell(message, inflated.bytes, layers, &mut Out { budget: &mut shared.budget, limit, teller });
                if open.opcode == opcode::TEXT
                    && !inflated.cut
                    && std::str::from_utf8(inflated.bytes).is_err()
                {
                    violation(from, open.offset, &rules::TEXT_NOT_UTF8, teller);
                }
                if inflated.cut {
                    self.compression = Compression::Unknown;
                }
            }
            Err(_) => {
                message.packed = true;
                teller.tell(StreamWhat::Message(message));
                // Without the handshake, or what came before, it is nobody's fault.
                if let Compression::Agreed(_) = self.compression {
                    violation(from, open.offset, &rules::NOT_DEFLATE, teller);
                    self.compression = Compression::Unknown;
                }
            }
        }
        if !room {
            self.history.clear(&mut shared.budget);
            self.compression = Compression::Unknown;
        }
    }

    fn control_ends(&mut self, from: Host, piece: &Piece, teller: &mut Teller) {
        let (header, offset) = (piece.header, piece.offset);
        let payload = std::mem::take(&mut self.control);
        let carried = std::mem::take(&mut self.carried);
        teller.tell(StreamWhat::Frame(Frame {
            from,
            offset,
            header,
            payload: payload.as_slice().into(),
            carried,
        }));
        teller.tell(StreamWhat::Message(Message {
            from,
            offset,
            opcode: header.opcode,
            frames: 1,
            length: header.length,
            compressed: false,
            packed: false,
            payload: payload.as_slice().into(),
            carried,
            above: false,
        }));
        if header.opcode == opcode::CLOSE {
            self.closed = true;
            if carried == Carried::default() {
                judge_close(from, offset + header.size() as u64, &payload, teller);
            }
        }
        self.control = payload;
        self.control.clear();
    }
}

/// Tells a message, and what it carries.
fn tell(mut message: Message, payload: &[u8], layers: &mut Layers, out: &mut Out) {
    let Message { from, offset, carried, .. } = message;
    let text = message.opcode == opcode::TEXT;
    if carried != Carried::default() {
        layers.gap(from, out.budget);
        return out.teller.tell(StreamWhat::Message(message));
    }
    let above = layers.understand(from, text, payload);
    message.above = above;
    out.teller.tell(StreamWhat::Message(message));
    if above {
        layers.message(from, offset, text, payload, out);
    }
}
