//! What crossed a connection, in words: heads, bodies, frames, messages, layers and broken rules.
//!
//! [`StreamTable`] shows a capture in columns, [`StreamLog`] live connections in a line or a few for each
//! thing. The words of both are in `words.rs`. [`TapCapture`] makes packets of what a tap read.

mod capture;
pub mod filter;
mod log;
mod table;
mod words;

pub(super) use capture::TapCapture;
pub use log::StreamLog;
pub use table::StreamTable;
pub use words::size;

use super::{Depth, Line, Look};
use crate::event::{Command, Event, Run, What};

/// A run of `decode`, `tap`, `serve` or a client, as it is shown.
#[derive(Debug)]
pub enum StreamView {
    /// A capture, and microseconds since its beginning.
    Table(Box<StreamTable>),
    /// Connections.
    Log(Box<StreamLog>),
}

impl StreamView {
    /// As the run says.
    pub fn new(look: Look, depth: Depth, run: &Run) -> Self {
        if run.command != Command::Decode {
            return StreamView::Log(Box::new(StreamLog::new(look, run)));
        }
        let shown = &run.shown;
        let filters = shown.filter.iter().filter_map(|text| text.parse().ok()).collect();
        let choice = filter::Choice { stream: shown.stream, filters };
        StreamView::Table(Box::new(StreamTable::new(look, depth, shown.follow, choice)))
    }

    /// The lines that an event gives.
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        match (self, &event.what) {
            (StreamView::Table(table), What::Stream(it)) => table.event(it),
            (StreamView::Table(table), What::End(_)) => table.end(),
            (StreamView::Table(_), _) => Vec::new(),
            (StreamView::Log(log), _) => log.show(event),
        }
    }
}
