//! SockJS: a server's frames, a client's messages, and what those carry in their turn.

use super::{
    Out, Place, SHOWN, StreamState, Told,
    detector::{Content, Detector, Detectors, Dissector, Promise, ProtocolHint},
    short,
};
use crate::analysis::conversation::budget::{Budget, Held};
use crate::event::Host;
use crate::wire::{
    Malformed, Protocol,
    sockjs::{
        self, Endpoint, Frame, Reader, TRANSPORTS, Text, Transport, Uplink, frame_type, parse_messages,
    },
};

/// The row of the table. The target alone could be anybody's: the server's first message has to confirm it.
pub(super) static DETECTOR: Detector = Detector {
    words: &[("sockjs", Protocol::SockJs)],
    target,
    text: |from, payload| {
        // No other text begins like that and goes on so.
        from == Host::Server && matches!(Frame::parse(payload), Ok(Frame::Messages(_)))
    },
    // A server opens with `o`, before the client says anything.
    confirms: |from, payload| from == Host::Server && payload == b"o",
    stream: Some(|from, detectors| {
        let framing = if from == Host::Server { Framing::Frames } else { Framing::Messages };
        Box::new(SockJs::new(framing, detectors))
    }),
    ..Detector::NONE
};

/// What `/PREFIX/server/session/transport` promises.
fn target(method: &str, target: &str) -> Option<Promise> {
    let path = target.split('?').next().unwrap_or_default();
    // Server, session and transport are the last three parts; what stands before them is any prefix.
    let (third, _) = path.rmatch_indices('/').nth(2)?;
    let sockjs::Place::Session { server, endpoint, .. } = sockjs::Place::parse(&path[..third], path)? else {
        return None;
    };
    // Clients number servers with three digits. Where the last part is a word of SockJS alone that isn't
    // asked for.
    let numbered = server.len() == 3 && server.bytes().all(|byte| byte.is_ascii_digit());
    let own = matches!(endpoint.name, "xhr_streaming" | "xhr_send" | "jsonp_send" | "websocket");
    if method != endpoint.method || !(numbered || own) {
        return None;
    }
    let request: Content = Content(|_, detectors| {
        Box::new(SockJs::new(Framing::Request { body: Held::default(), at: None, cut: false }, detectors))
    });
    Some(Promise {
        request: (endpoint.name == "xhr_send").then_some(request),
        response: response(endpoint),
        messages: Some(ProtocolHint::Expected(&DETECTOR)),
    })
}

/// How the response of an endpoint is read.
fn response(endpoint: &Endpoint) -> Option<Content> {
    let transport = TRANSPORTS.into_iter().find(|it| it.endpoint() == endpoint.name)?;
    Some(Content(match transport {
        Transport::WebSocket => |limit, rows| SockJs::answer(Transport::WebSocket, limit, rows),
        Transport::XhrStreaming => |limit, rows| SockJs::answer(Transport::XhrStreaming, limit, rows),
        Transport::Xhr => |limit, rows| SockJs::answer(Transport::Xhr, limit, rows),
        Transport::EventSource => |limit, rows| SockJs::answer(Transport::EventSource, limit, rows),
        Transport::HtmlFile => |limit, rows| SockJs::answer(Transport::HtmlFile, limit, rows),
        Transport::Jsonp => |limit, rows| SockJs::answer(Transport::Jsonp, limit, rows),
    }))
}

/// One direction.
#[derive(Debug)]
struct SockJs {
    framing: Framing,
    /// What messages carry.
    within: StreamState,
    detectors: Detectors,
}

/// How it comes.
#[derive(Debug)]
enum Framing {
    /// A frame in each message of a WebSocket.
    Frames,
    /// An array, or a string, in each message of a WebSocket.
    Messages,
    /// Frames in the answer to a request; what the reader holds counts so much.
    Answer { reader: Box<Reader>, counted: usize, lost: bool },
    /// An array in a request.
    Request { body: Held, at: Option<u64>, cut: bool },
}

impl SockJs {
    fn new(framing: Framing, detectors: Detectors) -> SockJs {
        SockJs { framing, within: StreamState::Undecided, detectors }
    }

    fn answer(transport: Transport, limit: usize, detectors: Detectors) -> Box<dyn Dissector> {
        let reader = Box::new(Reader::new(transport, limit));
        Box::new(SockJs::new(Framing::Answer { reader, counted: 0, lost: false }, detectors))
    }
}

