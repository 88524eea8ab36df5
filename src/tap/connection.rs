//! One connection of a tap: the target is called for each client, and two threads carry what both send.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::{
    News,
    pair::Pair,
    queue::{EventQueue, Producer},
};
use crate::{
    call::{errno_name, errno_text},
    event::{Close, Host},
    server::{Registry, ending},
    stage::{Interest, poll},
};

/// Interval at which a thread that waits checks whether the tap stops.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A connection of the registry: both ends; nothing while the target is still being called.
pub(super) type Entry = Option<Arc<Pair>>;

/// What all threads of a tap share.
pub(super) struct Shared {
    /// The addresses of the target, to be tried in this order.
    pub target: Vec<SocketAddr>,
    pub queue: Arc<EventQueue>,
    pub registry: Registry<Entry>,
}

impl Shared {
    /// Accepts no more connections, and ends both streams of each one behind what has arrived by now.
    pub fn stop(&self) {
        self.registry.stop();
        self.registry.for_each(|_, pair| pair.iter().for_each(|pair| pair.stop()));
    }

    /// Resets the connections that are left.
    pub fn cut(&self) {
        self.registry.for_each(|_, pair| pair.iter().for_each(|pair| pair.give_up()));
    }

    /// Starts the thread of a connection that was accepted.
    pub fn start(self: &Arc<Shared>, client: TcpStream, address: SocketAddr) {
        let number = self.registry.insert(None);
        let producer = self.queue.producer(number);
        let local = client.local_addr().ok();
        producer.note(News::Accepted { client: address, local });
        let (shared, own) = (Arc::clone(self), Arc::clone(&producer));
        let thread = thread::Builder::new().name(format!("t{number}"));
        if let Err(error) = thread.spawn(move || serve(&shared, number, client, &own)) {
            // The stream was dropped with the closure: it is closed.
            let how = Close::Reset { from: Host::Client, errno: errno_name(&error) };
            self.registry.remove(number, ending::FAILED);
            producer.note(News::Gone { how, sums: producer.sums() });
        }
    }
}

/// The target could not be reached, as the summary counts it.
const NOT_CONNECTED: &str = "not connected";

/// The tap stopped before both streams had ended, as the summary counts it.
const STOPPED: &str = "ended with the tap";

/// Serves one connection: calls the target, then carries both directions until both threads have ended.
fn serve(shared: &Shared, number: u64, client: TcpStream, producer: &Arc<Producer>) {
    // TCP_NODELAY: what a program writes goes out at once, as it would without the tap.
    let prepared = client.set_nodelay(true);
    let (how, ending) = match prepared.and_then(|()| reach(shared, &client, producer)) {
        Ok(server) => {
            let pair = Arc::new(Pair::new(client, server));
            shared.registry.replace(number, Some(Arc::clone(&pair)));
            // If the tap stops meanwhile, the new pair stops with the others.
            if shared.registry.is_stopping() {
                pair.stop();
            }
            carry_both(number, &pair, producer);
            let how = pair.close();
            let ending = match &how {
                Close::Fin => ending::CLOSED,
                Close::Reset { .. } => ending::BROKEN_OFF,
                Close::Stopped => STOPPED,
            };
            (how, ending)
        }
        Err(error) => {
            // The kernel has accepted for us: a RST now is the nearest to a refusal.
            let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
            drop(client);
            match shared.registry.is_stopping() {
                true => (Close::Stopped, STOPPED),
                false => (Close::Reset { from: Host::Server, errno: errno_name(&error) }, NOT_CONNECTED),
            }
        }
    };
    // The last owner of the pair: both connections are closed before their end is reported.
    shared.registry.remove(number, ending);
    producer.note(News::Gone { how, sums: producer.sums() });
}

/// Carries both directions, each on a thread.
fn carry_both(number: u64, pair: &Arc<Pair>, producer: &Arc<Producer>) {
    thread::scope(|scope| {
        let back = thread::Builder::new().name(format!("t{number} back"));
        match back.spawn_scoped(scope, || pair.carry(Host::Server, producer)) {
            Ok(_) => pair.carry(Host::Client, producer),
            // Half a connection is none.
            Err(_) => pair.give_up(),
        }
    });
}

/// Connects to the target, at one of its addresses after the other. Gives up when the client has, or the tap
/// stops.
fn reach(shared: &Shared, client: &TcpStream, producer: &Producer) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in &shared.target {
        let began = Instant::now();
        match connect(shared, *address, client) {
            Ok(server) => {
                let (time, local) = (began.elapsed(), server.local_addr().ok());
                producer.note(News::Connected { target: *address, local, time });
                return Ok(server);
            }
            Err(error) => {
                if !shared.registry.is_stopping() {
                    let (errno, words) = (errno_name(&error), errno_text(&error));
                    producer.note(News::NotConnected {
                        target: *address,
                        errno,
                        words,
                        time: began.elapsed(),
                    });
                }
                last = error;
            }
        }
    }
    Err(last)
}

fn connect(shared: &Shared, address: SocketAddr, client: &TcpStream) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        _ => {}
    }
    let caller = SockRef::from(client);
    loop {
        let [called, calls] =
            poll([(&socket, Interest::Write), (&*caller, Interest::None)], Some(POLL_INTERVAL))?;
        if called.ready || called.error || called.hangup {
            break;
        }
        if calls.error || shared.registry.is_stopping() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    match socket.take_error()? {
        // A refusal is ECONNREFUSED: whoever resets has accepted before, and may have sent something. That is
        // passed on.
        Some(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Some(error) => return Err(error),
        None => {}
    }
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

/// EINPROGRESS: the SYN is on its way, connect(2).
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || errno_name(error) == "EINPROGRESS"
}
