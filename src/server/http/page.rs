//! What does a browser get that asks for no upgrade? A page, to use the WebSocket from.
//!
//! The page comes from the port of the WebSocket, so its origin is the server's own: the one that is let in
//! without being named (RFC 6455 §10.2). It needs nothing from elsewhere, and the browser is told to hold it
//! to that.

use crate::wire::http::{RequestHead, encode_response};

/// A page as it is sent: style and script stand in it.
#[derive(Debug)]
pub struct Sheet {
    content: &'static str,
    /// SHA-256 of what stands between the tags of its script; a test says the right one when the script has
    /// changed.
    script: &'static str,
}

/// A page of the pieces that all share, and two of its own: what is on it, and what it does.
macro_rules! sheet {
    ($body:literal, $script:literal, $hash:literal) => {
        Sheet {
            content: concat!(
                include_str!("page/head.html"),
                include_str!($body),
                "<script>\n",
                include_str!("page/socket.js"),
                include_str!($script),
                "</script>\n</body>\n</html>\n"
            ),
            script: $hash,
        }
    };
}

/// To try a WebSocket from: what is sent comes back.
pub const ECHO: Sheet =
    sheet!("page/echo.html", "page/echo.js", "kpbKVviHVElVERu9oSO3BCFgUSr7nNce4SUXBlngDH0=");

/// Where people chat: what one says goes to all.
pub const CHAT: Sheet =
    sheet!("page/chat.html", "page/chat.js", "ZtzNp4oiLnxOhT9u87g6OwYQDdYRubvnCErE5SjCAUw=");

/// Prices as they come, and what of them a slow tab gets.
pub const TICKER: Sheet =
    sheet!("page/ticker.html", "page/ticker.js", "Fueg6bENdZnhUYkttTD1bOyxcJOpPna2pkTQZ4edK68=");

/// SHA-256 of the style, which all pages share; a test says the right one when it has changed.
const STYLE: &str = "rJaKk/hQGw4MWjqFnZ9GkmPa7SLeIRJUWsHNPlyjOo4=";

