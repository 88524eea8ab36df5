//! The cable between two hosts: it records every frame, and can hold, deliver, drop, delay, duplicate or
//! corrupt it.
//!
//! Client and server are threads with network stacks of their own. Each has one Ethernet interface, whose
//! other end belongs to this program, and a thread named `cable` copies frames from one to the other. All of
//! this is in namespaces of this process, so nothing is left when the process ends, however it ends.
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

/// The configuration of a stage with a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The timers of the hosts' kernels.
    pub timers: Timers,
    /// Whether each host knows the other's Ethernet address from the start. If not, the first frame is an ARP
    /// request.
    pub known_neighbours: bool,
    /// Whether the hosts have CAP_NET_RAW, see capabilities(7).
    pub raw_sockets: bool,
    /// Whether the client may open ping sockets: `net.ipv4.ping_group_range`, see icmp(7).
    pub ping_sockets: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { timers: Timers::Default, known_neighbours: true, raw_sockets: false, ping_sockets: false }
    }
}

/// How long the hosts' kernels retransmit before they give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timers {
    /// The kernel's defaults.
    Default,
    /// The longest that can be set: the kernel's timers run while a person looks at a held frame.
    Stretched,
}

/// A change of a setting of a host's kernel, made or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The host.
    pub host: Host,
    /// The setting's name in sysctl(8): `net.ipv4.tcp_syn_retries`.
    pub name: String,
    /// The old value, if it could be read.
    pub before: Option<String>,
    /// The new value.
    pub value: String,
    /// The system's error, if the kernel refused the new value.
    pub failed: Option<String>,
}

/// How this process can make network namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// In a user namespace, without privileges, see user_namespaces(7).
    UserNamespace,
    /// By CAP_SYS_ADMIN, without a user namespace.
    Administrator,
}

/// A host's address on the cable. The IPv6 address stands in for one that the host does not have: with IPv6
/// the kernel would send frames by itself.
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

/// A handle of the cable. Clones refer to the same cable.
///
/// To be used outside of jobs: a host's thread has another descriptor table.
#[derive(Clone)]
pub struct Cable {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The link and its two ends. Frames are sent under the lock.
struct State {
    emulator: LinkEmulator,
    /// `None` after the end of the stage.
    ends: Option<this::CableEnds>,
    /// Number of threads that wait for `changed`.
    waiting: usize,
}

/// Why a command changed no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CableError {
    /// No held frame matches.
    #[error("no such frame is held on the cable; {held} others are")]
    NotHeld {
        /// Number of held frames.
        held: usize,
    },
    /// The stage has ended.
    #[error("the cable was taken down")]
    Closed,
}

impl Cable {
    fn new(ends: this::CableEnds) -> Cable {
        let state = State { emulator: LinkEmulator::new(), ends: Some(ends), waiting: 0 };
        Cable { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// Returns the events since the last call, in order.
    pub fn take_events(&self) -> Vec<CableEvent> {
        self.state().emulator.log.take()
    }

    /// Waits up to `timeout` for an event. Returns whether there is one.
    pub fn wait_for_event(&self, timeout: Duration) -> bool {
        self.wait_until(timeout, |emulator| !emulator.log.is_empty())
    }

    /// Turns the recording of events on or off. It is on at first. Without it, frames that cross at once are
    /// not copied.
    pub fn set_recording(&self, on: bool) {
        self.state().emulator.log.recording = on;
    }

    /// Holds every frame that is sent from now on, until a command releases it or the cable is mended.
    pub fn hold(&self) {
        self.state().emulator.hold();
    }

    /// Lets held frames cross. Returns their numbers.
    ///
    /// # Errors
    /// [`CableError::NotHeld`], [`CableError::Closed`]
    pub fn deliver(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| state.forward(frame, &[&frame.bytes], Fate::Delivered))
    }

    /// Drops held frames. Returns their numbers.
    ///
    /// # Errors
    /// [`CableError::NotHeld`], [`CableError::Closed`]
    pub fn drop(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| {
            state.emulator.log.fate(Instant::now(), frame.number, Fate::Dropped)
        })
    }

