//! Finds the entries that a query names, or similar names.

use super::{Entry, all, groups};

/// The result of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One entry, and others that have the name in another spelling.
    One(Box<Entry>, Vec<Entry>),
    /// Several entries.
    Several(Vec<Entry>),
    /// No entry; these paths or names are similar.
    Nothing(Vec<String>),
}

/// Removes differences of spelling: case, `-`, `_`, `:` and space.
fn normal(text: &str) -> String {
    text.to_lowercase()
        .replace("http/1.1", "http")
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' ' | ':'))
        .collect()
}

/// Finds `query`: a path or its end, a name, one of its spellings, or the beginning of paths.
pub fn find(query: &str) -> Found {
    let all = all();
    let query = query.trim().trim_end_matches('.');
    let wanted = normal(query);
    if wanted.is_empty() {
        return Found::Nothing(Vec::new());
    }
    if groups().any(|(group, _)| group == wanted) && wanted != "data" {
        // And the protocol of that name, if there is one.
        let protocol = format!("protocol.{wanted}");
        let of_it = |entry: &&Entry| entry.group() == wanted || entry.path == protocol;
        return Found::Several(all.iter().filter(of_it).cloned().collect());
    }
    if let Some(entry) = all.iter().find(|entry| normal(&entry.path) == wanted) {
        return Found::One(Box::new(entry.clone()), Vec::new());
    }
    let under = format!("{wanted}.");
    let below: Vec<Entry> =
        all.iter().filter(|entry| normal(&entry.path).starts_with(&under)).cloned().collect();
    if !below.is_empty() {
        return Found::Several(below);
    }
    let named: Vec<Entry> = all.iter().filter(|entry| is_named(entry, &wanted)).cloned().collect();
    match named.as_slice() {
        [] => in_a_range(all, &wanted).unwrap_or_else(|| Found::Nothing(near(all, &wanted))),
        [one] => Found::One(Box::new(one.clone()), Vec::new()),
        // `listen` is the call and `LISTEN` the state.
        // And `TCP_USER_TIMEOUT` the option, `TCP User Timeout` the field.
        _ => match only(&named, |name| name == query)
            .or_else(|| only(&named, |name| name.eq_ignore_ascii_case(query)))
            .or_else(|| bare_number(&named, &wanted))
        {
            Some(one) => {
                let others = named.iter().filter(|entry| entry.path != one.path).cloned().collect();
                Found::One(Box::new(one.clone()), others)
            }
            None => Found::Several(named),
        },
    }
}

/// Returns the only entry that has such a name or spelling.
fn only(all: &[Entry], is: impl Fn(&str) -> bool) -> Option<&Entry> {
    let mut found = all.iter().filter(|entry| is(&entry.name) || entry.spellings.iter().any(|text| is(text)));
    found.next().filter(|_| found.next().is_none())
}

/// A bare number is a Close code of WebSocket, before any protocol above it.
fn bare_number<'a>(named: &'a [Entry], wanted: &str) -> Option<&'a Entry> {
    let is_number = wanted.bytes().all(|byte| byte.is_ascii_digit());
    named.iter().find(|entry| is_number && entry.path.starts_with("ws.close."))
}

fn is_named(entry: &Entry, wanted: &str) -> bool {
    let path = normal(&entry.path);
    let short = |path: &str| {
        // `tcp.psh` for `tcp.flags.psh`.
        let (group, last) = (path.split('.').next(), path.rsplit('.').next());
        wanted.split_once('.').is_some_and(|(first, end)| group == Some(first) && last == Some(end))
    };
    path.ends_with(&format!(".{wanted}"))
        || short(&path)
        || normal(&entry.name) == wanted
        || entry
            .spellings
            .iter()
            .map(|text| normal(text))
            .any(|text| text == wanted || text.ends_with(&format!(".{wanted}")))
}

/// Finds a Close code within a range that has one entry: 3456.
fn in_a_range(all: &[Entry], wanted: &str) -> Option<Found> {
    let number: u16 = wanted.rsplit('.').next()?.parse().ok()?;
    if wanted.contains('.') && !wanted.starts_with("ws.close.") || number < 1000 && !wanted.contains('.') {
        return None;
    }
    let holds = |entry: &&Entry| {
        let range = entry.path.strip_prefix("ws.close.").and_then(|range| range.split_once('-'));
        range.is_some_and(|(first, last)| {
            first.parse().is_ok_and(|first: u16| first <= number)
                && last.parse().is_ok_and(|last: u16| number <= last)
        })
    };
    all.iter().find(holds).map(|entry| Found::One(Box::new(entry.clone()), Vec::new()))
}

/// Returns at most three similar names.
fn near(all: &[Entry], wanted: &str) -> Vec<String> {
    let wanted: String = wanted.chars().take(40).collect();
    let mut near: Vec<(usize, &str)> = Vec::new();
    for entry in all {
        let last = entry.path.rsplit('.').next().unwrap_or_default();
        let nearest = [(entry.name.as_str(), &entry.name), (&entry.path, &entry.path), (last, &entry.path)]
            .map(|(text, shown)| (strsim::damerau_levenshtein(&wanted, &normal(text)), text, shown))
            .into_iter()
            .filter(|(distance, text, _)| {
                let length = normal(text).chars().count();
                *distance <= 1 + length / 4 && *distance < length.min(wanted.chars().count())
            })
            .min_by_key(|(distance, ..)| *distance);
        near.extend(nearest.map(|(distance, _, shown)| (distance, shown.as_str())));
    }
    near.sort_by_key(|(distance, _)| *distance);
    let mut names: Vec<String> = Vec::new();
    for (_, name) in near {
        if !names.iter().any(|known| known == name) && names.len() < 3 {
            names.push(name.to_owned());
        }
    }
    names
}
