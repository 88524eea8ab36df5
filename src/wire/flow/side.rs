//! One side of a connection: what it has sent, and how its next segment relates to that.

use std::net::SocketAddr;

use super::before;
use crate::wire::tcp::{Flags, Remark, Segment};

/// Number of gaps kept for a side. Beyond it the lowest gap is dropped and counts as seen.
const GAPS: usize = 16;

/// The state of one sender.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) endpoint: SocketAddr,
    /// The sequence number of its SYN.
    pub(super) base: Option<u32>,
    /// The sequence number after the highest one sent.
    pub(super) next: Option<u32>,
    /// The window scale that its SYN offered; the outer `None` if its SYN was not seen.
    pub(super) window_scale: Option<Option<u8>>,
    /// Ranges below `next` that were not seen: first number, and the number after the last.
    pub(super) gaps: Vec<(u32, u32)>,
    /// Its last acknowledgment number.
    acknowledged: Option<u32>,
    /// Its last window, not scaled.
    window: Option<u16>,
    duplicates: u32,
    /// The remark on its last segment.
    last: Option<Remark>,
}

impl Side {
    pub(super) fn new(endpoint: SocketAddr) -> Self {
        Side {
            endpoint,
            base: None,
            next: None,
            window_scale: None,
            gaps: Vec::new(),
            acknowledged: None,
            window: None,
            duplicates: 0,
            last: None,
        }
    }

    /// Resets the state for a SYN.
    pub(super) fn begin(&mut self, segment: &Segment) {
        *self = Side { base: Some(segment.sequence), ..Side::new(self.endpoint) };
        self.next = Some(segment.sequence);
    }

    /// Returns how many of the numbers from `start` to `end` were seen before.
    fn repeated(&self, start: u32, end: u32) -> u32 {
        let Some(next) = self.next.filter(|next| before(start, *next)) else { return 0 };
        let end = if before(end, next) { end } else { next };
        let missing: u32 = self.gaps.iter().map(|gap| overlap(*gap, (start, end))).sum();
        end.wrapping_sub(start).saturating_sub(missing)
    }

    /// Records a segment. Called after [`remark`].
    pub(super) fn take(&mut self, segment: &Segment, remark: Option<Remark>) {
        self.last = remark;
        if segment.flags.contains(Flags::RST) {
            return;
        }
        if segment.flags.contains(Flags::ACK) {
            self.acknowledged = Some(segment.acknowledgment);
        }
        self.window = Some(segment.window);
        self.duplicates = match remark {
            Some(Remark::DuplicateAcknowledgment(count)) => count,
            _ => 0,
        };
        // A closed window does not accept the byte of a probe: it will be sent again.
        let (start, end) = (segment.sequence, segment.sequence_end());
        let (Some(next), false) = (self.next, remark == Some(Remark::ZeroWindowProbe)) else { return };
        self.fill(start, end);
        if before(next, start) {
            if self.gaps.len() == GAPS {
                self.gaps.remove(0);
            }
            self.gaps.push((next, start));
        }
        if before(next, end) {
            self.next = Some(end);
        }
    }

    /// Removes a range from the gaps. One gap may become two.
    fn fill(&mut self, start: u32, end: u32) {
        let mut left = Vec::new();
        for gap in self.gaps.drain(..) {
            if overlap(gap, (start, end)) == 0 {
                left.push(gap);
                continue;
            }
            if before(gap.0, start) {
                left.push((gap.0, start));
            }
            if before(end, gap.1) {
                left.push((end, gap.1));
            }
        }
        let surplus = left.len().saturating_sub(GAPS);
        left.drain(..surplus);
        self.gaps = left;
    }
}

/// Returns the size of the overlap of two ranges.
fn overlap(a: (u32, u32), b: (u32, u32)) -> u32 {
    let start = if before(a.0, b.0) { b.0 } else { a.0 };
    let end = if before(a.1, b.1) { a.1 } else { b.1 };
    if before(start, end) { end.wrapping_sub(start) } else { 0 }
}

/// Returns how much of a segment was seen before, and the remark on it.
pub(super) fn remark(from: &Side, to: &Side, segment: &Segment) -> (u32, Option<Remark>) {
    let Some(next) = from.next else { return (0, None) };
    let (start, length) = (segment.sequence, segment.sequence_length());
    if segment.flags.contains(Flags::RST) {
        return (0, None);
    }
    let marked = segment.flags.has_any(Flags::SYN | Flags::FIN);
    let repeated = from.repeated(start, segment.sequence_end());
    let zero_window = (segment.window == 0 && !marked).then_some(Remark::ZeroWindow);
    // One byte before the next, with everything acknowledged: sent only to get an answer.
    let settled = to.acknowledged == Some(next);
    if !marked && length <= 1 && start == next.wrapping_sub(1) && settled {
        let probe = to.window == Some(0);
        return (repeated, Some(if probe { Remark::ZeroWindowProbe } else { Remark::KeepAlive }));
    }
    if !marked && length == 1 && start == next && to.window == Some(0) {
        return (0, Some(Remark::ZeroWindowProbe));
    }
    if length > 0 {
        let remark = if repeated > 0 {
            Some(Remark::Retransmission)
        } else if before(start, next) {
            Some(Remark::OutOfOrder)
        } else if before(next, start) {
            Some(Remark::Gap)
        } else {
            zero_window
        };
        return (repeated, remark);
    }
    if before(next, start) {
        return (0, Some(Remark::Gap));
    }
    (0, said_again(from, to, segment).or(zero_window))
}

/// Returns the remark on a segment without data that repeats an acknowledgment number.
fn said_again(from: &Side, to: &Side, segment: &Segment) -> Option<Remark> {
    let same = segment.flags.contains(Flags::ACK) && from.acknowledged == Some(segment.acknowledgment);
    if !same {
        return None;
    }
    if from.window != Some(segment.window) {
        return (segment.window > 0).then_some(Remark::WindowUpdate);
    }
    match to.last {
        Some(Remark::KeepAlive) => Some(Remark::KeepAliveAnswer),
        Some(Remark::ZeroWindowProbe) => Some(Remark::ZeroWindowProbeAnswer),
        // Data is outstanding.
        _ if to.next.is_some_and(|next| before(segment.acknowledgment, next)) => {
            Some(Remark::DuplicateAcknowledgment(from.duplicates + 1))
        }
        _ => None,
    }
}
