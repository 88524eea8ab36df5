//! One connection of a class, on a thread of its own.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    super::advice::{bytes_told, duration},
    Service,
    room::{Guest, Report, Room, lock},
    stamped,
};
use crate::{
    call::{Doing, Done, Piece, copy, errno_name, errno_text, send_all},
    event::{Ending, Host, Value, What},
    run::upgrading::{arg, told},
    websocket::{
        answer::Policy,
        handoff::{Broken, Came, Handed, Terms},
        judge::Limits,
        opening::{self, Reception, is_timeout},
    },
};

/// The whole head of an opening request has to come in this time (RFC 9110 §15.5.9: 408).
const HEAD: Duration = Duration::from_secs(10);

/// How long, and for how many bytes, one listens to a peer to whom all has been said, so that no RST takes away what it has not
/// read yet.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 64 << 10);

/// Room offered to each recv of a plain connection, in bytes.
const ROOM: usize = 4096;

/// Serves a connection to its end.
pub(super) fn serve(room: &Room, guest: &Arc<Guest>, doing: &Doing) {
    let served = Served { room, guest, doing, told: room.tells(guest.number) };
    let (end, detail) = match served.within_limits().and_then(|()| served.to_the_end()) {
        Ok(both) => both,
        Err(error) => served.why(&error),
    };
    // Who does not read would be sent to for minutes by the kernel; a RST is the end of that.
    let at_once = end == Ending::Limit && detail.starts_with(STUCK);
    served.close(at_once, end == Ending::Reset);
    room.leave(guest, end, detail);
}

/// How the detail begins when a peer does not read.
const STUCK: &str = "it does not read";

struct Served<'a> {
    room: &'a Room,
    guest: &'a Arc<Guest>,
    doing: &'a Doing,
    told: bool,
}

type Over = (Ending, String);

