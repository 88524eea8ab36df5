//! The client's side of the live commands: `socket`, `connect`, `send`, `close`.

use std::time::Duration;

use super::{Ending, Live, Result, Stop, Telling, advice};
use crate::{
    event::{Host, Value},
    lesson,
    run::outcome::Observed,
};

/// Buffer size of each `recv` of an answer, in bytes.
const ROOM: u32 = 4096;

impl Live<'_> {
    /// `sockwalk socket PROTOCOL`
    pub(super) fn socket(&mut self, protocol: &str) -> Result<()> {
        self.step(Telling::Full, &format!("client$ s = socket {protocol}"))?;
        let fd = self.run.stage.sockets(Host::Client).find("s").map_or(-1, |held| held.descriptor());
        let until = self.until();
        self.hold(&advice::made(fd, until))
    }

    /// `sockwalk connect HOST:PORT`
    pub(super) fn connect(&mut self, to: &str) -> Result<()> {
        self.call(to, Telling::Full)?;
        let until = self.until();
        self.hold(&advice::connected(self.about, until))
    }

    /// `sockwalk send HOST:PORT TEXT`
    pub(super) fn send(&mut self, to: &str, bytes: &[u8], wait: Duration) -> Result<()> {
        self.call(to, Telling::Brief)?;
        self.send_all(bytes)?;
        self.listen_for(wait)
    }

    /// `sockwalk close HOST:PORT`
    pub(super) fn close(&mut self, to: &str, how: Ending) -> Result<()> {
        self.call(to, Telling::Brief)?;
        match how {
            Ending::Fin => {
                self.run.look();
                let before = self.run.snapshot.find(Host::Client, "c").cloned();
                self.step(Telling::Full, "client$ close c")?;
                self.settle(super::SETTLED);
                let now = self.run.snapshot.find(Host::Client, "c");
                self.say(&advice::after_close(before.as_ref(), now));
            }
            Ending::Half => {
                self.step(Telling::Full, "client$ shutdown c SHUT_WR")?;
                self.settle(super::SETTLED);
                self.say(advice::AFTER_HALF);
                self.recv_to_the_end(Host::Client, "c", ROOM)?;
                self.step(Telling::Full, "client$ close c")?;
                self.settle(super::SETTLED);
            }
            Ending::Reset => {
                self.step(Telling::Brief, "client$ setsockopt c SO_LINGER 0")?;
                self.step(Telling::Full, "client$ close c")?;
                self.settle(super::SETTLED);
                self.say(advice::AFTER_RESET);
            }
        }
        Ok(())
    }

    /// Connects to the first address that answers. Tries the addresses in order, as browsers and curl do.
    pub(super) fn call(&mut self, to: &str, telling: Telling) -> Result<()> {
        let found = self.resolve(to)?;
        let last = found.len();
        for (at, address) in found.into_iter().enumerate() {
            self.about = Some(address);
            let protocol = if address.is_ipv6() { "tcp6" } else { "tcp" };
            let more = at + 1 < last;
            let made = self.attempt(Telling::Brief, &format!("client$ c = socket {protocol}"))?;
            if self.advise(&made) {
                if more {
                    continue;
                }
                return Err(Stop::Failed);
            }
            let connected = self.attempt(telling, &format!("client$ connect c {address}"))?;
            if !self.advise(&connected) {
                return Ok(());
            }
            // POSIX leaves the state of a socket unspecified after a failed `connect`, so each attempt uses a
            // new one.
            self.attempt(Telling::Brief, "client$ close c")?;
            if more {
                self.say("The next address is tried.");
            }
        }
        Err(Stop::Failed)
    }

    /// Sends all bytes. Bytes that `send` does not take are sent again.
    fn send_all(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        loop {
            let taken =
                match self.step(Telling::Full, &format!("client$ send c {}", lesson::escaped(rest)))? {
                    Observed::Gave(Value::Count(taken)) => taken,
                    _ => return Ok(()),
                };
            rest = rest.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            self.say("`send` took only a part: the rest is offered again.");
        }
    }

    /// Receives until the end of the stream, or until nothing has arrived for `wait`.
    fn listen_for(&mut self, wait: Duration) -> Result<()> {
        let wait = wait.as_millis().max(1);
        loop {
            let observed =
                self.attempt(Telling::Full, &format!("client$ r = recv c {ROOM} within {wait}ms"))?;
            match observed {
                Observed::Gave(Value::Data(data)) if data.is_empty() => {
                    self.say("`recv` gave 0: the other side has ended its half of the connection.");
                    return Ok(());
                }
                Observed::Gave(_) => {}
                Observed::Deadline => {
                    self.say("Nothing came in that time, and the stream has not ended: the other side may be waiting for more.");
                    return Ok(());
                }
                failed => {
                    self.advise(&failed);
                    return Err(Stop::Failed);
                }
            }
        }
    }
}
