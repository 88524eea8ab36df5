//! Where it happens: two hosts that make the calls, each a thread, and observers that read the kernel for the narration.
//!
//! A host's thread makes the narrated calls and nothing else, so in `strace -f` the threads named `client` and `server` show
//! the lesson, and the threads named `observer` what was read about it.

mod ending;
mod host;
mod observer;
mod ports;
mod system;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, mpsc::Receiver},
    thread,
};

pub use ending::told_to_end;
pub use host::{Hand, Job, Ticket};
pub use observer::Seen;
pub use system::{give_memory_back, nobody_reads_stdout, raise_descriptor_limit};

use crate::{
    call::{Desk, Held},
    kernel,
    trace::Host,
};
use host::{HostThread, Rights};
use ports::Ports;

/// Two hosts and what is between them.
pub struct Stage {
    client: HostThread,
    server: HostThread,
    /// The ports that stand for those of a lesson; none on the open machine, where a port is what it is.
    ports: Option<Ports>,
}

impl Stage {
    /// Both hosts on this machine's loopback interface, 127.0.0.1. Works everywhere.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn loopback() -> io::Result<Stage> {
        Stage::start_hosts(Rights::OwnWorld, Some(Ports::new()))
    }

    /// On the open machine: one host acts, and the other side is whatever program is out there. Its sockets are the process's
    /// own, for `ss -p` and `lsof` to see, with the rights of whoever started it.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn live() -> io::Result<Stage> {
        Stage::start_hosts(Rights::OfTheProcess, None)
    }

    fn start_hosts(rights: Rights, ports: Option<Ports>) -> io::Result<Stage> {
        system::prepare();
        Ok(Stage {
            client: HostThread::start(Host::Client, rights)?,
            server: HostThread::start(Host::Server, rights)?,
            ports,
        })
    }

    /// The stage's name, as in the trace and in the tags of a lesson.
    pub fn name(&self) -> &'static str {
        if self.is_live() { "live" } else { "loopback" }
    }

    /// Whether the other side is somebody else's program.
    pub fn is_live(&self) -> bool {
        self.ports.is_none()
    }

    /// Whether a tag of a lesson, such as `linux` or `ipv6`, holds here.
    pub fn is(&self, tag: &str) -> bool {
        match tag {
            "unix" => cfg!(unix),
            "ipv6" => std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok(),
            "privileged-ports" => kernel::low_ports_are_privileged(),
            other => other == std::env::consts::OS || other == self.name(),
        }
    }

    /// A host's address.
    pub fn address(&self, _: Host, v6: bool) -> IpAddr {
        if v6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
    }

    /// The port that stands here for the one that the lesson names. 0 and ports under 1024 stand for themselves, and live all do.
    ///
    /// # Errors
    /// If no port is free.
    pub fn port(&mut self, named: u16) -> io::Result<u16> {
        self.ports.as_mut().map_or(Ok(named), |ports| ports.real(named))
    }

    /// Whether sockets without a descriptor can be seen: closed ones, and those that wait for accept.
    pub fn sees_without_descriptor(&self) -> bool {
        Host::ALL.iter().all(|host| self.thread(*host).observer.has_table)
    }

    /// The desk of a host: which sockets it holds.
    pub fn desk(&self, host: Host) -> &Arc<Desk> {
        &self.thread(host).desk
    }

    /// Starts a job on a host's own thread, or beside it on one of its own.
    pub fn start(&self, host: Host, beside: bool, job: Job) -> Ticket {
        self.thread(host).give(beside, job)
    }

    /// Reads all sockets of both hosts, open and closed, and those of the other ends that have no descriptor yet.
    pub fn look(&self) -> Vec<Seen> {
        // Both are asked before either is waited for; a host without sockets has nothing to be asked.
        let answers = Host::ALL.map(|host| {
            let HostThread { desk, observer, .. } = self.thread(host);
            (!desk.is_empty()).then(|| observer.look())
        });
        let mut seen: Vec<Seen> = answers.into_iter().flatten().flat_map(observer::Answer::wait).collect();
        let strangers: Vec<(Host, String, SocketAddr, SocketAddr)> = seen
            .iter()
            .filter_map(|one| Some((one, one.reading.as_ref()?)))
            .filter_map(|(one, reading)| Some((one, reading.local?, reading.peer?)))
            .filter(|(one, local, peer)| {
                !seen.iter().any(|other| other.host != one.host && other.has_ends(*peer, *local))
            })
            .filter(|(one, ..)| one.held.protocol.is_tcp())
            .map(|(one, local, peer)| (one.host.other(), one.held.name.clone(), peer, local))
            .collect();
        for (host, name, local, peer) in strangers {
            if let Some(reading) = self.thread(host).observer.find(local, peer) {
                let owner = self.desk(host.other()).find(&name);
                seen.extend(owner.map(|held| Seen { host, held, reading: Some(reading), other_end: true }));
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

/// Most calls and most readings take a few microseconds, and to fall asleep and be woken takes longer: so often is looked before
/// that, each time letting others run.
const LOOKS: usize = 64;

/// What arrives within the next few microseconds.
fn soon<T>(from: &Receiver<T>) -> Option<T> {
    (0..LOOKS).find_map(|_| {
        let arrived = from.try_recv().ok();
        if arrived.is_none() {
            thread::yield_now();
        }
        arrived
    })
}

impl Seen {
    fn has_ends(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let ends = |held: &Held| held.ends();
        match &self.reading {
            Some(reading) => reading.local == Some(local) && reading.peer == Some(peer),
            None => ends(&self.held) == (Some(local), Some(peer)),
        }
    }
}
