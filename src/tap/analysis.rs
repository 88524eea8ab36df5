//! Makes events of what the connections of a tap did: what the queue has, and what the bytes mean.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use super::News;
use super::queue::Entry;
use crate::analysis::conversation::{Conversation, Options, Shared, Teller};
use crate::event::{
    Close, ConnectionEvent, ConnectionWhat, Event, Host, StreamEvent, StreamWhat, Sum, What, stream::Ending,
};
use crate::view::{size, thousands};

/// Analyses all connections.
pub(super) struct Analysis {
    connections: HashMap<u64, Connection>,
    /// What all conversations share: how much they hold together is bounded.
    shared: Shared,
    /// Nothing is analysed: only how connections come and go is wanted.
    quiet: bool,
    /// A reset may have thrown away what was on its way.
    any_reset: bool,
    /// What clients and servers sent on the connections that are over.
    sums: [Sum; 2],
    left_out: u64,
}

/// A connection that is open.
struct Connection {
    conversation: Conversation,
    /// Reads and bytes of each end so far, analysed or left out.
    seen: [Sum; 2],
    left_out: u64,
    /// It was told that its bytes are not analysed.
    unknown: bool,
}

/// Where the events of one entry go.
struct Out<'a> {
    stream: u64,
    at: u64,
    events: &'a mut Vec<Event>,
}

impl Analysis {
    pub fn new(quiet: bool) -> Analysis {
        Analysis {
            connections: HashMap::new(),
            shared: Shared::new(Options::default()),
            quiet,
            any_reset: false,
            sums: [Sum::default(); 2],
            left_out: 0,
        }
    }

    /// Takes the next entry, and adds its events.
    pub fn take(&mut self, (number, at, news): Entry, events: &mut Vec<Event>) {
        let mut out = Out { stream: number, at: micros(at), events };
        if let News::Accepted { client, local } = news {
            out.connection(ConnectionWhat::Accepted { client, local });
            self.connections.insert(number, Connection::new([client, local.unwrap_or(client)]));
            return;
        }
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match news {
            News::Accepted { .. } => {}
            News::Connected { target, local, time } => {
                out.connection(ConnectionWhat::Connected { target, local, took: micros(time) });
            }
            News::NotConnected { target, errno, words, time } => {
                out.connection(ConnectionWhat::NotConnected { target, errno, words, took: micros(time) });
            }
            News::Read { from, number, offset, length, bytes } => {
                connection.left_out(from, Sum { reads: number, bytes: offset }, &mut self.shared, &mut out);
                connection.read(from, length as u64, bytes, &mut self.shared, &mut out);
            }
            News::Waited { from, time } => {
                out.connection(ConnectionWhat::Stalled { from, took: micros(time) });
            }
            News::Ended { from } => out.connection(ConnectionWhat::ShutDown { from }),
            News::Gone { how, sums } => {
                if !self.quiet {
                    connection.end(sums, &mut self.shared, &mut out);
                }
                self.any_reset |= matches!(how, Close::Reset { .. });
                for (sum, more) in self.sums.iter_mut().zip(sums) {
                    sum.reads += more.reads;
                    sum.bytes += more.bytes;
                }
                self.left_out += connection.left_out;
                let [client, server] = sums;
                out.connection(ConnectionWhat::Closed { how, client, server });
                self.connections.remove(&number);
            }
        }
    }

    /// What the connections that are over carried.
    pub fn summary(&self) -> String {
        let [client, server] = &self.sums;
        let but = if self.any_reset { ", but what a reset threw away" } else { "" };
        let mut text = format!(
            "Clients sent {}, servers {}: all was passed on{but}.",
            size(client.bytes),
            size(server.bytes)
        );
        if self.left_out > 0 {
            text += &format!(
                " The narration left {} bytes out, as they came faster than they could be told.",
                thousands(self.left_out)
            );
        }
        text
    }
}

