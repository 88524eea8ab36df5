//! `sockwalk explain`: the reason why of a name, on the screen or as JSON.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Screen, args::Show, code, screen::Purpose};
use crate::explain::{self, Entry, Found};

/// From so many values on they stand in a row, not each on a line.
const MANY: usize = 5;

/// So many things at most are listed with what they are; of more only the names.
const LISTED: usize = 14;

/// Finds it and says it.
pub(super) fn explain(name: &str, as_json: bool, show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Report)?;
    let (text, value) = if name.trim().is_empty() { groups() } else { told(name)? };
    if as_json {
        screen.plain(&value.to_string());
    } else {
        screen.say(&text);
    }
    screen.failures()?;
    Ok(code(true))
}

fn told(name: &str) -> Result<(String, Value)> {
    Ok(match explain::find(name) {
        Found::One(entry, others) => (page(&entry, &others), as_value(&entry)),
        Found::Several(entries) => (list(name, &entries), listed(&entries)),
        Found::Nothing(near) => {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            match near.is_empty() {
                true => bail!("nothing is known of `{shown}`; `sockwalk explain` lists what there is"),
                false => bail!("nothing is known of `{shown}`; did you mean {}?", near.join(" or ")),
            }
        }
    })
}

fn groups() -> (String, Value) {
    let rows: Vec<String> =
        explain::groups().map(|(group, about)| format!("| `{group}` | {about} |")).collect();
    let text = format!(
        "`sockwalk explain NAME` says what a name stands for and why it is so. `sockwalk explain GROUP` lists a group:\n\n| group | what is in it |\n|---|---|\n{}",
        rows.join("\n")
    );
    let all: Vec<Value> =
        explain::groups().map(|(group, about)| json!({"group": group, "about": about})).collect();
    (text, json!({ "groups": all }))
}

/// One answer, in Markdown.
fn page(it: &Entry, others: &[Entry]) -> String {
    let mut blocks = vec![
        format!("# {}", escaped(&title(it))),
        sentence(&it.what),
        format!("**Why:** {}", escaped(&it.why)),
    ];
    blocks.extend(values(&it.values));
    let mistakes: Vec<String> = it.mistakes().iter().map(|mistake| escaped(mistake)).collect();
    if !mistakes.is_empty() {
        blocks.push(format!("**Often wrong:** {}", mistakes.join(" ")));
    }
    let mut places = format!("**Defined in** {}.", escaped(&it.defined));
    if let Some((command, title)) = it.lesson() {
        places.push_str(&format!(" **Shown in** \"{}\":\n\n```\n{command}\n```", escaped(&title)));
    }
    blocks.push(places);
    let mut related: Vec<String> = others.iter().map(|other| format!("`{}`", other.path)).collect();
    related.extend(
        it.related()
            .iter()
            .map(|path| format!("`{path}`"))
            .filter(|path| !others.iter().any(|other| *path == format!("`{}`", other.path))),
    );
    if !related.is_empty() {
        blocks.push(format!("**See also** {}.", related.join(", ")));
    }
    blocks.join("\n\n")
}

/// `tcp.flags.psh: PSH`, or the path alone where the name says no more.
fn title(it: &Entry) -> String {
    let last = it.path.rsplit('.').next().unwrap_or_default();
    let same = last.replace(['-', '_', ' '], "") == it.name.to_lowercase().replace(['-', '_', ' '], "");
    match (same, it.name == it.what) {
        (true, _) if matches!(it.group(), "errno" | "option" | "flag" | "state" | "call" | "cable") => {
            it.name.clone()
        }
        (false, false) => format!("{}: {}", it.path, it.name),
        _ => it.path.clone(),
    }
}

fn values(values: &[(String, String)]) -> Option<String> {
    if values.is_empty() {
        return None;
    }
    let long = values.iter().any(|(_, meaning)| meaning.len() > 40);
    if values.len() > MANY && !long {
        let row: Vec<String> =
            values.iter().map(|(value, meaning)| format!("`{value}` {}", escaped(meaning))).collect();
        return Some(format!("**Values:** {}.", row.join(", ")));
    }
    let rows: Vec<String> =
        values.iter().map(|(value, meaning)| format!("- `{value}`: {}", escaped(meaning))).collect();
    Some(rows.join("\n"))
}

/// Several answers: a row each, or only the names where they are many.
fn list(name: &str, entries: &[Entry]) -> String {
    let head = format!("`{}` is {} things; ask for one by its path:", name.trim(), entries.len());
    if entries.len() > LISTED {
        let names: Vec<String> = entries.iter().map(|entry| format!("`{}`", entry.path)).collect();
        return format!("{head}\n\n{}", names.join(", "));
    }
    let rows: Vec<String> =
        entries.iter().map(|entry| format!("| `{}` | {} |", entry.path, escaped(&short(entry)))).collect();
    format!("{head}\n\n| path | what it is |\n|---|---|\n{}", rows.join("\n"))
}

/// What it is, in a row.
fn short(entry: &Entry) -> String {
    let last = entry.path.rsplit('.').next().unwrap_or_default();
    if last.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return format!("{}: {}", entry.name, entry.what);
    }
    entry.what.clone()
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    escaped(&format!("{first}{}{stop}", letters.as_str()))
}

/// Without what Markdown would take for its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '_' | '[' | ']' | '<' | '|' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn as_value(it: &Entry) -> Value {
    let values: Vec<Value> =
        it.values.iter().map(|(value, meaning)| json!({"value": value, "meaning": meaning})).collect();
    json!({
        "path": it.path,
        "name": it.name,
        "what": it.what,
        "why": it.why,
        "defined": it.defined,
        "values": values,
        "mistakes": it.mistakes(),
        "lesson": it.lesson().map(|(command, part)| json!({"command": command, "part": part})),
        "see_also": it.related(),
    })
}

fn listed(entries: &[Entry]) -> Value {
    let all: Vec<Value> = entries
        .iter()
        .map(|entry| json!({"path": entry.path, "name": entry.name, "what": entry.what}))
        .collect();
    json!({ "matches": all })
}
