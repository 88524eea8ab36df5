//! What crosses the cable, why, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Host, hex};

/// `frame`: a frame as it came to the cable, whole, from the Ethernet header on. What became of it is said by `fate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Frame {
    /// Counted from 1, in the order in which they came.
    pub number: u64,
    /// Who sent it; it is on its way to the other.
    pub from: Host,
    /// Nanoseconds since the lesson's own event: `at` of an event that is written later is no earlier than that of the one before it.
    pub ns: u64,
    /// The frame, in hex.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
    /// Why the host's kernel sent it.
    pub cause: Cause,
    /// The call that asked for it; null where none did, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// The frame that it says again, if its bytes or its SYN or FIN were sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u64>,
}

/// Why a kernel sent a frame. By its numbers, never by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A call asked for it: `connect` for the SYN, `send` for its bytes, `shutdown` or `close` for the FIN.
    Call,
    /// It answers a SYN, or a ping.
    Answer,
    /// It acknowledges what came.
    Acknowledgment,
    /// It says again what was not acknowledged.
    Retransmission,
    /// It tells the other side that the window has changed.
    WindowUpdate,
    /// It asks whether the other side is there, or whether its window has opened.
    Probe,
    /// It breaks a connection off, or refuses one.
    Reset,
    /// It looks for a neighbour's Ethernet address, or gives its own.
    Neighbour,
    /// It reports an error of the network.
    Report,
    /// None of these is known of it.
    Unknown,
}

/// `fate`: what became of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fate {
    /// Its number.
    pub frame: u64,
    /// Nanoseconds since the lesson's own event.
    pub ns: u64,
    /// What.
    pub fate: Became,
    /// Microseconds that it is to take, if it is delayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_us: Option<u64>,
    /// The bit that was turned over, counted from the first of the frame, if it was corrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit: Option<u64>,
}

/// What can become of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It waits on the cable.
    Held,
    /// It has reached the other host.
    Delivered,
    /// It was taken off the cable by hand.
    Dropped,
    /// It has reached the other host twice.
    Duplicated,
    /// It has reached the other host with a wrong bit.
    Corrupted,
    /// It said again what was sent before, while frames wait on the cable: it was taken off, and what it repeats stands for it.
    Folded,
    /// The cable is cut.
    Lost,
    /// It is on its way, slowly.
    Delayed,
}

/// `wire`: something was done to the cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wire {
    /// As in a lesson: `hold`, `deliver`, `drop`, `duplicate`, `reorder`, `corrupt`, `delay`, `cut`, `mend`.
    pub action: String,
    /// The frames that it was done to, by number.
    pub frames: Vec<u64>,
    /// Why it could not be done: no such frame was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// `setting`: what sysctl(8) changes, in one host's kernel alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// Whose kernel.
    pub host: Host,
    /// `net.ipv4.tcp_syn_retries`
    pub name: String,
    /// What it was, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it became.
    pub value: String,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}
