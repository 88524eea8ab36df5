//! Parses a lesson file to a [`Lesson`], or to the list of its errors.

use super::{
    Block, Diagnostics, Lesson, Part, Predict, Step,
    diagnostic::{Diagnostic, nearest},
    grammar::CABLES,
    lint,
    statement::statement,
    token::Origin,
};

/// Maximum size of a lesson file, in bytes. A larger file is refused.
pub const LARGEST: usize = 1 << 20;

/// Maximum number of diagnostics of one file. Only the first ones are reported.
const MOST_FAULTS: usize = 20;

/// The front matter of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Front {
    /// The name of the lesson and of the command `sockwalk NAME`.
    pub lesson: String,
    /// The title: one line.
    pub title: String,
    /// The lesson that should come before it.
    pub after: Option<String>,
    /// The stage that it needs: `any`, `loopback` or `cable`.
    pub stage: String,
    /// Options of its cable: words of [`CABLES`](super::grammar::CABLES).
    pub cable: Vec<String>,
    /// The language of its prose, as a BCP 47 tag.
    pub language: String,
    /// Its sources: man pages and RFC sections.
    pub sources: Vec<String>,
}

/// Parses a lesson and checks what can be checked without running it.
///
/// # Errors
/// Returns the diagnostics of the file, at most 20, in the order of their positions.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Lesson, Diagnostics> {
    let whole = |what: String, expected: &str, source: String, line: usize, column: usize| {
        Diagnostics(vec![Diagnostic {
            file: file.to_owned(),
            line,
            column,
            length: 1,
            source,
            what,
            expected: expected.to_owned(),
            nearest: None,
        }])
    };
    if bytes.len() > LARGEST {
        let start: Vec<u8> = bytes.iter().copied().take_while(|&b| b != b'\n').take(80).collect();
        return Err(whole(
            format!("this file has {} bytes", bytes.len()),
            &format!("a lesson is text of at most {LARGEST} bytes"),
            String::from_utf8_lossy(&start).into_owned(),
            1,
            1,
        ));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let start = good.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
            let line = good.iter().filter(|&&b| b == b'\n').count() + 1;
            let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
            let end = bytes[start..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| start + at);
            return Err(whole(
                format!("byte {:#04x} is not UTF-8", bytes[error.valid_up_to()]),
                "a lesson is UTF-8 text",
                String::from_utf8_lossy(&bytes[start..end]).into_owned(),
                line,
                column,
            ));
        }
    };
    let mut diagnostics = Vec::new();
    let mut lines = Lines::new(file, text);
    let (front, front_line) = front(&mut lines, &mut diagnostics);
    let (intro, parts) = body(&mut lines, &mut diagnostics);
    if parts.is_empty() && diagnostics.is_empty() {
        diagnostics.push(lines.origin_at(front_line).fault(
            0,
            1,
            "this lesson has no part",
            "a lesson has at least one `## Heading`",
        ));
    }
    let lesson = Lesson { file: file.to_owned(), front, intro, parts };
    if diagnostics.is_empty() {
        diagnostics = lint::lint(&lesson, &lines.all);
    }
    diagnostics.sort_by_key(|fault| (fault.line, fault.column));
    diagnostics.truncate(MOST_FAULTS);
    if diagnostics.is_empty() { Ok(lesson) } else { Err(Diagnostics(diagnostics)) }
}

/// The lines of a file, and the index of the next one.
struct Lines<'a> {
    file: &'a str,
    all: Vec<&'a str>,
    next: usize,
}

impl<'a> Lines<'a> {
    fn new(file: &'a str, text: &'a str) -> Self {
        Lines { file, all: text.lines().collect(), next: 0 }
    }

    fn take(&mut self) -> Option<(usize, &'a str)> {
        let line = self.all.get(self.next)?;
        self.next += 1;
        Some((self.next, line))
    }

    /// Returns the line of this number, counted from 1; an empty line if the file has no such line.
    fn origin_at(&self, line: usize) -> Origin<'a> {
        Origin {
            file: self.file,
            line: line.max(1),
            source: self.all.get(line.saturating_sub(1)).copied().unwrap_or(""),
        }
    }
}

const FRONT_KEYS: [&str; 7] = ["lesson", "title", "after", "stage", "cable", "language", "sources"];

