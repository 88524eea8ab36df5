//! The files that a run is written to as it happens: the trace, the capture, the transcript.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};

use super::args::Show;
use crate::{
    event::{Event, Writer},
    view::{Capture, Transcript},
};

/// Size of the buffer of a file, in bytes; it is flushed after each event, or after each batch of a tap.
const BUFFER: usize = 256 << 10;

/// A file, or standard output, and what has gone wrong with it.
struct Output {
    out: Box<dyn Write>,
    failed: Option<io::Error>,
}

/// Where events are recorded.
#[derive(Default)]
pub(super) struct Records {
    trace: Option<Writer<Box<dyn Write>>>,
    capture: Option<(Capture, Output)>,
    transcript: Option<(Transcript, Output)>,
    /// One of them is written to standard output, so that nothing else may be.
    take_stdout: bool,
}

impl Records {
    /// Opens the files that were asked for.
    pub fn open(show: &Show) -> Result<Records> {
        let to_stdout = apart(show)?;
        Ok(Records {
            trace: open(show.trace.as_deref(), "trace")?.map(Writer::new),
            capture: open(show.pcap.as_deref(), "capture")?.map(|out| (Capture::default(), Output::new(out))),
            transcript: open(show.transcript.as_deref(), "transcript")?
                .map(|out| (Transcript::default(), Output::new(out))),
            take_stdout: to_stdout,
        })
    }

    /// Whether standard output is taken.
    pub fn take_stdout(&self) -> bool {
        self.take_stdout
    }

    /// Writes what an event adds, so that a run that is killed leaves all that happened.
    pub fn take(&mut self, event: &Event) {
        self.write(event);
        self.flush();
    }

    /// Hands what was written to the system.
    pub fn flush(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.flush();
        }
        let outputs =
            [self.capture.as_mut().map(|it| &mut it.1), self.transcript.as_mut().map(|it| &mut it.1)];
        outputs.into_iter().flatten().for_each(Output::flush);
    }

    /// Writes what an event adds, into a buffer.
    pub fn write(&mut self, event: &Event) {
        if let Some(trace) = &mut self.trace {
            trace.write(event);
        }
        if let Some((capture, output)) = &mut self.capture {
            output.write(&capture.take(event));
        }
        if let Some((transcript, output)) = &mut self.transcript {
            output.write(transcript.take(event).as_bytes());
        }
    }

    /// Writes what is left: no more events come.
    pub fn finish(&mut self) {
        if let Some((capture, output)) = &mut self.capture {
            output.write(&capture.finish());
        }
        if let Some((transcript, output)) = &mut self.transcript {
            output.write(transcript.finish().as_bytes());
        }
        self.flush();
    }

    /// The first that could not be written, by name, and why.
    pub fn failure(&self) -> Option<(&'static str, &io::Error)> {
        let trace = self.trace.as_ref().and_then(Writer::failure);
        let capture = self.capture.as_ref().and_then(|(_, output)| output.failed.as_ref());
        let transcript = self.transcript.as_ref().and_then(|(_, output)| output.failed.as_ref());
        [("trace", trace), ("capture", capture), ("transcript", transcript)]
            .into_iter()
            .find_map(|(name, error)| Some((name, error?)))
    }
}

/// Whoever leaves early, for whatever reason, leaves whole files.
impl Drop for Records {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Output {
    fn new(out: Box<dyn Write>) -> Output {
        Output { out, failed: None }
    }

    /// After the first error nothing is written.
    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() && !bytes.is_empty() {
            self.failed = self.out.write_all(bytes).err();
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }
}

/// Refuses two files in one. True if one of them is standard output.
pub(super) fn apart(show: &Show) -> Result<bool> {
    let asked = [&show.trace, &show.pcap, &show.transcript];
    let to_stdout = asked.iter().filter(|path| path.as_deref().is_some_and(is_stdout)).count();
    if to_stdout > 1 {
        bail!("only one of --trace, --pcap and --transcript can be written to standard output");
    }
    let mut files: Vec<_> = asked.into_iter().flatten().collect();
    files.sort();
    if files.windows(2).any(|pair| pair[0] == pair[1]) {
        bail!("--trace, --pcap and --transcript need a file each");
    }
    Ok(to_stdout > 0)
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A file, or standard output.
pub(super) fn open(path: Option<&Path>, what: &str) -> Result<Option<Box<dyn Write>>> {
    Ok(match path {
        None => None,
        Some(path) if is_stdout(path) => Some(Box::new(BufWriter::with_capacity(BUFFER, io::stdout()))),
        Some(path) => {
            let file = File::create(path)
                .with_context(|| format!("can't write the {what} to {}", path.display()))?;
            Some(Box::new(BufWriter::with_capacity(BUFFER, file)))
        }
    })
}
