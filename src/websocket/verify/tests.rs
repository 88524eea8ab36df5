use std::collections::VecDeque;
use std::io::{self, Read, Write};

use proptest::prelude::*;

use super::*;
use crate::websocket::answer::{Decision, Policy, judge_request};
use crate::websocket::cases::{RESPONSE, RESPONSES};

fn request() -> ClientRequest {
    let request = ClientRequest::with_nonce("example.com", "/chat", *b"the sample nonce").unwrap();
    request.offering(&["chat", "superchat"]).unwrap()
}

fn verdict(response: &[u8]) -> Verdict {
    match judge_response(response, &request()) {
        Answer::Final(verdict) => verdict,
        Answer::Interim { status, .. } => panic!("interim {status}"),
    }
}

#[test]
fn every_case_gets_the_verdict_that_it_deserves() {
    for case in RESPONSES {
        let changed = case.change(RESPONSE);
        let verdict = verdict(changed.as_bytes());
        let outcome = match &verdict.outcome {
            Ok(_) => 101,
            Err(Failure::Status { status }) => *status,
            Err(_) => 0,
        };
        case.assert_judged(outcome, &verdict.requirements);
    }
}

#[test]
fn the_first_frame_begins_behind_the_head() {
    let response = [RESPONSE.as_bytes(), b"\x81\x05Hello"].concat();
    let established = verdict(&response).outcome.unwrap();
    assert_eq!(&response[established.head_length..], b"\x81\x05Hello");
    assert_eq!(established.subprotocol, None);
}

#[test]
fn the_subprotocol_chosen_is_told() {
    let response = RESPONSE.replace("Upgrade: w", "Sec-WebSocket-Protocol: superchat\r\nUpgrade: w");
    assert_eq!(verdict(response.as_bytes()).outcome.unwrap().subprotocol.as_deref(), Some("superchat"));
}

#[test]
fn interim_responses_are_skipped() {
    let stream =
        ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", RESPONSE].concat();
    let mut rest = stream.as_bytes();
    let mut skipped = Vec::new();
    let verdict = loop {
        match judge_response(rest, &request()) {
            Answer::Interim { status, head_length } => {
                skipped.push(status);
                rest = &rest[head_length..];
            }
            Answer::Final(verdict) => break verdict,
        }
    };
    assert_eq!(skipped, [100, 103]);
    assert!(verdict.outcome.is_ok());
}

#[test]
fn a_failure_says_what_was_found() {
    let error = verdict(RESPONSE.replace("websocket", "h2c").as_bytes()).outcome.unwrap_err();
    assert_eq!(error.to_string(), "Upgrade is websocket: found h2c (RFC 6455 §4.1 (2))");
    let error = verdict(b"HTTP/1.1 404 Not Found\r\n\r\n").outcome.unwrap_err();
    assert_eq!(error.to_string(), "status 404 instead of 101 (RFC 6455 §4.1 (1))");
}

#[test]
fn our_server_and_our_client_agree() {
    let request = ClientRequest::new("127.0.0.1:7000", "/").unwrap().offering(&["chat"]).unwrap();
    let policy = Policy { subprotocols: vec!["chat".into()], ..Policy::default() };
    let Decision::Accept(acceptance) = judge_request(&request.bytes(), &policy).decision else {
        panic!("refused");
    };
    let Answer::Final(verdict) = judge_response(&acceptance.response, &request) else { panic!("interim") };
    assert_eq!(verdict.outcome.unwrap().subprotocol.as_deref(), Some("chat"));
}

/// A connection to ourselves: it reads what `answer` makes of all that was written so far.
struct Loop<F> {
    written: Vec<u8>,
    unread: VecDeque<u8>,
    answer: F,
}

impl<F: FnMut(&[u8]) -> Vec<u8>> Read for Loop<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            self.unread = (self.answer)(&self.written).into();
        }
        self.unread.read(buffer)
    }
}

impl<F> Write for Loop<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn tungstenites_server_takes_our_request_and_we_take_its_answer() {
    let ours = ClientRequest::new("127.0.0.1:7000", "/chat?a=b").unwrap().from_origin("http://a").unwrap();
    let request = ours.bytes();
    let stream = Loop { written: Vec::new(), unread: VecDeque::new(), answer: |_: &[u8]| request.clone() };
    let accepted = tungstenite::accept(stream).unwrap();
    let Answer::Final(verdict) = judge_response(&accepted.get_ref().written, &ours) else {
        panic!("interim")
    };
    assert!(verdict.outcome.is_ok(), "{verdict:#?}");
}

#[test]
fn tungstenites_client_takes_our_answer() {
    let answer = |request: &[u8]| match judge_request(request, &Policy::default()).decision {
        Decision::Accept(acceptance) => acceptance.response,
        Decision::Refuse(refusal) => panic!("{}", text::escape(&refusal.response)),
    };
    let stream = Loop { written: Vec::new(), unread: VecDeque::new(), answer };
    let (_, response) = tungstenite::client("ws://127.0.0.1:7000/chat", stream).unwrap();
    assert_eq!(response.status(), 101);
}

proptest! {
    #[test]
    fn no_response_makes_it_panic(at in 0..RESPONSE.len(), bytes: Vec<u8>) {
        let response = [&RESPONSE.as_bytes()[..at], &bytes, &RESPONSE.as_bytes()[at..]].concat();
        if let Answer::Final(verdict) = judge_response(&response, &request()) {
            prop_assert_eq!(verdict.requirements.iter().all(|finding| finding.met), verdict.outcome.is_ok());
        }
    }
}
