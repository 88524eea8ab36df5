//! Encodes heads: the start line, the field lines, the empty line.

/// Returns a request head: `method target HTTP/1.1`, then the fields in order (RFC 9112 §3).
///
/// CR, LF and NUL in any part become spaces, as RFC 9110 §5.5 advises, so that no value can inject a line.
pub(crate) fn encode_request(method: &str, target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    encode(&format!("{method} {target} HTTP/1.1"), fields)
}

/// Returns a response head: `HTTP/1.1 status reason`, then the fields in order (RFC 9112 §4).
///
/// CR, LF and NUL in any part become spaces, as in [`encode_request`].
pub fn encode_response(status: u16, reason: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    encode(&format!("HTTP/1.1 {status} {reason}"), fields)
}

fn encode(start_line: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    line(&mut out, &[start_line]);
    for (name, value) in fields {
        line(&mut out, &[name, ": ", value]);
    }
    line(&mut out, &[]);
    out
}

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        out.push(if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { byte });
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert_eq!(
            encode_request("GET", "/chat", &[("Host", "example.com"), ("Upgrade", "websocket")]),
            b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\r\n"
        );
        assert_eq!(encode_response(404, "Not Found", &[]), b"HTTP/1.1 404 Not Found\r\n\r\n");
    }

    #[test]
    fn a_value_can_not_smuggle_in_a_line() {
        let head = encode_response(200, "OK", &[("X", "a\r\nSet-Cookie: b\0")]);
        assert_eq!(head, b"HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b \r\n\r\n");
    }
}
