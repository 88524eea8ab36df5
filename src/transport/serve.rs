//! `sockwalk serve`: a thread accepts connections, each connection has a thread of its own, and the main
//! thread renders the events.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use socket2::Socket;
use thiserror::Error;

use super::{
    api::{Ends, Onlooker, Server},
    connection::{Connection, Fault},
    events::{Happened, News, Reporter},
    room::Room,
    terms::Terms,
};
use crate::server::{self, AcceptError, ListenError, Listener, Notice, Registry, ending};

/// Longest time that the main loop waits for an event before it looks at anything else.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Events rendered in one batch.
const BATCH: usize = 256;

/// The transport to serve, and the address.
#[derive(Debug)]
pub struct Serve {
    /// The transport.
    pub ends: &'static Ends,
    /// The address to listen on.
    pub at: SocketAddr,
    /// The mode and the limits.
    pub terms: Terms,
    /// Time after which the server stops by itself.
    pub time: Option<Duration>,
    /// Reports events.
    pub news: Reporter,
}

/// Why a server can't start or continue.
#[derive(Debug, Error)]
pub enum NotServed {
    /// The server can't bind to or listen on the address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The transport can't be served with these terms.
    #[error("{0}")]
    Transport(Fault),
    /// A thread can't be started.
    #[error("can't start a thread: {0}")]
    Thread(io::Error),
    /// No more connections can be accepted.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// No more datagrams can be received.
    #[error("recvfrom failed, and no more datagrams can be received: {0}")]
    Receive(io::Error),
}

/// Serves until the onlooker requests the end. `ready` is called once with the listening address.
///
/// # Errors
/// Fails if the server can't start or can't continue.
pub fn serve(
    mut serve: Serve,
    events: &Receiver<News>,
    onlooker: &mut dyn Onlooker,
    ready: impl FnOnce(SocketAddr, &mut dyn Onlooker),
) -> Result<(), NotServed> {
    let (limit, warning) = server::listener::connection_limit(serve.terms.connections, 1);
    serve.terms.connections = limit;
    let room = Room::new(serve.terms, serve.news.clone());
    let protocol = serve.ends.server.map_err(|why| Fault::Asked(why.to_owned()));
    let protocol = protocol.and_then(|new| new(&room)).map_err(NotServed::Transport)?;
    let socket = Open::bind(serve.at, protocol.post().is_some())?;
    let connects = matches!(socket, Open::Connections(_));
    if connects {
        warning.iter().for_each(|warning| onlooker.say(warning));
    }
    ready(socket.address(serve.at), onlooker);
    let began = Instant::now();
    let (sender, notices) = mpsc::channel::<Notice>();
    let acceptor = Acceptor { room: Arc::clone(&room), protocol, news: serve.news.clone() };
    let thread = thread::Builder::new().name("acceptor".to_owned());
    let thread = thread.spawn(move || acceptor.run(socket, &sender)).map_err(NotServed::Thread)?;
    while !onlooker.stopped() && !thread.is_finished() {
        render(events, onlooker, POLL_INTERVAL);
        notices.try_iter().for_each(|notice| onlooker.say(&notice.to_string()));
        if serve.time.is_some_and(|time| began.elapsed() >= time) {
            break;
        }
    }
    room.stop();
    let progress = || render(events, onlooker, Duration::ZERO);
    let cut = || room.registry.for_each(|_, connection| connection.cut());
    let remaining = server::drain(&room.registry, progress, cut);
    let outcome = thread.join().unwrap_or(Ok(()));
    render(events, onlooker, Duration::ZERO);
    onlooker.say(&summary(&room.registry, &serve.news, remaining, connects));
    outcome
}

/// Renders the waiting events. If there are none, waits up to `timeout` for some.
fn render(events: &Receiver<News>, onlooker: &mut dyn Onlooker, timeout: Duration) {
    let mut batch: Vec<News> = events.recv_timeout(timeout).into_iter().collect();
    batch.extend(events.try_iter().take(BATCH));
    while !batch.is_empty() {
        onlooker.tell(&batch);
        batch = events.try_iter().take(BATCH).collect();
        // A stop request takes effect before all waiting events are rendered.
        if onlooker.stopped() {
            break;
        }
    }
}

/// The socket of a server.
enum Open {
    Connections(Listener),
    Datagrams(UdpSocket),
}

