//! MAC addresses: those of network cards (IEEE 802 §8).

use std::fmt;

/// A MAC address, in the order of transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address of all cards on the link.
    pub(crate) const BROADCAST: Mac = Mac([0xff; 6]);

    /// True for an address of a group: the lowest bit of the first byte is 1. Broadcast is one.
    pub(crate) fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// True for a locally administered address: software assigned it, not the manufacturer.
    pub(crate) fn is_local(self) -> bool {
        self.0[0] & 2 == 2
    }
}

impl fmt::Display for Mac {
    /// `02:00:00:00:00:01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_with_colons() {
        assert_eq!(Mac([2, 0, 0, 0, 0, 0xab]).to_string(), "02:00:00:00:00:ab");
        assert!(Mac::BROADCAST.is_group() && !Mac([2, 0, 0, 0, 0, 1]).is_group());
    }
}
