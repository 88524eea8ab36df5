//! A proxy between a real client and a real server: every byte is passed on unchanged, and what passes is
//! reported.
//!
//! `pair` carries bytes and puts what it read into `queue`, which is bounded; the thread that called [`tap`]
//! takes it out and makes events of it (`analysis`), which a [`TapFrontend`] shows and records. No thread
//! that carries ever waits for that: what does not fit is dropped, and that is reported.

mod analysis;
mod connection;
mod pair;
mod queue;

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use thiserror::Error;

use crate::{
    event::{self, Close, Command, Event, Host, Run, Shown, Sum, What},
    server::{self, AcceptError, ListenError, Listener, Notice, Registry},
    view::plural,
};
use analysis::{Analysis, micros};
use connection::{Entry, Shared};
use queue::EventQueue;

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
    /// Everything is recorded, and not only shown.
    pub records: bool,
}

/// Shows and records what happens, and says when to stop.
pub trait TapFrontend {
    /// Prose, in Markdown, before there is anything to record.
    fn say(&mut self, text: &str);
    /// Records these events, and shows them.
    fn show(&mut self, events: &[Event]);
    /// Records these events.
    fn record(&mut self, events: &[Event]);
    /// Whether the tap is to end, as a file can't be written.
    fn failed(&self) -> bool;
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
    /// A thread.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
}

/// Something that happened on a connection.
enum News {
    /// A client was accepted; the address that it called.
    Accepted { client: SocketAddr, local: Option<SocketAddr> },
    /// The target was called, and answered.
    Connected { target: SocketAddr, local: Option<SocketAddr>, time: Duration },
    /// It did not.
    NotConnected { target: SocketAddr, errno: String, words: String, time: Duration },
    /// A read from this end gave `length` bytes, the `number`th from 0, and `offset` bytes had come before;
    /// of them these were kept.
    Read { from: Host, number: u64, offset: u64, length: usize, bytes: Vec<u8> },
    /// What this end sent was not taken by the other for so long.
    Waited { from: Host, time: Duration },
    /// The stream from this end is over, and the other was told by a `shutdown`.
    Ended { from: Host },
    /// Both connections are closed.
    Gone { how: Close, sums: [Sum; 2] },
}

/// Longest time that the main loop waits for an event before it looks at anything else.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Events rendered between two checks of the shutdown flag.
const BATCH: usize = 256;

/// Taps until the front end says stop.
///
/// # Errors
/// If it can't begin, or can't go on.
pub fn tap(wanted: &Wanted, frontend: &mut dyn TapFrontend) -> Result<(), Fault> {
    let at = resolve(&wanted.listen)?;
    let target = resolve(&wanted.target)?;
    // Of a name with several addresses the first is taken.
    let listener = listen(at[0], frontend)?;
    let at = listener.address();
    if let Some(own) = target.iter().find(|address| is_itself(at, **address)) {
        return Err(Fault::Itself(*own));
    }
    let (limit, warning) = server::listener::connection_limit(wanted.connections, 2);
    let mut reporter = Reporter {
        began: Instant::now(),
        analysis: Analysis::new(wanted.quiet && !wanted.records),
        muted: false,
        unshown: 0,
        frontend,
    };
    reporter.begin(wanted, at);
    warning.iter().for_each(|warning| reporter.say(warning));
    let queue = EventQueue::new(reporter.began, wanted.records || !wanted.quiet, wanted.records);
    let queue = Arc::new(queue);
    let shared = Shared { target: target.clone(), queue: Arc::clone(&queue), registry: Registry::new(limit) };
    let shared = Arc::new(shared);
    reporter.say(&welcome(at, &wanted.target, &target));
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
    while !reporter.frontend.stopped() && !acceptor.is_finished() && !reporter.frontend.failed() {
        reporter.report(&queue);
        pending.try_iter().for_each(|notice| reporter.say(&notice.to_string()));
    }
    shared.stop();
    server::drain(&shared.registry, || reporter.report(&queue), || shared.cut());
    let outcome = acceptor.join().unwrap_or(Ok(()));
    reporter.report(&queue);
    reporter.end(&shared.registry, &queue);
    Ok(outcome?)
}

/// Takes entries out of the queue, and hands their events to the front end.
struct Reporter<'a> {
    began: Instant,
    analysis: Analysis,
    /// Events are recorded and no more shown: the person wants to leave.
    muted: bool,
    unshown: usize,
    frontend: &'a mut dyn TapFrontend,
}

impl Reporter<'_> {
    fn begin(&mut self, wanted: &Wanted, at: SocketAddr) {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = Run {
            listen: Some(at.to_string()),
            target: Some(wanted.target.clone()),
            started: Some(u64::try_from(started.as_nanos()).unwrap_or(u64::MAX)),
            shown: Shown { quiet: wanted.quiet, ..Shown::default() },
            ..Run::of(Command::Tap)
        };
        self.frontend.show(&[Event { at: 0, what: What::Run(run) }]);
    }

    fn say(&mut self, text: &str) {
        self.tell(What::Narration { markdown: text.to_owned() });
    }

    fn tell(&mut self, what: What) {
        self.frontend.show(&[Event { at: micros(self.began.elapsed()), what }]);
    }

    /// Reports what waits in the queue, or arrives within an interval.
    fn report(&mut self, queue: &EventQueue) {
        let mut events = Vec::new();
        for entry in queue.take(POLL_INTERVAL) {
            self.analysis.take(entry, &mut events);
            if events.len() >= BATCH {
                self.hand_over(&mut events);
                // A person who wants to leave does not wait for all that is left: it is counted, and not
                // shown.
                self.muted |= self.frontend.stopped();
            }
        }
        self.hand_over(&mut events);
    }

    fn hand_over(&mut self, events: &mut Vec<Event>) {
        if self.muted {
            self.unshown += events.len();
            self.frontend.record(events);
        } else {
            self.frontend.show(events);
        }
        events.clear();
    }

    /// The summary.
    fn end(&mut self, registry: &Registry<Entry>, queue: &EventQueue) {
        let mut text = match registry.summary() {
            Some(connections) => format!("{connections}. {}", self.analysis.summary()),
            None => "Nobody called.".to_owned(),
        };
        if self.unshown > 0 {
            text += &format!(
                " {} that waited when the end was asked for were not shown.",
                plural(self.unshown, "event")
            );
        }
        if queue.unreported() > 0 {
            text += &format!(
                " Of {} connections nothing was told: more happened than the terminal could take. Their bytes were passed on all the same.",
                queue.unreported()
            );
        }
        self.say(&text);
        self.tell(What::End(event::End::default()));
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

fn listen(at: SocketAddr, frontend: &mut dyn TapFrontend) -> Result<Listener, ListenError> {
    server::listener::exposure(at, true).iter().for_each(|warning| frontend.say(warning));
    let listener = Listener::bind(at);
    if let Some(advice) = listener.as_ref().err().and_then(ListenError::advice) {
        frontend.say(&advice);
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
