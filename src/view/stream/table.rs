//! Events on a screen: a heading for each connection, a line for each head, frame and message, at the end
//! what there was.
//!
//! Lines come in the order of time, as a capture may be longer than memory; where another connection speaks,
//! its heading is told again.

mod rows;

use std::{collections::HashMap, net::SocketAddr};

use super::{filter::Choice, words};
use crate::event::{
    Host, StreamEvent, StreamWhat,
    stream::{
        Body, Differs, Ended, Ending, FieldRow, Frame, Head, HeadLine, Layer, Message, Missing, Opened,
        Stretch, Unfinished, Upgraded, Violation,
    },
};
use crate::view::{
    Depth, Line, Look, Meaning,
    field_table::{field_rows, field_table},
    plural, wrapped,
};
use crate::wire::{
    http, text,
    websocket::{self, opcode},
};

use rows::{GLIMPSE, Row, kind};

/// The longest frame whose fields are told, in bytes of payload.
const FIELDS: usize = 4096;
/// Connections of which more than a sum is kept for the end.
const KEPT: usize = 100_000;

/// A table of what was said: makes lines of stream events.
#[derive(Debug)]
pub struct StreamTable {
    look: Look,
    detail: Depth,
    follow: bool,
    choice: Choice,
    /// When the first packet was recorded.
    began: Option<u64>,
    /// The connection that the last line was about.
    last: Option<u64>,
    open: HashMap<u64, Known>,
    sum: Sum,
}

/// What is known of a connection that is asked for.
#[derive(Debug)]
struct Known {
    client: SocketAddr,
    server: SocketAddr,
    from_start: bool,
    told: bool,
}

/// What there was, for the last lines.
#[derive(Debug, Default)]
struct Sum {
    packets: u64,
    not_tcp: u64,
    truncated: u64,
    connections: usize,
    websockets: usize,
    frames: usize,
    messages: usize,
    layers: usize,
    violations: usize,
    missing: u64,
}

impl StreamTable {
    /// With nothing told. With `follow`, what was said is told in full, and how it was packed is not.
    pub fn new(look: Look, detail: Depth, follow: bool, choice: Choice) -> Self {
        StreamTable {
            look,
            detail,
            follow,
            choice,
            began: None,
            last: None,
            open: HashMap::new(),
            sum: Sum::default(),
        }
    }

    /// The lines that an event gives.
    pub fn event(&mut self, event: &StreamEvent) -> Vec<Line> {
        if let StreamWhat::Packet(seen) = &event.what {
            self.sum.packets += 1;
            self.sum.not_tcp += u64::from(seen.tcp.is_none());
            self.sum.truncated += u64::from(seen.truncated);
            self.began = self.began.or(event.time.map(|time| time.0));
            return Vec::new();
        }
        let Some(stream) = event.stream else { return Vec::new() };
        if let StreamWhat::Opened(opened) = &event.what {
            self.opened(stream, opened);
            return Vec::new();
        }
        if !self.open.contains_key(&stream) || !self.choice.has_event(event) {
            return Vec::new();
        }
        let lines = match &event.what {
            StreamWhat::Head(head) => self.head(event, head),
            StreamWhat::Body(body) => self.body(event, body),
            StreamWhat::Upgraded(upgraded) => self.upgraded(upgraded),
            StreamWhat::Frame(frame) => self.frame(event, frame),
            StreamWhat::Message(message) => self.message(event, message),
            StreamWhat::Layer(layer) => self.layer(event, layer),
            StreamWhat::Violation(violation) => self.violation(violation),
            StreamWhat::Data(data) => self.data(event, data),
            StreamWhat::Missing(missing) => self.missing(missing),
            StreamWhat::Differs(differs) => self.differs(differs),
            StreamWhat::Unfinished(it) => self.unfinished(it),
            StreamWhat::Ended(ended) => self.ended(event, ended),
            StreamWhat::Packet(_) | StreamWhat::Opened(_) | StreamWhat::Bytes(_) => Vec::new(),
        };
        if lines.is_empty() {
            return lines;
        }
        let mut all = self.heading(stream);
        if all.is_empty() {
            all = lines;
        } else {
            all.extend(lines);
        }
        if let StreamWhat::Ended(_) = event.what {
            self.open.remove(&stream);
        }
        all
    }

    /// What there was in all.
    pub fn end(&self) -> Vec<Line> {
        let sum = &self.sum;
        let many = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let mut parts = vec![plural(many(sum.packets), "packet"), plural(sum.connections, "connection")];
        let mut part = |n: usize, of: &str| {
            if n > 0 {
                parts.push(plural(n, of));
            }
        };
        part(sum.websockets, "WebSocket");
        part(sum.frames, "frame");
        part(sum.messages, "message");
        part(sum.layers, "upper-layer packet");
        part(sum.violations, "violation");
        part(many(sum.missing), "missing byte");
        part(many(sum.truncated), "truncated packet");
        if sum.not_tcp > 0 {
            parts.push(format!("{} not TCP", plural(many(sum.not_tcp), "packet")));
        }
        let text = parts.join(if self.look.linear() { ", " } else { " · " });
        let text = if self.look.linear() { format!("In all: {text}.") } else { text };
        let mut lines = vec![Line::blank()];
        lines.extend(wrapped(&self.look, &self.look.line(text, Meaning::Quiet), 2));
        lines
    }

