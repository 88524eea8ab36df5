//! What is on the tape, in words: each connection's entries become lines, and its bytes a [`Conversation`].

mod words;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Cut, End, News, Sum,
    tape::{Entry, Pen},
};
use crate::analysis::conversation::{self, Conversation, Ending, Event, Options, Shared};
use crate::view::{Meaning, Tapped, Way, plural, thousands, time};
use words::{Words, size, words};

/// Tells.
pub(super) struct Teller {
    /// Only the end of each connection is told.
    quiet: bool,
    /// Nothing more is told, only counted.
    hushed: bool,
    hushed_lines: usize,
    connections: HashMap<u64, Connection>,
    /// What all conversations share: how much they hold together is bounded.
    shared: Shared,
    /// A reset may have thrown away what was on its way.
    any_reset: bool,
    /// What clients and servers sent, of the connections that are over.
    sums: [Sum; 2],
    left_out: u64,
}

/// A connection that is there.
struct Connection {
    client: SocketAddr,
    /// When it was accepted.
    began: Duration,
    pen: Arc<Pen>,
    conversation: Conversation,
    /// Reads and bytes of each end so far, told or left out.
    seen: [Sum; 2],
    left_out: Sum,
    /// The target did not answer.
    refused: bool,
    /// It was told that its bytes are not taken apart.
    opaque: bool,
}

impl Teller {
    pub fn new(quiet: bool) -> Teller {
        Teller {
            quiet,
            hushed: false,
            hushed_lines: 0,
            connections: HashMap::new(),
            shared: Shared::new(Options::default()),
            any_reset: false,
            sums: [Sum::default(); 2],
            left_out: 0,
        }
    }

    /// Nothing more is told, only counted.
    pub fn hush(&mut self) {
        self.hushed = true;
    }

    /// Takes the next entry, and adds the lines that tell it.
    pub fn take(&mut self, (number, at, news): &Entry, told: &mut Vec<Tapped>) {
        if let News::Accepted { client, local, pen } = news {
            let connection = Connection::new([*client, local.unwrap_or(*client)], *at, Arc::clone(pen));
            self.connections.insert(*number, connection);
        }
        let Some(connection) = self.connections.get_mut(number) else { return };
        let since = at.saturating_sub(connection.began);
        let mut page = Page { number: *number, since, all: Vec::new() };
        if let (News::Gone { cut, sums }, false) = (news, self.quiet) {
            connection.missing(*sums, &mut self.shared, &mut page);
            connection.converse(&mut self.shared, &mut page, |conversation, shared, teller| {
                conversation.end(Ending::Open, sums.map(|sum| sum.bytes), shared, teller);
            });
            page.gone(connection, cut.as_ref(), sums);
        } else if self.quiet {
            connection.quietly(news, &mut page);
        } else {
            connection.take(news, &mut self.shared, &mut page);
        }
        if self.hushed {
            self.hushed_lines += page.all.len();
        } else {
            told.append(&mut page.all);
        }
        if let News::Gone { cut, sums } = news {
            self.any_reset |= matches!(cut, Some(Cut::Reset(..)));
            for (sum, more) in self.sums.iter_mut().zip(sums) {
                sum.reads += more.reads;
                sum.bytes += more.bytes;
            }
            self.left_out += connection.left_out.bytes;
            self.connections.remove(number);
        }
    }

    /// What the connections that are over have carried.
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
        if self.hushed_lines > 0 {
            text += &format!(
                " {} that waited when the end was asked for were not told.",
                plural(self.hushed_lines, "line")
            );
        }
        text
    }
}

impl Connection {
    fn new(ends: [SocketAddr; 2], began: Duration, pen: Arc<Pen>) -> Connection {
        Connection {
            client: ends[0],
            began,
            pen,
            conversation: Conversation::new(ends, 0, true),
            seen: [Sum::default(); 2],
            left_out: Sum::default(),
            refused: false,
            opaque: false,
        }
    }

