//! A real browser as the judge: the page that the server hands out works in Chromium, under its own policy,
//! and both sides tell the same story.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::{Value, json};
use sockwalk::wire::http::encode_response;

use crate::support::{
    Folder,
    devtools::{Browser, Page},
    live::{Live, Process},
    sockwalk,
};

/// `sockwalk websocket` on a port that the kernel picks, and that port.
fn serve(at: &str, options: &[&str]) -> (Live, String) {
    let mut server = Live::start(&[&["websocket", at], options].concat());
    let port = server.port();
    (server, port)
}

/// The name that the server gave to the WebSocket that was opened, if it is not `before`.
fn opened(server: &mut Live, before: Option<&str>) -> String {
    let peer = server.event("an open WebSocket", |e| {
        e["event"] == "peer" && e["phase"] == "open" && e["name"].as_str() != before
    });
    peer["name"].as_str().unwrap().to_owned()
}

/// Waits until the server tells of a message with these bytes, in hex.
fn message(server: &mut Live, socket: &str, received: bool, kind: &str, data: &str) {
    server.event(&format!("{kind} {data}, received: {received}"), |e| {
        e["event"] == "message"
            && e["socket"] == socket
            && e["received"] == received
            && e["kind"] == kind
            && e["data"] == data
    });
}

/// Waits until the server tells of a Close, and gives its code.
fn close_code(server: &mut Live, socket: &str, received: bool) -> Value {
    let close = server.event(&format!("a Close, received: {received}"), |e| {
        e["event"] == "message" && e["socket"] == socket && e["received"] == received && e["kind"] == "close"
    });
    close["code"].clone()
}

/// Whether the server let this origin in.
fn let_in(server: &mut Live, origin: &str) -> Value {
    let judged = server.event(&format!("a judgement of the origin {origin}"), |e| {
        let words = e["requirement"].as_str().unwrap_or_default();
        e["event"] == "upgrade" && words.contains("Origin") && e["found"] == origin
    });
    judged["met"].clone()
}

/// Waits for a line in the log of the page.
fn logged(page: &mut Page, way: &str, word: &str, what: &str) {
    let lines = format!("#log p[data-way={way}][data-word={word}] .what");
    page.until(&format!(
        "[...document.querySelectorAll({})].some(line => line.textContent === {})",
        json!(lines),
        json!(what)
    ));
}

/// Waits for a state of the WebSocket.
fn state(page: &mut Page, name: &str) {
    page.until(&format!(
        "document.querySelector('#state [aria-current]')?.textContent.includes({})",
        json!(name)
    ));
}

/// Pictures of the page in this moment, if somebody wants them: SOCKWALK_SCREENSHOTS names the folder.
fn pictures(page: &mut Page, moment: &str) {
    let Some(folder) = env::var_os("SOCKWALK_SCREENSHOTS") else { return };
    for scheme in ["light", "dark"] {
        for size in [(1280, 800), (390, 844)] {
            let file = format!("{moment}-{scheme}-{}x{}.png", size.0, size.1);
            page.picture(size, scheme, &Path::new(&folder).join(file));
        }
    }
}

#[test]
#[ignore = "needs Chromium; tests/run installs and runs it"]
fn a_browser_is_served_echoed_and_closed_in_both_directions() {
    let (mut server, port) = serve("127.0.0.1:0", &[]);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(page.evaluate("document.querySelector('#log').childElementCount"), 0, "it waits for a click");
    pictures(&mut page, "start");

    page.click("#connect");
    state(&mut page, "OPEN");
    assert_eq!(let_in(&mut server, &format!("http://127.0.0.1:{port}")), true);
    let first = opened(&mut server, None);

    page.write("#text", "hällo");
    page.press("Enter", 13);
    logged(&mut page, "received", "text", "hällo");
    for received in [true, false] {
        message(&mut server, &first, received, "text", "68c3a46c6c6f");
    }

    page.write("#text", "00 ff");
    page.click("#binary");
    logged(&mut page, "received", "binary", "00 ff");
    for received in [true, false] {
        message(&mut server, &first, received, "binary", "00ff");
    }

    // What comes back stays text.
    let markup = "<img src=x onerror=alert(1)>";
    page.write("#text", markup);
    page.click("#send");
    logged(&mut page, "received", "text", markup);

    // The browser itself refuses codes that are not for applications.
    page.write("#close-code", "1002");
    page.click("#close");
    page.until("document.querySelector('#log [data-word=error]')?.innerText.includes('InvalidAccessError')");
    state(&mut page, "OPEN");

    page.write("#close-code", "3001");
    page.write("#close-reason", "bye");
    page.press("Enter", 13);
    logged(&mut page, "here", "closed", "code 3001, reason \"bye\", wasClean true");
    state(&mut page, "CLOSED");
    assert_eq!(close_code(&mut server, &first, true), 3001);
    pictures(&mut page, "closed");

    page.click("#connect");
    state(&mut page, "OPEN");
    let second = opened(&mut server, Some(&first));
    pictures(&mut page, "open");

    // However much comes, the page stays of a size that a browser can bear.
    page.evaluate("for (let number = 0; number < 600; number++) socket.send('number ' + number)");
    logged(&mut page, "received", "text", "number 599");
    assert_eq!(page.evaluate("document.querySelector('#log').childElementCount"), 500);

    server.interrupt();
    page.until(
        "[...document.querySelectorAll('#log [data-word=closed] .what')]
            .some(line => line.textContent.startsWith('code 1001,') && line.textContent.endsWith('wasClean true'))",
    );
    state(&mut page, "CLOSED");
    assert_eq!(close_code(&mut server, &second, false), 1001);
    server.succeed();

    assert_eq!(page.complaints(), Vec::<String>::new());
    // Not because nobody listens: a script that is not the page's own is complained of, and does not run.
    let injected = page.evaluate(
        "const script = document.createElement('script');
         script.textContent = 'window.injected = true';
         document.body.append(script);
         window.injected === true",
    );
    assert_eq!(injected, false);
    let complaints = page.complaints();
    assert!(complaints.iter().any(|words| words.contains("Content Security Policy")), "{complaints:?}");
    browser.end();
}

