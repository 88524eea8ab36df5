//! A frame on the cable, what became of it, and how one is named.

use std::{sync::Arc, time::Duration};

use crate::event::Host;

/// Bytes of an Ethernet header: two addresses and the kind of what is inside.
const ETHERNET: usize = 14;

/// One Ethernet frame, without preamble and check sequence, as it left a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Counted from 1 over both directions, in the order in which the hosts sent.
    pub number: u64,
    /// Who sent it.
    pub from: Host,
    /// All of it, beginning with the receiver's Ethernet address.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// The bit that [`Cable::corrupt`](super::Cable::corrupt) turns over, counted from 0 at the start of the frame, the most
    /// significant bit of a byte first: the last bit of the IP packet. That is payload where there is any, and always under the
    /// checksum of TCP or UDP.
    pub fn weakest_bit(&self) -> usize {
        let length = |at: usize| {
            let two = self.bytes.get(at..at + 2)?;
            Some(usize::from(u16::from_be_bytes([two[0], two[1]])))
        };
        let packet = match length(ETHERNET - 2) {
            // RFC 791 §3.1: total length in bytes 2 and 3.
            Some(0x0800) => length(ETHERNET + 2),
            // RFC 8200 §3: payload length in bytes 4 and 5, without the header's 40.
            Some(0x86dd) => length(ETHERNET + 4).map(|payload| payload + 40),
            _ => None,
        };
        let end = packet.map_or(self.bytes.len(), |packet| self.bytes.len().min(ETHERNET + packet));
        (end * 8).saturating_sub(1)
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits until it is told what to do.
    Held,
    /// It crosses in so long.
    Delayed(Duration),
    /// It crossed.
    Delivered,
    /// It crossed twice.
    Duplicated,
    /// It crossed with this bit turned over, counted from 0 at the start of the frame.
    Corrupted {
        /// The most significant bit of a byte first.
        bit: usize,
    },
    /// It was thrown away.
    Dropped,
    /// It was on the cable when there was none: cut, or nobody's interface is up at the other end.
    Lost,
}

/// Which of the frames that are held.
pub enum FrameSelector {
    /// So many, the oldest first; all if there are fewer.
    Oldest(usize),
    /// Every one.
    All,
    /// The oldest for which this holds.
    Matching(Box<dyn Fn(&Frame) -> bool + Send>),
}

impl FrameSelector {
    /// The frame of this number.
    pub fn number(number: u64) -> FrameSelector {
        FrameSelector::Matching(Box::new(move |frame| frame.number == number))
    }

    /// The oldest one of this host.
    pub fn from(host: Host) -> FrameSelector {
        FrameSelector::Matching(Box::new(move |frame| frame.from == host))
    }

    /// The chosen ones; empty if what is asked for is not there.
    pub(super) fn choose(&self, held: &[Arc<Frame>]) -> Vec<Arc<Frame>> {
        match self {
            FrameSelector::All => held.to_vec(),
            FrameSelector::Oldest(most) => held.iter().take(*most).cloned().collect(),
            FrameSelector::Matching(fits) => {
                held.iter().find(|frame| fits(frame)).cloned().into_iter().collect()
            }
        }
    }

    /// How many have to be held before there is something to wait for no longer.
    pub(super) fn at_least(&self) -> usize {
        match self {
            FrameSelector::Oldest(number) => (*number).max(1),
            FrameSelector::All | FrameSelector::Matching(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: Vec<u8>) -> Frame {
        Frame { number: 1, from: Host::Client, bytes }
    }

    #[test]
    fn the_weakest_bit_is_the_packets_last_and_not_the_paddings() {
        let mut bytes = vec![0; 60];
        bytes[12..14].copy_from_slice(&[0x08, 0x00]);
        bytes[16..18].copy_from_slice(&[0, 41]);
        assert_eq!(frame(bytes.clone()).weakest_bit(), (14 + 41) * 8 - 1);
        bytes[12..14].copy_from_slice(&[0x86, 0xdd]);
        bytes[18..20].copy_from_slice(&[0, 4]);
        assert_eq!(frame(bytes).weakest_bit(), (14 + 44) * 8 - 1);
    }

    #[test]
    fn a_frame_that_lies_about_its_length_or_has_none_still_has_a_last_bit() {
        let mut bytes = vec![0xff; 20];
        bytes[12..14].copy_from_slice(&[0x08, 0x00]);
        assert_eq!(frame(bytes).weakest_bit(), 159);
        assert_eq!(frame(vec![1, 2, 3]).weakest_bit(), 23);
        assert_eq!(frame(Vec::new()).weakest_bit(), 0);
    }

    #[test]
    fn frames_are_chosen_oldest_first() {
        let held: Vec<_> = [(1, Host::Client), (2, Host::Server), (3, Host::Client)]
            .map(|(number, from)| Arc::new(Frame { number, from, bytes: Vec::new() }))
            .into();
        let numbers =
            |which: FrameSelector| which.choose(&held).iter().map(|frame| frame.number).collect::<Vec<_>>();
        assert_eq!(numbers(FrameSelector::Oldest(2)), [1, 2]);
        assert_eq!(numbers(FrameSelector::Oldest(9)), [1, 2, 3]);
        assert_eq!(numbers(FrameSelector::from(Host::Server)), [2]);
        assert_eq!(numbers(FrameSelector::number(3)), [3]);
        assert!(numbers(FrameSelector::number(4)).is_empty());
    }
}
