//! What a machine can show and what it can't: a mark, a name and a sentence each, and beneath it what would
//! change that.

use super::line::{Line, Meaning};
use super::look::{Glyphs, Look};
use super::sentences::sentence;
use super::wrap::{Long, wrap};

/// Something that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// It is so; it is not; or it is neither good nor bad.
    pub good: Option<bool>,
    /// In a word or two.
    pub name: &'static str,
    /// What was found.
    pub text: String,
    /// What would change it, where that is wanted.
    pub remedy: Option<String>,
}

/// Columns for the names.
const NAME: usize = 11;

/// The findings, one below the other.
pub fn findings(look: &Look, all: &[Finding]) -> Vec<Line> {
    all.iter().flat_map(|finding| one(look, finding)).collect()
}

fn one(look: &Look, it: &Finding) -> Vec<Line> {
    let (mark, word, meaning) = match it.good {
        Some(true) => ("✓", "Yes", Meaning::Holds),
        Some(false) => ("✗", "No", Meaning::Fails),
        None if look.glyphs() == Glyphs::Ascii => ("--", "To know", Meaning::NotSeen),
        None => ("–", "To know", Meaning::NotSeen),
    };
    if look.linear() {
        let remedy = it.remedy.as_ref().map(|remedy| format!(" {remedy}")).unwrap_or_default();
        return sentence(look, format!("{}. {word}: {}.{remedy}", it.name, it.text), Meaning::Prose);
    }
    let mut line = look.spans([(mark, meaning), (" ", Meaning::Plain)]);
    line.pad(3);
    line.push(look.span(it.name, Meaning::Label));
    line.pad(3 + NAME);
    let hang = line.width();
    line.push(look.span(&it.text, Meaning::Prose));
    let mut lines = wrap(&line, look.content(), hang, Long::Break);
    if let Some(remedy) = &it.remedy {
        let remedy = wrap(&look.line(remedy, Meaning::Emphasis), look.content() - hang, 0, Long::Keep);
        lines.extend(remedy.into_iter().map(|line| line.indented(hang)));
    }
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Form, Palette, paint};

    #[test]
    fn a_finding_has_its_mark_and_its_remedy() {
        let all = [
            Finding { good: Some(true), name: "cable", text: "can be laid".into(), remedy: None },
            Finding {
                good: Some(false),
                name: "IPv6",
                text: "is off".into(),
                remedy: Some("Turn it on.".into()),
            },
        ];
        let look = Look::new(80, Glyphs::Unicode, Form::Screen);
        let shown = paint(&findings(&look, &all), Palette::Plain);
        assert_eq!(
            shown,
            "   ✓  cable      can be laid\n   ✗  IPv6       is off\n                 Turn it on.\n"
        );
        let look = Look::new(80, Glyphs::Unicode, Form::Linear);
        assert_eq!(paint(&findings(&look, &all[1..]), Palette::Plain), "IPv6. No: is off. Turn it on.\n");
    }
}
