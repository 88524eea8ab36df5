//! Shapes of arrows: what became of a frame, as a drawing and a word.

use super::Crossing;
use crate::event::{Became, Host};
use crate::view::line::Meaning;
use crate::view::units::time;

/// The shape of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view) enum Arrow {
    /// It crosses.
    Crosses,
    /// It goes on from the middle, where it has waited.
    GoesOn,
    /// It ends at this sign.
    Stops(&'static str),
    /// It arrives twice.
    Double,
    /// It arrives with a wrong bit.
    Broken,
    /// It arrives slowly.
    Slow,
}

impl Crossing {
    /// How it is drawn, a word beside it, and what both mean.
    pub fn arrow(&self) -> (Arrow, Option<String>, Meaning) {
        match self.fate {
            Some(Became::Held) => (Arrow::Stops("▌"), Some("held".into()), Meaning::Changed),
            Some(Became::Dropped) => (Arrow::Stops("✗"), Some("dropped".into()), Meaning::Fails),
            Some(Became::Folded) if self.repeated > 0 => (Arrow::Stops("✗"), None, Meaning::Quiet),
            Some(Became::Folded) => (Arrow::Stops("✗"), Some("taken off".into()), Meaning::Quiet),
            Some(Became::Lost) => (Arrow::Stops("✗"), Some("lost: the cable is cut".into()), Meaning::Fails),
            Some(Became::Duplicated) => (Arrow::Double, Some("twice".into()), Meaning::Changed),
            Some(Became::Corrupted) => {
                let bit = self.bit.map(|bit| format!("bit {bit} is wrong"));
                (Arrow::Broken, bit, Meaning::Fails)
            }
            Some(Became::Delayed) => {
                let takes = self.delay_us.map(|us| format!("takes {}", time(us.saturating_mul(1000))));
                (if self.arrived { Arrow::Slow } else { Arrow::Stops("…") }, takes, Meaning::State)
            }
            _ if self.waited => (Arrow::GoesOn, None, Meaning::State),
            _ => (Arrow::Crosses, None, Meaning::State),
        }
    }

    /// What became of it, for a sentence: `it has arrived`.
    pub fn became(&self) -> &'static str {
        match self.fate {
            Some(Became::Delivered) if self.waited => "it has waited, and now it has arrived",
            Some(Became::Held) if self.waited => "it still waits on the cable",
            Some(Became::Held) => "it waits on the cable",
            Some(Became::Delivered) => "it has arrived",
            Some(Became::Dropped) => "it was dropped",
            Some(Became::Folded) => "it came again and was taken off, as another frame still waits",
            Some(Became::Duplicated) => "it has arrived twice",
            Some(Became::Corrupted) => "it has arrived with a wrong bit",
            Some(Became::Lost) => "it is lost, as the cable is cut",
            Some(Became::Delayed) if self.arrived => "it was slow, and has arrived",
            Some(Became::Delayed) => "it is on its way",
            None => "",
        }
    }
}

impl Arrow {
    /// The sign that the line is drawn with.
    pub fn stroke(self) -> &'static str {
        match self {
            Arrow::Double => "═",
            Arrow::Slow | Arrow::Stops("…") => "┄",
            _ => "─",
        }
    }

    /// The sign at its end, if it comes to the other side.
    pub fn head(from: Host) -> &'static str {
        match from {
            Host::Client => "▶",
            Host::Server => "◀",
        }
    }

    /// So many columns, in the direction away from `from`.
    pub fn draw(self, width: usize, from: Host) -> String {
        let (line, head) = (self.stroke(), Arrow::head(from));
        let half = width.saturating_sub(1) / 2;
        // From the sender on; turned round for the server.
        let mut pieces: Vec<&str> = match self {
            Arrow::Stops(sign) => [vec![line; half], vec![sign]].concat(),
            Arrow::GoesOn => {
                [vec!["·"; half], vec![line; width.saturating_sub(half + 1)], vec![head]].concat()
            }
            Arrow::Broken => {
                [vec![line; half], vec!["✗"], vec![line; width.saturating_sub(half + 2)], vec![head]].concat()
            }
            _ => [vec![line; width.saturating_sub(1)], vec![head]].concat(),
        };
        if from == Host::Server {
            pieces.reverse();
        }
        pieces.concat()
    }
}
