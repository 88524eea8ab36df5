//! A frame on the cable, its fate, and how held frames are selected.

use std::{sync::Arc, time::Duration};

use crate::event::Host;

/// Bytes of an Ethernet header: two addresses and the EtherType.
const ETHERNET: usize = 14;

/// An Ethernet frame as a host sent it, without preamble and frame check sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Counted from 1 over both directions, in the order of sending.
    pub number: u64,
    /// The sender.
    pub from: Host,
    /// The whole frame, beginning with the destination's Ethernet address.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// The bit that [`Cable::corrupt`](super::Cable::corrupt) inverts: the last bit of the IP packet. It is
    /// payload if there is any, and always covered by the checksum of TCP or UDP. Counted from 0 at the start
    /// of the frame, the most significant bit of a byte first.
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

/// What happened to a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits on the cable for a command.
    Held,
    /// It crosses after this time.
    Delayed(Duration),
    /// It crossed.
    Delivered,
    /// It crossed twice.
    Duplicated,
    /// It crossed with one bit inverted.
    Corrupted {
        /// Counted from 0 at the start of the frame, the most significant bit of a byte first.
        bit: usize,
    },
    /// It was dropped on command.
    Dropped,
    /// It was lost: the cable was cut, or the interface at the other end was down.
    Lost,
}

/// Selects held frames.
pub enum FrameSelector {
    /// This number of frames, the oldest first; all frames if fewer are held.
    Oldest(usize),
    /// Every frame.
    All,
    /// The oldest frame for which the function returns true.
    Matching(Box<dyn Fn(&Frame) -> bool + Send>),
}

impl FrameSelector {
    /// The frame with this number.
    pub fn number(number: u64) -> FrameSelector {
        FrameSelector::Matching(Box::new(move |frame| frame.number == number))
    }

    /// The oldest frame of this host.
    pub fn from(host: Host) -> FrameSelector {
        FrameSelector::Matching(Box::new(move |frame| frame.from == host))
    }

    /// The selected frames, oldest first. Empty if no frame matches.
    pub(super) fn choose(&self, held: &[Arc<Frame>]) -> Vec<Arc<Frame>> {
        match self {
            FrameSelector::All => held.to_vec(),
            FrameSelector::Oldest(most) => held.iter().take(*most).cloned().collect(),
            FrameSelector::Matching(fits) => {
                held.iter().find(|frame| fits(frame)).cloned().into_iter().collect()
            }
        }
    }

    /// Number of selected frames that end [`Cable::wait_for_held`](super::Cable::wait_for_held).
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
