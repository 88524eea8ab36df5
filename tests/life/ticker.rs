//! The ticker: prices are numbered, a slow reader gets the newest of each name, and a page shows it all.

use std::{collections::BTreeMap, net::TcpStream};

use serde_json::Value;
use tungstenite::{Message, WebSocket, protocol::frame::coding::CloseCode};

use super::{Server, leave, pictures, text};
use crate::support::devtools::{Browser, Page};

/// So many names are traded.
const NAMES: usize = 5;

/// The next price: its name and its number.
fn price(socket: &mut WebSocket<TcpStream>) -> (String, u64) {
    let quote: Value = serde_json::from_str(&text(socket)).unwrap();
    assert!(quote["price"].as_f64().is_some_and(|price| price >= 1.0), "{quote}");
    (quote["name"].as_str().unwrap().to_owned(), quote["sequence"].as_u64().unwrap())
}

/// The last number of each name that was seen.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// One more price, which has to be newer than the one before. Gives how many were passed over.
    fn take(&mut self, (name, number): (String, u64)) -> u64 {
        let before = self.0.insert(name.clone(), number);
        assert!(before.is_none_or(|before| before < number), "{name} {number} behind {before:?}");
        before.map_or(0, |before| number - before - 1)
    }

    fn sum(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Takes prices until the market has made so many.
fn watch(socket: &mut WebSocket<TcpStream>, seen: &mut Seen, until: u64) {
    while seen.0.len() < NAMES || seen.sum() < until {
        seen.take(price(socket));
    }
}

#[test]
fn who_reads_gets_each_price() {
    let mut server = Server::start(&["--set", "ticker=500"]);
    let mut socket = server.call(None);
    let mut seen = Seen::default();
    let passed_over: u64 = (0..200).map(|_| seen.take(price(&mut socket))).sum();
    // Nobody else is there, so the market began with this guest; and a machine with much to do may pass one
    // over.
    assert!(seen.0.len() == NAMES && passed_over < 100, "{passed_over} of {}", seen.sum());
    leave(&mut socket);
    server.stop();
}

#[test]
fn who_does_not_read_gets_the_newest_and_nobody_waits_for_it() {
    let mut server = Server::start(&["--set", "ticker=1000", "--queue", "1"]);
    let (mut slow, mut fast) = (server.call(Some(4096)), server.call(None));
    let mut seen = Seen::default();
    watch(&mut fast, &mut seen, 1500);
    let newest = seen.sum();
    // It reads at last: first what lay in two kernels, then the newest.
    let (mut late, mut took, mut passed_over) = (Seen::default(), 0, 0);
    while late.0.len() < NAMES || late.sum() < newest {
        passed_over += late.take(price(&mut slow));
        took += 1;
    }
    assert!(took < 1000 && passed_over > 500, "it took {took}, and {passed_over} were passed over");
    [slow, fast].iter_mut().for_each(leave);
    server.stop();
}

#[test]
fn who_asks_gets_as_many_as_it_asks_for() {
    let mut server = Server::start(&["--set", "ticker=1000"]);
    let (mut asks, mut fast) = (server.call_at("/?ask", None), server.call(None));
    let (mut mine, mut seen) = (Seen::default(), Seen::default());
    watch(&mut fast, &mut seen, 300);
    let newest = seen.0.clone();
    asks.send(Message::text(NAMES.to_string())).unwrap();
    for _ in 0..NAMES {
        let (name, number) = price(&mut asks);
        assert!(number >= newest[&name], "{name}: {number} is older than {}", newest[&name]);
        mine.take((name, number));
    }
    asks.send(Message::Ping(vec![1].into())).unwrap();
    assert!(matches!(asks.read().unwrap(), Message::Pong(_)), "nothing came that it did not ask for");
    asks.send(Message::text("please")).unwrap();
    match asks.read().unwrap() {
        Message::Close(Some(close)) => assert_eq!(close.code, CloseCode::Policy),
        other => panic!("{other:?}"),
    }
    server.says("how many more messages are wanted");
    leave(&mut fast);
    server.stop();
}

/// What a figure of the page says.
fn figure(page: &mut Page<'_>, id: &str) -> f64 {
    page.evaluate(&format!("Number(document.getElementById('{id}').textContent)")).as_f64().unwrap()
}

#[test]
#[ignore = "needs Chromium; tests/run installs and runs it"]
fn a_slow_tab_sees_new_prices_and_how_many_it_did_not() {
    let mut server = Server::start(&["--set", "ticker=100"]);
    let url = format!("http://127.0.0.1:{}/", server.port);
    let mut browser = Browser::start();
    let tabs: Vec<String> = (0..2).map(|_| browser.open(&url).into_session()).collect();
    let mut page = browser.page(&tabs[0]);
    page.until("Number(document.getElementById('rate').textContent) > 20");
    page.click("#close");
    page.until("document.querySelector('#log').textContent.includes('code 1000, ')");
    let mut page = browser.page(&tabs[1]);
    page.until(&format!("document.querySelectorAll('#prices tr').length === {NAMES}"));
    let prices = page.evaluate("document.querySelector('#prices').textContent");
    assert!(prices.as_str().unwrap().contains("ANVIL"), "{prices}");
    page.write("#busy", "50");
    let before = figure(&mut page, "skipped");
    page.until(&format!("Number(document.getElementById('skipped').textContent) > {}", before + 100.0));
    page.until("Number(document.getElementById('rate').textContent) <= 20");
    // It asks for a few ahead: what it shows is as old as those took, however much it has missed.
    let age = figure(&mut page, "age");
    assert!(age < 1000.0, "{age} ms");
    pictures(&mut page, "ticker");
    server.stop();
    let mut page = browser.page(&tabs[1]);
    page.until("document.querySelector('#log').textContent.includes('code 1001, ')");
    for tab in &tabs {
        assert_eq!(browser.page(tab).complaints(), Vec::<String>::new());
    }
    browser.end();
}
