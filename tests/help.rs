//! The help, the completions and the manual pages: what they say can be typed works as it is written.

use crate::support::{Folder, NINE, lesson, run, sockwalk, stderr, stdout};

const OTHERS: [&str; 12] = [
    "tour",
    "lessons",
    "run",
    "check",
    "lint",
    "replay",
    "decode",
    "explain",
    "progress",
    "enter",
    "completions",
    "man",
];

/// What is only live: all of its examples name ports.
const LIVE: [&str; 3] = ["tap", "client", "serve"];

/// The lines of a help text that begin with the program's name, without it.
fn examples(help: &str) -> Vec<String> {
    let lines = help.split("Examples:").nth(1).unwrap_or_default().lines();
    lines.filter_map(|line| line.trim().strip_prefix("sockwalk ")).map(str::to_owned).collect()
}

/// Whether an example goes out to the open machine: it names a port, or a protocol.
fn is_live(example: &str) -> bool {
    example.contains(":7000") || example.contains(":8000") || example == "socket tcp"
}

#[test]
fn the_examples_of_every_command_work_as_written() {
    let folder = Folder::new();
    let text = lesson("server$ s = socket tcp");
    folder.file("mine.md", &text);
    folder.file("other.md", &text);
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/captures/05a-ws-node-plain.pcap");
    std::fs::copy(capture, folder.path("capture.pcap")).unwrap();
    let trace = folder.path("accept.jsonl");
    assert!(sockwalk(&folder, &["accept", "--trace", &trace]).output().unwrap().status.success());
    for name in NINE.iter().chain(&OTHERS).chain(&LIVE) {
        let help = stdout(&run(&[name, "--help"]));
        let examples = examples(&help);
        assert_eq!(examples.len(), 2, "{name} has two examples:\n{help}");
        assert_eq!(
            examples.iter().filter(|one| is_live(one)).count() > 0,
            NINE.contains(name) || LIVE.contains(name),
            "what can be done live has an example of it: {name}"
        );
        // There is nobody to be entered; tests/cable.rs does it.
        for example in examples.iter().filter(|one| !is_live(one) && *name != "enter") {
            let arguments: Vec<&str> = example.split_whitespace().collect();
            let output = sockwalk(&folder, &arguments).current_dir(&folder.0).output().unwrap();
            assert!(output.status.success(), "sockwalk {example}: {}", stderr(&output));
        }
    }
}

/// The examples have ports in them, so each runs in a network of its own, where nobody else can have them.
/// Who calls finds a server there; who serves is ended by Ctrl-C.
#[test]
#[ignore = "needs a network namespace, by unshare and ip"]
fn the_live_examples_work_as_written() {
    const SCRIPT: &str = r#"
        set -e
        ip link set lo up
        sockwalk() { "$SOCKWALK" "$@"; }
        if [ "$SERVED" = yes ]; then
            "$SOCKWALK" accept 127.0.0.1:7000 > /dev/null &
            "$SOCKWALK" websocket 127.0.0.1:8000 > /dev/null &
            until [ "$(ss -Hltn 'sport = :7000 or sport = :8000' | wc -l)" = 2 ]; do :; done
            trap 'kill $(jobs -p); wait' EXIT
            eval "$EXAMPLE"
        else
            eval "timeout --preserve-status -k 9 -s INT 1 $SOCKWALK ${EXAMPLE#sockwalk }"
        fi"#;
    let folder = Folder::new();
    for name in NINE.into_iter().chain(LIVE) {
        for example in examples(&stdout(&run(&[name, "--help"]))).iter().filter(|one| is_live(one)) {
            let calls = ["connect", "send", "close", "client"].contains(&name) || example.contains("ws://");
            let output = std::process::Command::new("unshare")
                .args(["--user", "--map-root-user", "--net", "bash", "-c", SCRIPT])
                .env("SOCKWALK", env!("CARGO_BIN_EXE_sockwalk"))
                .env("SERVED", if calls { "yes" } else { "no" })
                .env("EXAMPLE", format!("sockwalk {example} < /dev/null"))
                .env("XDG_STATE_HOME", folder.path("state"))
                .output()
                .unwrap();
            assert!(output.status.success(), "sockwalk {example}: {}\n{}", stdout(&output), stderr(&output));
            let shown = stdout(&output);
            let begins = match name {
                "tap" => "The tap listens at",
                "client" => "connected",
                "serve" => "listens at",
                _ => "live on linux",
            };
            assert!(shown.contains(begins), "sockwalk {example}: {shown}");
        }
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&run(&["completions", shell]));
        for name in NINE.iter().chain(&OTHERS).chain(&LIVE) {
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
