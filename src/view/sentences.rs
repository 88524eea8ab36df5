//! Sentences, for a screen reader.

use super::line::{Line, Meaning};
use super::look::Look;
use super::wrap::{Long, wrap};
use crate::event::Host;

/// Wraps one or more sentences at the content width.
pub(super) fn sentence(look: &Look, text: impl AsRef<str>, meaning: Meaning) -> Vec<Line> {
    wrap(&look.line(text, meaning), look.content(), 0, Long::Keep)
}

/// `The client` or `The server`, for the beginning of a sentence.
pub(super) fn the_host(host: Host) -> &'static str {
    match host {
        Host::Client => "The client",
        Host::Server => "The server",
    }
}

/// Adds a full stop unless the text ends with a punctuation mark.
pub(super) fn stop(text: &str) -> String {
    let ended = text.ends_with(['.', '?', '!', ':', '。', '？', '！']);
    format!("{text}{}", if ended { "" } else { "." })
}

/// Capitalizes the first letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_and_ends_as_one() {
        assert_eq!(stop(&capital("who called?")), "Who called?");
        assert_eq!(stop(&capital("the key")), "The key.");
    }
}
