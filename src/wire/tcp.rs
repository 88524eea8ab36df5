//! TCP: a stream of bytes, numbered and acknowledged (RFC 9293).
//!
//! ```text
//! Source Port(16) Destination Port(16) | Sequence Number(32) | Acknowledgment Number(32)
//! DOffset(4) Rsrvd(3) AE CWR ECE URG ACK PSH RST SYN FIN | Window(16)
//! Checksum(16) Urgent Pointer(16) | options, padded to 32 bits
//! ```
//!
//! All numbers are big-endian. DOffset counts 4 bytes.

use super::{
    checksum::{Sum, Verdict, without},
    ip::{Datagram, protocol},
    reading::Reading,
};

mod flags;
mod options;
mod seen;
mod segment;
#[cfg(test)]
mod tests;

pub use flags::Flags;
pub use options::{OptionError, Options, each, kind, known};
pub(crate) use options::{SackBlocks, TcpOption, encode_options};
pub use seen::{Remark, Seen};
pub use segment::Segment;

const HEADER: &str = "RFC 9293 §3.1";

/// Bytes of a header without options.
pub(crate) const SHORTEST: usize = 20;

/// A TCP header without the computed fields data offset and checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The source port.
    pub source: u16,
    /// The destination port.
    pub destination: u16,
    /// The sequence number of the first byte, or of SYN.
    pub sequence: u32,
    /// The acknowledgment number: the next byte expected. Valid if ACK is set.
    pub acknowledgment: u32,
    /// The reserved bits and the flags: bits 4 to 15 of the word.
    pub flags: Flags,
    /// The window, not scaled.
    pub window: u16,
    /// The end of urgent data. Valid if URG is set.
    pub urgent: u16,
    /// The options; [`Self::encode`] pads them with zeros to a multiple of 4 bytes.
    pub options: &'a [TcpOption<'a>],
}

impl Header<'_> {
    /// Returns a header with the ports and nothing else set.
    pub fn new(source: u16, destination: u16) -> Self {
        Header {
            source,
            destination,
            sequence: 0,
            acknowledgment: 0,
            flags: Flags::NONE,
            window: 0,
            urgent: 0,
            options: &[],
        }
    }

    /// Returns the segment: this header and the payload, with the checksum over the pseudo-header.
    ///
    /// Options beyond 40 bytes are left out. Addresses of two families have no pseudo-header: the checksum is
    /// then of the segment alone.
    pub fn encode(&self, source: std::net::IpAddr, destination: std::net::IpAddr, payload: &[u8]) -> Vec<u8> {
        let options = encode_options(self.options);
        let length = SHORTEST + options.len();
        let words = u16::try_from(length / 4).expect("at most 60 bytes");
        let mut bytes = Vec::with_capacity(length + payload.len());
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledgment.to_be_bytes());
        bytes.extend((words << 12 | self.flags.bits()).to_be_bytes());
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.urgent.to_be_bytes());
        bytes.extend(options);
        bytes.extend(payload);
        let start = Sum::pseudo_header(source, destination, protocol::TCP, bytes.len()).unwrap_or_default();
        let checksum = without(start, &bytes, 16);
        bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

