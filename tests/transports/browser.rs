//! Chromium's own EventSource, fetch and WebSocket against our servers, and the page of the news.

use crate::{
    support::devtools::Browser,
    transports::harness::{Cutter, Server, call, curled},
};

#[test]
#[ignore = "needs Chromium; tests/run installs it"]
fn chromium_polls_hears_events_and_comes_back_after_a_cut() {
    let mut browser = Browser::start();

    let polled = Server::start("long-poll", &["--chat"]);
    let mut page = browser.open(&polled.url("http", "/nothing"));
    let said = "fetch('/news', { method: 'POST', body: 'grüße' }).then(answer => answer.status)";
    page.evaluate("window.held = fetch('/news?after=0').then(answer => answer.json()); 0");
    assert_eq!(page.evaluate(said), 204);
    assert_eq!(page.evaluate("held.then(list => list[0].data)"), "grüße");
    polled.stop();

    let mut server = Server::start("sse", &["--chat", "--beat", "200ms", "--any-origin"]);
    let cutter = Cutter::before(server.port);
    let mut page = browser.open(&format!("http://127.0.0.1:{}/nothing", cutter.port));
    page.evaluate(
        "window.heard = []; window.opened = 0;
         window.source = new EventSource('/events');
         source.onopen = () => opened++;
         source.onmessage = event => heard.push(event.lastEventId + ' ' + event.data); 0",
    );
    page.until("opened === 1");
    server.tells("retry 1000");
    assert_eq!(
        page.evaluate("fetch('/news', { method: 'POST', body: 'one\\ntwo' }).then(answer => answer.status)"),
        204
    );
    page.until("heard.join() === '1 one\\ntwo'");
    // It hears heart-beats, and no page is told of them.
    server.tells("beat: comment");
    cutter.cut();
    page.until("source.readyState === EventSource.CONNECTING || opened === 2");
    curled(&["--data", "while it was away", &server.url("http", "/news")]);
    page.until("opened === 2 && heard.join('|') === '1 one\\ntwo|2 while it was away'");
    page.evaluate("source.close()");
    server.stop();

    let mut server = Server::start("websocket", &["--chat"]);
    let mut page = browser.open(&server.url("http", "/nothing"));
    page.evaluate(
        "window.heard = [];
         window.socket = new WebSocket('ws://' + location.host + '/');
         socket.onmessage = event => heard.push(event.data);
         socket.onclose = event => heard.push(event.code); 0",
    );
    page.until("socket.readyState === WebSocket.OPEN");
    server.tells("open: ");
    call("websocket", &server.url("ws", "/"), &["hello", "--wait", "50ms"]);
    page.evaluate("socket.send('grüße')");
    page.until("heard.join() === 'hello,grüße'");
    server.stop();
    page.until("heard.at(-1) === 1001");
    browser.end();
}

#[test]
#[ignore = "needs Chromium; tests/run installs it"]
fn the_page_of_the_news_shows_four_ways_and_what_each_costs() {
    let server = Server::start("news", &["--set", "every=50"]);
    let mut browser = Browser::start();
    let mut page = browser.open(&server.url("http", "/"));
    page.click("#all");
    let text = |id: &str| format!("Number(document.getElementById('{id}').textContent.replace(/\\D/g, ''))");
    for way in ["poll", "long-poll", "sse", "websocket"] {
        page.until(&format!("{} >= 3", text(&format!("{way}-news"))));
        page.until(&format!(
            "{} > 0 && {} > 0",
            text(&format!("{way}-received")),
            text(&format!("{way}-sent"))
        ));
    }
    if let Some(folder) = std::env::var_os("SOCKWALK_SCREENSHOTS") {
        for scheme in ["light", "dark"] {
            for size in [(1280, 800), (390, 844)] {
                let file = format!("news-{scheme}-{}x{}.png", size.0, size.1);
                page.picture(size, scheme, &std::path::Path::new(&folder).join(file));
            }
        }
    }
    // One request for each of those that go on, and many for those that ask again.
    for (way, many) in [("poll", false), ("long-poll", true), ("sse", false), ("websocket", false)] {
        let requests = page.evaluate(&text(&format!("{way}-requests"))).as_f64().unwrap();
        assert_eq!(requests > 3.0, many, "{way}: {requests}");
    }
    assert_eq!(page.evaluate(&text("sse-requests")), 1);
    page.click("#pause");
    page.until("document.getElementById('pause').getAttribute('aria-pressed') === 'true'");
    page.click("#sse-start");
    page.until("document.getElementById('sse-start').textContent === 'Start'");
    assert_eq!(page.complaints(), Vec::<String>::new());
    browser.end();
    server.stop();
}
