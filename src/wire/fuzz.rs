//! What must hold for any bytes: called by the fuzz targets, and by the tests.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    Mac, Protocol, arp, engine_io,
    ethernet::{self, ether_type},
    event_stream,
    field::{Field, check},
    flow::Flows,
    frame::{Context, Dissection, Payload, build, dissect},
    http, icmp,
    ip::protocol,
    ipv4, ipv6, socket_io,
    sockjs::{self, TRANSPORTS},
    stomp, summary,
    tcp::{Segment, each},
    websocket,
};

mod samples;

pub use samples::{Random, mutate, sample, stomp_stream};

/// Takes a frame apart in every way, and panics if a law does not hold.
///
/// The laws: every bit is told once; the layers have every byte and every field once; what programs read
/// ([`Segment`]) is what people are told; a line can be said about it.
///
/// # Panics
///
/// If a law is broken: that is what it is for.
pub fn frame(bytes: &[u8]) {
    let mut flows = Flows::new(1);
    let seen = flows.see_frame(bytes);
    for payload in [Payload::Guess, Payload::WebSocket] {
        let dissection = dissect(bytes, Context { seen: seen.as_ref(), payload });
        covered(bytes, &dissection.fields);
        layers(bytes, &dissection);
        if let Some(segment) = Segment::parse(bytes) {
            agrees(&dissection, &segment);
        }
    }
    assert!(!summary::summary(bytes, seen.as_ref()).is_empty());
    assert!(!summary::short(bytes, seen.as_ref()).is_empty());
}

/// The same bytes as each layer by itself.
///
/// # Panics
///
/// If a law is broken.
pub fn decoders(bytes: &[u8]) {
    for number in [ether_type::ARP, ether_type::IPV4, ether_type::IPV6] {
        carried(number, bytes);
    }
    for number in [protocol::ICMP, protocol::TCP, protocol::UDP, protocol::ICMPV6] {
        carried_by_ip(number, bytes);
    }
    stream(bytes);
    sockjs(bytes);
    headers(bytes);
    row(bytes);
}

/// A frame with this EtherType that carries these bytes.
///
/// # Panics
///
/// If a law is broken.
pub fn carried(number: u16, bytes: &[u8]) {
    frame(&ethernet::Header::new(Mac::default(), Mac::BROADCAST, number).encode(bytes));
}

/// Datagrams of IPv4 and of IPv6 that carry these bytes as this protocol.
///
/// # Panics
///
/// If a law is broken.
pub fn carried_by_ip(number: u8, bytes: &[u8]) {
    for host in [IpAddr::from([10, 0, 0, 1]), Ipv6Addr::LOCALHOST.into()] {
        frame(&build::ip(host, host, number, bytes));
    }
}

/// What a stream carries, as a head of HTTP and as WebSocket frames.
///
/// # Panics
///
/// If a law is broken.
pub fn stream(bytes: &[u8]) {
    covered(bytes, &http::fields(bytes));
    covered(bytes, &websocket::fields(bytes));
    covered(bytes, &event_stream::fields(bytes));
    let _ = event_stream::Reader::new(1 << 20).push(bytes);
    packets(bytes);
    stomp(bytes);
}

/// What an HTTP body or a WebSocket message carries, as packets of Engine.IO and of Socket.IO.
///
/// # Panics
///
/// If a law is broken.
pub fn packets(bytes: &[u8]) {
    covered(bytes, &socket_io::body_fields(bytes));
    covered(bytes, &socket_io::packet_fields(bytes));
    covered(bytes, &socket_io::binary_fields(bytes));
    covered(bytes, &socket_io::fields(bytes));
    if let Ok(packets) = engine_io::parse_payload(bytes) {
        assert_eq!(engine_io::encode_payload(&packets), bytes, "{bytes:02x?}");
    }
    let mut assembler = socket_io::Assembler::new();
    if let Ok(Some(message)) = assembler.text(bytes) {
        assert_eq!(message.packet.attachments, 0, "{bytes:02x?}");
    }
    assert!(assembler.due() <= 10, "{bytes:02x?}");
}

