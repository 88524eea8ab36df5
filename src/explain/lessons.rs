//! Finds the part of a lesson that shows an entry: the one whose text names it most often.

use super::{Entry, sockjs, stomp};
use crate::{
    lesson::{self, Builtin},
    transport::registry,
};

/// The part of `websocket` that dissects a frame, from 0.
const FRAMES: usize = 3;

/// Returns the command that runs the part, and the part's title.
pub(super) fn shows(entry: &Entry) -> Option<(String, String)> {
    let last = entry.path.rsplit('.').next().unwrap_or_default();
    let word = match entry.group() {
        "call" if lesson::find(&entry.name).is_some() => {
            let lesson = lesson::find(&entry.name)?;
            return Some((command(lesson, 1), parts(lesson.text).next().map(title)?));
        }
        "protocol" => {
            let lesson = lesson::find(registry::find(last)?.scripted.as_ref()?.lesson)?;
            return Some((command(lesson, 1), parts(lesson.text).next().map(title)?));
        }
        "sockjs" => {
            let (lesson, index) = (lesson::find("sockjs")?, sockjs::part(&entry.path));
            return Some((command(lesson, index + 1), parts(lesson.text).nth(index).map(title)?));
        }
        // The part with the table of the packets, and the one with the first event.
        group @ ("engineio" | "socketio") => {
            let lesson = lesson::find("socketio")?;
            let index = if group == "engineio" { 0 } else { 2 };
            return Some((command(lesson, index + 1), parts(lesson.text).nth(index).map(title)?));
        }
        "stomp" => {
            let (lesson, index) = (lesson::find("stomp")?, stomp::part(&entry.path));
            return Some((command(lesson, index + 1), parts(lesson.text).nth(index).map(title)?));
        }
        "call" | "cable" | "option" | "flag" | "errno" | "state" => entry.name.as_str(),
        "ws" if entry.path.starts_with("ws.close.") => last,
        "http" if entry.path.starts_with("http.status.") => last,
        "http" if entry.path.starts_with("http.header.") => entry.name.as_str(),
        "http" | "ws" => "",
        _ if entry.path.starts_with("tcp.flags.") => entry.name.as_str(),
        _ => return None,
    };
    let mut best: Option<(usize, String, &str)> = None;
    for lesson in lesson::builtin() {
        for (index, part) in parts(lesson.text).enumerate() {
            // The lesson of the call whose manual page defines an error counts double.
            let at_home = entry.defined.starts_with(&format!("{}(", lesson.name));
            let times = count(part, word) * if at_home { 2 } else { 1 };
            // The first of equals wins.
            if times > best.as_ref().map_or(0, |(most, ..)| *most) {
                best = Some((times, command(lesson, index + 1), part));
            }
        }
    }
    if let Some((_, command, part)) = best {
        return Some((command, title(part)));
    }
    let index = match entry.group() {
        "http" => 0,
        "ws" => FRAMES,
        _ => return None,
    };
    let lesson = lesson::find("websocket")?;
    Some((command(lesson, index + 1), parts(lesson.text).nth(index).map(title)?))
}

fn command(lesson: &Builtin, part: usize) -> String {
    let run = if lesson.in_tour { "" } else { "run " };
    format!("sockwalk {run}{} --part {part}", lesson.name)
}

/// Returns the parts of a lesson's text, each from its heading on.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n## ").skip(1)
}

fn title(part: &str) -> String {
    part.lines().next().unwrap_or_default().trim().to_owned()
}

/// Returns how often the text has the word by itself. In a check or a call it counts three times.
fn count(text: &str, word: &str) -> usize {
    if word.is_empty() {
        return 0;
    }
    let weight = |line: &str| if line.starts_with("check ") || line.contains("$ ") { 3 } else { 1 };
    text.lines().map(|line| weight(line) * times(line, word)).sum()
}

fn times(line: &str, word: &str) -> usize {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |at: usize| !line[..at].ends_with(joins) && !line[at + word.len()..].starts_with(joins);
    line.match_indices(word).filter(|(at, _)| alone(*at)).count()
}
