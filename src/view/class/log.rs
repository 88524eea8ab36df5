//! What happens in a class, as it happens: a line or two for each thing, under the name of its connection.
//!
//! A call is told when it has returned, and by what it was for: the calls within `ws recv` are told as the
//! message that they brought. Of a connection little is kept, and nothing once it has gone.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use super::connection::Connection;
use super::entry::{Entry, Layout, Mark};
use super::{message, number_of, payload, word};
use crate::event::{Blocked, Call, Ending, Message, Peer, Phase, Return, Socket, Value, What};
use crate::view::call::address;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::units::{bytes, plural, thousands, time};

/// Whose an event is.
#[derive(Debug)]
pub(in crate::view) enum Told {
    /// It is not of the class, or of the connection that is followed: the story tells it.
    InTheStory,
    /// It is of the class, and these lines tell it; perhaps none.
    InTheLog(Vec<Line>),
    /// The connection that is followed was accepted: the story tells this call and its return.
    Accepted(Box<Call>),
}

/// The log.
#[derive(Debug)]
pub(in crate::view) struct Log {
    layout: Layout,
    /// The one connection that is told in full; nothing is told of the others.
    following: Option<String>,
    /// True once there is a class: somebody is waited for, or there.
    begun: bool,
    connections: HashMap<String, Connection>,
    /// Calls that have not returned.
    calls: HashMap<u64, Pending>,
}

/// A call that has not returned.
#[derive(Debug)]
struct Pending {
    /// The connection that it is of.
    name: String,
    doing: Doing,
    /// The call's name.
    call: Cow<'static, str>,
    /// True if the kernel itself is asked.
    asked: bool,
    /// True if it is a piece of another.
    within: bool,
}

/// What a call is for.
#[derive(Debug)]
enum Doing {
    /// Somebody is let in; the call itself, if it may have to be told in the story.
    Accept(Option<Box<Call>>),
    /// Bytes are received.
    Recv,
    /// Bytes are sent: what kind of frame, as far as the call says.
    Send(Option<&'static str>),
    /// The opening handshake is answered.
    Answer,
    /// A message is received.
    Receive,
    /// Anything else.
    Other,
}

impl Log {
    /// A log in which nothing has happened.
    pub(in crate::view) fn new(look: Look, following: Option<String>) -> Self {
        Log {
            layout: Layout::new(look),
            following,
            begun: false,
            connections: HashMap::new(),
            calls: HashMap::new(),
        }
    }

    /// The connection that is told in full.
    pub(in crate::view) fn following(&self) -> Option<&str> {
        self.following.as_deref()
    }

    /// True once there is a class.
    pub(in crate::view) fn has_begun(&self) -> bool {
        self.begun
    }

    /// True if that is the name of a connection of the class, whether it is there or has gone.
    pub(in crate::view) fn is_connection(&self, name: &str) -> bool {
        self.connections.contains_key(name) || (self.begun && number_of(name).is_some())
    }

    /// Takes the next event. `due` is true while the story waits for the call of a step: that is no call of
    /// the class.
    pub(in crate::view) fn take(&mut self, what: &What, due: bool) -> Told {
        match what {
            What::Peer(peer) => self.peer(peer),
            What::Call(call) => self.call(call, due),
            What::Blocked(blocked) => self.blocked(blocked),
            What::Return(back) => self.back(back),
            What::Socket(socket) => self.socket(socket),
            What::Message(it) => self.of(&it.socket, |layout, connection| told(layout, connection, it)),
            What::Upgrade(it) => self.of(it.socket.as_deref().unwrap_or_default(), |layout, connection| {
                let handshake = connection.handshake.get_or_insert_default();
                handshake.judged(it);
                handshake.request(layout).into_iter().collect()
            }),
            What::Working(it) => self.of(it.socket.as_deref().unwrap_or_default(), |_, _| Vec::new()),
            _ => Told::InTheStory,
        }
    }

    /// What is told of a connection, unless it is told elsewhere or not at all.
    fn of(&mut self, name: &str, tell: impl FnOnce(&Layout, &mut Connection) -> Vec<Entry>) -> Told {
        match &self.following {
            _ if !self.is_connection(name) => return Told::InTheStory,
            Some(followed) if followed == name => return Told::InTheStory,
            Some(_) => return Told::InTheLog(Vec::new()),
            None => {}
        }
        let mut gone = Connection::default();
        let connection = self.connections.get_mut(name).unwrap_or(&mut gone);
        let entries = tell(&self.layout, connection);
        self.write(name, entries)
    }

    fn write(&mut self, name: &str, entries: Vec<Entry>) -> Told {
        Told::InTheLog(entries.into_iter().flat_map(|entry| self.layout.lines(name, entry)).collect())
    }

