//! The log of connections: a line or a few for each event, under the name of its connection.

use std::{collections::BTreeMap, net::SocketAddr};

use super::words;
use crate::event::{
    Close, Command, ConnectionEvent, ConnectionWhat, Event, Host, Run, StreamWhat, Sum, What,
    stream::{Body, Frame, Head, HeadLine, Layer, Message},
};
use crate::view::{
    Line, Look, Meaning, TapLog, Tapped, Way, markdown,
    units::{plural, thousands, time},
};
use crate::wire::{
    http::{Headers, parse_request, parse_response},
    text,
    websocket::{close_code, opcode, opcode_entry, parse_close},
};

/// Characters of a field of a head that are shown.
const FIELD: usize = 240;

/// Bytes of a payload that are kept for a line: no screen has more columns.
const PREVIEW: usize = 256;

/// Tells connections, event by event.
#[derive(Debug)]
pub struct StreamLog {
    look: Look,
    layout: TapLog,
    /// Of a connection only its end is told, and what goes wrong.
    quiet: bool,
    /// Which command's connections they are.
    command: Command,
    /// Microseconds at which each connection of a server began.
    since: BTreeMap<u64, u64>,
    connections: BTreeMap<u64, Known>,
}

/// A connection that is open.
#[derive(Debug)]
struct Known {
    client: SocketAddr,
    /// Microseconds at which it was accepted.
    began: u64,
    /// The target did not answer.
    refused: bool,
}

type Words = Vec<(String, Meaning)>;

fn words<const N: usize>(pieces: [(&str, Meaning); N]) -> Words {
    pieces.into_iter().map(|(text, meaning)| (text.to_owned(), meaning)).collect()
}

fn way(from: Host) -> Way {
    match from {
        Host::Client => Way::ToServer,
        Host::Server => Way::ToClient,
    }
}

impl StreamLog {
    /// A log in which nothing stands.
    pub fn new(look: Look, run: &Run) -> Self {
        let layout = match run.command {
            Command::Serve => TapLog::of_an_end(look, "s"),
            Command::Client => TapLog::of_an_end(look, "you"),
            Command::Tap | Command::Decode => TapLog::new(look),
        };
        StreamLog {
            look,
            layout,
            quiet: run.shown.quiet,
            command: run.command,
            since: BTreeMap::new(),
            connections: BTreeMap::new(),
        }
    }

    /// The lines of an event.
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        let mut page = Page { number: 0, aside: String::new(), all: Vec::new() };
        match &event.what {
            What::Narration { markdown: text } => {
                let mut lines = vec![Line::blank()];
                lines.extend(markdown(&self.look, text));
                lines.push(Line::blank());
                return lines;
            }
            What::Connection(it) if self.command != Command::Tap => self.end(event.at, it, &mut page),
            What::Connection(it) => self.connection(event.at, it, &mut page),
            What::Stream(it) if !self.quiet => {
                page.number = it.stream.unwrap_or_default();
                stream(&it.what, &mut page);
            }
            _ => {}
        }
        page.all.iter().flat_map(|one| self.layout.lines(one)).collect()
    }

    /// Something that one end of a protocol says of itself.
    fn end(&mut self, at: u64, it: &ConnectionEvent, page: &mut Page) {
        page.number = it.stream;
        let since = match &it.what {
            // A client is one thing, however many connections it takes.
            _ if self.command == Command::Client => 0,
            ConnectionWhat::Peer { .. } if it.layer == "TCP" => {
                self.since.insert(it.stream, at);
                at
            }
            _ => self.since.get(&it.stream).copied().unwrap_or(0),
        };
        if matches!(it.what, ConnectionWhat::Ended { .. }) {
            self.since.remove(&it.stream);
        }
        let quietly = matches!(
            it.what,
            ConnectionWhat::Message { .. }
                | ConnectionWhat::Refused { .. }
                | ConnectionWhat::Violation { .. }
                | ConnectionWhat::Reconnecting { .. }
                | ConnectionWhat::Ended { orderly: false, .. }
        );
        if self.quiet && !quietly {
            return;
        }
        page.aside = in_short(at.saturating_sub(since));
        let own = if self.command == Command::Serve { Host::Server } else { Host::Client };
        let (way, text, bytes) = end(&it.what, own);
        let layer = (!it.layer.is_empty()).then(|| (format!("{} ", it.layer), Meaning::Label));
        page.quote(way, layer.into_iter().chain(text).collect(), bytes);
    }

    fn connection(&mut self, at: u64, it: &ConnectionEvent, page: &mut Page) {
        page.number = it.stream;
        if let ConnectionWhat::Accepted { client, .. } = it.what {
            self.connections.insert(it.stream, Known { client, began: at, refused: false });
        }
        let Some(known) = self.connections.get_mut(&it.stream) else { return };
        page.aside = in_short(at.saturating_sub(known.began));
        match &it.what {
            ConnectionWhat::NotConnected { target, errno, words, took } => {
                known.refused = true;
                not_connected(page, *target, errno, words, *took);
            }
            ConnectionWhat::Closed { how, client, server } => {
                closed(page, known, how, [client, server], self.quiet);
                self.connections.remove(&it.stream);
            }
            _ if self.quiet => {}
            what => connection(what, page),
        }
    }
}

