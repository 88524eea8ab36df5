//! Server-Sent Events: curl and the package eventsource read ours, we read Node's; and the package's parser
//! judges our reader.

use std::{fmt::Write as _, io::Write as _};

use data_encoding::BASE64;
use serde_json::{Value, json};
use sockwalk::wire::event_stream::{Item, Reader, encode};

use super::harness::{Caller, Cutter, Server, answering, call, curl, curled, script, serving};

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn curl_reads_a_stream_with_its_events_and_heart_beats_to_its_end() {
    let mut server = Server::start("sse", &["--chat", "--beat", "50ms"]);
    let mut stream = curl(&["--no-buffer", "--include", &server.url("http", "/events")]);
    server.tells("retry 1000");
    curled(&["--data-binary", "hello\nthere", &server.url("http", "/news")]);
    let line = |wanted: &'static str| move |line: &str| (line == wanted).then_some(());
    stream.out("its type", line("Content-Type: text/event-stream"));
    for wanted in ["retry: 1000", "id: 1", "data: hello", "data: there", "", ":", "", ":"] {
        stream.out(wanted, line(wanted));
    }
    // Who comes again says what it had last.
    curled(&["--data", "two", &server.url("http", "/news")]);
    let mut again = curl(&["--no-buffer", "--header", "Last-Event-ID: 1", &server.url("http", "/events")]);
    again.out("id: 2", line("id: 2"));
    server.stop();
    // The last chunk came: curl would say otherwise if not.
    stream.succeed();
    again.succeed();
}

#[test]
#[ignore = "needs the package eventsource; tests/run installs it"]
fn the_package_eventsource_hears_us_and_comes_back_after_a_cut() {
    let mut server = Server::start("sse", &["--chat"]);
    let cutter = Cutter::before(server.port);
    let mut client = script("eventsource_client.js", &[&format!("http://127.0.0.1:{}/events", cutter.port)]);
    client.says("open");
    server.tells("retry 1000");
    let say = |text: &str| call("sse", &server.url("http", "/events"), &[text, "--wait", "0s"]);
    say("hello");
    assert_eq!(client.says("data"), json!({ "data": "hello", "id": "1" }));
    cutter.cut();
    client.says("error");
    say("while it was away");
    let mut again = client.says("open");
    assert_eq!(again["open"].take(), true);
    assert_eq!(client.says("data"), json!({ "data": "while it was away", "id": "2" }));
    say("grüße \u{1f980}");
    assert_eq!(client.says("data")["data"], "grüße \u{1f980}");
    say("the end");
    assert_eq!(client.says("closed")["closed"], true);
    client.succeed();
    server.stop();
}

#[test]
#[ignore = "needs Node; tests/run installs it"]
fn we_hear_node_and_say_what_we_had_last_after_a_cut() {
    let (mut node, port) = serving("news_server.js", &["sse"]);
    let url = format!("http://127.0.0.1:{port}");
    let options = ["--wait", "300ms", "--retry", "3", "--ack", "--set", "client=me"];
    let mut caller = Caller::start("sse", &format!("{url}/events"), &options);
    assert_eq!(
        node.says("client"),
        json!({ "method": "GET", "path": "/events", "last": null, "client": "me" })
    );
    caller.process.write("hello\n");
    // The answer to the POST and the event come by two connections, in any order.
    caller.tells("beat: comment \"hello\"");
    caller.tells("heard, 5 bytes \"hello\"");
    curled(&["--request", "POST", "--data", "", &format!("{url}/cut")]);
    let again = caller.tells("calls again");
    assert!(again.contains("in 50 ms"), "the server said so in retry: {again}");
    curled(&["--data", "after\nthe cut", &format!("{url}/news")]);
    caller.tells("heard, 13 bytes \"after\\nthe cut\"");
    let asked = node.out("the second GET", |line| {
        serde_json::from_str::<Value>(line).ok().filter(|value| value["last"].is_string())
    });
    assert_eq!(asked["last"], "1");
    let ended = caller.end();
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    assert!(ended.out.contains("acknowledged: the response 204"), "{}", ended.out);
    assert_eq!(ended.out.matches("heard, 5 bytes").count(), 1, "{}", ended.out);
    assert_eq!(node.says("closed")["closed"], "/events");
}

