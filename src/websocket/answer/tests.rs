use proptest::prelude::*;

use super::*;
use crate::server::http::page;
use crate::websocket::cases::{REQUEST, REQUESTS};
use crate::wire::http::{TooLarge, parse_response};

fn policy() -> Policy {
    Policy {
        path: Some("/chat".into()),
        allowed_origins: Some(vec!["https://example.com".into()]),
        subprotocols: vec!["v2.chat".into(), "chat".into()],
    }
}

fn judged(from: &str, to: &str) -> Judgement {
    judge_request(REQUEST.replace(from, to).as_bytes(), &policy())
}

fn refusal(judgement: Judgement) -> Refusal {
    match judgement.decision {
        Decision::Refuse(refusal) => refusal,
        Decision::Accept(acceptance) => panic!("accepted: {acceptance:?}"),
    }
}

fn acceptance(judgement: Judgement) -> Acceptance {
    match judgement.decision {
        Decision::Accept(acceptance) => acceptance,
        Decision::Refuse(refusal) => panic!("refused: {refusal:?}"),
    }
}

#[test]
fn every_case_gets_the_answer_that_it_deserves() {
    for case in REQUESTS {
        let changed = case.change(REQUEST);
        let judgement = judge_request(changed.as_bytes(), &policy());
        let status = match &judgement.decision {
            Decision::Accept(_) => 101,
            Decision::Refuse(refusal) => refusal.status,
        };
        case.assert_judged(status, &judgement.requirements);
    }
}

