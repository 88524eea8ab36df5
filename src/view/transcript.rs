//! A run as a text: calls and frames, a line each, in the manner of packetdrill. `docs/transcript.md` says
//! how to read it.
//!
//! The same lesson gives the same text, run after run, but for the times, which have a column of their own.
//! So a line stands where it belongs, not where a clock would put it: within a step first its calls, each
//! with what it gave back and the frames that it caused, then what came back of earlier calls, then the
//! claims. Ports that the kernel picks are P1, P2 and so on. What a kernel tells all its neighbours now and
//! then (IPv6 multicast) is left out, and frames are counted without it.

use std::collections::BTreeMap;

use super::{bytes::glimpse, escape::escape, units};
use crate::event::{
    Became, Call, Check, End, Event, Fate, Frame, Host, Lesson, Return, Setting, Step, Value, What, Wire,
};
use crate::wire::{flow::Flows, tcp::Segment};

mod names;
mod segment;

use names::Names;

/// Width of the time column with its separator, in columns.
const TIME: usize = 12;

/// Maximum width of quoted received bytes, in columns.
const QUOTED: usize = 40;

/// Number of frames whose numbers are kept; beyond it, the oldest are dropped.
const REMEMBERED: usize = 20_000;

/// Builds the transcript of a run, step by step.
#[derive(Default)]
pub struct Transcript {
    names: Names,
    flows: Flows,
    /// Start of the step, in nanoseconds.
    since: u64,
    step: Scene,
    /// The line of the lesson, for the ports that it names.
    line: String,
    /// Calls that have not returned, by id: the host and the rendered request.
    open: BTreeMap<u64, (Host, String)>,
    /// Frames held on the cable or in flight.
    frames: BTreeMap<u64, Known>,
    /// Numbers of frames in the transcript, by their number in the trace.
    counted: BTreeMap<u64, u64>,
    /// Number of frames counted so far.
    count: u64,
}

/// The events of one step.
#[derive(Default)]
struct Scene {
    calls: Vec<Made>,
    crossed: Vec<Crossed>,
    returned: Vec<String>,
    remarks: Vec<String>,
}

/// A call of this step.
struct Made {
    id: u64,
    line: String,
    gave: Option<String>,
}

/// A line about a frame.
struct Crossed {
    number: u64,
    call: Option<u64>,
    again: Option<u64>,
    line: String,
    notes: Vec<String>,
    /// True if the notes already name the outcome of the frame.
    told: bool,
}

/// A frame that the transcript has numbered.
struct Known {
    from: String,
    to: String,
    what: String,
    last: Option<Became>,
}

impl Transcript {
    /// Consumes the next event and returns the lines that it completes.
    pub fn take(&mut self, event: &Event) -> String {
        let mut out = String::new();
        let at = event.at.saturating_mul(1000);
        match &event.what {
            What::Lesson(lesson) => {
                out = self.finish();
                *self = Transcript::default();
                out += &begins(lesson);
            }
            What::Part(part) => {
                out = self.close();
                out += &format!("\n// part {}: {}\n", part.number, escape(&part.title));
            }
            What::Step(step) => {
                out = self.close();
                out += &self.begin(step, at);
            }
            What::Call(call) => self.called(call, at),
            What::Return(back) => self.returned(back, at),
            What::Frame(frame) => self.came(frame),
            What::Fate(fate) => self.became(fate),
            What::Wire(wire) => self.done(wire),
            What::Setting(setting) => self.set(setting, at),
            What::Check(check) => self.step.remarks.push(claim(check)),
            What::End(end) => {
                out = self.close();
                out += &sum(end);
            }
            _ => {}
        }
        out
    }

    /// Returns the remaining lines after the last event.
    pub fn finish(&mut self) -> String {
        self.close()
    }

    fn begin(&mut self, step: &Step, at: u64) -> String {
        self.since = at;
        self.line.clone_from(&step.text);
        format!("\n// step {}: {}\n", step.number, escape(&step.text))
    }

    fn called(&mut self, call: &Call, at: u64) {
        if call.asked.is_empty() {
            return;
        }
        self.names.learn(&self.line, call);
        let asked = self.names.asked(&call.asked);
        let line = format!("{}{}$ {asked}", self.time(at), call.host);
        self.step.calls.push(Made { id: call.id, line, gave: None });
        self.open.insert(call.id, (call.host, asked));
    }

