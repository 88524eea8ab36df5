//! What was said? Packets become connections, connections streams of bytes, those HTTP, WebSocket frames and
//! messages.
//!
//! [`Decoder`] takes packets one by one and emits [`StreamEvent`]s as soon as they are known; it does no I/O.
//! What it holds at any time is bounded by [`Limits`], whatever the packets claim: what had to be let go is
//! told too. Streams are numbered from 0 in the order of their first packets, as Wireshark's `tcp.stream`
//! does.

use std::{collections::VecDeque, net::SocketAddr};

use crate::event::{
    StreamEvent, StreamWhat,
    stream::{Address, Ends, Packet as SeenPacket, Tcp, Time},
};
use crate::wire::{ip::Datagram, tcp::Segment};

mod connection;
mod stream;
mod table;

use connection::Connection;
use table::Table;

use super::capture::{NotTakenApart, Packet};
pub use super::conversation::{Limits, Options, may_be_above};
use super::conversation::{Shared, Teller};

/// Makes conversations of packets.
#[derive(Debug)]
pub struct Decoder {
    shared: Shared,
    table: Table,
    connections: Vec<Connection>,
    /// Places in `connections` in the order in which they were taken: the first is let go first.
    order: VecDeque<u32>,
    /// The number of the next stream.
    streams: u64,
    last: Option<(SocketAddr, SocketAddr, u32)>,
    time: Option<u64>,
    packet: u64,
}

impl Decoder {
    /// With nothing seen.
    pub fn new(options: Options) -> Self {
        Decoder {
            shared: Shared::new(options),
            table: Table::default(),
            connections: Vec::new(),
            order: VecDeque::new(),
            streams: 0,
            last: None,
            time: None,
            packet: 0,
        }
    }

    /// Takes the next packet and tells what it brought.
    ///
    /// # Errors
    ///
    /// [`NotTakenApart`] for a packet of a link that is not known; others may follow all the same.
    pub fn push(&mut self, packet: &Packet, tell: &mut dyn FnMut(&StreamEvent)) -> Result<(), NotTakenApart> {
        let network = packet.link.network(packet.bytes)?;
        (self.time, self.packet) = (packet.time, packet.number);
        let datagram = Datagram::at_start(&packet.bytes[network.at..]).map(|datagram| {
            let payload = datagram.payload.start + network.at..datagram.payload.end + network.at;
            Datagram { payload, ..datagram }
        });
        let segment = datagram.as_ref().and_then(|datagram| Segment::of(packet.bytes, datagram));
        let index = segment.as_ref().map(|segment| self.place(segment, tell));
        let stream = index.map(|index| self.connections[index].number());
        let what = StreamWhat::Packet(seen(packet, datagram.as_ref(), segment.as_ref()));
        tell(&StreamEvent { stream, packet: Some(self.packet), time: self.time.map(Time), what });
        if let (Some(segment), Some(index)) = (&segment, index) {
            let claimed = table::claimed_payload(packet, network.at, segment);
            let stream = self.connections[index].number();
            let mut teller = Teller { time: self.time, packet: Some(self.packet), stream, tell };
            self.connections[index].take(segment, packet.bytes, claimed, &mut self.shared, &mut teller);
        }
        Ok(())
    }

    /// There are no more packets: tells what was still waited for.
    pub fn finish(&mut self, tell: &mut dyn FnMut(&StreamEvent)) {
        let mut connections = std::mem::take(&mut self.connections);
        connections.sort_by_key(Connection::number);
        for connection in &mut connections {
            let mut teller =
                Teller { time: self.time, packet: Some(self.packet), stream: connection.number(), tell };
            connection.finish(&mut self.shared, &mut teller);
        }
        self.table = Table::default();
        self.order.clear();
        self.last = None;
    }

    /// Bytes that are held now for connections, without the connections themselves.
    pub fn held(&self) -> usize {
        self.shared.budget.used()
    }

    /// How many connections have been seen.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// The place of the segment's connection: a new one if it is the first, or begins the ports anew.
    fn place(&mut self, segment: &Segment, tell: &mut dyn FnMut(&StreamEvent)) -> usize {
        let ends = (segment.source, segment.destination);
        let known = match self.last {
            Some((a, b, index)) if (a, b) == ends || (b, a) == ends => Some(index),
            _ => self.table.find(ends),
        };
        if let Some(index) = known {
            self.last = Some((ends.0, ends.1, index));
            if !self.connections[index as usize].is_begun_anew(segment) {
                return index as usize;
            }
        }
        let full = self.order.len() >= self.shared.options.limits.connections.max(1);
        let index = match known {
            Some(index) => index,
            None if full => {
                let index = self.order.pop_front().expect("at least one connection is there");
                self.table.remove(self.connections[index as usize].ends());
                self.order.push_back(index);
                index
            }
            None => {
                let index =
                    u32::try_from(self.connections.len()).expect("no more connections than the limit");
                self.order.push_back(index);
                index
            }
        };
        let connection = Connection::new(self.streams, segment);
        self.streams += 1;
        match self.connections.get_mut(index as usize) {
            // The old one ends here, with what it still held.
            Some(old) => {
                let mut teller =
                    Teller { time: self.time, packet: Some(self.packet), stream: old.number(), tell };
                old.finish(&mut self.shared, &mut teller);
                *old = connection;
            }
            None => self.connections.push(connection),
        }
        self.table.insert(ends, index);
        self.last = Some((ends.0, ends.1, index));
        index as usize
    }
}

/// What is told of a packet itself.
fn seen(packet: &Packet, datagram: Option<&Datagram>, segment: Option<&Segment>) -> SeenPacket {
    let ends = match (segment, datagram) {
        (Some(segment), _) => Some((Address::Socket(segment.source), Address::Socket(segment.destination))),
        (None, Some(datagram)) => Some((Address::Ip(datagram.source), Address::Ip(datagram.destination))),
        (None, None) => None,
    };
    SeenPacket {
        link: packet.link.0,
        length: packet.bytes.len() as u64,
        original: packet.original,
        truncated: packet.is_truncated(),
        ends: ends.map(|(source, destination)| Ends { source, destination }),
        tcp: segment.map(|segment| Tcp {
            flags: segment.flags,
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
