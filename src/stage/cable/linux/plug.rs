//! What a host's thread does to become a host: a network of its own, with one interface, whose other end is ours.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    super::{Options, Setting, Unavailable, address},
    ground::{self, Step, Stumble},
    interface::turn_offloads_off,
    netlink::{Netlink, index},
    settings,
};
use crate::event::Host;

/// What a host needs to know to move in.
pub(in super::super::super) struct Plug {
    host: Host,
    options: Options,
    /// The name of our end.
    pub(super) ours: String,
    /// The group of our ends of this stage.
    pub(super) group: u32,
}

/// What a host has found.
pub(in super::super::super) struct MovedIn {
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

impl Plug {
    /// The plugs of a new cable: client and server.
    pub(super) fn pair(options: Options) -> [Plug; 2] {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        // The group 0 is everybody's. Two stages may stand side by side, so each has names of its own.
        let group = COUNT.fetch_add(1, Ordering::Relaxed) % 1_000_000 + 1;
        Host::ALL.map(|host| Plug { host, options, ours: format!("{}{group}", host.name()), group })
    }

    /// Makes the calling thread a host.
    pub fn into_host(self) -> Result<MovedIn, Unavailable> {
        self.move_in().map_err(|stumble| Unavailable::other(stumble.step.text(), &stumble.error))
    }

    /// Makes the calling thread a host. No descriptor is left open.
    ///
    /// Our end is set up first: then the host's has a carrier as soon as it is up, and loses no frame.
    pub(super) fn move_in(self) -> Result<MovedIn, Stumble> {
        let ground = Netlink::open().map_err(Stumble::at(Step::Pair))?;
        let sender = File::open("/proc/thread-self/ns/net").map_err(Stumble::at(Step::HostNamespace))?;
        ground::unshare(libc::CLONE_NEWNET).map_err(Stumble::at(Step::HostNamespace))?;
        let own = File::open("/proc/thread-self/ns/net").map_err(Stumble::at(Step::HostNamespace))?;
        ground
            .add_pair(&self.ours, self.group, own.as_raw_fd(), ethernet(self.host))
            .map_err(Stumble::at(Step::Pair))?;
        super::network::go_to(&sender)
            .and_then(|()| {
                let ours = index(&self.ours)?;
                // Where IPv6 is missing, there is nothing to be turned off.
                let _ = ground.no_address_by_itself(ours);
                turn_offloads_off(&self.ours)?;
                ground.set_up(ours)
            })
            .and_then(|()| super::network::go_to(&own))
            .map_err(Stumble::at(Step::Pair))?;
        self.furnish().map_err(Stumble::at(Step::Pair))
    }

    /// In the host's own network: loopback, and `eth0` with its addresses.
    fn furnish(self) -> io::Result<MovedIn> {
        let netlink = Netlink::open()?;
        netlink.set_up(index("lo")?)?;
        let mut settings = settings::set_timers(self.host, self.options.timers);
        if self.options.ping_sockets && self.host == Host::Client {
            settings.push(settings::let_ping(self.host));
        }
        let eth0 = index("eth0")?;
        turn_offloads_off("eth0")?;
        // IPv6 would report to routers which groups it is in, as soon as it has an address. Without one it is silent; where it is
        // missing altogether, there is nothing to be turned off.
        let _ = netlink.no_address_by_itself(eth0);
        netlink.add_address(eth0, address(self.host, false), 24)?;
        netlink.set_up(eth0)?;
        if self.options.known_neighbours {
            let other = self.host.other();
            netlink.add_neighbour(eth0, address(other, false), ethernet(other))?;
        }
        // SAFETY: takes and changes nothing.
        let thread = unsafe { libc::gettid() };
        Ok(MovedIn { thread, ours: self.ours, group: self.group, settings })
    }
}
