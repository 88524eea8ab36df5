//! One direction of a TCP connection, put together: what came out of order, twice, overlapping, or never (RFC
//! 9293 §3.4, §3.10.7.4).
//!
//! Bytes are numbered from 0, the first after SYN; where the beginning was not recorded, the first that was.
//! Of what is said twice the first counts, and a difference is told: an attacker may say one thing to a
//! program and another to who listens.

use std::collections::VecDeque;

use crate::analysis::conversation::budget::{Budget, Held};

/// Bytes that are kept after they went on, to be compared with what repeats them.
const RECENT: usize = 4096;
/// Pieces out of order that are held.
const PIECES: usize = 4096;
/// Numbers further on than this belong to no window (RFC 7323 §2.3).
const FAR: i64 = 1 << 30;

/// The direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of byte `next`.
    sequence: Option<u32>,
    /// The byte that is waited for.
    next: u64,
    /// Bytes after it, in order, without overlap.
    held: VecDeque<(u64, Held)>,
    held_bytes: usize,
    /// The bytes before it.
    recent: Held,
    /// Where the other side says that it has everything up to.
    acknowledged: u64,
    /// Where it ends, if FIN was seen.
    end: Option<u64>,
    /// Segments of the connection since a piece was held first.
    pub(super) waited: u32,
}

/// What became of a segment's bytes.
#[derive(Debug, Default)]
pub(super) struct Placed<'a> {
    /// These come next, and begin here.
    pub(super) now: Option<(u64, &'a [u8])>,
    /// Bytes said before, and differently: where, and how many.
    pub(super) differs: Option<(u64, u64)>,
    /// There was no room to hold them: what is missing has to be given up.
    pub(super) full: bool,
}

