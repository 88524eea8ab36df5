//! The same message, sent once over a plain TCP connection and once over a WebSocket, both for real; and what that came to.
//!
//! Each is a lesson made up on the spot and run on a stage like any other. What crossed is read from its events: the bytes are
//! those that the receiver's socket gave, cut as its calls gave them.

use std::{io, ops::Range};

use thiserror::Error;

use crate::{
    course::{self, Block, Front, Lesson, Part, Step},
    run::{self, Audience, Go, Prediction},
    stage::Stage,
    trace::{Event, Host, Question, Sink, Value, What},
    view::{Bill, Comparison, Side},
    wire::{flow::Flows, tcp::Segment, websocket},
};

/// The largest piece that is sent at once, in bytes: the limit of a message that the other end takes.
pub const LARGEST: usize = 1 << 20;

/// From so many bytes on somebody has to receive while they are sent: no buffer is sure to take more.
const BUFFERED: usize = 32 << 10;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What is sent: each piece by a send of its own, and as a message of its own.
    pub pieces: Vec<Vec<u8>>,
    /// As binary messages. Text has to be UTF-8.
    pub binary: bool,
    /// All pieces so many times.
    pub repeat: usize,
    /// Who sends.
    pub from: Host,
    /// What else is to be on the WebSocket.
    pub also: Also,
}

/// What a WebSocket can do beside whole messages. With any of it the sender makes its frames by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Also {
    /// Each message in frames of these lengths; what is left over is one more.
    pub fragments: Vec<usize>,
    /// A Ping behind the first frame of each message, or before it if that is the only one.
    pub ping: bool,
    /// A Close at the end, with code and reason.
    pub close: Option<(u16, String)>,
}

/// What can't be compared.
#[derive(Debug, Error)]
pub enum Fault {
    /// A text message that is none.
    #[error(
        "byte {at} of the message is no UTF-8, and a text message is (RFC 6455 §5.6): send it as --binary"
    )]
    NotText {
        /// The first byte that can't be.
        at: usize,
    },
    /// More than is taken.
    #[error("a piece of {length} bytes is more than is taken at once ({LARGEST})")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// Pieces that are more than the message.
    #[error("--split takes {wanted} bytes, and the message has {length}")]
    Split {
        /// The sum of the pieces.
        wanted: usize,
        /// Bytes of the message.
        length: usize,
    },
    /// A claim of the run did not hold.
    #[error("the run over {over} did not go as it should: {what}")]
    Failed {
        /// `TCP` or `a WebSocket`.
        over: &'static str,
        /// The check that failed, and what was there instead.
        what: String,
    },
    /// The stage.
    #[error(transparent)]
    Stage(#[from] io::Error),
}

impl Wanted {
    /// Cuts a message into pieces of these lengths; what is left over is one more.
    ///
    /// # Errors
    /// If the lengths are more than the message has, if a piece is too large, or if a text is none.
    pub fn new(
        message: &[u8],
        split: &[usize],
        binary: bool,
        repeat: usize,
        from: Host,
    ) -> Result<Wanted, Fault> {
        let wanted: usize = split.iter().sum();
        if wanted > message.len() {
            return Err(Fault::Split { wanted, length: message.len() });
        }
        let pieces: Vec<Vec<u8>> = cut(message, split).into_iter().map(<[u8]>::to_vec).collect();
        let mut before = 0;
        for piece in &pieces {
            if piece.len() > LARGEST {
                return Err(Fault::TooLarge { length: piece.len() });
            }
            if let (false, Err(error)) = (binary, std::str::from_utf8(piece)) {
                return Err(Fault::NotText { at: before + error.valid_up_to() });
            }
            before += piece.len();
        }
        Ok(Wanted { pieces, binary, repeat: repeat.max(1), from, also: Also::default() })
    }

    /// With more on the WebSocket than whole messages.
    pub fn with(self, also: Also) -> Wanted {
        Wanted { also, ..self }
    }

    /// Bytes of all messages.
    fn total(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum::<usize>() * self.repeat
    }

    /// Every piece that is sent, in order.
    fn sent(&self) -> impl Iterator<Item = &Vec<u8>> {
        (0..self.repeat).flat_map(|_| &self.pieces)
    }
}