/// The lines of an event.
struct Page {
    number: u64,
    /// The time, beside the first line.
    aside: String,
    all: Vec<Tapped>,
}

impl Page {
    fn line(&mut self, way: Way, text: Words) {
        self.quote(way, text, None);
    }

    /// A line with bytes behind it.
    fn quote(&mut self, way: Way, text: Words, bytes: Option<&[u8]>) {
        let aside = std::mem::take(&mut self.aside);
        let bytes = bytes.map(|bytes| bytes[..bytes.len().min(PREVIEW)].to_vec());
        self.all.push(Tapped { number: self.number, way, text, bytes, aside });
    }
}

fn connection(what: &ConnectionWhat, page: &mut Page) {
    match what {
        ConnectionWhat::Accepted { client, local } => {
            let at = local.map_or_else(String::new, |local| format!(" at {local}"));
            let text = format!(": {client} called{at}");
            page.line(Way::Neither, words([("connected", Meaning::Strong), (&text, Meaning::Prose)]));
        }
        ConnectionWhat::Connected { target, local, took } => {
            let from = local.map_or_else(String::new, |local| format!(" from {local}"));
            let text = format!("the server {target} was called{from}: connect took {}", in_short(*took));
            page.line(Way::Neither, words([(&text, Meaning::Prose)]));
        }
        ConnectionWhat::Read { from, length, understood, bytes, .. } => {
            let text = words([(&words::size(*length), Meaning::State)]);
            page.quote(way(*from), text, if *understood { None } else { Some(bytes) });
        }
        ConnectionWhat::LeftOut { from, reads, bytes, lost } => {
            let text = format!(
                "{} with {} left out here: they were passed on faster than they could be told",
                plural(usize::try_from(*reads).unwrap_or(usize::MAX), "read"),
                words::size(*bytes)
            );
            page.line(way(*from), words([(&text, Meaning::NotSeen)]));
            if *lost {
                let text = format!(
                    "the {from}'s stream can't be followed from here on: the bytes that are missing would say where the next part begins"
                );
                page.line(way(*from), words([(&text, Meaning::NotSeen)]));
            }
        }
        ConnectionWhat::Unknown => {
            let text = "the bytes are not taken apart from here on: no protocol that is known here";
            page.line(Way::Neither, words([(text, Meaning::Quiet)]));
        }
        ConnectionWhat::Stalled { from, took } => {
            let text = format!(
                "the {} took nothing for {}: so long nothing more was read from the {from}",
                from.other(),
                in_short(*took)
            );
            page.line(Way::Neither, words([(&text, Meaning::Quiet)]));
        }
        ConnectionWhat::ShutDown { from } => {
            let text = format!(
                ": the {from} has shut down its sending half (FIN), and the {} is told so by a shutdown",
                from.other()
            );
            page.line(way(*from), words([("end of the stream", Meaning::Strong), (&text, Meaning::Prose)]));
        }
        _ => {}
    }
}

/// What one end says of itself: the bytes stand behind the text.
fn end(what: &ConnectionWhat, own: Host) -> (Way, Words, Option<&[u8]>) {
    let with = |mark, name: &str, meaning, text: &str| {
        (mark, words([(name, meaning), (&format!(": {text}"), Meaning::Prose)]), None)
    };
    let size = |length: u64| format!(", {}", words::size(length));
    let neither = Way::Neither;
    match what {
        ConnectionWhat::Peer { address } => {
            let text = match own {
                Host::Server => format!(": {address} called"),
                Host::Client => format!(" to {address}"),
            };
            (neither, words([("connected", Meaning::Strong), (&text, Meaning::Prose)]), None)
        }
        ConnectionWhat::Ready { words } => with(neither, "open", Meaning::Strong, words),
        ConnectionWhat::Unit { from, unit, length, bytes } => {
            let text = words([(unit, Meaning::Code), (&size(*length), Meaning::Quiet)]);
            (way(*from), text, Some(bytes))
        }
        ConnectionWhat::Message { from, length, bytes } => {
            let name = if *from == own { "said" } else { "heard" };
            let text = words([(name, Meaning::Strong), (&size(*length), Meaning::Quiet)]);
            (way(*from), text, Some(bytes))
        }
        ConnectionWhat::Acknowledged { words } => with(neither, "acknowledged", Meaning::Strong, words),
        ConnectionWhat::HeartBeat { from, unit } => with(way(*from), "beat", Meaning::Strong, unit),
        ConnectionWhat::Refused { words } => with(Way::Wrong, "refused", Meaning::Fails, words),
        ConnectionWhat::Violation { words } => with(Way::Wrong, "broken", Meaning::Fails, words),
        ConnectionWhat::Reconnecting { attempt, after } => {
            with(neither, "calls again", Meaning::Strong, &format!("try {attempt}, in {after} ms"))
        }
        ConnectionWhat::Ended { orderly: true, words } => with(neither, "ended", Meaning::Strong, words),
        ConnectionWhat::Ended { orderly: false, words } => {
            with(Way::Wrong, "broken off", Meaning::Fails, words)
        }
        ConnectionWhat::Note { words: text } => (neither, words([(text, Meaning::Prose)]), None),
        _ => (neither, Words::new(), None),
    }
}

