use data_encoding::HEXLOWER;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output};
use proptest::prelude::*;

use super::*;
use crate::wire::http::parse_response;

fn agreed(value: &str) -> Option<Agreed> {
    let head = format!("HTTP/1.1 101 S\r\nSec-WebSocket-Extensions: {value}\r\n\r\n");
    Agreed::from_answer(&parse_response(head.as_bytes()).unwrap().headers)
}

fn inflate(history: &mut Vec<u8>, hex: &str) -> Result<String, InflateError> {
    let payload = HEXLOWER.decode(hex.replace(' ', "").as_bytes()).unwrap();
    let mut inflater = Inflater::new();
    let out = inflater.inflate(&payload, history, Direction::default(), 1000)?;
    assert!(!out.cut);
    Ok(String::from_utf8(out.bytes.to_vec()).unwrap())
}

/// What a sender makes of messages, one after the other.
fn deflated(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut machine = CompressorOxide::new(0x80); // raw, a few probes
    let mut packed = Vec::new();
    for message in messages {
        let mut out = Vec::new();
        compress_to_output(&mut machine, message, TDEFLFlush::Sync, |bytes| {
            out.extend_from_slice(bytes);
            true
        });
        if out.ends_with(&[0, 0, 0xff, 0xff]) {
            out.truncate(out.len() - 4);
        }
        packed.push(out);
    }
    packed
}

#[test]
fn the_examples_of_the_rfc_are_inflated() {
    let mut history = Vec::new();
    assert_eq!(inflate(&mut history, "f2 48 cd c9 c9 07 00").unwrap(), "Hello");
    assert_eq!(inflate(&mut history, "f2 00 11 00 00").unwrap(), "Hello");
    assert_eq!(inflate(&mut history, "00 05 00 fa ff 48 65 6c 6c 6f 00").unwrap(), "Hello");
    assert_eq!(inflate(&mut history, "f3 48 cd c9 c9 07 00 00").unwrap(), "Hello");
    assert_eq!(inflate(&mut history, "f2 48 05 00 00 00 ff ff ca c9 c9 07 00").unwrap(), "Hello");
    assert_eq!(inflate(&mut history, "00").unwrap(), "");
    assert_eq!(history, b"Hello".repeat(5));
}

#[test]
fn what_refers_to_nothing_known_is_broken() {
    let mut history = Vec::new();
    assert!(matches!(inflate(&mut history, "f2 00 11 00 00"), Err(InflateError::Broken { .. })));
    assert!(inflate(&mut history, "07").is_err());
    assert!(inflate(&mut history, "00 05 00 fa ff 48 65").is_err());
}

#[test]
fn a_window_that_was_agreed_on_is_held() {
    let first: Vec<u8> = (0..600u32).flat_map(|n| n.to_be_bytes()).collect();
    let messages = [first.clone(), first[..300].to_vec()];
    let packed = deflated(&messages);
    let mut inflater = Inflater::new();
    for (bits, good) in [(15, true), (8, false)] {
        let direction = Direction { window_bits: bits, no_context_takeover: false };
        let mut history = Vec::new();
        assert!(inflater.inflate(&packed[0], &mut history, direction, 1 << 20).is_ok());
        assert_eq!(inflater.inflate(&packed[1], &mut history, direction, 1 << 20).is_ok(), good, "{bits}");
    }
}

#[test]
fn a_bomb_is_cut_at_the_limit() {
    let packed = deflated(&[vec![b'x'; 50 << 20]]);
    assert!(packed[0].len() < 200_000);
    let mut inflater = Inflater::new();
    let out = inflater.inflate(&packed[0], &mut Vec::new(), Direction::default(), 100_000).unwrap();
    assert_eq!((out.bytes.len(), out.cut), (100_000, true));
    assert!(inflater.room.capacity() < 300_000);
}

#[test]
fn parameters_are_read_as_they_are_written() {
    assert_eq!(agreed("permessage-deflate"), Some(Agreed::default()));
    let both =
        agreed("foo, permessage-deflate; server_max_window_bits=12 ;client_max_window_bits=\"9\"").unwrap();
    assert_eq!((both.server.window_bits, both.client.window_bits), (12, 9));
    let none = agreed("Permessage-Deflate;server_no_context_takeover; client_no_context_takeover").unwrap();
    assert!(none.server.no_context_takeover && none.client.no_context_takeover);
    for wrong in ["foo", "permessage-deflate; x", "permessage-deflate; server_max_window_bits=16"] {
        assert_eq!(agreed(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_deflated_is_inflated(
        messages in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3000), 1..6),
    ) {
        let mut inflater = Inflater::new();
        let mut history = Vec::new();
        for (packed, message) in deflated(&messages).iter().zip(&messages) {
            let out = inflater.inflate(packed, &mut history, Direction::default(), 1 << 20).unwrap();
            prop_assert_eq!(out.bytes, message.as_slice());
        }
    }

    #[test]
    fn any_bytes_end_somehow(payload: Vec<u8>, mut history: Vec<u8>, limit in 0usize..5000) {
        if let Ok(out) = Inflater::new().inflate(&payload, &mut history, Direction::default(), limit) {
            prop_assert!(out.bytes.len() <= limit);
        }
    }
}