#[test]
fn a_browser_would_not_come_back_and_neither_do_we() {
    let stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n";
    let no_more = "HTTP/1.1 204 No Content\r\n\r\n";
    let port = answering(vec![stream.into(), no_more.into()]);
    let ended =
        Caller::start("sse", &format!("http://127.0.0.1:{port}/"), &["--retry", "3", "--wait", "20s"]).end();
    assert_eq!(ended.code, Some(1), "{}", ended.out);
    assert!(
        ended.out.contains("heard, 1 byte \"a\"") && ended.out.contains("wants no more calls"),
        "{}",
        ended.out
    );
}

/// A small generator, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// A stream of words that mean something, in pieces.
fn stream(random: &mut Random) -> Vec<Vec<u8>> {
    const WORDS: [&str; 22] = [
        "data",
        "data: ",
        "data:",
        "event: ",
        "id: ",
        "id:",
        "retry: ",
        ":",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\r\n\r\n",
        "12",
        "x",
        "é",
        "\u{1f980}",
        "data: a\n\n",
        "id: 7\ndata: b\n\n",
        "event: e\ndata: c\ndata: d\r\n\r\n",
        "unknown: u\n",
    ];
    let mut bytes = String::new();
    if random.below(8) == 0 {
        bytes.push('\u{feff}');
    }
    for _ in 0..random.below(30) {
        bytes += WORDS[random.below(WORDS.len())];
    }
    // Its parser wants to see what follows a CR at the very end; ours knows without.
    bytes += "\n";
    let size = 1 + random.below(9);
    bytes.as_bytes().chunks(size).map(<[u8]>::to_vec).collect()
}

/// What our reader makes of it, as the package would say it: an ID is there only if this block named one.
fn ours(pieces: &[Vec<u8>]) -> Vec<Value> {
    let mut reader = Reader::new(1 << 20);
    let items = pieces.iter().flat_map(|piece| reader.push(piece).unwrap());
    let told = items.filter_map(|item| match item {
        Item::Event(event) => Some(json!({ "kind": event.kind, "data": event.data })),
        Item::Retry(ms) => Some(json!({ "retry": ms })),
        Item::Comment(_) | Item::Nothing => None,
    });
    told.collect()
}

fn theirs(said: &Value) -> Vec<Value> {
    let told = said.as_array().unwrap().iter().filter_map(|one| {
        if one.get("comment").is_some() {
            return None;
        }
        if let Some(retry) = one.get("retry") {
            return Some(json!({ "retry": retry }));
        }
        let kind = one["event"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("message");
        Some(json!({ "kind": kind, "data": one["data"] }))
    });
    told.collect()
}

#[test]
#[ignore = "needs the package eventsource-parser; tests/run installs it"]
fn the_package_eventsource_parser_reads_a_thousand_streams_like_us() {
    let mut random = Random(1);
    let mut streams: Vec<Vec<Vec<u8>>> = (0..1500).map(|_| stream(&mut random)).collect();
    for number in 0..200 {
        let data = format!("line {number}\r\nand\ranother\n{}", "é".repeat(number % 7));
        streams.push(vec![encode(Some("kind"), Some(&number.to_string()), &data), encode(None, None, &data)]);
    }
    let mut input = String::new();
    for pieces in &streams {
        let coded: Vec<String> = pieces.iter().map(|piece| BASE64.encode(piece)).collect();
        writeln!(input, "{}", json!(coded)).unwrap();
    }
    let mut judge = script("event_streams.js", &[]);
    judge.write(input);
    judge.end_input();
    let said = judge.succeed().out;
    let mut events = 0;
    let mut out = std::io::stderr().lock();
    assert_eq!(said.lines().count(), streams.len());
    for (pieces, line) in streams.iter().zip(said.lines()) {
        let theirs = theirs(&serde_json::from_str(line).unwrap());
        events += theirs.len();
        assert_eq!(ours(pieces), theirs, "{:?}", String::from_utf8_lossy(&pieces.concat()));
    }
    writeln!(out, "{} streams, {events} events and retries", streams.len()).unwrap();
    assert!(events > 2000, "{events}");
}