    fn take(&mut self, news: &News, shared: &mut Shared, page: &mut Page) {
        match news {
            News::Accepted { client, local, .. } => {
                let at = local.map_or_else(String::new, |local| format!(" at {local}"));
                page.line(
                    Way::Neither,
                    words([("connected", Meaning::Strong)]).and(format!(": {client} called{at}")),
                );
            }
            News::Connected { target, local, time: took } => {
                let from = local.map_or_else(String::new, |local| format!(" from {local}"));
                let text = format!("the server {target} was called{from}: connect took {}", in_short(*took));
                page.line(Way::Neither, words([(&text, Meaning::Prose)]));
            }
            News::NotConnected { .. } => self.not_connected(news, page),
            News::Read { from, number, offset, length, bytes } => {
                let before = Sum { reads: *number, bytes: *offset };
                self.missing_of(*from, before, shared, page);
                self.read(*from, *offset, *length, bytes, shared, page);
            }
            News::Waited { from, time } => {
                let text = format!(
                    "the {} took nothing for {}: so long nothing more was read from the {}",
                    from.other().name(),
                    in_short(*time),
                    from.name()
                );
                page.line(Way::Neither, words([(&text, Meaning::Quiet)]));
            }
            News::Ended { from } => {
                let text = format!(
                    ": the {} has shut down its sending half (FIN), and the {} is told so by a shutdown",
                    from.name(),
                    from.other().name()
                );
                page.line(way(*from), words([("end of the stream", Meaning::Strong)]).and(text));
            }
            News::Gone { .. } => {}
        }
    }

    /// Of a connection only the end is told, and whatever goes wrong.
    fn quietly(&mut self, news: &News, page: &mut Page) {
        match news {
            News::NotConnected { .. } => self.not_connected(news, page),
            News::Gone { cut, sums } => {
                let lasted = in_short(page.since);
                let [up, down] = sums;
                page.gone(self, cut.as_ref(), sums);
                let Some(last) = page.all.last_mut() else { return };
                last.text = words([(ending(self, cut.as_ref()), meaning_of(cut.as_ref()))])
                    .and(format!(
                        ": {} after {lasted}; {} to the server, {} back",
                        self.client,
                        counted(up),
                        counted(down)
                    ))
                    .0;
                if let Some(Cut::Reset(end, errno)) = cut {
                    last.text.push((format!("; {errno} at the {}", end.name()), Meaning::Prose));
                }
                last.aside.clear();
            }
            _ => {}
        }
    }

    fn not_connected(&mut self, news: &News, page: &mut Page) {
        let News::NotConnected { target, errno, words: said, time } = news else { return };
        self.refused = true;
        let text = format!(": the server {target} can't be reached: {said}, after {}", in_short(*time));
        page.line(Way::Wrong, words([(errno, Meaning::Error)]).and(text));
        let advice = match errno.as_str() {
            "ECONNREFUSED" => {
                let (host, port) = (target.ip(), target.port());
                format!(
                    "Nothing listens there: start the server, or check the port (ss -tln 'sport = :{port}'; nc -v {host} {port}). The client gets a RST."
                )
            }
            "ConnectionAborted" | "ECONNABORTED" => "The client gave up first.".to_owned(),
            _ => {
                "The client gets a RST. Whether the server can be reached at all: sockwalk connect says more."
                    .to_owned()
            }
        };
        page.line(Way::Neither, words([(&advice, Meaning::Emphasis)]));
    }

    fn read(
        &mut self,
        from: End,
        offset: u64,
        length: usize,
        kept: &[u8],
        shared: &mut Shared,
        page: &mut Page,
    ) {
        let sum = &mut self.seen[from.index()];
        sum.reads += 1;
        sum.bytes += length as u64;
        let mut said = page.beneath();
        let side = from.index();
        self.converse(shared, &mut said, |conversation, shared, teller| {
            conversation.take(side, offset, kept, shared, teller);
            let rest = (length - kept.len()) as u64;
            if rest > 0 {
                conversation.missing(side, rest, shared, teller);
            }
        });
        let other = self.conversation.is_other();
        let text = words([(&plural(length, "byte"), Meaning::State)]);
        let shown = if other || said.all.is_empty() { Some(kept) } else { None };
        page.read(way(from), text, shown);
        said.all.iter_mut().for_each(|line| line.aside.clear());
        page.all.append(&mut said.all);
        if other && !std::mem::replace(&mut self.opaque, true) {
            [End::Client, End::Server].into_iter().for_each(|end| self.pen.glimpses(end));
            let text = "the bytes are not taken apart from here on: no protocol that is known here";
            page.line(Way::Neither, words([(text, Meaning::Quiet)]));
        }
    }

    /// Lets the conversation take something, and tells what it makes of it.
    fn converse(
        &mut self,
        shared: &mut Shared,
        page: &mut Page,
        take: impl FnOnce(&mut Conversation, &mut Shared, &mut conversation::Teller),
    ) {
        let stream = page.number;
        let mut tell = |event: &Event| words::event(page, &event.what);
        let mut teller = conversation::Teller { time: None, packet: 0, stream, tell: &mut tell };
        // Who is the client is known here, and never guessed.
        self.conversation.opened(&mut teller);
        take(&mut self.conversation, shared, &mut teller);
    }

