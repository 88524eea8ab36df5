use proptest::prelude::*;

use super::*;

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive\r\nCONNECTION:\tUpgrade \r\n\r\n";

#[test]
fn a_request_is_taken_apart_with_its_offsets() {
    let input = [b"\r\n\r\n".as_slice(), REQUEST, b"tail"].concat();
    let head = parse_request(&input).unwrap();
    assert_eq!(
        (head.method.as_str(), head.target.as_str(), head.version),
        ("GET", "/chat", Version { major: 1, minor: 1 })
    );
    assert_eq!((head.start, head.target_offset, head.version_offset), (4, 8, 14));
    assert_eq!(&input[head.length..], b"tail");
    let lines: Vec<_> = head.headers.0.iter().map(|h| (h.name.as_str(), h.value.as_slice())).collect();
    assert_eq!(
        lines,
        [("Host", b"example.com".as_slice()), ("Connection", b"keep-alive"), ("CONNECTION", b"Upgrade")]
    );
    for line in &head.headers.0 {
        assert!(input[line.offset..].starts_with(line.name.as_bytes()));
        assert!(input[line.value_offset..].starts_with(&line.value));
    }
}

#[test]
fn repeated_lines_make_one_list() {
    let head = parse_request(REQUEST).unwrap();
    let list: Vec<_> = head.headers.list("connection").map(|(item, at)| (item.to_vec(), at)).collect();
    assert_eq!(list, [(b"keep-alive".to_vec(), 51), (b"Upgrade".to_vec(), 75)]);
    assert!(head.headers.has_token("Connection", "upgrade"));
    assert!(!head.headers.has_token("Connection", "close"));
}

#[test]
fn a_list_drops_empty_elements_and_blanks() {
    let found: Vec<_> = elements(b" a ,\t, b,,c\t").map(|(item, at)| (item.to_vec(), at)).collect();
    assert_eq!(found, [(b"a".to_vec(), 1), (b"b".to_vec(), 7), (b"c".to_vec(), 10)]);
    assert_eq!(elements(b"").count(), 0);
}

