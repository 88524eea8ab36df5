//! What happened: the events of a run, and their form as JSON Lines.
//!
//! A run is a list of [`Event`]s and nothing else. The screen, the file behind `--trace` and a replay are all
//! made of the same events, so they can't disagree. `docs/trace.md` is the promise to other programs.

mod event;
mod lines;

pub use event::*;
pub use lines::{ReadError, Reader, Writer};

/// Where events go as they happen.
pub trait Sink {
    /// Takes one event. Errors are kept by the sink and told by it at the end: a full disk ends no lesson.
    fn take(&mut self, event: &Event);
}

impl Sink for Vec<Event> {
    fn take(&mut self, event: &Event) {
        self.push(event.clone());
    }
}

/// Runs of events handed on to several sinks, in order.
impl Sink for Vec<Box<dyn Sink + '_>> {
    fn take(&mut self, event: &Event) {
        for sink in self {
            sink.take(event);
        }
    }
}
