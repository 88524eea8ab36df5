//! Stages: where a lesson runs, as the person asked and as the machine allows.

use anyhow::{Context, Result, bail};

use super::args::{Packets, Show, Where};
use crate::{
    lesson::Lesson,
    stage::{CableOptions, Stage, Timers, Unavailable, prepare_cable},
};

/// Makes stages for lessons.
pub(super) struct Stages {
    wanted: Where,
    cable: Result<(), Unavailable>,
    /// A person takes their time.
    patient: bool,
    /// It was said why there is no cable.
    said: bool,
}

impl Stages {
    /// To be made while the process has one thread: that is what a cable needs.
    ///
    /// # Errors
    /// If a cable is wanted and can't be had.
    pub fn new(show: &Show) -> Result<Stages> {
        let cable = match show.stage {
            Where::Loopback if show.packets == Packets::Step => {
                bail!("--packets step needs the cable, and --stage loopback has none")
            }
            Where::Loopback => {
                return Ok(Stages { wanted: Where::Loopback, cable: Ok(()), patient: false, said: true });
            }
            Where::Auto | Where::Cable => prepare_cable(),
        };
        if (show.stage == Where::Cable || show.packets == Packets::Step)
            && let Err(why) = &cable
        {
            bail!("no cable can be had here: {why}. {}", why.remedy);
        }
        Ok(Stages { wanted: show.stage, cable, patient: false, said: false })
    }

    /// A person steps: the kernels' timers are stretched as far as can be.
    pub fn be_patient(&mut self) {
        self.patient = true;
    }

    /// Why there is no cable, to be said once; `None` if there is one, if none is wanted, or if it was said.
    pub fn excuse(&mut self) -> Option<String> {
        let why = self.cable.as_ref().err().filter(|_| !std::mem::replace(&mut self.said, true))?;
        Some(format!(
            "No cable here: {why}. Lessons run on loopback. `sockwalk doctor` says what would change that."
        ))
    }

    /// Whether a lesson can run here.
    pub fn fits(&self, lesson: &Lesson) -> bool {
        lesson.front.stage != "cable" || (self.wanted != Where::Loopback && self.cable.is_ok())
    }

    /// A fresh stage for a lesson.
    ///
    /// # Errors
    /// If it needs a cable and there is none; if threads can't be started.
    pub fn stage(&self, lesson: &Lesson) -> Result<Stage> {
        let name = &lesson.front.lesson;
        let needs = lesson.front.stage == "cable";
        match &self.cable {
            _ if needs && self.wanted == Where::Loopback => {
                bail!("the lesson {name} needs a cable between two hosts: leave --stage loopback out")
            }
            Err(why) if needs => {
                bail!(
                    "the lesson {name} needs a cable between two hosts, and there is none: {why}. {}",
                    why.remedy
                )
            }
            Ok(()) if self.wanted != Where::Loopback && lesson.front.stage != "loopback" => {
                let is = |word: &str| lesson.front.cable.iter().any(|known| known == word);
                let options = CableOptions {
                    timers: if self.patient { Timers::Stretched } else { Timers::Default },
                    known_neighbours: !is("unknown-neighbours"),
                    raw_sockets: is("raw-sockets"),
                    ping_sockets: is("ping-sockets"),
                };
                Stage::cable(options)
                    .map_err(|why| anyhow::anyhow!("can't lay a cable: {why}. {}", why.remedy))
            }
            _ => Stage::loopback().context("can't start the threads of the two hosts"),
        }
    }
}
