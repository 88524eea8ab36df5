//! What happens in a step, and which of it stands in one row.

use super::side_of;
use crate::event::{Host, Socket};
use crate::view::crossing::Crossing;
use crate::view::line::Meaning;

/// A state that was read later than this after the frame beside it has nothing to do with it, in nanoseconds.
const TOGETHER: u64 = 100_000_000;

/// Something that happens, and when, in nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// When.
    pub at: u64,
    /// What.
    pub thing: Thing,
}

/// What can happen.
#[derive(Debug, Clone)]
pub(super) enum Thing {
    /// A call is made; with a result it has returned at once.
    Call(Made),
    /// A call returns.
    Back(Made),
    /// A socket is in another state.
    State(State),
    /// A frame crosses, or tries to.
    Crossing(Crossing),
    /// So many frames are not shown one by one.
    More(Vec<Crossing>),
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Its id.
    pub id: u64,
    /// Who calls.
    pub host: Host,
    /// Its name.
    pub call: String,
    /// On which socket.
    pub socket: Option<String>,
    /// What it waits for; empty if it has only not come back.
    pub waits: Option<String>,
    /// What it gave.
    pub result: Option<(String, Meaning)>,
}

/// A socket and its state.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Whose.
    pub host: Host,
    /// The socket's name.
    pub name: String,
    /// What it was, if it was anything.
    pub was: Option<String>,
    /// What it is.
    pub state: String,
}

impl State {
    /// The thing that happened.
    pub fn thing(socket: &Socket, was: Option<String>, state: String) -> Thing {
        Thing::State(State { host: socket.host, name: socket.name.clone(), was, state })
    }
}

/// The items in the order of their times. A call that nothing came for before it returned is one with its
/// return.
pub(super) fn in_order(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_by_key(|item| item.at);
    let mut at = 0;
    while at < items.len() {
        if let Thing::Call(made) = &items[at].thing {
            let returned = items.iter().position(|item| is_return(item, made.id));
            let came = |item: &Item| !hands_over(&made.call) && arrives_at(item, made.host);
            match returned.filter(|back| *back > at) {
                Some(back) if made.waits.is_none() && !items[at..back].iter().any(came) => {
                    let result = match items.remove(back).thing {
                        Thing::Back(back) => back.result,
                        _ => None,
                    };
                    set(&mut items[at], |made| made.result = result);
                }
                Some(_) => {}
                None => set(&mut items[at], |made| {
                    made.waits.get_or_insert_default();
                }),
            }
        }
        at += 1;
    }
    items
}

fn set(item: &mut Item, change: impl FnOnce(&mut Made)) {
    if let Thing::Call(made) = &mut item.thing {
        change(made);
    }
}

/// True for a call that only hands something to the kernel: what comes meanwhile is not what it waits for.
fn hands_over(call: &str) -> bool {
    matches!(
        call,
        "send"
            | "sendto"
            | "send_prefixed"
            | "close"
            | "shutdown"
            | "ws request"
            | "ws frame"
            | "ws send"
            | "ws ping"
    )
}

fn is_return(item: &Item, id: u64) -> bool {
    matches!(&item.thing, Thing::Back(made) if made.id == id)
}

fn arrives_at(item: &Item, host: Host) -> bool {
    matches!(&item.thing, Thing::Crossing(frame) if frame.from != host && frame.has_arrived())
}

/// A row: what stands at the client's side, between, and at the server's.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// When it began, in nanoseconds.
    pub at: u64,
    /// What stands at the two sides.
    pub sides: [Option<Thing>; 2],
    /// What crosses.
    pub lane: Option<Thing>,
}

/// Puts into one row what belongs together: a call and the frame that it sends, a frame and what comes of it
/// at both ends.
pub(super) fn rows(items: Vec<Item>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for Item { at, thing } in items {
        let joins = rows.last().is_some_and(|row| row.admits(&thing, at));
        if !joins {
            rows.push(Row { at, ..Row::default() });
        }
        if let Some(row) = rows.last_mut() {
            row.put(thing);
        }
    }
    rows
}

impl Row {
    fn put(&mut self, thing: Thing) {
        let slot = match &thing {
            Thing::Call(made) | Thing::Back(made) => &mut self.sides[side_of(made.host)],
            Thing::State(state) => &mut self.sides[side_of(state.host)],
            Thing::Crossing(_) | Thing::More(_) => &mut self.lane,
        };
        *slot = Some(thing);
    }

    fn admits(&self, thing: &Thing, at: u64) -> bool {
        if at.saturating_sub(self.at) > TOGETHER {
            return false;
        }
        match thing {
            Thing::Call(_) | Thing::More(_) => false,
            Thing::Crossing(frame) => {
                let [own, other] = [frame.from, frame.from.other()].map(|host| &self.sides[side_of(host)]);
                self.lane.is_none() && own.is_some() && other.is_none()
            }
            Thing::Back(made) => self.takes(made.host),
            Thing::State(state) => self.takes(state.host),
        }
    }

    /// True if what comes of this row may stand at the side of `host`.
    fn takes(&self, host: Host) -> bool {
        if self.sides[side_of(host)].is_some() {
            return false;
        }
        match &self.lane {
            Some(Thing::Crossing(frame)) => frame.from == host || frame.has_arrived(),
            Some(_) => true,
            None => !matches!(self.sides[side_of(host.other())], Some(Thing::Call(_))),
        }
    }
}
