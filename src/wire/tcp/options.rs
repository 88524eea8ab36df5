//! The options of a TCP header, bit by bit (RFC 9293 §3.1, 7323, 2018, 7413, 5482).

use super::Seen;
use crate::wire::reading::Reading;

const OPTIONS: &str = "RFC 9293 §3.1";

/// Option kinds (RFC 9293 §3.2 and the registry of IANA).
pub mod kind {
    /// End of Option List.
    pub(crate) const END: u8 = 0;
    /// No-Operation.
    pub(crate) const NO_OPERATION: u8 = 1;
    /// Maximum Segment Size.
    pub(crate) const MAXIMUM_SEGMENT_SIZE: u8 = 2;
    /// Window Scale.
    pub(crate) const WINDOW_SCALE: u8 = 3;
    /// SACK Permitted.
    pub(crate) const SACK_PERMITTED: u8 = 4;
    /// SACK.
    pub(crate) const SACK: u8 = 5;
    /// Timestamps.
    pub(crate) const TIMESTAMPS: u8 = 8;
    /// User Timeout.
    pub(crate) const USER_TIMEOUT: u8 = 28;
    /// Fast Open Cookie.
    pub(crate) const FAST_OPEN: u8 = 34;
}

/// The blocks of a SACK option: at most four fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SackBlocks {
    blocks: [(u32, u32); 4],
    count: usize,
}

impl SackBlocks {
    /// Keeps the first four of `blocks`.
    pub fn new(blocks: &[(u32, u32)]) -> Self {
        let mut all = SackBlocks::default();
        for (place, block) in all.blocks.iter_mut().zip(blocks) {
            *place = *block;
            all.count += 1;
        }
        all
    }

    /// Returns the blocks: sequence number of the first byte, and of the byte after the last.
    pub fn as_slice(&self) -> &[(u32, u32)] {
        &self.blocks[..self.count]
    }
}

/// An option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// End of Option List: no option follows.
    End,
    /// No-Operation: padding between options.
    NoOperation,
    /// The largest segment that the sender accepts, in bytes of data.
    MaximumSegmentSize(u16),
    /// Number of bits by which the sender's windows are shifted.
    WindowScale(u8),
    /// The sender understands SACK.
    SackPermitted,
    /// Data received beyond the acknowledgment number.
    Sack(SackBlocks),
    /// The sender's clock, and the last value received of the peer's.
    Timestamps {
        /// TSval.
        value: u32,
        /// TSecr.
        echo: u32,
    },
    /// How long data may stay unacknowledged before the connection is aborted.
    UserTimeout {
        /// True if the unit is minutes, else seconds.
        minutes: bool,
        /// The number of units, 15 bits.
        timeout: u16,
    },
    /// A cookie, or the request for one if it is empty.
    FastOpen(&'a [u8]),
    /// Any other option, or a known one with a wrong length.
    Other {
        /// The kind.
        kind: u8,
        /// The bytes after kind and length.
        data: &'a [u8],
    },
}

/// An option with a length that cannot be right, so that the options after it cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionError {
    /// Its kind.
    pub kind: u8,
    /// Its length byte, if the header has one.
    pub length: Option<u8>,
}

/// An iterator over the options in the bytes after the fixed header. Does not allocate.
#[derive(Debug, Clone)]
pub struct Options<'a>(&'a [u8]);

/// Returns the options in `bytes`. The iterator ends after End of Option List and after a malformed option.
pub fn each(bytes: &[u8]) -> Options<'_> {
    Options(bytes)
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<TcpOption<'a>, OptionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        let (&kind, rest) = bytes.split_first()?;
        match kind {
            kind::END => return Some(Ok(TcpOption::End)),
            kind::NO_OPERATION => {
                self.0 = rest;
                return Some(Ok(TcpOption::NoOperation));
            }
            _ => {}
        }
        let Some((&length, rest)) = rest.split_first() else {
            return Some(Err(OptionError { kind, length: None }));
        };
        let Some((data, rest)) =
            usize::from(length).checked_sub(2).and_then(|length| rest.split_at_checked(length))
        else {
            return Some(Err(OptionError { kind, length: Some(length) }));
        };
        self.0 = rest;
        Some(Ok(typed(kind, data)))
    }
}

