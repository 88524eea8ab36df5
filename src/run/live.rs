//! Live: the same calls on the open machine, where the other side is a program that nobody here wrote.
//!
//! What is asked for becomes steps of the same notation as in a lesson, done by the same run and told in the same way; what has
//! to be there first is done and told in a line each. No call has a deadline of its own: the person ends it, with Ctrl-C.

mod advice;
mod caller;
mod chat;
mod class;
mod listener;

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::{Duration, Instant},
};

pub use advice::meaning;
pub use class::{Class, Service, Verbosity, serve};

use super::{Frontend, Input, Run, act::POLL_INTERVAL, outcome::Observed};
use crate::{
    event::{self, Host, What},
    lesson::{self, Statement},
    server::listener::exposure,
    stage::Stage,
};

/// What is to be done live.
#[derive(Debug, Clone)]
pub enum LiveCommand {
    /// Make a socket of this protocol and hold it: `tcp`, `udp`, `tcp6`, `udp6`.
    Socket(&'static str),
    /// Give a socket an address and hold it.
    Bind {
        /// Which.
        at: String,
        /// UDP, not TCP.
        udp: bool,
    },
    /// Let a socket be called, and accept nobody.
    Listen {
        /// Where.
        at: String,
        /// The backlog.
        backlog: u16,
    },
    /// Call somebody.
    Connect {
        /// Whom: `host:port`.
        to: String,
    },
    /// Call somebody, send, and show what comes back.
    Send {
        /// To whom.
        to: String,
        /// What.
        bytes: Vec<u8>,
        /// How long silence is listened to.
        wait: Duration,
    },
    /// Serve one caller, and show what each recv gives.
    Recv {
        /// Where.
        at: String,
        /// Room for each recv, in bytes.
        size: u32,
    },
    /// Call somebody and end the connection.
    Close {
        /// Whom.
        to: String,
        /// In which way.
        how: Ending,
    },
    /// Upgrade a connection to somebody's WebSocket server.
    WebSocket {
        /// Host and port: `127.0.0.1:8000`.
        to: String,
        /// For the line `Host`: as in the URL.
        authority: String,
        /// The path, with its query.
        path: String,
        /// The web page that one pretends to be.
        origin: Option<String>,
        /// Text messages to begin with.
        texts: Vec<String>,
        /// How long silence is listened to when there is nothing more to send.
        wait: Duration,
    },
}

/// How a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `close`: a FIN, and nothing more is received.
    Fin,
    /// `shutdown(SHUT_WR)`: a FIN, and what the other side still says is received.
    Half,
    /// `SO_LINGER` of 0 seconds and `close`: a RST.
    Reset,
}

/// How long a socket is held for a second terminal to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldUntil {
    /// Until Enter, or Ctrl-C.
    UntilTold,
    /// So long.
    For(Duration),
}

/// Does it, and tells it. True if all went well.
///
/// # Errors
/// If the stage fails. What a call returns is never an error here: it is told.
pub fn live(command: &LiveCommand, hold: HoldUntil, frontend: &mut dyn Frontend) -> io::Result<bool> {
    let run = Run::new(Stage::live()?, frontend);
    let mut live = Live::new(run, hold);
    let (name, title) = command.heading();
    live.run.open(event::Lesson { name: name.to_owned(), title, ..live.run.here() });
    if let LiveCommand::WebSocket { .. } = command {
        live.counterpart = "websocket";
    }
    let outcome = match command {
        LiveCommand::Socket(protocol) => live.socket(protocol),
        LiveCommand::Bind { at, udp } => live.bind(at, *udp),
        LiveCommand::Listen { at, backlog } => live.listen(at, *backlog),
        LiveCommand::Connect { to } => live.connect(to),
        LiveCommand::Send { to, bytes, wait } => live.send(to, bytes, *wait),
        LiveCommand::Recv { at, size } => live.recv(at, *size),
        LiveCommand::Close { to, how } => live.close(to, *how),
        LiveCommand::WebSocket { .. } => live.websocket(command),
    };
    live.finish(outcome)
}