impl Dissector for SockJs {
    fn message(&mut self, place: Place, _text: bool, payload: &[u8], out: &mut Out) {
        match &self.framing {
            Framing::Frames => self.frame(place, payload, out),
            Framing::Messages => self.messages(place, payload, Uplink::WebSocket, out),
            Framing::Answer { .. } | Framing::Request { .. } => {}
        }
    }

    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        match &mut self.framing {
            Framing::Frames | Framing::Messages | Framing::Answer { lost: true, .. } => {}
            Framing::Request { body, at, cut } => {
                at.get_or_insert(place.offset);
                let fits = body.len() + bytes.len() <= out.limit;
                *cut |= !fits || !body.add(bytes, out.budget);
            }
            Framing::Answer { reader, .. } => {
                reader.push(bytes);
                self.answered(place, out);
            }
        }
    }

    fn end(&mut self, from: Host, out: &mut Out) {
        let Framing::Request { body, at, cut } = &mut self.framing else { return };
        let (body, cut) = (body.take(out.budget), *cut);
        if let (Some(offset), false) = (at.take(), cut) {
            self.messages(Place { from, offset, depth: 1, bare: false }, &body, Uplink::Request, out);
        }
    }

    fn gap(&mut self, budget: &mut Budget) {
        match &mut self.framing {
            Framing::Frames | Framing::Messages => {}
            Framing::Answer { reader, counted, lost } => {
                **reader = Reader::new(Transport::Xhr, 0);
                budget.reserve(counted, 0);
                *lost = true;
            }
            Framing::Request { body, cut, .. } => {
                body.clear(budget);
                *cut = true;
            }
        }
        self.within.gap(budget);
    }
}

impl SockJs {
    /// The frames that are whole now.
    fn answered(&mut self, place: Place, out: &mut Out) {
        loop {
            let Framing::Answer { reader, counted, .. } = &mut self.framing else { return };
            match reader.frame() {
                Ok(Some(frame)) => self.frame(place, &frame, out),
                Ok(None) => {
                    let now = reader.pending().len();
                    if !out.budget.reserve(counted, now) {
                        self.gap(out.budget);
                    }
                    return;
                }
                // How much a receiver takes is its own affair: nobody has done anything wrong.
                Err(_) if reader.pending().len() > out.limit => return self.gap(out.budget),
                Err(error) => {
                    // The offset counts from the start of the content: where that is has passed.
                    wrong(place, &Malformed { offset: Some(0), ..error }, out);
                    return self.gap(out.budget);
                }
            }
        }
    }

    /// A frame of the server.
    fn frame(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        let frame = match Frame::parse(bytes) {
            Ok(frame) => frame,
            Err(error) => return wrong(place, &error, out),
        };
        let kind = bytes.first().and_then(|letter| frame_type(*letter)).map_or("", |entry| entry.symbol);
        let beat = frame == Frame::Heartbeat;
        match frame {
            Frame::Open | Frame::Heartbeat => tell(place, kind, "", bytes, (beat, false), out),
            Frame::Close { code, reason } => {
                let words = format!("{code} {}", quoted(&[reason]));
                tell(place, kind, &words, bytes, (false, false), out);
            }
            Frame::Messages(all) => self.told(place, kind, &all, bytes, out),
        }
    }

    /// Messages of the client.
    fn messages(&mut self, place: Place, bytes: &[u8], uplink: Uplink, out: &mut Out) {
        match parse_messages(bytes, uplink) {
            Ok(all) => self.told(place, "messages", &all, bytes, out),
            Err(error) => wrong(place, &error, out),
        }
    }

    fn told(&mut self, place: Place, kind: &str, all: &[Text], bytes: &[u8], out: &mut Out) {
        let texts: Vec<String> = all.iter().map(Text::to_string).collect();
        if let (StreamState::Undecided, Some(first)) = (&self.within, texts.first()) {
            let row = self.detectors.iter().copied().find(|row| (row.bytes)(first.as_bytes()));
            self.within = row
                .map_or(StreamState::Unknown, |row| StreamState::of_stream(row, place.from, self.detectors));
        }
        let carries = !texts.is_empty() && self.within.dissector().is_some();
        tell(place, kind, &quoted(all), bytes, (false, carries), out);
        if let Some(dissector) = self.within.dissector() {
            for message in texts {
                dissector.message(place.above(), true, message.as_bytes(), out);
            }
        }
    }
}

fn tell(place: Place, kind: &str, words: &str, bytes: &[u8], (beat, carries): (bool, bool), out: &mut Out) {
    let (protocol, fields) = (Protocol::SockJs, sockjs::fields);
    out.layer(place, &Told { protocol, kind, words, bytes, beat, carries, fields });
}

fn wrong(place: Place, error: &Malformed, out: &mut Out) {
    let words = format!("{}: needed {}, had {}", error.field, error.needed, error.had);
    out.broken(place, error.index(), &words, error.section);
}

/// `"hello", "two"`
fn quoted(all: &[Text]) -> String {
    let mut words = String::new();
    for message in all {
        words += if words.is_empty() { "" } else { ", " };
        words += &crate::view::quote(message.to_string().as_bytes());
        if words.len() > SHOWN {
            break;
        }
    }
    short(words)
}
