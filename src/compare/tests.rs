//! Both ways, and every road, on loopback: what was sent is what came.

use proptest::prelude::*;

use super::*;
use crate::{event::Event, wire::websocket::mask};

fn on_loopback(wanted: &Wanted) -> Comparison {
    diff(wanted, |_| Ok(Stage::loopback()?), &mut Vec::<Event>::new()).unwrap()
}

#[test]
fn five_bytes_are_eleven_and_both_ends_agree() {
    let wanted = Wanted::new(b"hello", &[], false, 1, Host::Client).unwrap();
    let both = on_loopback(&wanted);
    assert_eq!(both.tcp.bytes, b"hello");
    assert_eq!((both.tcp.bill.sent, both.websocket.bill.sent), (5, 11));
    let [(header, payload)] = &both.websocket.frames[..] else { panic!("{:?}", both.websocket.frames) };
    assert_eq!((header.clone(), payload.clone()), (0..6, 6..11));
    assert_eq!(both.websocket.bytes[..2], [0x81, 0x85]);
    let from_server = on_loopback(&Wanted { from: Host::Server, ..wanted });
    assert_eq!(from_server.websocket.bytes, b"\x81\x05hello");
}

#[test]
fn pieces_are_messages_and_not_recvs() {
    let wanted = Wanted::new(b"hello", &[2, 3], false, 2, Host::Client).unwrap();
    let both = on_loopback(&wanted);
    assert_eq!((both.tcp.sends.len(), both.tcp.bytes.as_slice()), (4, &b"hellohello"[..]));
    assert_eq!((both.messages, both.websocket.frames.len()), (4, 4));
}

#[test]
fn large_messages_go_while_they_are_received() {
    let message = vec![7; 200_000];
    let wanted = Wanted::new(&message, &[], true, 1, Host::Client).unwrap();
    let both = on_loopback(&wanted);
    assert_eq!((both.tcp.bytes.len(), both.websocket.bytes.len()), (200_000, 200_014));
}

#[test]
fn fragments_pings_and_a_close_are_frames_too() {
    let also = Also { fragments: vec![2], ping: true, close: Some((1000, "bye".to_owned())) };
    for from in Host::ALL {
        let wanted = Wanted::new(b"hello", &[], false, 2, from).unwrap().with(also.clone());
        let both = on_loopback(&wanted);
        let kinds: Vec<u8> =
            both.websocket.frames.iter().map(|(header, _)| both.websocket.bytes[header.start]).collect();
        assert_eq!(kinds, [0x01, 0x89, 0x80, 0x01, 0x89, 0x80, 0x88], "{from}");
        assert_eq!(both.tcp.bytes, b"hellohello");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_sides_carry_the_message_whatever_its_cuts(
        message in proptest::collection::vec(any::<u8>(), 0..3000),
        cuts in proptest::collection::vec(0..400_usize, 0..3),
        fragments in proptest::collection::vec(0..300_usize, 0..3),
        (repeat, ping, server) in (1..3_usize, any::<bool>(), any::<bool>()),
    ) {
        let mut split = Vec::new();
        for cut in cuts {
            if split.iter().sum::<usize>() + cut <= message.len() {
                split.push(cut);
            }
        }
        let from = if server { Host::Server } else { Host::Client };
        let wanted = Wanted::new(&message, &split, true, repeat, from).unwrap();
        let both = on_loopback(&wanted.with(Also { fragments, ping, close: None }));
        prop_assert_eq!(&both.tcp.bytes, &message.repeat(repeat));
        let mut carried = Vec::new();
        let mut end = 0;
        for (header, payload) in &both.websocket.frames {
            prop_assert_eq!(header.start, end);
            end = payload.end;
            let told = Header::parse(&both.websocket.bytes[header.start..]).unwrap();
            let mut bytes = both.websocket.bytes[payload.clone()].to_vec();
            told.key.into_iter().for_each(|key| mask(&mut bytes, key));
            if told.opcode & 0x8 == 0 {
                carried.extend(bytes);
            }
        }
        prop_assert_eq!(end, both.websocket.bytes.len());
        prop_assert_eq!(carried, message.repeat(repeat));
    }
}

#[test]
fn what_can_not_be_sent_is_told() {
    let new = |message: &[u8], split: &[usize]| Wanted::new(message, split, false, 1, Host::Client);
    assert!(matches!(new(b"ab\xff", &[]), Err(Fault::NotText { at: 2 })));
    assert!(matches!(new("ä".as_bytes(), &[1]), Err(Fault::NotText { at: 0 })));
    assert!(matches!(new(b"ab", &[3]), Err(Fault::Split { wanted: 3, length: 2 })));
    assert!(matches!(new(&vec![b'a'; LARGEST + 1], &[]), Err(Fault::TooLarge { .. })));
    assert_eq!(new(b"", &[]).unwrap().pieces, [b""]);
}
