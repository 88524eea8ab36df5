//! Where a lesson runs: two hosts that make the calls, each a thread, and beside each an observer that reads
//! the kernel.
//!
//! A host's thread makes the calls of the lesson and no others. So in `strace -f` the threads named `client`
//! and `server` show the lesson, and the threads named `observer` show what the program reads about it.

mod cable;
mod enter;
mod error;
mod host;
mod observer;
mod ports;
mod shutdown;
mod system;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, mpsc::Receiver},
    thread,
};

pub use cable::{
    Cable, CableError, CableEvent, CableEventKind, Capability, Fate, Frame, FrameSelector,
    Options as CableOptions, Reason, Setting, Timers, Unavailable, prepare as prepare_cable,
    probe as cable_probe,
};
pub use enter::{EnterError, enter};
pub use error::StageError;
pub use host::{CallHandle, Job};
pub use observer::Observation;

pub(crate) use crate::kernel::{Interest, poll};
pub(crate) use host::WorkerThread;
pub(crate) use shutdown::shutdown_flag;
pub(crate) use system::{raise_descriptor_limit, send_nonblocking, stdout_has_no_reader, trim_memory};

use crate::{call::SocketTable, event::Host, kernel};
use cable::{Network, VethConfig};
use host::{HostThread, Privileges};
use ports::Ports;

/// Two hosts and the network between them.
pub struct Stage {
    client: HostThread,
    server: HostThread,
    /// Maps the ports of a lesson to free ports of the machine. `None` on a cable and on a live stage, where
    /// ports are used as they are.
    ports: Option<Ports>,
    /// The network, if each host has a network stack of its own. Dropped after the hosts.
    network: Option<Network>,
}

impl Stage {
    /// Both hosts on this machine's loopback interface, 127.0.0.1. Works on every system.
    ///
    /// # Errors
    /// [`StageError::System`] if a thread cannot be started.
    pub fn loopback() -> Result<Stage, StageError> {
        let [client, server] = Stage::start_hosts(Privileges::Isolated, [None, None])?;
        Ok(Stage { client, server, ports: Some(Ports::new()), network: None })
    }

    /// The machine's network: one host acts, and its peers are other programs. Its sockets are in the
    /// process's descriptor table, where `ss -p` and `lsof` see them, and have the user's privileges.
    ///
    /// # Errors
    /// [`StageError::System`] if a thread cannot be started.
    pub fn live() -> Result<Stage, StageError> {
        let [client, server] = Stage::start_hosts(Privileges::Inherited, [None, None])?;
        Ok(Stage { client, server, ports: None, network: None })
    }

    /// Two hosts with a network stack each, 10.0.0.1 (client) and 10.0.0.2 (server), and a cable between them
    /// that this program emulates. Needs no root.
    ///
    /// The first cable of a process must be made while the process has one thread: it moves the whole process
    /// into a network namespace apart from the machine's network. If that fails, the process is as it was.
    ///
    /// # Errors
    /// Why this machine cannot have one, and what would change that.
    pub fn cable(options: CableOptions) -> Result<Stage, Unavailable> {
        let configs = Network::veth_configs(options)?;
        Stage::with_network(options, configs).map_err(|error| match error {
            StageError::Unavailable(why) => why,
            StageError::System { operation, source, .. } => Unavailable::other(operation, &source),
            other => Unavailable::other("making the stage", &other.into()),
        })
    }

    fn with_network(options: CableOptions, configs: [VethConfig; 2]) -> Result<Stage, StageError> {
        let privileges =
            if options.raw_sockets { Privileges::IsolatedWithRawSockets } else { Privileges::Isolated };
        let [mut client, mut server] = Stage::start_hosts(privileges, configs.map(Some))?;
        let networks = client.network.take().zip(server.network.take());
        let (one, other) = networks.expect("a host that was started with a configuration has a network");
        let network = Network::connect([one, other])?;
        Ok(Stage { client, server, ports: None, network: Some(network) })
    }

    fn start_hosts(
        privileges: Privileges,
        [client, server]: [Option<VethConfig>; 2],
    ) -> Result<[HostThread; 2], StageError> {
        system::install_interrupt_handler();
        Ok([
            HostThread::start(Host::Client, privileges, client)?,
            HostThread::start(Host::Server, privileges, server)?,
        ])
    }

