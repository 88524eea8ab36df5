//! `sockwalk diff`: the same message over TCP and over a WebSocket, or by any road.

use std::{
    fs,
    io::{self, Read},
    ops::Range,
    process::ExitCode,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    Screen,
    args::{Diff, Show},
    screen::Purpose,
    stages::Stages,
};
use crate::{
    compare::{self, Also, Wanted},
    event::{Event, Sink},
    lesson::{self, Lesson},
    stage::Stage,
    transport::{api::Scripted, registry},
    view::{self, Bill, Comparison, Outcome, Point, Roads, Side},
};

/// The sizes of a sweep: each class of length at its ends (RFC 6455 §5.2), and a large one.
const SIZES: [usize; 7] = [0, 1, 125, 126, 65_535, 65_536, 1 << 20];

/// Events go to the trace, and nothing is narrated.
struct Recorder<'a>(&'a mut Screen);

impl Sink for Recorder<'_> {
    fn take(&mut self, event: &Event) {
        self.0.record(event);
    }
}

/// Sends it both ways and shows what that came to.
pub(super) fn run(asked: &Diff, show: &Show) -> Result<ExitCode> {
    let mut stages = Stages::new(show)?;
    let mut screen = Screen::new(show, Purpose::Check)?;
    if let Some(excuse) = stages.excuse()
        && !asked.json
    {
        screen.say(&excuse);
    }
    let from = asked.from.into();
    if asked.sweep {
        let mut points = Vec::new();
        for size in SIZES {
            let wanted = Wanted::new(&vec![b'x'; size], &[], asked.binary, 1, from)?;
            points.push(point(size, &compare(&wanted, &stages, &mut screen)?));
        }
        return tell_sweep(asked, &points, &mut screen);
    }
    let message = message(asked)?;
    let wanted = Wanted::new(&message, &asked.split, asked.binary, usize::from(asked.repeat), from)?;
    let wanted = Wanted { interval: asked.interval, ..wanted };
    if !asked.protocols.is_empty() {
        let protocols = protocols(&asked.protocols);
        let roads = compare::roads(&wanted, &protocols, stage(&stages), &mut Recorder(&mut screen))?;
        if asked.json {
            screen.plain(&roads_told(&roads).to_string());
        } else {
            let lines = view::roads(&screen.look(), &roads, show.depth.into());
            screen.print(&lines);
        }
        screen.failures()?;
        return Ok(ExitCode::SUCCESS);
    }
    let also = Also { fragments: asked.fragments.clone(), ping: asked.ping, close: asked.close.clone() };
    let comparison = compare(&wanted.with(also), &stages, &mut screen)?;
    if asked.json {
        screen.plain(&told(&comparison).to_string());
    } else {
        let lines = view::comparison(&screen.look(), &comparison);
        screen.print(&lines);
    }
    screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

fn compare(wanted: &Wanted, stages: &Stages, screen: &mut Screen) -> Result<Comparison> {
    Ok(compare::diff(wanted, stage(stages), &mut Recorder(screen))?)
}

/// A fresh stage for each run.
fn stage(stages: &Stages) -> impl FnMut(&Lesson) -> io::Result<Stage> {
    |lesson| stages.stage(lesson).map_err(|error| io::Error::other(format!("{error:#}")))
}

/// The protocols of these names, each once.
fn protocols(names: &[String]) -> Vec<(&'static str, &'static Scripted)> {
    let named = |name: &str| names.iter().any(|known| known == name);
    registry::scripted().filter(|(name, _)| named("all") || named(name)).collect()
}

/// What is to be sent: typed, or read.
fn message(asked: &Diff) -> Result<Vec<u8>> {
    let most = u64::try_from(compare::LARGEST)? + 1;
    let mut bytes = Vec::new();
    match (&asked.message, &asked.file) {
        (Some(text), _) if text != "-" => {
            return Ok(lesson::unescaped(text).unwrap_or_else(|fault| super::refuse(fault.to_string())));
        }
        (None, Some(path)) if path.as_os_str() != "-" => {
            let file = fs::File::open(path).with_context(|| format!("can't open {}", path.display()))?;
            file.take(most)
                .read_to_end(&mut bytes)
                .with_context(|| format!("can't read {}", path.display()))?;
        }
        _ => {
            let input = io::stdin().lock().take(most).read_to_end(&mut bytes);
            input.context("can't read the message from standard input")?;
        }
    }
    Ok(bytes)
}

fn point(size: usize, it: &Comparison) -> Point {
    let seen = it.tcp.packets_seen && it.websocket.packets_seen;
    Point {
        size,
        sent: (it.tcp.bill.sent, it.websocket.bill.sent),
        on_the_wire: seen.then_some((it.tcp.bill.on_the_wire, it.websocket.bill.on_the_wire)),
    }
}

fn tell_sweep(asked: &Diff, points: &[Point], screen: &mut Screen) -> Result<ExitCode> {
    if asked.json {
        let points: Vec<_> = points
            .iter()
            .map(|point| json!({"size": point.size, "tcp": point.sent.0, "websocket": point.sent.1, "overhead": point.overhead()}))
            .collect();
        screen.plain(&json!({ "sweep": points }).to_string());
    } else {
        let lines = view::sweep(&screen.look(), points);
        screen.print(&lines);
    }
    for (path, text) in [(&asked.csv, view::csv(points)), (&asked.svg, view::svg(points))] {
        if let Some(path) = path {
            fs::write(path, text).with_context(|| format!("can't write {}", path.display()))?;
        }
    }
    screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

/// The comparison as JSON.
fn told(it: &Comparison) -> Value {
    json!({
        "message": hex(&it.message),
        "messages": it.messages,
        "from": it.from.name(),
        "tcp": side_told(&it.tcp),
        "websocket": side_told(&it.websocket),
    })
}

/// All roads as JSON.
fn roads_told(it: &Roads) -> Value {
    let protocols: Vec<Value> = it
        .roads
        .iter()
        .map(|road| {
            let mut told = json!({ "protocol": road.name, "over": road.over });
            let more = match &road.outcome {
                Outcome::Cannot(why) => json!({ "cannot": why }),
                Outcome::Carried { side, layers, beat } => {
                    let seen = side.packets_seen;
                    let mut told = side_told(side);
                    let more = json!({
                        "layers": layers.iter().map(|layer| json!({"protocol": layer.protocol, "bytes": hex(&layer.bytes)})).collect::<Vec<_>>(),
                        "round_trips_before": side.round_trips,
                        "news_after_us": side.news.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
                        "news": bill_told(&side.news_bill, seen),
                        "beat": bill_told(&side.beat, seen),
                        "beat_every_ms": beat.map(|beat| u64::try_from(beat.every.as_millis()).unwrap_or(u64::MAX)),
                        "idle_bytes_a_minute": beat.map(|beat| beat.minute(&side.beat, seen)),
                        "closing": bill_told(&side.closing, seen),
                    });
                    extend(&mut told, more);
                    told
                }
            };
            extend(&mut told, more);
            told
        })
        .collect();
    json!({
        "message": hex(&it.message),
        "messages": it.messages,
        "from": it.from.name(),
        "protocols": protocols,
    })
}

fn extend(told: &mut Value, more: Value) {
    if let (Value::Object(told), Value::Object(more)) = (told, more) {
        told.extend(more);
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn bill_told(bill: &Bill, seen: bool) -> Value {
    let packets = |number: usize| if seen { json!(number) } else { json!(null) };
    json!({
        "sent": bill.sent,
        "tcp_payload": packets(bill.payload),
        "packets": packets(bill.packets),
        "on_the_wire": packets(bill.on_the_wire),
        "system_calls": bill.calls,
    })
}

fn side_told(side: &Side) -> Value {
    let ranges = |ranges: &[Range<usize>]| -> Vec<[usize; 2]> {
        ranges.iter().map(|range| [range.start, range.end]).collect()
    };
    json!({
        "bytes": hex(&side.bytes),
        "sends": ranges(&side.sends),
        "segments": if side.packets_seen { json!(ranges(&side.segments)) } else { json!(null) },
        "recvs": ranges(&side.recvs),
        "frames": side.frames.iter().map(|(header, payload)| json!({"header": [header.start, header.end], "payload": [payload.start, payload.end]})).collect::<Vec<_>>(),
        "bill": bill_told(&side.bill, side.packets_seen),
        "opening": bill_told(&side.opening, side.packets_seen),
    })
}
