//! One side of a connection: what it has sent so far, and what a further segment of it is.

use std::net::SocketAddr;

use super::before;
use crate::wire::tcp::{Flags, Remark, Segment};

/// How many gaps are remembered; of more, the lowest is forgotten and counts as seen.
const GAPS: usize = 16;

/// What was seen of one sender.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) endpoint: SocketAddr,
    /// The number of its SYN.
    pub(super) base: Option<u32>,
    /// The number after the highest that it used.
    pub(super) next: Option<u32>,
    /// What its SYN offered, if its SYN was seen.
    pub(super) window_scale: Option<Option<u8>>,
    /// Numbers below `next` that were not seen: first, and after the last.
    pub(super) gaps: Vec<(u32, u32)>,
    /// What it awaited last.
    acknowledged: Option<u32>,
    /// The window that it said last, not scaled.
    window: Option<u16>,
    duplicates: u32,
    /// What its last segment was.
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

    /// A SYN begins everything anew.
    pub(super) fn begin(&mut self, segment: &Segment) {
        *self = Side { base: Some(segment.sequence), ..Side::new(self.endpoint) };
        self.next = Some(segment.sequence);
    }

    /// How many of the numbers from `start` to `end` were seen before.
    fn repeated(&self, start: u32, end: u32) -> u32 {
        let Some(next) = self.next.filter(|next| before(start, *next)) else { return 0 };
        let end = if before(end, next) { end } else { next };
        let missing: u32 = self.gaps.iter().map(|gap| overlap(*gap, (start, end))).sum();
        end.wrapping_sub(start).saturating_sub(missing)
    }

    /// Takes note of a segment, after it was judged.
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
        // The byte of a probe is not taken by a closed window: it will be sent again.
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

    /// Takes what was seen now out of the gaps. One may become two.
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

/// How many numbers two ranges share.
fn overlap(a: (u32, u32), b: (u32, u32)) -> u32 {
    let start = if before(a.0, b.0) { b.0 } else { a.0 };
    let end = if before(a.1, b.1) { a.1 } else { b.1 };
    if before(start, end) { end.wrapping_sub(start) } else { 0 }
}

/// How much of a segment was seen before, and what is remarkable about it.
pub(super) fn remark(from: &Side, to: &Side, segment: &Segment) -> (u32, Option<Remark>) {
    let Some(next) = from.next else { return (0, None) };
    let (start, length) = (segment.sequence, segment.sequence_length());
    if segment.flags.contains(Flags::RST) {
        return (0, None);
    }
    let marked = segment.flags.has_any(Flags::SYN | Flags::FIN);
    let repeated = from.repeated(start, segment.sequence_end());
    let zero_window = (segment.window == 0 && !marked).then_some(Remark::ZeroWindow);
    // One before what comes next, and all was acknowledged: said only to hear an answer.
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

/// What a segment without data is that acknowledges what was acknowledged before.
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
        // More was sent than is acknowledged.
        _ if to.next.is_some_and(|next| before(segment.acknowledgment, next)) => {
            Some(Remark::DuplicateAcknowledgment(from.duplicates + 1))
        }
        _ => None,
    }
}