    /// The kind of the stage, as in the trace and in the tags of a lesson: `cable`, `loopback` or `live`.
    pub fn name(&self) -> &'static str {
        match self {
            Stage { network: Some(_), .. } => "cable",
            Stage { ports: Some(_), .. } => "loopback",
            _ => "live",
        }
    }

    /// The cable between the hosts, if there is one.
    pub fn link(&self) -> Option<&Cable> {
        self.network.as_ref().map(Network::cable)
    }

    /// Changes a setting of a host's kernel, as sysctl(8) does: `net.ipv4.tcp_syn_retries` to `2`. Returns
    /// the old value, and the reason if the kernel refused the new one.
    ///
    /// # Errors
    /// [`StageError::NoNetwork`] without a cable; [`StageError::System`] if a thread cannot be started.
    pub fn set_sysctl(&self, host: Host, name: &str, value: &str) -> Result<Setting, StageError> {
        self.network()?.set(host, name, value)
    }

    /// Reads a setting of a host's kernel.
    ///
    /// # Errors
    /// [`StageError::NoNetwork`] without a cable; [`StageError::Setting`] if the kernel has no such setting.
    pub fn sysctl(&self, host: Host, name: &str) -> Result<String, StageError> {
        self.network()?.setting(host, name)
    }

    /// The settings that were changed on this stage, in order: by its options, then by [`Stage::set_sysctl`].
    pub fn settings(&self) -> Vec<Setting> {
        self.network.as_ref().map(Network::settings).unwrap_or_default()
    }

    fn network(&self) -> Result<&Network, StageError> {
        self.network.as_ref().ok_or(StageError::NoNetwork)
    }

    /// Whether the peers are other programs.
    pub fn is_live(&self) -> bool {
        self.ports.is_none() && self.network.is_none()
    }

    /// Whether a tag of a lesson holds here: an operating system, a kind of stage, or an ability such as
    /// `ipv6`. Tags joined by `+` must all hold.
    pub fn is(&self, tag: &str) -> bool {
        match (tag, &self.network) {
            _ if tag.contains('+') => tag.split('+').all(|one| self.is(one)),
            ("unix", _) => cfg!(unix),
            // On a cable the hosts have ::1 and no other IPv6 address: that would make the kernel send frames
            // by itself.
            ("ipv6", _) => std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok(),
            ("privileged-ports", Some(network)) => network.low_ports_are_privileged(),
            ("privileged-ports", None) => kernel::low_ports_are_privileged(),
            (other, _) => other == std::env::consts::OS || other == self.name(),
        }
    }

    /// A host's address.
    pub fn address(&self, host: Host, v6: bool) -> IpAddr {
        if self.network.is_some() {
            cable::address(host, v6)
        } else if v6 {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        }
    }

    /// The port to use for a port that a lesson names. 0 and ports below 1024 stand for themselves; on a
    /// cable and on a live stage, all do.
    ///
    /// # Errors
    /// [`StageError::NoFreePort`]
    pub fn port(&mut self, named: u16) -> Result<u16, StageError> {
        self.ports.as_mut().map_or(Ok(named), |ports| ports.resolve(named))
    }

    /// Whether sockets without a descriptor can be observed: closed ones, and connections that wait for
    /// `accept`.
    pub fn sees_closed_sockets(&self) -> bool {
        Host::ALL.iter().all(|host| self.thread(*host).observer.has_sock_diag)
    }

    /// The sockets of a host.
    pub fn sockets(&self, host: Host) -> &Arc<SocketTable> {
        &self.thread(host).sockets
    }

    /// Queues a job for the host's own thread. Jobs run in the order in which they were queued.
    pub fn start(&self, host: Host, job: Job) -> CallHandle {
        self.thread(host).start_job(job)
    }

    /// Runs a job on a new thread that has the host's name, network and descriptors.
    pub fn spawn(&self, host: Host, job: Job) -> CallHandle {
        self.thread(host).spawn(job)
    }

    /// Reads all sockets of both hosts, open and closed, and the other ends of their connections that have no
    /// descriptor.
    pub fn observe(&self) -> Vec<Observation> {
        // Both observers work at the same time. One whose host has no sockets is not asked.
        let answers = Host::ALL.map(|host| {
            let HostThread { sockets: desk, observer, .. } = self.thread(host);
            (!desk.is_empty()).then(|| observer.observe())
        });
        let mut seen: Vec<Observation> =
            answers.into_iter().flatten().flat_map(observer::Answer::wait).collect();
        for (host, name, local, peer) in missing_ends(&seen) {
            if let Some(socket) = self.thread(host).observer.find(local, peer) {
                let owner = self.sockets(host.other()).find(&name);
                seen.extend(owner.map(|held| Observation {
                    host,
                    entry: held,
                    socket: Some(socket),
                    other_end: true,
                }));
            }
        }
        seen
    }

    fn thread(&self, host: Host) -> &HostThread {
        match host {
            Host::Client => &self.client,
            Host::Server => &self.server,
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The last frames of the hosts still cross, so that both ends learn that the connection is over.
        if let Some(cable) = self.link() {
            cable.set_recording(false);
            cable.mend();
        }
    }
}

/// The other ends of the observed TCP connections that were not observed themselves: host, name of the socket
/// that is connected to it, local and remote address.
fn missing_ends(seen: &[Observation]) -> Vec<(Host, String, SocketAddr, SocketAddr)> {
    let mut missing = Vec::new();
    for one in seen.iter().filter(|one| one.entry.protocol.is_tcp()) {
        let Some(socket) = &one.socket else { continue };
        let target = if socket.state == Some("SYN_SENT") { one.entry.connect_target() } else { None };
        let Some((local, peer)) = socket.local.zip(socket.peer.or(target)) else { continue };
        if !seen.iter().any(|other| other.host != one.host && other.has_addresses(peer, local)) {
            missing.push((one.host.other(), one.entry.name.clone(), peer, local));
        }
    }
    missing
}

impl Observation {
    fn has_addresses(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let addresses = match &self.socket {
            Some(socket) => (socket.local, socket.peer),
            None => self.entry.addresses(),
        };
        addresses == (Some(local), Some(peer))
    }
}

/// Number of times to poll a channel, with a yield after each, before blocking on it. Most calls and readings
/// return within microseconds, and waking a blocked thread costs more.
const SPIN_LIMIT: usize = 64;

/// Receives what arrives within a few microseconds.
fn spin_recv<T>(receiver: &Receiver<T>) -> Option<T> {
    (0..SPIN_LIMIT).find_map(|_| {
        let arrived = receiver.try_recv().ok();
        if arrived.is_none() {
            thread::yield_now();
        }
        arrived
    })
}
