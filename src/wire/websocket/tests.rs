use proptest::prelude::*;
use tungstenite::protocol::frame::coding::OpCode;
use tungstenite::protocol::frame::{Frame as TheirFrame, FrameHeader};

use super::*;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[test]
fn the_examples_of_section_5_7() {
    let hello = "Hello";
    let cases: &[(Frame, &[u8])] = &[
        (Frame::new(opcode::TEXT, hello), b"\x81\x05\x48\x65\x6c\x6c\x6f"),
        (Frame::new(opcode::TEXT, hello).masked(KEY), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        (Frame::new(opcode::TEXT, "Hel").unfinished(), b"\x01\x03\x48\x65\x6c"),
        (Frame::new(opcode::CONTINUATION, "lo"), b"\x80\x02\x6c\x6f"),
        (Frame::new(opcode::PING, hello), b"\x89\x05\x48\x65\x6c\x6c\x6f"),
        (Frame::new(opcode::PONG, hello).masked(KEY), b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
    ];
    for (frame, bytes) in cases {
        assert_eq!(frame.encode(), *bytes);
        assert_eq!(Header::parse(bytes), Ok(frame.header));
    }
    assert_eq!(Frame::new(opcode::BINARY, [0; 256]).encode()[..4], *b"\x82\x7e\x01\x00");
    assert_eq!(Frame::new(opcode::BINARY, [0; 65536]).encode()[..10], *b"\x82\x7f\0\0\0\0\0\x01\0\0");
}

#[test]
fn our_frames_are_tungstenites_byte_for_byte() {
    for length in [0, 1, 125, 126, 65535, 65536] {
        let payload: Vec<u8> = (0..length).map(|i: u32| (i % 251).to_le_bytes()[0]).collect();
        for number in
            [opcode::CONTINUATION, opcode::TEXT, opcode::BINARY, opcode::CLOSE, opcode::PING, opcode::PONG]
        {
            for (key, fin) in [(None, true), (Some(KEY), true), (None, false), (Some(KEY), false)] {
                let mut ours = Frame::new(number, payload.clone());
                ours.header.key = key;
                ours.header.fin = fin;
                let header = FrameHeader {
                    is_final: fin,
                    opcode: OpCode::from(number),
                    mask: key,
                    ..FrameHeader::default()
                };
                let mut theirs = Vec::new();
                TheirFrame::from_payload(header, payload.clone().into()).format(&mut theirs).unwrap();
                assert!(ours.encode() == theirs, "opcode {number:#x}, {length} bytes, key {key:x?}");
            }
        }
    }
}

#[test]
fn a_header_that_is_cut_off_says_how_long_it_is() {
    let whole = Frame::new(opcode::TEXT, [0; 70000]).masked(KEY).header.encode();
    assert_eq!(whole.len(), 14);
    assert_eq!(Header::parse(&[]), Err(Incomplete { needed: 2, had: 0 }));
    assert_eq!(Header::parse(&whole[..1]), Err(Incomplete { needed: 2, had: 1 }));
    for had in 2..14 {
        assert_eq!(Header::parse(&whole[..had]), Err(Incomplete { needed: 14, had }));
    }
    let error = Header::parse(&whole[..3]).unwrap_err();
    assert_eq!(error.to_string(), "frame header: needed 14 bytes, had 3 (RFC 6455 §5.2)");
}

#[test]
fn the_largest_length_neither_overflows_nor_allocates() {
    let header = Header::parse(&[0x82, 0x7f, 255, 255, 255, 255, 255, 255, 255, 255]).unwrap();
    assert_eq!((header.length, header.form, header.is_minimal()), (u64::MAX, LengthForm::SixtyFour, true));
}

#[test]
fn wrong_frames_can_be_made() {
    let wrong: &[(Frame, &[u8])] = &[
        (Frame::new(0x3, "a"), b"\x83\x01a"),
        (Frame::new(opcode::TEXT, "a").with_rsv(true, false, true), b"\xd1\x01a"),
        (Frame::new(opcode::TEXT, "a").with_form(LengthForm::Sixteen), b"\x81\x7e\x00\x01a"),
        (Frame::new(opcode::TEXT, "a").with_form(LengthForm::SixtyFour), b"\x81\x7f\0\0\0\0\0\0\0\x01a"),
        (Frame::new(opcode::PING, "a").unfinished(), b"\x09\x01a"),
        (Frame::new(opcode::CLOSE, [3]), b"\x88\x01\x03"),
        (Frame::new(opcode::TEXT, "a").claiming(1 << 63), b"\x81\x7f\x80\0\0\0\0\0\0\0a"),
    ];
    for (frame, bytes) in wrong {
        assert_eq!(frame.encode(), *bytes);
    }
    let long = Frame::new(opcode::TEXT, [b'a'; 300]).with_form(LengthForm::Seven).header;
    assert_eq!(long.form, LengthForm::Sixteen, "a form too short is made longer");
}

#[test]
fn a_close_body_is_a_code_and_a_reason() {
    assert_eq!(parse_close(b"\x03\xe8bye"), Ok(Some((1000, "bye"))));
    assert_eq!(parse_close(b""), Ok(None));
    assert_eq!(parse_close(b"\x03"), Err(CloseError::OneByte));
    assert_eq!(parse_close(b"\x03\xe8a\xff"), Err(CloseError::Reason(3)));
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed_back(
        fin: bool, rsv1: bool, rsv2: bool, rsv3: bool, opcode in 0u8..16, key: Option<[u8; 4]>,
        length in prop_oneof![0u64..200, 65530u64..65540, any::<u64>()],
        form in prop_oneof![Just(LengthForm::Seven), Just(LengthForm::Sixteen), Just(LengthForm::SixtyFour)],
    ) {
        let form = form.max(LengthForm::minimal(length));
        let header = Header { fin, rsv1, rsv2, rsv3, opcode, key, length, form };
        let bytes = header.encode();
        prop_assert_eq!(bytes.len(), header.size());
        prop_assert_eq!(Header::parse(&bytes), Ok(header));
    }

    #[test]
    fn any_bytes_are_a_header_or_too_few(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        match Header::parse(&bytes) {
            Ok(header) => prop_assert_eq!(&header.encode()[..], &bytes[..header.size()]),
            Err(incomplete) => prop_assert!(incomplete.needed > bytes.len()),
        }
    }

    #[test]
    fn masking_is_byte_by_byte_with_the_key_in_turn(payload: Vec<u8>, key: [u8; 4], cut in 0usize..64) {
        let slow: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        let mut fast = payload.clone();
        mask(&mut fast, key);
        prop_assert_eq!(&fast, &slow);

        let cut = cut.min(payload.len());
        let mut pieces = payload.clone();
        let (before, after) = pieces.split_at_mut(cut);
        mask(before, key);
        mask_from(after, key, cut as u64);
        prop_assert_eq!(&pieces, &slow);
    }
}
