//! Plain TCP: netcat, curl, Python's socket and Node's net as callers and as those called.

use std::{net::SocketAddr, process::Command};

use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};

use super::{Process, bytes, curl, hex, installed, nc, received, script, server};
use crate::{
    support::live::Live,
    support::{Folder, run, sockwalk, stderr, stdout},
};

/// One line of text: what a person would see.
fn shown(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
}

/// netcat at a port that the kernel picks, and that port. The end of its input ends its half of the
/// connection.
fn nc_server() -> (Process, String) {
    let mut nc = nc(&["-n", "-v", "-N", "-l", "127.0.0.1", "0"]);
    let port = nc.err("its port", |line| line.strip_prefix("Listening on 127.0.0.1 ").map(str::to_owned));
    (nc, port)
}

/// How a peer's connection ended, and the bytes both ways.
fn totals(gone: &Value) -> (&str, u64, u64) {
    (gone["end"].as_str().unwrap(), gone["received"].as_u64().unwrap(), gone["sent"].as_u64().unwrap())
}

/// The event in which a call of this name gave this back.
fn gave(live: &mut Live, call: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let called = live.event(&format!("call {call}"), |e| e["event"] == "call" && e["call"] == call);
    live.event(&format!("the return of {call}"), |e| {
        e["event"] == "return" && e["call"] == called["id"] && wanted(e)
    })
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn netcat_gets_its_lines_back_and_ends_its_half() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    // -N: at the end of its input nc ends its half of the connection; without, it would wait for us, and we for it.
    let mut nc = nc(&["-N", "127.0.0.1", &port]);
    for line in ["hello", "grüße", "", "the last"] {
        nc.write(format!("{line}\n"));
        nc.out(&format!("{line:?} back"), |back| (back == line).then_some(()));
    }
    nc.end_input();
    assert_eq!(nc.succeed().out, "hello\ngrüße\n\nthe last\n");
    let length = "hello\ngrüße\n\nthe last\n".len() as u64;
    assert_eq!(totals(&live.peer("c1", "gone")), ("closed", length, length));
    let events = live.stop();
    assert_eq!(received(&events, Some("c1")), "hello\ngrüße\n\nthe last\n".as_bytes());
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn netcat_over_ipv6() {
    let mut live = Live::start(&["accept", "[::1]:0"]);
    let port = live.port();
    let mut nc = nc(&["-6", "-N", "::1", &port]);
    nc.write("hello\n");
    nc.out("hello", |back| (back == "hello").then_some(()));
    nc.end_input();
    nc.succeed();
    let gone = live.peer("c1", "gone");
    assert!(gone["address"].as_str().unwrap().starts_with("[::1]:"), "{gone}");
    live.stop();
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn the_request_of_curl_is_bytes_like_any() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    let url = format!("http://127.0.0.1:{port}/a?b=c");
    // Its own request is no answer: 1 is "unsupported protocol", for HTTP/0.9.
    assert_eq!(curl(&["--max-time", "20", &url]).end().code, Some(1));
    live.peer("c1", "gone");
    let events = live.stop();
    let request = String::from_utf8(received(&events, Some("c1"))).unwrap();
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nHost: 127.0.0.1:{port}\r\n")) && request.ends_with("\r\n\r\n"));
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn the_request_of_curl_can_be_read_on_the_screen() {
    let home = Folder::new();
    let mut accept =
        Process::start("sockwalk accept", &mut sockwalk(&home, &["accept", "127.0.0.1:0", "--width", "120"]));
    let port = accept.out("its address", |line| {
        let rest = line.split_once("127.0.0.1:")?.1;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (port.parse::<u16>().is_ok_and(|port| port > 0)).then_some(port)
    });
    curl(&["--max-time", "20", &format!("http://127.0.0.1:{port}/a?b=c")]).end();
    accept.out("the request", |line| line.contains("GET /a?b=c HTTP/1.1").then_some(()));
    accept.signal("INT");
    accept.succeed();
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn a_python_client_gets_a_megabyte_back() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    let mut client = script("tcp_client.py", &[&port, "echo", "1000000"]);
    let said = client.says("sent");
    assert_eq!(
        (&said["sent"], &said["received"], &said["same"]),
        (&1_000_000.into(), &1_000_000.into(), &true.into())
    );
    client.succeed();
    assert_eq!(totals(&live.peer("c1", "gone")), ("closed", 1_000_000, 1_000_000));
    live.stop();
}

#[test]
#[ignore = "needs Node; tests/run installs it"]
fn forty_node_clients_at_once_each_get_their_own_back() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    let mut clients = script("tcp_client.js", &[&port, "40", "20000"]);
    let mut said: Vec<Value> = (0..40).map(|_| clients.says("port")).collect();
    clients.succeed();
    for number in 1..=40 {
        let gone = live.peer(&format!("c{number}"), "gone");
        let address = gone["address"].as_str().unwrap();
        let at = said.iter().position(|one| address == format!("127.0.0.1:{}", one["port"]));
        let client = said.swap_remove(at.unwrap_or_else(|| panic!("nobody called from {address}")));
        assert_eq!(client["same"], true, "{client}");
        assert_eq!(
            totals(&gone),
            ("closed", client["sent"].as_u64().unwrap(), client["received"].as_u64().unwrap())
        );
    }
    live.stop();
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn a_reset_is_told_from_an_end() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    for (name, what, end) in [("c1", "reset", "reset"), ("c2", "leave", "closed")] {
        script("tcp_client.py", &[&port, what]).succeed();
        assert_eq!(totals(&live.peer(name, "gone")), (end, 9, 9));
    }
    live.stop();
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn ctrl_c_lets_those_who_are_connected_go() {
    let mut live = Live::start(&["accept", "127.0.0.1:0"]);
    let port = live.port();
    let mut callers: Vec<Process> = (0..3).map(|_| nc(&["-N", "127.0.0.1", &port])).collect();
    for caller in &mut callers {
        caller.write("here\n");
        caller.out("here", |line| (line == "here").then_some(()));
    }
    let events = live.stop();
    for name in ["c1", "c2", "c3"] {
        let gone = events.iter().find(|e| e["event"] == "peer" && e["name"] == name && e["phase"] == "gone");
        assert_eq!(totals(gone.unwrap_or_else(|| panic!("{name} is not gone"))), ("stopped", 5, 5));
    }
    assert_eq!(events.last().unwrap()["event"], "end");
    for caller in &mut callers {
        caller.end_input();
        caller.end();
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn who_sends_more_than_the_limit_is_let_go_alone() {
    let mut live = Live::start(&["accept", "127.0.0.1:0", "--bytes", "1k"]);
    let port = live.port();
    let mut modest = nc(&["-N", "127.0.0.1", &port]);
    modest.write("here\n");
    modest.out("here", |line| (line == "here").then_some(()));
    let mut greedy = nc(&["-N", "127.0.0.1", &port]);
    greedy.write(vec![b'x'; 5000]);
    assert_eq!(live.peer("c2", "gone")["end"], "limit");
    greedy.end_input();
    greedy.end();
    modest.write("still here\n");
    modest.out("still here", |line| (line == "still here").then_some(()));
    modest.end_input();
    modest.succeed();
    live.stop();
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn who_finds_no_seat_waits_until_somebody_leaves() {
    let mut live = Live::start(&["accept", "127.0.0.1:0", "--connections", "2"]);
    let port = live.port();
    let mut callers: Vec<Process> = (0..3)
        .map(|_| {
            let mut caller = nc(&["-v", "-n", "-N", "127.0.0.1", &port]);
            caller.err("success", |line| line.contains("succeeded").then_some(()));
            caller.write("here\n");
            caller
        })
        .collect();
    for caller in &mut callers[..2] {
        caller.out("here", |line| (line == "here").then_some(()));
    }
    live.event("the limit told", |e| {
        e["markdown"].as_str().is_some_and(|text| text.contains("--connections"))
    });
    callers[0].end_input();
    callers[0].succeed();
    callers[2].out("here", |line| (line == "here").then_some(()));
    for caller in &mut callers[1..] {
        caller.end_input();
        caller.succeed();
    }
    live.peer("c3", "gone");
    let events = live.stop();
    // Nobody came in before there was room.
    let place = |name: &str, phase: &str| {
        events.iter().position(|e| e["event"] == "peer" && e["name"] == name && e["phase"] == phase).unwrap()
    };
    assert!(place("c3", "connected") > place("c1", "gone"));
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn who_says_nothing_for_too_long_is_let_go() {
    let mut live = Live::start(&["accept", "127.0.0.1:0", "--idle", "500ms"]);
    let port = live.port();
    let mut nc = nc(&["-N", "127.0.0.1", &port]);
    nc.write("here\n");
    let gone = live.peer("c1", "gone");
    assert_eq!(totals(&gone), ("limit", 5, 5));
    nc.end_input();
    assert_eq!(nc.end().out, "here\n");
    live.stop();
}

#[test]
fn sigterm_is_as_good_as_ctrl_c() {
    for command in ["bind", "listen", "recv", "accept", "websocket"] {
        let mut live = Live::start(&[command, "127.0.0.1:0"]);
        live.event("an address", |e| {
            e["event"] == "socket" && e["local"].as_str().is_some_and(|local| !local.ends_with(":0"))
        });
        live.signal("TERM");
        let events = live.succeed();
        assert_eq!(events.last().unwrap()["event"], "end", "{command}");
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn recv_shows_the_pieces_of_a_file_as_netcat_sends_them() {
    let mut live = Live::start(&["recv", "127.0.0.1:0"]);
    let port = live.port();
    let mut nc = nc(&["-N", "127.0.0.1", &port]);
    for piece in ["the first piece\n", "the second", "\0\u{1b}[31m", "the last"] {
        nc.write(piece);
        let piece = hex(piece);
        live.event("the piece", |e| e["event"] == "return" && e["ok"]["data"] == *piece);
    }
    nc.end_input();
    nc.succeed();
    let events = live.succeed();
    assert_eq!(received(&events, None), b"the first piece\nthe second\0\x1b[31mthe last");
    // The end of the stream is a recv that gives no bytes.
    let data: Vec<&Value> =
        events.iter().filter(|e| e["event"] == "return").map(|e| &e["ok"]["data"]).collect();
    assert_eq!(data.iter().rfind(|data| data.is_string()).unwrap(), &"");
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn recv_takes_no_more_at_once_than_its_size() {
    let mut live = Live::start(&["recv", "127.0.0.1:0", "--size", "10"]);
    let port = live.port();
    let mut nc = nc(&["-N", "127.0.0.1", &port]);
    nc.write(vec![b'x'; 95]);
    nc.end_input();
    nc.succeed();
    let events = live.succeed();
    assert_eq!(received(&events, None), vec![b'x'; 95]);
    let longest =
        events.iter().filter(|e| e["ok"]["data"].is_string()).map(|e| bytes(&e["ok"]["data"]).len()).max();
    assert_eq!(longest, Some(10));
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn a_file_of_a_megabyte_arrives_whole() {
    let mut live = Live::start(&["recv", "127.0.0.1:0"]);
    let port = live.port();
    let file: Vec<u8> = (0..1_000_000u32).map(|i| i.wrapping_mul(7).to_le_bytes()[0]).collect();
    let mut nc = nc(&["-N", "127.0.0.1", &port]);
    nc.write(&file);
    nc.end_input();
    nc.succeed();
    assert!(received(&live.succeed(), None) == file, "the file has changed on its way");
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn connect_reaches_netcat() {
    let (mut nc, port) = nc_server();
    let mut live = Live::start(&["connect", &format!("127.0.0.1:{port}")]);
    let ours = nc.err("the caller's port", |line| {
        line.strip_prefix("Connection received on 127.0.0.1 ").map(str::to_owned)
    });
    let (ours, theirs) = (format!("127.0.0.1:{ours}"), format!("127.0.0.1:{port}"));
    live.event("both addresses", |e| {
        e["event"] == "socket" && e["state"] == "ESTABLISHED" && e["local"] == *ours && e["peer"] == *theirs
    });
    // Where nobody can press Enter it is not held.
    live.succeed();
    nc.end_input();
    nc.end();
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn connect_sees_the_other_side_end_first() {
    let (mut nc, port) = nc_server();
    // nc was started with -N, so the end of its input becomes a FIN.
    nc.end_input();
    let mut live = Live::start(&["connect", &format!("127.0.0.1:{port}"), "--pace", "60s"]);
    live.event("CLOSE_WAIT", |e| e["event"] == "socket" && e["name"] == "c" && e["state"] == "CLOSE_WAIT");
    live.stop();
    nc.succeed();
}

#[test]
fn a_port_that_is_bound_but_not_listened_at_refuses() {
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&SockAddr::from(address)).unwrap();
    let at = bound.local_addr().unwrap().as_socket().unwrap().to_string();
    for arguments in [&["connect", &at] as &[&str], &["send", &at, "hello"], &["close", &at]] {
        let (code, text) = shown(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {text}");
        assert!(text.contains("ECONNREFUSED"), "{arguments:?}: {text}");
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn send_to_netcat_and_its_answer() {
    let (mut nc, port) = nc_server();
    nc.write("an answer\n");
    let mut live = Live::start(&[
        "send",
        &format!("127.0.0.1:{port}"),
        r"one\r\ntwo\t\x41\\x41\0end\n",
        "--wait",
        "500ms",
    ]);
    let events = live.succeed();
    assert_eq!(received(&events, None), b"an answer\n");
    nc.end_input();
    assert_eq!(nc.end().out, "one\r\ntwo\tA\\x41\0end\n");
}

/// Python's http.server, which serves this folder, and its port.
fn http_server(folder: &Folder) -> (Process, String) {
    let mut command = Command::new(installed().join("python/bin/python"));
    command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]).arg(&folder.0);
    let mut server = Process::start("http.server", &mut command);
    let port = server.out("its port", |line| {
        line.strip_prefix("Serving HTTP on 127.0.0.1 port ")?.split(' ').next().map(str::to_owned)
    });
    (server, port)
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn a_web_server_that_knows_no_websocket_is_told_with_its_answer() {
    let folder = Folder::new();
    std::fs::create_dir(folder.0.join("chat")).unwrap();
    let (_server, port) = http_server(&folder);
    // A folder without its slash is a redirection.
    let (code, text) = shown(&["websocket", &format!("ws://127.0.0.1:{port}/chat"), "hello"]);
    assert_eq!(code, Some(1), "{text}");
    for part in ["301", "Location", "/chat/", "Moved Permanently", "It points elsewhere"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn send_speaks_http_to_the_server_of_python() {
    let folder = Folder::new();
    folder.file("index.html", "<!doctype html>a page\n");
    let (_server, port) = http_server(&folder);
    let at = format!("127.0.0.1:{port}");
    let mut live = Live::start(&["send", &at, r"GET / HTTP/1.0\r\n\r\n"]);
    let answer = String::from_utf8(received(&live.succeed(), None)).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n<!doctype html>a page\n"), "{answer}");

    let (code, text) = shown(&["send", &at, r"GET /nothing HTTP/1.0\r\n\r\n"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("GET /nothing HTTP/1.0") && text.contains("HTTP/1.0 404 File not found"), "{text}");
}

#[test]
#[ignore = "needs Python and Node; tests/run installs them"]
fn how_a_connection_is_closed_is_how_its_other_end_sees_it_end() {
    for name in ["tcp_server.py", "tcp_server.js"] {
        for (how, end) in [("fin", "fin"), ("half", "fin"), ("reset", "ECONNRESET")] {
            let (mut peer, port) = server(name, &[]);
            let mut live = Live::start(&["close", &format!("127.0.0.1:{port}"), "--how", how]);
            assert_eq!(peer.says("end")["end"], end, "{name}, --how {how}: {}", peer.story());
            live.succeed();
            peer.succeed();
        }
        // Without --how: in the usual way.
        let (mut peer, port) = server(name, &[]);
        Live::start(&["close", &format!("127.0.0.1:{port}")]).succeed();
        assert_eq!(peer.says("end")["end"], "fin");
    }
}

#[test]
#[ignore = "needs Python and Node; tests/run installs them"]
fn who_has_ended_its_half_can_still_receive() {
    for name in ["tcp_server.py", "tcp_server.js"] {
        let (mut peer, port) = server(name, &["an answer to the end"]);
        let mut live = Live::start(&["close", &format!("127.0.0.1:{port}"), "--how", "half"]);
        gave(&mut live, "shutdown", |e| e["ok"] == "done");
        assert_eq!(peer.says("end")["end"], "fin");
        let events = live.succeed();
        assert_eq!(received(&events, None), b"an answer to the end", "{name}");
        // Both have ended their half, and nobody has closed: the kernel keeps TIME_WAIT while the descriptor
        // is open.
        if cfg!(target_os = "linux") {
            let waits =
                |e: &Value| e["event"] == "socket" && e["state"] == "TIME_WAIT" && e["fd"].is_number();
            assert!(events.iter().any(waits), "{name}: no TIME_WAIT");
        }
        peer.succeed();
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn netcat_as_the_other_end_of_each_way_to_close() {
    for how in ["fin", "half", "reset"] {
        let (mut nc, port) = nc_server();
        let mut live = Live::start(&["close", &format!("127.0.0.1:{port}"), "--how", how]);
        nc.err("a caller", |line| line.starts_with("Connection received").then_some(()));
        // Its input stays open: it is the end of the connection that ends it.
        nc.end();
        let events = live.succeed();
        assert!(events.iter().any(|e| e["event"] == "call" && e["call"] == "close"), "--how {how}: no close");
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn those_whom_nobody_accepts_wait_in_the_accept_queue() {
    let mut live = Live::start(&["listen", "127.0.0.1:0", "--backlog", "8"]);
    let port = live.port();
    let queued = |live: &mut Live, length: u64| {
        live.event(&format!("{length} in the accept queue"), |e| {
            e["event"] == "socket" && e["state"] == "LISTEN" && e["accept_queue"] == length
        })
    };
    assert_eq!(queued(&mut live, 0)["accept_limit"], 8);
    let mut callers = Vec::new();
    for length in 1..=3 {
        callers.push(nc(&["-v", "-n", "127.0.0.1", &port]));
        // For netcat the connection is there: the kernel made it.
        callers.last_mut().unwrap().err("success", |line| line.contains("succeeded").then_some(()));
        queued(&mut live, length);
    }
    live.stop();
    for caller in &mut callers {
        caller.end();
    }
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn a_bound_port_is_taken_but_answers_nobody() {
    let mut live = Live::start(&["bind", "127.0.0.1:0"]);
    let bound = live.event("a bound socket", |e| {
        e["event"] == "socket" && e["local"].as_str().is_some_and(|local| !local.ends_with(":0"))
    });
    let at = bound["local"].as_str().unwrap().to_owned();
    let port = at.rsplit_once(':').unwrap().1;

    let refused = nc(&["-v", "-n", "-z", "127.0.0.1", port]).end();
    assert!(refused.code == Some(1) && refused.err.contains("Connection refused"), "{refused:?}");
    let taken = nc(&["-n", "-l", "127.0.0.1", port]).end();
    assert!(taken.code == Some(1) && taken.err.contains("Address already in use"), "{taken:?}");

    for command in ["bind", "listen", "recv", "accept", "websocket"] {
        let (code, text) = shown(&[command, &at]);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(text.contains("EADDRINUSE"), "{command}: {text}");
        says_what_next(&text);
    }
    live.stop();
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn a_port_that_netcat_has_is_taken() {
    let (_nc, port) = nc_server();
    for command in ["bind", "listen", "recv", "accept", "websocket"] {
        let (code, text) = shown(&[command, &format!("127.0.0.1:{port}")]);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(text.contains("EADDRINUSE"), "{command}: {text}");
        says_what_next(&text);
    }
}

/// A port that is taken: how to find who has it, or which port to take instead.
fn says_what_next(text: &str) {
    assert!(text.contains("ss -") || text.contains("lsof") || text.contains("port 0"), "{text}");
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn tcp_and_udp_ports_are_different_ports() {
    let bound = |live: &mut Live| {
        let socket = live.event("a bound socket", |e| {
            e["event"] == "socket" && e["local"].as_str().is_some_and(|local| !local.ends_with(":0"))
        });
        (socket["protocol"].clone(), socket["local"].as_str().unwrap().to_owned())
    };
    let mut tcp = Live::start(&["bind", "127.0.0.1:0"]);
    let (protocol, at) = bound(&mut tcp);
    assert_eq!(protocol, "tcp");
    let mut udp = Live::start(&["bind", &at, "--udp"]);
    assert_eq!(bound(&mut udp), ("udp".into(), at.clone()));
    let port = at.rsplit_once(':').unwrap().1;
    let taken = nc(&["-n", "-u", "-l", "127.0.0.1", port]).end();
    assert!(taken.code == Some(1) && taken.err.contains("Address already in use"), "{taken:?}");
    let (code, text) = shown(&["bind", &at, "--udp"]);
    assert!(code == Some(1) && text.contains("EADDRINUSE"), "{text}");
    udp.stop();
    tcp.stop();
}