    fn opened(&mut self, stream: u64, opened: &Opened) {
        if !self.choice.has_connection(stream, opened) {
            return;
        }
        self.sum.connections += 1;
        if self.open.len() < KEPT {
            let Opened { client, server, from_start } = *opened;
            let known = Known { client, server, from_start, told: false };
            self.open.insert(stream, known);
        }
    }

    /// `stream 0  127.0.0.1:40000 → 127.0.0.1:7000`, where the line before was about another.
    fn heading(&mut self, stream: u64) -> Vec<Line> {
        if self.last == Some(stream) {
            return Vec::new();
        }
        self.last = Some(stream);
        let Some(known) = self.open.get_mut(&stream) else { return Vec::new() };
        let again = std::mem::replace(&mut known.told, true);
        let (client, server) = (known.client.to_string(), known.server.to_string());
        let mut lines = vec![Line::blank()];
        if self.look.linear() {
            let again = if again { "again" } else { "from" };
            let text = format!("Stream {stream}, {again} {client} to {server}.");
            lines.extend(wrapped(&self.look, &self.look.line(text, Meaning::Heading), 0));
            return lines;
        }
        let note = match (again, known.from_start) {
            (true, _) => "  goes on",
            (false, false) => "  its beginning is not in the capture",
            (false, true) => "",
        };
        let name = format!("stream {stream}");
        let line = self.look.spans([
            (&name, Meaning::Heading),
            ("  ", Meaning::Plain),
            (&client, Meaning::Client),
            (" → ", Meaning::Quiet),
            (&server, Meaning::Server),
            (note, Meaning::Quiet),
        ]);
        lines.extend(wrapped(&self.look, &line, 2));
        lines
    }

    fn head(&self, event: &StreamEvent, head: &Head) -> Vec<Line> {
        let text = match &head.line {
            HeadLine::Request { method, target } => format!("{method} {target}"),
            HeadLine::Response { status } => {
                format!("{status} {}", text::shown(words::reason(&head.bytes), 60))
            }
            HeadLine::Broken { error } => format!("broken head: {error}"),
        };
        let meaning =
            if matches!(head.line, HeadLine::Broken { .. }) { Meaning::Fails } else { Meaning::Strong };
        let line = self.look.line(text::shown(text.as_bytes(), GLIMPSE), meaning);
        let mut lines = self.row(event, head.from, Some(head.offset), "HTTP", "", head.length, line);
        if self.detail > Depth::Summary {
            lines.extend(field_table(&self.look, &head.bytes, &http::fields(&head.bytes), self.detail));
        }
        lines
    }

    fn body(&self, event: &StreamEvent, body: &Body) -> Vec<Line> {
        if self.follow && body.above {
            return Vec::new();
        }
        let line = self.quoted(&body.shown, body.cut);
        self.row(event, body.from, Some(body.offset), "body", "", body.length, line)
    }

    fn upgraded(&mut self, upgraded: &Upgraded) -> Vec<Line> {
        self.sum.websockets += 1;
        let text = words::upgraded(upgraded);
        self.note(Meaning::Emphasis, &text)
    }

    fn frame(&mut self, event: &StreamEvent, frame: &Frame) -> Vec<Line> {
        self.sum.frames += 1;
        let header = &frame.header;
        if self.follow {
            return Vec::new();
        }
        // A mask is told where it breaks the rule: a client's frames have it, a server's don't.
        let (masked, bare) = (header.key.is_some(), header.key.is_none());
        let flags = [
            (header.fin, "FIN"),
            (header.rsv1, "RSV1"),
            (header.rsv2, "RSV2"),
            (header.rsv3, "RSV3"),
            (masked && frame.from == Host::Server, "MASK"),
            (bare && frame.from == Host::Client, "no MASK"),
        ];
        let mut told = String::new();
        for (_, name) in flags.into_iter().filter(|(set, _)| *set) {
            told += if told.is_empty() { "" } else { "," };
            told += name;
        }
        let mut line = match frame.header.opcode {
            opcode::CLOSE => self.close(&frame.payload),
            _ if header.rsv1 => {
                let hex = text::hex(&frame.payload, 12);
                self.look.line(hex, Meaning::Bytes)
            }
            _ => self.quoted(&frame.payload, frame.carried.cut),
        };
        self.remarks(&mut line, frame.carried, false);
        let kind = kind(header.opcode);
        let mut lines = self.row(event, frame.from, Some(frame.offset), &kind, &told, header.length, line);
        if self.detail > Depth::Summary && frame.payload.len() <= FIELDS {
            let mut bytes = header.encode();
            let start = bytes.len();
            bytes.extend_from_slice(&frame.payload);
            if let Some(key) = header.key {
                websocket::mask(&mut bytes[start..], key);
            }
            lines.extend(field_table(&self.look, &bytes, &websocket::fields(&bytes), self.detail));
        }
        lines
    }

