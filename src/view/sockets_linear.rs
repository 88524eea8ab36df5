//! What the kernel says now, in sentences: the table of the sockets for a screen reader.

use super::call::address;
use super::headings::Place;
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence};
use super::socket_table::{connection, port_is, queued, seconds, whose};
use super::sockets::{Pair, Sockets, Tracked, drops};
use super::units::{bytes, thousands};
use crate::event::{Host, Socket};

/// A few sentences for each socket that changed.
pub(super) fn tell(look: &Look, sockets: &Sockets, pairs: &[Pair], place: Place) -> Vec<Line> {
    let sides = pairs.iter().flat_map(|pair| Host::ALL.into_iter().filter_map(|host| pair.side(host)));
    let changed = sides.map(|at| sockets.at(at)).filter(|socket| socket.changed());
    changed.flat_map(|socket| sentence(look, story(socket, place), Meaning::State)).collect()
}

fn story(t: &Tracked, place: Place) -> String {
    let mut story = vec![who(t, place), state(t)];
    if let Some(before) = &t.was_called {
        story.insert(1, format!("Until now it was the socket {}, without a descriptor.", name(before)));
    }
    if t.now.exists {
        story.extend(addresses(t));
        story.extend(queued(t, place).map(|queue| format!("It waits {queue}.")));
        story.extend(waiting(t, place.linux));
        story.extend(amount("To read", t, |socket| socket.recv_queue));
        story.extend(thrown_away(t));
        story.extend(amount("Not acknowledged", t, |socket| socket.send_queue));
        story.extend(t.now.time_wait_ms.map(|ms| format!("It ends in {}econds.", seconds(ms))));
        story.extend(options(t));
        story.extend(
            connection(t).map(|text| format!("Its connection: {}.", text.replace("µs", "microseconds"))),
        );
    }
    story.retain(|sentence| !sentence.is_empty());
    story.join(" ")
}

/// `Server socket s, descriptor 3, tcp.`
fn who(t: &Tracked, place: Place) -> String {
    let now = &t.now;
    if place.live && t.nameless() {
        return format!("The other end, {}, {}.", whose(t), now.protocol);
    }
    let descriptor = now.fd.map_or_else(|| "no descriptor".into(), |fd| format!("descriptor {fd}"));
    let host = if t.is_new() { format!("New {}", now.host) } else { capital(now.host.name()) };
    format!("{host} socket {}, {descriptor}, {}.", name(&now.name), now.protocol)
}

/// `~client.c` as it is spoken.
fn name(name: &str) -> String {
    match name.strip_prefix('~').and_then(|rest| rest.split_once('.')) {
        Some((host, name)) => format!("for the {host}'s {name}"),
        None => name.to_owned(),
    }
}

fn state(t: &Tracked) -> String {
    let said = |state: &Option<String>| state.clone().unwrap_or_else(|| "not told by this system".into());
    let states: Vec<String> = t.states().iter().map(said).collect();
    match (t.now.exists, states.as_slice()) {
        (true, _) if !t.now.has_states() => String::new(),
        (false, _) if !t.now.has_states() => "It is gone.".into(),
        (false, []) => "It is gone.".into(),
        (false, [.., last]) => format!("State was {last}, now it is gone."),
        (true, [] | [_]) => format!("State is {}.", said(&t.now.state)),
        (true, [first, last]) => format!("State was {first}, is now {last}."),
        (true, [first, passed @ .., last]) => {
            format!("State was {first}, passed {}, is now {last}.", passed.join(", "))
        }
    }
}

fn addresses(t: &Tracked) -> Vec<String> {
    let both = [
        ("Local", t.before.as_ref().map(|was| was.local.as_deref()), t.now.local.as_deref()),
        ("Remote", t.before.as_ref().map(|was| was.peer.as_deref()), t.now.peer.as_deref()),
    ];
    let address = |text: &str| address(text).replace(" port ", &format!(" {} ", port_is(&t.now.protocol)));
    let told = |(which, was, is): (&str, Option<Option<&str>>, Option<&str>)| match (was, is) {
        (Some(was), is) if was == is => None,
        (None, None) => None,
        (None, Some(is)) => Some(format!("{which} address {}.", address(is))),
        (Some(was), is) => {
            let set = |text: Option<&str>| text.map_or_else(|| "not set".into(), address);
            Some(format!("{which} address was {}, is now {}.", set(was), set(is)))
        }
    };
    both.into_iter().filter_map(told).collect()
}

/// Datagrams that were thrown away since it was last told.
fn thrown_away(t: &Tracked) -> Option<String> {
    let (now, before) = (drops(&t.now), t.before.as_ref().map_or(0, drops));
    (now != before).then(|| format!("Datagrams thrown away here: {}, before that {before}.", thousands(now)))
}

fn waiting(t: &Tracked, linux: bool) -> Option<String> {
    let queue = |socket: &Socket| (socket.accept_queue, socket.accept_limit);
    let waiting = t.now.accept_queue.filter(|_| t.before.as_ref().map(queue) != Some(queue(&t.now)))?;
    let mut text = format!("Waiting for accept: {}", thousands(waiting));
    if let Some(before) = t.before.as_ref().and_then(|was| was.accept_queue).filter(|was| *was != waiting) {
        text += &format!(", before that {}", thousands(before));
    }
    if let Some(limit) = t.now.accept_limit {
        text += &format!(", limit {}", thousands(limit));
        if linux {
            text += &format!(", Linux admits {}", thousands(limit.saturating_add(1)));
        }
    }
    Some(text + ".")
}

fn amount(what: &str, t: &Tracked, of: fn(&Socket) -> Option<u64>) -> Option<String> {
    let is = of(&t.now).unwrap_or(0);
    let was = t.before.as_ref().and_then(of).unwrap_or(0);
    let is_now = bytes(usize::try_from(is).unwrap_or(usize::MAX));
    (is != was).then(|| format!("{what}: {is_now}, before that {}.", thousands(was)))
}

fn options(t: &Tracked) -> Option<String> {
    let before = t.before.as_ref().map_or(&[][..], |was| &was.options);
    let set = t.now.options.iter().filter(|option| !before.contains(option));
    let set = set.map(|option| format!("Option {} is now {}.", option.name, option.value));
    let unset = before.iter().filter(|was| !t.now.options.iter().any(|option| option.name == was.name));
    let unset = unset.map(|was| format!("Option {} is at its default again.", was.name));
    let told: Vec<String> = set.chain(unset).collect();
    (!told.is_empty()).then(|| told.join(" "))
}