#[test]
fn a_response_is_taken_apart() {
    let head =
        parse_response(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\0").unwrap();
    assert_eq!((head.version, head.status, head.status_offset), (Version { major: 1, minor: 1 }, 101, 9));
    assert_eq!((head.reason.as_slice(), head.length), (b"Switching Protocols".as_slice(), 56));
    for line in [b"HTTP/1.1 101 \r\n\r\n".as_slice(), b"HTTP/1.1 101\r\n\r\n"] {
        assert_eq!(parse_response(line).unwrap().reason, b"");
    }
}

#[test]
fn a_folded_line_of_a_response_is_one_line() {
    let head = parse_response(b"HTTP/1.1 101 x\r\nA: b\r\n  c\r\nD: e\r\n\r\n").unwrap();
    let lines: Vec<_> = head.headers.0.iter().map(|h| (h.value.as_slice(), h.offset)).collect();
    assert_eq!(lines, [(b"b    c".as_slice(), 16), (b"e", 27)]);
}

#[test]
fn each_break_of_the_form_is_named_with_its_place() {
    let cases: &[(&[u8], &str, usize, &str)] = &[
        (b"", "line end", 0, "RFC 9112 §2.1"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", "line end", 25, "RFC 9112 §2.1"),
        (b"GET / HTTP/1.1\r", "line end", 15, "RFC 9112 §2.1"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "line end", 14, "RFC 9112 §2.2"),
        (b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "line end", 20, "RFC 9112 §2.2"),
        (b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", "control byte", 20, "RFC 9110 §5.5"),
        (b"GET / HTTP/1.1\r\nA: \x1b[31m\r\n\r\n", "control byte", 19, "RFC 9110 §5.5"),
        (b"GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", "control byte", 19, "RFC 9110 §5.5"),
        (b"GET / HTTP/1.1\r\nA: \x1f\r\n\r\n", "control byte", 19, "RFC 9110 §5.5"),
        (b"GET / HTTP/1.1\r\n A: b\r\n\r\n", "field line", 16, "RFC 9112 §2.2"),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "field line", 22, "RFC 9112 §5.2"),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", "field name", 17, "RFC 9112 §5.1"),
        (b"GET / HTTP/1.1\r\n: b\r\n\r\n", "field name", 16, "RFC 9110 §5.1"),
        (b"GET / HTTP/1.1\r\nA(: b\r\n\r\n", "field name", 16, "RFC 9110 §5.1"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "field line", 16, "RFC 9112 §5"),
        (b"G@T / HTTP/1.1\r\n\r\n", "method", 0, "RFC 9112 §3.1"),
        (b" GET / HTTP/1.1\r\n\r\n", "method", 0, "RFC 9112 §3.1"),
        (b"GET  / HTTP/1.1\r\n\r\n", "request-target", 4, "RFC 9112 §3.2"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", "request-target", 4, "RFC 9112 §3.2"),
        (b"GET /\r\n\r\n", "HTTP-version", 6, "RFC 9112 §2.3"),
        (b"GET / HTTP/1.1 \r\n\r\n", "HTTP-version", 6, "RFC 9112 §2.3"),
        (b"GET / http/1.1\r\n\r\n", "HTTP-version", 6, "RFC 9112 §2.3"),
    ];
    for (input, field, offset, section) in cases {
        let error = parse_request(input).expect_err(&crate::wire::text::escape(input));
        let wrong = &error.malformed;
        assert_eq!((&*wrong.field, wrong.index(), wrong.section), (*field, *offset, *section), "{error}");
        assert_eq!(error.status, 400);
    }
    let error = parse_request(b"GET / HTTP/1.1\r\nA : b\r\n\r\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "field name at byte 17: needed no space between the name and the colon, had \"A \" (RFC 9112 §5.1)"
    );
}

#[test]
fn a_response_needs_a_version_and_three_digits() {
    for (input, field) in [
        (b"\r\nHTTP/1.1 101 x\r\n\r\n".as_slice(), "HTTP-version"),
        (b"HTTP/1.1 99 x\r\n\r\n", "status-code"),
        (b"HTTP/1.1 +10 x\r\n\r\n", "status-code"),
        (b"ICY 200 OK\r\n\r\n", "HTTP-version"),
    ] {
        assert_eq!(parse_response(input).unwrap_err().malformed.field, field);
    }
}

#[test]
fn too_many_lines_deserve_431() {
    let head = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
    assert_eq!(parse_request(head.as_bytes()).unwrap_err().status, 431);
}

/// Bytes that look like a head often enough.
fn nearly_head() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"HTTP/1.1 101 x\r\n".to_vec()),
        Just(b"Host: a\r\n".to_vec()),
        Just(b" fold\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_input_makes_it_panic(bytes in nearly_head()) {
        let _ = parse_request(&bytes);
        let _ = parse_response(&bytes);
    }

    #[test]
    fn what_we_take_httparse_takes_for_the_same(bytes in nearly_head()) {
        if let Ok(head) = parse_request(&bytes) {
            let mut lines = [EMPTY_HEADER; 200];
            let mut oracle = httparse::Request::new(&mut lines);
            let length = oracle.parse(&bytes).unwrap();
            prop_assert_eq!(length, httparse::Status::Complete(head.length));
            prop_assert_eq!(oracle.method, Some(head.method.as_str()));
            let theirs: Vec<_> = oracle.headers.iter().map(|h| (h.name, h.value)).collect();
            let ours: Vec<_> = head.headers.0.iter().map(|h| (h.name.as_str(), h.value.as_slice())).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn what_is_encoded_is_read_back(name in "[A-Za-z-]{1,12}", value in "[!-~]{0,3}( [!-~]{1,5}){0,3}") {
        let value = value.trim();
        let head = parse_request(&encode_request("GET", "/", &[("Host", "a"), (&name, value)])).unwrap();
        prop_assert_eq!(&head.headers.0[1].name, &name);
        prop_assert_eq!(&head.headers.0[1].value, value.as_bytes());
    }
}
