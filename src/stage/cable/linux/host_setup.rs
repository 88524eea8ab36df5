//! What a host's thread does to become a host: a network of its own, with one interface, whose other end is ours.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    super::{Options, Setting, Unavailable, address},
    namespace::{self, SetupError, SetupStep},
    offload::disable_offloads,
    rtnetlink::{Rtnetlink, index},
    settings,
};
use crate::event::Host;

/// What a host needs to know to move in.
pub(in super::super::super) struct VethConfig {
    host: Host,
    options: Options,
    /// The name of our end.
    pub(super) ours: String,
    /// The group of our ends of this stage.
    pub(super) group: u32,
}

/// What a host has found.
pub(in super::super::super) struct HostNetwork {
    /// The number of its thread.
    pub(super) thread: libc::pid_t,
    pub(super) ours: String,
    pub(super) group: u32,
    pub(super) settings: Vec<Setting>,
}

/// A host's Ethernet address: one of those that anybody may give out.
fn ethernet(host: Host) -> [u8; 6] {
    match host {
        Host::Client => [0x02, 0, 0, 0, 0, 1],
        Host::Server => [0x02, 0, 0, 0, 0, 2],
    }
}

impl VethConfig {
    /// The plugs of a new cable: client and server.
    pub(super) fn pair(options: Options) -> [VethConfig; 2] {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        // The group 0 is everybody's. Two stages may stand side by side, so each has names of its own.
        let group = COUNT.fetch_add(1, Ordering::Relaxed) % 1_000_000 + 1;
        Host::ALL.map(|host| VethConfig { host, options, ours: format!("{}{group}", host.name()), group })
    }

    /// Makes the calling thread a host.
    pub fn setup_host(self) -> Result<HostNetwork, Unavailable> {
        self.setup().map_err(|stumble| Unavailable::other(stumble.step.text(), &stumble.error))
    }

    /// Makes the calling thread a host. No descriptor is left open.
    ///
    /// Our end is set up first: then the host's has a carrier as soon as it is up, and loses no frame.
    pub(super) fn setup(self) -> Result<HostNetwork, SetupError> {
        let ground = Rtnetlink::open().map_err(SetupError::at(SetupStep::Pair))?;
        let sender =
            File::open("/proc/thread-self/ns/net").map_err(SetupError::at(SetupStep::HostNamespace))?;
        namespace::unshare(libc::CLONE_NEWNET).map_err(SetupError::at(SetupStep::HostNamespace))?;
        let own = File::open("/proc/thread-self/ns/net").map_err(SetupError::at(SetupStep::HostNamespace))?;
        ground
            .add_pair(&self.ours, self.group, own.as_raw_fd(), ethernet(self.host))
            .map_err(SetupError::at(SetupStep::Pair))?;
        super::network::enter_network(&sender)
            .and_then(|()| {
                let ours = index(&self.ours)?;
                // Where IPv6 is missing, there is nothing to be turned off.
                let _ = ground.disable_address_generation(ours);
                disable_offloads(&self.ours)?;
                ground.set_up(ours)
            })
            .and_then(|()| super::network::enter_network(&own))
            .map_err(SetupError::at(SetupStep::Pair))?;
        self.configure_host_end().map_err(SetupError::at(SetupStep::Pair))
    }

    /// In the host's own network: loopback, and `eth0` with its addresses.
    fn configure_host_end(self) -> io::Result<HostNetwork> {
        let netlink = Rtnetlink::open()?;
        netlink.set_up(index("lo")?)?;
        let mut settings = settings::set_timers(self.host, self.options.timers);
        if self.options.ping_sockets && self.host == Host::Client {
            settings.push(settings::allow_ping_sockets(self.host));
        }
        let eth0 = index("eth0")?;
        disable_offloads("eth0")?;
        // IPv6 would report to routers which groups it is in, as soon as it has an address. Without one it is silent; where it is
        // missing altogether, there is nothing to be turned off.
        let _ = netlink.disable_address_generation(eth0);
        netlink.add_address(eth0, address(self.host, false), 24)?;
        netlink.set_up(eth0)?;
        if self.options.known_neighbours {
            let other = self.host.other();
            netlink.add_neighbour(eth0, address(other, false), ethernet(other))?;
        }
        // SAFETY: takes and changes nothing.
        let thread = unsafe { libc::gettid() };
        Ok(HostNetwork { thread, ours: self.ours, group: self.group, settings })
    }
}
