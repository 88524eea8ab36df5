//! The page, and what the browser lets it do.

use crate::transport::http::Response;

/// The page as it is sent: style and script stand in it.
const PAGE: &str = include_str!("news.html");

/// Its own script and style, and connections to where it came from, as with the page of the WebSocket (Content Security Policy Level 3).
const SECURITY_POLICY: &str = "default-src 'none'; \
    script-src 'sha256-IwrgkibJjWtQjTQCMlalUNJkWCOANdXEPsx2zkwgkpM='; \
    style-src 'sha256-sNMKDUoyH1Jhi/144ihqubZFgvyOaxQU8WeShuNB3qg='; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to `GET /`.
pub(crate) fn page() -> Response {
    Response::new(200)
        .content("text/html; charset=utf-8", PAGE)
        .with("Cache-Control", "no-store")
        .with("Content-Security-Policy", SECURITY_POLICY)
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_and_the_script_that_stand_in_the_page() {
        for name in ["script", "style"] {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            assert_eq!((PAGE.matches(&open).count(), PAGE.matches(&close).count()), (1, 1), "{name}");
            let text = PAGE.split(&open).nth(1).unwrap().split(&close).next().unwrap().replace("\r\n", "\n");
            let right = format!("{name}-src 'sha256-{}'", BASE64.encode(&Sha256::digest(text)));
            assert!(SECURITY_POLICY.contains(&right), "the policy needs: {right}");
        }
        assert!(!SECURITY_POLICY.contains("unsafe") && !SECURITY_POLICY.contains('*'));
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