fn typed(kind: u8, data: &[u8]) -> TcpOption<'_> {
    match (kind, data) {
        (kind::MAXIMUM_SEGMENT_SIZE, [a, b]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([*a, *b])),
        (kind::WINDOW_SCALE, [shift]) => TcpOption::WindowScale(*shift),
        (kind::SACK_PERMITTED, []) => TcpOption::SackPermitted,
        (kind::SACK, data) if matches!(data.len(), 8 | 16 | 24 | 32) => {
            let mut blocks = SackBlocks::default();
            for block in data.chunks_exact(8) {
                blocks.blocks[blocks.count] = (number(&block[..4]), number(&block[4..]));
                blocks.count += 1;
            }
            TcpOption::Sack(blocks)
        }
        (kind::TIMESTAMPS, data) if data.len() == 8 => {
            TcpOption::Timestamps { value: number(&data[..4]), echo: number(&data[4..]) }
        }
        (kind::USER_TIMEOUT, [a, b]) => {
            let word = u16::from_be_bytes([*a, *b]);
            TcpOption::UserTimeout { minutes: word & 0x8000 != 0, timeout: word & 0x7fff }
        }
        (kind::FAST_OPEN, data) => TcpOption::FastOpen(data),
        (kind, data) => TcpOption::Other { kind, data },
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Returns the bytes of options, padded with zeros to a multiple of 4. Options beyond 40 bytes are left out.
pub(crate) fn encode_options(options: &[TcpOption]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40);
    for option in options {
        let before = bytes.len();
        encode(option, &mut bytes);
        if bytes.len() > 40 {
            bytes.truncate(before);
            break;
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn encode(option: &TcpOption, bytes: &mut Vec<u8>) {
    match *option {
        TcpOption::End => bytes.push(kind::END),
        TcpOption::NoOperation => bytes.push(kind::NO_OPERATION),
        TcpOption::MaximumSegmentSize(size) => {
            with_length(bytes, kind::MAXIMUM_SEGMENT_SIZE, &size.to_be_bytes());
        }
        TcpOption::WindowScale(shift) => with_length(bytes, kind::WINDOW_SCALE, &[shift]),
        TcpOption::SackPermitted => with_length(bytes, kind::SACK_PERMITTED, &[]),
        TcpOption::Sack(blocks) => {
            let edges = blocks.as_slice().iter().flat_map(|(left, right)| [*left, *right]);
            let data: Vec<u8> = edges.flat_map(u32::to_be_bytes).collect();
            with_length(bytes, kind::SACK, &data);
        }
        TcpOption::Timestamps { value, echo } => {
            with_length(bytes, kind::TIMESTAMPS, &[value.to_be_bytes(), echo.to_be_bytes()].concat());
        }
        TcpOption::UserTimeout { minutes, timeout } => {
            let word = u16::from(minutes) << 15 | timeout & 0x7fff;
            with_length(bytes, kind::USER_TIMEOUT, &word.to_be_bytes());
        }
        TcpOption::FastOpen(cookie) => with_length(bytes, kind::FAST_OPEN, cookie),
        TcpOption::Other { kind, data } => with_length(bytes, kind, data),
    }
}

fn with_length(bytes: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let length = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
    bytes.extend([kind, length]);
    bytes.extend(data);
}

/// Returns the name of an option kind, its purpose, and its section.
pub fn known(kind: u8) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match kind {
        kind::END => ("End of Option List", "no option follows", OPTIONS),
        kind::NO_OPERATION => {
            ("No-Operation", "fills up, so that the next option begins where it should", OPTIONS)
        }
        kind::MAXIMUM_SEGMENT_SIZE => {
            ("Maximum Segment Size", "how much data the sender takes in one segment", "RFC 9293 §3.7.1")
        }
        kind::WINDOW_SCALE => ("Window Scale", "makes windows over 65,535 bytes possible", "RFC 7323 §2.2"),
        kind::SACK_PERMITTED => {
            ("SACK-Permitted", "the sender understands selective acknowledgments", "RFC 2018 §2")
        }
        kind::SACK => ("SACK", "what has come though something before it is missing", "RFC 2018 §3"),
        kind::TIMESTAMPS => {
            ("Timestamps", "measures the round trip, and tells old segments from new ones", "RFC 7323 §3.2")
        }
        19 => ("MD5 Signature", "proves that a segment is from a known peer", "RFC 2385 §3"),
        kind::USER_TIMEOUT => (
            "User Timeout",
            "how long data may stay unacknowledged before the sender gives up",
            "RFC 5482 §3",
        ),
        29 => ("TCP-AO", "proves that a segment is from a known peer", "RFC 5925 §2.2"),
        30 => ("Multipath TCP", "one stream over several ways", "RFC 8684 §3"),
        kind::FAST_OPEN => {
            ("Fast Open Cookie", "lets a SYN carry data to a server that knows this client", "RFC 7413 §4.1")
        }
        69 => ("Encryption Negotiation", "agrees on encryption below the program", "RFC 8547 §4.1"),
        172 => ("Accurate ECN Order 0", "counters of congestion marks", "RFC 9768 §3.2.3"),
        174 => ("Accurate ECN Order 1", "counters of congestion marks", "RFC 9768 §3.2.3"),
        253 | 254 => ("Experiment", "for trials; the first 2 bytes say whose", "RFC 6994 §3"),
        _ => return None,
    })
}

/// Decodes options up to the limit.
pub(super) fn fields(r: &mut Reading, seen: Option<&Seen>) {
    while r.left() > 0 {
        // After `None` all remaining bytes have been consumed.
        if option(r, seen).is_none() {
            break;
        }
    }
}

fn option(r: &mut Reading, seen: Option<&Seen>) -> Option<()> {
    let kind = r.rest()[0];
    let (symbol, meaning, section) = match known(kind) {
        Some((symbol, meaning, section)) => (Some(symbol), meaning, section),
        None => (None, "not known to this decoder; who doesn't know an option skips it", OPTIONS),
    };
    r.u8("Kind", meaning, section)?;
    r.symbol(symbol);
    match kind {
        kind::END => {
            r.all("Padding", "fills the header up to a multiple of 4 bytes", OPTIONS);
            return Some(());
        }
        kind::NO_OPERATION => return Some(()),
        _ => {}
    }
    let length = usize::from(r.u8("Length", "kind, length and data, in bytes", section)?);
    let Some(data) = length.checked_sub(2) else {
        r.meaning("wrong: kind and length alone are 2 bytes; what follows can't be told apart");
        r.all("options", "not told apart", OPTIONS);
        return None;
    };
    if data > r.left() {
        r.note(&format!("wrong: claims {} bytes more than the header has", data - r.left()));
        r.all("option data", "cut off: Length claims more", section);
        return None;
    }
    r.within(data, "Length", |r| {
        body(r, kind, data, section, seen)?;
        r.all("option data", "not known to this decoder", section);
        Some(())
    });
    Some(())
}

fn body(r: &mut Reading, kind: u8, length: usize, section: &'static str, seen: Option<&Seen>) -> Option<()> {
    let possible = match kind {
        kind::MAXIMUM_SEGMENT_SIZE | kind::USER_TIMEOUT => length == 2,
        kind::WINDOW_SCALE => length == 1,
        kind::SACK_PERMITTED => length == 0,
        kind::SACK => matches!(length, 8 | 16 | 24 | 32),
        kind::TIMESTAMPS => length == 8,
        _ => true,
    };
    if !possible {
        r.note("wrong: this option can't be so long");
        return Some(());
    }
    match kind {
        kind::MAXIMUM_SEGMENT_SIZE => {
            r.u16("MSS", "bytes of data in one segment, without the headers", section)?;
        }
        kind::WINDOW_SCALE => {
            let shift = r.u8("shift.cnt", "", section)?;
            r.meaning(match shift {
                0..=14 => format!("the sender's later windows count 2^{shift} = {} bytes", 1u32 << shift),
                _ => "wrong: at most 14, so it is taken for 14".into(),
            });
        }
        kind::SACK => {
            while r.left() > 0 {
                edge(r, "Left Edge", "the first byte of a block that has come", section, seen)?;
                edge(r, "Right Edge", "the byte after the last of that block", section, seen)?;
            }
        }
        kind::TIMESTAMPS => {
            r.u32("TSval", "the sender's clock when this was sent", section)?;
            r.u32("TSecr", "the other's clock, as last heard: sent back, so that it can measure", section)?;
        }
        kind::USER_TIMEOUT => {
            r.flag("G", "the number counts minutes", "the number counts seconds", section)?;
            r.bits(15, "User Timeout", "how long the sender waits for an acknowledgment", section)?;
        }
        kind::FAST_OPEN if length == 0 => r.note("empty: asks for a cookie"),
        kind::FAST_OPEN => r.all("Cookie", "made by the server for this client's address", section),
        253 | 254 if length >= 2 => {
            let id = r.u16("ExID", "which experiment", section)?;
            r.value(format!("{id:#06x}"));
        }
        _ => {}
    }
    Some(())
}

fn edge(
    r: &mut Reading,
    name: &'static str,
    meaning: &'static str,
    section: &'static str,
    seen: Option<&Seen>,
) -> Option<()> {
    let number = r.u32(name, meaning, section)?;
    if let Some(base) = seen.and_then(|seen| seen.other_base) {
        r.value(format!("{number} [relative {}]", number.wrapping_sub(base)));
    }
    Some(())
}