impl Connection {
    fn new(ends: [SocketAddr; 2]) -> Connection {
        Connection {
            conversation: Conversation::new(ends, 0, true),
            seen: [Sum::default(); 2],
            left_out: 0,
            unknown: false,
        }
    }

    /// A read of `length` bytes, of which these were kept.
    fn read(&mut self, from: Host, length: u64, bytes: Vec<u8>, shared: &mut Shared, out: &mut Out) {
        let side = from.index();
        let offset = self.seen[side].bytes;
        let read = self.seen[side].reads + 1;
        self.seen[side] = Sum { reads: read, bytes: offset + length };
        let place = out.events.len();
        self.converse(shared, out, |conversation, shared, teller| {
            conversation.take(side, offset, &bytes, shared, teller);
            let rest = length.saturating_sub(bytes.len() as u64);
            if rest > 0 {
                conversation.missing(side, rest, shared, teller);
            }
        });
        let unknown = self.conversation.is_other();
        let understood = !unknown && out.events.len() > place;
        let what = ConnectionWhat::Read { from, read, offset, length, understood, bytes: bytes.into() };
        // The read stands before what it means.
        out.events.insert(place, out.event(what));
        if unknown && !std::mem::replace(&mut self.unknown, true) {
            out.connection(ConnectionWhat::Unknown);
        }
    }

    /// Lets the conversation take something, and tells what it makes of it.
    fn converse(
        &mut self,
        shared: &mut Shared,
        out: &mut Out,
        take: impl FnOnce(&mut Conversation, &mut Shared, &mut Teller),
    ) {
        let (stream, at) = (out.stream, out.at);
        let mut tell = |event: &StreamEvent| {
            // Bytes stand with the read that brought them; how connections come and go is told by the tap
            // itself.
            let told_otherwise = matches!(
                event.what,
                StreamWhat::Bytes(_)
                    | StreamWhat::Data(_)
                    | StreamWhat::Opened(_)
                    | StreamWhat::Missing(_)
                    | StreamWhat::Ended(_)
            );
            if !told_otherwise {
                out.events.push(Event { at, what: What::Stream(Box::new(event.to_static())) });
            }
        };
        let mut teller = Teller { time: None, packet: None, stream, tell: &mut tell };
        // Which end is the client is known here, and never guessed.
        self.conversation.opened(&mut teller);
        take(&mut self.conversation, shared, &mut teller);
    }

    /// What was read before this place in the stream, and was never in the queue.
    fn left_out(&mut self, from: Host, before: Sum, shared: &mut Shared, out: &mut Out) {
        let side = from.index();
        let seen = &mut self.seen[side];
        let reads = before.reads.saturating_sub(seen.reads);
        let bytes = before.bytes.saturating_sub(seen.bytes);
        if reads == 0 && bytes == 0 {
            return;
        }
        *seen = before;
        self.left_out += bytes;
        let place = out.events.len();
        let lost = self.conversation.is_lost(side);
        if bytes > 0 {
            self.converse(shared, out, |conversation, shared, teller| {
                conversation.missing(side, bytes, shared, teller);
            });
        }
        let lost = !lost && self.conversation.is_lost(side);
        out.events.insert(place, out.event(ConnectionWhat::LeftOut { from, reads, bytes, lost }));
    }

    /// Both streams are over: what was left out at their ends, and what is unfinished.
    fn end(&mut self, sums: [Sum; 2], shared: &mut Shared, out: &mut Out) {
        for from in Host::ALL {
            self.left_out(from, sums[from.index()], shared, out);
        }
        self.converse(shared, out, |conversation, shared, teller| {
            conversation.end(Ending::Open, sums.map(|sum| sum.bytes), shared, teller);
        });
    }
}

impl Out<'_> {
    fn event(&self, what: ConnectionWhat) -> Event {
        let what = ConnectionEvent { stream: self.stream, layer: "".into(), what };
        Event { at: self.at, what: What::Connection(what) }
    }

    fn connection(&mut self, what: ConnectionWhat) {
        let event = self.event(what);
        self.events.push(event);
    }
}

/// Microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
