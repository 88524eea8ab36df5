//! The header `heart-beat`, and the interval that two of them negotiate.

use std::time::Duration;

/// The header of one side: `heart-beat:10000,5000` (Heart-beating), in milliseconds; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HeartBeat {
    /// The shortest interval that the sender can guarantee; 0 if it cannot send heart-beats.
    pub can: u32,
    /// The interval that the sender asks of its peer; 0 if it wants no heart-beats.
    pub wants: u32,
}

impl HeartBeat {
    /// Parses a header's value. A missing header means `0,0`.
    pub fn parse(value: Option<&str>) -> Option<HeartBeat> {
        let Some(value) = value else { return Some(HeartBeat::default()) };
        let (can, wants) = value.split_once(',')?;
        let number =
            |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?;
        Some(HeartBeat { can: number(can)?, wants: number(wants)? })
    }

    /// The header's value.
    pub fn value(self) -> String {
        format!("{},{}", self.can, self.wants)
    }

    /// Returns the interval of this side's heart-beats: the longer of its own and the one its peer asks for.
    /// `None` for never.
    pub(crate) fn sends_to(self, other: HeartBeat) -> Option<Duration> {
        let every = self.can.max(other.wants);
        (self.can > 0 && other.wants > 0).then(|| Duration::from_millis(every.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_both_counts_and_a_zero_means_never() {
        let beat = |value| HeartBeat::parse(Some(value)).unwrap();
        assert_eq!(beat("100,0").sends_to(beat("0,400")), Some(Duration::from_millis(400)));
        assert_eq!(beat("500,0").sends_to(beat("0,400")), Some(Duration::from_millis(500)));
        assert_eq!(beat("0,9").sends_to(beat("0,400")), None);
        assert_eq!(beat("500,0").sends_to(beat("9,0")), None);
        assert_eq!(HeartBeat::parse(None), Some(beat("0,0")));
    }

    #[test]
    fn anything_but_two_numbers_is_refused() {
        for wrong in ["", "1", "1,", ",1", "1, 2", "-1,2", "+1,2", "1,2,3", "a,b", "4294967296,0"] {
            assert_eq!(HeartBeat::parse(Some(wrong)), None, "{wrong:?}");
        }
        assert_eq!(HeartBeat::parse(Some("10000,5000")).unwrap().value(), "10000,5000");
    }
}
