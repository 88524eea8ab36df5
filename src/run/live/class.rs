//! A class: a server for many peers at once, with one thread for each connection and one narration for all.
//!
//! The threads of the connections make the calls and report them to the main thread, which narrates. A slow
//! terminal does not delay a call while it is timed. When `MAX_REPORTS` reports wait, the connections block,
//! so that no report is lost.

mod connection;
mod server;

use std::{
    io,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{HoldUntil, Live, Result, Stop, Telling, advice};
use crate::{
    call::{CallPart, SocketEntry},
    event::{self, Host, What},
    kernel,
    run::{Frontend, Run},
    server::{
        self as core, AcceptError,
        listener::{BACKLOG, connection_limit},
        origin::OriginPolicy,
    },
    stage::{Stage, WorkerThread},
};
use server::{Report, Server};

/// Configuration of a class.
#[derive(Debug, Clone)]
pub struct Class {
    /// The address to listen at.
    pub at: String,
    /// The service.
    pub service: Service,
    /// Most connections at once. Further ones wait in the accept queue.
    pub connections: usize,
    /// Longest time in which nothing moves on a connection. Then it is ended.
    pub idle: Duration,
    /// Most bytes received on a connection. Then it is ended.
    pub bytes: u64,
    /// Whose calls are narrated.
    pub tell: Verbosity,
}

/// What the server does with the received bytes.
#[derive(Debug, Clone)]
pub enum Service {
    /// They are sent back.
    Echo,
    /// The connection is upgraded, and messages are sent back. A browser that requests no upgrade gets a
    /// page.
    WebSocket {
        /// The origins of the pages that may connect.
        origins: OriginPolicy,
        /// The largest message, in bytes. A larger one is answered with Close 1009.
        message: u64,
    },
}

/// Which connections are narrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// All connections.
    All,
    /// Only the connection of this number, counted from 1.
    Only(u32),
    /// No connection: only the table of connections is shown.
    Nobody,
}

/// Reports that can wait for their narration. A thread that reports one more blocks.
const MAX_REPORTS: usize = 8192;

/// Reports narrated between two checks of the shutdown flag.
const BATCH: usize = 32;

/// Longest time that the main loop waits for a report before it looks at anything else.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Interval at which the table of connections is drawn.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);

/// Serves until the user ends it. Returns whether it succeeded.
///
/// # Errors
/// If the stage fails.
pub fn serve(class: &Class, frontend: &mut dyn Frontend) -> io::Result<bool> {
    let run = Run::new(Stage::live()?, frontend);
    let mut live = Live::new(run, HoldUntil::UntilTold);
    let name = match class.service {
        Service::Echo => "accept",
        Service::WebSocket { .. } => "websocket",
    };
    live.run.open(event::Lesson { name: name.to_owned(), title: class.at.clone(), ..live.run.here() });
    let outcome = live.serve(class);
    live.finish(outcome)
}

