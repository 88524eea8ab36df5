//! The Internet checksum (RFC 1071).
//!
//! The bytes are taken as big-endian 16-bit words and added in ones' complement: a carry out of the top comes
//! back in at the bottom. The checksum is the complement of that sum, so that the sum of everything, checksum
//! included, is 0xffff. An odd last byte counts as the high half of a word.

use std::net::IpAddr;

/// A sum that grows piece by piece.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    total: u64,
    odd: bool,
}

impl Sum {
    /// The sum of nothing.
    pub(crate) fn new() -> Self {
        Sum::default()
    }

    /// The pseudo-header that TCP, UDP and ICMPv6 sum too, though it is not sent (RFC 9293 §3.1, RFC 8200
    /// §8.1).
    ///
    /// It has both addresses, the protocol's number and the length of what it carries, in bytes. So a segment
    /// that was delivered to the wrong host does not pass. `None` if the addresses are of two families.
    pub(crate) fn pseudo_header(
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        length: usize,
    ) -> Option<Self> {
        let mut sum = Sum::new();
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                sum.add(&source.octets());
                sum.add(&destination.octets());
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                sum.add(&source.octets());
                sum.add(&destination.octets());
            }
            _ => return None,
        }
        sum.add(&[0, protocol]);
        sum.add(&(length as u64).to_be_bytes());
        Some(sum)
    }

    /// Adds bytes that follow those added before.
    pub(crate) fn add(&mut self, mut bytes: &[u8]) {
        if self.odd {
            let [first, rest @ ..] = bytes else { return };
            self.total += u64::from(*first);
            self.odd = false;
            bytes = rest;
        }
        let words = bytes.chunks_exact(2);
        if let [last] = words.remainder() {
            self.total += u64::from(*last) << 8;
            self.odd = true;
        }
        self.total += words.map(|word| u64::from(u16::from_be_bytes([word[0], word[1]]))).sum::<u64>();
    }

    /// The sum in 16 bits, carries added in. 0xffff if it was taken over a right checksum too.
    pub(crate) fn folded(self) -> u16 {
        let mut total = self.total;
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        u16::try_from(total).expect("folded to 16 bits")
    }

    /// The checksum: the complement of the sum.
    pub(crate) fn checksum(self) -> u16 {
        !self.folded()
    }
}

/// The checksum of `bytes` in which the two bytes at `hole` count as 0: those that hold the checksum.
pub(crate) fn without(mut start: Sum, bytes: &[u8], hole: usize) -> u16 {
    start.add(&bytes[..hole.min(bytes.len())]);
    start.add(&[0, 0]);
    start.add(bytes.get(hole + 2..).unwrap_or_default());
    start.checksum()
}

/// The result of verifying a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong {
        /// What it should be.
        expected: u16,
    },
    /// It covers the pseudo-header alone: the kernel left the rest to the network card (checksum offload).
    Unfinished {
        /// What it should be on the cable.
        expected: u16,
    },
}

impl Verdict {
    /// Verifies the checksum `found` in the two bytes of `bytes` at `hole`; `start` is the sum of a
    /// pseudo-header.
    pub(crate) fn of(found: u16, start: Sum, bytes: &[u8], hole: usize) -> Self {
        let expected = without(start, bytes, hole);
        // 0x0000 and 0xffff are the two zeros of ones' complement.
        if found == expected || matches!((found, expected), (0, 0xffff) | (0xffff, 0)) {
            return Verdict::Right;
        }
        if start != Sum::new() && found == start.folded() {
            return Verdict::Unfinished { expected };
        }
        Verdict::Wrong { expected }
    }

    /// The verdict in words. `with` says what was summed: `the header`, `pseudo-header, header and data`.
    pub(crate) fn words(self, with: &str) -> String {
        match self {
            Verdict::Right => format!("right: the words of {with} add up to 0xffff"),
            Verdict::Wrong { expected } => format!("wrong: it should be {expected:#06x}"),
            Verdict::Unfinished { expected } => format!(
                "unfinished: only the pseudo-header is summed, the rest is left to the network card; it should be {expected:#06x}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let mut sum = Sum::new();
        sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!((sum.folded(), sum.checksum()), (0xddf2, 0x220d));
    }

    #[test]
    fn an_odd_byte_is_the_high_half() {
        let mut sum = Sum::new();
        sum.add(&[0x12]);
        assert_eq!(sum.folded(), 0x1200);
    }

    #[test]
    fn both_zeros_are_right() {
        assert_eq!(Verdict::of(0xffff, Sum::new(), &[0xff, 0xff, 0, 0], 2), Verdict::Right);
        assert_eq!(Verdict::of(0, Sum::new(), &[0xff, 0xff, 0, 0], 2), Verdict::Right);
        assert_eq!(Verdict::of(1, Sum::new(), &[0xff, 0xff, 0, 1], 2), Verdict::Wrong { expected: 0 });
    }

    proptest! {
        #[test]
        fn pieces_add_up_to_the_whole(bytes: Vec<u8>, cuts in proptest::collection::vec(0usize..40, 0..5)) {
            let mut whole = Sum::new();
            whole.add(&bytes);
            let mut pieces = Sum::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.add(piece);
                rest = after;
            }
            pieces.add(rest);
            prop_assert_eq!(pieces.folded(), whole.folded());
        }

        #[test]
        fn with_its_checksum_everything_sums_up(mut bytes in proptest::collection::vec(any::<u8>(), 2..80)) {
            let sum = without(Sum::new(), &bytes, 0);
            bytes[..2].copy_from_slice(&sum.to_be_bytes());
            let mut all = Sum::new();
            all.add(&bytes);
            prop_assert_eq!(all.folded(), 0xffff);
            prop_assert_eq!(Verdict::of(sum, Sum::new(), &bytes, 0), Verdict::Right);
        }
    }
}
