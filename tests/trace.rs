//! The trace: each command that makes or reads traffic writes one, a replay shows it as the run did, and what
//! can't be made of its events is said.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
};

use crate::support::{Folder, run, stderr, stdout};

fn capture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures").join(name).display().to_string()
}

/// How an option goes with the events of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fits {
    Yes,
    /// A sentence says what is missing.
    No,
}
use Fits::{No, Yes};

/// Every command that makes or reads traffic, with `--trace`, `--view ladder`, `--pcap` and `--transcript`. A
/// new command that makes or reads traffic belongs here.
const MATRIX: &[(&str, &[&str], [Fits; 4])] = &[
    ("socket", &[], [Yes, Yes, Yes, Yes]),
    ("bind", &[], [Yes, Yes, Yes, Yes]),
    ("listen", &[], [Yes, Yes, Yes, Yes]),
    ("accept", &[], [Yes, Yes, Yes, Yes]),
    ("connect", &[], [Yes, Yes, Yes, Yes]),
    ("send", &[], [Yes, Yes, Yes, Yes]),
    ("recv", &[], [Yes, Yes, Yes, Yes]),
    ("close", &[], [Yes, Yes, Yes, Yes]),
    ("websocket", &[], [Yes, Yes, Yes, Yes]),
    ("tour", &[], [Yes, Yes, Yes, Yes]),
    ("run", &[], [Yes, Yes, Yes, Yes]),
    ("check", &[], [Yes, No, Yes, Yes]),
    ("replay", &[], [No, Yes, Yes, Yes]),
    ("tap", &["127.0.0.1:0", "127.0.0.1:1"], [Yes, No, Yes, No]),
    ("decode", &["04a-sse-curl.pcap"], [Yes, No, No, No]),
    ("serve", &["websocket", "127.0.0.1:0"], [Yes, No, No, No]),
    ("lessons", &[], [No, No, No, No]),
    ("doctor", &[], [No, No, No, No]),
];

#[test]
fn what_the_events_of_a_command_do_not_suffice_for_is_said_with_what_to_do() {
    let folder = Folder::new();
    for (command, arguments, fits) in MATRIX {
        let options = [("--trace", "t"), ("--view", "ladder"), ("--pcap", "p"), ("--transcript", "x")];
        for ((option, value), fit) in options.into_iter().zip(fits) {
            if *fit == Yes {
                continue;
            }
            let value = if option == "--view" { value.to_owned() } else { folder.path(value) };
            let mut all = vec![*command];
            let paths: Vec<String> = arguments
                .iter()
                .map(|it| if it.ends_with(".pcap") { capture(it) } else { (*it).to_owned() })
                .collect();
            all.extend(paths.iter().map(String::as_str));
            let lesson = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/en/03-listen.md");
            if matches!(*command, "check" | "replay") {
                all.push(lesson);
            }
            all.extend([option, &value]);
            let output = run(&all);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{all:?}: {said}");
            assert!(said.contains(option), "{all:?}: {said}");
        }
    }
}

#[test]
fn a_capture_is_shown_again_as_it_was() {
    let folder = Folder::new();
    let trace = folder.path("trace.jsonl");
    for name in ["04a-sse-curl.pcap", "10g-sockjs-curl-cases.pcap"] {
        let path = capture(name);
        for options in [&[][..], &["--follow"], &["--filter", "server"], &["--stream", "0"], &["--plain"]] {
            let shown = run(&[&["decode", path.as_str(), "--trace", &trace], options].concat());
            let plain: &[&str] = if options == ["--plain"] { options } else { &[] };
            let again = run(&[&["replay", trace.as_str()], plain].concat());
            assert!(shown.status.success() && again.status.success(), "{}", stderr(&again));
            assert_eq!(stdout(&shown), stdout(&again), "{name} {options:?}");
        }
        // `--json` is that trace.
        let json = stdout(&run(&["decode", &path, "--json"]));
        run(&["decode", &path, "--trace", &trace]);
        assert_eq!(json, fs::read_to_string(&trace).unwrap());
        for (option, value) in [("--view", "ladder"), ("--pcap", "x"), ("--transcript", "x")] {
            let value = if value == "x" { folder.path(value) } else { value.to_owned() };
            let output = run(&["replay", &trace, option, &value]);
            assert_eq!(output.status.code(), Some(2));
            assert!(stderr(&output).contains(option), "{}", stderr(&output));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_tap_is_shown_again_as_it_was_with_the_same_capture() {
    let folder = Folder::new();
    let (trace, one, other) =
        (folder.path("tap.jsonl"), folder.path("one.pcapng"), folder.path("other.pcapng"));
    for options in [&[][..], &["--quiet"]] {
        let options = [options, &["--trace", &trace, "--pcap", &one]].concat();
        let mut tap = crate::tap::harness::Tap::start(&options);
        let (mut client, mut server) = tap.connect();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nContent-").unwrap();
        server.read_exact(&mut [0; 30]).unwrap();
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").unwrap();
        client.read_exact(&mut [0; 40]).unwrap();
        drop((client, server));
        let shown = tap.stop();
        let again = run(&["replay", &trace, "--pcap", &other, "--width", "160"]);
        assert!(again.status.success(), "{}", stderr(&again));
        assert_eq!(crate::tap::harness::flat(&stdout(&again)), shown);
        assert!(fs::read(&one).unwrap() == fs::read(&other).unwrap(), "the captures differ");
        if !options.contains(&"--quiet") {
            assert!(shown.contains("the body is unfinished, 5 of 10 bytes came"), "{shown}");
            assert!(shown.contains("the head is unfinished"), "{shown}");
        }
    }
}
