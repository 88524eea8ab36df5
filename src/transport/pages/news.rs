//! The page, and what the browser lets it do.

use crate::{server::http::page::restrictions, transport::http::Response};

/// The page as it is sent: style and script stand in it.
const PAGE: &str = include_str!("news.html");

/// SHA-256 of the script and of the style in the page; a test says the right ones when they have changed.
const SCRIPT: &str = "IwrgkibJjWtQjTQCMlalUNJkWCOANdXEPsx2zkwgkpM=";
const STYLE: &str = "sNMKDUoyH1Jhi/144ihqubZFgvyOaxQU8WeShuNB3qg=";

/// The answer to `GET /`.
pub(crate) fn page() -> Response {
    let page = Response::new(200).content("text/html; charset=utf-8", PAGE);
    restrictions(SCRIPT, STYLE).into_iter().fold(page, |page, (name, value)| page.with(name, value))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_and_the_script_that_stand_in_the_page() {
        let (_, security_policy) = restrictions(SCRIPT, STYLE).into_iter().nth(1).unwrap();
        assert!(page().fields.contains(&("Content-Security-Policy".to_owned(), security_policy.clone())));
        for name in ["script", "style"] {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            assert_eq!((PAGE.matches(&open).count(), PAGE.matches(&close).count()), (1, 1), "{name}");
            let text = PAGE.split(&open).nth(1).unwrap().split(&close).next().unwrap().replace("\r\n", "\n");
            let right = format!("{name}-src 'sha256-{}'", BASE64.encode(&Sha256::digest(text)));
            assert!(security_policy.contains(&right), "the policy needs: {right}");
        }
        assert!(!security_policy.contains("unsafe") && !security_policy.contains('*'));
    }

    #[test]
    fn what_comes_stays_text_and_nothing_comes_from_elsewhere() {
        for outside in [
            " src=",
            "url(",
            "@import",
            "https:",
            "//cdn",
            "<iframe",
            "innerHTML",
            "eval(",
            " style=",
            " onclick=",
        ] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }
}
