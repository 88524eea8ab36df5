//! A request as a server reads it, and a response as it writes it.

use super::reason;
use crate::wire::http::{RequestHead, encode_response};

/// A request with all of its content.
#[derive(Debug, Clone)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// The head as it came.
    pub bytes: Vec<u8>,
    /// The content.
    pub content: Vec<u8>,
}

impl Request {
    /// `GET`
    pub fn method(&self) -> &str {
        &self.head.method
    }

    /// The path without its query; of a whole URI, what stands behind the authority.
    pub fn path(&self) -> &str {
        self.parts().0
    }

    /// The query without its question mark.
    pub fn query_text(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let target = self.head.target.as_str();
        let local = match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => target,
        };
        let (path, query) = local.split_once('?').unwrap_or((local, ""));
        (if path.is_empty() { "/" } else { path }, query)
    }

    /// The first value with this name in the query, decoded: `+` is a space, `%2c` a comma.
    pub fn query(&self, name: &str) -> Option<String> {
        let pairs = self.query_text().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.into_iter().find(|(own, _)| decoded(own) == name).map(|(_, value)| decoded(value))
    }

    /// The value of a field; several lines are joined by commas, as RFC 9110 §5.3 allows. Bytes that are no
    /// UTF-8 are replaced.
    pub fn field(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self
            .head
            .headers
            .all(name)
            .map(|line| String::from_utf8_lossy(&line.value).into_owned())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether the connection may be used again afterwards (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        let headers = &self.head.headers;
        let version = self.head.version;
        let by_itself = (version.major, version.minor) >= (1, 1);
        !headers.has_token("Connection", "close")
            && (by_itself || headers.has_token("Connection", "keep-alive"))
    }

    /// Whether it asks for another protocol, as a WebSocket does.
    pub fn asks_for_upgrade(&self) -> bool {
        self.head.headers.has_token("Connection", "Upgrade")
            && self.head.headers.has_token("Upgrade", "websocket")
    }
}

/// Percent-encoding undone, and `+` made a space, as in the query of a form. What is not UTF-8 then is
/// replaced.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let pair = match (first, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match pair {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = &behind[2..];
            }
            None => {
                out.push(if *first == b'+' { b' ' } else { *first });
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A response whose content is there as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields besides `Content-Length` and `Connection`.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub content: Vec<u8>,
}

impl Response {
    /// Without content.
    pub fn new(status: u16) -> Response {
        Response { status, fields: Vec::new(), content: Vec::new() }
    }

    /// With one more field.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Response {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// With content of this type.
    pub fn content(mut self, kind: &str, content: impl Into<Vec<u8>>) -> Response {
        self.content = content.into();
        self.with("Content-Type", kind)
    }

    /// Words for people.
    pub fn text(status: u16, text: impl Into<String>) -> Response {
        Response::new(status).content("text/plain; charset=utf-8", text.into())
    }

    /// As it is sent in answer to a request with this method; `keep` the connection, or say that it will be
    /// closed.
    pub fn encode(&self, method: &str, keep: bool) -> Vec<u8> {
        let length = self.content.len().to_string();
        let mut fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // 1xx and 204 have none, and say so by their status (RFC 9110 §8.6).
        let has_content = !matches!(self.status, 100..=199 | 204);
        if has_content {
            fields.push(("Content-Length", &length));
        }
        if !keep {
            fields.push(("Connection", "close"));
        }
        let mut out = encode_response(self.status, reason(self.status), &fields);
        // The answer to HEAD is the head that GET would get (RFC 9110 §9.3.2); 304 has no content either
        // (§15.4.5).
        if has_content && method != "HEAD" && self.status != 304 {
            out.extend_from_slice(&self.content);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::parse_request;

    fn request(target: &str, fields: &str) -> Request {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
        Request { head: parse_request(&bytes).unwrap(), bytes, content: Vec::new() }
    }

    #[test]
    fn a_target_has_a_path_and_a_query() {
        let one = request("/a/b?x=1&name=a%20b+c&flag&x=2", "");
        assert_eq!(
            (one.path(), one.query("x").unwrap(), one.query("name").unwrap()),
            ("/a/b", "1".into(), "a b c".into())
        );
        assert_eq!((one.query("flag"), one.query("none")), (Some(String::new()), None));
        assert_eq!(request("http://a:1/b?c", "").path(), "/b");
        assert_eq!((request("http://a", "").path(), request("?x", "").path()), ("/", "/"));
        assert_eq!(request("/echo/http://b/c", "").path(), "/echo/http://b/c");
        assert_eq!(decoded("%e4%bd%a0%zz%4"), "你%zz%4");
    }

    #[test]
    fn whether_a_connection_is_kept_is_said_by_version_and_field() {
        assert!(request("/", "").keeps_alive() && !request("/", "Connection: x, Close\r\n").keeps_alive());
        assert!(request("/", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n").asks_for_upgrade());
    }

    #[test]
    fn a_response_says_how_long_it_is() {
        let text = |response: Response, method| String::from_utf8(response.encode(method, true)).unwrap();
        assert_eq!(text(Response::new(204), "GET"), "HTTP/1.1 204 No Content\r\n\r\n");
        let hello = || Response::text(200, "hello");
        assert_eq!(
            text(hello(), "GET"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello"
        );
        assert!(text(hello(), "HEAD").ends_with("Content-Length: 5\r\n\r\n"));
        assert!(String::from_utf8(hello().encode("GET", false)).unwrap().contains("Connection: close\r\n"));
    }
}
