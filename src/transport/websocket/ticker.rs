//! A ticker with invented prices: a few names whose prices walk at random. Each new price is a message to all
//! clients.
//!
//! Only the newest price of a name has a value. So no queue builds up for a slow client: a new price replaces
//! the waiting one, and at most one price of each name waits. Prices are numbered, so that a client can
//! detect the missing ones. A client that connects to `/?ask` requests a number of messages and receives no
//! more. The rest waits in the outbox, where it can still be replaced, and not in the buffers of two kernels,
//! where it becomes stale.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::sync::lock;
use crate::transport::{
    connection::Fault,
    message::Message,
    room::{Room, Seat},
    terms::Terms,
};

/// The option that turns the server into a ticker.
pub(super) const OPTION: &str = "ticker";

/// The names, all invented.
const NAMES: [&str; 5] = ["ANVIL", "BOLT", "CRANK", "DYNAMO", "ENGINE"];

/// Most prices per second. An option beyond that is refused.
const FASTEST: u32 = 1000;

/// Prices in cents: the start, the minimum and the maximum.
const PRICES: (u32, u32, u32) = (10_000, 100, 99_999);

/// Largest change of a price in one step, in cents.
const STEP: u32 = 25;

#[derive(Debug)]
pub(super) struct Ticker {
    period: Duration,
    started: AtomicBool,
    prices: Mutex<[Price; NAMES.len()]>,
}

/// The price of a name, its number counted from 1, and its time in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Price {
    cents: u32,
    sequence: u64,
    at: u128,
}

impl Ticker {
    /// Returns a ticker if the terms request one.
    ///
    /// # Errors
    /// Fails if the option is invalid.
    pub(super) fn of(terms: &Terms) -> Result<Option<Ticker>, Fault> {
        let Some(asked) = terms.options.get(OPTION) else { return Ok(None) };
        if terms.chat {
            return Err(Fault::Asked("a ticker alone speaks: leave out --chat, or --set ticker".to_owned()));
        }
        match asked.parse() {
            Ok(rate @ 1..=FASTEST) => Ok(Some(Ticker::new(rate))),
            _ => Err(Fault::Asked(format!(
                "ticker is how many prices a second there are, 1 to {FASTEST}, and not \"{asked}\""
            ))),
        }
    }

    fn new(rate: u32) -> Ticker {
        let price = Price { cents: PRICES.0, sequence: 0, at: 0 };
        Ticker {
            period: Duration::from_secs(1) / rate,
            started: AtomicBool::new(false),
            prices: Mutex::new([price; NAMES.len()]),
        }
    }

    /// Handles a new seat for this request target. The first seat starts the ticker. Each seat receives all
    /// current prices.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub(super) fn welcome(
        self: &Arc<Self>,
        room: &Arc<Room>,
        seat: &Seat,
        target: &str,
    ) -> Result<(), Fault> {
        if target.ends_with("?ask") {
            seat.outbox.want(0);
        }
        let prices = lock(&self.prices);
        for (key, price) in prices.iter().enumerate().filter(|(_, price)| price.sequence > 0) {
            seat.outbox.replace(key, message(key, *price));
        }
        drop(prices);
        if !self.started.swap(true, Ordering::AcqRel) {
            let (ticker, room) = (Arc::clone(self), Arc::clone(room));
            let market = thread::Builder::new().name("market".to_owned());
            market.spawn(move || ticker.run(&room)).map_err(|error| Fault::Call("clone", error))?;
        }
        Ok(())
    }

    /// Handles a client's request for more messages.
    ///
    /// # Errors
    /// Fails with [`Fault::Broken`] if the message is no number.
    pub(super) fn said(seat: &Seat, message: Message) -> Result<(), Fault> {
        let number = std::str::from_utf8(message.bytes()).ok().and_then(|text| text.parse().ok());
        let Some(number) = number else {
            let needed = "how many more messages are wanted, a number";
            return Err(Fault::broken("what the guest said", needed, message.bytes(), "no standard"));
        };
        seat.outbox.want(number);
        Ok(())
    }

    fn run(&self, room: &Room) {
        let mut due = Instant::now();
        while room.pause(due) {
            if self.step(room).is_err() {
                break;
            }
            // After a long delay, the thread does not make up for more than one second of steps.
            due = (due + self.period).max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(due));
        }
    }

    /// Changes one price.
    fn step(&self, room: &Room) -> Result<(), getrandom::Error> {
        let key = usize::try_from(getrandom::u32()?).unwrap_or(0) % NAMES.len();
        let walk = getrandom::u32()? % (2 * STEP + 1);
        // The lock is held while the message goes to all seats, so no client receives an older price after a
        // newer one.
        let mut prices = lock(&self.prices);
        let price = &mut prices[key];
        price.cents = (price.cents + walk).saturating_sub(STEP).clamp(PRICES.1, PRICES.2);
        price.sequence += 1;
        price.at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        room.newest_to_all(key, &message(key, *price));
        Ok(())
    }
}

/// Returns a price as JSON.
fn message(key: usize, Price { cents, sequence, at }: Price) -> Arc<Message> {
    let (name, whole, rest) = (NAMES[key], cents / 100, cents % 100);
    Arc::new(Message::Text(format!(
        "{{\"name\":\"{name}\",\"sequence\":{sequence},\"price\":{whole}.{rest:02},\"at\":{at}}}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{events::Reporter, outbox::Next};

    fn asked(value: &str, chat: bool) -> Result<Option<Ticker>, Fault> {
        let options = [(OPTION.to_owned(), value.to_owned())].into();
        Ticker::of(&Terms { chat, options, ..Terms::default() })
    }

    #[test]
    fn a_ticker_is_asked_for_by_its_rate() {
        assert!(Ticker::of(&Terms::default()).unwrap().is_none());
        assert_eq!(asked("20", false).unwrap().unwrap().period, Duration::from_millis(50));
        for wrong in ["", "0", "1001", "fast", "-1", "1.5"] {
            assert!(asked(wrong, false).is_err(), "{wrong}");
        }
        assert!(asked("20", true).is_err());
    }

    #[test]
    fn prices_are_numbered_and_a_slow_guest_gets_the_newest_of_each() {
        let room = Room::new(Terms::default(), Reporter::new().0);
        let ticker = Ticker::new(1);
        let seat = room.seat(1);
        for _ in 0..1000 {
            ticker.step(&room).unwrap();
        }
        let mut sum = 0;
        let mut heard = Vec::new();
        while let Next::Message(message) = seat.outbox.next(Instant::now()) {
            let quote: serde_json::Value = serde_json::from_slice(message.bytes()).unwrap();
            sum += quote["sequence"].as_u64().unwrap();
            heard.push(quote["name"].as_str().unwrap().to_owned());
            assert!(quote["price"].as_f64().is_some_and(|price| (1.0..1000.0).contains(&price)), "{quote}");
        }
        heard.sort();
        // A thousand prices, and five of them waited: the last of each name.
        assert_eq!((heard, sum), (NAMES.map(str::to_owned).to_vec(), 1000));
    }

    #[test]
    fn what_a_guest_says_is_a_number() {
        let room = Room::new(Terms::default(), Reporter::new().0);
        let seat = room.seat(1);
        for wrong in ["", "more", "-1", "1e3", "99999999999999999999"] {
            assert!(Ticker::said(&seat, Message::Text(wrong.to_owned())).is_err(), "{wrong}");
        }
        Ticker::said(&seat, Message::Text("18446744073709551615".to_owned())).unwrap();
        Ticker::said(&seat, Message::Text("18446744073709551615".to_owned())).unwrap();
    }
}
