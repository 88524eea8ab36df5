//! A tap as a capture: pcapng, with packets made up around the bytes that passed.
//!
//! A program sees no packets. So that Wireshark can follow the streams all the same, each connection of a client becomes one of
//! packets: a handshake, a segment for each read (cut where it is too long), a FIN or a RST. Addresses, bytes and times are true;
//! numbers, windows, acknowledgments and the link are made up, and the section's comment says so. What the tape left out is missing in
//! the numbers too, as in a capture that lost packets.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Write},
    net::SocketAddr,
    time::Duration,
};

use super::{Cut, End, News, tape::Entry};
use crate::{
    view::escape,
    wire::{
        frame::build,
        pcapng::{EnhancedPacket, Interface, SectionHeader},
        tcp::{Flags, Header},
    },
};

/// Bytes of a segment: what fits into an IP datagram, and is a round number.
const LONGEST: usize = 32 << 10;

/// The window of every segment.
const WINDOW: u16 = u16::MAX;

/// The file.
pub(super) struct Capture {
    out: BufWriter<Box<dyn Write>>,
    /// The block that is being written; kept for its memory.
    block: Vec<u8>,
    /// The first error; nothing is written after it.
    failed: Option<io::Error>,
    /// From 1970 to the beginning.
    started: Duration,
    connections: HashMap<u64, Connection>,
}

/// The packets of a connection so far.
struct Connection {
    /// The client, and where it called.
    addresses: [SocketAddr; 2],
    /// The next number of each end.
    next: [u32; 2],
}

impl Capture {
    /// Begins with the section and its interface.
    pub fn new(out: Box<dyn Write>, at: SocketAddr, target: &str, started: Duration) -> Capture {
        let mut capture = Capture {
            out: BufWriter::with_capacity(256 << 10, out),
            block: header(at, target),
            failed: None,
            started,
            connections: HashMap::new(),
        };
        capture.write();
        capture
    }

    /// Writes the packets of what happened.
    pub fn take(&mut self, (number, at, news): &Entry) {
        match news {
            News::Accepted { client, local: Some(local), .. } => {
                let connection = Connection { addresses: [*client, *local], next: [0, 0] };
                self.connections.insert(*number, connection);
                self.packet(*number, *at, End::Client, Flags::SYN, &[]);
                self.packet(*number, *at, End::Server, Flags::SYN | Flags::ACK, &[]);
                self.packet(*number, *at, End::Client, Flags::ACK, &[]);
            }
            News::Read { from, offset, bytes, .. } => {
                if let Some(connection) = self.connections.get_mut(number) {
                    connection.next[from.index()] = numbered(*offset);
                }
                for piece in bytes.chunks(LONGEST) {
                    self.packet(*number, *at, *from, Flags::PSH | Flags::ACK, piece);
                }
            }
            News::Ended { from } => self.packet(*number, *at, *from, Flags::FIN | Flags::ACK, &[]),
            News::Gone { cut, .. } => {
                if let Some(cut) = cut {
                    let from = match cut {
                        Cut::Reset(end, _) => *end,
                        Cut::Stopped => End::Server,
                    };
                    self.packet(*number, *at, from, Flags::RST | Flags::ACK, &[]);
                }
                self.connections.remove(number);
            }
            _ => {}
        }
    }

    /// What is written is in the file.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }

    /// Writes the block, unless writing has failed before.
    fn write(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.block).err();
        }
    }

    /// What has gone wrong with the file.
    pub fn failed(&self) -> Option<io::Error> {
        self.failed.as_ref().map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    fn packet(&mut self, number: u64, at: Duration, from: End, flags: Flags, payload: &[u8]) {
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
            time: u64::try_from((self.started + at).as_nanos()).unwrap_or(u64::MAX),
            bytes: &frame,
            comment: None,
            direction: None,
        };
        self.block.clear();
        packet.encode(&mut self.block);
        self.write();
    }
}

/// The number of the byte with so many before it: SYN has the number 0.
fn numbered(offset: u64) -> u32 {
    u32::try_from(offset.wrapping_add(1) & u64::from(u32::MAX)).unwrap_or_default()
}

fn header(at: SocketAddr, target: &str) -> Vec<u8> {
    let comment = format!(
        "tap {at} {}: the bytes that passed between clients and the server, and when. The packets around them are made up: Ethernet, IP and TCP headers, numbers, acknowledgments, and where a segment ends.",
        escape(target)
    );
    let section = SectionHeader {
        comment: &comment,
        system: std::env::consts::OS,
        application: concat!("sockwalk ", env!("CARGO_PKG_VERSION")),
    };
    let mut blocks = Vec::new();
    section.encode(&mut blocks);
    Interface::ethernet().encode("tap", "the clients' side of the tap, with made-up packets", &mut blocks);
    blocks
}
