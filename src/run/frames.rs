//! The frames of a run: which ones reached the cable, why each was sent, and what happened to it.

use std::time::Instant;

use super::cause::{Causes, Why};
use crate::{
    event::{Became, Cause, Host, What},
    lesson::{FramePattern, grammar::FrameKey},
    wire::{
        Protocol,
        flow::{Flows, before},
        frame::dissect,
        icmp::{self, kind},
        ip::Datagram,
        tcp::Seen,
        tcp::{Flags, Segment},
        udp,
    },
};

/// Frames that claims can find. When it is reached, the older half is forgotten.
const REMEMBERED: usize = 20_000;

/// The frames that a run remembers.
#[derive(Debug, Default)]
pub(super) struct Frames {
    flows: Flows,
    causes: Causes,
    noted: Vec<Noted>,
    /// The last frame that a claim found. The next claim searches the frames after it.
    pub found: u64,
    /// The newest frame before the last step began.
    pub before: u64,
}

/// A remembered frame.
#[derive(Debug)]
pub(super) struct Noted {
    pub number: u64,
    pub from: Host,
    /// The frame that this one retransmits.
    pub again: Option<u64>,
    pub fate: Option<Became>,
    at: Instant,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp(Segment, Seen),
    /// The length of its payload in bytes.
    Udp(usize),
    Arp,
    Icmp(Option<icmp::Message>),
    /// A fragment of a datagram, other than the first.
    Fragment,
    Other,
}

impl Frames {
    /// Records an event of the run.
    pub fn hear(&mut self, what: &What) {
        self.causes.hear(what);
    }

    /// Records a frame, and returns why it was sent.
    pub fn came(&mut self, number: u64, from: Host, at: Instant, bytes: &[u8]) -> Why {
        let (kind, why) = self.read(number, from, bytes);
        if self.noted.len() == REMEMBERED {
            self.noted.drain(..REMEMBERED / 2);
        }
        self.noted.push(Noted { number, from, again: why.again, fate: None, at, kind });
        why
    }

    fn read(&mut self, number: u64, from: Host, bytes: &[u8]) -> (Kind, Why) {
        if let Some(segment) = Segment::parse(bytes) {
            let seen = self.flows.see(&segment);
            let why = self.causes.of_segment(number, from, &segment, &seen);
            return (Kind::Tcp(segment, seen), why);
        }
        if let Some(datagram) = udp::Message::parse(bytes) {
            let why = self.causes.of_datagram(from, datagram.source, datagram.destination);
            self.causes.is_cut(from, bytes, why);
            return (Kind::Udp(datagram.payload.len()), why);
        }
        let told = dissect(bytes, Default::default());
        if told.layer(Protocol::Arp).is_some() {
            return (Kind::Arp, Why::only(Cause::Neighbour));
        }
        let datagram = Datagram::parse(bytes);
        if datagram.as_ref().is_some_and(|datagram| !datagram.first) {
            return (Kind::Fragment, self.causes.of_fragment(from, bytes));
        }
        if told.layer(Protocol::Icmp).is_some() {
            let message = datagram.and_then(|datagram| icmp::Message::parse(bytes.get(datagram.payload)?));
            let why = self.causes.of_icmp(from, message.as_ref());
            self.causes.is_cut(from, bytes, why);
            return (Kind::Icmp(message), why);
        }
        if told.layer(Protocol::Icmpv6).is_some() {
            return (Kind::Icmp(None), Why::only(Cause::Report));
        }
        (Kind::Other, Why::only(Cause::Unknown))
    }

    /// Records what happened to a frame.
    pub fn fate(&mut self, number: u64, fate: Became) {
        if let Ok(at) = self.noted.binary_search_by_key(&number, |noted| noted.number) {
            self.noted[at].fate = Some(fate);
        }
    }

    /// Returns the number of the newest frame; 0 if there is none.
    pub fn newest(&self) -> u64 {
        self.noted.last().map_or(0, |noted| noted.number)
    }

    /// Returns the held frames, oldest first.
    pub fn held(&self) -> impl Iterator<Item = &Noted> {
        self.noted.iter().filter(|noted| noted.fate == Some(Became::Held))
    }

    /// Returns the held frames that say nothing that their original, which is held as well, does not say.
    /// With `any`, it suffices that some older frame is held.
    pub fn folded(&self, any: bool) -> Vec<u64> {
        let oldest = self.held().next().map_or(u64::MAX, |noted| noted.number);
        self.held()
            .filter(|noted| {
                let first = noted.again.and_then(|first| self.get(first));
                let waits =
                    |first: &Noted| first.fate == Some(Became::Held) || (any && oldest < noted.number);
                first.is_some_and(|first| waits(first) && stands(first, noted))
            })
            .map(|noted| noted.number)
            .collect()
    }

