//! `sockwalk serve`: a door that accepts, a thread for each who comes, and the main thread, which tells.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, mpsc::Receiver},
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use super::{Ends, Onlooker, Server};
use crate::{
    call::errno_name,
    transport::line::{
        Fault, Happened, Line, News, Reporter,
        room::{Room, Terms},
    },
};

/// How long nothing is looked at but the news.
const GLANCE: Duration = Duration::from_millis(100);

/// When the server ends, everybody has so long to say goodbye; then they are cut off.
const FAREWELL: Duration = Duration::from_millis(1500);

/// So many news are told in one go.
const AT_ONCE: usize = 256;

/// Connections that may wait to be accepted; the kernel cuts this to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How long one waits for descriptors or memory to become free.
const SHORTAGE: Duration = Duration::from_secs(1);

/// What is served, and where.
#[derive(Debug)]
pub struct Serve {
    /// Of which transport.
    pub ends: &'static Ends,
    /// Where.
    pub at: SocketAddr,
    /// How.
    pub terms: Terms,
    /// It ends by itself after so long.
    pub time: Option<Duration>,
    /// Tells what happens.
    pub news: Reporter,
}

/// Why nothing can be served.
#[derive(Debug, Error)]
pub enum NotServed {
    /// The address can't be listened at, or bound to.
    #[error("can't listen at {at}: {error}")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// What the kernel said.
        error: io::Error,
    },
    /// The transport can't be served so.
    #[error("{0}")]
    Transport(Fault),
    /// A thread.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
    /// Nobody more can be accepted.
    #[error("accept failed, and nobody more can come: {0}")]
    Accept(io::Error),
}

/// Serves until the onlooker has seen enough. `ready` is called once with the address at which it listens.
///
/// # Errors
/// If it can't begin, or can't go on.
pub fn serve(
    serve: Serve,
    told: &Receiver<News>,
    onlooker: &mut dyn Onlooker,
    ready: impl FnOnce(SocketAddr, &mut dyn Onlooker),
) -> Result<(), NotServed> {
    let room = Room::new(serve.terms.clone(), serve.news.clone());
    let server = (serve.ends.server)(&room).map_err(NotServed::Transport)?;
    let failed = |error| NotServed::Listen { at: serve.at, error };
    let (open, at) = match server.post() {
        Some(_) => {
            let socket = UdpSocket::bind(serve.at).map_err(failed)?;
            let at = socket.local_addr().map_err(failed)?;
            (Open::ToDatagrams(socket), at)
        }
        None => {
            let listener = listen(serve.at)?;
            let at = listener.local_addr().map_err(failed)?;
            (Open::ToConnections(listener), at)
        }
    };
    let connects = matches!(open, Open::ToConnections(_));
    ready(at, onlooker);
    let began = Instant::now();
    let door = Door { room: Arc::clone(&room), server, news: serve.news.clone() };
    let inside = thread::Builder::new().name("door".to_owned());
    let inside = inside
        .spawn(move || match open {
            Open::ToConnections(listener) => door.accept_all(&listener),
            Open::ToDatagrams(socket) => {
                door.server.post().map_or(Ok(()), |post| post.take_all(&socket, &door.room))
            }
        })
        .map_err(NotServed::Thread)?;
    while !onlooker.stopped() && !inside.is_finished() {
        tell(told, onlooker, GLANCE);
        if serve.time.is_some_and(|time| began.elapsed() >= time) {
            break;
        }
    }
    room.stop();
    // Wakes whoever accepts: the kernel has nothing for it that could be taken for a guest, as the door looks first.
    if connects {
        wake(at);
    }
    room.hear_no_more_unless_seated();
    let ended = Instant::now();
    while room.wait_for_all(Duration::from_millis(20)) > 0 && ended.elapsed() < FAREWELL {
        tell(told, onlooker, Duration::ZERO);
    }
    room.cut_off();
    let left = room.wait_for_all(FAREWELL);
    let outcome = inside.join().unwrap_or(Ok(()));
    tell(told, onlooker, Duration::ZERO);
    onlooker.say(&summary(&room, &serve.news, left, connects));
    outcome.map_err(NotServed::Accept)
}

/// Tells what waits, or comes within a time.
fn tell(told: &Receiver<News>, onlooker: &mut dyn Onlooker, most: Duration) {
    let mut news: Vec<News> = told.recv_timeout(most).into_iter().collect();
    news.extend(told.try_iter().take(AT_ONCE));
    while !news.is_empty() {
        onlooker.tell(&news);
        news = told.try_iter().take(AT_ONCE).collect();
        // Who wants to leave does not wait for all that is left.
        if onlooker.stopped() {
            break;
        }
    }
}

