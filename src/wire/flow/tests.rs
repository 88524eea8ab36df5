use proptest::prelude::*;

use super::*;
use crate::wire::tcp::{Remark, SackBlocks};

const SYN: Flags = Flags::SYN;
const ACK: Flags = Flags::ACK;

/// Segments of one connection, made short.
struct Talk {
    flow: Flow,
    ends: [SocketAddr; 2],
    starts: [u32; 2],
}

impl Talk {
    fn new(starts: [u32; 2]) -> Self {
        let ends = ["10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap()];
        Talk { flow: Flow::new(ends[0], ends[1]), ends, starts }
    }

    fn opened(starts: [u32; 2], scales: [Option<u8>; 2]) -> Self {
        let mut talk = Talk::new(starts);
        talk.send_scaled(0, SYN, (0, 0), 0, 1000, scales[0]);
        talk.send_scaled(1, SYN | ACK, (0, 1), 0, 2000, scales[1]);
        talk.send(0, ACK, (1, 1), 0, 100);
        talk
    }

    /// Side, flags, relative sequence and acknowledgment, length, window.
    fn send(&mut self, side: usize, flags: Flags, numbers: (u32, u32), length: usize, window: u16) -> Seen {
        self.send_scaled(side, flags, numbers, length, window, None)
    }

    fn send_scaled(
        &mut self,
        side: usize,
        flags: Flags,
        (sequence, acknowledgment): (u32, u32),
        length: usize,
        window: u16,
        window_scale: Option<u8>,
    ) -> Seen {
        let segment = Segment {
            source: self.ends[side],
            destination: self.ends[1 - side],
            sequence: self.starts[side].wrapping_add(sequence),
            acknowledgment: self.starts[1 - side].wrapping_add(acknowledgment),
            flags,
            window,
            maximum_segment_size: None,
            window_scale,
            sack_permitted: false,
            sack: SackBlocks::default(),
            timestamps: None,
            payload: 54..54 + length,
            whole: true,
        };
        self.flow.see(&segment).unwrap()
    }
}

#[test]
fn numbers_count_from_the_syn() {
    let mut talk = Talk::new([500, 900]);
    let seen = talk.send(0, SYN, (0, 0), 0, 1000);
    assert_eq!((seen.from_first, seen.sequence, seen.acknowledgment, seen.remark), (true, 0, None, None));
    let seen = talk.send(1, SYN | ACK, (0, 1), 0, 1000);
    assert_eq!((seen.from_first, seen.sequence, seen.acknowledgment), (false, 0, Some(1)));
    let seen = talk.send(0, ACK, (1, 1), 5, 1000);
    assert_eq!((seen.sequence, seen.acknowledgment, seen.remark), (1, Some(1), None));
}

#[test]
fn without_the_syn_the_first_byte_is_byte_1() {
    let mut talk = Talk::new([500, 900]);
    let seen = talk.send(0, ACK, (77, 88), 5, 1000);
    assert_eq!((seen.sequence, seen.acknowledgment, seen.window), (1, Some(1), None));
}

#[test]
fn windows_are_scaled_only_if_both_offered_it() {
    let mut both = Talk::opened([0, 0], [Some(7), Some(3)]);
    assert_eq!(both.send(0, ACK, (1, 1), 0, 100).window, Some(12800));
    assert_eq!(both.send(1, ACK, (1, 1), 0, 100).window, Some(800));
    let mut one = Talk::opened([0, 0], [Some(7), None]);
    assert_eq!(one.send(0, ACK, (1, 1), 0, 100).window, Some(100));
    let mut large = Talk::opened([0, 0], [Some(255), Some(0)]);
    assert_eq!(large.send(0, ACK, (1, 1), 0, 1).window_shift, Some(14));
    let mut talk = Talk::new([0, 0]);
    let syn = talk.send_scaled(0, SYN, (0, 0), 0, 1000, Some(7));
    assert_eq!((syn.window, syn.window_shift), (Some(1000), Some(0)));
}

#[test]
fn what_is_sent_again_is_a_retransmission() {
    for starts in [[0, 0], [u32::MAX - 2, u32::MAX]] {
        let mut talk = Talk::new(starts);
        talk.send(0, SYN, (0, 0), 0, 100);
        let again = talk.send(0, SYN, (0, 0), 0, 100);
        assert_eq!((again.remark, again.repeated), (Some(Remark::Retransmission), 1));
        talk.send(1, SYN | ACK, (0, 1), 0, 100);
        talk.send(0, ACK, (1, 1), 0, 100);
        assert_eq!(talk.send(0, ACK, (1, 1), 10, 100).remark, None);
        let more = talk.send(0, ACK, (6, 1), 10, 100);
        assert_eq!((more.remark, more.repeated), (Some(Remark::Retransmission), 5));
        assert_eq!(talk.send(0, ACK | Flags::FIN, (16, 1), 0, 100).remark, None);
        let fin = talk.send(0, ACK | Flags::FIN, (16, 1), 0, 100);
        assert_eq!((fin.remark, fin.repeated), (Some(Remark::Retransmission), 1));
    }
}

#[test]
fn gaps_are_seen_and_filled() {
    let mut talk = Talk::opened([u32::MAX - 10, 0], [None; 2]);
    assert_eq!(talk.send(0, ACK, (11, 1), 10, 100).remark, Some(Remark::Gap));
    let acks: Vec<_> = (0..3).map(|_| talk.send(1, ACK, (1, 1), 0, 2000).remark).collect();
    let duplicates = [1, 2, 3].map(|count| Some(Remark::DuplicateAcknowledgment(count)));
    // The first says it for the first time: the SYN,ACK said so too, and its window.
    assert_eq!(acks, duplicates);
    assert_eq!(talk.send(0, ACK, (1, 1), 10, 100).remark, Some(Remark::OutOfOrder));
    assert_eq!(talk.send(0, ACK, (1, 1), 10, 100).remark, Some(Remark::Retransmission));
    assert_eq!(talk.send(1, ACK, (1, 21), 0, 2000).remark, None);
    assert_eq!(talk.send(0, ACK, (21, 1), 10, 100).remark, None);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut talk = Talk::opened([u32::MAX - 500, 0], [None; 2]);
    for gap in 1..1000 {
        talk.send(0, ACK, (1 + 4 * gap, 1), 2, 100);
        assert!(talk.flow.sides[0].gaps.len() <= 16);
    }
    assert_eq!(talk.send(0, ACK, (1 + 4 * 999 - 2, 1), 2, 100).remark, Some(Remark::OutOfOrder));
    assert_eq!(talk.send(0, ACK, (3, 1), 2, 100).remark, Some(Remark::Retransmission), "forgotten");
}

#[test]
fn a_keep_alive_and_its_answer() {
    let mut talk = Talk::opened([0, 0], [None; 2]);
    talk.send(0, ACK, (1, 1), 5, 100);
    talk.send(1, ACK, (1, 6), 0, 2000);
    assert_eq!(talk.send(0, ACK, (5, 1), 0, 100).remark, Some(Remark::KeepAlive));
    assert_eq!(talk.send(1, ACK, (1, 6), 0, 2000).remark, Some(Remark::KeepAliveAnswer));
}

#[test]
fn a_closed_window_is_probed_and_opens() {
    let mut talk = Talk::opened([0, 0], [None; 2]);
    talk.send(0, ACK, (1, 1), 5, 100);
    assert_eq!(talk.send(1, ACK, (1, 6), 0, 0).remark, Some(Remark::ZeroWindow));
    // Linux asks with the number before; others with the next byte.
    assert_eq!(talk.send(0, ACK, (5, 1), 0, 100).remark, Some(Remark::ZeroWindowProbe));
    assert_eq!(talk.send(1, ACK, (1, 6), 0, 0).remark, Some(Remark::ZeroWindowProbeAnswer));
    assert_eq!(talk.send(0, ACK, (6, 1), 1, 100).remark, Some(Remark::ZeroWindowProbe));
    assert_eq!(talk.send(1, ACK, (1, 6), 0, 500).remark, Some(Remark::WindowUpdate));
    assert_eq!(talk.send(0, ACK, (6, 1), 1, 100).remark, None);
}

#[test]
fn another_syn_begins_another_connection() {
    let mut talk = Talk::opened([100, 200], [Some(1), Some(1)]);
    talk.starts = [70_000, 80_000];
    let seen = talk.send(0, SYN, (0, 0), 0, 1000);
    assert_eq!((seen.sequence, seen.remark, seen.other_base), (0, None, None));
    let seen = talk.send(1, SYN | ACK, (0, 1), 0, 1000);
    assert_eq!((seen.sequence, seen.acknowledgment, seen.remark), (0, Some(1), None));
    assert_eq!(talk.send(0, ACK, (1, 1), 0, 10).window, Some(10));
}

#[test]
fn the_oldest_connection_is_forgotten() {
    let mut flows = Flows::new(2);
    let mut see = |port: u16, flags, sequence| {
        let header = crate::wire::tcp::Header { flags, sequence, ..crate::wire::tcp::Header::new(0, 0) };
        let from = SocketAddr::from(([10, 0, 0, 1], port));
        let frame = crate::wire::frame::build::tcp(from, ([10, 0, 0, 2], 80).into(), &header, b"");
        flows.see_frame(&frame).unwrap().sequence
    };
    assert_eq!((see(1, SYN, 5), see(2, SYN, 5), see(1, Flags::NONE, 9)), (0, 0, 4));
    assert_eq!((see(3, SYN, 5), see(1, Flags::NONE, 9)), (0, 4));
    assert_eq!(see(2, Flags::NONE, 9), 1, "forgotten");
}

proptest! {
    #[test]
    fn before_goes_round(a: u32, distance in 1u32..1 << 31) {
        prop_assert!(before(a, a.wrapping_add(distance)));
        prop_assert!(!before(a.wrapping_add(distance), a));
        prop_assert!(!before(a, a));
    }

    /// Wherever on the circle it starts, the same is seen.
    #[test]
    fn where_the_numbers_start_makes_no_difference(
        starts: [u32; 2],
        steps in proptest::collection::vec(
            (0usize..2, 0u16..32, 0u32..60, 0u32..60, 0usize..20, 0u16..3), 0..40),
    ) {
        let (mut one, mut other) = (Talk::opened([0, 0], [Some(1); 2]), Talk::opened(starts, [Some(1); 2]));
        for (side, flags, sequence, acknowledgment, length, window) in steps {
            // A SYN in the middle would begin anew.
            let flags = Flags::from_bits(flags & !2);
            let numbers = (sequence, acknowledgment);
            let a = one.send(side, flags, numbers, length, window);
            let b = other.send(side, flags, numbers, length, window);
            prop_assert_eq!(Seen { other_base: None, ..a }, Seen { other_base: None, ..b });
        }
    }

    /// What a sender sends once and in order is never remarkable as a repeat.
    #[test]
    fn in_order_nothing_is_repeated(start: u32, lengths in proptest::collection::vec(1usize..5000, 0..50)) {
        let mut talk = Talk::opened([start, 0], [None; 2]);
        let mut next = 1u32;
        for length in lengths {
            let seen = talk.send(0, ACK, (next, 1), length, 100);
            prop_assert_eq!((seen.repeated, seen.remark), (0, None));
            next = next.wrapping_add(u32::try_from(length).unwrap());
        }
    }
}
