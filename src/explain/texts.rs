//! The texts of `explain`: data files that can be edited and translated without Rust.
//!
//! ```text
//! [errno.eagain] EAGAIN
//! what: not now, try again; EWOULDBLOCK is the same on Linux
//! defined: recv(2), send(2), accept(2)
//! The call would have to wait, and was told not to. The text may have several lines.
//! ```
//!
//! The key is a path. The name and the lines `what` and `defined` are there only where no decoder and no
//! table has them.

use std::{collections::HashMap, sync::OnceLock};

pub(super) const CALLS: &str = include_str!("en/calls.txt");
pub(super) const ERRORS: &str = include_str!("en/errors.txt");
pub(super) const FIELDS: &str = include_str!("en/fields.txt");
pub(super) const GROUPS: &str = include_str!("en/groups.txt");
pub(super) const HTTP: &str = include_str!("en/http.txt");
pub(super) const ICMP: &str = include_str!("en/icmp.txt");
pub(super) const MISTAKES: &str = include_str!("en/mistakes.txt");
pub(super) const OPTIONS: &str = include_str!("en/options.txt");
pub(super) const SOCKET_IO: &str = include_str!("en/socketio.txt");
pub(super) const SOCKJS: &str = include_str!("en/sockjs.txt");
pub(super) const STATES: &str = include_str!("en/states.txt");
pub(super) const STOMP: &str = include_str!("en/stomp.txt");
pub(super) const TCP_OPTIONS: &str = include_str!("en/tcp_options.txt");
pub(super) const WEBSOCKET: &str = include_str!("en/websocket.txt");

/// The files whose records are found by their paths.
pub(super) const FILES: [&str; 12] =
    [CALLS, ERRORS, FIELDS, HTTP, ICMP, OPTIONS, SOCKET_IO, SOCKJS, STATES, STOMP, TCP_OPTIONS, WEBSOCKET];

/// A record of a data file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) defined: &'static str,
    /// The lines of text, joined by spaces.
    pub(super) text: String,
}

/// Returns the records of a data file, in order.
pub(super) fn parse(file: &'static str) -> Vec<Text> {
    let mut all: Vec<Text> = Vec::new();
    for line in file.lines() {
        if let Some((key, name)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            all.push(Text { key, name: name.trim(), ..Text::default() });
        } else if let Some(record) = all.last_mut() {
            if let Some(what) = line.strip_prefix("what: ") {
                record.what = what;
            } else if let Some(defined) = line.strip_prefix("defined: ") {
                record.defined = defined;
            } else if !line.is_empty() {
                record.text += if record.text.is_empty() { "" } else { " " };
                record.text += line;
            }
        }
    }
    all
}

/// Returns the record of a path. A path without one gets an empty record; a test fails then.
pub(super) fn text(path: &str) -> &'static Text {
    const EMPTY: &Text = &Text { key: "", name: "", what: "", defined: "", text: String::new() };
    static ALL: OnceLock<HashMap<&str, Text>> = OnceLock::new();
    let all =
        ALL.get_or_init(|| FILES.into_iter().flat_map(parse).map(|record| (record.key, record)).collect());
    all.get(path).unwrap_or(EMPTY)
}
