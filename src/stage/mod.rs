//! Where it happens: two hosts that make the calls, each a thread, and observers that read the kernel for the narration.
//!
//! A host's thread makes the narrated calls and nothing else, so in `strace -f` the threads named `client` and `server` show
//! the lesson, and the threads named `observer` what was read about it.

mod cable;
mod enter;
mod host;
mod observer;
mod poll;
mod ports;
mod shutdown;
mod system;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, mpsc::Receiver},
    thread,
};

pub use cable::{
    Cable, CableError, CableEvent, CableEventKind, Fate, Frame, FrameSelector, Options as CableOptions,
    Possible, Reason, Setting, Timers, Unavailable, Way, prepare as prepare_cable, probe as cable_probe,
};
pub use enter::{EnterError, enter};
pub use host::{CallHandle, Job, WorkerThread};
pub use observer::Observation;
pub use poll::{Interest, Readiness, poll, send_nonblocking};
pub use shutdown::shutdown_flag;
pub use system::{raise_descriptor_limit, stdout_has_no_reader, trim_memory};

use crate::{
    call::{Desk, Held},
    event::Host,
    kernel,
};
use cable::{Network, VethConfig};
use host::{HostThread, Privileges};
use ports::Ports;

/// Two hosts and what is between them.
pub struct Stage {
    client: HostThread,
    server: HostThread,
    /// The ports that stand for those of a lesson; none on a cable and on the open machine, where a port is what it is.
    ports: Option<Ports>,
    /// What is between the hosts, if each has a network of its own. It goes after the hosts.
    network: Option<Network>,
}

