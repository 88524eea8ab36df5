//! Between a real client and a real server: every byte is passed on as it came, and what passes is told.
//!
//! `pair` carries, `tape` keeps what is to be told, within bounds, and the thread that called [`tap`] tells it. No thread that
//! carries ever waits for the one that tells: what does not fit is left out, and that is told.

mod capture;
mod door;
mod pair;
mod record;
mod tape;
mod telling;

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

pub use pair::{Cut, End};
pub use tape::Sum;

use crate::{call::errno_name, run, stage::raise_descriptor_limit, view::Tapped};
use capture::Capture;
use door::Room;
use record::Record;
use tape::{Pen, Tape};
use telling::Teller;

/// What is tapped, and what is kept of it.
pub struct Wanted {
    /// Where clients call.
    pub listen: String,
    /// The server that they mean.
    pub target: String,
    /// So many connections at once.
    pub limit: usize,
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
    /// The address can't be listened at; what can be done about it has been said.
    #[error("can't listen at {at}: {error}")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// What the kernel said.
        error: io::Error,
    },
    /// The tap would call itself.
    #[error("{0} is where the tap listens itself: it would call itself without end")]
    Itself(SocketAddr),
    /// Nobody more can be accepted.
    #[error("accept failed, and nobody more can come: {0}")]
    Accept(io::Error),
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

/// How long nothing is looked at but the tape.
const GLANCE: Duration = Duration::from_millis(100);

/// When the tap ends, so long is waited for those who do not take what is left; then they are reset.
const FAREWELL: Duration = Duration::from_millis(1500);

/// So much is told before it is looked whether the tap is to end.
const AT_ONCE: usize = 256;

/// Descriptors that are kept for other things than connections, of which each has two.
const SPARE: usize = 32;

/// Connections that may wait to be accepted; the kernel cuts this to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Taps until the onlooker has seen enough.
///
/// # Errors
/// If it can't begin, or can't go on.
pub fn tap(mut wanted: Wanted, onlooker: &mut dyn Onlooker) -> Result<(), Fault> {
    let at = resolve(&wanted.listen)?;
    let target = resolve(&wanted.target)?;
    let listener = listen(&at, onlooker)?;
    let at = listener.local_addr().map_err(|error| Fault::Listen { at: at[0], error })?;
    if let Some(own) = target.iter().find(|address| is_itself(at, **address)) {
        return Err(Fault::Itself(*own));
    }
    wanted.limit = seats(wanted.limit, onlooker);
    let began = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let records = wanted.trace.is_some() || wanted.capture.is_some();
    let tape = Arc::new(Tape::new(began, records || !wanted.quiet, records));
    let room = Arc::new(Room::new(target.clone(), wanted.limit, Arc::clone(&tape)));
    let mut desk = Desk {
        teller: Teller::new(wanted.quiet),
        record: wanted.trace.map(|out| Record::new(out, at, &wanted.target, started)),
        capture: wanted.capture.map(|out| Capture::new(out, at, &wanted.target, started)),
    };
    onlooker.say(&welcome(at, &wanted.target, &target));
    let (to, said) = mpsc::channel();
    let inside = Arc::clone(&room);
    let door = thread::Builder::new().name("tap".to_owned());
    let door = door
        .spawn(move || {
            door::accept_all(&inside, &listener, |text| {
                let _ = to.send(text.to_owned());
            })
        })
        .map_err(Fault::Thread)?;
    while !onlooker.stopped() && !door.is_finished() && desk.failure().is_none() {
        desk.tell(&tape, onlooker);
        said.try_iter().for_each(|text| onlooker.say(&text));
    }
    room.stop();
    let ended = Instant::now();
    while room.left() > 0 && ended.elapsed() < 2 * FAREWELL {
        desk.tell(&tape, onlooker);
        if ended.elapsed() > FAREWELL {
            room.give_up();
        }
    }
    let outcome = door.join().unwrap_or(Ok(()));
    desk.finish(&tape, onlooker);
    onlooker.say(&summary(&room, &tape, &desk.teller));
    outcome.map_err(Fault::Accept)?;
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
        for entry in tape.take(GLANCE) {
            if let Some(record) = &mut self.record {
                record.take(&entry);
            }
            if let Some(capture) = &mut self.capture {
                capture.take(&entry);
            }
            self.teller.take(&entry, &mut told);
            if told.len() >= AT_ONCE {
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

fn listen(at: &[SocketAddr], onlooker: &mut dyn Onlooker) -> Result<TcpListener, Fault> {
    // Of a name with several addresses the first is taken.
    let at = at[0];
    if !at.ip().is_loopback() {
        onlooker.say(&run::open_to_the_network(at));
    }
    let listener = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
        // On Windows the option means something else: it would let two programs share the port.
        if cfg!(unix) {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&at.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    listener().map_err(|error| {
        if let Some(advice) = run::advice_on("bind", &errno_name(&error), at, "accept") {
            onlooker.say(&advice);
        }
        Fault::Listen { at, error }
    })
}

/// As many connections as were asked for, if the process may have so many descriptors.
fn seats(wanted: usize, onlooker: &mut dyn Onlooker) -> usize {
    let most = (raise_descriptor_limit().saturating_sub(SPARE) / 2).max(1);
    if wanted > most {
        onlooker.say(&format!(
            "This process may have {} descriptors, and a connection takes two: so it takes {most} connections at once and not {wanted}; `ulimit -n` shows and raises the limit.",
            most * 2 + SPARE
        ));
    }
    wanted.min(most)
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

fn summary(room: &Room, tape: &Tape, teller: &Teller) -> String {
    let (came, most) = room.came();
    if came == 0 {
        return "Nobody called.".to_owned();
    }
    let mut text = format!(
        "{came} connection{}, at most {most} at once. {}",
        if came == 1 { "" } else { "s" },
        teller.summary()
    );
    if tape.untold() > 0 {
        text += &format!(
            " Of {} connections nothing was told: more happened than the terminal could take. Their bytes were passed on all the same.",
            tape.untold()
        );
    }
    text
}
