//! The same message over TCP and over a WebSocket, side by side: every byte with its name, where it was cut,
//! and what it cost.

mod bill;
mod bytes;
mod roads;
mod rulers;
mod sweep;

use std::{ops::Range, time::Duration};

use super::line::{Line, Meaning};
use super::look::Look;
use super::quote;
use crate::event::Host;

pub use roads::{Beat, Outcome, Road, Roads, roads};
pub use sweep::{Point, csv, svg, sweep};

/// What was sent, and what became of it over each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// All pieces of it once, one after the other.
    pub message: Vec<u8>,
    /// How many messages the WebSocket carried.
    pub messages: usize,
    /// Who sent it.
    pub from: Host,
    /// Over a plain connection.
    pub tcp: Side,
    /// Over a WebSocket.
    pub websocket: Side,
}

/// What one of both came to. Places are bytes of the sender's stream, counted from the first byte of the
/// first message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// What each send took.
    pub sends: Vec<Range<usize>>,
    /// What each segment carried; empty where no frame was seen.
    pub segments: Vec<Range<usize>>,
    /// What each recv gave.
    pub recvs: Vec<Range<usize>>,
    /// Header and payload of each WebSocket frame.
    pub frames: Vec<(Range<usize>, Range<usize>)>,
    /// The bytes, as the receiver's socket gave them.
    pub bytes: Vec<u8>,
    /// What the messages cost.
    pub bill: Bill,
    /// What it cost to get there: the connection, and the upgrade.
    pub opening: Bill,
    /// What it cost to bring the client a message that the server has.
    pub news_bill: Bill,
    /// What it costs to say nothing, once.
    pub beat: Bill,
    /// What it cost to end.
    pub closing: Bill,
    /// How often something had to go there and back before a message could go.
    pub round_trips: usize,
    /// From the moment at which the server had a message until the client had it; none if that was not tried.
    pub news: Option<Duration>,
    /// Whether there was a cable, on which packets are seen.
    pub packets_seen: bool,
}

/// What something cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bill {
    /// Bytes given to send.
    pub sent: usize,
    /// Bytes that segments carried, both ways, with those that were sent again.
    pub payload: usize,
    /// Packets, both ways.
    pub packets: usize,
    /// Bytes of the Ethernet frames, both ways.
    pub on_the_wire: usize,
    /// System calls of both ends.
    pub calls: usize,
}

/// All of it.
pub fn comparison(look: &Look, it: &Comparison) -> Vec<Line> {
    let from = it.from.name();
    let title = format!("{} from the {from}", quote(&it.message[..it.message.len().min(40)]));
    let dots = if it.message.len() > 40 { " …" } else { "" };
    let mut lines =
        vec![look.line(format!("{title}{dots}"), Meaning::Heading).indented(look.outdent()), Line::blank()];
    lines.extend(bytes::side_by_side(look, it));
    lines.push(Line::blank());
    lines.extend(rulers::rulers(look, it));
    lines.push(Line::blank());
    lines.extend(bill::bill(look, it));
    lines
}