/// Sends it both ways, each on a stage of its own, and compares. Events go to `sink` as they come.
///
/// # Errors
/// If a stage can't be had, or a run did not go as it should.
pub fn diff(
    wanted: &Wanted,
    mut stage: impl FnMut(&Lesson) -> io::Result<Stage>,
    sink: &mut dyn Sink,
) -> Result<Comparison, Fault> {
    let tcp = over_tcp(wanted);
    let tcp = one("TCP", wanted, &tcp, stage(&tcp.lesson)?, sink)?;
    let websocket = over_websocket(wanted);
    let websocket = one("a WebSocket", wanted, &websocket, stage(&websocket.lesson)?, sink)?;
    Ok(Comparison {
        message: wanted.pieces.concat(),
        messages: wanted.pieces.len() * wanted.repeat,
        from: wanted.from,
        tcp,
        websocket,
    })
}

/// A lesson, and which of its steps are what.
struct Plan {
    lesson: Lesson,
    /// Steps before these open the connection; those behind close it.
    talk: Range<usize>,
}

fn over_tcp(wanted: &Wanted) -> Plan {
    let (from, to) = (wanted.from, wanted.from.other());
    let (mine, theirs) = sockets(from);
    let mut talk = Vec::new();
    let (total, large) = (wanted.total(), wanted.total() > BUFFERED);
    let receive = format!("{to}$ r = recv_exactly {theirs} {total}");
    if large {
        talk.push(format!("{receive} &"));
    }
    talk.extend(
        wanted
            .sent()
            .filter(|piece| !piece.is_empty())
            .map(|piece| format!("{from}$ send {mine} {}", course::escaped(piece))),
    );
    match (total, large) {
        (0, _) => {}
        (_, true) => talk.push(format!("{to}$ wait r within 60s => ok")),
        (_, false) => talk.push(receive),
    }
    plan(
        "tcp",
        opening(),
        talk,
        vec!["client$ close c".to_owned(), "server$ close conn".to_owned()],
        from,
        mine,
    )
}

/// The sender's frames are made by hand, one by one.
fn by_hand(wanted: &Wanted) -> Plan {
    let (from, to) = (wanted.from, wanted.from.other());
    let (mine, _) = sockets(from);
    let theirs = if from == Host::Client { "v" } else { "w" };
    let hand_off = match from {
        Host::Client => "server$ v = ws handoff conn",
        Host::Server => "client$ w = ws handoff c",
    };
    let upgrade =
        ["client$ ws request c /", "server$ ws answer conn => 101", "client$ ws verify c => 101", hand_off];
    let mut open = opening();
    open.extend(upgrade.map(str::to_owned));
    let kind = if wanted.binary { "binary" } else { "text" };
    let mut talk = Vec::new();
    let mut come = 0;
    for (number, piece) in wanted.sent().enumerate() {
        let frames = cut(piece, &wanted.also.fragments);
        let large = piece.len() > BUFFERED;
        let ping = format!("{from}$ ws frame {mine} ping \"?\"");
        if large {
            talk.push(format!("{to}$ r{number} = ws recv {theirs} &"));
        }
        if wanted.also.ping && frames.len() == 1 {
            talk.push(ping.clone());
        }
        for (at, frame) in frames.iter().enumerate() {
            let kind = if at == 0 { kind } else { "continuation" };
            let more = if at + 1 < frames.len() { " more" } else { "" };
            talk.push(format!("{from}$ ws frame {mine} {kind} {}{more}", course::escaped(frame)));
            if wanted.also.ping && at == 0 && frames.len() > 1 {
                talk.push(ping.clone());
            }
        }
        if large {
            talk.push(format!("{to}$ wait r{number} within 60s => ok"));
        }
        come += usize::from(!large) + usize::from(wanted.also.ping);
    }
    talk.extend((0..come).map(|_| format!("{to}$ ws recv {theirs}")));
    let pongs = if wanted.also.ping { wanted.sent().count() } else { 0 };
    talk.extend((0..pongs).map(|_| format!("{from}$ ws unframe {mine}")));
    let (code, reason) = wanted.also.close.clone().unwrap_or((1000, String::new()));
    let body = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
    let goodbye = vec![
        format!("{from}$ ws frame {mine} close {}", course::escaped(&body)),
        format!("{to}$ ws recv {theirs} => close {code}"),
        format!("{from}$ ws unframe {mine}"),
    ];
    let mut close = vec!["server$ close conn".to_owned(), "client$ close c".to_owned()];
    if wanted.also.close.is_some() {
        talk.extend(goodbye);
    } else {
        close = [goodbye, close].concat();
    }
    plan("websocket", open, talk, close, from, mine)
}

