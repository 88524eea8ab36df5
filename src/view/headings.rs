//! Where one is: the lesson, the part, the step; and the sum at the end.

use super::line::{Line, Meaning, Span};
use super::look::Look;
use super::sentences::{capital, sentence, stop};
use super::units::{plural, thousands};
use super::wrap::{Long, aside, wrap};
use crate::event::{End, Lesson, Part, Step};

/// Where a run happens, as far as it is told differently there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// True where the kernel admits one more than the limit of an accept queue.
    pub(super) linux: bool,
    /// True if the other side is another program: of its sockets the kernel tells, but they are not ours.
    pub(super) live: bool,
}

impl Place {
    /// Where this lesson runs.
    pub(super) fn of(lesson: &Lesson) -> Self {
        Place { linux: lesson.system == "linux", live: lesson.stage == "live" }
    }
}

/// The lesson begins: its name, what it is about, how long it is and where it runs.
pub(super) fn lesson(look: &Look, lesson: &Lesson) -> Vec<Line> {
    let size = format!("{}, {}", plural(lesson.parts, "part"), plural(lesson.steps, "step"));
    let place = format!("{} on {}", lesson.stage, lesson.system);
    // Live there is no plan to follow: what comes, comes.
    let live = Place::of(lesson).live;
    if look.linear() {
        let text = if live {
            let title =
                if lesson.title.is_empty() { ".".into() } else { format!(": {}", stop(&lesson.title)) };
            format!("{}, {place}{title}", capital(&lesson.name))
        } else {
            format!(
                "Lesson {}: {} {size}. It runs on {}, {}.",
                lesson.name,
                stop(&lesson.title),
                lesson.stage,
                lesson.system
            )
        };
        return sentence(look, text, Meaning::Heading);
    }
    let title = match lesson.title.as_str() {
        "" => look.line(&lesson.name, Meaning::Heading),
        title => {
            look.spans([(&lesson.name, Meaning::Heading), (" · ", Meaning::Plain), (title, Meaning::Prose)])
        }
    };
    let mut lines = headline(look, &title, look.span("", Meaning::Plain));
    let facts = if live { place } else { format!("{size} · {place}") };
    let facts = look.line(facts, Meaning::Quiet);
    lines.extend(headline(look, &facts, look.span("", Meaning::Plain)));
    lines
}

/// A part begins.
pub(super) fn part(look: &Look, lesson: Option<&Lesson>, part: &Part) -> Vec<Line> {
    let of = lesson.map(|lesson| format!(" of {}", lesson.parts)).unwrap_or_default();
    if look.linear() {
        return sentence(look, stop(&format!("Part {}{of}: {}", part.number, part.title)), Meaning::Heading);
    }
    let name = lesson.map(|lesson| format!("{} · ", lesson.name)).unwrap_or_default();
    let title = look
        .spans([(&format!("{name}{}{of} · ", part.number), Meaning::Plain), (&part.title, Meaning::Heading)]);
    let mut lines = headline(look, &title, look.span("", Meaning::Plain));
    lines.push(rule(look));
    lines
}

/// A step begins: the line of the lesson, and how far along it is.
pub(super) fn step(look: &Look, lesson: Option<&Lesson>, step: &Step) -> Vec<Line> {
    // Live nobody knows how many steps there will be.
    let planned = lesson.filter(|lesson| !Place::of(lesson).live);
    let of = planned.map(|lesson| format!(" of {}", lesson.steps)).unwrap_or_default();
    if look.linear() {
        return sentence(look, format!("Step {}{of}: {}", step.number, step.text), Meaning::Heading);
    }
    let number = look.span(format!("step {}{of}", step.number), Meaning::Quiet);
    headline(look, &look.line(&step.text, Meaning::Heading), number)
}

