//! Signals at any moment.

use std::{
    fs,
    io::{Read, Write},
    time::Duration,
};

use serde_json::Value;

use super::harness::*;
use crate::support::live::{Ended, Live};

/// What goes on until it is told to end, with somebody who listens and says nothing, and with a WebSocket
/// server.
fn endless(silent: &str, echo: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let lines = [
        "socket tcp --pace 1m".to_owned(),
        "bind 0".to_owned(),
        "listen 0".to_owned(),
        "recv 0".to_owned(),
        "accept 0".to_owned(),
        "accept 0 --quiet".to_owned(),
        "websocket 0".to_owned(),
        "websocket 0 --quiet".to_owned(),
        format!("connect {silent} --pace 1m"),
        format!("send {silent} hello --wait 1m"),
        format!("close {silent} --how half"),
        format!("websocket ws://{silent}/ hello"),
        format!("websocket ws://{echo}/ hello --wait 1m"),
    ];
    lines.iter().map(|line| words(line)).collect()
}

/// The commands above, and those whom they call.
pub struct Endless {
    pub commands: Vec<Vec<String>>,
    pub _echo: Live,
}

impl Endless {
    pub fn new() -> Endless {
        let mut echo = Live::start(&["websocket", "0"]);
        let at = format!("127.0.0.1:{}", echo.port());
        Endless { commands: endless(&silent_peer(), &at), _echo: echo }
    }
}

/// What has to be so of a live run that a signal ended.
pub fn ended_well(ended: &Ended, trace: &str, what: &str) {
    let events = events(trace);
    match ended.code {
        Some(0) => assert!(is_complete(&events), "{what}: the trace has no end\n{trace}"),
        // Before anything was done.
        None => {
            assert!(events.is_empty() && ended.out.is_empty(), "{what}: it was cut off\n{}{trace}", ended.out)
        }
        Some(code) => panic!("{what}: exit {code}\n{}{trace}", ended.out),
    }
}

#[test]
fn ctrl_c_at_any_moment_ends_a_live_command_tidily() {
    let endless = Endless::new();
    let mut moments = Moments(SEED);
    for moment in 0..50 {
        let command: Vec<&str> =
            endless.commands[moment % endless.commands.len()].iter().map(String::as_str).collect();
        let mut here = start(&command);
        let listens = ["listen", "recv", "accept", "websocket"].contains(&command[0]) && command[1] == "0";
        let mut clients = Vec::new();
        let signal = ["INT", "INT", "TERM", "QUIT"][usize::try_from(moments.next(4)).unwrap()];
        let delay = if listens && moments.next(3) > 0 {
            let port = here.port();
            match command[0] {
                "listen" => {}
                "recv" => clients.push(chatter(port, false, Duration::from_millis(5))),
                other => clients = talkers(port, other == "websocket"),
            }
            moments.millis(400)
        } else {
            moments.millis(150)
        };
        pass(delay);
        let (ended, took) = here.told_to_end(signal);
        let what = format!(
            "seed {SEED:#x}, moment {moment}: {command:?}, {signal} after {delay:?}, ended after {took:?}"
        );
        ended_well(&ended, &ended.err, &what);
        assert!(took < PROMPT, "{what}");
        // Whoever was not let in any more is reset.
        clients.into_iter().for_each(|client| drop(client.join()));
    }
}

#[test]
fn a_signal_ends_a_live_command_tidily() {
    let endless = Endless::new();
    for command in &endless.commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        for signal in ["INT", "TERM", "QUIT", "HUP"] {
            let mut here = start(&command);
            here.process.err("a call", |line| line.contains(r#""event":"return""#).then_some(()));
            let (ended, took) = here.told_to_end(signal);
            let what = format!("{command:?}, SIG{signal}, ended after {took:?}");
            // That the terminal has gone away ends a program as it does if nothing is done about it, or
            // tidily.
            if signal == "HUP" && ended.code.is_none() {
                events(&ended.err);
            } else {
                ended_well(&ended, &ended.err, &what);
            }
            assert!(took < PROMPT, "{what}");
        }
    }
}

#[test]
fn a_signal_ends_a_class_that_is_never_silent() {
    for command in ["accept", "websocket"] {
        let mut here = start(&[command, "0"]);
        let clients = chatters(here.port(), command == "websocket");
        here.process.err("much of it", |line| line.contains(r#""id":2000,"#).then_some(()));
        let (ended, took) = here.told_to_end("INT");
        ended_well(&ended, &ended.err, command);
        assert!(took < LADEN, "{command}: {took:?}");
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
}

/// timeout(1) sends its signal to its program, and then to the group of processes that this is in.
#[test]
fn a_signal_that_comes_twice_at_the_same_time_counts_once() {
    for _ in 0..10 {
        let noting = r#"echo $$ >"$FOLDER/pid"; exec "$0" "$@""#;
        let mut here = shell(noting, &["accept", "0", "--trace", "/dev/stderr"]);
        here.port();
        let id = fs::read_to_string(here.home.path("pid")).unwrap();
        signal("TERM", &format!("{} {}", id.trim(), id.trim()));
        let ended = here.end();
        ended_well(&ended, &ended.err, "twice");
    }
}

#[test]
fn who_is_connected_is_told_goodbye_at_a_signal() {
    for signal in ["INT", "TERM"] {
        let mut here = start(&["websocket", "0"]);
        let port = here.port();
        let mut stream = connect(port);
        stream.write_all(&opening(port)).unwrap();
        here.process.err("an upgrade", |line| line.contains(r#""phase":"open""#).then_some(()));
        here.process.signal(signal);
        let mut came = Vec::new();
        stream.read_to_end(&mut came).unwrap();
        let goodbye =
            came.windows(4).any(|window| window[0] == 0x88 && window[2..] == 1001_u16.to_be_bytes());
        assert!(goodbye, "{:?}", String::from_utf8_lossy(&came));
        drop(stream);
        let peer = here.process.err("that it is gone", |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event["event"] == "peer" && event["phase"] == "gone").then_some(event)
        });
        assert_eq!(peer["end"], "stopped", "{signal}: {peer}");
        here.process.succeed();
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    // As nohup(1) does it.
    let mut here = shell(r#"trap "" HUP; exec "$0" "$@""#, &["accept", "0", "--trace", "/dev/stderr"]);
    let port = here.port();
    here.process.signal("HUP");
    assert_eq!(exchange(connect(port), b"hello"), b"hello");
    let (ended, _) = here.told_to_end("TERM");
    ended_well(&ended, &ended.err, "nohup");
}
