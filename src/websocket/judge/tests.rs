use proptest::prelude::*;

use super::*;
use crate::wire::websocket::{Frame, LengthForm};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What a client sees of these frames.
fn client(frames: &[Frame]) -> Vec<Seen> {
    Judge::new(Role::Client).push(&bytes(frames))
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::encode).collect()
}

fn messages(seen: &[Seen]) -> Vec<(Kind, &[u8])> {
    let message = |seen: &'_ Seen| matches!(seen, Seen::Message { .. });
    let taken = seen.iter().filter(|seen| message(seen));
    taken
        .map(|seen| match seen {
            Seen::Message { kind, payload } => (*kind, payload.as_slice()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn violation(seen: &[Seen]) -> Violation {
    match seen.last() {
        Some(Seen::Violation(violation)) => *violation,
        other => panic!("no violation: {other:?}"),
    }
}

fn text(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(opcode::TEXT, payload)
}

fn more(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(opcode::CONTINUATION, payload)
}

fn ping(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::new(opcode::PING, payload)
}

fn close(body: &[u8]) -> Frame {
    Frame::new(opcode::CLOSE, body)
}

#[test]
fn fragments_become_one_message_with_a_ping_in_between() {
    let seen = client(&[text("Hel").unfinished(), ping("p"), more("").unfinished(), more("lo")]);
    assert_eq!(messages(&seen), [(Kind::Ping, b"p".as_slice()), (Kind::Text, b"Hello")]);
    let offsets: Vec<_> = seen
        .iter()
        .filter_map(|s| if let Seen::Frame { offset, .. } = s { Some(*offset) } else { None })
        .collect();
    assert_eq!(offsets, [0, 5, 8, 10]);
}

#[test]
fn masked_frames_are_unmasked() {
    let mut judge = Judge::new(Role::Server);
    let stream = bytes(&[text("Hello").masked(KEY), Frame::new(opcode::BINARY, [0xff]).masked(KEY)]);
    assert_eq!(messages(&judge.push(&stream)), [(Kind::Text, b"Hello".as_slice()), (Kind::Binary, b"\xff")]);
    assert!(judge.is_between_messages());
}

#[test]
fn a_character_may_straddle_fragments() {
    let euro = "€".as_bytes();
    let seen = client(&[text(&euro[..1]).unfinished(), ping("x"), more(&euro[1..])]);
    assert_eq!(messages(&seen)[1], (Kind::Text, euro));
}

#[test]
fn empty_messages_are_messages() {
    let seen = client(&[text(""), Frame::new(opcode::PONG, "")]);
    assert_eq!(messages(&seen), [(Kind::Text, b"".as_slice()), (Kind::Pong, b"")]);
}

#[test]
fn every_rule_is_enforced_at_its_byte() {
    let open = || text("a").unfinished(); // three bytes
    let cases: Vec<(Vec<Frame>, &Rule, u64)> = vec![
        (vec![text("a").with_rsv(true, false, false)], &rules::RESERVED_BITS, 0),
        (vec![ping(""), text("a").with_rsv(false, true, false)], &rules::RESERVED_BITS, 2),
        (vec![text("a").with_rsv(false, false, true)], &rules::RESERVED_BITS, 0),
        (vec![Frame::new(0x3, "")], &rules::RESERVED_OPCODE, 0),
        (vec![Frame::new(0xb, "")], &rules::RESERVED_OPCODE, 0),
        (vec![open(), Frame::new(0xf, "")], &rules::RESERVED_OPCODE, 3),
        (vec![ping("").unfinished()], &rules::FRAGMENTED_CONTROL, 0),
        (vec![more("a")], &rules::ORPHAN_CONTINUATION, 0),
        (vec![text("a"), more("b")], &rules::ORPHAN_CONTINUATION, 3),
        (vec![open(), text("b")], &rules::INTERLEAVED, 3),
        (vec![open(), Frame::new(opcode::BINARY, "b")], &rules::INTERLEAVED, 3),
        (vec![text("a").masked(KEY)], &rules::MASKED, 1),
        (vec![ping([0; 126])], &rules::LONG_CONTROL, 1),
        (vec![ping("a").with_form(LengthForm::Sixteen)], &rules::LONG_CONTROL, 1),
        (vec![text("a").with_form(LengthForm::Sixteen)], &rules::LENGTH_NOT_MINIMAL, 1),
        (vec![text([b'a'; 300]).with_form(LengthForm::SixtyFour)], &rules::LENGTH_NOT_MINIMAL, 1),
        (vec![text("a").claiming(1 << 63)], &rules::LENGTH_TOP_BIT, 2),
        (vec![text("a").claiming(1 << 62)], &rules::FRAME_TOO_BIG, 2),
        (vec![text(b"ab\xff")], &rules::TEXT_NOT_UTF8, 4),
        (vec![text(b"\xed").unfinished(), ping(""), more(b"\xa0\x80")], &rules::TEXT_NOT_UTF8, 7),
        (vec![text(b"a\xe2\x82")], &rules::TEXT_CUT_OFF, 3),
        (vec![close(&[3])], &rules::CLOSE_ONE_BYTE, 2),
        (vec![close(&999u16.to_be_bytes())], &rules::CLOSE_CODE_UNDEFINED, 2),
        (vec![close(&1004u16.to_be_bytes())], &rules::CLOSE_CODE_UNDEFINED, 2),
        (vec![close(&1005u16.to_be_bytes())], &rules::CLOSE_CODE_LOCAL, 2),
        (vec![close(&1006u16.to_be_bytes())], &rules::CLOSE_CODE_LOCAL, 2),
        (vec![close(&1015u16.to_be_bytes())], &rules::CLOSE_CODE_LOCAL, 2),
        (vec![close(&1016u16.to_be_bytes())], &rules::CLOSE_CODE_UNDEFINED, 2),
        (vec![close(&2999u16.to_be_bytes())], &rules::CLOSE_CODE_UNDEFINED, 2),
        (vec![close(&5000u16.to_be_bytes())], &rules::CLOSE_CODE_UNDEFINED, 2),
        (vec![close(b"\x03\xe8a\xf0\x80")], &rules::REASON_NOT_UTF8, 6),
        (vec![close(b"\x03\xe8ab\xc3")], &rules::REASON_NOT_UTF8, 6),
    ];
    for (frames, rule, offset) in cases {
        let found = violation(&client(&frames));
        assert_eq!((found.rule.words, found.offset), (rule.words, offset), "{frames:?}");
    }
    let found = violation(&Judge::new(Role::Server).push(&text("a").encode()));
    assert_eq!((found.rule, found.offset), (&rules::NOT_MASKED, 1));
}

#[test]
fn the_answers_have_the_codes_of_the_rfc() {
    assert_eq!(violation(&client(&[more("a")])).rule.close_code, 1002);
    assert_eq!(violation(&client(&[text(b"\xff")])).rule.close_code, 1007);
    assert_eq!(violation(&client(&[close(b"\x03\xe8\xff")])).rule.close_code, 1007);
    assert_eq!(violation(&client(&[text("").claiming(1 << 40)])).rule.close_code, 1009);
}

#[test]
fn all_codes_for_the_wire_pass() {
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        let body = [&u16::to_be_bytes(code), "bye €".as_bytes()].concat();
        assert_eq!(messages(&client(&[close(&body)])), [(Kind::Close, body.as_slice())]);
    }
    assert_eq!(messages(&client(&[close(&[])])), [(Kind::Close, b"".as_slice())]);
}

#[test]
fn what_follows_a_close_is_ignored() {
    let mut judge = Judge::new(Role::Client);
    let seen = judge.push(&bytes(&[close(&[]), Frame::new(0x3, "junk")]));
    assert_eq!(messages(&seen), [(Kind::Close, b"".as_slice())]);
    assert_eq!(judge.push(b"\xff"), []);
    assert!(judge.is_over());
    assert_eq!(judge.ignored(), 7);
}

#[test]
fn nothing_is_seen_after_a_violation() {
    let mut judge = Judge::new(Role::Client);
    assert_eq!(judge.push(&bytes(&[more("a"), text("b"), close(&[])])).len(), 1);
    assert_eq!(judge.push(&text("c").encode()), []);
    assert!(judge.is_over());
}

#[test]
fn a_rule_is_enforced_before_the_rest_of_the_frame_comes() {
    assert_eq!(violation(&Judge::new(Role::Client).push(&[0x83])).rule, &rules::RESERVED_OPCODE);
    assert_eq!(violation(&Judge::new(Role::Server).push(&[0x81, 0x05])).rule, &rules::NOT_MASKED);
    // The length is judged before the key has come.
    let header = text("").masked(KEY).claiming(1 << 40).header.encode();
    assert_eq!(violation(&Judge::new(Role::Server).push(&header[..10])).rule, &rules::FRAME_TOO_BIG);
    assert_eq!(violation(&Judge::new(Role::Client).push(b"\x81\x7da\xff")).rule, &rules::TEXT_NOT_UTF8);
}

#[test]
fn limits_hold_before_anything_is_kept() {
    let limits = Limits { frame: 4, message: 6 };
    let judge = || Judge::with_limits(Role::Client, limits);
    assert_eq!(messages(&judge().push(&bytes(&[text("abcd").unfinished(), more("ef")]))).len(), 1);
    let found = violation(&judge().push(&bytes(&[text("abcde")])));
    assert_eq!((found.rule, found.offset), (&rules::FRAME_TOO_BIG, 1));
    let found = violation(&judge().push(&bytes(&[text("abcd").unfinished(), more("efg")])));
    assert_eq!((found.rule, found.offset), (&rules::MESSAGE_TOO_BIG, 7));

    let mut huge = Judge::with_limits(Role::Client, Limits { frame: u64::MAX, message: u64::MAX });
    assert_eq!(huge.push(&text("ab").claiming(u64::MAX >> 1).encode()), []);
    let held = huge.message.as_ref().unwrap().1.capacity();
    assert!(held < 64, "{held} bytes held for two that came");
}

#[test]
fn endless_empty_fragments_take_no_memory() {
    let mut judge = Judge::new(Role::Client);
    judge.push(&text("").unfinished().encode());
    for _ in 0..10_000 {
        judge.push(&more("").unfinished().encode());
    }
    assert_eq!(judge.message.as_ref().unwrap().1.capacity(), 0);
    assert!(!judge.is_between_messages());
}

#[test]
fn what_was_seen_becomes_events() {
    let seen = client(&[close(b"\x03\xe8bye")]);
    assert_eq!(seen[0].to_event(Host::Client, "c"), None);
    let message = seen[1].to_event(Host::Client, "c").unwrap();
    assert_eq!((message.kind.as_str(), message.code, message.received), ("close", Some(1000), true));
    let message = client(&[more("a")])[0].to_event(Host::Client, "c").unwrap();
    assert_eq!((message.kind.as_str(), message.level.as_deref()), ("violation", Some("MUST")));
    assert_eq!((message.code, message.offset), (Some(1002), Some(0)));
}

/// Frames that are right, or nearly so, and then maybe anything.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let frame = (
        prop_oneof![8 => prop_oneof![Just(0u8), Just(1), Just(2), Just(8), Just(9), Just(10)], 1 => 0u8..16],
        prop_oneof![4 => ".{0,6}".prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..140)],
        any::<bool>(),
        proptest::option::weighted(0.05, any::<[u8; 4]>()),
    );
    let stream = proptest::collection::vec(frame, 0..8).prop_map(|frames| {
        let frames: Vec<_> = frames
            .into_iter()
            .map(|(opcode, payload, fin, key)| {
                let mut frame = Frame::new(opcode, payload);
                frame.header.fin = fin || opcode >= 8;
                frame.header.key = key;
                frame
            })
            .collect();
        bytes(&frames)
    });
    (stream, proptest::collection::vec(any::<u8>(), 0..8)).prop_map(|(a, b)| [a, b].concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(stream in nearly_right(), size in 1usize..9) {
        let limits = Limits { frame: 100, message: 120 };
        let mut whole = Judge::with_limits(Role::Client, limits);
        let at_once = whole.push(&stream);
        let mut judge = Judge::with_limits(Role::Client, limits);
        let in_pieces: Vec<_> = stream.chunks(size).flat_map(|piece| judge.push(piece)).collect();
        prop_assert_eq!(in_pieces, at_once);
        prop_assert_eq!(judge.is_over(), whole.is_over());
    }

    #[test]
    fn masked_pieces_make_no_difference(payload: String, key: [u8; 4], size in 1usize..9) {
        let stream = bytes(&[text(payload.as_bytes()).masked(key), close(&[]).masked(key)]);
        let mut judge = Judge::new(Role::Server);
        let seen: Vec<_> = stream.chunks(size).flat_map(|piece| judge.push(piece)).collect();
        prop_assert_eq!(messages(&seen), vec![(Kind::Text, payload.as_bytes()), (Kind::Close, b"")]);
    }

    #[test]
    fn no_input_makes_it_panic(stream: Vec<u8>) {
        for role in [Role::Server, Role::Client] {
            Judge::new(role).push(&stream);
        }
    }
}
