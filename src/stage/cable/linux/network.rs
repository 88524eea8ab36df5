//! The networks of both hosts, and the cable between them.

use std::{fs::File, io, sync::Mutex, thread};

use super::{
    super::{super::StageError, Cable, Options, Setting, Unavailable},
    forwarder::Forwarder,
    host_setup::{HostNetwork, VethConfig},
    namespace::enter_network,
    packet_socket::{CableEnds, PacketSocket},
    prepare::prepare,
    rtnetlink::Rtnetlink,
    settings,
    sock_destroy::destroy_tcp_sockets,
};
use crate::sync::lock;
use crate::{event::Host, kernel};

/// The two networks and the cable. Dropping it removes them.
pub(in super::super::super) struct Network {
    cable: Cable,
    forwarder: Option<Forwarder>,
    /// The interface group of the cable's ends.
    group: u32,
    /// The hosts' network namespaces.
    client: File,
    server: File,
    settings: Mutex<Vec<Setting>>,
}

impl Network {
    /// Prepares the process for cables, and returns a configuration for each host: client, then server.
    pub fn veth_configs(options: Options) -> Result<[VethConfig; 2], Unavailable> {
        prepare()?;
        Ok(VethConfig::pair(options))
    }

    /// Connects two hosts that have their networks: client, then server.
    pub fn connect([client, server]: [HostNetwork; 2]) -> Result<Network, StageError> {
        let failed = StageError::system("open the packet socket", "cable");
        let group = client.group;
        // The kernel blocks while it makes a ring: both are made at the same time.
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| PacketSocket::open(&client.interface));
            let other = PacketSocket::open(&server.interface);
            (one.join().unwrap_or_else(|_| Err(panicked())), other)
        });
        let ends = CableEnds::new(one.map_err(&failed)?, other.map_err(failed)?);
        let settings = client.settings.iter().chain(&server.settings).cloned().collect();
        let failed = StageError::system("open the network namespace", "host");
        let [client, server] =
            [namespace_of(&client).map_err(&failed)?, namespace_of(&server).map_err(failed)?];
        let (cable, forwarder) =
            Forwarder::start(ends).map_err(StageError::system("start the thread", "cable"))?;
        let settings = Mutex::new(settings);
        Ok(Network { cable, forwarder: Some(forwarder), group, client, server, settings })
    }

    /// The cable.
    pub fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Changes a setting of a host's kernel, and records the change.
    pub fn set(&self, host: Host, name: &str, value: &str) -> Result<Setting, StageError> {
        let setting = self.within(host, || settings::set(host, name, value))?;
        lock(&self.settings).push(setting.clone());
        Ok(setting)
    }

    /// The changes so far, in order.
    pub fn settings(&self) -> Vec<Setting> {
        lock(&self.settings).clone()
    }

    /// Reads a setting of a host's kernel.
    pub fn setting(&self, host: Host, name: &str) -> Result<String, StageError> {
        self.within(host, || settings::read(name))?
            .map_err(|source| StageError::Setting { name: name.to_owned(), source })
    }

    /// Whether unprivileged processes may not bind port 80 on either host.
    pub fn low_ports_are_privileged(&self) -> bool {
        Host::ALL.into_iter().all(|host| self.within(host, kernel::low_ports_are_privileged).unwrap_or(true))
    }

    /// Runs `job` on a new thread in a host's network. The host's own thread makes the lesson's calls only.
    fn within<T: Send>(&self, host: Host, job: impl FnOnce() -> T + Send) -> Result<T, StageError> {
        let namespace = match host {
            Host::Client => &self.client,
            Host::Server => &self.server,
        };
        thread::scope(|scope| {
            let inside = move || enter_network(namespace).map(|()| job());
            let thread = thread::Builder::new().name("settings".to_owned()).spawn_scoped(scope, inside)?;
            thread.join().unwrap_or_else(|_| Err(panicked()))
        })
        .map_err(StageError::system("enter the network", host.name()))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // A connection that outlives its program would keep its namespace alive until its timers end.
        for host in Host::ALL {
            let _ = self.within(host, destroy_tcp_sockets);
        }
        // A namespace ends with its last user, the interfaces at once. The kernel blocks in both: they are
        // done at the same time.
        thread::scope(|scope| {
            scope.spawn(|| Rtnetlink::open().and_then(|netlink| netlink.remove_group(self.group)));
            drop(self.forwarder.take());
        });
    }
}

/// The network namespace of a host's thread. (`/proc/thread-self` is that of the calling thread.)
fn namespace_of(host: &HostNetwork) -> io::Result<File> {
    let thread = host.thread.id().unwrap_or_default();
    File::open(format!("/proc/self/task/{thread}/ns/net"))
}

fn panicked() -> io::Error {
    io::Error::other("a thread panicked")
}
