//! `sockwalk client`: sends the given messages, prints what arrives, and reconnects after a cut.

use std::{
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use super::{
    api::{Client, ClientConfig, CloseMode, Ends, Heard, Onlooker, Word},
    connection::Fault,
    events::{Happened, News, WORDS, Way},
    message::Message,
};

/// Interval for checking the user's input while nothing arrives.
const GLANCE: Duration = Duration::from_millis(50);

/// Factor on the wait time after which the client leaves a server that keeps sending.
const PATIENCE: u32 = 10;

/// Events rendered in one batch.
const AT_ONCE: usize = 256;

/// A run of the client.
#[derive(Debug)]
pub struct Call {
    /// The transport.
    pub ends: &'static Ends,
    /// The server and the options of the client.
    pub calling: ClientConfig,
    /// The messages to send first.
    pub texts: Vec<String>,
    /// Silence after which the client leaves, when it has nothing more to send.
    pub wait: Duration,
    /// Most consecutive attempts to reconnect after a cut.
    pub retry: u32,
    /// How the client closes.
    pub leaving: CloseMode,
}

/// A client that is running.
struct Talk<'a> {
    call: &'a Call,
    told: &'a Receiver<News>,
    onlooker: &'a mut dyn Onlooker,
    /// Consecutive failed attempts.
    tries: u32,
}

/// Connects and exchanges messages until nothing is left to send and the server is silent, or until the user
/// leaves.
///
/// # Errors
/// Fails with the fault, which was reported already.
pub fn call(call: &Call, told: &Receiver<News>, onlooker: &mut dyn Onlooker) -> Result<(), Fault> {
    let mut talk = Talk { call, told, onlooker, tries: 0 };
    let outcome = talk.run();
    if let Err(fault) = &outcome {
        talk.report(fault);
    }
    talk.tell();
    outcome
}

impl Talk<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut client =
            self.call.ends.client.map_err(|why| Fault::Asked(why.to_owned()))?(self.call.calling.clone())?;
        self.tell();
        let mut texts = self.call.texts.iter();
        let (mut more_to_say, mut last, mut all_said) = (true, Instant::now(), None);
        loop {
            let said = match texts.next() {
                Some(text) => Some(text.clone()),
                None if more_to_say => match self.onlooker.hear(Duration::ZERO) {
                    Word::Line(line) if line.is_empty() => {
                        more_to_say = false;
                        None
                    }
                    Word::Line(line) => Some(line),
                    Word::End => {
                        more_to_say = false;
                        None
                    }
                    Word::Nothing => None,
                },
                None => None,
            };
            let mut outcome = Ok(Heard::Nothing);
            if let Some(text) = &said {
                let message = Message::Text(text.clone());
                self.news(Happened::message(Way::Sent, message.bytes()));
                outcome = client.say(&message, self.call.calling.ack).map(|()| Heard::Other);
                last = Instant::now();
            }
            if outcome.is_ok() {
                outcome = client.hear(Instant::now() + if said.is_some() { Duration::ZERO } else { GLANCE });
            }
            match outcome {
                Ok(Heard::Nothing) => {}
                Ok(Heard::Message(message)) => {
                    self.news(Happened::message(Way::Received, message.bytes()));
                    (last, self.tries) = (Instant::now(), 0);
                }
                Ok(Heard::Acknowledged(what)) => {
                    self.news(Happened::Acknowledged(what));
                    last = Instant::now();
                }
                Ok(Heard::Other) => self.tries = 0,
                Ok(Heard::Closed { orderly: true, why }) => {
                    self.news(Happened::Ended { orderly: true, why });
                    return Ok(());
                }
                Ok(Heard::Closed { orderly: false, why }) => {
                    self.again(&mut *client, Fault::Ended(why))?;
                    last = Instant::now();
                }
                Err(fault) if fault.is_cut() => {
                    self.again(&mut *client, fault)?;
                    last = Instant::now();
                }
                Err(fault) => return Err(fault),
            }
            self.tell();
            if self.onlooker.stopped() {
                return self.leave(&mut *client);
            }
            if more_to_say || texts.len() > 0 {
                continue;
            }
            let said = *all_said.get_or_insert_with(Instant::now);
            let waits = if client.awaits() > 0 { self.call.wait * 3 } else { self.call.wait };
            if last.elapsed() >= waits || said.elapsed() >= self.call.wait * PATIENCE {
                let missing = client.awaits();
                self.leave(&mut *client)?;
                if missing > 0 {
                    return Err(Fault::Late(format!("{missing} answers did not come")));
                }
                return Ok(());
            }
        }
    }

    /// Reconnects after a cut, if retries are enabled and not used up.
    fn again(&mut self, client: &mut dyn Client, fault: Fault) -> Result<(), Fault> {
        let mut fault = fault;
        loop {
            if self.tries >= self.call.retry {
                return Err(fault);
            }
            self.tries += 1;
            self.news(Happened::Note(format!("cut: {fault}")));
            let after = client.pause(self.tries);
            self.news(Happened::Reconnecting { attempt: self.tries, after });
            let until = Instant::now() + after;
            loop {
                self.tell();
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                if self.onlooker.stopped() {
                    return Err(fault);
                }
                std::thread::park_timeout(left.min(GLANCE));
            }
            match client.again() {
                Ok(()) => return Ok(()),
                Err(next) if next.is_cut() => fault = next,
                Err(next) => return Err(next),
            }
        }
    }

    fn leave(&mut self, client: &mut dyn Client) -> Result<(), Fault> {
        let outcome = client.end(self.call.leaving);
        let (orderly, why) = match (&outcome, self.call.leaving) {
            (Ok(()), CloseMode::Orderly) => (true, "by us, as the protocol wants it".to_owned()),
            (Ok(()), CloseMode::Abrupt) => (false, "by us, with a RST".to_owned()),
            (Err(fault), _) => (false, fault.to_string()),
        };
        self.news(Happened::Ended { orderly, why });
        outcome
    }

    fn report(&mut self, fault: &Fault) {
        self.news(match fault {
            fault if fault.is_broken() => Happened::Broken(fault.to_string()),
            Fault::Refused(why) => Happened::Refused(why.clone()),
            _ => Happened::Ended { orderly: false, why: fault.to_string() },
        });
    }

    fn news(&self, what: Happened) {
        self.call.calling.news.tell(0, WORDS, what);
    }

    fn tell(&mut self) {
        let news: Vec<News> = self.told.try_iter().take(AT_ONCE).collect();
        if !news.is_empty() {
            self.onlooker.tell(&news);
        }
    }
}
