//! The answers that don't change with any session: greeting, info, the page for old browsers, and what CORS
//! and caches need to be told.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::random;
use crate::transport::{
    connection::Fault,
    http::{Request, Response},
};

pub(crate) const PLAIN: &str = "text/plain; charset=UTF-8";
/// The frames of xhr: a type that browsers don't look into.
pub(crate) const SCRIPT: &str = "application/javascript; charset=UTF-8";
/// Server-Sent Events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// A year, in seconds: what never changes may be kept so long.
const YEAR: u64 = 31_536_000;

/// Where sockjs-client is, for the page of old browsers.
const CLIENT: &str = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js";

/// What is served beside the sessions.
#[derive(Debug)]
pub(crate) struct Page {
    iframe: String,
    tag: String,
    /// Whether there are WebSockets.
    pub websocket: bool,
}

impl Page {
    /// With the URL of sockjs-client, if it is another than the usual.
    pub fn new(client: Option<&str>, websocket: bool) -> Page {
        // Only what can stand in an attribute in quotes.
        let client = client.unwrap_or(CLIENT).replace(['"', '<', '>', '&'], "");
        let iframe = format!(
            r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="{client}"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"#
        );
        let tag = format!("\"{}\"", sha1_smol::Sha1::from(&iframe).digest());
        Page { iframe, tag, websocket }
    }

    /// The page for browsers that could not ask another origin (sockjs-protocol, "IFrame page"; its text is
    /// given there).
    pub fn iframe(&self, request: &Request) -> Response {
        if request.field("If-None-Match").as_deref() == Some(&self.tag) {
            return Response::new(304);
        }
        let response = Response::new(200).content("text/html; charset=UTF-8", self.iframe.as_str());
        cached(response.with("ETag", &*self.tag))
    }

    /// What this server can (sockjs-protocol, "Info test"). Clients take the time of this answer, and the
    /// random number.
    pub fn info(&self, request: &Request) -> Result<Response, Fault> {
        let info = serde_json::json!({
            "websocket": self.websocket,
            "origins": ["*:*"],
            "cookie_needed": false,
            "entropy": u32::from_be_bytes(random::bytes()?),
        });
        let response = Response::new(200).content("application/json; charset=UTF-8", info.to_string());
        Ok(cross_origin(request, uncached(response)))
    }
}

/// Returns a plain-text response.
pub(crate) fn plain(status: u16, words: impl Into<String>) -> Response {
    Response::new(status).content(PLAIN, words.into())
}

/// Returns a 404 response.
pub(crate) fn not_found() -> Response {
    plain(404, "There is nothing here.\n")
}

/// Whoever asks before it asks, as browsers do for another origin, is told what it may: for a year.
pub(crate) fn preflight(request: &Request, method: &str) -> Response {
    let response = Response::new(204)
        .with("Access-Control-Allow-Methods", format!("OPTIONS, {method}"))
        .with("Access-Control-Max-Age", YEAR.to_string());
    cross_origin(request, cached(response))
}

/// Lets the page read the answer that has asked for it: the other pages were turned away before.
pub(crate) fn cross_origin(request: &Request, response: Response) -> Response {
    let response = match request.field("Origin") {
        Some(origin) => response
            .with("Access-Control-Allow-Origin", origin)
            .with("Access-Control-Allow-Credentials", "true"),
        None => response.with("Access-Control-Allow-Origin", "*"),
    };
    let response = response.with("Vary", "Origin");
    match request.field("Access-Control-Request-Headers").filter(|names| !names.is_empty()) {
        Some(names) => response.with("Access-Control-Allow-Headers", names),
        None => response,
    }
}

/// Forbids caching of the response.
pub(crate) fn uncached(response: Response) -> Response {
    response.with("Cache-Control", "no-store, no-cache, no-transform, must-revalidate, max-age=0")
}

fn cached(response: Response) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    response.with("Cache-Control", format!("public, max-age={YEAR}")).with("Expires", date(now + YEAR))
}

/// Seconds since 1970 as HTTP writes a date (RFC 9110 §5.6.7).
fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = seconds / 86_400;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, day);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    for (index, length) in
        [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30].iter().enumerate()
    {
        if left < *length {
            break;
        }
        left -= length;
        month = index + 1;
    }
    let name = DAYS[usize::try_from(day % 7).unwrap_or_default()];
    format!("{name}, {:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", left + 1, MONTHS[month])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_wants_it() {
        // The example of RFC 9110 §5.6.7, then a leap day, and the last second of a year.
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(1_709_208_000), "Thu, 29 Feb 2024 12:00:00 GMT");
        assert_eq!(date(1_735_689_599), "Tue, 31 Dec 2024 23:59:59 GMT");
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
