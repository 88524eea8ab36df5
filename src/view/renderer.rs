//! The views of a run and the renderer that feeds one of them with events.

use super::{Depth, Ladder, Line, Look, Narrator, States, StreamView};
use crate::event::{Event, Question, What};

/// The view of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// The story, step by step: see [`Narrator`].
    #[default]
    Story,
    /// The sequence of calls, states and frames: see [`Ladder`].
    Ladder,
    /// The diagram of the states of TCP: see [`States`].
    States,
}

/// Renders a run in one view: it consumes events and returns lines.
#[derive(Debug)]
pub enum Renderer {
    /// The story.
    Story(Box<Narrator>),
    /// The ladder.
    Ladder(Box<Ladder>),
    /// The diagram.
    States(Box<States>),
    /// A run that is no lesson.
    Stream(Box<StreamView>),
}

impl Renderer {
    /// Creates the renderer of `view`. Only the story uses `depth`, the level of detail of frames.
    pub fn new(look: Look, view: View, depth: Depth) -> Self {
        match view {
            View::Story => Narrator::new(look).deep(depth).into(),
            View::Ladder => Renderer::Ladder(Box::new(Ladder::new(look))),
            View::States => Renderer::States(Box::new(States::new(look))),
        }
    }

    /// Consumes the next event and returns the lines that it adds.
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        if let (What::Run(run), Renderer::Story(story)) = (&event.what, &*self) {
            *self = Renderer::Stream(Box::new(StreamView::new(story.look(), story.depth(), run)));
        }
        match self {
            Renderer::Story(story) => story.show(event),
            Renderer::Ladder(ladder) => ladder.show(event),
            Renderer::States(states) => states.show(event),
            Renderer::Stream(stream) => stream.show(event),
        }
    }

    /// Returns the lines held back, at the end of a step.
    pub fn settle(&mut self) -> Vec<Line> {
        match self {
            Renderer::Story(story) => story.settle(),
            Renderer::Ladder(ladder) => ladder.settle(),
            Renderer::States(states) => states.settle(),
            Renderer::Stream(_) => Vec::new(),
        }
    }

    /// A question that somebody is asked, where the view has left it out.
    pub fn question(&self, question: &Question) -> Vec<Line> {
        match self {
            Renderer::Story(_) | Renderer::Stream(_) => Vec::new(),
            Renderer::Ladder(ladder) => ladder.question(question),
            Renderer::States(states) => states.question(question),
        }
    }
}

impl From<Narrator> for Renderer {
    fn from(narrator: Narrator) -> Self {
        Renderer::Story(Box::new(narrator))
    }
}
