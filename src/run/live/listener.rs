//! The server's side of the live commands: `bind`, `listen`, `recv`.

use std::net::SocketAddr;

use super::{Live, Result, Telling, advice};
use crate::event::{Host, Value};
use crate::run::outcome::Observed;

impl Live<'_> {
    /// `sockwalk bind ADDR`
    pub(super) fn bind(&mut self, at: &str, udp: bool) -> Result<()> {
        let at = self.place(at, udp)?;
        self.socket_for(at, udp)?;
        self.step(Telling::Full, &format!("server$ bind s {at}"))?;
        let at = self.bound(at);
        let fd = self.run.stage.sockets(Host::Server).find("s").map_or(-1, |held| held.descriptor());
        let until = self.until();
        self.hold(&advice::bound(at, udp, fd, until))
    }

    /// `sockwalk listen ADDR`
    pub(super) fn listen(&mut self, at: &str, backlog: u16) -> Result<()> {
        let at = self.listener(at)?;
        self.step(Telling::Full, &format!("server$ listen s {backlog}"))?;
        let at = self.bound(at);
        let until = self.until();
        self.hold(&advice::listening(at, backlog, until))
    }

    /// `sockwalk recv ADDR`
    pub(super) fn recv(&mut self, at: &str, size: u32) -> Result<()> {
        let at = self.listener(at)?;
        self.step(Telling::Brief, "server$ listen s 1")?;
        let at = self.bound(at);
        self.say(&advice::call_me(at));
        self.step(Telling::Brief, "server$ conn = accept s")?;
        self.recv_to_the_end(Host::Server, "conn", size)
    }

    /// Calls `recv` until the end of the stream. Each call is a step, so that the boundaries between them are
    /// visible.
    pub(super) fn recv_to_the_end(&mut self, host: Host, socket: &str, size: u32) -> Result<()> {
        let (mut calls, mut bytes) = (0_u64, 0_u64);
        loop {
            let observed = self.attempt(Telling::Full, &format!("{host}$ r = recv {socket} {size}"))?;
            match &observed {
                Observed::Gave(Value::Data(data)) if data.is_empty() => {
                    self.say(&advice::end_of_stream(calls, bytes, size));
                    return Ok(());
                }
                Observed::Gave(Value::Data(data)) => {
                    calls += 1;
                    bytes += data.len() as u64;
                }
                other => {
                    if self.advise(other) {
                        return Err(super::Stop::Failed);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Creates a socket and binds it, ready to listen. Each of these steps is narrated in one line.
    pub(super) fn listener(&mut self, at: &str) -> Result<SocketAddr> {
        let at = self.place(at, true)?;
        self.socket_for(at, false)?;
        // On Windows the option has another meaning: two programs could share the port.
        if cfg!(unix) {
            self.step(Telling::Brief, "server$ setsockopt s SO_REUSEADDR 1")?;
        }
        self.step(Telling::Brief, &format!("server$ bind s {at}"))?;
        Ok(at)
    }

    fn socket_for(&mut self, at: SocketAddr, udp: bool) -> Result<()> {
        self.about = Some(at);
        let protocol = match (udp, at.is_ipv6()) {
            (false, false) => "tcp",
            (false, true) => "tcp6",
            (true, false) => "udp",
            (true, true) => "udp6",
        };
        self.step(Telling::Brief, &format!("server$ s = socket {protocol}")).map(drop)
    }

    /// Returns the bound address, with the port that the kernel chose if `at` has port 0.
    pub(super) fn bound(&mut self, at: SocketAddr) -> SocketAddr {
        self.run.look();
        let seen =
            self.run.snapshot.find(Host::Server, "s").and_then(|socket| socket.local.as_ref()?.parse().ok());
        let at = seen.unwrap_or(at);
        self.about = Some(at);
        at
    }
}
