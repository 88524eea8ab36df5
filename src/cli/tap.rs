//! `sockwalk tap`: between a client and a server.

use std::process::ExitCode;

use anyhow::Result;

use super::{
    Screen,
    args::{Show, Tap},
    screen::Purpose,
};
use crate::{
    event::Event,
    run,
    tap::{self, TapFrontend, Wanted},
};

/// Taps until Ctrl-C.
pub(super) fn run(asked: &Tap, show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Tap)?;
    let wanted = Wanted {
        listen: asked.at.0.clone(),
        target: asked.target.0.clone(),
        connections: asked.connections.limit(),
        quiet: asked.quiet,
        records: show.trace.is_some() || show.pcap.is_some(),
    };
    tap::tap(&wanted, &mut screen)?;
    screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

impl TapFrontend for Screen {
    fn say(&mut self, text: &str) {
        self.say(text);
    }

    fn show(&mut self, events: &[Event]) {
        self.take_all(events);
    }

    fn record(&mut self, events: &[Event]) {
        self.record_all(events);
    }

    fn failed(&self) -> bool {
        self.is_broken() || self.files_failed()
    }

    fn stopped(&mut self) -> bool {
        run::Frontend::stopped(self)
    }
}