/// Parses the front matter. Returns it with the number of its first line.
fn front(lines: &mut Lines, diagnostics: &mut Vec<Diagnostic>) -> (Front, usize) {
    let mut front = Front { stage: "any".into(), language: "en".into(), ..Front::default() };
    while lines.all.get(lines.next).is_some_and(|line| line.trim().is_empty()) {
        lines.next += 1;
    }
    let Some((first, opening)) = lines.take() else {
        diagnostics.push(lines.origin_at(1).fault(
            0,
            1,
            "this file is empty",
            "a lesson begins with `---` and its front matter",
        ));
        return (front, 1);
    };
    if opening.trim_end() != "---" {
        let length = opening.chars().count().max(1);
        diagnostics.push(lines.origin_at(first).fault(
            0,
            length,
            "here should be front matter",
            "a lesson begins with a line `---`, then `lesson: name`",
        ));
        lines.next = lines.all.len();
        return (front, first);
    }
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let Some((number, line)) = lines.take() else {
            diagnostics.push(lines.origin_at(first).fault(
                0,
                3,
                "this front matter does not end",
                "a closing line `---`",
            ));
            return (front, first);
        };
        if line.trim_end() == "---" {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let origin = lines.origin_at(number);
        let Some((key, value)) = line.split_once(':') else {
            diagnostics.push(origin.fault(
                0,
                line.chars().count(),
                "this is no `key: value`",
                format!("expected one of {}", FRONT_KEYS.join(", ")),
            ));
            continue;
        };
        let (key, value_at) = (key.trim(), key.chars().count() + 2);
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value).to_owned();
        match key {
            "lesson" => front.lesson = unquoted,
            "title" => front.title = unquoted,
            "after" => front.after = Some(unquoted),
            "language" => front.language = unquoted,
            "sources" => front.sources = list(value),
            "cable" => {
                front.cable = list(value);
                let wrong = front.cable.iter().find(|word| !CABLES.contains(&word.as_str()));
                if let Some(word) = wrong {
                    diagnostics.push(Diagnostic {
                        nearest: nearest(word, CABLES.iter().copied()),
                        ..origin.fault(
                            value_at,
                            value.chars().count().max(1),
                            format!("`{word}` is nothing that a cable can be"),
                            format!("expected some of {}", CABLES.join(", ")),
                        )
                    });
                }
            }
            "stage" if ["any", "loopback", "cable"].contains(&value) => front.stage = unquoted,
            "stage" => diagnostics.push(Diagnostic {
                nearest: nearest(value, ["any", "loopback", "cable"]),
                ..origin.fault(
                    value_at,
                    value.chars().count().max(1),
                    format!("`{value}` is no stage"),
                    "expected any, loopback or cable",
                )
            }),
            _ => diagnostics.push(Diagnostic {
                nearest: nearest(key, FRONT_KEYS),
                ..origin.fault(
                    0,
                    key.chars().count().max(1),
                    format!("`{key}` is not known here"),
                    format!("expected one of {}", FRONT_KEYS.join(", ")),
                )
            }),
        }
        if seen.contains(&key) {
            diagnostics.push(origin.fault(
                0,
                key.chars().count().max(1),
                format!("`{key}` stands here twice"),
                "once is enough",
            ));
        }
        seen.push(key);
    }
    for (key, value) in [("lesson", &front.lesson), ("title", &front.title)] {
        if value.is_empty() && diagnostics.is_empty() {
            diagnostics.push(lines.origin_at(first).fault(
                0,
                3,
                format!("this front matter has no `{key}`"),
                format!("a line `{key}: …`"),
            ));
        }
    }
    (front, first)
}

/// Splits `[listen(2), "RFC 9293 §3.3.2, §3.10.7"]` at the commas that are not in quotes.
fn list(value: &str) -> Vec<String> {
    let inside = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
    let (mut items, mut item, mut quoted) = (Vec::new(), String::new(), false);
    for c in inside.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
    }
    items.push(item);
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// The info strings of the fenced blocks that have a meaning.
const BLOCKS: [&str; 3] = ["sock", "predict", "outside"];

