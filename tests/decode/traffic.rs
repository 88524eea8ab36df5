//! Programs of others talk through a tap: it changes no byte, and of what tcpdump wrote down on both sides of
//! it, tshark and `decode` find the same frames.

use std::{fs, process::Command};

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::recorder::{Tap, Tapped, inside};
use crate::{
    support::Folder,
    support::devtools::Browser,
    support::live::Process,
    support::programs::{curl, script, server},
};

/// A client's script, and what it is to do; the server's script, and what it says at the end of a connection.
fn talk(client: &str, what: &str, server_name: &str) -> (Value, Value, Tapped) {
    let (mut server, port) = server(server_name, &[]);
    let tap = Tap::before(&port);
    let url = format!("ws://127.0.0.1:{}/echo", tap.port);
    let mut client = script(client, &[&url, what]);
    let said = client.says("code");
    client.succeed();
    let server_said = server.says("code");
    let tapped = tap.stop(1);
    (said, server_said, tapped)
}

/// All kinds of messages there and back, with and without compression.
fn all_kinds(client: &str, server: &str) {
    for what in ["plain", "compressed"] {
        let (said, server_said, tapped) = talk(client, what, server);
        assert_eq!((&said["code"], &said["reason"]), (&4001.into(), &"grüße".into()), "{what}");
        assert_eq!(server_said["code"], 4001, "{what}");
        assert_eq!(
            (&said["sent"], &said["received"]),
            (&server_said["received"], &server_said["sent"]),
            "{what}"
        );
        if let (Some(sent), Some(came)) = (said.get("bytes_written"), server_said.get("bytes_read")) {
            assert_eq!((sent, &said["bytes_read"]), (came, &server_said["bytes_written"]), "{what}");
        }
        assert_eq!(compressed(&tapped), what == "compressed", "{what}");
        told(&tapped);
    }
}

/// Whether messages are; all or none.
fn compressed(tapped: &Tapped) -> bool {
    let frames = tapped.frames.values().flatten();
    let first: Vec<bool> =
        frames.filter(|frame| matches!(frame.opcode, 1 | 2)).map(|frame| frame.rsv == 4).collect();
    assert!(first.len() > 20 && first.iter().all(|bit| *bit == first[0]), "{first:?}");
    first[0]
}

/// The tap has told every frame, each with its kind.
fn told(tapped: &Tapped) {
    let kinds = [(0, "continuation"), (1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")];
    for (opcode, name) in kinds {
        let frames = tapped.frames.values().flatten().filter(|frame| frame.opcode == opcode).count();
        assert_eq!(tapped.told.matches(&format!("frame {name}")).count(), frames, "{name}\n{}", tapped.told);
    }
}

#[test]
#[ignore = "needs ws, tcpdump and tshark; tests/run installs them"]
fn ws_talks_to_ws() {
    if inside("decode::traffic::ws_talks_to_ws") {
        all_kinds("ws_client.js", "ws_server.js");
    }
}

#[test]
#[ignore = "needs websockets, ws, tcpdump and tshark; tests/run installs them"]
fn websockets_talks_to_ws() {
    if inside("decode::traffic::websockets_talks_to_ws") {
        all_kinds("websockets_client.py", "ws_server.js");
    }
}

#[test]
#[ignore = "needs ws, websockets, tcpdump and tshark; tests/run installs them"]
fn ws_talks_to_websockets() {
    if inside("decode::traffic::ws_talks_to_websockets") {
        all_kinds("ws_client.js", "websockets_server.py");
    }
}

#[test]
#[ignore = "needs ws, tcpdump and tshark; tests/run installs them"]
fn an_end_without_a_close_comes_as_it_was_sent() {
    if inside("decode::traffic::an_end_without_a_close_comes_as_it_was_sent") {
        for (what, words) in [("drop", "closed in order"), ("reset", "broken off")] {
            let (_, server_said, tapped) = talk("ws_client.js", what, "ws_server.js");
            assert_eq!(server_said["code"], 1006, "{what}");
            assert!(tapped.told.contains(words), "{what}: {}", tapped.told);
        }
    }
}

/// What a page does: each message comes back before the next is sent.
const PAGE: &str = r"new Promise(done => {
    const socket = new WebSocket(URL);
    socket.binaryType = 'arraybuffer';
    const sizes = [0, 1, 125, 126, 65535, 65536];
    const texts = ['hello', 'hello', 'gr\u00fc\u00dfe \u{1f980}', ...sizes.map(size => 'x'.repeat(size))];
    const all = [...texts, ...sizes.map(size => new Uint8Array(size).map((_, index) => index * 7).buffer)];
    const words = data => typeof data === 'string' ? data : `${new Uint8Array(data)}`;
    let same = 0;
    socket.onopen = () => socket.send(all[0]);
    socket.onmessage = ({ data }) => {
        same += words(data) === words(all[same]) ? 1 : NaN;
        if (same < all.length) socket.send(all[same]);
        else socket.close(4001, 'gr\u00fc\u00dfe');
    };
    socket.onclose = ({ code, reason, wasClean }) =>
        done({ same, sent: all.length, extensions: socket.extensions, code, reason, wasClean });
})";

