//! sockwalk as the WebSocket server: Python's websockets, Node's ws and curl call.

use serde_json::{Value, json};

use super::{curl, hex, script};
use crate::support::live::Live;

/// curl's arguments for a request that a WebSocket server answers with 101, but for what is left out or put
/// instead.
fn upgrade(changes: &[(&str, Option<&str>)]) -> Vec<String> {
    let good = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut fields: Vec<String> = Vec::new();
    for (name, value) in good {
        match changes.iter().find(|(changed, _)| *changed == name) {
            Some((_, None)) => {}
            Some((_, Some(other))) => fields.push(format!("{name}: {other}")),
            None => fields.push(format!("{name}: {value}")),
        }
    }
    for (name, value) in changes.iter().filter(|(name, _)| good.iter().all(|(known, _)| known != name)) {
        fields.push(format!("{name}: {}", value.unwrap_or_default()));
    }
    fields.into_iter().flat_map(|field| ["--header".to_owned(), field]).collect()
}

/// What curl got: the head, line by line in lower case, and the content.
fn ask(port: &str, path: &str, more: &[String]) -> (String, Vec<String>, String) {
    let url = format!("http://127.0.0.1:{port}{path}");
    let mut arguments = vec!["--include", "--no-buffer", "--max-time", "20"];
    arguments.extend(more.iter().map(String::as_str));
    arguments.push(&url);
    let ended = curl(&arguments).succeed();
    let (head, content) = ended.out.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {ended:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().to_owned();
    (status, lines.map(str::to_ascii_lowercase).collect(), content.to_owned())
}

/// A field of a head that `ask` gave.
fn field<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The messages of one connection, as kind and code, sent or received.
fn messages<'a>(events: &'a [Value], name: &str, received: bool) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|e| e["event"] == "message" && e["socket"] == name && e["received"] == received)
        .collect()
}

fn of_kind(messages: &[&Value], kind: &str) -> usize {
    messages.iter().filter(|message| message["kind"] == kind).count()
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn every_kind_of_message_comes_back_to_clients_of_others() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let clients = [
        ("websockets_client.py", "plain"),
        ("websockets_client.py", "deflate"),
        ("ws_client.js", "plain"),
        ("ws_client.js", "deflate"),
    ];
    let mut counts = Vec::new();
    for (number, (client, offer)) in clients.iter().enumerate() {
        let name = format!("c{}", number + 1);
        let mut client = script(client, &[&url, offer]);
        // Their own assertions end them with 1.
        client.succeed();
        let said = client.says("code");
        let gone = live.peer(&name, "gone");
        assert_eq!((&said["code"], &said["reason"]), (&4001.into(), &"grüße".into()), "{name}");
        assert_eq!(gone["end"], "closed", "{gone}");
        assert_eq!(gone["messages_received"], said["sent"], "{name}");
        assert_eq!(gone["messages_sent"], said["received"], "{name}");
        if said.get("bytes_read").is_some() {
            assert_eq!(gone["received"], said["bytes_written"], "{name}");
            assert_eq!(gone["sent"], said["bytes_read"], "{name}");
        }
        counts.push((name, usize::try_from(said["sent"].as_u64().unwrap()).unwrap()));
    }
    let events = live.stop();
    for (name, count) in counts {
        agrees(&events, &name, count);
    }
}

