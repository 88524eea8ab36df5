use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::wire::{
    Protocol,
    field::{self, Field},
    frame::{Context, build, dissect},
};

fn ends() -> (SocketAddr, SocketAddr) {
    ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap())
}

fn shown(frame: &[u8]) -> Vec<Field> {
    let dissection = dissect(frame, Context::default());
    assert_eq!(field::check(frame.len() * 8, &dissection.fields), Ok(()));
    dissection.fields_of(dissection.layer(Protocol::Tcp).unwrap()).to_vec()
}

/// A segment whose options are these bytes, with a right data offset.
fn with_options(options: &[u8]) -> Vec<u8> {
    let (from, to) = ends();
    let nothing = vec![TcpOption::NoOperation; options.len()];
    let mut frame = build::tcp(from, to, &Header { options: &nothing, ..Header::new(0, 0) }, b"");
    frame[54..54 + options.len()].copy_from_slice(options);
    frame
}

const ALL: [TcpOption; 8] = [
    TcpOption::MaximumSegmentSize(1460),
    TcpOption::SackPermitted,
    TcpOption::Timestamps { value: 7, echo: 9 },
    TcpOption::NoOperation,
    TcpOption::WindowScale(7),
    TcpOption::UserTimeout { minutes: true, timeout: 5 },
    TcpOption::FastOpen(b"cook"),
    TcpOption::Other { kind: 200, data: b"?" },
];

#[test]
fn what_is_put_together_is_taken_apart() {
    let (from, to) = ends();
    let flags = Flags::SYN | Flags::ACK | Flags::ECE;
    let header = Header {
        sequence: 1,
        acknowledgment: 2,
        flags,
        window: 3,
        urgent: 4,
        options: &ALL,
        ..Header::new(0, 0)
    };
    let frame = build::tcp(from, to, &header, b"hello");
    let segment = Segment::parse(&frame).unwrap();
    assert_eq!((segment.source, segment.destination), (from, to));
    assert_eq!((segment.sequence, segment.acknowledgment, segment.window), (1, 2, 3));
    assert_eq!(
        (segment.flags, segment.maximum_segment_size, segment.window_scale),
        (flags, Some(1460), Some(7))
    );
    assert_eq!((segment.sack_permitted, segment.timestamps, segment.whole), (true, Some((7, 9)), true));
    assert_eq!(&frame[segment.payload.clone()], b"hello");
    assert_eq!((segment.sequence_length(), segment.sequence_end()), (6, 7));
    let all: Vec<_> = each(&frame[54..segment.payload.start]).take(8).map(Result::unwrap).collect();
    assert_eq!(all, ALL);
    for length in 0..segment.payload.start {
        assert_eq!(Segment::parse(&frame[..length]), None);
    }
}

#[test]
fn every_control_bit_is_a_field() {
    let (from, to) = ends();
    for bit in 0..12 {
        let flags = Flags::from_bits(1 << bit);
        let fields = shown(&build::tcp(from, to, &Header { flags, ..Header::new(0, 0) }, b""));
        let set: Vec<_> = fields[5..15].iter().filter(|field| field.value != "0").collect();
        assert_eq!(set.len(), 1, "{bit}");
        assert!(bit > 8 && set[0].name == "Rsrvd" || set[0].name == flags.to_string());
    }
}

#[test]
fn each_option_has_its_fields() {
    let (from, to) = ends();
    let options = [
        TcpOption::Sack(SackBlocks::new(&[(5, 9), (11, 12)])),
        TcpOption::UserTimeout { minutes: false, timeout: 300 },
    ];
    let fields = shown(&build::tcp(from, to, &Header { options: &options, ..Header::new(0, 0) }, b""));
    let names: Vec<_> = fields[18..].iter().map(|field| (field.name, field.value.as_str())).collect();
    assert_eq!(
        names,
        [
            ("Kind", "5"),
            ("Length", "18"),
            ("Left Edge", "5"),
            ("Right Edge", "9"),
            ("Left Edge", "11"),
            ("Right Edge", "12"),
            ("Kind", "28"),
            ("Length", "4"),
            ("G", "0"),
            ("User Timeout", "300"),
            ("Kind", "0"),
            ("Padding", "00"),
        ]
    );
}

#[test]
fn impossible_options_are_named() {
    for length in [0, 1] {
        let fields = shown(&with_options(&[2, length, 5, 0xb4]));
        assert!(fields[19].meaning.starts_with("wrong: kind and length alone"), "{fields:?}");
        assert_eq!(
            each(&[2, length, 5, 0xb4]).next(),
            Some(Err(OptionError { kind: 2, length: Some(length) }))
        );
    }
    let fields = shown(&with_options(&[2, 44, 5, 0xb4]));
    assert!(fields[19].meaning.ends_with("wrong: claims 40 bytes more than the header has"));
    let fields = shown(&with_options(&[3, 4, 5, 0xb4]));
    assert!(fields[19].meaning.ends_with("wrong: this option can't be so long"));
    let fields = shown(&with_options(&[1, 1, 1, 8]));
    assert!(fields.last().unwrap().meaning.contains("cut off: Length should follow, but DOffset ends here"));
    assert_eq!(each(&[8]).next(), Some(Err(OptionError { kind: 8, length: None })));
}

#[test]
fn an_impossible_data_offset_is_told() {
    let (from, to) = ends();
    let mut frame = build::tcp(from, to, &Header::new(0, 0), b"");
    frame[46] = 0x40;
    assert!(shown(&frame)[4].meaning.ends_with("wrong: a header has at least 20 bytes"));
    assert_eq!(Segment::parse(&frame), None);
    frame[46] = 0xf0;
    assert!(shown(&frame)[4].meaning.ends_with("cut off: claims 40 bytes more than are here"));
    assert_eq!(Segment::parse(&frame), None);
}

#[test]
fn the_checksum_is_judged() {
    let (from, to) = ends();
    let sum = |frame: &[u8]| shown(frame).into_iter().find(|field| field.name == "Checksum").unwrap().meaning;
    let mut frame = build::tcp(from, to, &Header::new(0, 0), b"hello");
    assert!(sum(&frame).starts_with("right"));
    frame[54] ^= 1;
    assert!(sum(&frame).starts_with("wrong: it should be 0x"));
    let pseudo = Sum::pseudo_header(from.ip(), to.ip(), 6, 25).unwrap().folded();
    frame[50..52].copy_from_slice(&pseudo.to_be_bytes());
    assert!(sum(&frame).starts_with("unfinished"));
    assert!(sum(&frame[..57]).starts_with("can't be verified"));
    let six = ("[fd00::1]:1".parse().unwrap(), "[fd00::2]:2".parse().unwrap());
    assert!(sum(&build::tcp(six.0, six.1, &Header::new(0, 0), b"x")).starts_with("right"));
}

proptest! {
    #[test]
    fn options_never_panic_and_end(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert!(each(&bytes).count() <= bytes.len());
        let mut r = Reading::new(&bytes);
        options::fields(&mut r, None);
        let (_, fields) = r.into_parts();
        prop_assert_eq!(field::check(bytes.len() * 8, &fields), Ok(()));
    }
}