impl LiveCommand {
    /// The name of the command, and what it is about.
    fn heading(&self) -> (&'static str, String) {
        match self {
            LiveCommand::Socket(protocol) => ("socket", (*protocol).to_owned()),
            LiveCommand::Bind { at, udp } => ("bind", format!("{at}{}", if *udp { ", UDP" } else { "" })),
            LiveCommand::Listen { at, .. } => ("listen", at.clone()),
            LiveCommand::Connect { to } => ("connect", to.clone()),
            LiveCommand::Send { to, .. } => ("send", format!("to {to}")),
            LiveCommand::Recv { at, .. } => ("recv", at.clone()),
            LiveCommand::Close { to, how } => (
                "close",
                match how {
                    Ending::Fin => format!("{to}, by FIN"),
                    Ending::Half => format!("{to}, one half"),
                    Ending::Reset => format!("{to}, by RST"),
                },
            ),
            LiveCommand::WebSocket { authority, path, .. } => {
                ("websocket", format!("ws://{authority}{path}"))
            }
        }
    }
}

/// Why a live run ends before its end.
enum Stop {
    /// A thread is gone, or something else that has nothing to do with the other side.
    Stage(io::Error),
    /// A call failed, and that was told.
    Failed,
    /// The person wants it.
    Person,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Stage(error)
    }
}

type Result<T, E = Stop> = std::result::Result<T, E>;

/// A live run under way.
struct Live<'a> {
    run: Run<'a>,
    hold: HoldUntil,
    /// The call of the last step.
    called: &'static str,
    /// The address that it is all about, once it is known.
    about: Option<SocketAddr>,
    /// The command that serves what this one calls.
    counterpart: &'static str,
    /// A WebSocket was told that there is no more to say.
    said_goodbye: bool,
}

/// Whether a step is what was asked for, or only comes before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Full,
    Brief,
}

