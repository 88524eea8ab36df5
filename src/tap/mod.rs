//! Between a real client and a real server: every byte is passed on as it came, and what passes is told.
//!
//! `pair` carries, `tape` keeps what is to be told, within bounds, and the thread that called [`tap`] tells it. No thread that
//! carries ever waits for the one that tells: what does not fit is left out, and that is told.

mod capture;
mod connection;
mod pair;
mod record;
mod tape;
mod telling;

use std::{
    io::{self, Write},
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use thiserror::Error;

pub use pair::{Cut, End};
pub use tape::Sum;

use crate::{
    server::{self, AcceptError, ListenError, Listener, Notice, Registry},
    view::Tapped,
};
use capture::Capture;
use connection::{Entry, Shared};
use record::Record;
use tape::{Pen, Tape};
use telling::Teller;

/// What is tapped, and what is kept of it.
pub struct Wanted {
    /// Where clients call.
    pub listen: String,
    /// The server that they mean.
    pub target: String,
    /// The most connections at once.
    pub connections: usize,
    /// Of each connection only its end is told.
    pub quiet: bool,
    /// Where everything is written as JSON Lines.
    pub trace: Option<Box<dyn Write>>,
    /// Where it is written as pcapng.
    pub capture: Option<Box<dyn Write>>,
}

/// Who is told, and says when it is enough.
pub trait Onlooker {
    /// Prose, in Markdown.
    fn say(&mut self, text: &str);
    /// What passed.
    fn show(&mut self, all: &[Tapped]);
    /// Whether the tap is to end.
    fn stopped(&mut self) -> bool;
}

/// Why a tap can't be.
#[derive(Debug, Error)]
pub enum Fault {
    /// A name that nobody knows.
    #[error("no address is known for {0}: {1}")]
    Unknown(String, io::Error),
    /// The address can't be listened at; the advice has been shown.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The tap would call itself.
    #[error("{0} is where the tap listens itself: it would call itself without end")]
    Itself(SocketAddr),
    /// No more connections can be accepted.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A file of the run.
    #[error("the {what} is not whole, its file can't be written: {error}")]
    File {
        /// Which.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// A thread.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
}

/// Something that happened on a connection.
enum News {
    /// A client was accepted; the tap's own address, and what writes of it.
    Accepted { client: SocketAddr, local: Option<SocketAddr>, pen: Arc<Pen> },
    /// The target was called, and answered.
    Connected { target: SocketAddr, local: Option<SocketAddr>, time: Duration },
    /// It did not.
    NotConnected { target: SocketAddr, errno: String, words: String, time: Duration },
    /// A read from this end gave `length` bytes, the `number`th from 0, and `offset` bytes had come before; of them these were kept.
    Read { from: End, number: u64, offset: u64, length: usize, bytes: Vec<u8> },
    /// What this end sent was not taken by the other for so long.
    Waited { from: End, time: Duration },
    /// The stream from this end is over, and the other was told by a `shutdown`.
    Ended { from: End },
    /// Both connections are closed.
    Gone { cut: Option<Cut>, sums: [Sum; 2] },
}

/// Longest time that the main loop waits for an event before it looks at anything else.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Events rendered between two checks of the shutdown flag.
const BATCH: usize = 256;

/// Taps until the onlooker has seen enough.
///
/// # Errors
/// If it can't begin, or can't go on.
pub fn tap(wanted: Wanted, onlooker: &mut dyn Onlooker) -> Result<(), Fault> {
    let at = resolve(&wanted.listen)?;
    let target = resolve(&wanted.target)?;
    // Of a name with several addresses the first is taken.
    let listener = listen(at[0], onlooker)?;
    let at = listener.address();
    if let Some(own) = target.iter().find(|address| is_itself(at, **address)) {
        return Err(Fault::Itself(*own));
    }
    let (limit, warning) = server::listener::connection_limit(wanted.connections, 2);
    warning.iter().for_each(|warning| onlooker.say(warning));
    let began = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let records = wanted.trace.is_some() || wanted.capture.is_some();
    let tape = Arc::new(Tape::new(began, records || !wanted.quiet, records));
    let shared = Shared { target: target.clone(), tape: Arc::clone(&tape), registry: Registry::new(limit) };
    let shared = Arc::new(shared);
    let mut desk = Desk {
        teller: Teller::new(wanted.quiet),
        record: wanted.trace.map(|out| Record::new(out, at, &wanted.target, started)),
        capture: wanted.capture.map(|out| Capture::new(out, at, &wanted.target, started)),
    };
    onlooker.say(&welcome(at, &wanted.target, &target));
    let (notices, pending) = mpsc::channel::<Notice>();
    let own = Arc::clone(&shared);
    let acceptor = thread::Builder::new().name("acceptor".to_owned());
    let acceptor = acceptor
        .spawn(move || {
            let serve = |(client, address)| own.start(client, address);
            let notify = |notice| drop(notices.send(notice));
            server::accept_all(&own.registry, || listener.accept(), serve, notify)
        })
        .map_err(Fault::Thread)?;
    while !onlooker.stopped() && !acceptor.is_finished() && desk.failure().is_none() {
        desk.tell(&tape, onlooker);
        pending.try_iter().for_each(|notice| onlooker.say(&notice.to_string()));
    }
    shared.stop();
    server::drain(&shared.registry, || desk.tell(&tape, onlooker), || shared.cut());
    let outcome = acceptor.join().unwrap_or(Ok(()));
    desk.finish(&tape, onlooker);
    onlooker.say(&summary(&shared.registry, &tape, &desk.teller));
    outcome?;
    desk.failure().map_or(Ok(()), |(what, error)| Err(Fault::File { what, error }))
}

/// Whoever reads the tape.
struct Desk {
    teller: Teller,
    record: Option<Record>,
    capture: Option<Capture>,
}

impl Desk {
    /// Tells what waits on the tape, or comes within a glance.
    fn tell(&mut self, tape: &Tape, onlooker: &mut dyn Onlooker) {
        let mut told = Vec::new();
        for entry in tape.take(POLL_INTERVAL) {
            if let Some(record) = &mut self.record {
                record.take(&entry);
            }
            if let Some(capture) = &mut self.capture {
                capture.take(&entry);
            }
            self.teller.take(&entry, &mut told);
            if told.len() >= BATCH {
                onlooker.show(&told);
                told.clear();
                // Who wants to leave does not wait for all that is left: it is counted, and not told.
                if onlooker.stopped() {
                    self.teller.hush();
                }
            }
        }
        onlooker.show(&told);
        if let Some(record) = &mut self.record {
            record.flush();
        }
        if let Some(capture) = &mut self.capture {
            capture.flush();
        }
    }

    /// Tells the rest, and writes the files to their end.
    fn finish(&mut self, tape: &Tape, onlooker: &mut dyn Onlooker) {
        self.tell(tape, onlooker);
        if let Some(record) = &mut self.record {
            record.finish(tape.untold());
        }
    }

    /// What has gone wrong with a file. That its reader went away is no error, but an end.
    fn failure(&self) -> Option<(&'static str, io::Error)> {
        let record = self.record.as_ref().and_then(Record::failed);
        let capture = self.capture.as_ref().and_then(Capture::failed);
        record.map(|error| ("trace", error)).or(capture.map(|error| ("capture", error)))
    }
}

fn resolve(place: &str) -> Result<Vec<SocketAddr>, Fault> {
    let unknown = |error| Fault::Unknown(place.to_owned(), error);
    let mut found: Vec<SocketAddr> = place.to_socket_addrs().map_err(unknown)?.collect();
    found.dedup();
    if found.is_empty() {
        return Err(unknown(io::ErrorKind::NotFound.into()));
    }
    Ok(found)
}

/// Whether a call to this address comes back to the tap.
fn is_itself(listens: SocketAddr, target: SocketAddr) -> bool {
    let everywhere = listens.ip().is_unspecified() && target.ip().is_loopback();
    listens.port() == target.port() && (listens.ip() == target.ip() || everywhere)
}

fn listen(at: SocketAddr, onlooker: &mut dyn Onlooker) -> Result<Listener, ListenError> {
    server::listener::exposure(at, true).iter().for_each(|warning| onlooker.say(warning));
    let listener = Listener::bind(at);
    if let Some(advice) = listener.as_ref().err().and_then(ListenError::advice) {
        onlooker.say(&advice);
    }
    listener
}

fn welcome(at: SocketAddr, target: &str, addresses: &[SocketAddr]) -> String {
    let found: Vec<String> = addresses.iter().map(|address| format!("`{address}`")).collect();
    let found = if target.parse::<SocketAddr>().is_ok() {
        String::new()
    } else {
        format!(" (which is {})", found.join(", then "))
    };
    format!(
        "The tap listens at `{at}`, and passes every byte on to `{target}`{found} and back, as it came. Let a client call `{at}` instead of the server. Ctrl-C ends it."
    )
}

fn summary(registry: &Registry<Entry>, tape: &Tape, teller: &Teller) -> String {
    let Some(connections) = registry.summary() else { return "Nobody called.".to_owned() };
    let mut text = format!("{connections}. {}", teller.summary());
    if tape.untold() > 0 {
        text += &format!(
            " Of {} connections nothing was told: more happened than the terminal could take. Their bytes were passed on all the same.",
            tape.untold()
        );
    }
    text
}
