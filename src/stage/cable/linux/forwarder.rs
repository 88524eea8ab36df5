//! The thread of the cable: takes what the hosts send, and sends on what crosses.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use super::{
    super::{Cable, CableEventKind, Fate, LinkEmulator, State, Verdict},
    packet_socket::{BATCH_SIZE, CableEnds},
};
use crate::event::Host;

/// The thread, until it is stopped.
pub(super) struct Forwarder {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Forwarder {
    /// Starts it in this thread's network namespace, with the descriptors of this thread.
    pub fn start(wire: CableEnds) -> io::Result<(Cable, Forwarder)> {
        // SAFETY: makes a descriptor, which becomes the property of one owner.
        let stop = unsafe {
            let made = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if made < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(made)
        };
        let watched = [
            wire.end(Host::Client).as_fd().as_raw_fd(),
            wire.end(Host::Server).as_fd().as_raw_fd(),
            stop.as_raw_fd(),
        ];
        let cable = Cable::new(wire);
        let own = cable.clone();
        let thread = thread::Builder::new().name("cable".to_owned()).spawn(move || {
            super::super::super::system::block_other_signals();
            forward_frames(&own, watched);
            // Here and not with the last handle: descriptors are closed in the table that they are in.
            let mut state = own.state();
            let wire = state.wire.take();
            own.unlock_and_notify(state);
            if let Some(wire) = wire {
                wire.close();
            }
        })?;
        Ok((cable, Forwarder { stop, thread: Some(thread) }))
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: an eventfd takes eight bytes, which outlive the call.
        unsafe {
            libc::write(self.stop.as_raw_fd(), one.as_ptr().cast(), one.len());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn forward_frames(cable: &Cable, watched: [RawFd; 3]) {
    let mut next = None;
    loop {
        let [client, server, stop] = wait(watched, next);
        if stop != 0 {
            return;
        }
        let mut state = cable.state();
        for (host, found) in [(Host::Client, client), (Host::Server, server)] {
            if let Some(wire) = state.wire.as_ref().filter(|_| found & libc::POLLERR != 0) {
                wire.end(host).clear_error();
            }
        }
        while forward_batch(&mut state) {}
        next = state.line.next_due();
        cable.unlock_and_notify(state);
    }
}

/// Waits until a host has sent something, or it is time. Gives what poll(2) found on each.
fn wait(watched: [RawFd; 3], until: Option<Instant>) -> [libc::c_short; 3] {
    let mut polled = watched.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    let left =
        until.map(|until| until.saturating_duration_since(Instant::now())).map(|left| libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
    let left = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the array is three long, and it and the time outlive the call; no set of signals is given.
    unsafe {
        libc::ppoll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, left, std::ptr::null());
    }
    polled.map(|one| one.revents)
}

/// Takes what is there, at most a batch, and sends on what crosses. True if there may be more.
fn forward_batch(state: &mut State) -> bool {
    let State { line, wire: Some(wire), .. } = state else { return false };
    let clock = Clock::now();
    let mut crossing = [Batch::to(Host::Server), Batch::to(Host::Client)];
    let mut taken = 0;
    while taken < BATCH_SIZE {
        let (client, server) = (wire.end(Host::Client).peek(), wire.end(Host::Server).peek());
        // The two ends have an order too: what came first goes first.
        let (from, arrived) = match (client, server) {
            (Some(client), Some(server)) if server.at < client.at => (Host::Server, server),
            (Some(client), _) => (Host::Client, client),
            (None, Some(server)) => (Host::Server, server),
            (None, None) => break,
        };
        taken += 1;
        let at = clock.instant(arrived.at);
        if arrived.overrun {
            let frames = wire.end(from).overruns();
            if frames > 0 {
                line.log.write(at, CableEventKind::Overrun { frames });
            }
        }
        match line.accept_frame(from, at, arrived.bytes) {
            Verdict::Forward(number) if arrived.whole => {
                crossing[usize::from(from == Host::Server)].add(number, arrived.bytes);
            }
            // Larger than the cable is made for: somebody has raised the MTU.
            Verdict::Forward(number) => line.log.fate(at, number, Fate::Lost),
            Verdict::Keep => {}
        }
        wire.end(from).advance();
    }
    for crossing in &crossing {
        crossing.send(wire, line);
    }
    wire.release();
    let now = Instant::now();
    while let Some(frame) = state.line.pop_due(now) {
        state.forward(&frame, &[&frame.bytes], Fate::Delivered);
    }
    taken == BATCH_SIZE
}

/// Frames that go to one host by one call.
struct Batch<'a> {
    to: Host,
    count: usize,
    numbers: [u64; BATCH_SIZE],
    frames: [&'a [u8]; BATCH_SIZE],
}

impl<'a> Batch<'a> {
    fn to(to: Host) -> Batch<'a> {
        Batch { to, count: 0, numbers: [0; BATCH_SIZE], frames: [&[]; BATCH_SIZE] }
    }

    fn add(&mut self, number: u64, bytes: &'a [u8]) {
        self.numbers[self.count] = number;
        self.frames[self.count] = bytes;
        self.count += 1;
    }

    /// Sends them, and writes down what became of each. One that can't be sent, as the other end is down, is lost.
    fn send(&self, wire: &CableEnds, line: &mut LinkEmulator) {
        let mut at = 0;
        while at < self.count {
            let sent = wire.end(self.to).send(&self.frames[at..self.count]);
            let now = Instant::now();
            for number in &self.numbers[at..at + sent] {
                line.log.fate(now, *number, Fate::Delivered);
            }
            at += sent;
            if let Some(number) = self.numbers[..self.count].get(at).filter(|_| sent == 0) {
                line.log.fate(now, *number, Fate::Lost);
                at += 1;
            }
        }
    }
}

/// The two clocks at one moment: frames carry the time of day, and we count by the other.
struct Clock {
    instant: Instant,
    day: Duration,
}

impl Clock {
    fn now() -> Clock {
        let day = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { instant: Instant::now(), day }
    }

    fn instant(&self, day: Duration) -> Instant {
        let age = self.day.saturating_sub(day);
        self.instant.checked_sub(age).unwrap_or(self.instant)
    }
}
