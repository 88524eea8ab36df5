//! Claims of the lesson, held against the kernel: what was claimed, and what was found if that differs.

use super::line::{Line, Meaning};
use super::look::{Glyphs, Look};
use super::sentences::sentence;
use super::wrap::{Long, wrap};
use crate::event::Check;

/// The line or lines of a check.
pub(super) fn check(look: &Look, check: &Check) -> Vec<Line> {
    if look.linear() {
        return linear(look, check);
    }
    let (mark, meaning) = match check.holds {
        Some(true) => ("✓", Meaning::Holds),
        Some(false) => ("✗", Meaning::Fails),
        None if look.glyphs() == Glyphs::Ascii => ("--", Meaning::NotSeen),
        None => ("–", Meaning::NotSeen),
    };
    let mut line = look.spans([(mark, meaning), (" ", Meaning::Plain)]);
    let hang = line.width();
    let claim = if check.holds == Some(false) { Meaning::Fails } else { Meaning::Prose };
    line.push(look.span(&check.text, claim));
    match check.holds {
        Some(true) if check.observed.is_empty() => {}
        Some(true) => line.push(look.span(format!("  {}", check.observed), Meaning::Quiet)),
        Some(false) => {
            let place = format!("  line {} of the lesson", check.line);
            line.push(look.span(place, Meaning::Quiet));
        }
        None => {
            let why = if check.observed.is_empty() { "" } else { ": " };
            let text = format!("  cannot be seen here{why}{}", check.observed);
            line.push(look.span(text, Meaning::NotSeen));
        }
    }
    let mut lines = wrap(&line, look.content(), hang, Long::Break);
    if check.holds == Some(false) {
        for (name, value) in [("expected  ", expected(&check.text)), ("observed  ", observed(check))] {
            let row = look.spans([(name, Meaning::Label), (value, Meaning::State)]);
            let row = wrap(&row, look.content() - hang, name.len(), Long::Break);
            lines.extend(row.into_iter().map(|line| line.indented(hang)));
        }
    }
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

fn linear(look: &Look, check: &Check) -> Vec<Line> {
    let observed = observed(check);
    let text = match check.holds {
        Some(true) if check.observed.is_empty() => format!("Check holds: {}.", check.text),
        Some(true) => format!("Check holds: {}. Observed: {observed}.", check.text),
        Some(false) => format!(
            "Check fails: {}, line {} of the lesson. Expected: {}. Observed: {observed}.",
            check.text,
            check.line,
            expected(&check.text)
        ),
        None if check.observed.is_empty() => format!("Check cannot be seen here: {}.", check.text),
        None => format!("Check cannot be seen here: {}. Why: {observed}.", check.text),
    };
    let meaning = match check.holds {
        Some(true) => Meaning::Holds,
        Some(false) => Meaning::Fails,
        None => Meaning::NotSeen,
    };
    sentence(look, text, meaning)
}

fn observed(check: &Check) -> &str {
    if check.observed.is_empty() { "nothing" } else { &check.observed }
}

/// The claim without the socket that it is about: `LISTEN accept_queue=0`.
fn expected(claim: &str) -> &str {
    if let Some((_, outcome)) = claim.split_once(" => ") {
        return outcome;
    }
    let (subject, rest) = match claim.strip_prefix("still ").unwrap_or(claim).split_once(' ') {
        Some(parts) => parts,
        None => return claim,
    };
    if subject.contains('.') && !rest.trim().is_empty() { rest.trim() } else { claim }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_expected_leaves_out_of_what() {
        assert_eq!(expected("server.s LISTEN accept_queue=0"), "LISTEN accept_queue=0");
        assert_eq!(expected("still server.conn CLOSE_WAIT"), "CLOSE_WAIT");
        assert_eq!(expected("wire client>server SYN"), "wire client>server SYN");
    }
}
