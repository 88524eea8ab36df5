//! The polling client, short or long.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{NEWS, read};
use crate::random;
use crate::transport::{
    api::{Client, ClientConfig, CloseMode, Heard},
    connection::Fault,
    http::{Asking, Posting, good, with_query},
    message::Message,
};

/// Time beyond the server's longest hold after which a long poll without an answer fails.
const SPARE: Duration = Duration::from_secs(30);

struct Polling {
    calling: ClientConfig,
    path: String,
    /// Interval of short polls. `None`: a long poll follows its predecessor at once.
    every: Option<Duration>,
    /// Sends messages.
    posting: Posting,
    /// Sends polls.
    asking: Asking,
    /// Time of the next poll if none is under way, and of the one that is under way.
    next: Instant,
    asked: Option<Instant>,
    /// Number of the last received message.
    after: u64,
    came: VecDeque<Heard>,
}

/// Connects a client that polls at an interval.
pub(super) fn short(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let every = calling.option("every", "1000");
    let every = every.parse().ok().filter(|ms| *ms > 0).map(Duration::from_millis);
    let every = every.ok_or_else(|| Fault::Asked("every is a number of milliseconds".to_owned()))?;
    open(calling, Some(every))
}

/// Connects a client whose polls the server holds.
pub(super) fn long(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    open(calling, None)
}

fn open(calling: ClientConfig, every: Option<Duration>) -> Result<Box<dyn Client>, Fault> {
    let client = client_name(&calling)?;
    let path = with_query(&calling.path, "client", &client);
    let asking = asking(&calling)?;
    Ok(Box::new(Polling {
        posting: Posting::new(&calling),
        path,
        every,
        asking,
        next: Instant::now(),
        asked: None,
        after: 0,
        came: VecDeque::new(),
        calling,
    }))
}

/// Returns the client's name: the given one, or a random one that can't be guessed.
pub(in crate::transport) fn client_name(calling: &ClientConfig) -> Result<String, Fault> {
    if let Some(name) = calling.options.get("client") {
        return Ok(name.clone());
    }
    Ok(data_encoding::HEXLOWER.encode(&random::bytes::<8>()?))
}

fn asking(calling: &ClientConfig) -> Result<Asking, Fault> {
    // A list of messages may be larger than each message.
    Ok(Asking::new(calling.connect()?, &calling.authority, calling.message.saturating_mul(8)))
}

impl Polling {
    fn ask(&mut self) -> Result<(), Fault> {
        if !self.asking.rest(Instant::now()) {
            self.asking = asking(&self.calling)?;
        }
        let path = with_query(&self.path, "after", &self.after.to_string());
        self.asking.ask("GET", &path, &[("Accept", "application/json")], None)?;
        self.asked = Some(Instant::now());
        Ok(())
    }

    /// Waits up to `until` for the answer to the poll.
    fn answer(&mut self, until: Instant) -> Result<(), Fault> {
        let Some((head, content)) = self.asking.whole(until)? else {
            let limit = self.every.map_or(self.calling.beat + SPARE, |_| self.calling.within);
            if self.asked.is_some_and(|since| since.elapsed() > limit) {
                return Err(Fault::Late(format!("a poll was not answered within {} s", limit.as_secs())));
            }
            return Ok(());
        };
        self.asked = None;
        self.next = Instant::now() + self.every.unwrap_or(Duration::ZERO);
        good(&head, &content)?;
        if content.is_empty() {
            self.came.push_back(Heard::Other);
            return Ok(());
        }
        let messages = read(&content).map_err(|why| {
            Fault::broken(
                format!("the answer to a poll ({why})"),
                "a list of messages in JSON",
                &content,
                "sockwalk",
            )
        })?;
        for (number, message) in messages {
            // After a cut, a repeated poll may return a message twice.
            if number > self.after {
                self.after = number;
                self.came.push_back(Heard::Message(message));
            }
        }
        Ok(())
    }
}

impl Client for Polling {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let path = if self.calling.path == NEWS { &self.path } else { &self.calling.path };
        let (head, _) = self.posting.post(path, message)?;
        if ack {
            self.came.push_back(Heard::Acknowledged(format!("the response {} to its POST", head.status)));
        }
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(came) = self.came.pop_front() {
                return Ok(came);
            }
            if self.asked.is_none() {
                if self.next > Instant::now() {
                    self.asking.rest(self.next.min(until));
                }
                let left = self.next.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    // The server has closed the connection; the next poll opens a new one.
                    let wait = self.next.min(until).saturating_duration_since(Instant::now());
                    std::thread::park_timeout(wait);
                    if self.next > Instant::now() {
                        return Ok(Heard::Nothing);
                    }
                }
                self.ask()?;
            }
            self.answer(until)?;
            if self.came.is_empty() {
                return Ok(Heard::Nothing);
            }
        }
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        self.posting.end(how);
        // A poll that is under way is abandoned. HTTP/1.1 can express that only by closing the connection.
        match how {
            CloseMode::Abrupt => self.asking.connection().will_be_reset(),
            CloseMode::Orderly => self.asking.connection().cut(),
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.posting = Posting::new(&self.calling);
        self.asking.connection().cut();
        self.asking = asking(&self.calling)?;
        (self.asked, self.next) = (None, Instant::now());
        Ok(())
    }
}
