//! Namespaces: making them with `unshare(2)`, and entering them with `setns(2)`. See namespaces(7).

use std::{fs, fs::File, io, os::fd::AsFd};

use rustix::{
    process::{getegid, geteuid},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe},
};

use super::{
    super::{Capability, Reason, Unavailable},
    rtnetlink::{self, Rtnetlink},
    setup_error::{SetupError, SetupStep},
};

/// Moves the process into a network namespace of its own, and brings its loopback interface up. Without
/// CAP_SYS_ADMIN the process moves into a user namespace too. The process must have one thread.
pub(super) fn unshare_process(capability: Capability) -> Result<(), SetupError> {
    let (user, group) = (geteuid(), getegid());
    unshare(match capability {
        Capability::UserNamespace => UnshareFlags::NEWUSER | UnshareFlags::NEWNET,
        Capability::Administrator => UnshareFlags::NEWNET,
    })
    .map_err(SetupError::at(SetupStep::Unshare))?;
    if capability == Capability::UserNamespace {
        // The user and the group keep their numbers. The kernel demands that an unprivileged process gives up
        // setgroups(2) before it maps the group.
        fs::write("/proc/self/setgroups", "deny")
            .and_then(|()| fs::write("/proc/self/uid_map", format!("{user} {user} 1")))
            .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")))
            .map_err(SetupError::at(SetupStep::Map))?;
    }
    Rtnetlink::open()
        .and_then(|netlink| netlink.set_up(rtnetlink::index("lo")?))
        .map_err(SetupError::at(SetupStep::Loopback))
}

/// Moves the calling thread into a new network namespace.
pub(super) fn unshare_network() -> Result<(), SetupError> {
    unshare(UnshareFlags::NEWNET).map_err(SetupError::at(SetupStep::HostNamespace))
}

/// Corresponds to `unshare(2)`.
fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    // SAFETY: the flags unshare no descriptor table, so every descriptor stays valid on this thread.
    Ok(unsafe { unshare_unsafe(namespaces) }?)
}

/// The calling thread's network namespace. The file keeps it alive.
pub(super) fn current_network() -> Result<File, SetupError> {
    File::open("/proc/thread-self/ns/net").map_err(SetupError::at(SetupStep::HostNamespace))
}

/// Moves the calling thread into a network namespace. Corresponds to `setns(2)`.
pub(super) fn enter_network(namespace: &File) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Number of threads of this process.
pub(super) fn thread_count() -> Result<usize, Unavailable> {
    fs::read_dir("/proc/self/task").map(Iterator::count).map_err(|_| Reason::NoProc.into())
}
