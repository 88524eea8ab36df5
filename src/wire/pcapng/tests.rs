//! Blocks as the format draws them, and read back.

use proptest::prelude::*;

use super::*;

/// The type and the body of each block of a little-endian file, which must consist of whole blocks.
pub(crate) fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut blocks = Vec::new();
    while let [a, b, c, d, e, f, g, h, ..] = *file {
        let total = u32::from_le_bytes([e, f, g, h]) as usize;
        let (block, rest) = file.split_at(total);
        assert_eq!(block[total - 4..], [e, f, g, h], "the length at the end of a block");
        blocks.push((u32::from_le_bytes([a, b, c, d]), block[8..total - 4].to_vec()));
        file = rest;
    }
    assert!(file.is_empty(), "{file:?}");
    blocks
}

/// The code and the value of each option.
type Options = Vec<(u16, Vec<u8>)>;

/// The fixed part, the bytes and the options of an Enhanced Packet.
pub(crate) fn packet(body: &[u8]) -> (PacketHeader, Vec<u8>, Options) {
    let (fixed, rest) = body.split_first_chunk().unwrap();
    let header = PacketHeader::decode(ByteOrder::Little, ENHANCED_PACKET, *fixed);
    let (bytes, options) = rest.split_at((header.captured as usize).next_multiple_of(4));
    (header, bytes[..header.captured as usize].to_vec(), options_of(options))
}

fn options_of(bytes: &[u8]) -> Options {
    ByteOrder::Little.options(bytes).map(|(code, value)| (code, value.to_vec())).collect()
}

#[test]
fn a_section_is_written_as_the_format_draws_it() {
    let mut out = Vec::new();
    SectionHeader { comment: "a", system: "linux", application: "" }.encode(&mut out);
    #[rustfmt::skip]
    assert_eq!(out, [
        0x0a, 0x0d, 0x0d, 0x0a, 56, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        1, 0, 1, 0, b'a', 0, 0, 0,
        3, 0, 5, 0, b'l', b'i', b'n', b'u', b'x', 0, 0, 0,
        4, 0, 0, 0, 0, 0, 0, 0, 56, 0, 0, 0,
    ]);
}

#[test]
fn an_interface_and_a_packet_are_written_as_the_format_draws_them() {
    let mut out = Vec::new();
    Interface::ethernet().encode("tap", "", &mut out);
    #[rustfmt::skip]
    assert_eq!(out, [
        1, 0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        2, 0, 3, 0, b't', b'a', b'p', 0, 3, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0,
        0, 0, 0, 0, 44, 0, 0, 0,
    ]);
    out.clear();
    let mut packet = EnhancedPacket {
        interface: 1,
        time: 0x0102_0304_0506_0708,
        bytes: b"abc",
        comment: None,
        direction: None,
    };
    packet.encode(&mut out);
    #[rustfmt::skip]
    assert_eq!(out, [
        6, 0, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5,
        3, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', b'c', 0, 36, 0, 0, 0,
    ]);
    out.clear();
    packet.direction = Some(Direction::Outbound);
    packet.encode(&mut out);
    assert_eq!(out[32..], [2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0]);
}

#[test]
fn times_are_in_the_unit_of_the_interface() {
    let with = |options: &[u8]| Interface::decode(ByteOrder::Little, [1, 0, 0, 0, 0, 0, 0, 0], options);
    assert_eq!(with(&[]).nanoseconds(5), Some(5_000));
    assert_eq!(with(&[9, 0, 1, 0, 3, 0, 0, 0]).nanoseconds(5), Some(5_000_000));
    assert_eq!(with(&[9, 0, 1, 0, 0x81, 0, 0, 0]).nanoseconds(5), Some(2_500_000_000));
    assert_eq!(with(&[14, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0]).nanoseconds(5), Some(2_000_005_000));
    assert_eq!(with(&[14, 0, 8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).nanoseconds(5), None);
    assert_eq!(with(&[9, 0, 1, 0, 0x7f, 0, 0, 0]).nanoseconds(5), None);
    // Options behind the end, and one that is cut off, don't count.
    assert_eq!(with(&[0, 0, 0, 0, 9, 0, 1, 0, 3, 0, 0, 0]).nanoseconds(5), Some(5_000));
    assert_eq!(with(&[9, 0, 9, 0, 3]).nanoseconds(5), Some(5_000));
}

proptest! {
    #[test]
    fn a_packet_is_read_back(
        interface: u32,
        time: u64,
        bytes: Vec<u8>,
        comment: Option<String>,
        outbound: Option<bool>,
    ) {
        let direction = outbound.map(|outbound| if outbound { Direction::Outbound } else { Direction::Inbound });
        let mut out = Vec::new();
        EnhancedPacket { interface, time, bytes: &bytes, comment: comment.as_deref(), direction }.encode(&mut out);
        let blocks = blocks(&out);
        prop_assert_eq!(blocks.len(), 1);
        prop_assert_eq!(blocks[0].0, ENHANCED_PACKET);
        let length = u32::try_from(bytes.len()).unwrap();
        let (header, data, options) = packet(&blocks[0].1);
        prop_assert_eq!(header, PacketHeader { interface, time, captured: length, original: length });
        prop_assert_eq!(data, bytes);
        let mut expected = Vec::new();
        expected.extend(comment.map(|comment| (1, comment.into_bytes())));
        expected.extend(outbound.map(|outbound| (2, vec![1 + u8::from(outbound), 0, 0, 0])));
        prop_assert_eq!(options, expected);
    }

    #[test]
    fn any_options_end(little: bool, bytes: Vec<u8>) {
        let order = if little { ByteOrder::Little } else { ByteOrder::Big };
        prop_assert!(order.options(&bytes).map(|(_, value)| 4 + value.len()).sum::<usize>() <= bytes.len());
    }
}
