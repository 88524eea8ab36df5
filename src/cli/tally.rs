//! The sum over several lessons, as `tour` and `check` tell it.

use crate::{event::End, view::plural};

/// Checks of all lessons so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sum: End,
    lessons: usize,
}

impl Tally {
    /// A lesson has ended.
    pub fn add(&mut self, end: &End) {
        self.lessons += 1;
        self.sum.checks += end.checks;
        self.sum.failed += end.failed;
        self.sum.not_seen += end.not_seen;
    }

    /// Whether no check has failed.
    pub fn good(&self) -> bool {
        self.sum.failed == 0
    }

    /// `307 checks in 9 lessons: all hold`
    pub fn told(&self) -> String {
        let End { checks, failed, not_seen, .. } = self.sum;
        let verdict = if failed == 0 { "all hold".to_owned() } else { format!("{failed} FAILED") };
        let unseen =
            if not_seen == 0 { String::new() } else { format!(", {not_seen} cannot be seen on this system") };
        format!("{} in {}: {verdict}{unseen}", plural(checks, "check"), plural(self.lessons, "lesson"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_tells_what_failed_and_what_could_not_be_seen() {
        let mut tally = Tally::default();
        tally.add(&End { checks: 3, ..End::default() });
        assert_eq!((tally.told().as_str(), tally.good()), ("3 checks in 1 lesson: all hold", true));
        tally.add(&End { checks: 2, failed: 1, not_seen: 1, left: false });
        assert_eq!(tally.told(), "5 checks in 2 lessons: 1 FAILED, 1 cannot be seen on this system");
        assert!(!tally.good());
    }
}