/// The pieces of these lengths; what is left over is one more.
fn cut<'a>(message: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), message);
    for length in lengths {
        let (piece, more) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

fn over_websocket(wanted: &Wanted) -> Plan {
    if wanted.also != Also::default() {
        return by_hand(wanted);
    }
    let (from, to) = (wanted.from, wanted.from.other());
    let (mine, _) = sockets(from);
    let (my_end, their_end) = match from {
        Host::Client => ("w", "v"),
        Host::Server => ("v", "w"),
    };
    let mut open = opening();
    open.extend(
        [
            "client$ ws request c /",
            "server$ ws answer conn => 101",
            "client$ ws verify c => 101",
            "client$ w = ws handoff c",
            "server$ v = ws handoff conn",
        ]
        .map(str::to_owned),
    );
    let kind = if wanted.binary { "binary" } else { "text" };
    let mut talk = Vec::new();
    for (number, piece) in wanted.sent().enumerate() {
        let large = piece.len() > BUFFERED;
        if large {
            talk.push(format!("{to}$ r{number} = ws recv {their_end} &"));
        }
        talk.push(format!("{from}$ ws send {my_end} {kind} {}", course::escaped(piece)));
        if large {
            talk.push(format!("{to}$ wait r{number} within 60s => ok"));
        }
    }
    let quiet = wanted.sent().filter(|piece| piece.len() <= BUFFERED).count();
    talk.extend((0..quiet).map(|_| format!("{to}$ ws recv {their_end}")));
    let close = [
        "client$ ws close w 1000",
        "server$ ws recv v => close 1000",
        "client$ ws recv w => close 1000",
        "server$ close conn",
        "client$ close c",
    ];
    plan("websocket", open, talk, close.map(str::to_owned).to_vec(), from, mine)
}

/// The sender's socket, and the receiver's.
fn sockets(from: Host) -> (&'static str, &'static str) {
    match from {
        Host::Client => ("c", "conn"),
        Host::Server => ("conn", "c"),
    }
}

fn opening() -> Vec<String> {
    // Nagle's algorithm would hold a second small send back until the first is acknowledged, on both sides of the comparison.
    [
        "server$ s = socket tcp",
        "server$ bind s :7000",
        "server$ listen s 4",
        "client$ c = socket tcp",
        "client$ connect c server:7000",
        "server$ conn = accept s",
        "client$ setsockopt c TCP_NODELAY 1",
        "server$ setsockopt conn TCP_NODELAY 1",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn plan(
    name: &str,
    open: Vec<String>,
    mut talk: Vec<String>,
    close: Vec<String>,
    from: Host,
    mine: &str,
) -> Plan {
    // The bill is whole when everything is acknowledged.
    talk.push(format!("check {from}.{mine} send_queue=0"));
    let steps: Vec<Step> = open
        .iter()
        .chain(&talk)
        .chain(&close)
        .enumerate()
        .map(|(index, line)| {
            let step = course::step(line).unwrap_or_else(|fault| unreachable!("a line of ours: {fault}"));
            // The text is for the screen, and a message may be long.
            let text =
                if line.len() > 80 { line.chars().take(80).chain(['…']).collect() } else { line.clone() };
            Step { line: index + 1, text, ..step }
        })
        .collect();
    let acts = |lines: &[String]| lines.iter().filter(|line| !line.starts_with("check")).count();
    let (before, within) = (acts(&open), acts(&talk));
    let front = Front {
        lesson: format!("diff-{name}"),
        title: format!("the message over {name}"),
        stage: "any".to_owned(),
        language: "en".to_owned(),
        ..Front::default()
    };
    let part = Part { title: "The message".to_owned(), blocks: vec![Block::Steps(steps)] };
    let lesson = Lesson { file: "diff".to_owned(), front, intro: Vec::new(), parts: vec![part] };
    Plan { lesson, talk: before..before + within }
}

fn one(
    over: &'static str,
    wanted: &Wanted,
    plan: &Plan,
    stage: Stage,
    sink: &mut dyn Sink,
) -> Result<Side, Fault> {
    let mut reader = EventReader::new(plan.talk.clone(), wanted.from, stage.wire().is_some(), sink);
    run::run(&plan.lesson, 1, stage, &mut reader)?;
    if let Some(what) = reader.failed.take() {
        return Err(Fault::Failed { over, what });
    }
    let mut side = reader.side;
    side.frames = frames(&side.bytes);
    if over == "TCP" {
        side.frames.clear();
    }
    Ok(side)
}

/// The frames in a stream, as places of their headers and payloads.
fn frames(stream: &[u8]) -> Vec<(Range<usize>, Range<usize>)> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Ok(header) = websocket::Header::parse(stream.get(at..).unwrap_or_default()) {
        let payload = at + header.size();
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let end = payload.saturating_add(length).min(stream.len());
        frames.push((at..payload, payload..end));
        at = end;
    }
    frames
}

/// Reads the events of a run, and hands them on.
struct EventReader<'a> {
    sink: &'a mut dyn Sink,
    side: Side,
    talk: Range<usize>,
    from: Host,
    /// Steps so far.
    steps: usize,
    flows: Flows,
    /// The relative number of the first byte of the talk.
    base: Option<u32>,
    /// Calls under way: on which host, what they are, and whether they belong to the talk.
    open: Vec<(u64, Host, String, bool)>,
    failed: Option<String>,
}

impl<'a> EventReader<'a> {
    fn new(talk: Range<usize>, from: Host, cable: bool, sink: &'a mut dyn Sink) -> EventReader<'a> {
        let side = Side { packets_seen: cable, ..Side::default() };
        EventReader {
            sink,
            side,
            talk,
            from,
            steps: 0,
            flows: Flows::default(),
            base: None,
            open: Vec::new(),
            failed: None,
        }
    }

    /// The bill of what is going on now; none while the connection closes.
    fn bill(&mut self) -> Option<&mut Bill> {
        match self.steps.checked_sub(1)? {
            at if at < self.talk.start => Some(&mut self.side.opening),
            at if self.talk.contains(&at) => Some(&mut self.side.bill),
            _ => None,
        }
    }

    fn frame(&mut self, frame: &crate::trace::Frame) {
        let segment = Segment::parse(&frame.bytes);
        let seen = segment.as_ref().map(|segment| self.flows.see(segment));
        let payload = segment.as_ref().map_or(0, |segment| segment.payload.len());
        let talks = self.talk.contains(&self.steps.wrapping_sub(1));
        if let Some(bill) = self.bill() {
            bill.packets += 1;
            bill.on_the_wire += frame.bytes.len();
            bill.payload += payload;
        }
        if let (Some(seen), true, true, None) =
            (seen, talks && frame.from == self.from, payload > 0, frame.again)
        {
            let base = *self.base.get_or_insert(seen.sequence);
            let start = seen.sequence.wrapping_sub(base) as usize;
            self.side.segments.push(start..start + payload);
        }
    }

    fn returned(&mut self, back: &crate::trace::Return) {
        let Some(at) = self.open.iter().position(|(id, ..)| *id == back.call) else { return };
        let (_, host, call, talks) = self.open.swap_remove(at);
        let end = |ranges: &[Range<usize>]| ranges.last().map_or(0, |range| range.end);
        match (&back.ok, call.as_str()) {
            (Some(Value::Count(count)), "send") if talks && host == self.from => {
                let start = end(&self.side.sends);
                self.side.sends.push(start..start + count);
                self.side.bill.sent += count;
            }
            (Some(Value::Count(count)), "send") => {
                if let Some(bill) = self.bill() {
                    bill.sent += count;
                }
            }
            (Some(Value::Data(data)), "recv") if talks && host != self.from => {
                let start = end(&self.side.recvs);
                self.side.recvs.push(start..start + data.len());
                self.side.bytes.extend_from_slice(data);
            }
            _ => {}
        }
    }
}

impl Sink for EventReader<'_> {
    fn take(&mut self, event: &Event) {
        self.sink.take(event);
        match &event.what {
            What::Step(_) => self.steps += 1,
            What::Call(call) => {
                let talks = self.talk.contains(&self.steps.wrapping_sub(1));
                let calls = call.syscalls.len();
                if let Some(bill) = self.bill() {
                    bill.calls += calls;
                }
                self.open.push((call.id, call.host, call.call.clone(), talks));
            }
            What::Return(back) => self.returned(back),
            What::Frame(frame) => self.frame(frame),
            What::Check(check) if check.holds == Some(false) => {
                let _ = self.failed.get_or_insert_with(|| format!("{}: {}", check.text, check.observed));
            }
            _ => {}
        }
    }
}

impl Audience for EventReader<'_> {
    fn pause(&mut self) -> Go {
        Go::On
    }

    fn predict(&mut self, _: &Question) -> Prediction {
        Prediction::None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on_loopback(wanted: &Wanted) -> Comparison {
        diff(wanted, |_| Stage::loopback(), &mut Vec::<Event>::new()).unwrap()
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
                let told = websocket::Header::parse(&both.websocket.bytes[header.start..]).unwrap();
                let mut bytes = both.websocket.bytes[payload.clone()].to_vec();
                told.key.into_iter().for_each(|key| websocket::mask(&mut bytes, key));
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
}
