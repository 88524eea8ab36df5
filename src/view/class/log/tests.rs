//! Many at once, one by one: the log of thirty is thirty logs.

use super::*;
use crate::event::Event;
use crate::view::class_runs::{class_of_bytes, class_of_messages};
use crate::view::{Form, Glyphs, Narrator, Palette, paint};

const LOOK: fn() -> Look = || Look::new(80, Glyphs::Unicode, Form::Screen);

fn lines(events: &[Event]) -> Vec<String> {
    let mut narrator = Narrator::new(LOOK());
    events.iter().flat_map(|event| narrator.show(event)).map(|line| line.to_string()).collect()
}

/// What is told under a name.
fn of(name: &str, lines: &[String]) -> Vec<String> {
    let beginning = format!(" {name} ");
    lines.iter().filter(|line| line.starts_with(&beginning)).cloned().collect()
}

fn renamed(events: &[Event], number: u64) -> Vec<Event> {
    let text: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    let ids = |text: String, key: &str| {
        let Some((before, after)) = text.split_once(&format!("\"{key}\":")) else { return text };
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        let Ok(id) = digits.parse::<u64>() else { return text };
        format!("{before}\"{key}\":{}{}", id + 1000 * number, &after[digits.len()..])
    };
    text.into_iter()
        .map(|line| line.replace("\"c1\"", &format!("\"c{number}\"")))
        .map(|line| ["id", "call", "parent"].iter().fold(line, |line, key| ids(line, key)))
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// The lesson, and what happens on `c1` from accept to gone.
fn one_connection() -> (Event, Vec<Event>) {
    let events = class_of_messages();
    let lesson = events[0].clone();
    let ours = |event: &&Event| {
        match &event.what {
        What::Peer(peer) => peer.name == "c1",
        What::Call(call) => call.socket.as_deref() == Some("c1"),
        What::Return(back) => events.iter().any(|made| {
            matches!(&made.what, What::Call(call) if call.id == back.call && call.socket.as_deref() == Some("c1"))
        }),
        What::Message(it) => it.socket == "c1",
        What::Upgrade(it) => it.socket.as_deref() == Some("c1"),
        What::Working(it) => it.socket.as_deref() == Some("c1"),
        _ => false,
    }
    };
    (lesson, events.iter().filter(ours).cloned().collect())
}

#[test]
fn thirty_at_once_are_told_like_one_alone() {
    let (lesson, one) = one_connection();
    let alone = lines(&[vec![lesson.clone()], one.clone()].concat());
    let all: Vec<Vec<Event>> = (10..40).map(|number| renamed(&one, number)).collect();
    let mut events = vec![lesson];
    for at in 0..one.len() {
        events.extend(all.iter().map(|of_one| of_one[at].clone()));
    }
    let together = lines(&events);
    let wanted: Vec<String> = of("c1", &alone).iter().map(|line| line[4..].trim_start().to_owned()).collect();
    assert!(wanted.len() > 8, "{wanted:?}");
    for number in 10..40 {
        let told = of(&format!("c{number}"), &together);
        let told: Vec<String> = told.iter().map(|line| line[5..].trim_start().to_owned()).collect();
        assert_eq!(told, wanted);
    }
}

#[test]
fn who_has_gone_is_forgotten() {
    let (lesson, one) = one_connection();
    let mut log = Log::new(LOOK(), None);
    log.take(&lesson.what, false);
    for number in 1..200 {
        let mut events = renamed(&one, number);
        // Some never return.
        let returns = |event: &Event| matches!(event.what, What::Return(_));
        if number % 2 == 0 {
            let last = events.iter().rposition(returns).unwrap();
            events.remove(last);
        }
        for event in events {
            log.take(&event.what, false);
        }
    }
    assert_eq!((log.connections.len(), log.calls.len()), (0, 0));
}

#[test]
fn of_others_than_the_one_followed_nothing_is_told() {
    let mut narrator = Narrator::new(LOOK()).following("c31");
    let lines: Vec<Line> = class_of_messages().iter().flat_map(|event| narrator.show(event)).collect();
    let text = paint(&lines, Palette::Plain);
    for other in ["c1 ", "c2", "c3 ", "c30", "51234", "evil", "anybody"] {
        assert!(!text.contains(other), "{other}");
    }
    assert!(text.contains("judges the opening handshake") && text.contains("The class is full"));
}

#[test]
fn a_message_counts_as_sent_when_its_call_has_returned() {
    let told = lines(&class_of_messages());
    let at = |text: &str| told.iter().position(|line| line.contains(text));
    assert!(at("→ text \"anybody there?\"").is_none());
    assert!(at("✗ text \"anybody there?\", 14 bytes: not sent in full").is_some());
}

#[test]
fn an_accept_of_a_step_is_told_as_that_step() {
    let mut events = class_of_bytes();
    let accept = events.iter().position(|e| matches!(&e.what, What::Call(call) if call.call == "accept"));
    let step = crate::event::Step { number: 5, line: 1, text: "server$ c = accept s".into(), brief: false };
    events.insert(accept.unwrap(), Event { at: 0, what: What::Step(step) });
    let told = lines(&events);
    assert!(told.iter().any(|line| line.contains("socket.accept()")), "{told:#?}");
}