#[test]
#[ignore = "needs Chromium; tests/run installs and runs it"]
fn the_page_connects_by_each_name_of_this_machine() {
    let mut browser = Browser::start();
    for (at, host) in [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        let (mut server, port) = serve(at, &[]);
        let mut page = browser.open(&format!("http://{host}:{port}/"));
        page.click("#connect");
        state(&mut page, "OPEN");
        assert_eq!(let_in(&mut server, &format!("http://{host}:{port}")), true);
        assert_eq!(page.complaints(), Vec::<String>::new());
        server.stop();
    }
    browser.end();
}

/// A page of somebody else, on a port of its own, that connects to the server and tells in its title what
/// came of it.
///
/// With `sandboxed` the page has no origin that could be named, which the browser writes as `null`.
fn foreign_page(port: &str, sandboxed: bool) -> String {
    let content = format!(
        "<!doctype html><title>waits</title><script>
         let socket = new WebSocket('ws://127.0.0.1:{port}/');
         socket.onopen = () => document.title = 'open';
         socket.onclose = event => document.title = 'closed ' + event.code;
         </script>"
    );
    let policy = if sandboxed { "sandbox allow-scripts" } else { "" };
    let fields = [
        ("Content-Type", "text/html"),
        ("Content-Length", &content.len().to_string()),
        ("Content-Security-Policy", policy),
        ("Connection", "close"),
    ];
    let response = [encode_response(200, "OK", &fields), content.into_bytes()].concat();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut caller in listener.incoming().map_while(Result::ok) {
            // The browser may connect ahead of time and say nothing: nobody else should wait for that.
            let response = response.clone();
            thread::spawn(move || {
                let asked = BufReader::new(&caller).lines().map_while(Result::ok).any(|line| line.is_empty());
                if asked {
                    let _ = caller.write_all(&response);
                }
            });
        }
    });
    origin
}

#[test]
#[ignore = "needs Chromium; tests/run installs and runs it"]
fn a_page_from_elsewhere_is_let_in_only_if_any_origin_is() {
    let mut browser = Browser::start();
    for (options, met, end) in [(&[][..], false, "closed 1006"), (&["--any-origin"][..], true, "open")] {
        let (mut server, port) = serve("127.0.0.1:0", options);
        for sandboxed in [false, true] {
            let elsewhere = foreign_page(&port, sandboxed);
            let mut page = browser.open(&format!("{elsewhere}/"));
            page.until(&format!("document.title === {}", json!(end)));
            let origin = if sandboxed { "null" } else { &elsewhere };
            assert_eq!(let_in(&mut server, origin), met, "{origin}");
            let complaints = page.complaints();
            assert_eq!(complaints.iter().any(|words| words.contains("403")), !met, "{complaints:?}");
        }
        server.stop();
    }
    browser.end();
}

/// The library is put into a page of our own server's, so that the origin is its own.
#[test]
#[ignore = "needs Chromium and sockjs-client; tests/run installs them"]
fn a_page_with_sockjs_client_talks_over_every_transport() {
    let home = Folder::new();
    let arguments = ["serve", "sockjs", "127.0.0.1:0", "--beat", "200ms", "--set", "limit=3000", "--plain"];
    let mut server = Process::start("sockwalk serve sockjs", &mut sockwalk(&home, &arguments));
    let port = server.out("the address", |line| {
        let behind = line.split_once("http://127.0.0.1:")?.1;
        Some(behind.split('/').next()?.to_owned())
    });
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    let library = peers.join("node_modules/sockjs-client/dist/sockjs.min.js");
    let library = fs::read_to_string(library).expect("tests/run installs sockjs-client");
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("http://127.0.0.1:{port}/echo"));
    assert_eq!(page.evaluate("document.body.innerText.trim()"), "Welcome to SockJS!");
    page.evaluate(&format!("{library}; 0"));
    let long = "x".repeat(900);
    for transport in ["websocket", "xhr-streaming", "eventsource", "xhr-polling"] {
        let texts =
            json!(["hello", "50% gr\u{fc}\u{df}e \u{1f600}\u{2028}\n", long, long, long, long, "the end"]);
        page.evaluate(&format!(
            "heard = []; beats = 0; ended = null;
             client = new SockJS('/echo', null, {{ transports: {transport:?}, timeout: 10000 }});
             client.onopen = () => {texts}.forEach(text => client.send(text));
             client.onmessage = event => heard.push(event.data);
             client.onheartbeat = () => beats += 1;
             client.onclose = event => ended = [event.code, event.reason, event.wasClean]; 0"
        ));
        // One heartbeat is the prelude of xhr-streaming.
        page.until("heard.length === 7 && beats > 1");
        assert_eq!(page.evaluate("heard"), texts, "{transport}");
        assert_eq!(page.evaluate("client.transport"), transport);
        page.evaluate("client.close(3001, 'bye'); 0");
        page.until("ended");
        assert_eq!(page.evaluate("ended"), json!([3001, "bye", true]), "{transport}");
    }
    page.evaluate(
        "ended = null; client = new SockJS('/echo'); client.onclose = event => ended = event.code; 0",
    );
    page.until("client.readyState === SockJS.OPEN");
    assert_eq!(page.evaluate("client.transport"), "websocket");
    server.signal("INT");
    page.until("ended === 3000");
    server.succeed();
    browser.end();
}
