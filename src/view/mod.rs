//! Views render events as lines of text, in which each span carries its meaning.
//!
//! A view is a pure function of events, of the [`Look`] (width, glyphs, form) and, at the very end, of the
//! [`Palette`]: the same events give the same picture, live or replayed. Nothing here asks a socket, a clock or
//! the terminal. Views emit [`Line`]s; [`paint()`] alone turns them into text with or without colour.
//!
//! All text from events is untrusted: every [`Span`] escapes terminal control characters (`escape.rs`), and
//! no span can be created without that escape.

mod brief;
mod bytes;
mod call;
mod call_linear;
mod capture;
mod checks;
mod class;
mod columns;
mod comparison;
mod crossing;
mod escape;
mod field_table;
mod findings;
mod frame_table;
mod headings;
mod ladder;
mod line;
mod look;
mod markdown;
mod narration;
mod paint;
mod passage;
mod prediction;
mod renderer;
mod sentences;
mod setting;
mod socket_table;
mod sockets;
mod sockets_linear;
mod states;
mod stream;
mod transcript;
mod units;
mod upgrade;
mod working;
mod wrap;

#[cfg(test)]
mod cable_runs;
#[cfg(test)]
mod capture_runs;
#[cfg(test)]
mod class_runs;
#[cfg(test)]
mod datagram_runs;
#[cfg(test)]
mod goldens;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod sample_runs;
#[cfg(test)]
mod samples;

pub use capture::Capture;
pub use class::{TapLog, Tapped, Way, class};
pub use comparison::{
    Beat, Bill, Comparison, Outcome, Point, Road, Roads, Side, comparison, csv, roads, svg, sweep,
};
pub use escape::{escape, quote};
pub use field_table::field_table;
pub use findings::{Finding, findings};
pub use frame_table::{Depth, OneFrame};
pub use ladder::Ladder;
pub use line::{Line, Meaning, Span};
pub use look::{Form, Glyphs, Look};
pub use markdown::markdown;
pub use narration::Narrator;
pub use paint::{Palette, paint};
pub use renderer::{Renderer, View};
pub use states::States;
pub use stream::{StreamTable, StreamView, filter, size};
pub use transcript::Transcript;
pub use units::{plural, thousands};
pub use wrap::{cut, wrapped};