    fn returned(&mut self, back: &Return, at: u64) {
        let Some((host, asked)) = self.open.remove(&back.call) else { return };
        let gave = self.gave(back);
        match self.step.calls.iter_mut().find(|made| made.id == back.call) {
            Some(made) => made.gave = Some(gave),
            None => {
                let line = format!("{}{host}$ ... {asked}{gave}", self.time(at));
                self.step.returned.push(line);
            }
        }
    }

    /// ` = 0`, ` = -1 ECONNREFUSED (Connection refused)`
    fn gave(&mut self, back: &Return) -> String {
        let mut notes = Vec::new();
        let value = match (&back.ok, &back.errno) {
            (_, Some(errno)) => match &back.error {
                Some(words) => format!("-1 {errno} ({words})"),
                None => format!("-1 {errno}"),
            },
            (Some(Value::Socket { fd, peer, .. }), _) => {
                notes.extend(peer.as_ref().map(|peer| format!("from {}", self.names.address(peer))));
                fd.to_string()
            }
            (Some(Value::Count(count)), _) => count.to_string(),
            (Some(Value::Data(data)), _) => {
                notes.push(glimpse(data, QUOTED).replace('…', "..."));
                data.len().to_string()
            }
            (Some(Value::Datagram { bytes, length, from }), _) => {
                notes.push(glimpse(bytes, QUOTED).replace('…', "..."));
                notes.extend(from.as_ref().map(|from| format!("from {}", self.names.address(from))));
                length.to_string()
            }
            (Some(Value::Address(address)), _) => {
                notes.push(self.names.address(address));
                "0".to_owned()
            }
            (Some(Value::Number(number)), _) => {
                notes.push(number.to_string());
                "0".to_owned()
            }
            (Some(Value::Done | Value::Close { .. }), _) => "0".to_owned(),
            (None, None) => "?".to_owned(),
        };
        if back.deadline {
            notes.push("ended by the deadline".to_owned());
        }
        format!(" = {value}{}", comment(&notes))
    }

    fn came(&mut self, frame: &Frame) {
        if segment::is_housekeeping(&frame.bytes) {
            return;
        }
        let (from, to, what) = match Segment::parse(&frame.bytes) {
            Some(segment) => {
                let seen = self.flows.see(&segment);
                let from = format!("{}:{}", frame.from, self.names.port(segment.source.port()));
                let to = format!("{}:{}", frame.from.other(), self.names.port(segment.destination.port()));
                (from, to, segment::told(&segment, &seen, &frame.bytes))
            }
            None => segment::other(frame, &mut self.names),
        };
        let line = format!("{}{from} > {to} {what}", self.time(frame.ns));
        self.step.crossed.push(Crossed {
            number: frame.number,
            call: frame.call,
            again: frame.again,
            line,
            notes: Vec::new(),
            told: false,
        });
        self.frames.insert(frame.number, Known { from, to, what, last: None });
    }

    fn became(&mut self, it: &Fate) {
        let Some(known) = self.frames.get_mut(&it.frame) else { return };
        let before = known.last.replace(it.fate);
        if it.fate == Became::Folded {
            // The original frame stands for its repetitions: their number depends on timing.
            self.step.crossed.retain(|crossed| crossed.number != it.frame);
            self.frames.remove(&it.frame);
            return;
        }
        let word = match it.fate {
            Became::Held => Some("held".to_owned()),
            Became::Delivered => None,
            Became::Dropped => Some("dropped".to_owned()),
            Became::Duplicated => Some("twice".to_owned()),
            Became::Corrupted => Some("with a wrong bit".to_owned()),
            Became::Folded => Some("taken off".to_owned()),
            Became::Lost => Some("lost".to_owned()),
            Became::Delayed => Some(match it.delay_us {
                Some(us) => format!("delayed by {}", units::time(us.saturating_mul(1000)).replace('µ', "u")),
                None => "delayed".to_owned(),
            }),
        };
        let line = self.step.crossed.iter_mut().rev().find(|line| line.number == it.frame && !line.told);
        match line.filter(|_| before.is_none()) {
            Some(line) => {
                line.told = true;
                line.notes.extend(word);
            }
            None => self.later(it, before, word),
        }
        if !matches!(it.fate, Became::Held | Became::Delayed) {
            self.frames.remove(&it.frame);
        }
    }