/// Decodes the header up to the payload. `seen` is what the conversation knows about this segment.
pub(super) fn fields(r: &mut Reading, datagram: &Datagram, seen: Option<&Seen>) -> Option<()> {
    let start = r.at();
    // A quoted datagram has another segment than the one that `seen` describes.
    let seen = seen.filter(|_| !r.is_quoted());
    r.u16("Source Port", "the port of the sender", HEADER)?;
    r.u16("Destination Port", "the port that is meant", HEADER)?;
    let sequence =
        r.u32("Sequence Number", "the number of the first byte carried, or of SYN or FIN", HEADER)?;
    if let Some(seen) = seen {
        r.value(format!("{sequence} [relative {}]", seen.sequence));
        if let Some(remark) = seen.remark {
            r.note(&remark.words());
        }
    }
    let acknowledgment = r.u32("Acknowledgment Number", "", HEADER)?;
    let acknowledges = r.rest().get(1).is_some_and(|byte| byte & 0x10 != 0);
    r.meaning(if acknowledges {
        "the number of the next byte that the sender awaits: all before have come"
    } else {
        "counts only if ACK is set"
    });
    if let Some(relative) = seen.and_then(|seen| seen.acknowledgment) {
        r.value(format!("{acknowledgment} [relative {relative}]"));
    }
    let offset = usize::from(r.small(4, "DOffset", "", HEADER)?);
    let length = offset * 4;
    r.meaning(format!("the header's length in units of 4 bytes: {offset} × 4 = {length}"));
    let here = r.since(start).len();
    if length < SHORTEST {
        r.note("wrong: a header has at least 20 bytes");
    } else if length > here {
        r.note(&format!("cut off: claims {} bytes more than are here", length - here));
    }
    control_bits(r)?;
    let window = r.u16("Window", "how many more bytes the sender is able to take", HEADER)?;
    if let Some(seen) = seen {
        let syn = r.since(start).get(13).is_some_and(|byte| byte & 0x02 != 0);
        scaled_window(r, window, seen, syn);
    }
    checksum(r, start, datagram)?;
    let urgent = r.bits(16, "Urgent Pointer", "counts only if URG is set", "RFC 9293 §3.8.5")?;
    if urgent != 0 && r.since(start).get(13).is_some_and(|byte| byte & 0x20 != 0) {
        r.meaning("urgent data end so many bytes after the first byte carried");
    }
    r.within(length.saturating_sub(SHORTEST), "DOffset", |r| options::fields(r, seen));
    Some(())
}

fn control_bits(r: &mut Reading) -> Option<()> {
    const ECN: &str = "RFC 3168 §6.1";
    let reserved = r.small(3, "Rsrvd", "reserved: sent as 0", HEADER)?;
    if reserved != 0 {
        r.meaning("reserved: should be 0");
    }
    r.flag(
        "AE",
        "accurate ECN: part of a counter, or asks for it",
        "accurate ECN, formerly NS: not used",
        "RFC 9768 §3",
    )?;
    r.flag(
        "CWR",
        "congestion window reduced: the sender slowed down",
        "nothing to say about congestion",
        ECN,
    )?;
    r.flag("ECE", "congestion was marked on the way; with SYN: knows ECN", "no congestion to report", ECN)?;
    r.flag("URG", "the urgent pointer counts", "no urgent data", HEADER)?;
    r.flag(
        "ACK",
        "the acknowledgment number counts",
        "nothing is acknowledged: only the first SYN and some RST",
        HEADER,
    )?;
    r.flag("PSH", "hand over to the program what has come, without waiting for more", "no hurry", HEADER)?;
    r.flag("RST", "the connection is broken off, or there is none", "no reset", HEADER)?;
    r.flag("SYN", "begins a connection: the sequence numbers start here", "not the beginning", HEADER)?;
    r.flag("FIN", "the sender has no more data", "more may follow", HEADER)?;
    Some(())
}

fn scaled_window(r: &mut Reading, window: u16, seen: &Seen, syn: bool) {
    match (seen.window, seen.window_shift) {
        (Some(scaled), Some(shift)) if shift > 0 => {
            r.value(format!("{window} [scaled {scaled}]"));
            r.note(&format!("{window} × 2^{shift} = {scaled}, as both SYNs agreed"));
        }
        (Some(_), _) if syn => r.note("that of a SYN is never scaled"),
        (Some(_), _) => r.note("not scaled: that needs both SYNs to offer it, and more than 0"),
        (None, _) => r.note("the scale is not known, as the SYNs were not seen"),
    }
}

fn checksum(r: &mut Reading, start: usize, datagram: &Datagram) -> Option<()> {
    let found = r.u16("Checksum", "", HEADER)?;
    r.value(format!("{found:#06x}"));
    let bytes = r.since(start);
    let meaning = match Sum::pseudo_header(datagram.source, datagram.destination, protocol::TCP, bytes.len())
    {
        Some(sum) if datagram.whole => {
            Verdict::of(found, sum, bytes, 16).words("pseudo-header, header and data")
        }
        _ => "can't be verified: the segment is not all here".into(),
    };
    r.meaning(meaning);
    Some(())
}