fn not_connected(page: &mut Page, target: SocketAddr, errno: &str, said: &str, took: u64) {
    let text = format!(": the server {target} can't be reached: {said}, after {}", in_short(took));
    page.line(Way::Wrong, words([(errno, Meaning::Error), (&text, Meaning::Prose)]));
    let advice = match errno {
        "ECONNREFUSED" => {
            let (host, port) = (target.ip(), target.port());
            format!(
                "Nothing listens there: start the server, or check the port (ss -tln 'sport = :{port}'; nc -v {host} {port}). The client gets a RST."
            )
        }
        "ConnectionAborted" | "ECONNABORTED" => "The client gave up first.".to_owned(),
        _ => "The client gets a RST. Whether the server can be reached at all: sockwalk connect says more."
            .to_owned(),
    };
    page.line(Way::Neither, words([(&advice, Meaning::Emphasis)]));
}

fn closed(page: &mut Page, known: &Known, how: &Close, [up, down]: [&Sum; 2], quiet: bool) {
    let (ending, meaning) = match how {
        Close::Fin => ("closed in order", Meaning::Strong),
        Close::Reset { .. } if known.refused => ("not connected", Meaning::Fails),
        Close::Reset { .. } => ("broken off", Meaning::Fails),
        Close::Stopped => ("ended with the tap", Meaning::Strong),
    };
    let sums = format!("{} to the server, {} back", counted(up), counted(down));
    let text = if quiet {
        let lasted = std::mem::take(&mut page.aside);
        let errno = match how {
            Close::Reset { from, errno } => format!("; {errno} at the {from}"),
            _ => String::new(),
        };
        format!(": {} after {lasted}; {sums}{errno}", known.client)
    } else {
        let how = match how {
            Close::Fin => ": both streams have ended, both connections are closed".to_owned(),
            Close::Reset { .. } if known.refused => ": the client is reset".to_owned(),
            Close::Reset { from, errno } => {
                format!(": {errno} at the {from}; the {} is reset as well", from.other())
            }
            Close::Stopped => ": the tap ends".to_owned(),
        };
        format!("{how}; {sums}")
    };
    let way = if matches!(how, Close::Reset { .. }) { Way::Wrong } else { Way::Neither };
    page.line(way, words([(ending, meaning), (&text, Meaning::Prose)]));
}

/// What the bytes of an end say.
fn stream(what: &StreamWhat, page: &mut Page) {
    match what {
        StreamWhat::Head(it) => head(page, it),
        StreamWhat::Body(it) => body(page, it),
        StreamWhat::Upgraded(it) => {
            page.line(Way::Neither, words([(&words::upgraded(it), Meaning::Strong)]));
        }
        StreamWhat::Frame(it) => frame(page, it),
        StreamWhat::Message(it) => message(page, it),
        // Of layers that carry others the uppermost says it all.
        StreamWhat::Layer(it) if it.carries => {}
        StreamWhat::Layer(it) => layer(page, it),
        StreamWhat::Violation(it) => {
            let (who, rule) = words::violation(it);
            page.line(Way::Wrong, words([(&who, Meaning::Fails), (&rule, Meaning::Prose)]));
        }
        StreamWhat::Unfinished(it) => {
            page.line(way(it.from), words([(&words::unfinished(it), Meaning::NotSeen)]));
        }
        StreamWhat::Differs(it) => page.line(Way::Wrong, words([(&words::differs(it), Meaning::Fails)])),
        StreamWhat::Missing(it) => {
            page.line(way(it.from), words([(&words::missing(it), Meaning::NotSeen)]));
        }
        StreamWhat::Data(_) | StreamWhat::Packet(_) | StreamWhat::Opened(_) | StreamWhat::Bytes(_) => {}
        StreamWhat::Ended(_) => {}
    }
}

