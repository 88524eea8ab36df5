//! Readers that go away, disks that are full, standard streams that are closed.

use std::{
    fs,
    io::{BufRead, BufReader, Cursor},
    process::Stdio,
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use sockwalk::event::{Event, Reader};

use crate::{
    support::live::Ended,
    support::{Folder, run, sockwalk, stderr},
};

use super::harness::*;

#[test]
fn standard_output_that_is_closed_hinders_nobody() {
    let peer = silent_peer();
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["check", "socket"],
        &["socket", "tcp"],
        &["connect", &peer],
        &["send", &peer, "hello", "--wait", "50ms"],
        &["close", &peer],
        &["bind", "0", "--pace", "0s"],
    ] {
        let ended = shell(r#"exec "$0" "$@" >&-"#, arguments).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    for command in ["accept", "websocket"] {
        let mut here = shell(r#"exec "$0" "$@" >&-"#, &[command, "0", "--trace", "/dev/stderr"]);
        let port = here.port();
        let clients = talkers(port, command == "websocket");
        here.process.err("a peer", |line| line.contains(r#""name":"c4""#).then_some(()));
        let (ended, took) = here.told_to_end("INT");
        assert!(ended.code == Some(0) && took < PROMPT, "{command}: {took:?} {}", here.process.story());
        assert!(is_complete(&events(&ended.err)), "{command}");
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
}

#[test]
fn standard_error_and_input_that_are_closed_hinder_nobody() {
    let mut here = shell(r#"exec "$0" "$@" 2>&- <&-"#, &["accept", "0", "--trace", "-"]);
    let port = here.process.out("a listening socket", port_of);
    assert_eq!(exchange(connect(port), b"hello"), b"hello");
    let (ended, _) = here.told_to_end("INT");
    assert_eq!(ended.code, Some(0));
    // Nobody can be told why; the exit code says it.
    assert_eq!(shell(r#"exec "$0" "$@" 2>&-"#, &["run", "no/such/lesson.md"]).end().code, Some(1));
}

/// Runs it with a reader that takes three lines and goes.
fn three_lines_of(arguments: &[&str]) -> Ended {
    shell(r#"{ timeout 20 "$0" "$@"; echo "code $?" >&2; } | head -3"#, arguments).end()
}

#[test]
fn a_reader_that_takes_three_lines_ends_what_is_written_to_it() {
    let peer = silent_peer();
    let url = format!("ws://{peer}/");
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["tour", "--trace", "-"],
        &["check"],
        &["man"],
        &["--help"],
        &["completions", "bash"],
        &["socket", "tcp", "--pace", "1m"],
        &["bind", "0"],
        &["listen", "0"],
        &["connect", &peer, "--pace", "1m"],
        &["send", &peer, "hello", "--wait", "1m"],
        &["recv", "0"],
        &["close", &peer, "--how", "half"],
        &["accept", "0"],
        &["websocket", "0"],
        &["websocket", &url, "hello"],
        &["accept", "0", "--trace", "-"],
        &["listen", "0", "--trace", "-"],
        &["recv", "0", "--trace", "-"],
    ] {
        let ended = three_lines_of(arguments);
        assert_eq!((ended.out.lines().count(), ended.err.as_str()), (3, "code 0\n"), "{arguments:?}");
    }
}

/// Starts a class server, reads its standard output while four clients talk to it, and then goes away. Gives
/// exit code, standard error, and the time from there to its end.
fn reader_goes_from_a_class(command: &str, arguments: &[&str]) -> (Option<i32>, String, Duration) {
    let home = Folder::new();
    let mut all = vec![command, "0"];
    all.extend(arguments);
    let mut child =
        sockwalk(&home, &all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id().to_string();
    let _noted = Noted(home.file("pid", &id));
    let mut screen = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = screen.find_map(|line| line.ok().and_then(|line| port_of(&line).or(port_shown(&line))));
    let port = port.unwrap_or_else(|| panic!("{all:?} says no port"));
    let clients = chatters(port, command == "websocket");
    screen.by_ref().take(200).for_each(|line| drop(line.unwrap()));
    drop(screen);
    let gone = Instant::now();
    let (tell, told) = channel();
    let waiter = thread::spawn(move || {
        let output = child.wait_with_output();
        let _ = tell.send(());
        output.unwrap()
    });
    let ended = told.recv_timeout(PATIENCE);
    let took = gone.elapsed();
    if ended.is_err() {
        signal("KILL", &id);
    }
    let output = waiter.join().unwrap();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert!(ended.is_ok(), "{all:?} went on for {took:?} with nobody to tell it to");
    (output.status.code(), stderr(&output), took)
}

#[test]
fn a_class_under_load_ends_when_its_reader_goes_away() {
    for command in ["accept", "websocket"] {
        let folder = Folder::new();
        let trace = folder.path("trace.jsonl");
        let (code, errors, took) = reader_goes_from_a_class(command, &["--trace", &trace]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{command}");
        assert!(took < LADEN, "{command}: {took:?}");
        assert!(is_complete(&events(&fs::read_to_string(trace).unwrap())), "{command}");
    }
}

#[test]
fn a_class_under_load_ends_when_the_reader_of_its_trace_goes_away() {
    for command in ["accept", "websocket"] {
        let (code, errors, took) = reader_goes_from_a_class(command, &["--trace", "-"]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{command}");
        assert!(took < LADEN, "{command}: {took:?}");
    }
}

#[test]
fn a_class_whose_reader_stalls_ends_at_the_second_signal_at_once() {
    let home = Folder::new();
    let trace = home.path("trace.jsonl");
    let arguments = ["accept", "0", "--trace", &trace];
    let mut child = sockwalk(&home, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    let _noted = Noted(home.file("pid", &id));
    let mut screen = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = screen.find_map(|line| line.unwrap().trim().strip_prefix("nc 127.0.0.1 ")?.parse().ok());
    // More than a pipe holds is told, and nobody reads it.
    let clients = chatters(port.unwrap(), false);
    let mut before = 0;
    let deadline = Instant::now() + PATIENCE;
    loop {
        pass(Duration::from_millis(300));
        let now = fs::metadata(&trace).unwrap().len();
        if now == before && now > 64 << 10 {
            break;
        }
        assert!(Instant::now() < deadline, "{now} bytes of trace");
        before = now;
    }
    let (tell, told) = channel();
    let waiter = thread::spawn(move || tell.send(child.wait().unwrap().code()).unwrap());
    signal("INT", &id);
    pass(Duration::from_millis(100));
    signal("INT", &id);
    let ended = told.recv_timeout(PROMPT);
    if ended.is_err() {
        signal("KILL", &id);
    }
    waiter.join().unwrap();
    clients.into_iter().for_each(|client| client.join().unwrap());
    drop(screen);
    assert_eq!(ended, Ok(Some(130)));
    events(&fs::read_to_string(trace).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_is_full_is_told() {
    let peer = silent_peer();
    let url = format!("ws://{peer}/");
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["check", "socket"],
        &["replay", "/dev/null"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["listen", "--help"],
        &["socket", "tcp", "--pace", "1m"],
        &["bind", "0"],
        &["listen", "0"],
        &["connect", &peer, "--pace", "1m"],
        &["send", &peer, "hello", "--wait", "1m"],
        &["recv", "0"],
        &["close", &peer, "--how", "half"],
        &["accept", "0"],
        &["accept", "0", "--quiet"],
        &["websocket", "0"],
        &["websocket", &url, "hello"],
        &["tour", "--trace", "-"],
        &["accept", "0", "--trace", "-"],
        &["listen", "0", "--trace", "-"],
    ] {
        // `replay` of nothing says so on standard error, and that is enough.
        let ended = shell(r#"exec timeout 20 "$0" "$@" >/dev/full"#, arguments).end();
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.err);
        let said = ended.err.contains("No space left on device") || arguments[0] == "replay";
        assert!(said && ended.err.lines().count() == 1, "{arguments:?}: {}", ended.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_class_goes_on_without_a_trace_that_cannot_be_written() {
    for command in ["accept", "websocket"] {
        let mut here = shell(r#"exec "$0" "$@""#, &[command, "0", "--trace", "/dev/full"]);
        let port = here.process.out("where it serves", port_shown);
        let clients = talkers(port, command == "websocket");
        here.process.out("the fourth", |line| line.contains("c4").then_some(()));
        let (ended, _) = here.told_to_end("INT");
        clients.into_iter().for_each(|client| client.join().unwrap());
        assert_eq!(ended.code, Some(1), "{command}");
        assert!(
            ended.err.contains("the trace is not whole") && ended.err.contains("No space left"),
            "{}",
            ended.err
        );
        assert!(ended.out.trim_end().ends_with("the end"), "{command} tells all to its end: {}", ended.out);
    }
}

#[test]
#[ignore = "needs unshare and mount (util-linux)"]
fn a_disk_that_fills_up_in_the_middle_keeps_what_was_written() {
    // The disk goes with its namespace, so the trace is taken out of it at the end.
    let script = r#"mkdir "$FOLDER/disk"; mount -t tmpfs -o size=64k none "$FOLDER/disk"
        timeout --foreground 25 "$0" "$@" --trace "$FOLDER/disk/trace" & server=$!
        trap 'kill -TERM $server' TERM
        code=0; wait $server || code=$?
        while kill -0 $server 2>/dev/null; do code=0; wait $server || code=$?; done
        cp "$FOLDER/disk/trace" "$FOLDER/trace"; exit $code"#;
    for command in ["accept", "websocket"] {
        let mut here = secluded(&["--mount"], script, &[command, "0"]);
        let port = here.process.out("where it serves", port_shown);
        // Each of these is told in more than 64 KiB.
        let text = vec![b'x'; 100_000];
        for _ in 0..3 {
            if command == "accept" {
                assert_eq!(
                    exchange(connect(port), &text).len(),
                    text.len(),
                    "whoever calls is served all the same"
                );
            } else {
                let mut bytes = opening(port);
                bytes.extend(frame(1, &text, true));
                bytes.extend(frame(8, &[], true));
                let came = exchange(connect(port), &bytes);
                assert!(came.windows(text.len()).any(|window| window == text), "{} bytes came", came.len());
            }
        }
        let (ended, _) = here.told_to_end("TERM");
        assert_eq!(ended.code, Some(1), "{command}: {}{}", ended.out, ended.err);
        assert!(
            ended.err.contains("the trace is not whole") && ended.err.contains("No space left"),
            "{}",
            ended.err
        );
        assert!(ended.out.contains("c3") && ended.out.trim_end().ends_with("the end"), "{}", ended.out);

        let trace = here.home.path("trace");
        let written = fs::read_to_string(&trace).unwrap();
        assert!(written.len() > 60 << 10, "{} bytes", written.len());
        // The line that did not fit is torn; all before it are whole.
        let kept: Vec<Event> = Reader::new(Cursor::new(&written)).collect::<Result<_, _>>().unwrap();
        assert!(kept.len() + 1 >= written.lines().count() && kept.len() > 5, "{} events", kept.len());
        let replay = run(&["replay", &trace]);
        assert_eq!((replay.status.code(), stderr(&replay)), (Some(1), String::new()));
        assert!(crate::support::stdout(&replay).contains("The trace ends here"));
    }
}
