//! Live runs: the same calls on the machine itself, where the other side is any program.
//!
//! A command becomes steps in the notation of lessons, which the same run performs and narrates. Steps that
//! only prepare the command are narrated in a line each. No call has a deadline unless its step sets one: the
//! user ends it with Ctrl-C.

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

/// What a live run does.
#[derive(Debug, Clone)]
pub enum LiveCommand {
    /// Create a socket of this protocol and hold it: `tcp`, `udp`, `tcp6`, `udp6`.
    Socket(&'static str),
    /// Bind a socket to an address and hold it.
    Bind {
        /// The address to bind to.
        at: String,
        /// Whether the socket is UDP instead of TCP.
        udp: bool,
    },
    /// Listen, and accept no connection.
    Listen {
        /// The address to listen at.
        at: String,
        /// The backlog.
        backlog: u16,
    },
    /// Connect to a server and hold the connection.
    Connect {
        /// The server, as `host:port`.
        to: String,
    },
    /// Connect, send, and show what the server answers.
    Send {
        /// The server, as `host:port`.
        to: String,
        /// The bytes to send.
        bytes: Vec<u8>,
        /// Longest wait for further bytes. When it expires, the command ends.
        wait: Duration,
    },
    /// Accept one connection, and show what each `recv` returns.
    Recv {
        /// The address to listen at.
        at: String,
        /// Buffer size of each `recv`, in bytes.
        size: u32,
    },
    /// Connect and end the connection.
    Close {
        /// The server, as `host:port`.
        to: String,
        /// How to end the connection.
        how: Ending,
    },
    /// Upgrade a connection to a WebSocket.
    WebSocket {
        /// Host and port of the server: `127.0.0.1:8000`.
        to: String,
        /// The value of the header field `Host`, as in the URL.
        authority: String,
        /// The path, with its query.
        path: String,
        /// The value of the header field `Origin`, as a browser sends it.
        origin: Option<String>,
        /// Text messages to send first.
        texts: Vec<String>,
        /// Longest wait for a message once the input has ended. When it expires, the WebSocket is closed.
        wait: Duration,
    },
}

/// How a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `close`: sends a FIN, and nothing more is received.
    Fin,
    /// `shutdown(SHUT_WR)`: sends a FIN, and the peer's remaining bytes are received.
    Half,
    /// `SO_LINGER` of 0 seconds and `close`: sends a RST.
    Reset,
}

/// How long a socket is held so that it can be examined from a second terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldUntil {
    /// Until Enter or Ctrl-C.
    UntilTold,
    /// For this time, or until Ctrl-C.
    For(Duration),
}

/// Performs the command and narrates it. Returns whether it succeeded.
///
/// # Errors
/// If the stage fails. A failed call is not an error here: it is narrated.
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
    /// Returns the name of the command, and a title that says what it is about.
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

/// Why a live run ends early.
enum Stop {
    /// The stage failed, which has nothing to do with the other side.
    Stage(io::Error),
    /// A call failed, and its error was narrated.
    Failed,
    /// The user ended it.
    Person,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Stage(error)
    }
}

type Result<T, E = Stop> = std::result::Result<T, E>;

/// State of a live run.
struct Live<'a> {
    run: Run<'a>,
    hold: HoldUntil,
    /// The name of the call of the last step.
    called: &'static str,
    /// The address that the command is about, once it is known.
    about: Option<SocketAddr>,
    /// The command that serves the port that this one connects to.
    counterpart: &'static str,
    /// Whether our Close has been sent at the end of the input.
    said_goodbye: bool,
}

/// Whether a step is narrated in full, or in one line because it only prepares the command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Full,
    Brief,
}

impl<'a> Live<'a> {
    fn new(run: Run<'a>, hold: HoldUntil) -> Live<'a> {
        Live { run, hold, called: "", about: None, counterpart: "accept", said_goodbye: false }
    }

    /// Closes the open sockets and writes the end. Returns whether the run succeeded.
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

    /// Performs a step in the notation of lessons. Returns its outcome, whether the call succeeded or failed.
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

    /// Performs a step that has to succeed. If the call fails, narrates advice and fails with `Stop::Failed`.
    fn step(&mut self, telling: Telling, text: &str) -> Result<Observed> {
        let observed = self.attempt(telling, text)?;
        if self.advise(&observed) { Err(Stop::Failed) } else { Ok(observed) }
    }

    /// Narrates what an error of the last call means and what to do next. Returns whether there was an error.
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

    /// Resolves `host:port` to its addresses. Corresponds to `getaddrinfo(3)`.
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

    /// Resolves the address to bind to.
    fn place(&mut self, at: &str, listens: bool) -> Result<SocketAddr> {
        let found = match at.parse() {
            Ok(address) => address,
            // Of several addresses, the first is used.
            Err(_) => *self.resolve(at)?.first().ok_or(Stop::Failed)?,
        };
        exposure(found, listens).iter().for_each(|warning| self.say(warning));
        Ok(found)
    }

    /// Narrates how to examine the socket, and observes the sockets until the hold ends.
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

    /// Returns the text that says what ends a hold.
    fn until(&mut self) -> &'static str {
        if self.run.journal.frontend().has_keyboard() {
            "you press **Enter**"
        } else {
            "**Ctrl-C** (SIGINT or SIGTERM)"
        }
    }

    /// Observes the sockets until three observations in a row show no change, for at most `most`.
    fn settle(&mut self, most: Duration) {
        let began = Instant::now();
        let mut still = 0;
        while still < 3 && began.elapsed() < most {
            std::thread::park_timeout(Duration::from_millis(20));
            still = if self.run.look() { 0 } else { still + 1 };
        }
    }

    /// Closes the open sockets, so that the kernel's reaction is shown.
    fn close_all(&mut self) -> Result<()> {
        for host in Host::ALL {
            let open = self.run.stage.sockets(host).all();
            for held in open.iter().filter(|held| !held.is_closed()) {
                self.run.look();
                let waiting = self.run.snapshot.find(host, &held.name).and_then(|socket| socket.accept_queue);
                // The run is ending in any case, so a second stop changes nothing.
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

/// Longest text of a step on the screen, in characters. The rest is cut; the call itself gets all of it.
const LONGEST_LINE: usize = 200;

/// Longest observation of what the kernel does after a close.
const SETTLED: Duration = Duration::from_millis(300);

/// Returns what an error of a call at this address means and what to do about it, in Markdown; `None` if the
/// system's text says all.
/// `counterpart` is the command that could serve that address.
pub fn advice_on(call: &str, errno: &str, at: SocketAddr, counterpart: &str) -> Option<String> {
    advice::on(call, errno, Some(at), counterpart)
}
