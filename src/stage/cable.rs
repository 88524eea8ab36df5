//! The cable between two hosts: it sees every frame, and it can hold, deliver, drop, delay or duplicate each one.
//!
//! Client and server are threads with network stacks of their own. Each has one Ethernet interface, whose other end is with
//! this program, and a thread named `cable` copies frames from one to the other. All of it belongs to namespaces that the
//! process made for itself, so nothing of it is left when the process ends, however it ends.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has a cable to use it on"))]

mod emulator;
mod frame;
mod log;
mod unavailable;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as this;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as this;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};

pub use frame::{Fate, Frame, FrameSelector};
pub use log::{CableEvent, CableEventKind};
pub(super) use this::{HostNetwork, Network, VethConfig};
pub use this::{prepare, probe};
pub use unavailable::{Reason, Unavailable};

use crate::event::Host;
use crate::sync::{lock, wait_timeout};
use emulator::LinkEmulator;
#[cfg(target_os = "linux")]
use emulator::Verdict;
use log::Log;

/// What a cable stage is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How patient the kernels are.
    pub timers: Timers,
    /// Whether each host knows the other's Ethernet address from the beginning. If not, the first frame is ARP's.
    pub known_neighbours: bool,
    /// Whether the hosts keep CAP_NET_RAW, see capabilities(7), for lessons with raw sockets.
    pub raw_sockets: bool,
    /// Whether the client may open ping sockets: `net.ipv4.ping_group_range`, see icmp(7).
    pub ping_sockets: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { timers: Timers::Default, known_neighbours: true, raw_sockets: false, ping_sockets: false }
    }
}

/// How long the kernels of the hosts wait before they give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timers {
    /// As everywhere.
    Default,
    /// As long as can be set: while a person looks at a held frame, the kernel's timers go on.
    Stretched,
}

/// A setting of a host's kernel that was changed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Whose kernel.
    pub host: Host,
    /// As sysctl(8) names it: `net.ipv4.tcp_syn_retries`.
    pub name: String,
    /// What it was, if it could be read.
    pub before: Option<String>,
    /// What it was to become.
    pub value: String,
    /// Why it did not, if it did not.
    pub failed: Option<String>,
}

/// How the cable can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// Whose rights it takes.
    pub way: Way,
}

/// Whose rights it takes to lay a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nobody's: in a user namespace, see user_namespaces(7), an ordinary user makes network namespaces.
    UserNamespace,
    /// The administrator's (CAP_SYS_ADMIN): no user namespace is needed.
    Administrator,
}

/// A host's address on the cable. Over IPv6 it is a name only: the hosts have no such address, as it would bring frames of its
/// own.
pub(super) fn address(host: Host, v6: bool) -> IpAddr {
    let last = match host {
        Host::Client => 1,
        Host::Server => 2,
    };
    if v6 {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last).into()
    } else {
        Ipv4Addr::new(10, 0, 0, last.to_le_bytes()[0]).into()
    }
}

/// The cable. A clone is the same cable.
///
/// Its methods are for the threads of the program, not for jobs on a host's thread: those have a descriptor table of their own.
#[derive(Clone)]
pub struct Cable {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The frames, and the two ends that they go through. Whoever has the lock may send.
struct State {
    line: LinkEmulator,
    /// None once the cable was taken down.
    wire: Option<this::CableEnds>,
    /// Threads that wait for `changed`.
    waiting: usize,
}

/// Nothing was done to any frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CableError {
    /// No frame that is held is the one asked for.
    #[error("no such frame is held on the cable; {held} others are")]
    NotHeld {
        /// How many frames are held.
        held: usize,
    },
    /// The stage is over.
    #[error("the cable was taken down")]
    Closed,
}

impl Cable {
    fn new(wire: this::CableEnds) -> Cable {
        let state = State { line: LinkEmulator::new(), wire: Some(wire), waiting: 0 };
        Cable { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// Takes what has happened since it was last taken, in order.
    pub fn take_events(&self) -> Vec<CableEvent> {
        self.state().line.log.take()
    }

    /// Waits until there is something to take, at most so long. False if there is nothing.
    pub fn wait_for_event(&self, most: Duration) -> bool {
        self.wait_until(most, |line| !line.log.is_empty())
    }

    /// Whether what happens is written down. It is from the start; without it frames that cross at once are not copied.
    pub fn set_recording(&self, on: bool) {
        self.state().line.log.recording = on;
    }

    /// Every frame that is sent from now on waits on the cable until it is told what to do, or the cable is mended.
    pub fn hold(&self) {
        self.state().line.hold();
    }

    /// Held frames cross. Gives their numbers.
    ///
    /// # Errors
    /// If no such frame is held.
    pub fn deliver(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| state.forward(frame, &[&frame.bytes], Fate::Delivered))
    }

    /// Held frames are thrown away. Gives their numbers.
    ///
    /// # Errors
    /// If no such frame is held.
    pub fn drop(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| {
            state.line.log.fate(Instant::now(), frame.number, Fate::Dropped)
        })
    }

