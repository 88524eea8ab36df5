//! Which records and views the events of a run suffice for; and where they do not, what is missing and what
//! to do.

use super::{
    args::{Show, Shown, Where},
    screen::Purpose,
};
use crate::event::{Command, Run};

/// What the events of a run are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Calls, sockets and, on the cable, frames.
    Lesson,
    /// Calls and sockets of the open machine.
    Calls,
    /// Bytes that a tap read.
    Tap,
    /// What is in a capture.
    Capture,
    /// What one end of a protocol says of itself.
    End,
    /// A list or a report: there is no run.
    Nothing,
}

impl About {
    pub(super) fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Course | Purpose::File | Purpose::Check | Purpose::Replay => About::Lesson,
            Purpose::Live | Purpose::Talk => About::Calls,
            Purpose::Tap => About::Tap,
            Purpose::Decode => About::Capture,
            Purpose::Serve | Purpose::Client => About::End,
            Purpose::Report => About::Nothing,
        }
    }

    pub(super) fn of_run(run: &Run) -> Self {
        match run.command {
            Command::Decode => About::Capture,
            Command::Tap => About::Tap,
            Command::Serve | Command::Client => About::End,
        }
    }
}

/// What is missing for an option that was given, and what to do: a sentence. `None` if the events suffice for
/// all.
pub(super) fn missing(about: About, show: &Show) -> Option<&'static str> {
    if about == About::Nothing && show.trace.is_some() {
        return Some(
            "--trace records a run: it goes with a lesson, tour, run, check, a live command, tap, serve, client, decode or diff",
        );
    }
    if show.pcap.is_some() && !matches!(about, About::Lesson | About::Tap) {
        return Some(match about {
            About::Calls => {
                "--pcap needs packets, and a program sees none of its own: put `sockwalk tap` in between with --pcap, or record with tcpdump"
            }
            About::Capture => "--pcap needs packets, and a capture has them already: copy the file",
            About::End => {
                "--pcap needs all bytes that cross, and these events have the first of each unit: put `sockwalk tap` in between with --pcap"
            }
            _ => "--pcap records packets: it goes with a lesson, tour, run, check, tap or replay",
        });
    }
    if show.transcript.is_some() && !matches!(about, About::Lesson | About::Calls) {
        return Some(match about {
            About::Tap => {
                "--transcript needs calls and frames, and a tap sees bytes: use --trace or --pcap, or --transcript on one of the two ends"
            }
            About::Capture => {
                "--transcript needs calls, and a capture has only what crossed: use --json, or --transcript with a lesson"
            }
            About::End => {
                "--transcript needs calls and frames, and these events are about messages: use --trace, or --transcript with connect, accept or websocket"
            }
            _ => {
                "--transcript records calls and frames: it goes with a lesson, tour, run, check, a live command or replay"
            }
        });
    }
    if show.view != Shown::Story && !matches!(about, About::Lesson | About::Calls) {
        return Some(match about {
            About::Nothing => {
                "--view shows a run: it goes with a lesson, tour, run, a live command or replay"
            }
            _ => {
                "--view needs the calls and states of both sockets, and these events have only what crossed: leave it out, or use it with a lesson"
            }
        });
    }
    None
}

/// What goes with the events of a lesson, but not with this way to run it.
pub(super) fn not_here(purpose: Purpose, show: &Show) -> Option<&'static str> {
    if purpose == Purpose::Check && show.view != Shown::Story {
        return Some("--view shows a run: it goes with a lesson, tour, run, a live command or replay");
    }
    if purpose == Purpose::Replay && show.trace.is_some() {
        return Some("--trace records a run, and a replay has its trace already: copy the file");
    }
    let asked = show.pcap.is_some() && show.stage == Where::Loopback && purpose != Purpose::Replay;
    asked.then_some("--pcap records the frames on the cable, and --stage loopback has none")
}
