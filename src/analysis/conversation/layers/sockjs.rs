//! SockJS: a server's frames, a client's messages, and what those carry in their turn.

use super::road::within;
use super::{Out, Place, SHOWN, Spoken, Told, short};
use crate::analysis::conversation::budget::{Budget, Held};
use crate::event::Host;
use crate::wire::{
    Malformed, Protocol,
    sockjs::{self, Frame, Reader, Text, Transport, Uplink, frame_type, parse_messages},
};

/// One direction.
#[derive(Debug)]
pub(in crate::analysis::conversation) struct SockJs {
    way: Way,
    /// What messages carry.
    within: Spoken,
}

/// How it comes.
#[derive(Debug)]
enum Way {
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
    pub(super) fn web_socket(from: Host) -> Spoken {
        SockJs::spoken(if from == Host::Server { Way::Frames } else { Way::Messages })
    }

    pub(super) fn answer(transport: Transport, limit: usize) -> Spoken {
        let reader = Box::new(Reader::new(transport, limit));
        SockJs::spoken(Way::Answer { reader, counted: 0, lost: false })
    }

    pub(super) fn request() -> Spoken {
        SockJs::spoken(Way::Request { body: Held::default(), at: None, cut: false })
    }

    fn spoken(way: Way) -> Spoken {
        Spoken::SockJs(Box::new(SockJs { way, within: Spoken::Unclear }))
    }

    pub(super) fn message(&mut self, place: Place, payload: &[u8], out: &mut Out) {
        match &self.way {
            Way::Frames => self.frame(place, payload, out),
            Way::Messages => self.messages(place, payload, Uplink::WebSocket, out),
            Way::Answer { .. } | Way::Request { .. } => {}
        }
    }

    pub(super) fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        match &mut self.way {
            Way::Frames | Way::Messages | Way::Answer { lost: true, .. } => {}
            Way::Request { body, at, cut } => {
                at.get_or_insert(place.offset);
                let fits = body.len() + bytes.len() <= out.limit;
                *cut |= !fits || !body.add(bytes, out.budget);
            }
            Way::Answer { reader, .. } => {
                reader.push(bytes);
                self.answered(place, out);
            }
        }
    }

    pub(super) fn end(&mut self, from: Host, out: &mut Out) {
        let Way::Request { body, at, cut } = &mut self.way else { return };
        let (body, cut) = (body.take(out.budget), *cut);
        if let (Some(offset), false) = (at.take(), cut) {
            self.messages(Place { from, offset, depth: 1, bare: false }, &body, Uplink::Request, out);
        }
    }

    pub(super) fn lose(&mut self, budget: &mut Budget) {
        match &mut self.way {
            Way::Frames | Way::Messages => {}
            Way::Answer { reader, counted, lost } => {
                **reader = Reader::new(Transport::Xhr, 0);
                budget.reserve(counted, 0);
                *lost = true;
            }
            Way::Request { body, cut, .. } => {
                body.clear(budget);
                *cut = true;
            }
        }
        self.within.lose(budget);
    }

    /// The frames that are whole now.
    fn answered(&mut self, place: Place, out: &mut Out) {
        loop {
            let Way::Answer { reader, counted, .. } = &mut self.way else { return };
            match reader.frame() {
                Ok(Some(frame)) => self.frame(place, &frame, out),
                Ok(None) => {
                    let now = reader.pending().len();
                    if !out.budget.reserve(counted, now) {
                        self.lose(out.budget);
                    }
                    return;
                }
                // How much a receiver takes is its own affair: nobody has done anything wrong.
                Err(_) if reader.pending().len() > out.limit => return self.lose(out.budget),
                Err(error) => {
                    // The offset counts from the start of the content: where that is has passed.
                    wrong(place, &Malformed { offset: Some(0), ..error }, out);
                    return self.lose(out.budget);
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
        if let (Spoken::Unclear, Some(first)) = (&self.within, texts.first()) {
            self.within = within(first.as_bytes());
        }
        let carries = !texts.is_empty() && !matches!(self.within, Spoken::Nothing | Spoken::Unclear);
        tell(place, kind, &quoted(all), bytes, (false, carries), out);
        if carries {
            for message in texts {
                self.within.message(place.above(), true, message.as_bytes(), out);
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