    fn call(&mut self, call: &Call, due: bool) -> Told {
        let within = call.parent.and_then(|id| self.calls.get(&id)).map(|parent| parent.name.clone());
        let own = || call.socket.clone().filter(|name| self.is_connection(name));
        let Some(name) = within.clone().or_else(own) else {
            if call.call != "accept" || call.parent.is_some() || due {
                return Told::InTheStory;
            }
            self.begun = true;
            let whole = self.following.is_some().then(|| Box::new(call.clone()));
            let name = call.socket.clone().unwrap_or_default();
            self.calls.insert(call.id, Pending::new(name, Doing::Accept(whole), call, false));
            return Told::InTheLog(Vec::new());
        };
        if self.following.as_ref() == Some(&name) {
            return Told::InTheStory;
        }
        let doing = Doing::of(call);
        let mut entries = Vec::new();
        if let Some(connection) = self.connections.get_mut(&name) {
            connection.calls.push(call.id);
            if within.is_none() {
                (connection.told_error, connection.answer) = (false, None);
                if let Doing::Answer = doing {
                    connection.handshake = Some(Box::default());
                }
            } else if let (Doing::Send(_), Some(handshake)) = (&doing, &mut connection.handshake) {
                entries.extend(handshake.request(&self.layout));
            }
        }
        self.calls.insert(call.id, Pending::new(name.clone(), doing, call, within.is_some()));
        if self.following.is_some() {
            return Told::InTheLog(Vec::new());
        }
        self.write(&name, entries)
    }

    /// That a server waits for the next one is not news each time.
    fn blocked(&mut self, blocked: &Blocked) -> Told {
        let Some(pending) = self.calls.get(&blocked.call) else { return Told::InTheStory };
        if !matches!(pending.doing, Doing::Accept(_)) || !self.connections.is_empty() {
            return Told::InTheLog(Vec::new());
        }
        let name = pending.name.clone();
        let text = format!("accept waits for {}", blocked.waits_for);
        let text = self.layout.look().line(text, Meaning::Prose);
        self.write(&name, vec![Entry::new(Mark::Neither, text)])
    }

    fn back(&mut self, back: &Return) -> Told {
        let Some(pending) = self.calls.remove(&back.call) else { return Told::InTheStory };
        if let Doing::Accept(call) = pending.doing {
            return self.accepted(&pending.name, call, back);
        }
        let mut gone = Connection::default();
        let connection = self.connections.get_mut(&pending.name).unwrap_or(&mut gone);
        connection.calls.retain(|id| *id != back.call);
        if self.following.is_some() {
            return Told::InTheLog(Vec::new());
        }
        let entries = returned(&self.layout, connection, &pending, back);
        self.write(&pending.name, entries)
    }

    fn accepted(&mut self, listener: &str, call: Option<Box<Call>>, back: &Return) -> Told {
        let Some(Value::Socket { name, fd, .. }) = &back.ok else {
            let error = error(&self.layout, "accept", true, back);
            return self.write(listener, vec![error]);
        };
        self.connections.insert(name.clone(), Connection { fd: Some(*fd), ..Connection::default() });
        match call.filter(|_| self.following.as_ref() == Some(name)) {
            Some(call) => Told::Accepted(call),
            None => Told::InTheLog(Vec::new()),
        }
    }

    fn peer(&mut self, peer: &Peer) -> Told {
        self.begun = true;
        let look = *self.layout.look();
        let mut entries = Vec::new();
        match peer.phase {
            Phase::Connected => {
                let connection = self.connections.entry(peer.name.clone()).or_default();
                let text = format!("connected from {}", address(&peer.address));
                let entry = Entry::new(Mark::Neither, look.line(text, Meaning::Prose));
                entries.push(match connection.fd.take() {
                    Some(fd) if look.linear() => {
                        entry.with_aside(look.span(format!("descriptor {fd}"), Meaning::Quiet))
                    }
                    Some(fd) => entry.with_aside(look.span(format!("fd {fd}"), Meaning::Quiet)),
                    None => entry,
                });
            }
            Phase::Open => self.connections.entry(peer.name.clone()).or_default().open = true,
            Phase::Gone => {
                let mut connection = self.connections.remove(&peer.name).unwrap_or_default();
                connection.calls.iter().for_each(|id| {
                    self.calls.remove(id);
                });
                if let Some(handshake) = &mut connection.handshake {
                    entries.extend(handshake.request(&self.layout));
                }
                entries.extend(connection.sending.take().map(|mut line| {
                    line.push(look.span(": it is not known whether all of it was sent", Meaning::Quiet));
                    Entry::new(Mark::Neither, line)
                }));
                entries.push(gone(&self.layout, peer, &connection));
            }
        }
        if self.following.as_ref().is_some_and(|followed| *followed != peer.name) {
            return Told::InTheLog(Vec::new());
        }
        self.write(&peer.name, entries)
    }