    /// Held frames cross twice. Gives their numbers.
    ///
    /// # Errors
    /// If no such frame is held.
    pub fn duplicate(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| {
            state.forward(frame, &[&frame.bytes, &frame.bytes], Fate::Duplicated);
        })
    }

    /// Held frames cross with one bit turned over, see [`Frame::weakest_bit`]. Gives their numbers.
    ///
    /// # Errors
    /// If no such frame is held.
    pub fn corrupt(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| {
            let bit = frame.weakest_bit();
            let mut bytes = frame.bytes.clone();
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 0x80 >> (bit % 8);
            }
            state.forward(frame, &[&bytes], Fate::Corrupted { bit });
        })
    }

    /// All held frames cross, in each direction the newest first. Gives their numbers in the order in which they cross.
    ///
    /// # Errors
    /// If none is held.
    pub fn reorder(&self) -> Result<Vec<u64>, CableError> {
        let mut state = self.state();
        let mut frames = state.take(&FrameSelector::All)?;
        frames.reverse();
        for frame in &frames {
            state.forward(frame, &[&frame.bytes], Fate::Delivered);
        }
        self.unlock_and_notify(state);
        Ok(frames.iter().map(|frame| frame.number).collect())
    }

    /// Frames that are sent from now on take so long to cross, in each direction. Zero ends that; what is on its way arrives
    /// when it would have.
    pub fn delay(&self, delay: Duration) {
        self.state().line.delay(delay);
    }

    /// Cuts the cable: what is sent, arrives or is delivered from now on is lost. What is held stays held.
    pub fn cut(&self) {
        self.state().line.cut();
    }

    /// Makes the cable as new: nothing is held, cut or delayed any more. What was on it crosses in the order in which it was
    /// sent. Gives the numbers of those frames.
    pub fn mend(&self) -> Vec<u64> {
        let mut state = self.state();
        let frames = state.line.mend();
        for frame in &frames {
            state.forward(frame, &[&frame.bytes], Fate::Delivered);
        }
        self.unlock_and_notify(state);
        frames.iter().map(|frame| frame.number).collect()
    }

    /// What is held, oldest first.
    pub fn held(&self) -> Vec<Arc<Frame>> {
        self.state().line.held().to_vec()
    }

    /// Waits until such frames are held, at most so long: the kernel may send one soon, such as a delayed ACK. `Oldest(n)`
    /// waits for n of them. Gives those frames; they stay held.
    ///
    /// # Errors
    /// If time ran out, or the stage is over.
    pub fn wait_for_held(
        &self,
        which: &FrameSelector,
        most: Duration,
    ) -> Result<Vec<Arc<Frame>>, CableError> {
        let mut chosen = Vec::new();
        self.wait_until(most, |line| {
            chosen = which.choose(line.held());
            chosen.len() >= which.at_least()
        });
        if chosen.len() >= which.at_least() {
            return Ok(chosen);
        }
        let state = self.state();
        Err(if state.wire.is_none() {
            CableError::Closed
        } else {
            CableError::NotHeld { held: state.line.held().len() }
        })
    }

    /// Whether no frame is on its way: none waits to be taken from a host, none is between being taken and being sent on, none
    /// is delayed. Held frames are at rest.
    pub fn is_quiet(&self) -> bool {
        let state = self.state();
        // The thread of the cable takes and sends on under this lock.
        state.line.next_due().is_none() && state.wire.as_ref().is_none_or(this::CableEnds::is_empty)
    }

    fn for_each_held(
        &self,
        which: &FrameSelector,
        mut act: impl FnMut(&mut State, &Frame),
    ) -> Result<Vec<u64>, CableError> {
        let mut state = self.state();
        let frames = state.take(which)?;
        for frame in &frames {
            act(&mut state, frame);
        }
        self.unlock_and_notify(state);
        Ok(frames.iter().map(|frame| frame.number).collect())
    }

    fn wait_until(&self, most: Duration, mut enough: impl FnMut(&LinkEmulator) -> bool) -> bool {
        let until = Instant::now() + most;
        let mut state = self.state();
        state.waiting += 1;
        let found = loop {
            if enough(&state.line) {
                break true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.wire.is_none() {
                break false;
            }
            state = wait_timeout(&self.shared.changed, state, left);
        };
        state.waiting -= 1;
        found
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    /// Gives the lock back, and wakes whoever waits for a change.
    fn unlock_and_notify(&self, state: MutexGuard<'_, State>) {
        let anybody = state.waiting > 0;
        drop(state);
        if anybody {
            self.shared.changed.notify_all();
        }
    }
}

impl State {
    fn take(&mut self, which: &FrameSelector) -> Result<Vec<Arc<Frame>>, CableError> {
        if self.wire.is_none() {
            return Err(CableError::Closed);
        }
        let held = self.line.held().len();
        let frames = self.line.take(which);
        if frames.is_empty() { Err(CableError::NotHeld { held }) } else { Ok(frames) }
    }

    /// Sends copies of a frame on, and writes down what became of it.
    fn forward(&mut self, frame: &Frame, copies: &[&[u8]], fate: Fate) {
        let sent = !self.line.is_cut()
            && self.wire.as_ref().is_some_and(|wire| wire.send(frame.from.other(), copies) == copies.len());
        self.line.log.fate(Instant::now(), frame.number, if sent { fate } else { Fate::Lost });
    }
}