    /// Lets held frames cross twice. Returns their numbers.
    ///
    /// # Errors
    /// [`CableError::NotHeld`], [`CableError::Closed`]
    pub fn duplicate(&self, which: &FrameSelector) -> Result<Vec<u64>, CableError> {
        self.for_each_held(which, |state, frame| {
            state.forward(frame, &[&frame.bytes, &frame.bytes], Fate::Duplicated);
        })
    }

    /// Lets held frames cross with one bit inverted, see [`Frame::weakest_bit`]. Returns their numbers.
    ///
    /// # Errors
    /// [`CableError::NotHeld`], [`CableError::Closed`]
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

    /// Lets all held frames cross, the newest first. Returns their numbers in that order.
    ///
    /// # Errors
    /// [`CableError::NotHeld`], [`CableError::Closed`]
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

    /// Delays every frame that is sent from now on, in each direction. Zero ends that. Frames that are
    /// already delayed arrive in their time.
    pub fn delay(&self, delay: Duration) {
        self.state().emulator.delay(delay);
    }

    /// Cuts the cable: frames that are sent, or would arrive, from now on are lost. Held frames stay held.
    pub fn cut(&self) {
        self.state().emulator.cut();
    }

    /// Ends holding, cutting and delaying. The frames on the cable cross in the order in which they were
    /// sent. Returns their numbers.
    pub fn mend(&self) -> Vec<u64> {
        let mut state = self.state();
        let frames = state.emulator.mend();
        for frame in &frames {
            state.forward(frame, &[&frame.bytes], Fate::Delivered);
        }
        self.unlock_and_notify(state);
        frames.iter().map(|frame| frame.number).collect()
    }

    /// The held frames, oldest first.
    pub fn held(&self) -> Vec<Arc<Frame>> {
        self.state().emulator.held().to_vec()
    }

    /// Waits up to `timeout` until a matching frame is held; for `Oldest(n)`, until n frames are. Returns the
    /// frames, which stay held. The kernel sends some frames late, such as a delayed ACK.
    ///
    /// # Errors
    /// [`CableError::NotHeld`] if the time is over; [`CableError::Closed`]
    pub fn wait_for_held(
        &self,
        which: &FrameSelector,
        timeout: Duration,
    ) -> Result<Vec<Arc<Frame>>, CableError> {
        let mut chosen = Vec::new();
        self.wait_until(timeout, |emulator| {
            chosen = which.choose(emulator.held());
            chosen.len() >= which.at_least()
        });
        if chosen.len() >= which.at_least() {
            return Ok(chosen);
        }
        let state = self.state();
        Err(if state.ends.is_none() {
            CableError::Closed
        } else {
            CableError::NotHeld { held: state.emulator.held().len() }
        })
    }

    /// Whether no frame is in transit: every frame of a host was received, and all but the held ones were
    /// sent on.
    pub fn is_quiet(&self) -> bool {
        let state = self.state();
        // The cable's thread receives and sends under this lock.
        state.emulator.next_due().is_none() && state.ends.as_ref().is_none_or(this::CableEnds::is_empty)
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

    fn wait_until(&self, timeout: Duration, mut enough: impl FnMut(&LinkEmulator) -> bool) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.state();
        state.waiting += 1;
        let found = loop {
            if enough(&state.emulator) {
                break true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ends.is_none() {
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

    /// Releases the lock, and wakes the threads that wait for a change.
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
        if self.ends.is_none() {
            return Err(CableError::Closed);
        }
        let held = self.emulator.held().len();
        let frames = self.emulator.take(which);
        if frames.is_empty() { Err(CableError::NotHeld { held }) } else { Ok(frames) }
    }

    /// Sends copies of a frame on, and logs its fate.
    fn forward(&mut self, frame: &Frame, copies: &[&[u8]], fate: Fate) {
        let sent = !self.emulator.is_cut()
            && self.ends.as_ref().is_some_and(|ends| ends.send(frame.from.other(), copies) == copies.len());
        self.emulator.log.fate(Instant::now(), frame.number, if sent { fate } else { Fate::Lost });
    }
}
