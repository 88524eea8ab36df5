//! The help, the completions and the manual pages: what they say can be typed works as it is written.
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod support;

use support::{Folder, NINE, lesson, run, sockwalk, stderr, stdout};

const OTHERS: [&str; 9] =
    ["tour", "lessons", "run", "check", "lint", "replay", "progress", "completions", "man"];

/// The lines of a help text that begin with the program's name.
fn examples(help: &str) -> Vec<Vec<String>> {
    let lines = help.split("Examples:").nth(1).unwrap_or_default().lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("sockwalk "))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_examples_of_every_command_work_as_written() {
    let folder = Folder::new();
    let text = lesson("server$ s = socket tcp");
    folder.file("mine.md", &text);
    folder.file("other.md", &text);
    let trace = folder.path("accept.jsonl");
    assert!(sockwalk(&folder, &["accept", "--trace", &trace]).output().unwrap().status.success());
    for name in NINE.iter().chain(&OTHERS) {
        let help = stdout(&run(&[name, "--help"]));
        let examples = examples(&help);
        assert_eq!(examples.len(), 2, "{name} has two examples:\n{help}");
        for example in examples {
            let arguments: Vec<&str> = example.iter().map(String::as_str).collect();
            let output = sockwalk(&folder, &arguments).current_dir(&folder.0).output().unwrap();
            assert!(output.status.success(), "sockwalk {}: {}", example.join(" "), stderr(&output));
        }
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&run(&["completions", shell]));
        for name in NINE.iter().chain(&OTHERS) {
            assert!(script.contains(name), "{shell} does not complete {name}");
        }
    }
}

#[test]
fn manual_pages_describe_every_option() {
    let page = stdout(&run(&["man"]));
    for option in ["color", "ascii", "plain", "width", "pace", "trace"] {
        assert!(page.contains(option), "the page says nothing of {option}");
    }
    assert!(stdout(&run(&["man", "listen"])).contains("part"));
    assert!(stderr(&run(&["man", "lisen"])).contains("no command `lisen`"));
}
