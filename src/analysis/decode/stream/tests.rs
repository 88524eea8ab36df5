use proptest::prelude::*;

use super::*;

/// What came out: bytes, and what was missing or different, in order.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    missing: Vec<(u64, u64)>,
    differs: Vec<(u64, u64)>,
}

fn push(stream: &mut Stream, budget: &mut Budget, sequence: u32, bytes: &[u8], out: &mut Out) {
    let placed = stream.place(sequence, bytes, budget);
    out.differs.extend(placed.differs);
    if let Some((at, bytes)) = placed.now {
        assert_eq!(at, stream.next());
        stream.advance(bytes, budget);
        out.bytes.extend_from_slice(bytes);
    }
    ready(stream, budget, out);
}

fn ready(stream: &mut Stream, budget: &mut Budget, out: &mut Out) {
    while let Some((_, bytes)) = stream.ready(budget) {
        out.bytes.extend(bytes);
    }
}

fn started(sequence: u32) -> (Stream, Budget, Out) {
    let mut stream = Stream::default();
    stream.begin(sequence);
    (stream, Budget::new(1 << 20), Out::default())
}

#[test]
fn the_first_bytes_win_and_a_difference_is_named() {
    let (mut stream, mut budget, mut out) = started(u32::MAX - 3);
    push(&mut stream, &mut budget, u32::MAX - 3, b"abcdef", &mut out);
    push(&mut stream, &mut budget, u32::MAX - 1, b"cXXfgh", &mut out);
    push(&mut stream, &mut budget, 8, b"mn", &mut out);
    push(&mut stream, &mut budget, 6, b"klMNop", &mut out);
    push(&mut stream, &mut budget, 4, b"ij", &mut out);
    assert_eq!(out.bytes, b"abcdefghijklmnop");
    assert_eq!(out.differs, [(3, 2), (12, 2)]);
    assert!(!stream.is_waiting());
    stream.clear(&mut budget);
    assert_eq!(budget.used(), 0);
}

#[test]
fn what_never_comes_is_named_with_its_place() {
    let (mut stream, mut budget, mut out) = started(100);
    push(&mut stream, &mut budget, 103, b"defg", &mut out);
    assert!(stream.is_waiting() && out.bytes.is_empty());
    assert_eq!(stream.give_up(&mut budget), Some((0, 3)));
    ready(&mut stream, &mut budget, &mut out);
    assert_eq!((out.bytes.as_slice(), out.missing.len()), (&b"defg"[..], 0));
    stream.end_at(109);
    assert_eq!(stream.missing_end(&mut budget), Some((7, 2)));
    assert!(stream.is_complete());
}

#[test]
fn a_packet_that_was_cut_does_not_hide_what_is_held() {
    let (mut stream, mut budget, mut out) = started(0);
    push(&mut stream, &mut budget, 6, b"ghi", &mut out);
    push(&mut stream, &mut budget, 0, b"ab", &mut out);
    // The packet claimed ten bytes, and only two were recorded.
    assert_eq!(stream.miss(10, &mut budget), (2, 4));
    ready(&mut stream, &mut budget, &mut out);
    assert_eq!((out.bytes.as_slice(), stream.next()), (&b"abghi"[..], 9));
}

#[test]
fn numbers_of_no_window_are_ignored_and_a_keep_alive_is_no_difference() {
    let (mut stream, mut budget, mut out) = started(0);
    push(&mut stream, &mut budget, 1 << 31, b"far", &mut out);
    push(&mut stream, &mut budget, (1 << 30) + 1, b"far", &mut out);
    push(&mut stream, &mut budget, 0, b"ab", &mut out);
    push(&mut stream, &mut budget, 1, b"\0", &mut out);
    assert_eq!((out.bytes.as_slice(), out.differs.len()), (&b"ab"[..], 0));
}

proptest! {
    #[test]
    fn any_order_gives_the_same_bytes(
        bytes in proptest::collection::vec(any::<u8>(), 1..3000),
        base: u32,
        cuts in proptest::collection::vec((0usize..3000, 1usize..400), 0..60),
        seed: u64,
    ) {
        // Every byte once in a row of pieces, pieces again that overlap them, and all of it shuffled.
        let mut pieces: Vec<(usize, usize)> = (0..bytes.len()).step_by(97).map(|at| (at, 97)).collect();
        pieces.extend(cuts);
        let mut random = crate::wire::fuzz::Random::new(seed);
        for index in (1..pieces.len()).rev() {
            pieces.swap(index, random.below(index + 1));
        }
        let (mut stream, mut budget, mut out) = started(base);
        for (at, length) in pieces {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            let sequence = base.wrapping_add(u32::try_from(at).unwrap());
            push(&mut stream, &mut budget, sequence, &bytes[at..end], &mut out);
        }
        prop_assert_eq!(&out.bytes, &bytes);
        prop_assert!(out.differs.is_empty() && !stream.is_waiting());
        stream.clear(&mut budget);
        prop_assert_eq!(budget.used(), 0);
    }
}