/// The fields that restrict what the browser lets a page do (Content Security Policy Level 3): it runs the
/// script and uses the style with these hashes, and connects to its own server; nothing may frame it, and
/// nothing is stored.
pub fn restrictions(script: &str, style: &str) -> [(&'static str, String); 5] {
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    [
        ("Cache-Control", "no-store".to_owned()),
        ("Content-Security-Policy", policy),
        ("X-Frame-Options", "DENY".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
    ]
}

/// A whole HTTP response, after which the server closes the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status code: 200 with the page, 404 where there is none.
    pub status: u16,
    /// The response, ready for the wire.
    pub response: Vec<u8>,
}

/// The answer to a request that asks for no upgrade: this page at `/`, with any query, and 404 elsewhere.
///
/// None for a request for a WebSocket, even a broken one, and for all that is not a plain GET or HEAD of
/// HTTP/1 with a path, one host and no content: the judge of the opening handshake answers those.
pub fn answer(request: &RequestHead, sheet: &Sheet) -> Option<Page> {
    if asks_for_upgrade(request) || !is_plain(request) {
        return None;
    }
    let (status, reason, kind, content) = match path(&request.target)? {
        "/" => (200, "OK", "text/html; charset=utf-8", sheet.content),
        _ => (404, "Not Found", "text/plain; charset=utf-8", "404 Not Found\nThe page is at /\n"),
    };
    let length = content.len().to_string();
    let restrictions = restrictions(sheet.script, STYLE);
    // Another request would be another connection: each is reported on its own.
    let mut fields = vec![("Content-Type", kind), ("Content-Length", &length), ("Connection", "close")];
    fields.extend(restrictions.iter().map(|(name, value)| (*name, value.as_str())));
    let mut response = encode_response(status, reason, &fields);
    // The answer to HEAD is the head that GET would get (RFC 9110 §9.3.2).
    if request.method == "GET" {
        response.extend_from_slice(content.as_bytes());
    }
    Some(Page { status, response })
}

/// True if any line of the opening handshake is there. Of a handshake that lacks one, the judge says which.
/// An upgrade to something else, such as `h2c`, may be ignored (RFC 9110 §7.8).
fn asks_for_upgrade(request: &RequestHead) -> bool {
    const PREFIX: &str = "Sec-WebSocket-";
    let named =
        |name: &str| name.get(..PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
    request.headers.has_token("Upgrade", "websocket")
        || request.headers.0.iter().any(|line| named(&line.name))
}

/// True if there is nothing else in the request that would have to be refused.
fn is_plain(request: &RequestHead) -> bool {
    let hosts = request.headers.all("Host").count();
    // HTTP/1.0 knew no Host line yet (RFC 9112 §3.2).
    let one_host = hosts == 1 || (hosts == 0 && request.version.minor == 0);
    let content = request.headers.all("Transfer-Encoding").next().is_some()
        || request.headers.all("Content-Length").any(|line| line.value != b"0");
    matches!(request.method.as_str(), "GET" | "HEAD") && request.version.major == 1 && one_host && !content
}

/// The path of a request target, without its query: of `/a?b` and of `http://host/a?b` it is `/a` (RFC 9112
/// §3.2).
fn path(target: &str) -> Option<&str> {
    // A fragment is never sent.
    if target.contains('#') {
        return None;
    }
    let from_path = if target.starts_with('/') {
        target
    } else {
        let (scheme, rest) = target.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        match rest.find(['/', '?']) {
            Some(end) if rest[end..].starts_with('/') => &rest[end..],
            // No path means the root (RFC 9110 §4.2.3).
            _ => "/",
        }
    };
    from_path.split('?').next()
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::wire::http::{ResponseHead, parse_request, parse_response};

    const BROWSER: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:7000\r\nConnection: keep-alive\r\n\
        Upgrade-Insecure-Requests: 1\r\nAccept: text/html\r\n\r\n";

    /// The answer to the browser's request, with one thing changed.
    fn asked(from: &str, to: &str) -> Option<Page> {
        let changed = BROWSER.replacen(from, to, 1);
        assert!(from == to || changed != BROWSER, "{from}: nothing was changed");
        answer(&parse_request(changed.as_bytes()).unwrap(), &ECHO)
    }

    fn status(from: &str, to: &str) -> Option<u16> {
        asked(from, to).map(|page| page.status)
    }

    fn value(head: &ResponseHead, name: &str) -> String {
        let lines: Vec<_> = head.headers.all(name).collect();
        assert_eq!(lines.len(), 1, "{name}");
        String::from_utf8(lines[0].value.clone()).unwrap()
    }

    const SHEETS: [(&str, Sheet); 3] = [("echo", ECHO), ("chat", CHAT), ("ticker", TICKER)];

    /// What stands between `<name>` and `</name>`.
    fn element(page: &'static str, name: &str) -> &'static str {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        assert_eq!((page.matches(&open).count(), page.matches(&close).count()), (1, 1), "{name}");
        page.split(&open).nth(1).unwrap().split(&close).next().unwrap()
    }

    #[test]
    fn a_browser_gets_the_page_as_one_whole_response() {
        let page = asked("", "").unwrap();
        let head = parse_response(&page.response).unwrap();
        assert_eq!((page.status, head.status), (200, 200));
        assert_eq!(&page.response[head.length..], ECHO.content.as_bytes());
        assert_eq!(value(&head, "Content-Length"), ECHO.content.len().to_string());
        assert_eq!(value(&head, "Content-Type"), "text/html; charset=utf-8");
        assert_eq!(value(&head, "Connection"), "close");
        assert_eq!(value(&head, "Cache-Control"), "no-store");
        assert_eq!(value(&head, "X-Content-Type-Options"), "nosniff");
        assert_eq!(value(&head, "Referrer-Policy"), "no-referrer");
        assert_eq!(value(&head, "X-Frame-Options"), "DENY");
    }

    #[test]
    fn the_page_is_at_the_root_in_each_form_of_the_target() {
        for root in ["/?", "/?room=1/2", "http://127.0.0.1:7000/", "HTTP://a?b", "http://a", "http://a/?b"] {
            assert_eq!(status("/ ", &format!("{root} ")), Some(200), "{root}");
        }
        for other in ["/favicon.ico", "//", "/page?/", "http://a/b", "/http://a/"] {
            assert_eq!(status("/ ", &format!("{other} ")), Some(404), "{other}");
        }
        for none in ["*", "a:7000", "ftp://a/", "https://a/", "/#a", "http://a#b"] {
            assert_eq!(status("/ ", &format!("{none} ")), None, "{none}");
        }
    }

    #[test]
    fn head_gets_the_same_head_and_no_content() {
        for target in ["/", "/other"] {
            let get = asked("GET /", &format!("GET {target}")).unwrap();
            let head = asked("GET /", &format!("HEAD {target}")).unwrap();
            let length = parse_response(&get.response).unwrap().length;
            assert_eq!(head, Page { status: get.status, response: get.response[..length].to_vec() });
        }
    }

    #[test]
    fn the_policy_allows_the_style_and_the_script_that_stand_in_the_page() {
        for (which, sheet) in SHEETS {
            let page = answer(&parse_request(BROWSER.as_bytes()).unwrap(), &sheet).unwrap();
            let policy = value(&parse_response(&page.response).unwrap(), "Content-Security-Policy");
            let directives: Vec<_> = policy.split("; ").collect();
            for name in ["script", "style"] {
                // Browsers hash what they have parsed: there a line ends with LF, however the file came here.
                let text = element(sheet.content, name).replace("\r\n", "\n");
                let right = format!("{name}-src 'sha256-{}'", BASE64.encode(&Sha256::digest(text)));
                assert!(directives.contains(&right.as_str()), "the policy of {which} needs: {right}");
            }
            assert!(
                directives.contains(&"default-src 'none'") && directives.contains(&"frame-ancestors 'none'")
            );
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        }
    }

    #[test]
    fn each_page_is_small_and_needs_nothing_from_elsewhere() {
        for (which, Sheet { content, .. }) in SHEETS {
            assert!(content.len() < 14_000, "{which}: {} bytes", content.len());
            for outside in [" src=", "url(", "@import", "https:", "//cdn", "<iframe", "fetch("] {
                assert!(!content.contains(outside), "{which}: {outside}");
            }
            // Whatever the server sends back must stay text.
            for door in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!content.contains(door), "{which}: {door}");
            }
            // A handler or a style in an attribute would be stopped by the policy.
            assert!(!content.contains(" style=") && !content.contains(" onclick="), "{which}");
        }
    }

    #[test]
    fn what_tests_and_people_reach_for_has_its_name() {
        let all = ["connect", "state", "close", "log"];
        let own: [&[&str]; 3] = [
            &["text", "send", "binary", "close-code", "close-reason"],
            &["name", "text", "send"],
            &["busy", "asks", "rate", "age", "skipped", "prices"],
        ];
        for ((which, Sheet { content, .. }), own) in SHEETS.into_iter().zip(own) {
            for id in all.iter().chain(own) {
                assert_eq!(content.matches(&format!(" id=\"{id}\"")).count(), 1, "{which}: {id}");
            }
            assert!(content.contains("<html lang=\"en\">") && content.contains("role=\"log\""), "{which}");
        }
    }
}