#[test]
fn the_requirements_stand_in_the_order_of_the_rfc() {
    let judgement = judged("", "");
    let points: Vec<_> = judgement
        .requirements
        .iter()
        .filter_map(|finding| {
            finding.section.strip_prefix("RFC 6455 §4.2.1 (")?.split(')').next()?.parse::<u8>().ok()
        })
        .collect();
    assert_eq!(points, [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(judgement.requirements.iter().all(|finding| finding.met));
}

#[test]
fn the_answer_101_is_the_one_of_the_rfc() {
    let request = [REQUEST.as_bytes(), b"\x81\x80"].concat();
    let acceptance = acceptance(judge_request(&request, &policy()));
    assert_eq!(
        String::from_utf8(acceptance.response).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
    assert_eq!(acceptance.key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(acceptance.head_length, REQUEST.len());
}

#[test]
fn a_loose_key_is_hashed_as_it_was_sent() {
    let loose = acceptance(judged("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC=="));
    let clean = acceptance(judged("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA=="));
    assert_eq!(loose.accept_key, accept_key("AQIDBAUGBwgJCgsMDQ4PEC=="));
    assert_ne!(loose.accept_key, clean.accept_key);
}

#[test]
fn the_clients_first_choice_is_taken_and_none_is_no_line() {
    let offer = |list| format!("Host: a\r\nSec-WebSocket-Protocol: {list}\r\n");
    let both = acceptance(judged("Host: example.com\r\n", &offer("soap, chat, v2.chat")));
    assert_eq!(both.subprotocol.as_deref(), Some("chat"));
    assert!(both.response.windows(30).any(|window| window == b"Sec-WebSocket-Protocol: chat\r\n"));
    for none in ["soap", "Chat"] {
        let none = acceptance(judged("Host: example.com\r\n", &offer(none)));
        assert_eq!(none.subprotocol, None);
        assert!(!String::from_utf8(none.response).unwrap().contains("Protocol:"));
    }
}

#[test]
fn no_extension_is_ever_accepted() {
    let taken = acceptance(judged(
        "Host: example.com\r\n",
        "Host: a\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
    ));
    assert!(!String::from_utf8(taken.response).unwrap().contains("Extensions"));
}

#[test]
fn every_refusal_is_a_whole_response_that_closes() {
    let cases = REQUESTS.iter().filter(|case| case.outcome != 101);
    let judgements = cases.map(|case| judged(case.from, case.to)).chain([
        reject(Rejection::timed_out(7)),
        reject(Rejection::too_large(TooLarge::Bytes)),
        reject(Rejection::too_large(TooLarge::StartLine)),
        reject(Rejection::cut_off(7)),
        reject(Rejection::not_http(b"\x16\x03\x01", 0)),
        reject(Rejection::not_http(b"\x1b]0;title\x07 \xff", 0)),
    ]);
    for judgement in judgements {
        let finding = judgement.requirements.iter().find(|finding| !finding.met).unwrap().clone();
        let refusal = refusal(judgement);
        let head = parse_response(&refusal.response).unwrap();
        assert_eq!(head.status, refusal.status);
        assert!(head.headers.has_token("Connection", "close"));
        let length =
            String::from_utf8(head.headers.all("Content-Length").next().unwrap().value.clone()).unwrap();
        let body = String::from_utf8(refusal.response[head.length..].to_vec()).unwrap();
        if finding.found == "HEAD" {
            assert_eq!(body, "");
            continue;
        }
        assert_eq!(length, body.len().to_string());
        assert!(body.contains(finding.requirement) && body.contains(finding.section), "{body}");
        assert!(!body.chars().any(|c| c.is_control() && c != '\n'), "{body:?}");
    }
}

#[test]
fn some_refusals_say_what_to_do_instead() {
    let response = |from, to| String::from_utf8(refusal(judged(from, to)).response).unwrap();
    assert!(response("GET", "POST").contains("\r\nAllow: GET\r\n"));
    let upgrade = response("Upgrade: websocket\r\n", "");
    assert!(
        upgrade.contains("\r\nUpgrade: websocket\r\n")
            && upgrade.contains("\r\nConnection: Upgrade, close\r\n")
    );
    assert!(response("Version: 13", "Version: 8").contains("\r\nSec-WebSocket-Version: 13\r\n"));
}

#[test]
fn limits_and_time_have_their_statuses() {
    assert_eq!(refusal(reject(Rejection::timed_out(0))).status, 408);
    assert_eq!(refusal(reject(Rejection::too_large(TooLarge::StartLine))).status, 414);
    assert_eq!(refusal(reject(Rejection::too_large(TooLarge::Bytes))).status, 431);
    assert_eq!(refusal(reject(Rejection::too_large(TooLarge::Lines))).status, 431);
    assert_eq!(refusal(reject(Rejection::cut_off(3))).status, 400);
}

#[test]
fn what_speaks_no_http_is_named() {
    let tls = refusal(reject(Rejection::not_http(b"\x16\x03\x01\x02\x00", 0)));
    assert_eq!(tls.status, 400);
    assert!(String::from_utf8(tls.response).unwrap().contains("a TLS record"));
    let frame = refusal(reject(Rejection::not_http(b"\x81\x85abcdefghi", 0)));
    assert!(String::from_utf8(frame.response).unwrap().contains("\\x81"));
}

#[test]
fn a_finding_points_at_its_line() {
    let request = REQUEST.replace("Version: 13", "Version: \u{202e}8");
    let judgement = judge_request(request.as_bytes(), &policy());
    let finding = judgement.requirements.iter().find(|finding| !finding.met).unwrap();
    assert_eq!(finding.found, "\\u{202e}8");
    assert!(request[finding.offset.unwrap()..].starts_with("Sec-WebSocket-Version"));
}

#[test]
fn without_a_policy_any_page_and_any_path_are_let_in() {
    let request = REQUEST.replace("/chat", "/other").replace("Host:", "Origin: null\r\nHost:");
    acceptance(judge_request(request.as_bytes(), &Policy::default()));
}

proptest! {
    #[test]
    fn no_request_makes_it_panic(at in 0..REQUEST.len(), bytes: Vec<u8>, cut: bool) {
        let end = if cut { at } else { REQUEST.len() };
        let request = [&REQUEST.as_bytes()[..at], &bytes, &REQUEST.as_bytes()[at..end]].concat();
        let judgement = judge_request(&request, &policy());
        let met = judgement.requirements.iter().all(|finding| finding.met);
        prop_assert_eq!(met, matches!(judgement.decision, Decision::Accept(_)));
    }
}

/// The page for a browser's request, with one thing changed.
fn page(from: &str, to: &str) -> Option<page::Page> {
    page::answer(&parse_request(BROWSER.replacen(from, to, 1).as_bytes()).unwrap(), &page::ECHO)
}

const BROWSER: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:7000\r\nConnection: keep-alive\r\n\
    Upgrade-Insecure-Requests: 1\r\nAccept: text/html\r\n\r\n";

#[test]
fn whatever_is_no_plain_request_is_left_to_the_judge() {
    let left = [
        ("GET", "POST", 405),
        ("GET", "get", 405),
        ("HTTP/1.1", "HTTP/2.0", 505),
        ("Host: 127.0.0.1:7000\r\n", "", 400),
        ("Host", "Host: a\r\nHost", 400),
        ("Accept: ", "Content-Length: 5\r\nAccept: ", 400),
        ("Accept: ", "Transfer-Encoding: chunked\r\nAccept: ", 400),
        ("Accept: ", "upgrade: h2c, WebSocket\r\nAccept: ", 426),
        ("Accept: ", "sec-websocket-key: a\r\nAccept: ", 426),
    ];
    for (from, to, refused_with) in left {
        assert_eq!(page(from, to), None, "{to}");
        let judgement = judge_request(BROWSER.replacen(from, to, 1).as_bytes(), &Policy::default());
        match judgement.decision {
            Decision::Refuse(refusal) => assert_eq!(refusal.status, refused_with, "{to}"),
            Decision::Accept(_) => panic!("{to}"),
        }
    }
    let old = page::answer(&parse_request(b"GET / HTTP/1.0\r\n\r\n").unwrap(), &page::ECHO);
    assert_eq!(old.map(|page| page.status), Some(200));
}

#[test]
fn no_opening_handshake_gets_the_page() {
    for case in REQUESTS {
        let request = REQUEST.replace(case.from, case.to);
        if let Ok(request) = parse_request(request.as_bytes()) {
            assert_eq!(page::answer(&request, &page::ECHO), None, "{}", case.what);
        }
    }
}
