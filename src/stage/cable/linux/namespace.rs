//! The ground: namespaces that the process makes for itself, once, and in which every stage then makes its own.

use std::{fs, io, sync::Mutex, thread};

use super::{
    super::{super::system, Reason, Unavailable, Way},
    probe,
    rtnetlink::{self, Rtnetlink},
};
use crate::sync::lock;

/// How the ground was laid, once it is.
static ENTERED: Mutex<Option<Way>> = Mutex::new(None);

/// What is done on the way to a cable, in this order. The numbers go through a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum SetupStep {
    /// unshare(2)
    Unshare = 1,
    /// The user and the group that are the same inside, see user_namespaces(7).
    Map,
    /// The loopback interface is set up by rtnetlink(7).
    Loopback,
    /// A namespace for a host.
    HostNamespace,
    /// A pair of interfaces, see veth(4), and its addresses.
    Pair,
    /// packet(7)
    PacketSocket,
}

impl SetupStep {
    /// All of them.
    pub const ALL: [SetupStep; 6] = [
        SetupStep::Unshare,
        SetupStep::Map,
        SetupStep::Loopback,
        SetupStep::HostNamespace,
        SetupStep::Pair,
        SetupStep::PacketSocket,
    ];

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            SetupStep::Unshare => "making namespaces (unshare)",
            SetupStep::Map => "mapping the user into its namespace (/proc/self/uid_map)",
            SetupStep::Loopback => "setting the loopback interface up",
            SetupStep::HostNamespace => "making a network namespace for a host",
            SetupStep::Pair => "making a pair of Ethernet interfaces",
            SetupStep::PacketSocket => "opening a packet socket",
        }
    }
}

/// Where something went wrong.
#[derive(Debug)]
pub(super) struct SetupError {
    pub step: SetupStep,
    pub error: io::Error,
}

impl SetupError {
    /// For `map_err`.
    pub fn at(step: SetupStep) -> impl Fn(io::Error) -> SetupError {
        move |error| SetupError { step, error }
    }
}

/// Lays the namespace, or finds it laid.
///
/// There is no way back: the process is in a network of its own from here on. So a child tries it all first, and where that
/// fails this process is as it was.
pub(super) fn ensure_entered() -> Result<Way, Unavailable> {
    let mut ground = lock(&ENTERED);
    if let Some(way) = *ground {
        return Ok(way);
    }
    let (possible, child) = probe::dry_run()?;
    let entered = enter(possible.way);
    // The child takes milliseconds to end, and who lays a cable goes on meanwhile. Where there is no such thread, nothing waits for
    // it, and it is gone with this process.
    let _ = thread::Builder::new().name("dry-run".to_owned()).spawn(move || {
        system::block_other_signals();
        child.wait();
    });
    entered.map_err(|stumble| Unavailable::other(stumble.step.text(), &stumble.error))?;
    *ground = Some(possible.way);
    Ok(possible.way)
}

/// How the ground was laid, if it is.
pub(super) fn entered() -> Option<Way> {
    *lock(&ENTERED)
}

/// Moves the calling process into namespaces of its own, and sets up loopback there. Corresponds to `unshare(2)`.
pub(super) fn enter(way: Way) -> Result<(), SetupError> {
    // SAFETY: both only read what the process is.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    unshare(match way {
        Way::UserNamespace => libc::CLONE_NEWUSER | libc::CLONE_NEWNET,
        Way::Administrator => libc::CLONE_NEWNET,
    })
    .map_err(SetupError::at(SetupStep::Unshare))?;
    if way == Way::UserNamespace {
        // Everybody stays who they are. Without privilege the groups have to be given up before the group can be mapped.
        fs::write("/proc/self/setgroups", "deny")
            .and_then(|()| fs::write("/proc/self/uid_map", format!("{user} {user} 1")))
            .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")))
            .map_err(SetupError::at(SetupStep::Map))?;
    }
    Rtnetlink::open()
        .and_then(|netlink| netlink.set_up(rtnetlink::index("lo")?))
        .map_err(SetupError::at(SetupStep::Loopback))
}

/// Gives the calling thread namespaces of its own. Corresponds to `unshare(2)`.
pub(super) fn unshare(namespaces: libc::c_int) -> io::Result<()> {
    // SAFETY: takes no pointer; what else uses the old namespaces keeps them.
    if unsafe { libc::unshare(namespaces) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many threads this process has.
pub(super) fn threads() -> Result<usize, Unavailable> {
    fs::read_dir("/proc/self/task").map(Iterator::count).map_err(|_| Reason::NoProc.into())
}
