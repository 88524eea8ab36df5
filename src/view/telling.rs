//! The ways in which a run can be shown while it happens.

use super::{Depth, Ladder, Line, Look, Narrator, States, StreamView};
use crate::event::{Event, Question, What};

/// Which of them.
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

/// Shows a run in one of them: events in, lines out.
#[derive(Debug)]
pub enum Teller {
    /// The story.
    Story(Box<Narrator>),
    /// The ladder.
    Ladder(Box<Ladder>),
    /// The diagram.
    States(Box<States>),
    /// A run that is no lesson.
    Stream(Box<StreamView>),
}

impl Teller {
    /// Begins such a view in this look. The story tells each frame so deep.
    pub fn new(look: Look, view: View, depth: Depth) -> Self {
        match view {
            View::Story => Narrator::new(look).deep(depth).into(),
            View::Ladder => Teller::Ladder(Box::new(Ladder::new(look))),
            View::States => Teller::States(Box::new(States::new(look))),
        }
    }

    /// Takes the next event and gives the lines that it adds.
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        if let (What::Run(run), Teller::Story(story)) = (&event.what, &*self) {
            *self = Teller::Stream(Box::new(StreamView::new(story.look(), story.depth(), run)));
        }
        match self {
            Teller::Story(story) => story.show(event),
            Teller::Ladder(ladder) => ladder.show(event),
            Teller::States(states) => states.show(event),
            Teller::Stream(stream) => stream.show(event),
        }
    }

    /// Gives out what is held back, where a step is over.
    pub fn settle(&mut self) -> Vec<Line> {
        match self {
            Teller::Story(story) => story.settle(),
            Teller::Ladder(ladder) => ladder.settle(),
            Teller::States(states) => states.settle(),
            Teller::Stream(_) => Vec::new(),
        }
    }

    /// A question that somebody is asked, where the view has left it out.
    pub fn question(&self, question: &Question) -> Vec<Line> {
        match self {
            Teller::Story(_) | Teller::Stream(_) => Vec::new(),
            Teller::Ladder(ladder) => ladder.question(question),
            Teller::States(states) => states.question(question),
        }
    }
}

impl From<Narrator> for Teller {
    fn from(narrator: Narrator) -> Self {
        Teller::Story(Box::new(narrator))
    }
}
