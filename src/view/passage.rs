//! What became of each frame, from when it came to the cable to its end. The capture and the transcript tell
//! it.

use std::collections::BTreeMap;

use super::units::time;
use crate::event::{Became, Cause, Event, Fate, Frame, Host, What};
use crate::wire::{
    flow::Flows,
    summary,
    tcp::Segment,
    tcp::{Remark, Seen},
};

/// Calls that are remembered by number; of more, the oldest are forgotten.
const REMEMBERED: usize = 20_000;

/// A frame, and what became of it so far.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Its number.
    pub number: u64,
    /// Who sent it.
    pub from: Host,
    /// Nanoseconds since the lesson began, at which it came to the cable.
    pub ns: u64,
    /// All of it, as it was sent.
    pub bytes: Vec<u8>,
    /// What it is: `SYN seq 0`.
    label: String,
    /// Who caused it: `the kernel acknowledges`.
    cause: String,
    /// What became of it, in order.
    fates: Vec<Fate>,
}

impl Passage {
    /// Whether nothing more can become of it.
    fn is_over(&self) -> bool {
        self.last().is_some_and(|fate| !matches!(fate, Became::Held | Became::Delayed))
    }

    fn last(&self) -> Option<Became> {
        self.fates.last().map(|it| it.fate)
    }

    /// When and how it reached the other host; twice if it was duplicated, never if it was dropped or lost.
    pub fn arrivals(&self) -> Vec<(u64, Vec<u8>)> {
        let mut arrivals = Vec::new();
        for it in &self.fates {
            let mut bytes = self.bytes.clone();
            let times = match it.fate {
                Became::Held | Became::Delayed | Became::Dropped | Became::Folded | Became::Lost => 0,
                Became::Delivered => 1,
                Became::Duplicated => 2,
                Became::Corrupted => {
                    it.bit.into_iter().for_each(|bit| turn_over(&mut bytes, bit));
                    1
                }
            };
            arrivals.extend((0..times).map(|_| (it.ns, bytes.clone())));
        }
        arrivals
    }

    /// `#3 ACK 1 · the kernel acknowledges · held 2.1 s, then delivered`
    pub fn words(&self) -> String {
        format!("#{} {} · {} · {}", self.number, self.label, self.cause, self.story())
    }

    fn story(&self) -> String {
        if self.fates.is_empty() {
            return "it is not known what became of it".to_owned();
        }
        let mut phrases = Vec::new();
        for (at, it) in self.fates.iter().enumerate() {
            let next = self.fates.get(at + 1);
            phrases.push(match (it.fate, next) {
                (Became::Held, Some(next)) => format!("held {}", time(next.ns.saturating_sub(it.ns))),
                (Became::Held, None) => "held to the end".to_owned(),
                (Became::Delayed, _) => match it.delay_us {
                    Some(us) => format!("delayed by {}", time(us.saturating_mul(1000))),
                    None => "delayed".to_owned(),
                },
                (Became::Delivered, _) => "delivered".to_owned(),
                (Became::Dropped, _) => "dropped".to_owned(),
                (Became::Folded, _) => "taken off, as frames waited".to_owned(),
                (Became::Duplicated, _) => "delivered twice".to_owned(),
                (Became::Corrupted, _) => match it.bit {
                    Some(bit) => format!("delivered with bit {bit} wrong"),
                    None => "delivered with a wrong bit".to_owned(),
                },
                (Became::Lost, _) => "lost: the cable is cut".to_owned(),
            });
        }
        phrases.join(", then ")
    }
}

/// Turns one bit over, counted from 0 at the start, the most significant of a byte first.
fn turn_over(bytes: &mut [u8], bit: u64) {
    let byte = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at));
    if let Some(byte) = byte {
        *byte ^= 0x80 >> (bit % 8);
    }
}

/// The frames of a run that are under way, and what has to be known to tell of them.
#[derive(Debug, Default)]
pub(super) struct Passages {
    flows: Flows,
    step: usize,
    /// Calls by number: the name, and the step.
    calls: BTreeMap<u64, (String, usize)>,
    under_way: BTreeMap<u64, Passage>,
}

