//! Standard input, line by line, for somebody who does other things meanwhile.

use std::{
    io::{self, BufRead, Read},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::run::Input;

/// A longer line is cut into several.
const LONGEST: u64 = 1 << 20;

/// How many lines are read ahead.
const AHEAD: usize = 16;

/// Lines that a thread of its own reads. The thread ends with the input, or with the process.
pub(super) struct Lines {
    lines: Receiver<String>,
}

impl Lines {
    /// Begins to read.
    pub fn start() -> io::Result<Lines> {
        let (sender, lines) = mpsc::sync_channel(AHEAD);
        thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let mut line = Vec::new();
                match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
                if sender.send(text).is_err() {
                    return;
                }
            }
        })?;
        Ok(Lines { lines })
    }

    /// The next line, if it comes within `most`.
    pub fn next(&self, most: Duration) -> Input {
        match self.lines.recv_timeout(most) {
            Ok(line) => Input::Line(line),
            Err(RecvTimeoutError::Timeout) => Input::Nothing,
            Err(RecvTimeoutError::Disconnected) => Input::End,
        }
    }
}