/// The events of a connection agree with what its client counted.
fn agrees(events: &[Value], name: &str, count: usize) {
    let phases: Vec<&Value> =
        events.iter().filter(|e| e["event"] == "peer" && e["name"] == name).map(|e| &e["phase"]).collect();
    assert_eq!(phases, ["connected", "open", "gone"], "{name}");
    for received in [true, false] {
        let messages = messages(events, name, received);
        assert_eq!(
            of_kind(&messages, "text") + of_kind(&messages, "binary"),
            count,
            "{name}, received {received}"
        );
        assert_eq!(of_kind(&messages, "violation"), 0, "{name}");
    }
    // What tungstenite answers by itself, Pong and Close, is told by its send alone; the clients have looked
    // at that.
    let received = |kind: &str| -> Vec<&Value> {
        messages(events, name, true).into_iter().filter(|message| message["kind"] == kind).collect()
    };
    let closes = received("close");
    assert_eq!(closes.len(), 1, "{name}");
    assert_eq!((&closes[0]["code"], &closes[0]["data"]), (&4001.into(), &hex("grüße").into()));
    let pings = received("ping");
    for payload in ["are you there?", ""] {
        assert!(pings.iter().any(|ping| ping["data"] == *hex(payload)), "{name}: no ping {payload:?}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn clients_of_many_kinds_at_once() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let mut clients: Vec<_> = (0..8)
        .map(|number| script(["websockets_client.py", "ws_client.js"][number % 2], &[&url, "plain"]))
        .collect();
    let mut theirs = 0;
    for client in &mut clients {
        client.succeed();
        theirs += client.says("sent")["sent"].as_u64().unwrap();
    }
    let mut ours = 0;
    for number in 1..=8 {
        let gone = live.peer(&format!("c{number}"), "gone");
        assert_eq!(gone["end"], "closed");
        assert_eq!(gone["messages_received"], gone["messages_sent"]);
        ours += gone["messages_received"].as_u64().unwrap();
    }
    assert_eq!(ours, theirs);
    live.stop();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_frame_that_a_client_must_not_send_is_a_violation() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let cases = [("unmasked", 1002, "§5.1"), ("bad-text", 1007, "§8.1")];
    for (number, (what, code, section)) in cases.into_iter().enumerate() {
        let name = format!("c{}", number + 1);
        let mut client = script("ws_client.js", &[&url, what]);
        let said = client.says("code");
        let gone = live.peer(&name, "gone");
        assert_eq!(gone["end"], "violation", "{what}: {gone}");
        // Only what was a message counts: the one that was in order.
        assert_eq!((&gone["messages_received"], &gone["messages_sent"]), (&1.into(), &1.into()), "{what}");
        let told = live.event("the violation", |e| e["socket"] == *name && e["kind"] == "violation");
        assert_eq!(told["code"], code, "{told}");
        assert!(told["section"].as_str().unwrap().contains(section), "{told}");
        assert_eq!(told["received"], true, "{told}");
        assert_eq!(said["code"], code, "{what}: what ws was told");
    }
    live.stop();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_message_over_the_limit_is_answered_by_1009() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0", "--message", "1k"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let said = script("ws_client.js", &[&url, "big", "1025"]).says("code");
    assert_eq!(said["code"], 1009, "{said}");
    assert_eq!(live.peer("c1", "gone")["end"], "limit");
    // The limit itself is within it.
    let mut within = script("ws_client.js", &[&url, "big", "1024"]);
    live.event("the message back", |e| e["socket"] == "c2" && e["kind"] == "text" && e["received"] == false);
    live.interrupt();
    assert_eq!(within.says("code")["code"], 1001);
    live.succeed();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn who_says_nothing_for_too_long_is_told_so() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0", "--idle", "500ms"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let mut client = script("ws_client.js", &[&url, "wait"]);
    let said = client.says("code");
    assert_eq!(said["code"], 1008, "{said}");
    client.succeed();
    let gone = live.peer("c1", "gone");
    assert_eq!((&gone["end"], &gone["messages_received"]), (&"limit".into(), &1.into()), "{gone}");
    live.stop();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_websocket_over_ipv6() {
    let mut live = Live::start(&["websocket", "[::1]:0"]);
    let port = live.port();
    let url = format!("ws://[::1]:{port}/");
    script("ws_client.js", &[&url, "plain"]).succeed();
    let own = format!("http://[::1]:{port}");
    assert_eq!(script("ws_client.js", &[&url, "open", &own]).says("code")["code"], 1000);
    live.stop();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_close_without_a_code_is_answered_by_another() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    // 1005: "no status code was actually present" (RFC 6455 §7.1.5); it is never on the wire.
    assert_eq!(script("ws_client.js", &[&url, "bare"]).says("code")["code"], 1005);
    assert_eq!(live.peer("c1", "gone")["end"], "closed");
    live.stop();
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn who_leaves_without_a_close_has_not_closed() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    script("ws_client.js", &[&url, "drop"]).succeed();
    let gone = live.peer("c1", "gone");
    assert_ne!(gone["end"], "closed", "{gone}");
    assert_eq!((&gone["messages_received"], &gone["messages_sent"]), (&1.into(), &1.into()));
    let events = live.stop();
    assert_eq!(of_kind(&messages(&events, "c1", true), "close"), 0);
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn ctrl_c_says_goodbye_to_everybody() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    let mut clients: Vec<_> = (0..3).map(|_| script("ws_client.js", &[&url, "wait"])).collect();
    for client in &mut clients {
        client.says("open");
    }
    live.interrupt();
    // 1001, going away: "such as a server going down" (RFC 6455 §7.4.1).
    for client in &mut clients {
        assert_eq!(client.says("code")["code"], 1001);
    }
    let events = live.succeed();
    for name in ["c1", "c2", "c3"] {
        let gone = events.iter().find(|e| e["event"] == "peer" && e["name"] == name && e["phase"] == "gone");
        assert_eq!(gone.unwrap_or_else(|| panic!("{name} is not gone"))["end"], "stopped");
    }
    assert_eq!(events.last().unwrap()["event"], "end");
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn pages_of_other_origins_are_let_in_only_where_they_are_named() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let port = live.port();
    let url = format!("ws://127.0.0.1:{port}/");
    let own = format!("http://127.0.0.1:{port}");
    let prefix = format!("http://127.0.0.1:{port}.evil.example");
    let other = script("ws_client.js", &[&url, "open", "http://evil.example"]).says("status");
    assert_eq!(other["status"], 403);
    let gone = live.peer("c1", "gone");
    assert_eq!(gone["end"], "refused", "{gone}");
    for foreign in [prefix.as_str(), "null", &format!("https://127.0.0.1:{port}"), "http://127.0.0.1"] {
        let said = script("ws_client.js", &[&url, "open", foreign]).says("status");
        assert_eq!(said["status"], 403, "{foreign}");
    }
    // Its own page may, and who is no browser.
    assert_eq!(script("ws_client.js", &[&url, "open", &own]).says("code")["code"], 1000);
    assert_eq!(script("ws_client.js", &[&url, "open"]).says("code")["code"], 1000);
    live.stop();

    let mut live =
        Live::start(&["websocket", "127.0.0.1:0", "--origin", "http://good.example", "--origin", "null"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    for (origin, let_in) in [("http://good.example", true), ("null", true), ("http://evil.example", false)] {
        let mut client = script("ws_client.js", &[&url, "open", origin]);
        let name = if let_in { "code" } else { "status" };
        assert_eq!(client.says(name)[name], if let_in { 1000 } else { 403 }, "{origin}");
    }
    live.stop();

    let mut live = Live::start(&["websocket", "127.0.0.1:0", "--any-origin"]);
    let url = format!("ws://127.0.0.1:{}/", live.port());
    assert_eq!(script("ws_client.js", &[&url, "open", "http://evil.example"]).says("code")["code"], 1000);
    live.stop();
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn curl_by_hand_gets_101_and_the_accept_key_of_the_rfc() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let url = format!("http://127.0.0.1:{}/", live.port());
    let fields = upgrade(&[]);
    let mut arguments = vec!["--include", "--no-buffer", "--max-time", "20"];
    arguments.extend(fields.iter().map(String::as_str));
    arguments.push(&url);
    let mut curl = curl(&arguments);
    live.peer("c1", "open");
    live.interrupt();
    // curl speaks no WebSocket: it shows the head once a byte is behind it, here our Close, and ends with the
    // stream.
    let shown = curl.succeed().out;
    assert!(shown.starts_with("HTTP/1.1 101 "), "{shown}");
    // The key is the RFC's own (§1.3), and so is what it makes.
    let (head, frames) = shown.split_once("\r\n\r\n").unwrap();
    let accept = head
        .split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| *name == "Sec-WebSocket-Accept");
    assert_eq!(accept.unwrap().1, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    // A byte that is no UTF-8 is shown as U+FFFD.
    assert!(frames.starts_with("\u{fffd}"), "{frames:?}");
    live.succeed();
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn a_browser_gets_a_page_at_the_root_and_404_elsewhere() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let port = live.port();
    let (status, head, content) = ask(&port, "/", &[]);
    assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
    assert!(field(&head, "content-type").unwrap().starts_with("text/html"), "{head:?}");
    assert_eq!(field(&head, "content-length"), Some(content.len().to_string().as_str()));
    assert!(content.to_ascii_lowercase().starts_with("<!doctype html>"), "{content}");
    let gone = live.peer("c1", "gone");
    assert_eq!(gone["end"], "page", "{gone}");
    assert_eq!((&gone["messages_received"], &gone["messages_sent"]), (&0.into(), &0.into()));

    let (status, head, content) = ask(&port, "/nothing", &[]);
    assert!(status.starts_with("HTTP/1.1 404 "), "{status}");
    assert_eq!(field(&head, "content-length"), Some(content.len().to_string().as_str()));

    // HEAD has the head of GET, and no content (RFC 9110 §9.3.2).
    let (status, head, content) = ask(&port, "/", &["--head".to_owned()]);
    assert!(status.starts_with("HTTP/1.1 200 ") && content.is_empty(), "{status} {content:?}");
    assert!(field(&head, "content-type").unwrap().starts_with("text/html"), "{head:?}");
    live.stop();
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn a_request_that_is_refused_is_told_why_and_what_would_do() {
    let mut live = Live::start(&["websocket", "127.0.0.1:0"]);
    let port = live.port();
    let key = "Sec-WebSocket-Key";
    let version = "Sec-WebSocket-Version";
    let origin = "http://evil.example";
    let post = ["--request", "POST"].map(str::to_owned).to_vec();
    let old = ["--http1.0"].map(str::to_owned).to_vec();
    let cases = [
        ("another version", upgrade(&[(version, Some("8"))]), 426, json!({"sec-websocket-version": "13"})),
        ("no version", upgrade(&[(version, None)]), 426, json!({"sec-websocket-version": "13"})),
        ("no key", upgrade(&[(key, None)]), 400, json!({})),
        ("a short key", upgrade(&[(key, Some("c2hvcnQ="))]), 400, json!({})),
        ("a key that is no base64", upgrade(&[(key, Some("!!!!!!!!!!!!!!!!!!!!!!=="))]), 400, json!({})),
        ("a foreign page", upgrade(&[("Origin", Some(origin))]), 403, json!({})),
        ("another method", [upgrade(&[]), post].concat(), 405, json!({"allow": "get"})),
        ("an older HTTP", [upgrade(&[]), old].concat(), 400, json!({})),
    ];
    for (number, (what, arguments, expected, fields)) in cases.iter().enumerate() {
        let (status, head, content) = ask(&port, "/", arguments);
        assert!(status.starts_with(&format!("HTTP/1.1 {expected} ")), "{what}: {status}");
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(field(&head, name), value.as_str(), "{what}: {head:?}");
        }
        // Every refusal is a whole response, after which the connection is closed.
        assert_eq!(field(&head, "content-length"), Some(content.len().to_string().as_str()), "{what}");
        let connection = field(&head, "connection").unwrap();
        assert!(connection.split(',').any(|option| option.trim() == "close"), "{what}: {connection}");
        if *expected == 426 {
            assert_eq!(field(&head, "upgrade"), Some("websocket"), "{what}");
            assert!(connection.split(',').any(|option| option.trim() == "upgrade"), "{what}: {connection}");
        }
        let name = format!("c{}", number + 1);
        let gone = live.peer(&name, "gone");
        assert_eq!(gone["end"], "refused", "{what}: {gone}");
        let unmet = live.event(&format!("what was not met by {what}"), |e| {
            e["event"] == "upgrade" && e["socket"] == *name && e["met"] == false
        });
        assert!(unmet["section"].as_str().unwrap().starts_with("RFC "), "{unmet}");
    }
    live.stop();
}
