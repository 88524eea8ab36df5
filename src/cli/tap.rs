//! `sockwalk tap`: between a client and a server.

use std::{io::Write, process::ExitCode};

use anyhow::{Result, bail};

use super::{
    Screen,
    args::{Show, Tap},
    records,
    screen::Purpose,
};
use crate::{
    run::Audience,
    tap::{self, Onlooker, Wanted},
    view::{Line, TapLog, Tapped},
};

/// The screen, if it is one: nothing is shown where a file of the run is standard output.
struct Told {
    screen: Screen,
    log: TapLog,
    shows: bool,
}

/// Taps until Ctrl-C.
pub(super) fn run(asked: &Tap, show: &Show) -> Result<ExitCode> {
    if show.transcript.is_some() {
        bail!("--transcript records a lesson: it goes with a lesson, tour, run, check or replay");
    }
    // Its files are its own: what passes is no event of a lesson.
    let mine = Show { trace: None, pcap: None, ..show.clone() };
    let screen = Screen::new(&mine, Purpose::Live)?;
    records::apart(show)?;
    let open =
        |path: &Option<_>, what| -> Result<Option<Box<dyn Write>>> { records::open(path.as_deref(), what) };
    let wanted = Wanted {
        listen: asked.at.0.clone(),
        target: asked.target.0.clone(),
        connections: asked.connections.limit(),
        quiet: asked.quiet,
        trace: open(&show.trace, "trace")?,
        capture: open(&show.pcap, "capture")?,
    };
    let shows = ![&show.trace, &show.pcap].into_iter().flatten().any(|path| path.as_os_str() == "-");
    let log = TapLog::new(screen.look());
    let mut told = Told { screen, log, shows };
    tap::tap(wanted, &mut told)?;
    told.screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

impl Onlooker for Told {
    fn say(&mut self, text: &str) {
        if self.shows {
            self.screen.plain("");
            self.screen.say(text);
            self.screen.plain("");
        }
    }

    fn show(&mut self, all: &[Tapped]) {
        if self.shows {
            let lines: Vec<Line> = all.iter().flat_map(|one| self.log.lines(one)).collect();
            self.screen.print(&lines);
        }
    }

    fn stopped(&mut self) -> bool {
        self.screen.stopped()
    }
}