    /// The kernel's word on the socket of a connection, or on its other end: the log has no table.
    fn socket(&self, socket: &Socket) -> Told {
        let other_end = socket.name.strip_prefix('~').and_then(|rest| rest.split_once('.'));
        let name = other_end.map_or(socket.name.as_str(), |(_, name)| name);
        match &self.following {
            Some(followed) if followed == name => Told::InTheStory,
            _ if self.is_connection(name) => Told::InTheLog(Vec::new()),
            _ => Told::InTheStory,
        }
    }
}

impl Pending {
    fn new(name: String, doing: Doing, call: &Call, within: bool) -> Self {
        let asked = !call.asked.is_empty();
        let call = match call.call.as_str() {
            "recv" => Cow::Borrowed("recv"),
            "send" => Cow::Borrowed("send"),
            "ws recv" => Cow::Borrowed("ws recv"),
            "ws send" => Cow::Borrowed("ws send"),
            other => Cow::Owned(payload::cut(other.as_bytes(), 20)),
        };
        Pending { name, doing, call, asked, within }
    }
}

impl Doing {
    fn of(call: &Call) -> Doing {
        match call.call.as_str() {
            "recv" => Doing::Recv,
            "send" => Doing::Send(frame_of(call)),
            "ws answer" => Doing::Answer,
            "ws recv" => Doing::Receive,
            _ => Doing::Other,
        }
    }
}

/// The kind of a whole control frame of a server, by its first byte: the call is told with its bytes in
/// quotation marks.
fn frame_of(call: &Call) -> Option<&'static str> {
    let bytes = &call.args.iter().find(|arg| arg.name == "bytes")?.value;
    [("\"\\x88", "close"), ("\"\\x89", "ping"), ("\"\\x8a", "pong")]
        .into_iter()
        .find(|(first, _)| bytes.starts_with(first))
        .map(|(_, kind)| kind)
}

/// What a call of a connection came to, as far as it is told.
fn returned(layout: &Layout, connection: &mut Connection, pending: &Pending, back: &Return) -> Vec<Entry> {
    let failed = back.ok.is_none() && (back.errno.is_some() || back.deadline);
    let mut entries = Vec::new();
    match (&pending.doing, &back.ok) {
        (Doing::Recv, Some(Value::Data(data))) => received(layout, connection, pending, data, &mut entries),
        (Doing::Send(kind), Some(Value::Count(n))) => match &mut connection.handshake {
            Some(handshake) if pending.within => handshake.sent = handshake.sent.saturating_add(*n),
            _ if pending.within => {
                let (kind, before) = connection.answer.unwrap_or((*kind, 0));
                connection.answer = Some((kind, before.saturating_add(*n)));
            }
            _ => entries.push(Entry::new(Mark::Sent, layout.look().line(bytes(*n), Meaning::Prose))),
        },
        (Doing::Answer, ok) => {
            if let Some(mut handshake) = connection.handshake.take() {
                entries.extend(handshake.request(layout));
                if let Some(Value::Number(status)) = ok {
                    entries.extend(handshake.answered(layout, *status));
                    // Whoever is not let in is shown the door.
                    connection.closing |= *status != 101;
                    connection.explained |= *status != 101;
                }
            }
        }
        (Doing::Receive, _) => entries.extend(answered(layout, connection)),
        _ => {}
    }
    // A message under way is sent when the call for it has returned, not when a piece of it has.
    if !pending.within
        && let Some(mut line) = connection.sending.take()
    {
        if failed {
            line.push(layout.look().span(": not sent in full", Meaning::Fails));
        }
        entries.push(Entry::new(if failed { Mark::Wrong } else { Mark::Sent }, line));
    }
    if failed && !connection.told_error {
        (connection.told_error, connection.explained) = (true, true);
        // What came before it is told before it.
        if let Some(handshake) = &mut connection.handshake {
            entries.extend(handshake.request(layout));
        }
        entries.push(error(layout, &pending.call, pending.asked, back));
    }
    entries
}

/// A recv brought this: a piece of the opening request, of a message, or what it is.
fn received(
    layout: &Layout,
    connection: &mut Connection,
    pending: &Pending,
    data: &[u8],
    entries: &mut Vec<Entry>,
) {
    let look = layout.look();
    if data.is_empty() {
        if let Some(handshake) = &mut connection.handshake {
            entries.extend(handshake.request(layout));
        }
        if !std::mem::replace(&mut connection.closing, true) {
            let linear =
                if look.linear() { "the end of the stream: recv gave 0" } else { "end of stream (recv = 0)" };
            entries.push(Entry::new(Mark::Received, look.line(linear, Meaning::State)));
        }
        return;
    }
    match &mut connection.handshake {
        Some(handshake) if pending.within => handshake.came(data),
        _ if pending.within => connection.raw.came(data),
        _ => {
            let size = bytes(data.len());
            let shown = payload::shown(data, layout.room().saturating_sub(size.len() + 1).max(8));
            let text = look.spans([(&size, Meaning::Prose), (" ", Meaning::Plain), (&shown, Meaning::Bytes)]);
            entries.push(Entry::new(Mark::Received, text));
        }
    }
}

