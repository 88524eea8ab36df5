//! What a run came to, read from its events alone.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use super::plan::{Phase, Plan};
use crate::{
    event::{Event, Frame, Host, Question, Return, Sink, Value, What},
    run::{Frontend, NextAction, Prediction},
    view::{Bill, Side},
    wire::{flow::Flows, tcp::Segment},
};

/// Reads the events of a run, and hands them on.
pub(super) struct Reader<'a> {
    sink: &'a mut dyn Sink,
    plan: &'a Plan,
    pub side: Side,
    /// The first claim that did not hold.
    pub failed: Option<String>,
    from: Host,
    /// What the step under way is for.
    phase: Option<Phase>,
    steps: usize,
    flows: Flows,
    /// Between which ends the message goes, and the relative number of its first byte.
    base: Option<(SocketAddr, SocketAddr, u32)>,
    /// Calls under way.
    open: HashMap<u64, Open>,
    /// The client has asked for something since it last got something.
    asked: bool,
    /// When the server had the news, in microseconds of the run.
    news: Option<u64>,
}

/// A call under way.
struct Open {
    host: Host,
    call: String,
    phase: Option<Phase>,
}

impl<'a> Reader<'a> {
    pub fn new(plan: &'a Plan, from: Host, cable: bool, sink: &'a mut dyn Sink) -> Reader<'a> {
        Reader {
            sink,
            plan,
            side: Side { packets_seen: cable, ..Side::default() },
            failed: None,
            from,
            phase: None,
            steps: 0,
            flows: Flows::default(),
            base: None,
            open: HashMap::new(),
            asked: false,
            news: None,
        }
    }

    /// The bill of what is going on now.
    fn bill(&mut self) -> Option<&mut Bill> {
        match self.phase? {
            Phase::Open => Some(&mut self.side.opening),
            Phase::Talk => Some(&mut self.side.bill),
            Phase::Listen | Phase::News => Some(&mut self.side.news_bill),
            Phase::Idle => Some(&mut self.side.beat),
            Phase::Close => Some(&mut self.side.closing),
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let segment = Segment::parse(&frame.bytes);
        let seen = segment.as_ref().map(|segment| self.flows.see(segment));
        let payload = segment.as_ref().map_or(0, |segment| segment.payload.len());
        if let Some(bill) = self.bill() {
            bill.packets += 1;
            bill.on_the_wire += frame.bytes.len();
            bill.payload += payload;
        }
        let talks = self.phase == Some(Phase::Talk) && frame.from == self.from;
        if let (Some(seen), Some(segment), true, None) = (seen, segment, talks && payload > 0, frame.again) {
            let ends = (segment.source, segment.destination);
            let (source, destination, base) = *self.base.get_or_insert((ends.0, ends.1, seen.sequence));
            if ends == (source, destination) {
                let start = seen.sequence.wrapping_sub(base) as usize;
                self.side.segments.push(start..start + payload);
            }
        }
    }

    fn returned(&mut self, at: u64, back: &Return) {
        let Some(Open { host, call, phase }) = self.open.remove(&back.call) else { return };
        let Some(value) = &back.ok else { return };
        let end = |ranges: &[std::ops::Range<usize>]| ranges.last().map_or(0, |range| range.end);
        let talks = phase == Some(Phase::Talk);
        match (value, call.as_str()) {
            (Value::Count(count), "send" | "sendto") => {
                if let Some(bill) = self.bill() {
                    bill.sent += count;
                }
                if talks && host == self.from {
                    let start = end(&self.side.sends);
                    self.side.sends.push(start..start + count);
                }
                self.asked |= host == Host::Client;
            }
            (Value::Data(data), "recv" | "recvfrom") => {
                if talks && host != self.from {
                    let start = end(&self.side.recvs);
                    self.side.recvs.push(start..start + data.len());
                    self.side.bytes.extend_from_slice(data);
                }
                if host == Host::Client && !data.is_empty() {
                    self.side.round_trips +=
                        usize::from(phase == Some(Phase::Open) && std::mem::take(&mut self.asked));
                    if let (Some(Phase::News), Some(began)) = (self.phase, self.news) {
                        self.side.news = Some(Duration::from_micros(at.saturating_sub(began)));
                    }
                }
            }
            // SYN and SYN,ACK.
            (Value::Socket { .. }, "accept") if phase == Some(Phase::Open) => self.side.round_trips += 1,
            _ => {}
        }
    }
}

impl Sink for Reader<'_> {
    fn take(&mut self, event: &Event) {
        self.sink.take(event);
        match &event.what {
            What::Step(_) => {
                self.steps += 1;
                self.phase = self.plan.phase(self.steps);
            }
            What::Call(call) => {
                if self.phase == Some(Phase::News) {
                    self.news.get_or_insert(event.at);
                }
                if let Some(bill) = self.bill() {
                    bill.calls += call.syscalls.len();
                }
                let open = Open { host: call.host, call: call.call.clone(), phase: self.phase };
                self.open.insert(call.id, open);
            }
            What::Return(back) => self.returned(event.at, back),
            What::Frame(frame) => self.frame(frame),
            What::Check(check) if check.holds == Some(false) => {
                let _ = self.failed.get_or_insert_with(|| format!("{}: {}", check.text, check.observed));
            }
            _ => {}
        }
    }
}

impl Frontend for Reader<'_> {
    fn pause(&mut self) -> NextAction {
        NextAction::On
    }

    fn predict(&mut self, _: &Question) -> Prediction {
        Prediction::None
    }
}
