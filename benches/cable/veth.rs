//! Two hosts as the cable's, joined by one veth pair and by nothing of ours: what the kernel does alone.
#![allow(unsafe_code, reason = "unshare(2) has no safe form in the crates we use")]

#[path = "../../src/stage/cable/linux/offload.rs"]
mod offload;
#[allow(dead_code, unused_imports, reason = "the stage does more with it, and tests it")]
#[path = "../../src/stage/cable/linux/rtnetlink.rs"]
mod rtnetlink;

use std::{
    fs::File,
    net::Ipv4Addr,
    os::fd::AsRawFd,
    sync::{Barrier, mpsc},
    thread,
};

use rtnetlink::Rtnetlink;

/// The addresses are those of a cable.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Runs both, each in a network of its own. The process must have moved to its ground:
/// [`sockwalk::stage::prepare_cable`].
pub fn joined(offloads: bool, server: impl FnOnce() + Send, client: impl FnOnce() + Send) {
    let (namespace, at) = mpsc::channel();
    let (plugged, ready) = (Barrier::new(2), Barrier::new(2));
    let (plugged, ready) = (&plugged, &ready);
    thread::scope(|scope| {
        scope.spawn(move || {
            alone();
            let own = File::open("/proc/thread-self/ns/net").expect("it has one");
            namespace.send(own).expect("the client waits for it");
            plugged.wait();
            furnish(SERVER, offloads);
            ready.wait();
            server();
        });
        scope.spawn(move || {
            alone();
            let other = at.recv().expect("the server has a network");
            Rtnetlink::open()
                .and_then(|netlink| netlink.add_pair("eth0", 1, other.as_raw_fd(), [2, 0, 0, 0, 0, 2]))
                .expect("a pair can be had where the cable can");
            plugged.wait();
            furnish(CLIENT, offloads);
            ready.wait();
            client();
        });
    });
}

/// Gives this thread a network of its own.
fn alone() {
    // SAFETY: takes no pointer, and changes this thread alone.
    let done = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    assert!(done == 0, "{}", std::io::Error::last_os_error());
}

fn furnish(address: Ipv4Addr, offloads: bool) {
    if !offloads {
        offload::disable_offloads("eth0").expect("that can be had where the cable can");
    }
    let furnished = Rtnetlink::open().and_then(|netlink| {
        let eth0 = rtnetlink::index("eth0")?;
        let _ = netlink.disable_address_generation(eth0);
        netlink.add_address(eth0, address.into(), 24)?;
        netlink.set_up(eth0)
    });
    furnished.expect("that can be had where the cable can");
}
