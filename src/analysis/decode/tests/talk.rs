//! A conversation that is made up: its packets, one after the other.

use std::net::SocketAddr;

use super::super::{Decoder, Options};
use crate::analysis::capture::{Capture, Link, Packet};
use crate::event::{Host, StreamEvent, StreamWhat, stream::HeadLine};
use crate::wire::{
    frame::build,
    fuzz::{Random, mutate},
    tcp::{Flags, Header},
    text,
};

/// Two ends, and the number of the next byte of each.
pub(crate) struct Talk {
    ends: [SocketAddr; 2],
    begin: [u32; 2],
    next: [u32; 2],
    pub(crate) packets: Vec<Vec<u8>>,
}

impl Talk {
    pub(crate) fn new(sequence: u32) -> Self {
        let ends = ["10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap()];
        let begin = [sequence, sequence.wrapping_mul(3)];
        Talk { ends, begin: begin.map(|n| n.wrapping_add(1)), next: begin, packets: Vec::new() }
    }

    fn segment(&mut self, side: usize, flags: Flags, payload: &[u8]) {
        let header = Header {
            sequence: self.next[side],
            acknowledgment: self.next[1 - side],
            flags,
            window: 1000,
            ..Header::new(self.ends[side].port(), self.ends[1 - side].port())
        };
        self.packets.push(build::tcp(self.ends[side], self.ends[1 - side], &header, payload));
        let marks = u32::from(flags.contains(Flags::SYN)) + u32::from(flags.contains(Flags::FIN));
        self.next[side] = self.next[side].wrapping_add(u32::try_from(payload.len()).unwrap() + marks);
    }

    pub(crate) fn syn(&mut self) {
        self.segment(0, Flags::SYN, b"");
        self.segment(1, Flags::SYN | Flags::ACK, b"");
        self.segment(0, Flags::ACK, b"");
    }

    pub(crate) fn fin(&mut self) {
        self.segment(0, Flags::FIN | Flags::ACK, b"");
        self.segment(1, Flags::FIN | Flags::ACK, b"");
    }

    pub(crate) fn say(&mut self, from: Host, bytes: &[u8]) {
        let side = if from == Host::Client { 0 } else { 1 };
        for piece in bytes.chunks(1400) {
            self.segment(side, Flags::ACK | Flags::PSH, piece);
        }
    }

    pub(crate) fn client(&mut self, bytes: &[u8]) {
        self.say(Host::Client, bytes);
    }

    pub(crate) fn server(&mut self, bytes: &[u8]) {
        self.say(Host::Server, bytes);
    }

    pub(crate) fn upgrade(&mut self, extension: &str) {
        self.upgrade_at("/chat", extension);
    }

    /// By the target of the request it is seen what the messages carry.
    pub(crate) fn upgrade_at(&mut self, target: &str, extension: &str) {
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        let common = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
        self.client(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{common}{key}\r\n").as_bytes());
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        self.server(
            format!("HTTP/1.1 101 Switching Protocols\r\n{common}{accept}{extension}\r\n").as_bytes(),
        );
    }

    /// Bytes that a side has sent.
    pub(crate) fn sent(&self, from: Host) -> u64 {
        let side = if from == Host::Client { 0 } else { 1 };
        self.next[side].wrapping_sub(self.begin[side]).into()
    }

    pub(crate) fn events(&self, options: Options, tell: &mut dyn FnMut(&StreamEvent)) {
        events(&self.packets, options, tell);
    }
}

pub(crate) fn events(packets: &[Vec<u8>], options: Options, tell: &mut dyn FnMut(&StreamEvent)) {
    let mut decoder = Decoder::new(options);
    for (index, bytes) in packets.iter().enumerate() {
        let (number, original) = (index as u64 + 1, bytes.len() as u64);
        let packet = Packet { number, time: Some(number * 1_000_000), link: Link::ETHERNET, original, bytes };
        decoder.push(&packet, tell).unwrap();
    }
    decoder.finish(tell);
    assert_eq!(decoder.held(), 0);
}

/// What is told, a line each.
pub(crate) fn told(packets: &[Vec<u8>], options: Options) -> Vec<String> {
    let mut lines = Vec::new();
    events(packets, options, &mut |event| {
        lines.push(match &event.what {
            StreamWhat::Packet(_) | StreamWhat::Bytes(_) => return,
            StreamWhat::Opened(_) => "opened".to_owned(),
            StreamWhat::Head(head) => match &head.line {
                HeadLine::Request { method, target } => format!("{} {method} {target}", head.from.name()),
                HeadLine::Response { status } => format!("{} {status}", head.from.name()),
                HeadLine::Broken { error } => error.to_string(),
            },
            StreamWhat::Body(body) => format!("body {} {}", body.length, text::escape(&body.shown)),
            StreamWhat::Upgraded(_) => "upgraded".to_owned(),
            StreamWhat::Frame(frame) => {
                format!(
                    "frame {} {} {}",
                    frame.from.name(),
                    frame.header.opcode,
                    text::escape(&frame.payload)
                )
            }
            StreamWhat::Message(m) => {
                format!("message {} {} {} {}", m.from.name(), m.opcode, m.frames, text::escape(&m.payload))
            }
            StreamWhat::Layer(layer) => format!("{} {} {}", layer.protocol.name(), layer.kind, layer.words),
            StreamWhat::Violation(broken) => format!("violation {}", broken.section),
            StreamWhat::Data(data) => format!("data {}", text::escape(&data.bytes)),
            StreamWhat::Missing(missing) => format!("missing {} {}", missing.offset, missing.length),
            StreamWhat::Differs(differs) => format!("differs {} {}", differs.offset, differs.length),
            StreamWhat::Unfinished(it) => {
                format!("unfinished {:?} {} of {:?}", it.unit, it.length, it.needed)
            }
            StreamWhat::Ended(ended) => format!("ended {:?}", ended.how),
        });
    });
    lines
}

/// A head that may be right.
pub(crate) fn head(random: &mut Random) -> Vec<u8> {
    let heads: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 204 N\r\n\r\nHTTP/1.1 100 C\r\n\r\n",
    ];
    heads[random.below(heads.len())].repeat(1 + random.below(3))
}

/// What a layer above HTTP, WebSocket or TCP may say.
pub(crate) fn said(random: &mut Random) -> Vec<u8> {
    let all: [&[u8]; 16] = [
        b"o",
        b"a[\"x\",\"SEND\\ndestination:/a\\n\\nb\\u0000\"]",
        b"c[3000,\"bye\"]",
        b"[\"CONNECT\\nhost:a\\n\\n\\u0000\",\"\\n\"]",
        b"0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":1,\"pingTimeout\":1}",
        b"42/chat,7[\"msg\",{\"a\":[1]}]",
        b"452-[\"m\",{\"_placeholder\":true,\"num\":1}]",
        b"2probe",
        b"40\x1ebAQID\x1e3",
        b"bAQ==",
        b"CONNECT\naccept-version:1.1\nhost:a\n\n\0\n",
        b"CONNECTED\nversion:1.1\n\n\0",
        b"MESSAGE\ndestination:/a\ncontent-length:4\n\na\0bc\0",
        b"\n",
        b"id: 1\r\ndata: a\ndata\n\n",
        b": c\r\r\nretry: 5\n",
    ];
    let mut bytes = all[random.below(all.len())].to_vec();
    if random.below(3) == 0 {
        mutate(random, &mut bytes);
    }
    bytes
}

/// A request or an answer whose content is a layer.
pub(crate) fn exchange(random: &mut Random) -> (bool, Vec<u8>) {
    let mut content = Vec::new();
    for _ in 0..random.below(4) {
        content.extend(said(random));
        content.extend_from_slice([&b"\n"[..], b"", b"\x1e", b"\r\n\r\n"][random.below(4)]);
    }
    let asks = random.flip();
    let target = TARGETS[random.below(TARGETS.len())];
    let method = ["GET", "POST"][random.below(2)];
    let mut head = match asks {
        true => format!("{method} {target} HTTP/1.1\r\n"),
        false => "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n".to_owned(),
    };
    match random.below(3) {
        0 => head += &format!("Content-Length: {}\r\n\r\n", content.len()),
        1 => head += &format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", content.len()),
        _ => head += "\r\n",
    }
    let end: &[u8] = if random.flip() { b"\r\n0\r\n\r\n" } else { b"" };
    (asks, [head.as_bytes(), &content, end].concat())
}

/// What a request may be for.
pub(crate) const TARGETS: [&str; 8] = [
    "/chat",
    "/socket.io/?EIO=4&transport=polling",
    "/engine.io/?EIO=4&transport=websocket",
    "/a/123/b/xhr_streaming",
    "/a/123/b/xhr_send",
    "/a/123/b/websocket",
    "/a/123/b/htmlfile",
    "/a/123/b/jsonp",
];

/// A capture of either format with changed bytes is read and decoded.
pub(crate) fn file(random: &mut Random) {
    use crate::analysis::capture::tests::{block, pcap};
    let mut talk = Talk::new(random.long());
    talk.upgrade("");
    let little = random.flip();
    let mut bytes = if random.flip() {
        let packets: Vec<_> =
            talk.packets.iter().map(|packet| (1, packet.as_slice(), packet.len())).collect();
        pcap(little, random.flip(), [1, 0, 101, 113, 276][random.below(5)], &packets)
    } else {
        let number = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut bytes = block(little, 0x0a0d_0d0a, &[&number(0x1a2b_3c4d)[..], &[0; 12]].concat());
        bytes.extend(block(little, 1, &[0, 1, 0, 0, 0, 0, 0, 0]));
        for packet in &talk.packets {
            let length = number(u32::try_from(packet.len()).unwrap());
            let kind = [2, 3, 6][random.below(3)];
            bytes.extend(block(little, kind, &[&[0; 12][..], &length, &length, packet].concat()));
        }
        bytes
    };
    for _ in 0..random.below(4) {
        mutate(random, &mut bytes);
    }
    let Ok(mut capture) = Capture::open(bytes.as_slice()) else { return };
    let mut decoder = Decoder::new(Options::default());
    while let Ok(Some(packet)) = capture.next_packet() {
        assert!(packet.bytes.len() <= bytes.len());
        let _ = decoder.push(&packet, &mut |_| {});
    }
    decoder.finish(&mut |_| {});
    assert_eq!(decoder.held(), 0);
}