#[test]
#[ignore = "needs Chromium, ws, tcpdump and tshark; tests/run installs them"]
fn chromium_talks_to_ws() {
    if !inside("decode::traffic::chromium_talks_to_ws") {
        return;
    }
    let mut browser = Browser::start();
    // Only a page from this machine may call somebody on it without asking the user.
    let (_pages, pages) = server("http_server.js", &[]);
    for (path, extensions) in [("/echo?plain", ""), ("/echo", "permessage-deflate")] {
        let (mut server, port) = server("ws_server.js", &[]);
        let tap = Tap::before(&port);
        let url = format!("ws://127.0.0.1:{}{path}", tap.port);
        let mut page = browser.open(&format!("http://127.0.0.1:{pages}/length/0"));
        let said = page.evaluate(&PAGE.replace("URL", &serde_json::json!(url).to_string()));
        assert_eq!(said["same"], said["sent"], "{said}");
        assert_eq!(said["extensions"], extensions, "{said}");
        assert_eq!((&said["code"], &said["wasClean"]), (&4001.into(), &true.into()), "{said}");
        let server_said = server.says("code");
        assert_eq!((&server_said["received"], &server_said["code"]), (&said["sent"], &4001.into()));
        let tapped = tap.stop(1);
        assert_eq!(compressed(&tapped), !extensions.is_empty());
        told(&tapped);
    }
    browser.end();
}

/// So many bytes as the server makes them.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| u8::try_from(index * 7 % 251).unwrap()).collect()
}

/// The hash of what came with a request, as the server says.
fn hash(server: &mut Process) -> String {
    server.says("sha256")["sha256"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Node, tcpdump and tshark; tests/run installs them"]
fn curl_talks_to_a_server_of_http() {
    if !inside("decode::traffic::curl_talks_to_a_server_of_http") {
        return;
    }
    let folder = Folder::new();
    let (mut server, port) = server("http_server.js", &[]);
    let tap = Tap::before(&port);
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", tap.port);
    // Long enough for curl to ask first whether it may be sent (Expect: 100-continue).
    let [long, short] =
        [1_050_000, 50_000].map(|count| format!("@{}", folder.file(&count.to_string(), pattern(count))));
    let outs: Vec<String> = (0..4).map(|number| folder.path(&format!("out{number}"))).collect();
    let (length, chunks, empty, echo) =
        (at("/length/100000"), at("/chunks/100000"), at("/empty"), at("/echo"));
    curl(
        &[
            &["-o", &outs[0], &length, "-o", &outs[1], &chunks][..],
            &[
                "--next",
                "-sS",
                "--http1.1",
                &empty,
                "--next",
                "-sS",
                "--http1.1",
                "--head",
                "-o",
                "/dev/null",
                &length,
            ],
            &["--next", "-sS", "--http1.1", "-o", &outs[2], "--data-binary", &long, &echo],
            &[
                "--next",
                "-sS",
                "--http1.1",
                "-o",
                &outs[3],
                "-H",
                "Transfer-Encoding: chunked",
                "--data-binary",
            ],
            &[&short, &echo],
        ]
        .concat(),
    )
    .succeed();
    for (out, count) in outs.iter().zip([100_000, 100_000, 1_050_000, 50_000]) {
        assert!(fs::read(out).unwrap() == pattern(count), "{out}");
    }
    let hash_of = |bytes: &[u8]| HEXLOWER.encode(&Sha256::digest(bytes));
    for sent in [0, 0, 0, 0, 1_050_000, 50_000] {
        assert_eq!(hash(&mut server), hash_of(&pattern(sent)), "{sent} bytes");
    }
    let tapped = tap.stop(1);
    assert!(tapped.told.contains("GET /length/100000") && tapped.frames.is_empty(), "{}", tapped.told);
}

#[test]
#[ignore = "needs netcat, Python, tcpdump and tshark; tests/run installs them"]
fn netcat_hears_an_answer_after_its_half_is_closed() {
    if !inside("decode::traffic::netcat_hears_an_answer_after_its_half_is_closed") {
        return;
    }
    let (mut server, port) = server("tcp_server.py", &["the answer"]);
    let tap = Tap::before(&port);
    let mut nc = Process::start("nc", Command::new("nc.openbsd").args(["-N", "127.0.0.1", &tap.port]));
    nc.write("the question");
    nc.end_input();
    assert_eq!(nc.succeed().out, "the answer");
    let said = server.says("came");
    assert_eq!((&said["came"], &said["end"]), (&"the question".into(), &"fin".into()));
    assert_eq!(tap.stop(1).answered, 1);
}
