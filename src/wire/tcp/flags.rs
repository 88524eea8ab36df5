//! The control bits of TCP (RFC 9293 §3.1).

use std::{fmt, ops::BitOr, str::FromStr};

use thiserror::Error;

/// A set of control bits. Written as `SYN,ACK`; the empty set as `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

/// The name of no control bit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no flag of TCP: needed FIN, SYN, RST, PSH, ACK, URG, ECE, CWR or AE (RFC 9293 §3.1)")]
pub struct UnknownFlag(pub String);

const NAMES: [(Flags, &str); 9] = [
    (Flags::FIN, "FIN"),
    (Flags::SYN, "SYN"),
    (Flags::RST, "RST"),
    (Flags::PSH, "PSH"),
    (Flags::ACK, "ACK"),
    (Flags::URG, "URG"),
    (Flags::ECE, "ECE"),
    (Flags::CWR, "CWR"),
    (Flags::AE, "AE"),
];

impl Flags {
    /// The empty set.
    pub(crate) const NONE: Flags = Flags(0);
    /// The sender has no more data.
    pub const FIN: Flags = Flags(0x001);
    /// A connection begins.
    pub const SYN: Flags = Flags(0x002);
    /// RST: the connection is reset.
    pub const RST: Flags = Flags(0x004);
    /// PSH: deliver to the program without waiting for more.
    pub const PSH: Flags = Flags(0x008);
    /// The acknowledgment number counts.
    pub const ACK: Flags = Flags(0x010);
    /// The urgent pointer counts.
    pub const URG: Flags = Flags(0x020);
    /// Congestion is reported.
    pub const ECE: Flags = Flags(0x040);
    /// The congestion window was reduced.
    pub const CWR: Flags = Flags(0x080);
    /// Accurate ECN (RFC 9768), formerly NS.
    pub const AE: Flags = Flags(0x100);

    /// Keeps the lower 12 bits: three reserved bits and the flags.
    pub(crate) fn from_bits(bits: u16) -> Self {
        Flags(bits & 0xfff)
    }

    /// The 12 bits.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// True if all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// True if one of `other` is set.
    pub fn has_any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut any = false;
        for (_, name) in NAMES.iter().filter(|(flag, _)| self.contains(*flag)) {
            if any {
                f.write_str(",")?;
            }
            f.write_str(name)?;
            any = true;
        }
        if any { Ok(()) } else { f.write_str("none") }
    }
}

impl FromStr for Flags {
    type Err = UnknownFlag;

    /// Parses names separated by commas, in any order and case.
    fn from_str(text: &str) -> Result<Self, UnknownFlag> {
        if text == "none" {
            return Ok(Flags::NONE);
        }
        text.split(',').try_fold(Flags::NONE, |all, word| {
            let known = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(word.trim()));
            known.map(|(flag, _)| all | *flag).ok_or_else(|| UnknownFlag(word.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_read_back_as_it_is_written() {
        for bits in 0..512 {
            let flags = Flags::from_bits(bits);
            assert_eq!(flags.to_string().parse(), Ok(flags));
        }
    }

    #[test]
    fn they_are_written_as_people_say_them() {
        assert_eq!((Flags::ACK | Flags::SYN).to_string(), "SYN,ACK");
        assert_eq!((Flags::ACK | Flags::FIN).to_string(), "FIN,ACK");
        assert_eq!(Flags::NONE.to_string(), "none");
        assert_eq!("ack, syn".parse(), Ok(Flags::SYN | Flags::ACK));
        assert_eq!("SYN,ICK".parse::<Flags>(), Err(UnknownFlag("ICK".into())));
    }
}
