//! Both comparisons as they are to look, character by character: `tests/data/view/`. Run with
//! `SNAPSHOTS=overwrite` to write them anew, and then look at every one.

use std::time::Duration;

use snapbox::{Data, assert_data_eq, file};

use crate::{
    event::Host,
    transport::{api::Scripted, registry},
    view::{
        self, Beat, Bill, Comparison, Depth, Form, Glyphs, Line, Look, Outcome, Palette, Road, Roads, Side,
        paint,
    },
    wire::websocket::{Frame, opcode},
};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn bill(sent: usize, packets: usize) -> Bill {
    Bill { sent, payload: sent, packets, on_the_wire: sent + 66 * packets, calls: packets }
}

fn side(bytes: &[u8], trips: usize) -> Side {
    let all = 0..bytes.len();
    Side {
        sends: vec![all.clone()],
        segments: vec![all.clone()],
        recvs: vec![all],
        bytes: bytes.to_vec(),
        bill: bill(bytes.len(), 2),
        opening: bill(120 * trips, 3 * trips),
        beat: bill(8, 2),
        round_trips: trips,
        news: (trips > 1).then(|| Duration::from_micros(180 * trips as u64)),
        packets_seen: true,
        ..Side::default()
    }
}

/// `hello` over both, in two messages.
fn both() -> Comparison {
    let frame = |text: &str| Frame::new(opcode::TEXT, text).masked(KEY).encode();
    let (one, two) = (frame("he"), frame("llo"));
    let tcp = Side { sends: vec![0..2, 2..5], segments: vec![0..2, 2..5], ..side(b"hello", 1) };
    let mut websocket = side(&[one.clone(), two.clone()].concat(), 2);
    let end = one.len() + two.len();
    websocket.frames = vec![(0..6, 6..one.len()), (one.len()..one.len() + 6, one.len() + 6..end)];
    websocket.sends = vec![0..one.len(), one.len()..end];
    Comparison { message: b"hello".to_vec(), messages: 2, from: Host::Client, tcp, websocket }
}

/// `hello` by several roads.
fn several() -> Roads {
    let frame = |text: &str| Frame::new(opcode::TEXT, text).masked(KEY).encode();
    let http = "POST /news HTTP/1.1\r\nHost: server\r\nContent-Length: 5\r\n\r\nhello";
    let carried: [(&str, Vec<u8>, usize); 6] = [
        ("tcp", b"hello".to_vec(), 1),
        ("http", http.into(), 1),
        ("poll", http.into(), 1),
        ("websocket", frame("hello"), 2),
        ("socketio", frame("42[\"message\",\"hello\"]"), 7),
        ("stomp-tcp", b"SEND\ndestination:/topic/news\ncontent-length:5\n\nhello\0".to_vec(), 3),
    ];
    let road = |name: &str, outcome| {
        let transport = registry::find(name).unwrap();
        let it = transport.scripted.as_ref().unwrap();
        let (name, &Scripted { title, about, over, lesson, .. }) = (transport.name, it);
        Road { name, title, about, over, lesson, outcome }
    };
    let mut roads: Vec<Road> = carried
        .iter()
        .map(|(name, bytes, trips)| {
            let layers =
                (registry::find(name).unwrap().scripted.as_ref().unwrap().layers)(bytes, Host::Client);
            let every = Duration::from_secs(20);
            let beat = (*trips > 1).then_some(Beat { every, says: "something every 20 s" });
            road(name, Outcome::Carried { side: Box::new(side(bytes, *trips)), layers, beat })
        })
        .collect();
    roads.insert(1, road("icmp", Outcome::Cannot("it needs a cable between two hosts".to_owned())));
    let interval = Duration::from_secs(1);
    Roads { message: b"hello".to_vec(), messages: 1, from: Host::Client, interval, roads }
}

#[track_caller]
fn same(lines: &[Line], palette: Palette, golden: Data) {
    assert_data_eq!(Data::text(paint(lines, palette)).raw(), golden.raw());
}

fn look(width: usize, glyphs: Glyphs, form: Form) -> Look {
    Look::new(width, glyphs, form)
}

#[test]
fn the_two_side_by_side() {
    let at = |look: Look, palette, golden| same(&view::comparison(&look, &both()), palette, golden);
    let screen = |width| look(width, Glyphs::Unicode, Form::Screen);
    at(screen(40), Palette::Plain, file!["../../tests/data/view/comparison-40.txt"]);
    at(screen(80), Palette::Plain, file!["../../tests/data/view/comparison-80.txt"]);
    at(screen(80), Palette::Colour, file!["../../tests/data/view/comparison-80-colour.txt"]);
    let linear = look(80, Glyphs::Unicode, Form::Linear);
    at(linear, Palette::Plain, file!["../../tests/data/view/comparison-linear.txt"]);
}

#[test]
fn every_road() {
    let at = |look: Look, palette, golden| {
        same(&view::roads(&look, &several(), Depth::Summary), palette, golden);
    };
    let screen = |width| look(width, Glyphs::Unicode, Form::Screen);
    at(screen(40), Palette::Plain, file!["../../tests/data/view/roads-40.txt"]);
    at(screen(80), Palette::Plain, file!["../../tests/data/view/roads-80.txt"]);
    at(screen(80), Palette::Colour, file!["../../tests/data/view/roads-80-colour.txt"]);
    at(screen(120), Palette::Plain, file!["../../tests/data/view/roads-120.txt"]);
    let ascii = look(80, Glyphs::Ascii, Form::Screen);
    at(ascii, Palette::Plain, file!["../../tests/data/view/roads-80-ascii.txt"]);
    let linear = look(80, Glyphs::Unicode, Form::Linear);
    at(linear, Palette::Plain, file!["../../tests/data/view/roads-linear.txt"]);
}