impl Stream {
    /// The first byte will have this sequence number; it counts only once.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.sequence.get_or_insert(sequence);
    }

    /// The sequence number of the byte that is waited for.
    pub(super) fn sequence(&self) -> Option<u32> {
        self.sequence
    }

    /// The byte that is waited for.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The other side has everything up to this number.
    pub(super) fn acknowledge(&mut self, number: u32) {
        let distance = self.distance(number);
        if (1..FAR).contains(&distance) {
            self.acknowledged = self.acknowledged.max(self.next + distance.unsigned_abs());
        }
    }

    /// FIN stands at this number.
    pub(super) fn end_at(&mut self, number: u32) {
        let distance = self.distance(number);
        if (0..FAR).contains(&distance) {
            self.end.get_or_insert(self.next + distance.unsigned_abs());
        }
    }

    /// Everything up to FIN has been there.
    pub(super) fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// Something is held, so something before it is missing.
    pub(super) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// More is held than may be, or the other side has what is missing and goes on: it won't come any more.
    pub(super) fn is_hopeless(&self, limit: usize) -> bool {
        const PATIENCE: u32 = 64;
        const LONG: u32 = 2000;
        self.is_waiting()
            && (self.held_bytes > limit
                || self.held.len() > PIECES
                || self.waited > LONG
                || (self.waited > PATIENCE && self.acknowledged > self.next))
    }

    fn distance(&mut self, number: u32) -> i64 {
        let expected = *self.sequence.get_or_insert(number);
        i64::from(number.wrapping_sub(expected).cast_signed())
    }

    /// Finds the place of a segment's bytes. Those that come next are given back, to be handed on; then
    /// [`Self::advance`].
    pub(super) fn place<'a>(
        &mut self,
        sequence: u32,
        mut bytes: &'a [u8],
        budget: &mut Budget,
    ) -> Placed<'a> {
        let mut placed = Placed::default();
        let distance = self.distance(sequence);
        if bytes.is_empty() || distance > FAR {
            return placed;
        }
        let mut start = self.next;
        if distance < 0 {
            let back = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
            let (old, new) = bytes.split_at(back.min(bytes.len()));
            // A keep-alive repeats the last byte, with any value (RFC 9293 §3.8.4).
            if !(bytes.len() == 1 && back == 1) {
                placed.differs = self.compare(back, old);
            }
            bytes = new;
        } else {
            start += distance.unsigned_abs();
        }
        if bytes.is_empty() {
            return placed;
        }
        let free = self.held.front().is_none_or(|(at, _)| start + bytes.len() as u64 <= *at);
        if start == self.next && free {
            placed.now = Some((start, bytes));
        } else {
            self.hold(start, bytes, budget, &mut placed);
        }
        placed
    }

    /// Bytes went on.
    pub(super) fn advance(&mut self, bytes: &[u8], budget: &mut Budget) {
        self.jump(self.next + bytes.len() as u64);
        if !budget.is_roomy() {
            return self.recent.clear(budget);
        }
        self.recent.change(budget, |recent| {
            if recent.len() + bytes.len() > 2 * RECENT {
                let kept = RECENT.saturating_sub(bytes.len()).min(recent.len());
                recent.drain(..recent.len() - kept);
            }
            recent.extend_from_slice(&bytes[bytes.len().saturating_sub(RECENT)..]);
        });
    }

    /// Held bytes that come next now, and where they begin; they have gone on.
    pub(super) fn ready(&mut self, budget: &mut Budget) -> Option<(u64, Vec<u8>)> {
        if self.held.front()?.0 != self.next {
            return None;
        }
        let (at, mut held) = self.held.pop_front()?;
        let bytes = held.take(budget);
        self.held_bytes -= bytes.len();
        self.advance(&bytes, budget);
        if self.held.is_empty() {
            self.waited = 0;
        }
        Some((at, bytes))
    }

    /// Gives up what is missing before the held bytes: where it begins and how much it is.
    pub(super) fn give_up(&mut self, budget: &mut Budget) -> Option<(u64, u64)> {
        let to = self.held.front()?.0;
        self.waited = 0;
        Some(self.miss(to, budget))
    }

    /// What is missing at the end: up to FIN, or to what the other side has. Nothing may be held any more.
    pub(super) fn missing_end(&mut self, budget: &mut Budget) -> Option<(u64, u64)> {
        let to = self.end.unwrap_or(self.acknowledged);
        (to > self.next).then(|| self.miss(to, budget))
    }

    /// The bytes up to `to` were not recorded; what is held of them comes all the same. Gives from where on,
    /// and how many are missing.
    pub(super) fn miss(&mut self, to: u64, budget: &mut Budget) -> (u64, u64) {
        let from = self.next;
        let to = self.held.front().map_or(to, |(at, _)| to.min(*at)).max(from);
        self.recent.clear(budget);
        self.jump(to);
        (from, to - from)
    }

    /// Gives all memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        self.recent.clear(budget);
        self.held.drain(..).for_each(|(_, mut held)| held.clear(budget));
        (self.held, self.held_bytes) = (VecDeque::new(), 0);
    }

    fn jump(&mut self, to: u64) {
        let [.., a, b, c, d] = (to - self.next).to_be_bytes();
        self.sequence = self.sequence.map(|number| number.wrapping_add(u32::from_be_bytes([a, b, c, d])));
        self.next = to;
    }

    /// Bytes that begin `back` before the next one, against those that went on.
    fn compare(&self, back: usize, bytes: &[u8]) -> Option<(u64, u64)> {
        let recent = self.recent.as_slice();
        let unknown = back.saturating_sub(recent.len());
        let bytes = bytes.get(unknown..)?;
        let from = recent.len() - (back - unknown);
        let known = recent.get(from..from + bytes.len())?;
        differing(known, bytes, self.next - (back - unknown) as u64)
    }

    /// Holds what fills gaps between the bytes that are held.
    fn hold(&mut self, start: u64, bytes: &[u8], budget: &mut Budget, placed: &mut Placed) {
        let (mut at, mut rest) = (start, bytes);
        let mut index = self.held.partition_point(|(from, held)| from + held.len() as u64 <= at);
        while !rest.is_empty() {
            let mut room = rest.len();
            if let Some((from, held)) = self.held.get(index) {
                if *from <= at {
                    let known =
                        &held.as_slice()[usize::try_from(at - from).unwrap_or(usize::MAX).min(held.len())..];
                    let overlap = known.len().min(rest.len());
                    let differs = differing(&known[..overlap], &rest[..overlap], at);
                    placed.differs = placed.differs.or(differs);
                    (at, rest, index) = (at + overlap as u64, &rest[overlap..], index + 1);
                    continue;
                }
                room = room.min(usize::try_from(from - at).unwrap_or(usize::MAX));
            }
            let (piece, after) = rest.split_at(room);
            let mut held = Held::default();
            if !held.add(piece, budget) {
                placed.full = true;
                return;
            }
            self.held.insert(index, (at, held));
            self.held_bytes += piece.len();
            (at, rest, index) = (at + room as u64, after, index + 1);
        }
    }
}

/// From the first byte that differs to the last.
fn differing(first: &[u8], second: &[u8], at: u64) -> Option<(u64, u64)> {
    if first == second {
        return None;
    }
    let differs = |index: &usize| first.get(*index) != second.get(*index);
    let from = (0..second.len()).find(differs)?;
    let to = (0..second.len()).rfind(differs)?;
    Some((at + from as u64, (to - from + 1) as u64))
}

#[cfg(test)]
mod tests;
