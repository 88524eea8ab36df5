//! A WebSocket client: upgrades a connection, then sends the input's lines as messages and shows the received
//! messages.

use std::time::{Duration, Instant};

use super::{Live, LiveCommand, Result, Stop, Telling, advice};
use crate::{
    event::{Host, Value},
    kernel, lesson,
    run::{Input, act::POLL_INTERVAL, outcome::Observed},
};

/// Factor of the wait for a silent server. Their product bounds the wait for a server that keeps sending.
const MAX_WAIT_FACTOR: u32 = 10;

impl Live<'_> {
    /// `sockwalk websocket ws://HOST:PORT/PATH`
    pub(super) fn websocket(&mut self, command: &LiveCommand) -> Result<()> {
        let LiveCommand::WebSocket { to, authority, path, origin, texts, wait } = command else {
            return Ok(());
        };
        self.call(to, Telling::Brief)?;
        let origin = origin.as_ref().map(|origin| format!(" origin {origin}")).unwrap_or_default();
        self.step(Telling::Full, &format!("client$ ws request c {path} host {authority}{origin}"))?;
        match self.step(Telling::Full, "client$ ws verify c")? {
            Observed::Gave(Value::Number(101)) => {}
            Observed::Gave(Value::Number(status)) => {
                self.say(&advice::not_upgraded(status));
                return Err(Stop::Failed);
            }
            _ => return Err(Stop::Failed),
        }
        self.step(Telling::Full, "client$ w = ws handoff c")?;
        for text in texts {
            self.step(
                Telling::Full,
                &format!("client$ ws send w text {}", lesson::escaped(text.as_bytes())),
            )?;
        }
        match self.talk(*wait) {
            // Ctrl-C ends the WebSocket with a Close, too.
            Err(Stop::Person) if !self.said_goodbye => {
                let _ = self.attempt(Telling::Full, r#"client$ ws close w 1001 "going away""#);
                Err(Stop::Person)
            }
            other => other,
        }
    }

    /// Sends the lines of the input and shows the received messages, until the server closes or the input has
    /// ended and the server is silent.
    fn talk(&mut self, wait: Duration) -> Result<()> {
        self.say(&advice::chat(wait));
        let (mut more_to_say, mut last, mut all_said) = (true, Instant::now(), None);
        loop {
            while self.something_came() {
                if !self.receive("")? {
                    return Ok(());
                }
                last = Instant::now();
            }
            if self.run.journal.frontend().stopped() {
                return Err(Stop::Person);
            }
            let heard = self.run.journal.frontend().hear(POLL_INTERVAL);
            match heard {
                Input::Nothing => {}
                // After the end of the input, further lines are ignored.
                _ if !more_to_say => {}
                Input::Line(text) if text.is_empty() => more_to_say = false,
                Input::Line(text) => {
                    self.step(
                        Telling::Full,
                        &format!("client$ ws send w text {}", lesson::escaped(text.as_bytes())),
                    )?;
                    last = Instant::now();
                }
                Input::End => more_to_say = false,
            }
            if more_to_say {
                continue;
            }
            // Some servers are never silent.
            let said = *all_said.get_or_insert_with(Instant::now);
            if last.elapsed() >= wait {
                return self.say_goodbye();
            }
            if said.elapsed() >= wait * MAX_WAIT_FACTOR {
                self.say(&advice::never_silent(wait * MAX_WAIT_FACTOR));
                return self.say_goodbye();
            }
        }
    }

    /// Returns whether a message waits, in tungstenite's buffer or in the kernel's.
    fn something_came(&mut self) -> bool {
        let waits = self.run.sessions[Host::Client as usize].has_more("w");
        let held = self.run.stage.sockets(Host::Client).find("c");
        waits || held.is_some_and(|held| kernel::is_readable(held.socket()))
    }

    /// Receives and narrates the next message. Returns false if it was the last.
    fn receive(&mut self, within: &str) -> Result<bool> {
        match self.attempt(Telling::Full, &format!("client$ ws recv w{within}"))? {
            Observed::Deadline => {
                self.say("No Close came back in that time. A client may end TCP then (RFC 6455 §7.1.1).");
                Ok(false)
            }
            Observed::Gave(Value::Close { code: 1006, .. }) => {
                self.say("The stream ended without a Close: 1006 stands for that, and is never sent (RFC 6455 §7.1.5).");
                Err(Stop::Failed)
            }
            Observed::Gave(Value::Close { .. }) => {
                self.say("Both have said Close. Now the server ends TCP; a client waits for that (RFC 6455 §7.1.1).");
                self.attempt(Telling::Brief, "client$ r = recv c 4096 within 2s")?;
                Ok(false)
            }
            Observed::Gave(_) => Ok(true),
            failed => {
                self.advise(&failed);
                Err(Stop::Failed)
            }
        }
    }

    /// Sends our Close and waits for the server's.
    fn say_goodbye(&mut self) -> Result<()> {
        self.step(Telling::Full, "client$ ws close w 1000")?;
        self.said_goodbye = true;
        while self.receive(" within 2s")? {}
        Ok(())
    }
}