impl Passages {
    /// Takes the next event. Gives the frame that has come to its end with it.
    pub fn take(&mut self, event: &Event) -> Option<Passage> {
        match &event.what {
            What::Step(step) => self.step = step.number,
            What::Call(call) => {
                self.calls.insert(call.id, (call.call.clone(), self.step));
                if self.calls.len() > REMEMBERED {
                    self.calls.pop_first();
                }
            }
            What::Frame(frame) => return self.came(frame),
            What::Fate(fate) => return self.became(fate),
            _ => {}
        }
        None
    }

    /// Those that nothing more will be heard of, as the run is over.
    pub fn end(&mut self) -> Vec<Passage> {
        std::mem::take(&mut self.under_way).into_values().collect()
    }

    /// When the oldest of those came that are on their way now, and are not held.
    pub fn oldest_on_its_way(&self) -> Option<u64> {
        let moving = self.under_way.values().filter(|passage| passage.last() != Some(Became::Held));
        moving.map(|passage| passage.ns).min()
    }

    fn came(&mut self, frame: &Frame) -> Option<Passage> {
        let passage = Passage {
            number: frame.number,
            from: frame.from,
            ns: frame.ns,
            bytes: frame.bytes.clone(),
            label: label(&mut self.flows, frame).0,
            cause: self.cause(frame),
            fates: Vec::new(),
        };
        self.under_way.insert(frame.number, passage)
    }

    fn became(&mut self, fate: &Fate) -> Option<Passage> {
        let passage = self.under_way.get_mut(&fate.frame)?;
        passage.fates.push(fate.clone());
        if passage.is_over() { self.under_way.remove(&fate.frame) } else { None }
    }

    fn cause(&self, frame: &Frame) -> String {
        let call = frame.call.and_then(|id| self.calls.get(&id));
        let call = call.map(|(name, step)| format!("{name} in step {step}"));
        let again = frame.again.map(|first| format!("#{first}"));
        match frame.cause {
            Cause::Call => call.unwrap_or_else(|| "a call".to_owned()),
            Cause::Answer => {
                if Segment::parse(&frame.bytes).is_some() {
                    "the kernel answers a SYN".to_owned()
                } else {
                    "the kernel answers a ping".to_owned()
                }
            }
            Cause::Acknowledgment => "the kernel acknowledges".to_owned(),
            Cause::Retransmission => {
                format!("the kernel says {} again", again.as_deref().unwrap_or("something"))
            }
            Cause::WindowUpdate => "the kernel tells of its new window".to_owned(),
            Cause::Probe => "the kernel asks whether the other side is there".to_owned(),
            Cause::Reset => match call {
                Some(call) => format!("{call} breaks the connection off"),
                None => "the kernel refuses, or breaks the connection off".to_owned(),
            },
            Cause::Neighbour => "the kernel looks for a neighbour, or answers one".to_owned(),
            Cause::Report => "the kernel reports".to_owned(),
            Cause::Unknown => "it is not known why".to_owned(),
        }
    }
}

/// What a frame is, in a few words, and what its conversation says of it.
pub(super) fn label(flows: &mut Flows, frame: &Frame) -> (String, Option<Seen>) {
    let Some(segment) = Segment::parse(&frame.bytes) else {
        return (summary::short(&frame.bytes, None), None);
    };
    let mut seen = flows.see(&segment);
    // Which frame it repeats is said instead.
    seen.remark = seen.remark.filter(|remark| *remark != Remark::Retransmission || frame.again.is_none());
    (summary::of_segment(&segment, Some(&seen)), Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_counted_from_the_most_significant_one() {
        let mut bytes = [0, 0];
        turn_over(&mut bytes, 0);
        turn_over(&mut bytes, 15);
        turn_over(&mut bytes, 16);
        assert_eq!(bytes, [0x80, 0x01]);
    }

    #[test]
    fn the_story_says_how_long_it_was_held() {
        let fate = |ns, fate| Fate { frame: 3, ns, fate, delay_us: None, bit: None };
        let mut passage = Passage {
            number: 3,
            from: Host::Client,
            ns: 0,
            bytes: vec![1],
            label: "ACK 1".into(),
            cause: "the kernel acknowledges".into(),
            fates: vec![fate(0, Became::Held)],
        };
        assert_eq!(passage.words(), "#3 ACK 1 · the kernel acknowledges · held to the end");
        passage.fates.push(fate(2_100_000_000, Became::Duplicated));
        assert_eq!(passage.story(), "held 2.1 s, then delivered twice");
        assert_eq!(passage.arrivals(), [(2_100_000_000, vec![1]), (2_100_000_000, vec![1])]);
    }
}
