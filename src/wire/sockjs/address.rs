//! The URLs below a base URL such as `/echo` (sockjs-protocol, "Base URL" and "Session URLs").

/// A URL below the base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The base URL itself: `Welcome to SockJS!`
    Greeting,
    /// `/info`: what the server can, and a time to measure.
    Info,
    /// `/iframe.html`, `/iframe-1.6.1.html`: a page for browsers that could not ask another origin.
    Iframe,
    /// `/websocket`: a WebSocket with nothing of SockJS on it.
    RawWebSocket,
    /// `/server/session/endpoint`.
    Session {
        /// For load balancers; the server ignores it.
        server: &'a str,
        /// What identifies the session.
        session: &'a str,
        /// The endpoint of the session.
        endpoint: &'static Endpoint,
    },
}

/// The last part of a session's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The part: `xhr_streaming`.
    pub name: &'static str,
    /// The method with which it is asked, beside OPTIONS.
    pub method: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

const fn endpoint(
    name: &'static str,
    method: &'static str,
    meaning: &'static str,
    section: &'static str,
) -> Endpoint {
    Endpoint { name, method, meaning, section }
}

/// All endpoints of a session.
pub(crate) const ENDPOINTS: [Endpoint; 8] = [
    endpoint("websocket", "GET", "both ways over one WebSocket", "sockjs-protocol, WebSocket protocols"),
    endpoint(
        "xhr_streaming",
        "POST",
        "frames down, in an answer that goes on and on",
        "sockjs-protocol, XhrStreaming",
    ),
    endpoint("xhr", "POST", "frames down, one for each request", "sockjs-protocol, XhrPolling"),
    endpoint("xhr_send", "POST", "messages up, an array in each request", "sockjs-protocol, XhrPolling"),
    endpoint("eventsource", "GET", "frames down, as Server-Sent Events", "sockjs-protocol, EventSource"),
    endpoint("htmlfile", "GET", "frames down, as scripts in an endless page", "sockjs-protocol, HtmlFile"),
    endpoint("jsonp", "GET", "frames down, one script for each request", "sockjs-protocol, JsonpPolling"),
    endpoint("jsonp_send", "POST", "messages up, from a form", "sockjs-protocol, JsonpPolling"),
];

impl<'a> Place<'a> {
    /// The place that a request's target names, under the base URL `base` (`/echo`; empty for `/`). `None` is
    /// a 404.
    ///
    /// What stands behind a `?` does not count.
    pub fn parse(base: &str, target: &'a str) -> Option<Place<'a>> {
        let path = target.split('?').next().unwrap_or_default();
        let rest = path.strip_prefix(base)?;
        match rest {
            "" | "/" => return Some(Place::Greeting),
            "/info" => return Some(Place::Info),
            "/websocket" => return Some(Place::RawWebSocket),
            _ => {}
        }
        let parts: Vec<&str> = rest.strip_prefix('/')?.split('/').collect();
        match parts[..] {
            [page] => is_iframe(page).then_some(Place::Iframe),
            [server, session, last] if is_part(server) && is_part(session) => {
                let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.name == last)?;
                Some(Place::Session { server, session, endpoint })
            }
            _ => None,
        }
    }
}

/// Not empty and without a dot.
fn is_part(part: &str) -> bool {
    !part.is_empty() && !part.contains('.')
}

/// `iframe`, then maybe a version, then `.html`, all of it in small letters.
fn is_iframe(page: &str) -> bool {
    let version = page.strip_prefix("iframe").and_then(|rest| rest.strip_suffix(".html"));
    version.is_some_and(|version| {
        version.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.' | b'a'..=b'z' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_test_suite_are_found() {
        for target in ["/echo", "/echo/"] {
            assert_eq!(Place::parse("/echo", target), Some(Place::Greeting));
        }
        for page in ["iframe.html", "iframe-a.html", "iframe-0.1.2abc-dirty.2144.html?t=qweqweq123"] {
            assert_eq!(Place::parse("/echo", &format!("/echo/{page}")), Some(Place::Iframe), "{page}");
        }
        let Some(Place::Session { server, session, endpoint }) =
            Place::parse("/echo", "/echo/abcdefgh_i-j%20/s1/xhr?t=1")
        else {
            panic!()
        };
        assert_eq!((server, session, endpoint.name), ("abcdefgh_i-j%20", "s1", "xhr"));
        assert_eq!(Place::parse("", "/info"), Some(Place::Info));
    }

    #[test]
    fn all_else_is_not_found() {
        let suffixes = "/a /a.html // /// /a/a /a/a/ /a/ /iframe.htm /iframe /IFRAME.HTML /iframe.HTML /iframe.xml /iframe-/.html \
            ///xhr //xhr /a./a/xhr /a/a./xhr /././xhr /a/b/c/xhr /a/b/nothing";
        for suffix in suffixes.split_whitespace() {
            assert_eq!(Place::parse("/echo", &format!("/echo{suffix}")), None, "{suffix}");
        }
        assert_eq!(Place::parse("/echo", "/other"), None);
        assert_eq!(Place::parse("/echo", "/echoes"), None);
    }
}
