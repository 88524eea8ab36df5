//! Both hosts and the cable between them, from the first to the last moment of a stage.

use std::{fs::File, io, os::fd::AsRawFd, sync::Mutex, thread};

use super::{
    super::{Cable, Options, Setting, Unavailable},
    forwarder::Forwarder,
    host_setup::{HostNetwork, VethConfig},
    namespace,
    packet_socket::{CableEnds, PacketSocket},
    rtnetlink::Rtnetlink,
    settings,
    sock_destroy::destroy_tcp_sockets,
};
use crate::sync::lock;
use crate::{event::Host, kernel};

/// The two networks and what connects them. Dropping it takes all down.
pub(in super::super::super) struct Network {
    cable: Cable,
    pump: Option<Forwarder>,
    /// Of our interfaces.
    group: u32,
    client: End,
    server: End,
    settings: Mutex<Vec<Setting>>,
}

/// A host's network as seen from here.
struct End {
    namespace: File,
}

impl Network {
    /// Lays the ground for the process, if that is not done yet, and gives each host its plug: client, then server.
    pub fn veth_configs(options: Options) -> Result<[VethConfig; 2], Unavailable> {
        namespace::ensure_entered()?;
        Ok(VethConfig::pair(options))
    }

    /// Lays the cable between two hosts that have moved in: client, then server.
    pub fn connect([client, server]: [HostNetwork; 2]) -> io::Result<Network> {
        let group = client.group;
        // The kernel waits when it makes a ring: for both at a time.
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| PacketSocket::open(&client.ours));
            let other = PacketSocket::open(&server.ours);
            (one.join().unwrap_or_else(|_| Err(panicked())), other)
        });
        let wire = CableEnds::new(one?, other?);
        let settings = client.settings.iter().chain(&server.settings).cloned().collect();
        let (client, server) = (End::of(&client)?, End::of(&server)?);
        let (cable, pump) = Forwarder::start(wire)?;
        Ok(Network { cable, pump: Some(pump), group, client, server, settings: Mutex::new(settings) })
    }

    /// The cable.
    pub fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Changes a setting of a host's kernel, and remembers it.
    pub fn set(&self, host: Host, name: &str, value: &str) -> io::Result<Setting> {
        let setting = self.within(host, || settings::set(host, name, value))?;
        lock(&self.settings).push(setting.clone());
        Ok(setting)
    }

    /// What was changed so far, in order.
    pub fn settings(&self) -> Vec<Setting> {
        lock(&self.settings).clone()
    }

    /// Reads a setting of a host's kernel.
    pub fn setting(&self, host: Host, name: &str) -> io::Result<String> {
        self.within(host, || settings::read(name))?
    }

    /// Whether an ordinary user may not bind port 80 on either host.
    pub fn low_ports_are_privileged(&self) -> bool {
        Host::ALL.into_iter().all(|host| self.within(host, kernel::low_ports_are_privileged).unwrap_or(true))
    }

    /// Does something on a thread in a host's network. Not on the host's own thread: its descriptors are the lesson's.
    fn within<T: Send>(&self, host: Host, job: impl FnOnce() -> T + Send) -> io::Result<T> {
        let end = self.end(host);
        thread::scope(|scope| {
            let inside = move || enter_network(&end.namespace).map(|()| job());
            let thread = thread::Builder::new().name("settings".to_owned()).spawn_scoped(scope, inside)?;
            thread.join().unwrap_or_else(|_| Err(panicked()))
        })
    }

    fn end(&self, host: Host) -> &End {
        match host {
            Host::Client => &self.client,
            Host::Server => &self.server,
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // A connection whose program is gone would keep its namespace until its timers have run out.
        for host in Host::ALL {
            let _ = self.within(host, destroy_tcp_sockets);
        }
        // The namespaces end when nobody uses them any more; the interfaces at once. The kernel waits here too.
        thread::scope(|scope| {
            scope.spawn(|| Rtnetlink::open().and_then(|netlink| netlink.remove_group(self.group)));
            drop(self.pump.take());
        });
    }
}

impl End {
    fn of(host: &HostNetwork) -> io::Result<End> {
        // `/proc/self/task` and not `thread-self`: it is another thread's.
        let namespace = File::open(format!("/proc/self/task/{}/ns/net", host.thread))?;
        Ok(End { namespace })
    }
}

fn panicked() -> io::Error {
    io::Error::other("a thread of ours gave up")
}

/// Moves the calling thread to that network namespace. Corresponds to `setns(2)`.
pub(super) fn enter_network(namespace: &File) -> io::Result<()> {
    // SAFETY: takes no pointer, and changes this thread alone.
    if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