impl Live<'_> {
    fn serve(&mut self, class: &Class) -> Result<()> {
        let at = self.listener(&class.at)?;
        self.step(Telling::Brief, &format!("server$ listen s {BACKLOG}"))?;
        let at = self.bound(at);
        let (connections, warning) = connection_limit(class.connections, 1);
        warning.iter().for_each(|warning| self.say(warning));
        let class = Class { connections, ..class.clone() };
        self.say(&advice::welcome(at, &class));
        let Some(listener) = self.run.stage.sockets(Host::Server).find("s") else { return Err(Stop::Failed) };
        let (sender, reports) = mpsc::sync_channel(MAX_REPORTS);
        let server = Arc::new(Server::new(class, sender));
        let accepting = Arc::new(Accepting::default());
        let (own, outcome) = (Arc::clone(&server), Arc::clone(&accepting));
        let acceptor = WorkerThread::spawn("server".to_owned(), move |_| outcome.run(&own, &listener))?;
        let watched = self.watch(&server, &reports, &accepting);
        self.shut_down(&server, &acceptor, &reports);
        self.say(&server.summary());
        watched
    }

    /// Narrates the reports of the connections, until the user ends the server or no more connections can be
    /// accepted.
    fn watch(&mut self, server: &Server, reports: &Receiver<Report>, accepting: &Accepting) -> Result<()> {
        let mut drawn = Instant::now();
        loop {
            match reports.recv_timeout(POLL_INTERVAL) {
                Ok(report) => {
                    self.tell(report);
                    reports.try_iter().take(BATCH).for_each(|report| self.tell(report));
                }
                Err(RecvTimeoutError::Timeout) => self.run.journal.frontend().settled(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if let Some(error) = accepting.failure() {
                self.say(&format!("{error}."));
                return Err(Stop::Failed);
            }
            if self.run.journal.frontend().stopped() {
                return Err(Stop::Person);
            }
            if drawn.elapsed() >= REDRAW_INTERVAL {
                self.draw(server);
                drawn = Instant::now();
            }
        }
    }

    fn tell(&mut self, report: Report) {
        match report {
            Report::Piece(piece) => self.run.journal.write_piece(Host::Server, None, &piece, Instant::now()),
            Report::Peer(peer, at) => self.run.journal.write_at(at, What::Peer(peer)),
            Report::Say(text) => self.say(&text),
        }
    }

    /// Shows the table of connections, if the frontend wants it.
    fn draw(&mut self, server: &Server) {
        if !self.run.journal.frontend().wants_table() {
            return;
        }
        let peers = server.table(|held| kernel::observe(held.socket(), true).state.map(str::to_owned));
        self.run.journal.frontend().table(&peers);
    }

    /// Stops accepting, and ends the open connections. Their last reports are narrated.
    fn shut_down(&mut self, server: &Server, acceptor: &WorkerThread, reports: &Receiver<Report>) {
        server.registry.stop();
        let progress = || {
            acceptor.stop();
            server.stop_all();
            // At most one batch: a connection that keeps reporting must not delay the shutdown.
            reports.try_iter().take(BATCH).for_each(|report| self.tell(report));
        };
        let remaining = core::drain(&server.registry, progress, || server.cut_all());
        if remaining > 0 {
            self.say(&format!("{remaining} threads did not end."));
        }
        while let Ok(report) = reports.try_recv() {
            self.tell(report);
        }
        self.draw(server);
    }
}

/// The accept loop, and the error that ended it.
#[derive(Default)]
struct Accepting(Mutex<Option<AcceptError>>);

impl Accepting {
    /// Accepts connections on a listener of the stage. The calls are narrated, so they block, and a signal
    /// ends them.
    fn run(&self, server: &Arc<Server>, listener: &SocketEntry) {
        let accept = || {
            let (piece, outcome) = CallPart::accept(listener, &format!("c{}", server.registry.next_number()));
            outcome.map(|(held, peer)| Some((piece, held, peer)))
        };
        let outcome = core::accept_all(
            &server.registry,
            accept,
            |(piece, held, peer)| server.start(piece, held, peer),
            |notice| server.report(Report::Say(notice.to_string())),
        );
        *crate::sync::lock(&self.0) = outcome.err();
    }

    fn failure(&self) -> Option<AcceptError> {
        crate::sync::lock(&self.0).take()
    }
}

/// Sets the name of the connection in the notes of a piece.
fn stamped(piece: CallPart, name: &str) -> CallPart {
    match piece {
        CallPart::Note(mut what) => {
            match &mut what {
                What::Upgrade(it) => it.socket = Some(name.to_owned()),
                What::Working(it) => it.socket = Some(name.to_owned()),
                _ => {}
            }
            CallPart::Note(what)
        }
        CallPart::Call(on, told, mut done) => {
            done.parts = done.parts.into_iter().map(|piece| stamped(piece, name)).collect();
            CallPart::Call(on, told, done)
        }
    }
}
