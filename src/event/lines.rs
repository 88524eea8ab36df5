//! Events as JSON Lines: one event a line, each line whole before the next begins.

use std::io::{self, BufRead, Write};

use serde::Serialize;

use super::{Event, Sink, StreamEvent};

/// Writes events as they happen, each flushed, so that a run that is killed leaves all that happened.
pub struct Writer<W: Write> {
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`. Don't buffer it: every event is one write of one line.
    pub fn new(out: W) -> Self {
        Writer { out, failed: None }
    }

    /// Writes an event without flushing, for many at once into a buffer.
    pub fn write(&mut self, event: &Event) {
        if self.failed.is_some() {
            return;
        }
        let mut line = serde_json::to_vec(event).expect("events are plain data with string keys");
        line.push(b'\n');
        self.failed = self.out.write_all(&line).err();
    }

    /// Flushes what was written.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }

    /// The first error met, if any: from then on nothing was written.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }
}

impl<W: Write> Sink for Writer<W> {
    fn take(&mut self, event: &Event) {
        self.write(event);
        self.flush();
    }
}

/// A stream event as a line of the trace, without being made an [`Event`]: its bytes are still borrowed.
#[derive(Serialize)]
struct StreamLine<'a> {
    at: u64,
    event: &'static str,
    #[serde(flatten)]
    stream: &'a StreamEvent<'a>,
}

/// Writes a stream event as a line, if the trace has such events.
///
/// # Errors
///
/// Fails with the error of the writer.
pub fn write_stream(out: &mut impl Write, at: u64, stream: &StreamEvent) -> io::Result<()> {
    if !stream.is_recorded() {
        return Ok(());
    }
    serde_json::to_writer(&mut *out, &StreamLine { at, event: "stream", stream })?;
    out.write_all(b"\n")
}

/// Why a trace can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file itself.
    #[error("line {line} can't be read")]
    Io {
        /// Counted from 1.
        line: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is no event.
    #[error("line {line} is no event of a sockwalk trace")]
    NotAnEvent {
        /// Counted from 1.
        line: usize,
        /// What the JSON reader expected.
        source: serde_json::Error,
    },
    /// A line longer than any that is ever written.
    #[error("line {line} is longer than {limit} bytes: this is no trace of sockwalk's")]
    TooLong {
        /// Counted from 1.
        line: usize,
        /// In bytes.
        limit: u64,
    },
}

/// The longest line that is read, in bytes: an event carries at most what one call received.
const LONGEST_LINE: u64 = 64 << 20;

/// Reads events back, one at a time.
///
/// A last line that was cut off in the middle (the run was killed) ends the trace without an error.
pub struct Reader<R: BufRead> {
    from: R,
    line: usize,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Reader { from, line: 0 }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            self.line += 1;
            let line = self.line;
            match io::Read::take(&mut self.from, LONGEST_LINE).read_until(b'\n', &mut bytes) {
                Err(source) => return Some(Err(ReadError::Io { line, source })),
                Ok(0) => return None,
                Ok(n) if n as u64 == LONGEST_LINE && bytes.last() != Some(&b'\n') => {
                    return Some(Err(ReadError::TooLong { line, limit: LONGEST_LINE }));
                }
                Ok(_) => {}
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        let whole = bytes.last() == Some(&b'\n');
        match serde_json::from_slice(&bytes) {
            Ok(event) => Some(Ok(event)),
            Err(_) if !whole && self.line > 1 => None,
            Err(source) => Some(Err(ReadError::NotAnEvent { line: self.line, source })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn some_events() -> Vec<Event> {
        vec![
            Event { at: 1, what: What::Narration { markdown: "Hello.".into() } },
            Event {
                at: 2,
                what: What::Return(Return {
                    call: 7,
                    ok: Some(Value::Data(b"h\x00\xff".to_vec())),
                    errno: None,
                    error: None,
                    ns: 12,
                    deadline: false,
                }),
            },
            Event { at: 3, what: What::End(End { checks: 2, failed: 1, not_seen: 0, left: false }) },
        ]
    }

    fn written(events: &[Event]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        events.iter().for_each(|event| writer.take(event));
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let events = some_events();
        let bytes = written(&events);
        assert_eq!(bytes.iter().filter(|&&b| b == b'\n').count(), events.len());
        let back: Vec<Event> = Reader::new(&bytes[..]).map(Result::unwrap).collect();
        assert_eq!(back, events);
    }

    #[test]
    fn bytes_are_hex_and_the_kind_is_named() {
        let text = String::from_utf8(written(&some_events())).unwrap();
        assert!(text.contains(r#""event":"return""#), "{text}");
        assert!(text.contains(r#""ok":{"data":"6800ff"}"#), "{text}");
    }

    #[test]
    fn a_cut_off_last_line_ends_the_trace_quietly() {
        let bytes = written(&some_events());
        let back: Vec<_> = Reader::new(&bytes[..bytes.len() - 5]).collect();
        assert_eq!(back.len(), 2);
        assert!(back.iter().all(Result::is_ok));
    }

    #[test]
    fn a_line_that_is_no_event_is_named_by_number() {
        let error = Reader::new(&b"\n{\"at\":1}\n"[..]).next().unwrap().unwrap_err();
        assert!(error.to_string().starts_with("line 2 is no event"), "{error}");
    }

    #[test]
    fn a_full_disk_is_remembered() {
        struct Full;
        impl std::io::Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut writer = Writer::new(Full);
        writer.take(&some_events()[0]);
        assert_eq!(writer.failure().unwrap().kind(), std::io::ErrorKind::StorageFull);
    }
}
