//! The chat: all hear the same, and who is slow goes, and holds up nobody.

use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tungstenite::{Error, Message, protocol::frame::coding::CloseCode};

use super::{PATIENCE, Server, leave, pictures, text};
use crate::{support::devtools::Browser, support::programs::script};

/// Nobody waits so long for anybody: whoever is slow has a second until it is cut off, and in that second the
/// others have to go on.
const AT_ONCE: Duration = Duration::from_millis(900);

#[test]
fn all_hear_all_in_the_same_order() {
    let mut server = Server::start(&["--chat"]);
    let people: Vec<_> = (0..5).map(|_| server.call(None)).collect();
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        let talks: Vec<_> = people
            .into_iter()
            .enumerate()
            .map(|(person, mut socket)| {
                scope.spawn(move || {
                    for number in 0..20 {
                        socket.send(Message::text(format!("{person}: {number}"))).unwrap();
                    }
                    let heard = (0..100).map(|_| text(&mut socket)).collect();
                    leave(&mut socket);
                    heard
                })
            })
            .collect();
        talks.into_iter().map(|talk| talk.join().unwrap()).collect()
    });
    assert!(heard.iter().all(|one| *one == heard[0]), "{heard:?}");
    for person in 0..5 {
        let own = heard[0].iter().filter(|line| line.starts_with(&format!("{person}:")));
        assert!(own.eq(&(0..20).map(|number| format!("{person}: {number}")).collect::<Vec<_>>()));
    }
    server.stop();
}

#[test]
fn who_does_not_read_gets_a_reset_and_the_others_do_not_wait() {
    let mut server = Server::start(&["--chat", "--queue", "8", "--bytes", "4000m"]);
    let mut slow = server.call(Some(4096));
    let (mut one, mut other) = (server.call(None), server.call(None));
    let long = "x".repeat(60_000);
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    for number in 0.. {
        let said = Instant::now();
        one.send(Message::text(format!("{number} {long}"))).unwrap();
        for socket in [&mut one, &mut other] {
            assert!(text(socket).starts_with(&format!("{number} ")));
        }
        slowest = slowest.max(said.elapsed());
        // What came besides bytes is known without reading them (SO_ERROR, socket(7)).
        if let Some(error) = slow.get_ref().take_error().unwrap() {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            break;
        }
        assert!(began.elapsed() < PATIENCE, "it is never let go");
    }
    assert!(slowest < AT_ONCE, "{slowest:?}");
    // A frame was out by half, so that no Close could follow.
    while let Ok(message) = slow.read() {
        assert!(message.is_text(), "{message:?}");
    }
    [one, other].iter_mut().for_each(leave);
    server.stop();
}

#[test]
fn who_reads_slowly_is_told_so() {
    let mut server = Server::start(&["--chat", "--queue", "8"]);
    let (mut fast, mut slow) = (server.call(None), server.call(Some(32 << 10)));
    let long = "x".repeat(16_000);
    // Of three messages it reads one, so that its queue fills up; it never stops reading.
    let close = 'talk: loop {
        for _ in 0..3 {
            fast.send(Message::text(long.as_str())).unwrap();
            assert_eq!(text(&mut fast), long);
        }
        match slow.read().unwrap() {
            Message::Text(text) => assert_eq!(text.as_str(), long),
            Message::Close(close) => break 'talk close.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Policy, "too slow"));
    assert!(matches!(slow.read(), Err(Error::ConnectionClosed)), "the server answers, and ends it");
    server.says("Close 1008");
    leave(&mut fast);
    server.stop();
}

#[test]
#[ignore = "needs Node and ws; tests/run installs them"]
fn nodes_ws_hears_all_in_order_and_loses_who_does_not_read() {
    let mut server = Server::start(&["--chat", "--queue", "8", "--bytes", "4000m"]);
    let url = format!("ws://127.0.0.1:{}/", server.port);
    let mut people = script("chat_clients.js", &[&url, "4", "60000"]);
    server.says("slower than the rest");
    people.write("read on\n");
    let told = people.says("ended");
    assert_eq!(told["ended"], json!({ "code": 1006, "reason": "" }), "{told}");
    assert_eq!(
        (&told["inOrder"], &told["codes"]),
        (&json!(true), &json!([1000, 1000, 1000, 1000])),
        "{told}"
    );
    assert!(told["slowest"].as_f64().is_some_and(|time| time < 1000.0 * AT_ONCE.as_secs_f64()), "{told}");
    people.succeed();
    server.stop();
}

#[test]
#[ignore = "needs Chromium; tests/run installs and runs it"]
fn what_one_tab_says_another_hears_as_text() {
    let mut server = Server::start(&["--chat"]);
    let url = format!("http://127.0.0.1:{}/", server.port);
    let mut browser = Browser::start();
    let tabs: Vec<String> = (0..2).map(|_| browser.open(&url).into_session()).collect();
    for (tab, name) in tabs.iter().zip(["Ann", "Bob"]) {
        let mut page = browser.page(tab);
        page.until("document.querySelector('#state [aria-current]')?.textContent === '1OPEN'");
        page.write("#name", name);
    }
    let heard = |name: &str, what: &str| {
        format!(
            "[...document.querySelectorAll('#log p[data-way=received]')].some(line =>
                line.dataset.word === {} && line.querySelector('.what').textContent === {})",
            json!(name),
            json!(what)
        )
    };
    let mut page = browser.page(&tabs[0]);
    page.write("#text", "hällo: Bob");
    page.press("Enter", 13);
    // To all: also to who said it.
    page.until(&heard("Ann", "hällo: Bob"));
    let mut page = browser.page(&tabs[1]);
    page.until(&heard("Ann", "hällo: Bob"));
    let note = page.evaluate("document.querySelector('#log p[data-way=received] .note').textContent.trim()");
    assert_eq!(note, "frame 81 10 …");

    // Somebody who is no browser, and means no good.
    let mut stranger = server.call(None);
    let markup = "<img src=x onerror=alert(1)>: <script>document.title = 'mine'</script>";
    for message in [Message::text(markup), Message::binary(vec![0xff; 3]), Message::text("no name")] {
        stranger.send(message).unwrap();
    }
    page.until(&heard("<img src=x onerror=alert(1)>", "<script>document.title = 'mine'</script>"));
    page.until(&heard("", "3 bytes, binary"));
    page.until(&heard("", "no name"));
    assert_eq!(page.evaluate("document.querySelectorAll('#log img, #log script').length"), 0);
    assert_eq!(page.evaluate("document.title"), "Chat · sockwalk");
    leave(&mut stranger);
    pictures(&mut page, "chat");

    page.click("#close");
    page.until("document.querySelector('#state [aria-current]')?.textContent === '3CLOSED'");
    page.until(
        "document.querySelector('#log').textContent.includes('code 1000, reason \"\", wasClean true')",
    );
    assert_eq!(page.evaluate("document.querySelector('#send').ariaDisabled"), "true");
    page.click("#connect");
    page.until("document.querySelector('#state [aria-current]')?.textContent === '1OPEN'");
    server.stop();
    for tab in &tabs {
        let mut page = browser.page(tab);
        page.until("document.querySelector('#log').textContent.includes('code 1001, ')");
        assert_eq!(page.complaints(), Vec::<String>::new());
    }
    browser.end();
}