impl Served<'_> {
    /// SO_RCVTIMEO and SO_SNDTIMEO, socket(7): a call on which nothing moves for so long comes back with EAGAIN.
    fn within_limits(&self) -> io::Result<()> {
        let socket = self.guest.held.socket();
        socket.set_read_timeout(Some(self.room.class.idle))?;
        socket.set_write_timeout(Some(self.room.class.idle))
    }

    fn to_the_end(&self) -> io::Result<Over> {
        // Else what follows an answer that is not acknowledged yet would wait for that (Nagle's algorithm, RFC 9293 §3.7.4).
        self.piece(Piece::set(&self.guest.held, "TCP_NODELAY", 1).0);
        match &self.room.class.service {
            Service::Echo => self.echo(),
            Service::WebSocket { origins, any_origin } => self.websocket(origins, *any_origin),
        }
    }

    /// What comes is sent back, until the peer has no more to say.
    fn echo(&self) -> io::Result<Over> {
        loop {
            self.still_open()?;
            let bytes = self.recv(ROOM)?;
            if bytes.is_empty() {
                return Ok((
                    Ending::Closed,
                    "it sent a FIN; all that came before it was sent back".to_owned(),
                ));
            }
            self.send(&bytes)?;
            if self.guest.held.traffic().0 > self.room.class.bytes {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
        }
    }

    /// Upgraded by hand, then in tungstenite's hands.
    fn websocket(&self, origins: &[String], any_origin: bool) -> io::Result<Over> {
        let allowed = if any_origin { None } else { Some(self.own_origins(origins)) };
        let policy = Policy { allowed_origins: allowed, ..Policy::default() };
        let reception =
            Reception { policy, page: true, until: Some(Instant::now() + HEAD.min(self.room.class.idle)) };
        let done = opening::answer(&self.guest.held, &reception);
        let unmet = done.pieces.iter().find_map(|piece| match piece {
            Piece::Note(What::Upgrade(it)) if !it.met => Some(format!("{} ({})", it.requirement, it.section)),
            _ => None,
        });
        let outcome = match &done.outcome {
            Ok(Value::Number(status)) => Ok(*status),
            Ok(_) => Ok(0),
            Err(error) => Err(copy(error)),
        };
        self.tell(told("ws answer", Vec::new(), "the rest of the request's head"), done);
        match (outcome, unmet) {
            (Ok(101), _) => {}
            (Ok(status), Some(unmet)) => return Ok((Ending::Refused, format!("{status}: needed {unmet}"))),
            (Ok(200), None) => return Ok((Ending::Page, "200: it got the page".to_owned())),
            (Ok(status), None) => return Ok((Ending::Page, format!("{status}: there is no such page"))),
            (Err(error), _)
                if error.kind() == io::ErrorKind::UnexpectedEof && self.guest.held.traffic().0 == 0 =>
            {
                return Ok((Ending::Closed, "it sent a FIN, and not a byte before it".to_owned()));
            }
            (Err(error), _) => return Err(error),
        }
        self.guest.open.store(true, Ordering::Relaxed);
        if self.told {
            self.room.report(Report::Peer(self.guest.seen(None, None), Instant::now()));
        }
        self.within_limits()?;
        let class = &self.room.class;
        let limits = Limits { frame: class.message, message: class.message };
        let terms = Terms { limits, bytes: class.bytes, told: self.told };
        let mut websocket = Handed::new(Host::Server, Arc::clone(&self.guest.held), terms);
        let outcome = self.messages(&mut websocket);
        match outcome {
            Ok(over) => Ok(over),
            Err(error) => {
                let over = self.why(&error);
                // A broken rule has been answered already.
                if broken(&error).is_none() {
                    self.say_why(&mut websocket, &over);
                }
                Ok(over)
            }
        }
    }

    /// Each message is sent back.
    fn messages(&self, websocket: &mut Handed) -> io::Result<Over> {
        loop {
            self.still_open()?;
            match self.next(websocket)? {
                Came::Message(message) if message.is_text() || message.is_binary() => {
                    self.guest.received.fetch_add(1, Ordering::Relaxed);
                    let args = vec![arg("kind", if message.is_text() { "text" } else { "binary" })];
                    let done = websocket.send(message);
                    let outcome = done.outcome.as_ref().map(drop).map_err(copy);
                    self.tell(told("ws send", args, "room in the send buffer"), done);
                    outcome?;
                    self.guest.sent.fetch_add(1, Ordering::Relaxed);
                }
                Came::Message(_) => {}
                Came::Close { code: 1006, .. } => {
                    return Ok((
                        Ending::Reset,
                        "it ended the stream without a Close: 1006 (RFC 6455 §7.1.5)".to_owned(),
                    ));
                }
                Came::Close { code: 1005, .. } => {
                    return Ok((Ending::Closed, "Close without a code".to_owned()));
                }
                Came::Close { code, .. } => return Ok((Ending::Closed, format!("Close {code}"))),
            }
        }
    }

    /// Whoever has more to say all the time waits in no call, and has to be told all the same that the server ends.
    fn still_open(&self) -> io::Result<()> {
        if self.room.is_closed() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    fn next(&self, websocket: &mut Handed) -> io::Result<Came> {
        let next = websocket.receive();
        if self.told {
            let value = match &next.outcome {
                Ok(Came::Message(message)) => Ok(Value::Count(message.len())),
                Ok(Came::Close { code, reason }) => Ok(Value::Close { code: *code, reason: reason.clone() }),
                Err(error) => Err(copy(error)),
            };
            let done = Done {
                outcome: value,
                started: next.started,
                took: next.took,
                here: next.here,
                pieces: next.pieces,
            };
            self.tell(told("ws recv", Vec::new(), "the rest of a message"), done);
        }
        next.outcome
    }

    /// A peer that is sent away learns why, if it still listens: RFC 6455 §7.4.1.
    fn say_why(&self, websocket: &mut Handed, (end, detail): &Over) {
        let (code, reason) = match end {
            Ending::Stopped => (1001, "the server ends"),
            Ending::Limit if detail.starts_with(STUCK) => return,
            Ending::Limit => (1008, "a limit of this server"),
            Ending::Failed => (1011, ""),
            _ => return,
        };
        let socket = self.guest.held.socket();
        let _ =
            socket.set_write_timeout(Some(LINGER.0)).and_then(|()| socket.set_read_timeout(Some(LINGER.0)));
        let done = websocket.close(Some(code), reason);
        let good = done.outcome.is_ok();
        self.tell(told("ws close", vec![arg("code", &code.to_string())], "room in the send buffer"), done);
        // What was on its way is still taken in, until the answer to our Close.
        let until = Instant::now() + LINGER.0;
        while good && Instant::now() < until && matches!(self.next(websocket), Ok(Came::Message(_))) {}
    }

    /// What an error means for the connection.
    fn why(&self, error: &io::Error) -> Over {
        if let Some(broken) = broken(error) {
            let code = broken.0.rule.close_code;
            // 1009, too big: that rule is this server's own (RFC 6455 §10.4).
            let end = if code == 1009 { Ending::Limit } else { Ending::Violation };
            return (end, format!("{broken}; answered with Close {code}"));
        }
        if self.room.is_closed() && error.kind() == io::ErrorKind::Interrupted {
            self.doing.go_on();
            return (Ending::Stopped, "the server ends".to_owned());
        }
        let idle = duration(self.room.class.idle);
        match error.kind() {
            _ if is_timeout(error) && self.full() => {
                (Ending::Limit, format!("{STUCK}: for {idle} there was no room to send to it (--idle)"))
            }
            _ if is_timeout(error) => (Ending::Limit, format!("nothing moved for {idle} (--idle)")),
            io::ErrorKind::QuotaExceeded => {
                (Ending::Limit, format!("it sent more than {} (--bytes)", bytes_told(self.room.class.bytes)))
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                (Ending::Reset, format!("{}: {}", errno_name(error), errno_text(error)))
            }
            io::ErrorKind::UnexpectedEof => (Ending::Reset, error.to_string()),
            _ => (Ending::Failed, error.to_string()),
        }
    }

    /// Whether bytes that we sent are still not taken: the peer does not read.
    fn full(&self) -> bool {
        crate::kernel::observe(self.guest.held.socket(), true).send_queue.is_some_and(|bytes| bytes > 0)
    }

    /// The pages that may connect: our own, by the address under which it was reached, and those that were allowed.
    ///
    /// The line `Host` has no say in this: a page that has its own name point at this machine could choose it (DNS rebinding).
    fn own_origins(&self, more: &[String]) -> Vec<String> {
        let mut origins = more.to_vec();
        let Some(local) = self.guest.held.socket().local_addr().ok().and_then(|local| local.as_socket())
        else {
            return origins;
        };
        let (ip, port) = (local.ip().to_canonical(), local.port());
        let mut add = |host: String| {
            if port == 80 {
                origins.push(format!("http://{host}"));
            }
            origins.push(format!("http://{host}:{port}"));
        };
        match ip {
            IpAddr::V4(v4) => add(v4.to_string()),
            IpAddr::V6(v6) => add(format!("[{v6}]")),
        }
        if ip.is_loopback() {
            add("localhost".to_owned());
        }
        origins
    }

    fn recv(&self, room: usize) -> io::Result<Vec<u8>> {
        if !self.told {
            return self.guest.held.recv(room).outcome;
        }
        let (piece, outcome) = Piece::recv(&self.guest.held, room);
        self.room.report(Report::Piece(piece));
        outcome
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        if self.told {
            let mut pieces = Vec::new();
            let outcome = send_all(&self.guest.held, bytes, &mut pieces);
            for piece in pieces {
                self.room.report(Report::Piece(piece));
            }
            return outcome;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.guest.held.send(rest).outcome?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// A step that was made of several calls.
    fn tell(&self, told: crate::call::Told, done: Done) {
        if self.told {
            let piece = Piece::Call(self.guest.held.subject(), told, done);
            self.room.report(Report::Piece(stamped(piece, &self.guest.name)));
        }
    }

    fn piece(&self, piece: Piece) {
        if self.told {
            self.room.report(Report::Piece(piece));
        }
    }

    /// Ends the connection: our FIN, then what the peer still sends is read away, so that `close` needs no RST.
    fn close(&self, at_once: bool, broken: bool) {
        let held = &self.guest.held;
        if at_once {
            self.piece(Piece::set(held, "SO_LINGER", 0).0);
        } else if !broken {
            let (piece, outcome) = Piece::shutdown(held, "SHUT_WR");
            self.piece(piece);
            if outcome.is_ok() {
                self.linger();
            }
        }
        let _held = lock(&self.guest.descriptor);
        self.piece(Piece::close(held));
    }

    fn linger(&self) {
        let (time, most) = LINGER;
        let until = Instant::now() + time;
        let mut had = 0;
        while had < most {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.guest.held.socket().set_read_timeout(Some(left)).is_err() {
                return;
            }
            let (piece, outcome) = Piece::recv(&self.guest.held, ROOM);
            match outcome {
                // That we stop listening is no fault, and not told as one.
                Err(_) => return,
                Ok(bytes) => {
                    self.piece(piece);
                    if bytes.is_empty() {
                        return;
                    }
                    had += bytes.len();
                }
            }
        }
    }
}

/// The broken rule behind an error, if that is what it is.
fn broken(error: &io::Error) -> Option<&Broken> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