    fn message(&mut self, event: &StreamEvent, message: &Message) -> Vec<Line> {
        self.sum.messages += 1;
        let told = if self.follow { message.above } else { message.is_its_frame() };
        if told {
            return Vec::new();
        }
        let mut line = match message.opcode {
            opcode::CLOSE => self.close(&message.payload),
            _ if message.packed => self.look.line(text::hex(&message.payload, 12), Meaning::Bytes),
            _ => self.quoted(&message.payload, message.carried.cut),
        };
        self.remarks(&mut line, message.carried, message.packed);
        if self.follow {
            return self.row(
                event,
                message.from,
                None,
                &kind(message.opcode),
                "",
                message.payload.len() as u64,
                line,
            );
        }
        let how = match (message.frames, message.compressed && !message.packed) {
            (1, true) => "inflated".to_owned(),
            (frames, true) => format!("of {frames}, inflated"),
            (frames, false) => format!("of {frames}"),
        };
        let kind = format!("= {}", kind(message.opcode));
        self.row(event, message.from, None, &kind, &how, message.payload.len() as u64, line)
    }

    /// What a message or a content carries, beneath it. Of layers that carry others only the uppermost is
    /// told, unless every byte is.
    fn layer(&mut self, event: &StreamEvent, layer: &Layer) -> Vec<Line> {
        self.sum.layers += usize::from(!layer.carries);
        let detailed = self.detail > Depth::Summary;
        if layer.carries && !detailed {
            return Vec::new();
        }
        let mut line = self.look.line(&*layer.words, Meaning::Bytes);
        if layer.beat && layer.words.is_empty() {
            line = self.look.line(words::BEAT, Meaning::Quiet);
        }
        if self.follow {
            let mut said = self.look.spans([
                (layer.protocol.name(), Meaning::Strong),
                (" ", Meaning::Plain),
                (&layer.kind, Meaning::Label),
                (" ", Meaning::Plain),
            ]);
            said.extend(line);
            line = said;
        }
        let (name, length) = (layer.protocol.name(), layer.length);
        let offset = layer.bare.then_some(layer.offset);
        let mut lines = self.row(event, layer.from, offset, name, &layer.kind, length, line);
        if detailed && layer.bytes.len() <= FIELDS {
            let rows: Vec<FieldRow> = layer.rows();
            lines.extend(field_rows(&self.look, &layer.bytes, &rows, self.detail));
        }
        lines
    }

    fn violation(&mut self, broken: &Violation) -> Vec<Line> {
        self.sum.violations += 1;
        let mark = if self.look.linear() { "Broken rule:" } else { "✗" };
        let (who, rule) = words::violation(broken);
        let text = format!("{mark} {who}{rule}");
        self.note(Meaning::Fails, &text)
    }

    fn data(&self, event: &StreamEvent, data: &Stretch) -> Vec<Line> {
        let line = self.quoted(&data.bytes, false);
        self.row(event, data.from, Some(data.offset), "data", "", data.length, line)
    }

    fn missing(&mut self, missing: &Missing) -> Vec<Line> {
        self.sum.missing = self.sum.missing.saturating_add(missing.length);
        let text = words::missing(missing);
        self.note(Meaning::NotSeen, &text)
    }

    fn differs(&self, differs: &Differs) -> Vec<Line> {
        self.note(Meaning::Fails, &words::differs(differs))
    }

    fn unfinished(&self, it: &Unfinished) -> Vec<Line> {
        self.note(Meaning::NotSeen, &words::unfinished(it))
    }

    fn ended(&self, event: &StreamEvent, ended: &Ended) -> Vec<Line> {
        let how = match ended.how {
            Ending::Fin => "FIN from both".to_owned(),
            Ending::Reset(by) => format!("RST from the {}", by.name()),
            Ending::Open => "still open where the capture ends".to_owned(),
        };
        let many = |n: u64| plural(usize::try_from(n).unwrap_or(usize::MAX), "byte");
        let (client, server) = (many(ended.client_bytes), many(ended.server_bytes));
        if self.look.linear() {
            return self
                .note(Meaning::Quiet, &format!("{how}; {client} from the client, {server} from the server"));
        }
        let mut row = Row::new(&self.look);
        row.right(&self.time(event), 11, Meaning::Quiet);
        row.to(16);
        row.text(&format!("{how} · {client} →, {server} ←"), Meaning::Quiet);
        wrapped(&self.look, &row.with(Line::blank()), 16)
    }
}