impl Open {
    fn bind(at: SocketAddr, datagrams: bool) -> Result<Open, ListenError> {
        if datagrams {
            return UdpSocket::bind(at).map(Open::Datagrams).map_err(|error| ListenError { at, error });
        }
        Listener::bind(at).map(Open::Connections)
    }

    /// Returns the address, with the port that the kernel has chosen.
    fn address(&self, at: SocketAddr) -> SocketAddr {
        match self {
            Open::Connections(listener) => listener.address(),
            Open::Datagrams(socket) => socket.local_addr().unwrap_or(at),
        }
    }
}

/// The thread that accepts connections, or receives the datagrams of all peers.
struct Acceptor {
    room: Arc<Room>,
    protocol: Arc<dyn Server>,
    news: Reporter,
}

impl Acceptor {
    fn run(&self, socket: Open, notices: &Sender<Notice>) -> Result<(), NotServed> {
        match socket {
            Open::Connections(listener) => server::accept_all(
                &self.room.registry,
                || listener.accept(),
                |(stream, peer)| self.start(stream.into(), peer),
                |notice| drop(notices.send(notice)),
            )
            .map_err(NotServed::Accept),
            Open::Datagrams(socket) => match self.protocol.post() {
                Some(post) => post.take_all(&socket, &self.room).map_err(NotServed::Receive),
                None => Ok(()),
            },
        }
    }

    /// Starts the thread of an accepted connection.
    fn start(&self, socket: Socket, peer: SocketAddr) {
        let (room, news) = (Arc::clone(&self.room), self.news.clone());
        let number = room.registry.next_number();
        // If a socket option can't be set, the connection is already reset.
        let Ok(connection) = Connection::of(socket, peer, number, &news, room.terms.bytes) else { return };
        connection.tell("TCP", Happened::Connected(peer.to_string()));
        room.registry.insert(Arc::clone(&connection));
        if room.is_stopping() {
            connection.hear_no_more();
        }
        let protocol = Arc::clone(&self.protocol);
        let thread = thread::Builder::new().name(format!("c{number}"));
        let started = thread.spawn(move || {
            let outcome = protocol.serve(&connection, &room);
            let stopped = room.is_stopping();
            let (received, sent) = connection.traffic();
            drop(connection);
            if let Err(fault) = &outcome
                && fault.is_broken()
            {
                news.tell(number, "TCP", Happened::Broken(fault.to_string()));
            }
            let (ending, orderly, why) = match outcome {
                Ok(over) if over.orderly && stopped => (ending::STOPPED, true, over.why),
                Ok(over) if over.orderly => (ending::CLOSED, true, over.why),
                Ok(over) => (ending::BROKEN_OFF, false, over.why),
                Err(_) if stopped => (ending::STOPPED, false, "the server ended".to_owned()),
                Err(Fault::Refused(why)) => (ending::REFUSED, true, why),
                Err(Fault::Limit(_)) => (ending::LIMIT, false, "by us, for that".to_owned()),
                Err(fault) if fault.is_broken() => (ending::VIOLATION, false, "by us, for that".to_owned()),
                Err(fault) => (ending::BROKEN_OFF, false, fault.to_string()),
            };
            let why = format!("{why}; {received} bytes received, {sent} sent");
            news.tell(number, "TCP", Happened::Ended { orderly, why });
            room.registry.remove(number, ending);
        });
        if let Err(error) = started {
            self.news.tell(number, "TCP", Happened::Refused(format!("no thread for it: {error}")));
            self.room.registry.remove(number, ending::FAILED);
        }
    }
}

fn summary(
    registry: &Registry<Arc<Connection>>,
    news: &Reporter,
    remaining: usize,
    connects: bool,
) -> String {
    let mut text = match (registry.summary(), registry.totals()) {
        (None, _) if connects => return "Nobody called.".to_owned(),
        (None, _) => return "Nobody sent anything.".to_owned(),
        (Some(connections), _) if connects => format!("{connections}."),
        (_, (1, peak)) => format!("1 address sent something, at most {peak} at once."),
        (_, (count, peak)) => format!("{count} addresses sent something, at most {peak} at once."),
    };
    if remaining > 0 {
        text += &format!(" {remaining} threads did not end.");
    }
    if news.lost() > 0 {
        text += &format!(" {} events were not shown: they came faster than they could be.", news.lost());
    }
    text
}
