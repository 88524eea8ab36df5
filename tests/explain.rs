//! `sockwalk explain`, run as a person runs it.

use serde_json::Value;

use crate::support::{run, stderr, stdout};

fn shown(arguments: &[&str]) -> String {
    let output = run(&[&["explain"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

fn told(name: &str) -> Value {
    serde_json::from_str(&shown(&[name, "--json"])).unwrap()
}

#[test]
fn an_answer_has_its_reason_its_place_and_its_lesson_on_one_screen() {
    for name in [
        "tcp.flags.psh",
        "ECONNRESET",
        "ws.close.1006",
        "TIME_WAIT",
        "ws.opcode.9",
        "tcp.options.mss",
        "ip.ttl",
        "SO_REUSEADDR",
        "listen",
        "http.status.101",
        "icmp.3.3",
        "ws.rules.not-masked",
    ] {
        let text = shown(&["--width", "80", name]);
        assert!(text.contains("Why:") && text.contains("Defined in") && text.contains("See also"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().count() <= 30, "{name} has {} lines:\n{text}", text.lines().count());
    }
    assert!(shown(&["TIME_WAIT"]).contains("sockwalk run "), "a lesson shows it");
}

#[test]
fn every_entry_of_every_group_fits_a_screen() {
    let groups: Value = serde_json::from_str(&shown(&["--json"])).unwrap();
    for group in groups["groups"].as_array().unwrap() {
        let list = told(group["group"].as_str().unwrap());
        // A group of one thing is that thing.
        for entry in list["matches"].as_array().into_iter().flatten().step_by(5) {
            let path = entry["path"].as_str().unwrap();
            let text = shown(&["--width", "80", path]);
            assert!(text.lines().count() <= 30, "{path} has {} lines:\n{text}", text.lines().count());
        }
    }
}

#[test]
fn json_says_the_same() {
    let it = told("time-wait");
    assert_eq!(it["path"], "state.time_wait");
    assert_eq!(it["defined"], "RFC 9293 §3.3.2");
    assert!(it["why"].as_str().unwrap().contains("last ACK"));
    assert!(it["lesson"]["command"].as_str().unwrap().starts_with("sockwalk "));
    assert!(it["mistakes"].as_array().unwrap().len() >= 2);
    let many = told("fin");
    assert!(many["matches"].as_array().unwrap().iter().any(|one| one["path"] == "ws.fin"));
}

#[test]
fn several_words_are_one_name() {
    assert_eq!(shown(&["ws", "close", "--plain"]), shown(&["ws close", "--plain"]));
}

#[test]
fn without_a_name_the_groups_are_listed() {
    let text = shown(&["--width", "80"]);
    for group in ["errno", "tcp", "ws", "icmp6"] {
        assert!(text.contains(group), "{text}");
    }
    assert!(shown(&["tcp"]).contains("tcp.flags.syn"));
}

#[test]
fn a_near_miss_is_answered_by_what_is_near() {
    let output = run(&["explain", "ECONRESET"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("did you mean `ECONNRESET`"), "{}", stderr(&output));
    let output = run(&["explain", "\u{1b}[2Jx"]);
    assert!(!stderr(&output).contains('\u{1b}'), "{:?}", stderr(&output));
}

#[test]
fn plain_text_has_no_columns() {
    let text = shown(&["--plain", "tcp.flags.psh"]);
    assert!(text.contains("Why:") && !text.contains("  "), "{text}");
}
