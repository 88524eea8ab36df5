//! The ladder in sentences, for a screen reader.

use super::rows::{Item, Made, Thing};
use crate::event::Host;
use crate::view::crossing;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::{capital, sentence, the_host};

/// A sentence or two for each thing, in their order.
pub(super) fn tell(look: &Look, items: &[Item]) -> Vec<Line> {
    items.iter().flat_map(|item| one(look, &item.thing)).collect()
}

fn one(look: &Look, thing: &Thing) -> Vec<Line> {
    match thing {
        Thing::Call(made) => {
            let meaning = made.result.as_ref().map_or(Meaning::Call, |(_, meaning)| *meaning);
            sentence(look, called(made), meaning)
        }
        Thing::Back(made) => {
            let meaning = made.result.as_ref().map_or(Meaning::Call, |(_, meaning)| *meaning);
            sentence(look, format!("{} returns: {}.", capital(&whose(made)), given(made)), meaning)
        }
        Thing::State(state) => {
            let who = format!("{} socket {}", capital(state.host.name()), name(state.host, &state.name));
            let text = match (state.was.as_deref(), state.state.as_str()) {
                (Some(was), "gone") => format!("{who} was {was} and is gone."),
                (None, "gone") => format!("{who} is gone."),
                (Some(was), now) => format!("{who} was {was}, is now {now}."),
                (None, now) => format!("{who} is {now}."),
            };
            sentence(look, text, Meaning::State)
        }
        Thing::Crossing(frame) => crossing::linear(look, frame, None),
        Thing::More(frames) => crossing::sum_linear(look, frames),
    }
}

/// `The client calls connect on c. It waits for the other side's SYN,ACK.`
fn called(made: &Made) -> String {
    let mut text = format!("{} calls {}", the_host(made.host), on(made));
    match (&made.result, made.waits.as_deref()) {
        (Some(_), _) => text += &format!(": {}.", given(made)),
        (None, Some("")) => text += ". It has not returned.",
        (None, Some(waits)) => text += &format!(". It waits for {waits}."),
        (None, None) => text.push('.'),
    }
    text
}

/// `connect on c`
fn on(made: &Made) -> String {
    let on = made.socket.as_ref().map(|socket| format!(" on {}", name(made.host, socket)));
    format!("{}{}", made.call, on.unwrap_or_default())
}

fn whose(made: &Made) -> String {
    format!("{}'s {}", the_host(made.host), on(made))
}

fn given(made: &Made) -> &str {
    made.result.as_ref().map_or("", |(result, _)| result)
}

/// `~client.c` as it is spoken.
fn name(host: Host, name: &str) -> String {
    match name.strip_prefix('~').and_then(|rest| rest.split_once('.')) {
        Some((_, of)) => format!("for the {}'s {of}", host.other()),
        None => name.to_owned(),
    }
}