fn head(page: &mut Page, it: &Head) {
    let kind = match &it.line {
        HeadLine::Request { .. } => "request ",
        HeadLine::Response { .. } => "response ",
        HeadLine::Broken { error } => {
            let who = format!("the {} breaks a rule: ", it.from);
            return page.line(Way::Wrong, words([(&who, Meaning::Fails), (error, Meaning::Prose)]));
        }
    };
    let line = text::shown(words::first_line(&it.bytes), FIELD);
    let size = format!(" ({})", words::size(it.length));
    let way = way(it.from);
    page.line(way, words([(kind, Meaning::Strong), (&line, Meaning::Code), (&size, Meaning::Quiet)]));
    let Some(headers) = headers(&it.bytes) else { return };
    for line in &headers.0 {
        let (name, value) = (format!("   {}: ", line.name), text::shown(&line.value, FIELD));
        page.line(way, words([(&name, Meaning::Label), (&value, Meaning::Code)]));
    }
}

fn headers(head: &[u8]) -> Option<Headers> {
    let response = || parse_response(head).map(|head| head.headers).ok();
    parse_request(head).map(|head| head.headers).ok().or_else(response)
}

/// `body, 5 bytes "hello"`
fn body(page: &mut Page, it: &Body) {
    let length = format!(", {}", words::size(it.length));
    let text = words([("body", Meaning::Strong), (&length, Meaning::Quiet)]);
    page.quote(way(it.from), text, Some(&it.shown));
}

/// `frame text FIN, 5 bytes "hello"`
fn frame(page: &mut Page, it: &Frame) {
    let header = &it.header;
    let name = opcode_entry(header.opcode).symbol.to_lowercase();
    let mut marks = String::new();
    for (set, mark) in [
        (!header.fin, " without FIN"),
        (header.rsv1, " RSV1"),
        (header.rsv2, " RSV2"),
        (header.rsv3, " RSV3"),
        (header.key.is_some(), " masked"),
    ] {
        if set {
            marks += mark;
        }
    }
    let kind = format!("frame {name}");
    let mut text = words([(&kind, Meaning::Strong), (&marks, Meaning::Quiet)]);
    if header.opcode == opcode::CLOSE
        && let Ok(Some((code, _))) = parse_close(&it.payload)
    {
        text.push((format!(" {code} {}", close_code(code).symbol), Meaning::State));
    }
    text.push((format!(", {}", words::size(header.length)), Meaning::Quiet));
    let skipped = if header.opcode == opcode::CLOSE { it.payload.len().min(2) } else { 0 };
    page.quote(way(it.from), text, Some(&it.payload[skipped..]));
}

/// `text message is whole: 9 bytes in 2 frames`, if it says more than its only frame did.
fn message(page: &mut Page, it: &Message) {
    if it.is_its_frame() {
        return;
    }
    let mut how = match (it.compressed, it.packed) {
        (true, true) => format!("{}, which can't be inflated", words::size(it.length)),
        (true, false) => {
            format!("{}, inflated from {}", words::size(it.payload.len() as u64), thousands(it.length))
        }
        (false, _) => words::size(it.length),
    };
    if it.frames > 1 {
        how += &format!(" in {} frames", thousands(it.frames));
    }
    if it.carried.missing {
        how += ", a part of which is missing";
    }
    let kind = format!("{} message", opcode_entry(it.opcode).symbol.to_lowercase());
    let text = words([(&kind, Meaning::Strong), (&format!(" is whole: {how}"), Meaning::Prose)]);
    page.quote(way(it.from), text, Some(&it.payload));
}

/// `Socket.IO EVENT msg "hello"`
fn layer(page: &mut Page, it: &Layer) {
    let name = format!("{} {}", it.protocol.name(), it.kind);
    let said = match (it.beat, &*it.words) {
        (true, "") => (format!(" {}", words::BEAT), Meaning::Quiet),
        (false, "") => (String::new(), Meaning::Plain),
        (_, words) => (format!(" {words}"), Meaning::Bytes),
    };
    page.line(way(it.from), words([(&name, Meaning::Strong), (&said.0, said.1)]));
}

/// `1,234 bytes in 5 reads`
fn counted(sum: &Sum) -> String {
    let reads = plural(usize::try_from(sum.reads).unwrap_or(usize::MAX), "read");
    format!("{} in {reads}", words::size(sum.bytes))
}

fn in_short(micros: u64) -> String {
    time(micros.saturating_mul(1000))
}
