//! A class: a server for many at once, a thread for each connection, all told in one narration.
//!
//! The threads of the connections make the calls, and hand what they did to the one that tells it. So a slow terminal slows
//! nobody's call that is being timed; and when too much waits to be told, everybody waits for it, so that nothing is lost.

mod connection;
mod door;
mod room;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{Hold, Live, Result, Stop, Telling, advice};
use crate::{
    call::Piece,
    event::{self, Host, What},
    kernel,
    run::{Audience, Run, act::GLANCE},
    stage::{Stage, WorkerThread, raise_descriptor_limit},
};
use room::{Report, Room};

/// What a class is served, and within which limits.
#[derive(Debug, Clone)]
pub struct Class {
    /// Where.
    pub at: String,
    /// What.
    pub service: Service,
    /// So many connections at once; whoever calls beyond that waits in the accept queue.
    pub connections: usize,
    /// A connection on which nothing has moved for so long is ended.
    pub idle: Duration,
    /// A connection that has sent more than so many bytes is ended.
    pub bytes: u64,
    /// The largest WebSocket message, in bytes.
    pub message: u64,
    /// Whose calls are told.
    pub tell: Tell,
}

/// What is done with what comes.
#[derive(Debug, Clone)]
pub enum Service {
    /// It is sent back.
    Echo,
    /// The connection is upgraded, and messages are sent back; a browser that asks for no upgrade gets a page.
    WebSocket {
        /// Origins to let in besides the page's own.
        origins: Vec<String>,
        /// Let in pages of any origin.
        any_origin: bool,
    },
}

/// Whose calls are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// Everybody's.
    All,
    /// This connection's, counted from 1.
    Only(u32),
    /// Nobody's: only who is connected is kept.
    Nobody,
}

/// Reports that may wait to be told.
const WAITING: usize = 8192;

/// So many are told before anything else is looked at: who wants to leave is not to wait for all of them.
const AT_ONCE: usize = 32;

/// How often the table of who is connected is drawn.
const REDRAW: Duration = Duration::from_millis(250);

/// Somebody who is told that the server ends gets so long to say goodbye.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Connections that may wait to be accepted; the kernel cuts this to `net.core.somaxconn`.
const BACKLOG: u16 = 4096;

/// Descriptors that are kept for other things than connections.
const SPARE: usize = 32;

/// Serves until the person ends it. True if all went well.
///
/// # Errors
/// If the stage fails.
pub fn serve(class: &Class, audience: &mut dyn Audience) -> io::Result<bool> {
    let run = Run::new(Stage::live()?, audience);
    let mut live = Live::new(run, Hold::UntilTold);
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
        let class = Class { connections: self.seats(class.connections), ..class.clone() };
        self.say(&advice::welcome(at, &class));
        let Some(listener) = self.run.stage.desk(Host::Server).find("s") else { return Err(Stop::Failed) };
        let (reports, told) = mpsc::sync_channel(WAITING);
        let room = Arc::new(Room::new(class, reports));
        let inside = Arc::clone(&room);
        let door = WorkerThread::spawn("server".to_owned(), move |doing| {
            door::accept_all(&inside, &listener, doing)
        })?;
        let outcome = self.watch(&room, &told);
        self.send_home(&room, &door, &told);
        self.say(&room.summary());
        outcome
    }

    /// As many connections as were asked for, if the process may have so many descriptors.
    fn seats(&mut self, wanted: usize) -> usize {
        let most = raise_descriptor_limit().saturating_sub(SPARE).max(1);
        if wanted > most {
            self.say(&format!(
                "This process may have {} descriptors, so it takes {most} connections at once and not {wanted}; `ulimit -n` shows and raises the limit.",
                most + SPARE
            ));
        }
        wanted.min(most)
    }

    /// Tells what the connections do, until the person has seen enough.
    fn watch(&mut self, room: &Room, told: &Receiver<Report>) -> Result<()> {
        let mut drawn = Instant::now();
        loop {
            match told.recv_timeout(GLANCE) {
                Ok(report) => {
                    self.tell(report)?;
                    // What waits is told before anything else is looked at; who wants to leave is heard all the same.
                    for report in told.try_iter().take(AT_ONCE) {
                        self.tell(report)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.run.journal.audience().settled(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if self.run.journal.audience().stopped() {
                return Err(Stop::Person);
            }
            if drawn.elapsed() >= REDRAW {
                self.draw(room);
                drawn = Instant::now();
            }
        }
    }

    fn tell(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Piece(piece) => self.run.journal.write_piece(Host::Server, None, &piece, Instant::now()),
            Report::Peer(peer, at) => self.run.journal.write_at(at, What::Peer(peer)),
            Report::Say(text) => self.say(&text),
            Report::Broken(text) => {
                self.say(&text);
                return Err(Stop::Failed);
            }
        }
        Ok(())
    }

    /// Shows who is connected, to whoever wants to see it.
    fn draw(&mut self, room: &Room) {
        if !self.run.journal.audience().wants_table() {
            return;
        }
        let peers = room.table(|held| kernel::observe(held.socket(), true).state.map(str::to_owned));
        self.run.journal.audience().table(&peers);
    }

    /// Nobody is let in any more, and whoever is there is told goodbye. What they still do is told.
    fn send_home(&mut self, room: &Room, door: &WorkerThread, told: &Receiver<Report>) {
        room.close();
        door.stop();
        let began = Instant::now();
        let mut cut = false;
        loop {
            let left = room.end_all(door);
            // Whoever goes on talking is not waited for here: there may always be one more.
            for report in told.try_iter().take(AT_ONCE) {
                // A server that is ending does not fail any more.
                let _ = self.tell(report);
            }
            if left == 0 {
                break;
            }
            if began.elapsed() > FAREWELL && !cut {
                cut = true;
                room.cut_off();
            }
            if began.elapsed() > FAREWELL * 4 {
                self.say(&format!("{left} threads did not end."));
                break;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        while let Ok(report) = told.try_recv() {
            let _ = self.tell(report);
        }
        self.draw(room);
    }
}

/// The note of a piece, with the name of the connection that it belongs to.
fn stamped(piece: Piece, name: &str) -> Piece {
    match piece {
        Piece::Note(mut what) => {
            match &mut what {
                What::Upgrade(it) => it.socket = Some(name.to_owned()),
                What::Working(it) => it.socket = Some(name.to_owned()),
                _ => {}
            }
            Piece::Note(what)
        }
        Piece::Call(on, told, mut done) => {
            done.pieces = done.pieces.into_iter().map(|piece| stamped(piece, name)).collect();
            Piece::Call(on, told, done)
        }
    }
}
