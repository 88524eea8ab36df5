//! A tap as a capture: pcapng, with packets made up around the bytes that passed.
//!
//! A program sees no packets. So that Wireshark can follow the streams all the same, each connection of a
//! client becomes one of packets: a handshake, a segment for each read (cut where it is too long), a FIN or a
//! RST. Addresses, bytes and times are true; numbers, windows, acknowledgments and the link are made up, and
//! the section's comment says so. What the tape left out is missing in the numbers too, as in a capture that
//! lost packets.

use std::{collections::HashMap, net::SocketAddr};

use crate::event::{Close, ConnectionEvent, ConnectionWhat, Event, Host, Run, What};
use crate::view::escape::escape;
use crate::wire::{
    frame::build,
    pcapng::{EnhancedPacket, Interface, SectionHeader},
    tcp::{Flags, Header},
};

/// Bytes of a segment: what fits into an IP datagram, and is a round number.
const LONGEST: usize = 32 << 10;

/// The window of every segment.
const WINDOW: u16 = u16::MAX;

/// Makes packets.
pub(in crate::view) struct TapCapture {
    /// Blocks that were not handed out yet.
    blocks: Vec<u8>,
    /// Nanoseconds from 1970 to the beginning.
    started: u64,
    connections: HashMap<u64, Connection>,
}

/// The packets of a connection so far.
struct Connection {
    /// The client, and where it called.
    addresses: [SocketAddr; 2],
    /// The next number of each end.
    next: [u32; 2],
}

impl TapCapture {
    /// Begins with the section and its interface.
    pub(in crate::view) fn new(run: &Run) -> Self {
        TapCapture { blocks: header(run), started: run.started.unwrap_or(0), connections: HashMap::new() }
    }

    /// Takes the next event, and returns the blocks that it adds.
    pub(in crate::view) fn take(&mut self, event: &Event) -> Vec<u8> {
        if let What::Connection(it) = &event.what {
            self.connection(event.at, it);
        }
        std::mem::take(&mut self.blocks)
    }

    fn connection(&mut self, at: u64, ConnectionEvent { stream: number, what, .. }: &ConnectionEvent) {
        let number = *number;
        match what {
            ConnectionWhat::Accepted { client, local: Some(local) } => {
                let connection = Connection { addresses: [*client, *local], next: [0, 0] };
                self.connections.insert(number, connection);
                self.packet(number, at, Host::Client, Flags::SYN, &[]);
                self.packet(number, at, Host::Server, Flags::SYN | Flags::ACK, &[]);
                self.packet(number, at, Host::Client, Flags::ACK, &[]);
            }
            ConnectionWhat::Read { from, offset, bytes, .. } => {
                if let Some(connection) = self.connections.get_mut(&number) {
                    connection.next[from.index()] = numbered(*offset);
                }
                for piece in bytes.chunks(LONGEST) {
                    self.packet(number, at, *from, Flags::PSH | Flags::ACK, piece);
                }
            }
            ConnectionWhat::ShutDown { from } => self.packet(number, at, *from, Flags::FIN | Flags::ACK, &[]),
            ConnectionWhat::Closed { how, .. } => {
                match how {
                    Close::Fin => {}
                    Close::Reset { from, .. } => self.packet(number, at, *from, Flags::RST | Flags::ACK, &[]),
                    Close::Stopped => self.packet(number, at, Host::Server, Flags::RST | Flags::ACK, &[]),
                }
                self.connections.remove(&number);
            }
            _ => {}
        }
    }

    fn packet(&mut self, number: u64, at: u64, from: Host, flags: Flags, payload: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let [source, destination] = [from, from.other()].map(|end| connection.addresses[end.index()]);
        let header = Header {
            sequence: connection.next[from.index()],
            acknowledgment: if flags.contains(Flags::ACK) {
                connection.next[from.other().index()]
            } else {
                0
            },
            flags,
            window: WINDOW,
            ..Header::new(source.port(), destination.port())
        };
        let marks = u32::from(flags.has_any(Flags::SYN | Flags::FIN));
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        connection.next[from.index()] = header.sequence.wrapping_add(length).wrapping_add(marks);
        let frame = build::tcp(source, destination, &header, payload);
        let packet = EnhancedPacket {
            interface: 0,
            time: self.started.saturating_add(at.saturating_mul(1000)),
            bytes: &frame,
            comment: None,
            direction: None,
        };
        packet.encode(&mut self.blocks);
    }
}

/// The number of the byte with so many before it: SYN has the number 0.
fn numbered(offset: u64) -> u32 {
    u32::try_from(offset.wrapping_add(1) & u64::from(u32::MAX)).unwrap_or_default()
}

fn header(run: &Run) -> Vec<u8> {
    let comment = format!(
        "tap {} {}: the bytes that passed between clients and the server, and when. The packets around them are made up: Ethernet, IP and TCP headers, numbers, acknowledgments, and where a segment ends.",
        escape(run.listen.as_deref().unwrap_or_default()),
        escape(run.target.as_deref().unwrap_or_default())
    );
    let application = format!("sockwalk {}", run.sockwalk);
    let section =
        SectionHeader { comment: &comment, system: &escape(&run.system), application: &escape(&application) };
    let mut blocks = Vec::new();
    section.encode(&mut blocks);
    Interface::ethernet().encode("tap", "the clients' side of the tap, with made-up packets", &mut blocks);
    blocks
}
