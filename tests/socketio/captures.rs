//! Sessions of Socket.IO between real peers, recorded: every packet of them is read, told to the last bit,
//! and written again.

use std::{collections::BTreeMap, fs, path::Path};

use snapbox::{assert_data_eq, file};
use sockwalk::wire::{
    engine_io::{self, Packet},
    field,
    http::{ContentReader, parse_request, parse_response, request_framing, response_framing},
    socket_io::Assembler,
    tcp::{Flags, Segment},
    text,
    websocket::{FrameReader, opcode, unmask_onto},
};

use crate::support::pcap;

const SESSIONS: [&str; 12] = [
    "09a-sio-polling",
    "09b-sio-websocket",
    "09c-sio-upgrade",
    "09d-sio-ack",
    "09e-sio-namespace-auth",
    "09f-sio-denied",
    "09g-sio-binary-ws",
    "09h-sio-binary-polling",
    "09i-sio-ping",
    "09l-sio-multi-polling",
    "09m-sio-py-polling",
    "09n-sio-py-websocket",
];

/// What a stream carried, by both its ends; loopback loses nothing, so it is in order but for what was sent
/// again.
type Streams = BTreeMap<(u16, u16), (u32, Vec<u8>)>;

/// The two directions of each connection, in the order in which the clients called.
fn connections(name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/captures/{name}.pcap"));
    let (mut streams, mut order) = (Streams::new(), Vec::new());
    for frame in pcap::read(&fs::read(path).unwrap()) {
        let segment = Segment::parse(&frame).unwrap();
        let ends = (segment.source.port(), segment.destination.port());
        let bytes = &frame[segment.payload.clone()];
        if segment.flags.has_any(Flags::SYN) {
            if !segment.flags.has_any(Flags::ACK) {
                order.push(ends);
            }
            streams.insert(ends, (segment.sequence.wrapping_add(1), Vec::new()));
        } else if let Some((next, stream)) = streams.get_mut(&ends)
            && segment.sequence == *next
        {
            *next = next.wrapping_add(u32::try_from(bytes.len()).unwrap());
            stream.extend_from_slice(bytes);
        }
    }
    let direction = |ends| streams.get(&ends).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    order
        .iter()
        .map(|(client, server)| (direction((*client, *server)), direction((*server, *client))))
        .collect()
}

/// The story of one session: a line for each packet, `>` to the server.
#[derive(Default)]
struct Story {
    lines: Vec<String>,
    /// To the server, and from it.
    assemblers: [Assembler; 2],
}

impl Story {
    fn packet(&mut self, to_server: bool, packet: &Packet) {
        let (way, assembler) =
            if to_server { (">", &mut self.assemblers[0]) } else { ("<", &mut self.assemblers[1]) };
        let whole = match packet {
            Packet::Text(engine_io::Kind::Message, data) => assembler.text(data.as_bytes()).unwrap(),
            Packet::Binary(data) => assembler.binary(data.clone()).unwrap(),
            Packet::Text(..) => None,
        };
        let (code, bytes) = packet.encode();
        let shown = if code == opcode::TEXT {
            without_ids(&text::escape(&bytes))
        } else {
            format!("bytes {}", text::hex(&bytes, 40))
        };
        let words = whole.map_or_else(String::new, |message| format!("   {:?}", message.packet.kind));
        self.lines.push(format!("{way} {shown}{words}"));
    }

    fn body(&mut self, to_server: bool, body: &[u8]) {
        assert_eq!(field::check(body.len() * 8, &sockwalk::wire::socket_io::body_fields(body)), Ok(()));
        let packets = engine_io::parse_payload(body).unwrap();
        assert_eq!(engine_io::encode_payload(&packets), body);
        packets.iter().for_each(|packet| self.packet(to_server, packet));
    }

    fn frames(&mut self, to_server: bool, mut rest: &[u8]) {
        let mut reader = FrameReader::new();
        let mut message = Vec::new();
        while let Some(piece) = reader.next(&mut rest) {
            unmask_onto(&mut message, piece.bytes, piece.header.key, piece.index);
            if !piece.last {
                continue;
            }
            let payload = std::mem::take(&mut message);
            match piece.header.opcode {
                opcode::TEXT => {
                    let fields = sockwalk::wire::socket_io::packet_fields(&payload);
                    assert_eq!(field::check(payload.len() * 8, &fields), Ok(()));
                    self.packet(to_server, &Packet::parse(&payload).unwrap());
                }
                opcode::BINARY => self.packet(to_server, &Packet::Binary(payload)),
                other => {
                    let way = if to_server { ">" } else { "<" };
                    self.lines.push(format!("{way} frame with opcode {other:#x}"));
                }
            }
        }
    }

    /// One connection: requests and answers, until it becomes a WebSocket.
    fn connection(&mut self, mut up: &[u8], mut down: &[u8]) {
        while !up.is_empty() {
            let request = parse_request(up).unwrap();
            up = &up[request.length..];
            let content = take_content(&mut up, ContentReader::new(request_framing(&request).unwrap()));
            let transport = if request.target.contains("websocket") { "websocket" } else { "polling" };
            self.lines.push(format!("{} {transport}", request.method));
            if !content.is_empty() {
                self.body(true, &content);
            }
            if down.is_empty() {
                self.lines.push("no answer: the client hung up".into());
                return;
            }
            let response = parse_response(down).unwrap();
            down = &down[response.length..];
            if response.status == 101 {
                self.frames(true, up);
                self.frames(false, down);
                return;
            }
            let framing = response_framing(&response, &request.method).unwrap();
            let content = take_content(&mut down, ContentReader::new(framing));
            if content.eq_ignore_ascii_case(b"ok") {
                self.lines.push(format!("{} {}", response.status, text::escape(&content)));
            } else {
                self.body(false, &content);
            }
        }
    }
}

fn take_content(rest: &mut &[u8], mut reader: ContentReader) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = reader.next(rest).unwrap() {
        all.extend_from_slice(piece);
    }
    all
}

/// Session IDs are another in every recording.
fn without_ids(text: &str) -> String {
    let Some((before, after)) = text.split_once("\"sid\":\"") else { return text.to_owned() };
    format!("{before}\"sid\":\"…{}", &after[after.find('"').unwrap()..])
}

#[test]
fn every_packet_of_real_sessions_is_read() {
    let mut told = String::new();
    for name in SESSIONS {
        let mut story = Story::default();
        for (up, down) in connections(name) {
            story.connection(&up, &down);
        }
        assert!(story.assemblers.iter().all(|assembler| assembler.due() == 0), "{name}");
        told.push_str(&format!("{name}\n"));
        story.lines.iter().for_each(|line| told.push_str(&format!("  {line}\n")));
    }
    assert_data_eq!(told, file!["../data/captures/socketio.txt"]);
}
