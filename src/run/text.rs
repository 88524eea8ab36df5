//! Placeholders in prose. A number that only the run knows is not written in the lesson, but filled in.
//!
//! `{:7000}` is the port that stands for 7000 here, `{server.s.local}` is what the kernel last reported for a
//! socket, and `{client.n}` is what a call returned.

use std::collections::HashMap;

use super::{CallResult, claim, snapshot::Snapshot};
use crate::{event::Host, lesson, stage::Stage};

/// Returns the Markdown with its placeholders filled. An unknown placeholder stays as it is: a brace in prose
/// is not an error.
pub(super) fn filled(
    markdown: &str,
    stage: &mut Stage,
    snapshot: &Snapshot,
    results: &HashMap<(Host, String), CallResult>,
) -> String {
    let mut filled = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let value =
            from.find('}').and_then(|close| Some((close, value(&from[1..close], stage, snapshot, results)?)));
        match value {
            Some((close, value)) => {
                filled.push_str(&value);
                rest = &from[close + 1..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    if stage.link().is_some() { from_within(&filled) } else { filled }
}

/// Prefixes the commands of ```` ```outside ```` blocks with `sockwalk enter`, as a second terminal sees none
/// of the cable's hosts. A block runs on the server unless it names the host (```` ```outside client ````).
fn from_within(markdown: &str) -> String {
    let mut host = None;
    let mut all = String::with_capacity(markdown.len());
    for line in markdown.split_inclusive('\n') {
        match (line.trim().strip_prefix("```"), &host) {
            (Some(info), None) if info.split_whitespace().next() == Some("outside") => {
                host = Some(info.split_whitespace().nth(1).unwrap_or("server").to_owned());
            }
            (Some(_), _) => host = None,
            (None, Some(host)) if !line.trim().is_empty() => {
                all.push_str(&format!("sockwalk enter {host} -- {line}"));
                continue;
            }
            _ => {}
        }
        all.push_str(line);
    }
    all
}

fn value(
    name: &str,
    stage: &mut Stage,
    snapshot: &Snapshot,
    results: &HashMap<(Host, String), CallResult>,
) -> Option<String> {
    if let Some(port) = name.strip_prefix(':') {
        return stage.port(port.parse().ok()?).ok().map(|port| port.to_string());
    }
    if name == "pid" {
        return Some(std::process::id().to_string());
    }
    let (host, rest) = name.split_once('.')?;
    let host = Host::ALL.into_iter().find(|known| known.name() == host)?;
    match rest.split_once('.') {
        Some((socket, key)) => {
            let (_, key) = lesson::grammar::KEYS.iter().find(|(known, _)| *known == key)?;
            claim::value_of(snapshot.find(host, socket)?, *key).map(|value| value.to_string())
        }
        None => match results.get(&(host, rest.to_owned()))? {
            CallResult::Returned(observed) => Some(observed.told()),
            CallResult::Running(_) => Some("not back yet".to_owned()),
        },
    }
}
