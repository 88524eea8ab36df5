//! A host's network: a namespace with one interface, `eth0`, whose other end stays with the cable. See
//! veth(4).

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    super::{super::StageError, Options, Setting, address},
    namespace,
    offload::disable_offloads,
    rtnetlink::{Rtnetlink, index},
    settings,
    setup_error::{SetupError, SetupStep},
};
use crate::{event::Host, kernel::Task};

/// The interfaces of one host, before they are made.
pub(in super::super::super) struct VethConfig {
    host: Host,
    options: Options,
    /// The name of the cable's end: `client1`.
    pub(super) interface: String,
    /// The interface group of the cable's ends of this stage.
    pub(super) group: u32,
}

/// A host's network, once it is set up.
pub(in super::super::super) struct HostNetwork {
    /// The host's thread, which is in the network.
    pub(super) thread: Task,
    /// See [`VethConfig`].
    pub(super) interface: String,
    /// See [`VethConfig`].
    pub(super) group: u32,
    /// The kernel settings that were changed.
    pub(super) settings: Vec<Setting>,
}

/// A host's Ethernet address: unicast, and locally administered (the bit 0x02 of the first byte).
fn ethernet_address(host: Host) -> [u8; 6] {
    match host {
        Host::Client => [0x02, 0, 0, 0, 0, 1],
        Host::Server => [0x02, 0, 0, 0, 0, 2],
    }
}

impl VethConfig {
    /// The configurations of a new cable: client and server.
    pub(super) fn pair(options: Options) -> [VethConfig; 2] {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        // Stages of one process share a network namespace, so each has names and a group of its own. Group 0
        // is the default.
        let group = COUNT.fetch_add(1, Ordering::Relaxed) % 1_000_000 + 1;
        Host::ALL.map(|host| {
            let interface = format!("{}{group}", host.name());
            VethConfig { host, options, interface, group }
        })
    }

    /// Makes the calling thread a host, with a network of its own.
    pub fn setup_host(self) -> Result<HostNetwork, StageError> {
        Ok(self.setup()?)
    }

    /// As [`VethConfig::setup_host`]. Leaves no descriptor open.
    ///
    /// The cable's end is brought up first. So the host's end has a carrier as soon as it is up, and no frame
    /// is lost.
    pub(super) fn setup(self) -> Result<HostNetwork, SetupError> {
        let outside = Rtnetlink::open().map_err(SetupError::at(SetupStep::Pair))?;
        let process = namespace::current_network()?;
        namespace::unshare_network()?;
        let own = namespace::current_network()?;
        self.make_pair(&outside, &process, &own)
            .and_then(|()| self.configure_host_end())
            .map_err(SetupError::at(SetupStep::Pair))
    }

    /// Makes the pair, and configures the cable's end in the process's network. The thread is in `own` before
    /// and after.
    fn make_pair(&self, outside: &Rtnetlink, process: &File, own: &File) -> io::Result<()> {
        outside.add_pair(&self.interface, self.group, own.as_raw_fd(), ethernet_address(self.host))?;
        namespace::enter_network(process)?;
        let cable_end = index(&self.interface)?;
        // Fails on a kernel without IPv6, which generates no addresses anyway.
        let _ = outside.disable_address_generation(cable_end);
        disable_offloads(&self.interface)?;
        outside.set_up(cable_end)?;
        namespace::enter_network(own)
    }

    /// Configures loopback, and `eth0` with its address, in the host's own network.
    fn configure_host_end(&self) -> io::Result<HostNetwork> {
        let netlink = Rtnetlink::open()?;
        netlink.set_up(index("lo")?)?;
        let mut settings = settings::set_timers(self.host, self.options.timers);
        if self.options.ping_sockets && self.host == Host::Client {
            settings.push(settings::allow_ping_sockets(self.host));
        }
        let eth0 = index("eth0")?;
        disable_offloads("eth0")?;
        // With an IPv6 address, the kernel would report its multicast groups to routers, in frames that no
        // lesson expects. Fails on a kernel without IPv6.
        let _ = netlink.disable_address_generation(eth0);
        netlink.add_address(eth0, address(self.host, false), 24)?;
        netlink.set_up(eth0)?;
        if self.options.known_neighbours {
            let other = self.host.other();
            netlink.add_neighbour(eth0, address(other, false), ethernet_address(other))?;
        }
        let interface = self.interface.clone();
        Ok(HostNetwork { thread: Task::current(), interface, group: self.group, settings })
    }
}
