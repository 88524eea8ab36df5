//! strace as the judge: the calls that a lesson tells are the calls that the host threads made, in that
//! order.

use std::{fs, process::Command};

use serde_json::Value;
use sockwalk::lesson::builtin;

use crate::support::{Folder, stderr, stdout};

/// A system call on a host thread: host, name, first argument if that is a descriptor.
type Seen = (String, String, Option<i64>);

/// What the trace tells, in its order.
fn told(trace: &str) -> Vec<Seen> {
    let events: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut seen = Vec::new();
    for event in events.iter().filter(|event| event["event"] == "call") {
        let syscalls = event["syscalls"].as_array().unwrap();
        for name in syscalls {
            let name = name.as_str().unwrap().to_owned();
            // Std's listener makes its own descriptor: the first of its calls has none yet.
            let fd = if syscalls.len() > 1 || name == "socket" { None } else { event["fd"].as_i64() };
            seen.push((event["host"].as_str().unwrap().to_owned(), name, fd));
        }
    }
    seen
}

/// What strace saw on threads with a host's name, in the order in which the calls began.
fn straced(log: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    for line in log.lines() {
        let Some((pid, call)) = line.split_once("> ") else { continue };
        let Some((_, comm)) = pid.split_once('<') else { continue };
        if !["client", "server"].contains(&comm) {
            continue;
        }
        let call = call.trim_start();
        let Some((name, arguments)) = call.split_once('(') else { continue };
        if call.starts_with("<...") || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        // Built for debugging, Rust asks whether a descriptor is open before it closes it.
        if arguments.contains("F_GETFD") {
            continue;
        }
        // Giving up its rights is the last thing that a host's thread does before the lesson.
        if name == "capset" {
            seen.retain(|(host, ..): &Seen| host != comm);
            continue;
        }
        let first: String = arguments.chars().take_while(char::is_ascii_digit).collect();
        let fd = if name == "socket" { None } else { first.parse().ok() };
        seen.push((comm.to_owned(), name.to_owned(), fd));
    }
    seen
}

fn same(told: &Seen, seen: &Seen) -> bool {
    told.0 == seen.0 && told.1 == seen.1 && (told.2.is_none() || told.2 == seen.2)
}

#[test]
#[ignore = "needs strace; tests/run installs and runs it"]
fn the_calls_that_are_told_are_the_calls_that_were_made() {
    let folder = Folder::new();
    for name in builtin().iter().map(|lesson| lesson.name) {
        let (log, trace) = (folder.path("strace.log"), folder.path("trace.jsonl"));
        crate::support::signals::reset_in_children();
        let output = Command::new("strace")
            .args([
                "-f",
                "--decode-pids=comm",
                "-e",
                "trace=%network,close,fcntl,capset,clock_nanosleep",
                "-e",
                "signal=none",
                "-o",
                &log,
            ])
            .args([env!("CARGO_BIN_EXE_sockwalk"), "run", name, "--trace", &trace])
            .env("HOME", &folder.0)
            .output()
            .expect("strace is there");
        assert!(output.status.success(), "{name} under strace: {}\n{}", stderr(&output), stdout(&output));
        let told = told(&fs::read_to_string(&trace).unwrap());
        let seen = straced(&fs::read_to_string(&log).unwrap());
        assert!(told.len() >= 10, "{name} tells of {} calls", told.len());
        // Host by host: what a call in the background is made of is told when it has come back, and the other
        // host goes on meanwhile.
        let mut untold = Vec::new();
        for host in ["client", "server"] {
            let of = |calls: &[Seen]| -> Vec<Seen> {
                calls.iter().filter(|call| call.0 == host).cloned().collect()
            };
            let (told, seen) = (of(&told), of(&seen));
            for (index, one) in told.iter().enumerate() {
                let real = seen
                    .get(index)
                    .unwrap_or_else(|| panic!("{name}: call {index} of the {host}, {one:?}, was never made"));
                assert!(same(one, real), "{name}: call {index} is told as {one:?}, strace saw {real:?}");
            }
            untold.extend_from_slice(&seen[told.len()..]);
        }
        // What is left open at the end is closed, and that alone is not told.
        for more in &untold {
            // On a cable a connection is aborted, so that its network can go at once: SO_LINGER.
            assert!(
                ["setsockopt", "close"].contains(&more.1.as_str()),
                "{name}: strace saw {more:?}, which was not told"
            );
        }
    }
}