/// Frames and messages of SockJS, bare and in the body of each transport: what is read can be written, and
/// means the same then.
///
/// # Panics
///
/// If a law is broken.
pub fn sockjs(bytes: &[u8]) {
    covered(bytes, &sockjs::fields(bytes));
    for transport in TRANSPORTS {
        covered(bytes, &sockjs::body_fields(transport, bytes));
        let mut reader = sockjs::Reader::new(transport, bytes.len());
        reader.push(bytes);
        while let Ok(Some(frame)) = reader.frame() {
            covered(&frame, &sockjs::fields(&frame));
        }
    }
    if let Ok(frame) = sockjs::Frame::parse(bytes) {
        assert_eq!(sockjs::Frame::parse(&frame.encode()), Ok(frame));
    }
    for uplink in [sockjs::Uplink::Request, sockjs::Uplink::WebSocket] {
        if let Ok(messages) = sockjs::parse_messages(bytes, uplink) {
            assert_eq!(sockjs::parse_messages(&sockjs::encode_messages(&messages), uplink), Ok(messages));
        }
    }
}

/// STOMP frames in every version: the fields cover the bytes, what is read can be written and read again, and
/// cuts make no difference.
///
/// # Panics
///
/// If a law is broken.
pub fn stomp(bytes: &[u8]) {
    covered(bytes, &stomp::fields(bytes));
    for version in stomp::Version::ALL {
        let items = stomp_items(version, [bytes]);
        let (before, after) = bytes.split_at(bytes.len() / 2);
        assert_eq!(items, stomp_items(version, [before, after]));
        let frames: Vec<_> = items
            .into_iter()
            .filter_map(|item| match item {
                stomp::Item::Frame { frame, .. } => Some(frame),
                stomp::Item::LineEnd { .. } => None,
            })
            .collect();
        let written: Vec<u8> = frames.iter().flat_map(|frame| frame.encode(version)).collect();
        let again = stomp_items(version, [written.as_slice()]);
        // In old versions a CR may have been read that can't be written.
        assert!(version < stomp::Version::V12 || again.len() == frames.len());
    }
}

/// What comes out of these pieces up to the first octet that is no STOMP.
fn stomp_items<'a>(version: stomp::Version, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<stomp::Item> {
    let mut reader = stomp::FrameReader::new(version, stomp::Limits::default());
    let mut items = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Ok(Some(item)) = reader.take() {
            items.push(item);
        }
    }
    items
}

/// Frames one after the other, two bytes of length before each: what a conversation knows never panics.
///
/// # Panics
///
/// If a law is broken.
pub fn row(mut bytes: &[u8]) {
    let mut flows = Flows::new(2);
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length) % 256).min(rest.len());
        let (one, rest) = rest.split_at(length);
        if let (Some(seen), Some(segment)) = (flows.see_frame(one), Segment::parse(one)) {
            assert!(seen.repeated <= segment.sequence_length());
        }
        bytes = rest;
    }
}

/// What was parsed is put together again as the same bytes.
///
/// # Panics
///
/// If a law is broken.
pub fn headers(bytes: &[u8]) {
    if let Some(packet) = arp::Packet::parse(bytes) {
        assert_eq!(packet.encode(), bytes[..28]);
    }
    if let Some(header) = ipv6::Header::parse(bytes) {
        assert_eq!(header.encode(&[])[6..], bytes[6..ipv6::LENGTH]);
    }
    if let Some((header, length)) = ipv4::Header::parse(bytes) {
        assert_eq!(header.encode(&[])[12..], bytes[12..length]);
    }
    if let Some(message) = icmp::Message::parse(bytes) {
        assert_eq!(message.encode()[4..], bytes[4..]);
    }
    assert!(each(bytes).count() <= bytes.len());
}

fn covered(bytes: &[u8], fields: &[Field]) {
    if let Err(error) = check(bytes.len() * 8, fields) {
        panic!("{error}: {bytes:02x?}");
    }
    for field in fields {
        assert!(!field.name.is_empty(), "a field without a name: {bytes:02x?}");
    }
}

fn layers(bytes: &[u8], dissection: &Dissection) {
    let (mut byte, mut field) = (0, 0);
    for layer in &dissection.layers {
        assert_eq!((layer.bytes.start, layer.fields.start), (byte, field), "{bytes:02x?}");
        (byte, field) = (layer.bytes.end, layer.fields.end);
    }
    assert_eq!((byte, field), (bytes.len(), dissection.fields.len()), "{bytes:02x?}");
}