fn listen(at: SocketAddr) -> Result<TcpListener, NotServed> {
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
    listener().map_err(|error| NotServed::Listen { at, error })
}

/// A call to ourselves, so that `accept` comes back.
fn wake(at: SocketAddr) {
    let mut own = at;
    if at.ip().is_unspecified() {
        own.set_ip(if at.is_ipv6() {
            std::net::Ipv6Addr::LOCALHOST.into()
        } else {
            std::net::Ipv4Addr::LOCALHOST.into()
        });
    }
    if let Ok(socket) = Socket::new(Domain::for_address(own), Type::STREAM, Some(Protocol::TCP)) {
        let _ = socket.connect_timeout(&own.into(), Duration::from_secs(1));
    }
}

/// What the server's socket is open to.
enum Open {
    ToConnections(TcpListener),
    ToDatagrams(UdpSocket),
}

/// Who accepts.
struct Door {
    room: Arc<Room>,
    server: Arc<dyn Server>,
    news: Reporter,
}

impl Door {
    fn accept_all(&self, listener: &TcpListener) -> io::Result<()> {
        let mut number = 0;
        let mut short = false;
        let mut full_was_said = false;
        let most = self.room.terms.connections;
        let mut say_full = || {
            if !std::mem::replace(&mut full_was_said, true) {
                let text = format!(
                    "the limit of {most} connections is reached (--limit): whoever calls now waits in the accept queue"
                );
                self.news.tell(0, "TCP", Happened::Note(text));
            }
        };
        while self.room.wait_for_a_place(&mut say_full) {
            match listener.accept() {
                Ok(_) if self.room.is_stopping() => break,
                Ok((stream, peer)) => {
                    (number, short) = (number + 1, false);
                    self.begin(number, stream.into(), peer);
                }
                // Whoever waited has hung up: ECONNABORTED, accept(2). Or a signal came.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) => {}
                Err(error)
                    if matches!(errno_name(&error).as_str(), "EMFILE" | "ENFILE" | "ENOBUFS" | "ENOMEM") =>
                {
                    if !std::mem::replace(&mut short, true) {
                        let text = format!("accept failed: {error}; whoever calls waits in the accept queue");
                        self.news.tell(0, "TCP", Happened::Note(text));
                    }
                    thread::park_timeout(SHORTAGE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn begin(&self, number: u64, socket: Socket, peer: SocketAddr) {
        let Ok(line) = Line::of(socket, peer, number, &self.news, self.room.terms.bytes) else { return };
        line.tell("TCP", Happened::Connected(peer.to_string()));
        if !self.room.enter(&line) {
            self.room.leave(number);
            return;
        }
        let (room, server, news) = (Arc::clone(&self.room), Arc::clone(&self.server), self.news.clone());
        let started = thread::Builder::new().name(format!("c{number}")).spawn(move || {
            let outcome = server.serve(&line, &room);
            let was_stopped = room.is_stopping();
            let (received, sent) = line.traffic();
            drop(line);
            room.leave(number);
            if let Err(fault) = &outcome
                && fault.is_broken()
            {
                news.tell(number, "TCP", Happened::Broken(fault.to_string()));
            }
            let (orderly, why) = match outcome {
                Ok(over) => (over.orderly, over.why),
                Err(_) if was_stopped => (false, "the server ended".to_owned()),
                Err(Fault::Refused(why)) => (true, why),
                Err(fault) if fault.is_broken() => (false, "by us, for that".to_owned()),
                Err(fault) => (false, fault.to_string()),
            };
            let why = format!("{why}; {received} bytes received, {sent} sent");
            news.tell(number, "TCP", Happened::Ended { orderly, why });
        });
        if let Err(error) = started {
            self.news.tell(number, "TCP", Happened::Refused(format!("no thread for it: {error}")));
            self.room.leave(number);
        }
    }
}

fn summary(room: &Room, news: &Reporter, left: usize, connects: bool) -> String {
    let (came, most) = room.came();
    if came == 0 {
        return if connects { "Nobody called." } else { "Nobody sent anything." }.to_owned();
    }
    let what = match (connects, came) {
        (true, 1) => "connection",
        (true, _) => "connections",
        (false, 1) => "address sent something",
        (false, _) => "addresses sent something",
    };
    let mut text = format!("{came} {what}, at most {most} at once.");
    if left > 0 {
        text += &format!(" {left} threads did not end.");
    }
    if news.lost() > 0 {
        text += &format!(" {} lines were not told: they came faster than they could be.", news.lost());
    }
    text
}
