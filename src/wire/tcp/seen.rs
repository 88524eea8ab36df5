//! What a conversation knows about a segment of it, and the header does not say.

/// What the conversation says about one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// True if its sender is the one whose segment came first.
    pub from_first: bool,
    /// The sequence number, counted from the sender's SYN: SYN is 0, the first byte 1.
    pub sequence: u32,
    /// The acknowledgment number, counted from the other's SYN. `None` without ACK.
    pub acknowledgment: Option<u32>,
    /// The window in bytes. `None` if its scale is not known, as the SYNs were not seen.
    pub window: Option<u32>,
    /// By how many bits it was shifted: 0 for that of a SYN, and where one of both offered no scale.
    pub window_shift: Option<u8>,
    /// How many of the numbers that it takes (bytes, SYN, FIN) were seen before.
    pub repeated: u32,
    /// What is remarkable about it.
    pub remark: Option<Remark>,
    /// The number of the other's SYN, for numbers in SACK blocks.
    pub other_base: Option<u32>,
}

/// What is remarkable about a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remark {
    /// It has bytes, a SYN or a FIN that were seen before.
    Retransmission,
    /// It fills a gap: what comes after it was seen before it.
    OutOfOrder,
    /// Something before it was not seen.
    Gap,
    /// It says nothing new, to see whether the other is still there.
    KeepAlive,
    /// The answer to that.
    KeepAliveAnswer,
    /// It asks whether a window of 0 has opened.
    ZeroWindowProbe,
    /// The answer to that: still closed.
    ZeroWindowProbeAnswer,
    /// Its sender is able to take nothing more.
    ZeroWindow,
    /// It says nothing but a new window.
    WindowUpdate,
    /// It says again what is awaited, though more was sent: the n-th repeat.
    DuplicateAcknowledgment(u32),
}

impl Remark {
    /// In a few words.
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
