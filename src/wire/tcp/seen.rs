//! What the conversation knows about a segment beyond its header.

/// The position of a segment in its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// True if its sender also sent the first segment of the conversation.
    pub from_first: bool,
    /// The relative sequence number: the sender's SYN is 0, the first byte 1.
    pub sequence: u32,
    /// The relative acknowledgment number, counted from the peer's SYN. `None` without ACK.
    pub acknowledgment: Option<u32>,
    /// The window in bytes. `None` if its scale is unknown because the SYNs were not seen.
    pub window: Option<u32>,
    /// The window scale in bits: 0 for a SYN, and where one side offered no scale.
    pub window_shift: Option<u8>,
    /// How many of its sequence numbers (bytes, SYN, FIN) were seen before.
    pub repeated: u32,
    /// The remark on it, if there is one.
    pub remark: Option<Remark>,
    /// The sequence number of the peer's SYN, for SACK blocks.
    pub other_base: Option<u32>,
}

/// A remark on a segment, as Wireshark's TCP analysis makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remark {
    /// It repeats bytes, a SYN or a FIN that were seen before.
    Retransmission,
    /// It fills a gap: later data was seen before it.
    OutOfOrder,
    /// Data before it was not seen.
    Gap,
    /// A keep-alive: it repeats an acknowledged number to get an answer.
    KeepAlive,
    /// The answer to a keep-alive.
    KeepAliveAnswer,
    /// A probe of a window of 0.
    ZeroWindowProbe,
    /// The answer to a probe: the window is still 0.
    ZeroWindowProbeAnswer,
    /// Its window is 0.
    ZeroWindow,
    /// It changes the window and nothing else.
    WindowUpdate,
    /// It repeats the acknowledgment number while data is outstanding: the n-th repeat.
    DuplicateAcknowledgment(u32),
}

impl Remark {
    /// Returns the remark in a few words.
    pub fn words(self) -> String {
        match self {
            Remark::Retransmission => "retransmission".into(),
            Remark::OutOfOrder => "out of order".into(),
            Remark::Gap => "something before it was not seen".into(),
            Remark::KeepAlive => "keep-alive".into(),
            Remark::KeepAliveAnswer => "answer to a keep-alive".into(),
            Remark::ZeroWindowProbe => "zero window probe".into(),
            Remark::ZeroWindowProbeAnswer => "answer to a zero window probe".into(),
            Remark::ZeroWindow => "zero window".into(),
            Remark::WindowUpdate => "window update".into(),
            Remark::DuplicateAcknowledgment(count) => format!("duplicate ACK {count}"),
        }
    }
}