impl<'a> Live<'a> {
    fn new(run: Run<'a>, hold: HoldUntil) -> Live<'a> {
        Live { run, hold, called: "", about: None, counterpart: "accept", said_goodbye: false }
    }

    /// Closes what is open and writes the end. True if all went well.
    fn finish(mut self, outcome: Result<()>) -> io::Result<bool> {
        let outcome = match outcome {
            Err(Stop::Stage(error)) => Err(Stop::Stage(error)),
            other => self.close_all().and(other),
        };
        self.run.end_calls();
        let good = match outcome {
            Ok(()) | Err(Stop::Person) => true,
            Err(Stop::Failed) => false,
            Err(Stop::Stage(error)) => return Err(error),
        };
        self.run.end.left = !good;
        self.run.journal.write(What::End(self.run.end.clone()));
        Ok(good)
    }

    /// Does a step of the notation, and gives what came of it, good or bad.
    fn attempt(&mut self, telling: Telling, text: &str) -> Result<Observed> {
        let mut step = lesson::step(text).map_err(|fault| io::Error::other(fault.to_string()))?;
        if text.chars().count() > LONGEST_LINE {
            step.text = text.chars().take(LONGEST_LINE).chain("…".chars()).collect();
        }
        let Statement::Act(act) = &step.what else {
            return Err(io::Error::other(format!("`{text}` is no call")).into());
        };
        self.run.begin(&step, telling == Telling::Brief);
        self.called = act.call.grammar().name;
        let observed = self.run.act(&step, act)?;
        if self.run.journal.frontend().stopped() {
            return Err(Stop::Person);
        }
        observed.ok_or_else(|| io::Error::other(format!("`{text}` had no socket to act on")).into())
    }

    /// Does a step that has to succeed; if it does not, what can be done about it is told.
    fn step(&mut self, telling: Telling, text: &str) -> Result<Observed> {
        let observed = self.attempt(telling, text)?;
        if self.advise(&observed) { Err(Stop::Failed) } else { Ok(observed) }
    }

    /// Tells what an error of the last call means and what to do next. True if there was one.
    fn advise(&mut self, observed: &Observed) -> bool {
        match observed {
            Observed::Failed(errno, words) => {
                let advice = advice::on(self.called, errno, self.about, self.counterpart);
                self.say(&advice.unwrap_or_else(|| format!("**{errno}**: {words}.")));
                true
            }
            Observed::Invalid(what) => {
                self.say(&advice::invalid(what));
                true
            }
            Observed::Violation(code, what) => {
                self.say(&advice::violation(*code, what));
                true
            }
            _ => false,
        }
    }

    fn say(&mut self, markdown: &str) {
        self.run.narrate(markdown);
    }

    /// Where somebody is to be found, as getaddrinfo(3) says.
    fn resolve(&mut self, to: &str) -> Result<Vec<SocketAddr>> {
        let mut found: Vec<SocketAddr> = match to.to_socket_addrs() {
            Ok(found) => found.collect(),
            Err(error) => {
                self.say(&format!(
                    "No address is known for `{to}`: {error}.{}",
                    match to.rsplit_once(':') {
                        Some((name, _)) if cfg!(target_os = "linux") =>
                            format!(" What the system finds for the name:\n\n```\ngetent ahosts {name}\n```"),
                        _ => String::new(),
                    }
                ));
                return Err(Stop::Failed);
            }
        };
        found.dedup();
        if to.parse::<SocketAddr>().is_err() {
            let all: Vec<String> = found.iter().map(|address| format!("`{address}`")).collect();
            self.say(&format!("`{to}` is {} (getaddrinfo(3)).", all.join(", then ")));
        }
        Ok(found)
    }

    /// Where to bind: one address.
    fn place(&mut self, at: &str, listens: bool) -> Result<SocketAddr> {
        let found = match at.parse() {
            Ok(address) => address,
            // Of a name with several addresses the first is taken.
            Err(_) => *self.resolve(at)?.first().ok_or(Stop::Failed)?,
        };
        exposure(found, listens).iter().for_each(|warning| self.say(warning));
        Ok(found)
    }

    /// Says what can be looked at, and watches the sockets until the person has seen enough.
    fn hold(&mut self, said: &str) -> Result<()> {
        match self.hold {
            HoldUntil::UntilTold => self.say(said),
            HoldUntil::For(Duration::ZERO) => return Ok(()),
            HoldUntil::For(_) => {}
        }
        let began = Instant::now();
        loop {
            if let HoldUntil::For(time) = self.hold
                && began.elapsed() >= time
            {
                return Ok(());
            }
            if let (Input::Line(_) | Input::End, HoldUntil::UntilTold) =
                (self.run.journal.frontend().hear(POLL_INTERVAL), self.hold)
            {
                return Ok(());
            }
            if self.run.journal.frontend().stopped() {
                return Err(Stop::Person);
            }
            self.run.look();
        }
    }

    /// What ends a hold.
    fn until(&mut self) -> &'static str {
        if self.run.journal.frontend().has_keyboard() {
            "you press **Enter**"
        } else {
            "**Ctrl-C** (SIGINT or SIGTERM)"
        }
    }

    /// Looks until nothing changes any more, for at most so long.
    fn settle(&mut self, most: Duration) {
        let began = Instant::now();
        let mut still = 0;
        while still < 3 && began.elapsed() < most {
            std::thread::park_timeout(Duration::from_millis(20));
            still = if self.run.look() { 0 } else { still + 1 };
        }
    }

    /// Closes what is open, so that it is seen what the kernel does with it.
    fn close_all(&mut self) -> Result<()> {
        for host in Host::ALL {
            let open = self.run.stage.sockets(host).all();
            for held in open.iter().filter(|held| !held.is_closed()) {
                self.run.look();
                let waiting = self.run.snapshot.find(host, &held.name).and_then(|socket| socket.accept_queue);
                // Whoever wants to leave wants to see this too: it is no reason to stop twice.
                let _ = self.attempt(Telling::Full, &format!("{host}$ close {}", held.name));
                if let Some(waiting) = waiting.filter(|waiting| *waiting > 0) {
                    self.say(&advice::left_in_the_queue(waiting));
                }
            }
        }
        self.settle(SETTLED);
        Ok(())
    }
}

/// Longer lines are cut on the screen; the call has all of it.
const LONGEST_LINE: usize = 200;

/// How long is looked for what the kernel does after a close.
const SETTLED: Duration = Duration::from_millis(300);

/// What an error of a call at this address means and what to do about it; nothing if the system's words are all there is to say.
/// `counterpart` is the command that could be there to be called.
pub fn advice_on(call: &str, errno: &str, at: SocketAddr, counterpart: &str) -> Option<String> {
    advice::on(call, errno, Some(at), counterpart)
}
