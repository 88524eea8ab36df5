//! The bill: what the messages cost over each, and what it cost to get there.

use super::{Bill, Comparison};
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::sentence;
use crate::view::units::{plural, thousands};

/// Columns of the names and of each number.
const NAME: usize = 24;
const NUMBER: usize = 14;

/// A row: its name, how it is read off a bill, and whether it takes a cable to see it.
type Row = (&'static str, fn(&Bill) -> usize, bool);

const ROWS: [Row; 5] = [
    ("bytes given to send", |bill| bill.sent, false),
    ("TCP payload", |bill| bill.payload, true),
    ("packets", |bill| bill.packets, true),
    ("bytes on the wire", |bill| bill.on_the_wire, true),
    ("system calls", |bill| bill.calls, false),
];

pub(super) fn bill(look: &Look, it: &Comparison) -> Vec<Line> {
    let seen = it.tcp.packets_seen && it.websocket.packets_seen;
    let message = it.tcp.bytes.len();
    if look.linear() {
        let mut lines = Vec::new();
        for (name, of, cable) in ROWS.iter().filter(|(.., cable)| seen || !cable) {
            let _ = cable;
            let text = format!(
                "{name}: {} over TCP, {} over the WebSocket; to get there, {} and {}.",
                thousands(of(&it.tcp.bill) as u64),
                thousands(of(&it.websocket.bill) as u64),
                thousands(of(&it.tcp.opening) as u64),
                thousands(of(&it.websocket.opening) as u64)
            );
            lines.extend(sentence(look, super::super::sentences::capital(&text), Meaning::Prose));
        }
        lines.extend(sentence(look, share(it), Meaning::Prose));
        return lines;
    }
    let row = |name: &str, cells: [String; 3], meaning: Meaning| {
        let mut line = look.line(name, Meaning::Label);
        line.pad(NAME);
        for cell in cells {
            let blank = NUMBER.saturating_sub(cell.chars().count());
            line.space(blank);
            line.push(look.span(cell, meaning));
        }
        line.indented(look.indent())
    };
    let number = |number: usize| thousands(number as u64);
    let difference = |tcp: usize, websocket: usize| match websocket.checked_sub(tcp) {
        Some(0) => "–".to_owned(),
        Some(more) => format!("+{}", thousands(more as u64)),
        None => format!("−{}", thousands((tcp - websocket) as u64)),
    };
    let table = |title: &str, tcp: &Bill, websocket: &Bill| {
        let heads = ["TCP", "WebSocket", "more"].map(str::to_owned);
        let mut lines = vec![row(title, heads, Meaning::Strong)];
        for (name, of, _) in ROWS.iter().filter(|(.., cable)| seen || !cable) {
            let (one, other) = (of(tcp), of(websocket));
            lines.push(row(name, [number(one), number(other), difference(one, other)], Meaning::State));
        }
        lines
    };
    let mut lines = table("the bill", &it.tcp.bill, &it.websocket.bill);
    lines.insert(
        1,
        row("bytes of the message", [number(message), number(message), "–".to_owned()], Meaning::State),
    );
    lines.push(Line::blank());
    lines.extend(table("once, to get there", &it.tcp.opening, &it.websocket.opening));
    lines.push(Line::blank());
    lines.extend(crate::view::markdown(look, &share(it)));
    if seen {
        let acks = "*Packets are counted with their ACKs: when a kernel sends one is its own choice (RFC 9293 §3.8.6.3), so their number differs from run to run.*";
        lines.extend(crate::view::markdown(look, acks));
    } else {
        lines.extend(crate::view::markdown(
            look,
            "*Packets are not seen on loopback: they are on the cable.*",
        ));
    }
    lines
}

/// After how many messages the upgrade is small change.
fn share(it: &Comparison) -> String {
    let messages = it.messages.max(1);
    let frame = it.websocket.bill.sent.saturating_sub(it.tcp.bill.sent);
    let upgrade = it.websocket.opening.sent.saturating_sub(it.tcp.opening.sent);
    let each = frame.div_ceil(messages);
    let even = if each == 0 { 0 } else { upgrade.div_ceil(each) };
    format!(
        "A WebSocket adds {} to each message here, and once {} for the upgrade: {} of that a message after 10 of them, {} after 1,000. \
         After {} the upgrade has cost less than the frames have.",
        plural(each, "byte"),
        plural(upgrade, "byte"),
        per(upgrade, 10),
        per(upgrade, 1000),
        plural(even + 1, "message"),
    )
}

/// `31.6 bytes`
fn per(bytes: usize, messages: usize) -> String {
    let tenths = bytes * 10 / messages;
    format!("{}.{} bytes", thousands((tenths / 10) as u64), tenths % 10)
}