/// What went out while a message was received: the Pong to a Ping, the Close to a Close.
fn answered(layout: &Layout, connection: &mut Connection) -> Option<Entry> {
    let (kind, n) = connection.answer.take()?;
    connection.closing |= kind == Some("close");
    let look = layout.look();
    let text = match kind {
        Some(kind) => {
            look.spans([(kind, Meaning::Strong), (&format!(", {} on the wire", bytes(n)), Meaning::Quiet)])
        }
        None => look.line(bytes(n), Meaning::Prose),
    };
    Some(Entry::new(Mark::Sent, text))
}

/// A message, or a broken rule.
fn told(layout: &Layout, connection: &mut Connection, it: &Message) -> Vec<Entry> {
    connection.closing |= matches!(it.kind.as_str(), "close" | "violation");
    if it.kind == "violation" {
        let answered = !connection.told_error;
        // The Close that answers it is told with it.
        (connection.told_error, connection.explained, connection.answer) = (true, true, None);
        connection.raw.clear();
        return message::violation(layout, it, answered);
    }
    if it.received {
        let entry = message::entry(layout, it, connection.raw.frame_of(it));
        connection.raw.clear();
        return vec![entry];
    }
    connection.answer = None;
    let entry = message::entry(layout, it, None);
    if connection.calls.is_empty() {
        return vec![entry];
    }
    let before = connection.sending.replace(entry.text);
    before.map(|line| Entry::new(Mark::Sent, line)).into_iter().collect()
}

/// `recv = -1 ECONNRESET (Connection reset by peer)`
fn error(layout: &Layout, call: &str, asked: bool, back: &Return) -> Entry {
    let look = layout.look();
    if back.deadline || back.errno.is_none() {
        let text = format!("{call} was ended from outside after {}", time(back.ns));
        return Entry::new(Mark::Neither, look.line(text, Meaning::Quiet));
    }
    let errno = back.errno.as_deref().unwrap_or_default();
    let words = back.error.as_deref().unwrap_or_default();
    if look.linear() {
        return Entry::new(
            Mark::Wrong,
            look.line(format!("{call} fails with {errno}: {words}"), Meaning::Error),
        );
    }
    let gives = if asked { " = -1 " } else { ": " };
    let text = look.spans([
        (call, Meaning::Call),
        (gives, Meaning::Plain),
        (&format!("{errno} ({words})"), Meaning::Error),
    ]);
    Entry::new(Mark::Wrong, text)
}

/// `gone: closed in order; 34 bytes in, 33 out; 2 messages in, 2 out`
fn gone(layout: &Layout, peer: &Peer, connection: &Connection) -> Entry {
    // What has been told in full is not told twice.
    let told = connection.explained
        && matches!(peer.end, Some(Ending::Reset | Ending::Refused | Ending::Page | Ending::Violation));
    let why = if told || peer.detail.is_empty() { in_words(peer.end) } else { &peer.detail };
    let mut sum = format!("; {} in, {} out", plural_of(peer.received, "byte"), thousands(peer.sent));
    if connection.open || peer.messages_received > 0 || peer.messages_sent > 0 {
        let messages = plural_of(peer.messages_received, "message");
        sum += &format!("; {messages} in, {} out", thousands(peer.messages_sent));
    }
    let meaning = word(peer.end).1;
    let text = layout.look().spans([
        ("gone", Meaning::Strong),
        (": ", Meaning::Plain),
        (why, meaning),
        (&sum, Meaning::Quiet),
    ]);
    Entry::new(Mark::Neither, text)
}

fn in_words(end: Option<Ending>) -> &'static str {
    match end {
        Some(Ending::Closed) => "closed in order",
        Some(Ending::Reset) => "it broke",
        Some(Ending::Refused) => "the opening request was refused",
        Some(Ending::Page) => "it asked for a page",
        Some(Ending::Violation) => "it broke a rule",
        Some(Ending::Limit) => "a limit of this server was reached",
        Some(Ending::Stopped) => "this server ends",
        Some(Ending::Failed) => "something failed on this side",
        None => "it is over",
    }
}

fn plural_of(n: u64, of: &str) -> String {
    plural(usize::try_from(n).unwrap_or(usize::MAX), of)
}
