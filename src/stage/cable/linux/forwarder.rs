//! The thread of the cable: receives the hosts' frames, and sends on those that cross.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use rustix::event::{EventfdFlags, eventfd};

use super::{
    super::{super::system::block_other_signals, Cable, CableEventKind, Fate, LinkEmulator, State, Verdict},
    packet_socket::{BATCH_SIZE, CableEnds},
};
use crate::{
    event::Host,
    kernel::{Interest, poll},
};

/// The thread. Dropping it ends the thread and closes the ends of the cable.
pub(super) struct Forwarder {
    /// An eventfd(2) that becomes readable when the thread is to end.
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Forwarder {
    /// Starts the thread, which shares the caller's network namespace and descriptor table.
    pub fn start(ends: CableEnds) -> io::Result<(Cable, Forwarder)> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let watched = [
            ends.end(Host::Client).as_fd().try_clone_to_owned()?,
            ends.end(Host::Server).as_fd().try_clone_to_owned()?,
            stop.try_clone()?,
        ];
        let cable = Cable::new(ends);
        let own = cable.clone();
        let thread = thread::Builder::new().name("cable".to_owned()).spawn(move || {
            block_other_signals();
            forward_frames(&own, &watched);
            // Closed by this thread, not with the last clone of the cable: that may be in a thread with
            // another descriptor table.
            drop(watched);
            let mut state = own.state();
            let ends = state.ends.take();
            own.unlock_and_notify(state);
            if let Some(ends) = ends {
                ends.close();
            }
        })?;
        Ok((cable, Forwarder { stop, thread: Some(thread) }))
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn forward_frames(cable: &Cable, watched: &[OwnedFd; 3]) {
    let [client, server, stop] = watched.each_ref().map(AsFd::as_fd);
    let mut due: Option<Instant> = None;
    loop {
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        let interests = [&client, &server, &stop].map(|fd: &BorrowedFd<'_>| (fd, Interest::Read));
        // Without memory for the list, frames are forwarded and the wait is tried again.
        let [client, server, stop] = poll(interests, timeout).unwrap_or_default();
        if stop.ready {
            return;
        }
        let mut state = cable.state();
        for (host, found) in [(Host::Client, client), (Host::Server, server)] {
            if let Some(ends) = state.ends.as_ref().filter(|_| found.error) {
                ends.end(host).clear_error();
            }
        }
        while forward_batch(&mut state) {}
        due = state.emulator.next_due();
        cable.unlock_and_notify(state);
    }
}

/// Forwards the frames that have arrived, at most [`BATCH_SIZE`]. Returns whether there may be more.
fn forward_batch(state: &mut State) -> bool {
    let State { emulator, ends: Some(ends), .. } = state else { return false };
    let clock = Clock::now();
    let mut batches = [Batch::to(Host::Server), Batch::to(Host::Client)];
    let mut taken = 0;
    while taken < BATCH_SIZE {
        let (client, server) = (ends.end(Host::Client).peek(), ends.end(Host::Server).peek());
        // The frames of both ends are taken in the order of their arrival.
        let (from, arrived) = match (client, server) {
            (Some(client), Some(server)) if server.at < client.at => (Host::Server, server),
            (Some(client), _) => (Host::Client, client),
            (None, Some(server)) => (Host::Server, server),
            (None, None) => break,
        };
        taken += 1;
        let at = clock.instant(arrived.at);
        if arrived.overrun {
            let frames = ends.end(from).overruns();
            if frames > 0 {
                emulator.log.write(at, CableEventKind::Overrun { frames });
            }
        }
        match emulator.accept_frame(from, at, arrived.bytes) {
            Verdict::Forward(number) if arrived.whole => {
                batches[usize::from(from == Host::Server)].add(number, arrived.bytes);
            }
            // Larger than a slot of the ring: the MTU of the host's interface was raised.
            Verdict::Forward(number) => emulator.log.fate(at, number, Fate::Lost),
            Verdict::Keep => {}
        }
        ends.end(from).advance();
    }
    for batch in &batches {
        batch.send(ends, emulator);
    }
    ends.release();
    let now = Instant::now();
    while let Some(frame) = state.emulator.pop_due(now) {
        state.forward(&frame, &[&frame.bytes], Fate::Delivered);
    }
    taken == BATCH_SIZE
}

/// Frames that are sent to one host by one call.
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

    /// Panics if the batch has [`BATCH_SIZE`] frames.
    fn add(&mut self, number: u64, bytes: &'a [u8]) {
        self.numbers[self.count] = number;
        self.frames[self.count] = bytes;
        self.count += 1;
    }

    /// Sends the frames, and logs the fate of each. A frame that cannot be sent, because the host's interface
    /// is down, is lost.
    fn send(&self, ends: &CableEnds, emulator: &mut LinkEmulator) {
        let mut at = 0;
        while at < self.count {
            let sent = ends.end(self.to).send(&self.frames[at..self.count]);
            let now = Instant::now();
            for number in &self.numbers[at..at + sent] {
                emulator.log.fate(now, *number, Fate::Delivered);
            }
            at += sent;
            if let Some(number) = self.numbers[..self.count].get(at).filter(|_| sent == 0) {
                emulator.log.fate(now, *number, Fate::Lost);
                at += 1;
            }
        }
    }
}

/// The monotonic clock and the time of day at one moment: frames carry the time of day, events the monotonic
/// time.
struct Clock {
    instant: Instant,
    day: Duration,
}

impl Clock {
    fn now() -> Clock {
        let day = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { instant: Instant::now(), day }
    }

    /// The monotonic time of a time of day before [`Clock::now`].
    fn instant(&self, day: Duration) -> Instant {
        let age = self.day.saturating_sub(day);
        self.instant.checked_sub(age).unwrap_or(self.instant)
    }
}