    /// Records the outcome of a held frame.
    fn later(&mut self, it: &Fate, before: Option<Became>, word: Option<String>) {
        let time = self.time(it.ns);
        let Some(known) = self.frames.get(&it.frame) else { return };
        let waited = match before {
            Some(Became::Held) => Some("was held".to_owned()),
            Some(Became::Delayed) => Some("was delayed".to_owned()),
            _ => None,
        };
        let arrives = matches!(it.fate, Became::Delivered | Became::Duplicated | Became::Corrupted);
        let (from, to, what) = (&known.from, &known.to, &known.what);
        let line = if arrives {
            format!("{time}{to} < {from} {what}")
        } else {
            format!("{time}{from} > {to} {what}")
        };
        let notes = waited.into_iter().chain(word).collect();
        let number = it.frame;
        self.step.crossed.push(Crossed { number, call: None, again: None, line, notes, told: true });
    }

    fn done(&mut self, wire: &Wire) {
        if let Some(why) = &wire.failed {
            self.step.remarks.push(format!("// the cable: {}", escape(why)));
        }
    }

    fn set(&mut self, it: &Setting, at: u64) {
        let failed = it.failed.as_ref().map(|why| format!("failed: {why}"));
        let notes: Vec<String> = failed.into_iter().collect();
        let line =
            format!("{}{}$ `sysctl {}={}`{}", self.time(at), it.host, it.name, it.value, comment(&notes));
        self.step.returned.push(line);
    }

    /// `+0.000345   `: seconds since the step began.
    fn time(&self, ns: u64) -> String {
        let us = ns.saturating_sub(self.since) / 1000;
        let text = format!("+{}.{:06}", us / 1_000_000, us % 1_000_000);
        format!("{text:TIME$}")
    }

    /// Returns the number of the frame, in the order of first mention.
    fn counted(&mut self, number: u64) -> u64 {
        if self.counted.len() > REMEMBERED {
            self.counted.pop_first();
        }
        *self.counted.entry(number).or_insert_with(|| {
            self.count += 1;
            self.count
        })
    }

    /// Returns the lines of the finished step.
    fn close(&mut self) -> String {
        let scene = std::mem::take(&mut self.step);
        let place = |call: Option<u64>| scene.calls.iter().position(|made| Some(made.id) == call);
        // A frame follows the call that caused it, and its consequences follow the frame.
        let mut behind = scene.crossed.iter().find_map(|crossed| place(crossed.call));
        let mut crossed: Vec<(Option<usize>, String)> = Vec::new();
        for frame in &scene.crossed {
            behind = place(frame.call).max(behind);
            let again = frame.again.map(|first| format!("again #{}", self.counted(first)));
            let notes = std::iter::once(format!("#{}", self.counted(frame.number))).chain(again);
            let notes: Vec<String> = notes.chain(frame.notes.iter().cloned()).collect();
            crossed.push((behind, format!("{}{}", frame.line, comment(&notes))));
        }
        let mut lines = Vec::new();
        for (at, made) in scene.calls.iter().enumerate() {
            lines.push(format!("{}{}", made.line, made.gave.as_deref().unwrap_or(" ...")));
            lines.extend(
                crossed.iter().filter(|(behind, _)| *behind == Some(at)).map(|(_, line)| line.clone()),
            );
        }
        lines.extend(crossed.into_iter().filter(|(behind, _)| behind.is_none()).map(|(_, line)| line));
        lines.extend(scene.returned);
        lines.extend(scene.remarks);
        lines.into_iter().map(|line| format!("{}\n", escape(&line))).collect()
    }
}

fn begins(lesson: &Lesson) -> String {
    format!("// lesson {}: {}, on {}\n", escape(&lesson.name), escape(&lesson.title), escape(&lesson.stage))
}

fn claim(check: &Check) -> String {
    let verdict = match check.holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "cannot be seen here",
    };
    format!("// {verdict}: {}", escape(&check.text))
}

fn sum(end: &End) -> String {
    let left = if end.left { ", left before its end" } else { "" };
    format!("\n// end{left}: {}, {} failed\n", units::plural(end.checks, "check"), end.failed)
}

/// `  // #1, held`
fn comment(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!("  // {}", notes.join(", ")) }
}