/// The lesson ends: how much was claimed, how much of it held, and where to read on.
pub(super) fn end(look: &Look, lesson: Option<&Lesson>, step: usize, end: &End) -> Vec<Line> {
    if end.checks == 0 && lesson.is_some_and(|lesson| Place::of(lesson).live) {
        return live_end(look, end);
    }
    let steps = match (end.left, lesson) {
        (true, Some(lesson)) => format!("left at step {step} of {}", lesson.steps),
        (true, None) => format!("left at step {step}"),
        (false, _) => plural(step, "step"),
    };
    let (verdict, meaning) = verdict(end);
    // Who leaves in the middle does not read on yet.
    let sources = lesson.filter(|_| !end.left).map(|lesson| lesson.sources.join(", ")).unwrap_or_default();
    if look.linear() {
        let mut lines = sentence(look, format!("The end: {steps}, {verdict}."), meaning);
        if !sources.is_empty() {
            lines.extend(sentence(look, format!("Sources: {sources}."), Meaning::Quiet));
        }
        return lines;
    }
    let mut lines = vec![rule(look)];
    let sum = look.spans([(&format!("{steps}, "), Meaning::Heading), (&verdict, meaning)]);
    lines.extend(headline(look, &sum, look.span("", Meaning::Plain)));
    if !sources.is_empty() {
        let mut line = look.line("sources  ", Meaning::Label);
        line.push(look.span(sources, Meaning::Quiet));
        let room = look.content().saturating_sub(1);
        lines.extend(wrap(&line, room, 9, Long::Break).into_iter().map(|line| line.indented(look.outdent())));
    }
    lines
}

/// A live run ends: nothing was claimed, so there is no sum.
fn live_end(look: &Look, end: &End) -> Vec<Line> {
    let text = if end.left { "the end, before all was done" } else { "the end" };
    if look.linear() {
        return sentence(look, capital(&stop(text)), Meaning::Heading);
    }
    let mut lines = vec![rule(look)];
    lines.extend(headline(look, &look.line(text, Meaning::Quiet), look.span("", Meaning::Plain)));
    lines
}

/// `23 checks: all hold`, `2 of 23 checks failed`, and how many could not be seen.
fn verdict(end: &End) -> (String, Meaning) {
    let checks = plural(end.checks, "check");
    let seen = end.checks.saturating_sub(end.not_seen);
    let (mut text, meaning) = match (end.failed, end.not_seen) {
        _ if end.checks == 0 => ("no checks".to_owned(), Meaning::Quiet),
        (0, 0) => {
            (format!("{checks}: {}", if end.checks == 1 { "it holds" } else { "all hold" }), Meaning::Holds)
        }
        (0, _) if seen == 0 => (checks, Meaning::NotSeen),
        (0, _) => (format!("{checks}: {} hold", thousands(seen as u64)), Meaning::Holds),
        (failed, _) => (format!("{} of {checks} failed", thousands(failed as u64)), Meaning::Fails),
    };
    if end.not_seen > 0 {
        text += &format!(", {} cannot be seen on this system", thousands(end.not_seen as u64));
    }
    (text, meaning)
}

/// A line that begins left of the text.
fn headline(look: &Look, left: &Line, right: Span) -> Vec<Line> {
    let room = look.content() + look.indent() - look.outdent();
    aside(left, right, room, 2).into_iter().map(|line| line.indented(look.outdent())).collect()
}

fn rule(look: &Look) -> Line {
    let long = look.content() + look.indent() - look.outdent();
    look.line("─".repeat(long), Meaning::Rule).indented(look.outdent())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(checks: usize, failed: usize, not_seen: usize) -> String {
        verdict(&End { checks, failed, not_seen, left: false }).0
    }

    #[test]
    fn the_sum_says_what_failed_and_what_could_not_be_seen() {
        assert_eq!(sum(23, 0, 0), "23 checks: all hold");
        assert_eq!(sum(23, 2, 0), "2 of 23 checks failed");
        assert_eq!(sum(23, 0, 1), "23 checks: 22 hold, 1 cannot be seen on this system");
        assert_eq!(sum(23, 1, 1), "1 of 23 checks failed, 1 cannot be seen on this system");
        assert_eq!(sum(0, 0, 0), "no checks");
    }
}