    /// What came before this read and was never on the tape.
    fn missing_of(&mut self, from: End, before: Sum, shared: &mut Shared, page: &mut Page) {
        let seen = &mut self.seen[from.index()];
        let reads = before.reads.saturating_sub(seen.reads);
        let gap = before.bytes.saturating_sub(seen.bytes);
        if reads == 0 && gap == 0 {
            return;
        }
        *seen = before;
        self.left_out.reads += reads;
        self.left_out.bytes += gap;
        let text = format!(
            "{} with {} left out here: they were passed on faster than they could be told",
            plural(usize::try_from(reads).unwrap_or(usize::MAX), "read"),
            size(gap)
        );
        page.line(way(from), words([(&text, Meaning::NotSeen)]));
        let (side, lost) = (from.index(), self.conversation.is_lost(from.index()));
        if gap > 0 {
            self.converse(shared, page, |conversation, shared, teller| {
                conversation.missing(side, gap, shared, teller);
            });
        }
        if !lost && self.conversation.is_lost(side) {
            let text = format!(
                "the {}'s stream can't be followed from here on: the bytes that are missing would say where the next part begins",
                from.name()
            );
            page.line(way(from), words([(&text, Meaning::NotSeen)]));
        }
    }

    /// What was left out at the very end.
    fn missing(&mut self, sums: [Sum; 2], shared: &mut Shared, page: &mut Page) {
        for from in [End::Client, End::Server] {
            self.missing_of(from, sums[from.index()], shared, page);
        }
    }
}

/// The lines of an entry.
pub(super) struct Page {
    number: u64,
    /// Since the connection was accepted.
    since: Duration,
    all: Vec<Tapped>,
}

impl Page {
    /// A page for the lines beneath one of this.
    fn beneath(&self) -> Page {
        Page { number: self.number, since: self.since, all: Vec::new() }
    }

    /// A line.
    fn line(&mut self, way: Way, text: Words) {
        self.read(way, text, None);
    }

    /// A line with bytes behind it. The time stands beside the first.
    fn read(&mut self, way: Way, text: Words, bytes: Option<&[u8]>) {
        let aside = if self.all.is_empty() { in_short(self.since) } else { String::new() };
        // No screen has more columns.
        let bytes = bytes.map(|bytes| bytes[..bytes.len().min(256)].to_vec());
        self.all.push(Tapped { number: self.number, way, text: text.0, bytes, aside });
    }

    fn gone(&mut self, connection: &Connection, cut: Option<&Cut>, sums: &[Sum; 2]) {
        let [up, down] = sums;
        let how = match cut {
            None => ": both streams have ended, both connections are closed".to_owned(),
            Some(Cut::Reset(..)) if connection.refused => ": the client is reset".to_owned(),
            Some(Cut::Reset(end, errno)) => {
                format!(": {errno} at the {}; the {} is reset as well", end.name(), end.other().name())
            }
            Some(Cut::Stopped) => ": the tap ends".to_owned(),
        };
        let text = format!("{how}; {} to the server, {} back", counted(up), counted(down));
        let way = if matches!(cut, Some(Cut::Reset(..))) { Way::Wrong } else { Way::Neither };
        self.line(way, words([(ending(connection, cut), meaning_of(cut))]).and(text));
    }
}

/// Which way what this end sends goes.
fn way(from: End) -> Way {
    match from {
        End::Client => Way::ToServer,
        End::Server => Way::ToClient,
    }
}

/// How it ended, in a word or two.
fn ending(connection: &Connection, cut: Option<&Cut>) -> &'static str {
    match cut {
        None => "closed in order",
        Some(Cut::Reset(..)) if connection.refused => "not connected",
        Some(Cut::Reset(..)) => "broken off",
        Some(Cut::Stopped) => "ended with the tap",
    }
}

fn meaning_of(cut: Option<&Cut>) -> Meaning {
    if matches!(cut, Some(Cut::Reset(..))) { Meaning::Fails } else { Meaning::Strong }
}

/// `1,234 bytes in 5 reads`
fn counted(sum: &Sum) -> String {
    let reads = plural(usize::try_from(sum.reads).unwrap_or(usize::MAX), "read");
    format!("{} in {reads}", size(sum.bytes))
}

fn in_short(it: Duration) -> String {
    time(u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}