impl Stage {
    /// Both hosts on this machine's loopback interface, 127.0.0.1. Works everywhere.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn loopback() -> io::Result<Stage> {
        let [client, server] = Stage::start_hosts(Privileges::Isolated, [None, None])?;
        Ok(Stage { client, server, ports: Some(Ports::new()), network: None })
    }

    /// On the open machine: one host acts, and the other side is whatever program is out there. Its sockets are the process's
    /// own, for `ss -p` and `lsof` to see, with the rights of whoever started it.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn live() -> io::Result<Stage> {
        let [client, server] = Stage::start_hosts(Privileges::Inherited, [None, None])?;
        Ok(Stage { client, server, ports: None, network: None })
    }

    /// Two hosts with a network stack each, 10.0.0.1 (client) and 10.0.0.2 (server), and a cable between them that is this
    /// program. Needs no root.
    ///
    /// The first one of a process has to be made while there is a single thread: from then on the whole process is in a network
    /// of its own, apart from the machine's. Where the cable can't be had, the process stays as it was.
    ///
    /// # Errors
    /// Why there can't be one here, and what would change that.
    pub fn cable(options: CableOptions) -> Result<Stage, Unavailable> {
        let plugs = Network::veth_configs(options)?;
        Stage::with_network(options, plugs).map_err(|error| {
            error.downcast().unwrap_or_else(|error| Unavailable::other("laying the cable", &error))
        })
    }

    fn with_network(options: CableOptions, plugs: [VethConfig; 2]) -> io::Result<Stage> {
        let rights =
            if options.raw_sockets { Privileges::IsolatedWithRawSockets } else { Privileges::Isolated };
        let [mut client, mut server] = Stage::start_hosts(rights, plugs.map(Some))?;
        let moved_in = client.moved_in.take().zip(server.moved_in.take());
        let (one, other) = moved_in.ok_or_else(|| io::Error::other("a host did not move in"))?;
        let network = Some(Network::connect([one, other])?);
        Ok(Stage { client, server, ports: None, network })
    }

    fn start_hosts(
        rights: Privileges,
        [client, server]: [Option<VethConfig>; 2],
    ) -> io::Result<[HostThread; 2]> {
        system::install_interrupt_handler();
        Ok([
            HostThread::start(Host::Client, rights, client)?,
            HostThread::start(Host::Server, rights, server)?,
        ])
    }

    /// The stage's name, as in the trace and in the tags of a lesson.
    pub fn name(&self) -> &'static str {
        match self {
            Stage { network: Some(_), .. } => "cable",
            Stage { ports: Some(_), .. } => "loopback",
            _ => "live",
        }
    }

    /// The cable between the hosts, where there is one.
    pub fn link(&self) -> Option<&Cable> {
        self.network.as_ref().map(Network::cable)
    }

    /// Changes a setting of a host's kernel, as sysctl(8) does: `net.ipv4.tcp_syn_retries` to `2`. Only on a cable, where a host
    /// has a network of its own. Gives what it was before; whether it could be changed is in there too.
    ///
    /// # Errors
    /// Where there is no cable.
    pub fn set_sysctl(&self, host: Host, name: &str, value: &str) -> io::Result<Setting> {
        self.own_network()?.set(host, name, value)
    }

    /// Reads a setting of a host's kernel.
    ///
    /// # Errors
    /// Where there is no cable, or no such setting.
    pub fn sysctl(&self, host: Host, name: &str) -> io::Result<String> {
        self.own_network()?.setting(host, name)
    }

    /// The settings that were changed on this stage, in order: by its options, then by [`Stage::set_sysctl`].
    pub fn settings(&self) -> Vec<Setting> {
        self.network.as_ref().map(Network::settings).unwrap_or_default()
    }

    fn own_network(&self) -> io::Result<&Network> {
        self.network.as_ref().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "only on a cable has a host settings of its own")
        })
    }

    /// Whether the other side is somebody else's program.
    pub fn is_live(&self) -> bool {
        self.ports.is_none() && self.network.is_none()
    }

    /// Whether a tag of a lesson, such as `linux` or `ipv6`, holds here.
    pub fn is(&self, tag: &str) -> bool {
        match (tag, &self.network) {
            _ if tag.contains('+') => tag.split('+').all(|one| self.is(one)),
            ("unix", _) => cfg!(unix),
            // On a cable too: each host has its ::1, and no more, as an address on the cable would bring frames of its own.
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

    /// The port that stands here for the one that the lesson names. 0 and ports under 1024 stand for themselves, and on a cable and live all do.
    ///
    /// # Errors
    /// If no port is free.
    pub fn port(&mut self, named: u16) -> io::Result<u16> {
        self.ports.as_mut().map_or(Ok(named), |ports| ports.resolve(named))
    }

    /// Whether sockets without a descriptor can be seen: closed ones, and those that wait for accept.
    pub fn sees_closed_sockets(&self) -> bool {
        Host::ALL.iter().all(|host| self.thread(*host).observer.has_table)
    }

    /// The desk of a host: which sockets it holds.
    pub fn desk(&self, host: Host) -> &Arc<Desk> {
        &self.thread(host).desk
    }

    /// Starts a job on a host's own thread, or beside it on one of its own.
    pub fn start(&self, host: Host, beside: bool, job: Job) -> CallHandle {
        self.thread(host).send(beside, job)
    }

    /// Reads all sockets of both hosts, open and closed, and those of the other ends that have no descriptor yet.
    pub fn observe(&self) -> Vec<Observation> {
        // Both are asked before either is waited for; a host without sockets has nothing to be asked.
        let answers = Host::ALL.map(|host| {
            let HostThread { desk, observer, .. } = self.thread(host);
            (!desk.is_empty()).then(|| observer.observe())
        });
        let mut seen: Vec<Observation> =
            answers.into_iter().flatten().flat_map(observer::Answer::wait).collect();
        let strangers: Vec<(Host, String, SocketAddr, SocketAddr)> = seen
            .iter()
            .filter_map(|one| Some((one, one.socket.as_ref()?)))
            .filter_map(|(one, reading)| {
                let calling = (reading.state == Some("SYN_SENT")).then(|| one.held.called()).flatten();
                Some((one, reading.local?, reading.peer.or(calling)?))
            })
            .filter(|(one, local, peer)| {
                !seen.iter().any(|other| other.host != one.host && other.has_ends(*peer, *local))
            })
            .filter(|(one, ..)| one.held.protocol.is_tcp())
            .map(|(one, local, peer)| (one.host.other(), one.held.name.clone(), peer, local))
            .collect();
        for (host, name, local, peer) in strangers {
            if let Some(reading) = self.thread(host).observer.find(local, peer) {
                let owner = self.desk(host.other()).find(&name);
                seen.extend(owner.map(|held| Observation {
                    host,
                    held,
                    socket: Some(reading),
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
        // The hosts' last frames are to cross: so both ends of a connection learn that it is over.
        if let Some(cable) = self.link() {
            cable.set_recording(false);
            cable.mend();
        }
    }
}

/// Most calls and most readings take a few microseconds, and to fall asleep and be woken takes longer: so often is looked before
/// that, each time letting others run.
const SPIN_LIMIT: usize = 64;

/// What arrives within the next few microseconds.
fn spin_recv<T>(from: &Receiver<T>) -> Option<T> {
    (0..SPIN_LIMIT).find_map(|_| {
        let arrived = from.try_recv().ok();
        if arrived.is_none() {
            thread::yield_now();
        }
        arrived
    })
}

impl Observation {
    fn has_ends(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let ends = |held: &Held| held.ends();
        match &self.socket {
            Some(reading) => reading.local == Some(local) && reading.peer == Some(peer),
            None => ends(&self.held) == (Some(local), Some(peer)),
        }
    }
}
