//! Follows conversations: relative numbers, window scales, and which bytes were seen before.
//!
//! Segments are given in the order in which they were seen. Sequence numbers wrap at 2^32, so
//! "before" means less than half the circle away (RFC 9293 §3.4). The state of a connection is bounded.

use std::{collections::HashMap, net::SocketAddr};

use super::tcp::{Flags, Seen, Segment};

mod side;
#[cfg(test)]
mod tests;

use side::Side;

/// The largest shift of a window that counts (RFC 7323 §2.3).
const LARGEST_SHIFT: u8 = 14;

/// True if `a` is before `b` on the circle of sequence numbers.
pub fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) >= 1 << 31
}

/// One connection, between two endpoints.
#[derive(Debug, Clone)]
pub struct Flow {
    sides: [Side; 2],
}

impl Flow {
    /// Returns a connection without segments. [`Seen::from_first`] refers to the first endpoint.
    pub fn new(first: SocketAddr, second: SocketAddr) -> Self {
        Flow { sides: [Side::new(first), Side::new(second)] }
    }

    /// Records the next segment. Returns `None` if it is not between these endpoints.
    ///
    /// A SYN with another number than the one before begins a new connection between the same endpoints.
    pub fn see(&mut self, segment: &Segment) -> Option<Seen> {
        let ends = (segment.source, segment.destination);
        let from_first = ends == (self.sides[0].endpoint, self.sides[1].endpoint);
        if !from_first && ends != (self.sides[1].endpoint, self.sides[0].endpoint) {
            return None;
        }
        let [first, second] = &mut self.sides;
        let (from, to) = if from_first { (first, second) } else { (second, first) };
        let flags = segment.flags;
        let acknowledges = flags.contains(Flags::ACK);
        if flags.contains(Flags::SYN) && from.base != Some(segment.sequence) {
            // A new SYN: the state of the other side belongs to the previous connection.
            if from.base.is_some() && !acknowledges {
                *to = Side::new(to.endpoint);
            }
            from.begin(segment);
        }
        // Without the SYN, the first byte seen counts as byte 1.
        let base = *from.base.get_or_insert(segment.sequence.wrapping_sub(1));
        from.next.get_or_insert(segment.sequence);
        if flags.contains(Flags::SYN) {
            from.window_scale = Some(segment.window_scale);
        }
        if acknowledges && to.base.is_none() {
            to.base = Some(segment.acknowledgment.wrapping_sub(1));
        }
        let (repeated, remark) = side::remark(from, to, segment);
        let window_shift = shift(from, to, segment);
        let scaled = window_shift.map(|shift| u32::from(segment.window) << shift);
        from.take(segment, remark);
        Some(Seen {
            from_first,
            sequence: segment.sequence.wrapping_sub(base),
            acknowledgment: to
                .base
                .filter(|_| acknowledges)
                .map(|base| segment.acknowledgment.wrapping_sub(base)),
            window: scaled,
            window_shift,
            repeated,
            remark,
            other_base: to.base,
        })
    }
}

/// Returns the scale of the window of `segment` in bits, if it is known.
fn shift(from: &Side, to: &Side, segment: &Segment) -> Option<u8> {
    if segment.flags.contains(Flags::SYN) {
        return Some(0);
    }
    match (from.window_scale?, to.window_scale?) {
        (Some(own), Some(_)) => Some(own.min(LARGEST_SHIFT)),
        _ => Some(0),
    }
}

/// Many connections, by their endpoints. Beyond the limit the one that was seen least recently is dropped.
#[derive(Debug, Clone)]
pub struct Flows {
    flows: HashMap<(SocketAddr, SocketAddr), (u64, Flow)>,
    limit: usize,
    clock: u64,
}

impl Default for Flows {
    /// Up to 4,096 connections.
    fn default() -> Self {
        Flows::new(4096)
    }
}

impl Flows {
    /// Up to `limit` connections, at least one.
    pub fn new(limit: usize) -> Self {
        Flows { flows: HashMap::new(), limit: limit.max(1), clock: 0 }
    }

    /// Records the next segment of any connection.
    pub fn see(&mut self, segment: &Segment) -> Seen {
        let (a, b) = (segment.source, segment.destination);
        let key = (a.min(b), a.max(b));
        self.clock += 1;
        if !self.flows.contains_key(&key) && self.flows.len() >= self.limit {
            let oldest = self.flows.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                self.flows.remove(&oldest);
            }
        }
        let (used, flow) = self.flows.entry(key).or_insert_with(|| (0, Flow::new(a, b)));
        *used = self.clock;
        flow.see(segment).expect("the key is the flow's endpoints")
    }

    /// Records the next frame. Returns `None` if it has no segment with a complete header.
    pub fn see_frame(&mut self, frame: &[u8]) -> Option<Seen> {
        Segment::parse(frame).map(|segment| self.see(&segment))
    }
}