/// Parses all after the front matter: the prose before the first part, and the parts.
fn body(lines: &mut Lines, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Block>, Vec<Part>) {
    let mut intro = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut prose = String::new();
    while let Some((number, line)) = lines.take() {
        let before_parts = parts.is_empty();
        let blocks = parts.last_mut().map_or(&mut intro, |part| &mut part.blocks);
        if let Some(fence) = Fence::opens(line) {
            let inside = match fence.inside(lines) {
                Ok(inside) => inside,
                Err(()) => {
                    diagnostics.push(lines.origin_at(number).fault(
                        0,
                        line.chars().count(),
                        "this block is not closed",
                        format!("expected a closing line {}", fence.mark),
                    ));
                    break;
                }
            };
            match fence.info {
                "sock" => {
                    flush(&mut prose, blocks);
                    if before_parts {
                        diagnostics.push(lines.origin_at(number).fault(
                            0,
                            line.chars().count(),
                            "steps before the first part",
                            "expected a `## Heading` above",
                        ));
                        continue;
                    }
                    blocks.push(Block::Steps(steps(lines, inside, diagnostics)));
                }
                "predict" => {
                    flush(&mut prose, blocks);
                    blocks.extend(predict(lines, number, inside, diagnostics).map(Block::Predict));
                }
                other => {
                    if let Some(near) = nearest(other, BLOCKS).filter(|near| near != other) {
                        let at = fence.mark.len();
                        diagnostics.push(Diagnostic {
                            nearest: Some(near),
                            ..lines.origin_at(number).fault(
                                at,
                                other.chars().count(),
                                format!("`{other}` is no kind of block"),
                                "expected sock, predict, outside, or a language",
                            )
                        });
                    }
                    for line in &lines.all[number - 1..lines.next] {
                        prose.push_str(line);
                        prose.push('\n');
                    }
                }
            }
        } else if let Some(title) = line.strip_prefix("## ") {
            flush(&mut prose, blocks);
            parts.push(Part { title: title.trim().to_owned(), blocks: Vec::new() });
        } else if line.starts_with("# ") && before_parts {
            // The title for readers of the Markdown. The screen shows the title of the front matter.
        } else {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    flush(&mut prose, parts.last_mut().map_or(&mut intro, |part| &mut part.blocks));
    (intro, parts)
}

fn flush(prose: &mut String, blocks: &mut Vec<Block>) {
    let text = std::mem::take(prose);
    if !text.trim().is_empty() {
        blocks.push(Block::Prose(text.trim().to_owned()));
    }
}

/// A fenced block of Markdown.
struct Fence<'a> {
    mark: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opens(line: &'a str) -> Option<Fence<'a>> {
        let ticks = line.len() - line.trim_start_matches('`').len();
        (ticks >= 3).then(|| Fence { mark: &line[..ticks], info: line[ticks..].trim() })
    }

    /// Returns the line numbers inside the block, counted from 1. Fails if the block does not end.
    fn inside(&self, lines: &mut Lines) -> Result<std::ops::Range<usize>, ()> {
        let first = lines.next + 1;
        while let Some((number, line)) = lines.take() {
            if line.trim_end().starts_with(self.mark) && line.trim_end().chars().all(|c| c == '`') {
                return Ok(first..number);
            }
        }
        Err(())
    }
}

fn steps(lines: &Lines, inside: std::ops::Range<usize>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Step> {
    let mut steps = Vec::new();
    for number in inside {
        let origin = lines.origin_at(number);
        match statement(&origin) {
            Ok(None) => {}
            Ok(Some(what)) => steps.push(Step { line: number, text: without_comment(origin.source), what }),
            Err(fault) => diagnostics.push(fault),
        }
    }
    steps
}

/// Returns the line without its comment. A `#` in quotes begins no comment.
fn without_comment(line: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let end = line.char_indices().find(|&(_, c)| {
        let comment = c == '#' && !quoted;
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        comment
    });
    line[..end.map_or(line.len(), |(at, _)| at)].trim().to_owned()
}

fn predict(
    lines: &Lines,
    opening: usize,
    inside: std::ops::Range<usize>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Predict> {
    let (mut question, mut options, mut right) = (String::new(), Vec::<String>::new(), Vec::new());
    for number in inside {
        let line = lines.origin_at(number).source;
        if let Some(option) = line.strip_prefix("- [ ] ") {
            options.push(option.trim().to_owned());
        } else if let Some(option) = line.strip_prefix("- [x] ") {
            right.push(options.len());
            options.push(option.trim().to_owned());
        } else if let Some(option) = options.last_mut() {
            option.push(' ');
            option.push_str(line.trim());
        } else {
            question.push_str(line);
            question.push('\n');
        }
    }
    let origin = lines.origin_at(opening);
    let length = origin.source.chars().count();
    let mut bad = |what: &str, expected: &str| diagnostics.push(origin.fault(0, length, what, expected));
    match (&right[..], options.len()) {
        _ if question.trim().is_empty() => bad("this block asks nothing", "a question above the answers"),
        (_, 0 | 1) => bad("a prediction needs answers to choose from", "at least two lines `- [ ] …`"),
        (_, 10..) => bad("these are too many answers", "nine at most: a digit chooses one"),
        ([right], _) => {
            return Some(Predict { question: question.trim().to_owned(), options, right: *right });
        }
        ([], _) => bad("no answer is marked as right", "one line `- [x] …`"),
        _ => bad("more than one answer is marked as right", "exactly one line `- [x] …`"),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "---\nlesson: x\ntitle: a test\nsources: [listen(2), \"RFC 9293 §3.3.2, §3.10.7\"]\n---\n# x\n";

    fn diagnostics(text: &str) -> Vec<Diagnostic> {
        parse("f.md", text.as_bytes()).expect_err(text).0
    }

    #[test]
    fn a_lesson_is_prose_steps_and_questions() {
        let text = format!(
            "{HEAD}intro\n\n## One\nprose\n```sock\nserver$ s = socket tcp # why\n\n```\nmore\n```predict\nWhat?\n- [ ] a\n- [x] b\n  and c\n```\n## Two\n```c\nint x;\n```\n"
        );
        let lesson = parse("f.md", text.as_bytes()).unwrap();
        assert_eq!(lesson.front.sources, ["listen(2)", "RFC 9293 §3.3.2, §3.10.7"]);
        assert_eq!(lesson.intro, [Block::Prose("intro".into())]);
        let [one, two] = &lesson.parts[..] else { panic!() };
        let [Block::Prose(_), Block::Steps(steps), Block::Prose(_), Block::Predict(predict)] =
            &one.blocks[..]
        else {
            panic!("{one:?}")
        };
        assert_eq!((steps[0].line, steps[0].text.as_str()), (12, "server$ s = socket tcp"));
        assert_eq!((predict.right, predict.options[1].as_str()), (1, "b and c"));
        assert_eq!(two.blocks, [Block::Prose("```c\nint x;\n```".into())]);
    }

    #[test]
    fn every_fault_has_its_place() {
        for (text, line, column, what) in [
            ("", 1, 1, "empty"),
            ("# hello\n", 1, 1, "front matter"),
            ("---\nlesson: x\n", 1, 1, "does not end"),
            ("---\nlesson: x\n---\n## a\n", 1, 1, "no `title`"),
            ("---\nleson: x\n---\n", 2, 1, "not known"),
            ("---\nlesson: x\ntitle: y\nstage: cabel\n---\n## a\n", 4, 8, "no stage"),
            ("---\nlesson: x\ntitle: y\n---\nprose\n", 1, 1, "no part"),
            ("---\nlesson: x\ntitle: y\n---\n## a\n```sock\nserver$ s = socket tcp\n", 6, 1, "not closed"),
            ("---\nlesson: x\ntitle: y\n---\n```sock\n```\n## a\n", 5, 1, "before the first part"),
            ("---\nlesson: x\ntitle: y\n---\n## a\n```sokc\n```\n", 6, 4, "no kind of block"),
            (
                "---\nlesson: x\ntitle: y\n---\n## a\n```predict\nq\n- [ ] a\n- [ ] b\n```\n",
                6,
                1,
                "marked as right",
            ),
        ] {
            let fault = &diagnostics(text)[0];
            assert_eq!((fault.line, fault.column), (line, column), "{fault}");
            assert!(fault.what.contains(what), "{fault}");
        }
    }

    #[test]
    fn what_is_not_text_is_told_with_its_place() {
        let fault = parse("f.md", b"---\nlesson: \xc3\xa9\xff\n").unwrap_err().0.remove(0);
        assert_eq!((fault.line, fault.column), (2, 10), "{fault}");
        let noise: Vec<u8> =
            (0..10_000_000u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        let shown = parse("f.md", &noise).unwrap_err().to_string();
        assert!(shown.contains("10000000 bytes") && shown.len() < 1000, "{shown}");
    }

    #[test]
    fn many_faults_are_told_at_once_but_not_too_many() {
        let text = format!("{HEAD}## a\n```sock\n{}```\n", "server$ nonsense\n".repeat(100));
        assert_eq!(diagnostics(&text).len(), MOST_FAULTS);
    }

    proptest::proptest! {
        #[test]
        fn no_input_makes_the_parser_panic(text in "(---\nlesson: x\ntitle: y\n---\n## a\n```sock\n)?(\\PC|\n|\"|\\[|`|=|server\\$ |check |\\\\){0,200}") {
            let _ = parse("f.md", text.as_bytes());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse("f.md", &bytes);
        }
    }
}
