//! The question before a step, and the answer after it.

use super::line::{Line, Meaning};
use super::look::Look;
use super::markdown::{inline, set};
use super::sentences::sentence;
use super::wrap::{Long, wrap};
use crate::event::{Answer, Question};

/// Asks: the question and its numbered answers, held together by a bar at the left.
pub(super) fn question(look: &Look, question: &Question) -> Vec<Line> {
    if look.linear() {
        let mut lines = sentence(look, "Question:", Meaning::Heading);
        lines.extend(set(look, &question.text, look.content()));
        for (at, option) in question.options.iter().enumerate() {
            let text = format!("Answer {}: {}", at + 1, inline(look, option));
            lines.extend(sentence(look, text, Meaning::Prose));
        }
        return lines;
    }
    let room = look.measure() - 2;
    let mut lines = vec![look.line("Predict", Meaning::Heading)];
    lines.extend(set(look, &question.text, room));
    if !question.options.is_empty() {
        lines.push(Line::blank());
    }
    for (at, option) in question.options.iter().enumerate() {
        lines.extend(numbered(look, at, inline(look, option), room));
    }
    barred(look, lines)
}

/// Tells: what was said, whether it is right, and what is.
pub(super) fn answer(look: &Look, asked: Option<&Question>, answer: &Answer) -> Vec<Line> {
    let right = inline(look, &answer.text);
    let option =
        |at: usize| asked.and_then(|question| question.options.get(at)).map(|text| inline(look, text));
    let said = answer.given.map(|at| (at, option(at)));
    let verdict = if answer.given == Some(answer.right) { "right" } else { "not so" };
    let is_right = answer.given == Some(answer.right);
    if look.linear() {
        let mut text = match &said {
            None => String::new(),
            Some((at, None)) => format!("You said answer {}: {verdict}. ", at + 1),
            Some((_, Some(words))) => format!("You said: {words} That is {verdict}. "),
        };
        if !is_right {
            text += &format!("The answer: {right}");
        }
        return sentence(look, text.trim(), Meaning::Prose);
    }
    let room = look.measure() - 2;
    let mut lines = Vec::new();
    if let Some((at, words)) = said {
        let mut line = look.line("You said: ", Meaning::Heading);
        line.extend(words.unwrap_or_else(|| look.line(format!("answer {}", at + 1), Meaning::Prose)));
        line.push(look.span(" — ", Meaning::Plain));
        line.push(look.span(verdict, if is_right { Meaning::Holds } else { Meaning::Changed }));
        lines.extend(wrap(&line, room, 2, Long::Break));
    }
    let repeats = is_right && option(answer.right).is_none_or(|words| words.to_string() == right.to_string());
    if !repeats {
        let mut line = look.line("The answer: ", Meaning::Heading);
        line.extend(right);
        lines.extend(wrap(&line, room, 2, Long::Break));
    }
    barred(look, lines)
}

fn numbered(look: &Look, at: usize, option: Line, room: usize) -> Vec<Line> {
    let mut line = look.line(format!("{}", at + 1), Meaning::Key);
    line.space(2);
    let hang = line.width();
    line.extend(option);
    wrap(&line, room, hang, Long::Break)
}

fn barred(look: &Look, lines: Vec<Line>) -> Vec<Line> {
    let bar = |text: Line| {
        let mut line = look.line("│", Meaning::Rule).indented(look.indent());
        if !text.is_blank() {
            line.space(1);
            line.extend(text);
        }
        line
    };
    lines.into_iter().map(bar).collect()
}