fn agrees(dissection: &Dissection, segment: &Segment) {
    let layer = dissection.layer(Protocol::Tcp).expect("a segment is told as TCP");
    let fields = dissection.fields_of(layer);
    let value = |name: &str| {
        let field = fields.iter().find(|field| field.name == name);
        field.map(|field| field.value.split(' ').next().unwrap_or_default().to_owned())
    };
    assert_eq!(value("Source Port"), Some(segment.source.port().to_string()));
    assert_eq!(value("Destination Port"), Some(segment.destination.port().to_string()));
    assert_eq!(value("Sequence Number"), Some(segment.sequence.to_string()));
    assert_eq!(value("Acknowledgment Number"), Some(segment.acknowledgment.to_string()));
    assert_eq!(value("Window"), Some(segment.window.to_string()));
    assert_eq!(layer.bytes.end, segment.payload.start);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::tcp::{self, Flags};

    proptest! {
        #[test]
        fn the_laws_hold_for_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            frame(&bytes);
            decoders(&bytes);
        }

        #[test]
        fn the_laws_hold_for_what_looks_like_sockjs(
            text in "(data: |/\\*\\*/f\\(|<script>\np\\(|[oach])?[\\[\\]\"\\\\u0d8,%a-c \r\n();]{0,30}",
        ) {
            sockjs(text.as_bytes());
        }

        #[test]
        fn the_laws_hold_for_frames_that_were_changed(seed: u64) {
            let mut random = Random::new(seed);
            let mut bytes = sample(&mut random);
            frame(&bytes);
            mutate(&mut random, &mut bytes);
            frame(&bytes);
        }
    }

    #[test]
    fn the_laws_hold_for_stomp_that_was_changed() {
        let mut random = Random::new(4);
        for _ in 0..2000 {
            let mut bytes = stomp_stream(&mut random);
            stomp(&bytes);
            mutate(&mut random, &mut bytes);
            stomp(&bytes);
        }
    }

    /// Segments of few endpoints and near numbers, so that they have to do with each other.
    fn conversation(random: &mut Random) -> Vec<u8> {
        let ends = ["10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap()];
        let mut row = Vec::new();
        for _ in 0..random.below(30) {
            let side = random.below(2);
            let header = tcp::Header {
                sequence: u32::from(random.byte()).wrapping_sub(128),
                acknowledgment: u32::from(random.byte()).wrapping_sub(128),
                flags: Flags::from_bits(random.word() & 0x17),
                window: random.word() % 3,
                ..tcp::Header::new(0, 0)
            };
            let count = random.below(20);
            let frame = build::tcp(ends[side], ends[1 - side], &header, &random.bytes(count));
            row.extend(u16::try_from(frame.len()).unwrap().to_be_bytes());
            row.extend(frame);
        }
        row
    }

    #[test]
    fn any_conversation_is_followed() {
        let mut random = Random::new(3);
        for _ in 0..2000 {
            row(&conversation(&mut random));
        }
    }

    #[test]
    fn the_laws_hold_at_every_length() {
        let mut random = Random::new(1);
        for _ in 0..300 {
            let bytes = sample(&mut random);
            for length in 0..bytes.len().min(150) {
                frame(&bytes[..length]);
            }
        }
    }

    /// `SOCKWALK_FUZZ_RUNS=10000000 cargo test --lib wire::fuzz -- --ignored --nocapture`
    #[test]
    #[ignore = "takes minutes"]
    #[expect(clippy::print_stderr, reason = "it reports how fast it went")]
    fn the_laws_hold_for_millions() {
        let runs = std::env::var("SOCKWALK_FUZZ_RUNS").ok().map_or(200_000, |text| text.parse().unwrap());
        let mut random = Random::new(0x5eed);
        let start = std::time::Instant::now();
        for run in 0..runs {
            let mut bytes = if run % 8 == 0 {
                let length = random.below(120);
                random.bytes(length)
            } else {
                sample(&mut random)
            };
            if run % 8 != 1 {
                mutate(&mut random, &mut bytes);
            }
            if run % 64 == 0 {
                decoders(&bytes)
            } else {
                frame(&bytes)
            }
            if run % 64 == 1 {
                row(&conversation(&mut random))
            }
            if run % 16 == 1 {
                let mut bytes = stomp_stream(&mut random);
                mutate(&mut random, &mut bytes);
                stomp(&bytes);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{runs} runs in {seconds:.1} s: {:.0} runs/s", f64::from(runs) / seconds);
    }
}