    fn get(&self, number: u64) -> Option<&Noted> {
        self.noted.binary_search_by_key(&number, |noted| noted.number).ok().map(|at| &self.noted[at])
    }

    /// Returns the first frame after this number that matches the pattern.
    pub fn find(&self, behind: u64, pattern: &FramePattern) -> Option<u64> {
        let behind = self.noted.partition_point(|noted| noted.number <= behind);
        self.noted[behind..].iter().find(|noted| self.fits(noted, pattern)).map(|noted| noted.number)
    }

    /// Returns whether a frame matches the pattern.
    pub fn fits(&self, noted: &Noted, pattern: &FramePattern) -> bool {
        let kind = match (pattern.kind, &noted.kind) {
            (None, _)
            | (Some("ARP"), Kind::Arp)
            | (Some("ICMP"), Kind::Icmp(_))
            | (Some("fragment"), Kind::Fragment)
            | (Some("UDP"), Kind::Udp(_)) => true,
            (Some("data"), Kind::Tcp(segment, _)) => !segment.payload.is_empty(),
            (Some("data"), Kind::Udp(length)) => *length > 0,
            _ => false,
        };
        let flags = pattern.flags.is_none_or(|wanted| match &noted.kind {
            Kind::Tcp(segment, _) => {
                let push = Flags::PSH.bits();
                let mut there = segment.flags.bits();
                if u16::from(wanted) & push == 0 {
                    there &= !push;
                }
                there == u16::from(wanted)
            }
            _ => false,
        });
        kind && flags
            && pattern.from.is_none_or(|from| from == noted.from)
            && (!pattern.again || noted.again.is_some())
            && pattern.fate.is_none_or(|fate| noted.fate.is_some_and(|there| name_of(there) == fate))
            && pattern.values.iter().all(|(key, compare, wanted)| {
                self.value(noted, *key).is_some_and(|there| compare.holds(&there, wanted))
            })
    }

    fn value(&self, noted: &Noted, key: FrameKey) -> Option<i64> {
        let (segment, seen) = match (&noted.kind, key) {
            (Kind::Udp(length), FrameKey::Length) => return i64::try_from(*length).ok(),
            (Kind::Icmp(message), _) => return of_icmp(message.as_ref()?, key),
            (Kind::Tcp(segment, seen), _) => (segment, seen),
            _ => return None,
        };
        Some(match key {
            FrameKey::Length => i64::try_from(segment.payload.len()).ok()?,
            FrameKey::Sequence => i64::from(seen.sequence),
            FrameKey::Acknowledgment => i64::from(seen.acknowledgment?),
            FrameKey::Window => i64::from(seen.window?),
            FrameKey::Mss => i64::from(segment.maximum_segment_size?),
            FrameKey::After => {
                let first = noted.again?;
                let at = self.noted.binary_search_by_key(&first, |noted| noted.number).ok()?;
                i64::try_from(noted.at.saturating_duration_since(self.noted[at].at).as_millis()).ok()?
            }
            FrameKey::Type | FrameKey::Code | FrameKey::Identifier => return None,
        })
    }
}

/// Returns a value of an ICMP message.
fn of_icmp(message: &icmp::Message, key: FrameKey) -> Option<i64> {
    let is_echo = matches!(message.kind, kind::ECHO | kind::ECHO_REPLY);
    Some(match key {
        FrameKey::Length => i64::try_from(message.body.len()).ok()?,
        FrameKey::Type => i64::from(message.kind),
        FrameKey::Code => i64::from(message.code),
        FrameKey::Identifier if is_echo => i64::from(u16::from_be_bytes([message.rest[0], message.rest[1]])),
        _ => return None,
    })
}

/// Returns whether `first` says all that `again` says. A SYN,ACK is more than a retransmitted SYN, and a
/// retransmission that ends later carries new bytes.
fn stands(first: &Noted, again: &Noted) -> bool {
    let (Kind::Tcp(old, _), Kind::Tcp(new, _)) = (&first.kind, &again.kind) else { return false };
    let flags = |segment: &Segment| segment.flags.bits() & !Flags::PSH.bits();
    flags(old) == flags(new) && !before(old.sequence_end(), new.sequence_end())
}

/// Returns the word that a lesson uses for the fate.
fn name_of(fate: Became) -> &'static str {
    match fate {
        Became::Held => "held",
        Became::Delivered => "delivered",
        // To a lesson, a folded frame counts as dropped.
        Became::Dropped | Became::Folded => "dropped",
        Became::Duplicated => "duplicated",
        Became::Corrupted => "corrupted",
        Became::Lost => "lost",
        Became::Delayed => "delayed",
    }
}
