//! A whole class at one server: who is connected, and what goes to and fro, so that thirty can be told apart.
//!
//! There are two pictures of it. [`log`] tells what happens as it happens, each line beginning with the name
//! of its connection; [`table`] is who is there now, to be drawn again and again in one place.

mod connection;
mod entry;
mod handshake;
mod log;
mod message;
mod payload;
mod table;
mod tapped;

pub(super) use log::{Log, Told};
pub use table::class;
pub use tapped::{TapLog, Tapped, Way};

use super::line::Meaning;
use crate::event::Ending;

/// What a name is painted as: the number of a connection picks its hue; what has no number is the server's
/// own.
fn meaning_of(name: &str) -> Meaning {
    let hue = |number: u64| Meaning::Peer(u8::try_from(number.wrapping_sub(1) % HUES).unwrap_or_default());
    number_of(name).or_else(|| tapped::number_of(name)).map_or(Meaning::Server, hue)
}

/// So many connections in a row are painted differently.
const HUES: u64 = 8;

/// 7 of `c7`.
fn number_of(name: &str) -> Option<u64> {
    number_behind('c', name)
}

/// The number behind a letter, if that is the whole name.
fn number_behind(letter: char, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(letter)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Longer names are cut, in columns: a trace may hold any.
const LONGEST_NAME: usize = 8;

/// A name as it is shown.
fn shown_name(name: &str) -> String {
    payload::cut(name.as_bytes(), LONGEST_NAME)
}

/// How a connection ended, in a word and painted as good or bad.
fn word(end: Option<Ending>) -> (&'static str, Meaning) {
    match end {
        None => ("gone", Meaning::State),
        Some(Ending::Closed) => ("closed", Meaning::State),
        Some(Ending::Reset) => ("broken off", Meaning::Fails),
        Some(Ending::Refused) => ("refused", Meaning::Fails),
        Some(Ending::Page) => ("page", Meaning::State),
        Some(Ending::Violation) => ("violation", Meaning::Fails),
        Some(Ending::Limit) => ("limit", Meaning::Fails),
        Some(Ending::Stopped) => ("stopped", Meaning::State),
        Some(Ending::Failed) => ("failed", Meaning::Fails),
    }
}
