//! Whether the cable can be had: a child of this process tries, and says where it stumbled.

use std::{
    fs,
    io::{self, Read, Write},
    mem,
    os::fd::FromRawFd,
};

use super::{
    super::{Options, Possible, Reason, Unavailable, Way},
    host_setup::VethConfig,
    namespace::{self, SetupError, SetupStep},
    packet_socket::PacketSocket,
};
/// What a child says if all went well: no step has this number.
const SUCCESS: u8 = 0;

/// Whether the cable can be had here. Changes nothing in this process.
///
/// # Errors
/// Why not, and what would change that.
pub fn probe() -> Result<Possible, Unavailable> {
    match namespace::entered() {
        // Who stands on the ground has shown that it can be had.
        Some(way) => Ok(Possible { way }),
        None => dry_run().map(|(possible, child)| {
            child.wait();
            possible
        }),
    }
}

/// Lets a child try all that a stage does, by each way that may do. Gives the child that could do it, which is on its way out.
pub(super) fn dry_run() -> Result<(Possible, ChildProcess), Unavailable> {
    let threads = namespace::threads()?;
    if threads > 1 {
        return Err(Reason::Threads(threads).into());
    }
    let around = Environment::read();
    let ways: &[Way] =
        if around.administrator { &[Way::Administrator, Way::UserNamespace] } else { &[Way::UserNamespace] };
    let mut first = None;
    for way in ways {
        match in_a_child(|| run_all_steps(*way)) {
            Ok(Ok(child)) => return Ok((Possible { way: *way }, child)),
            Ok(Err(stumble)) => {
                let _ = first.get_or_insert_with(|| diagnose(&stumble, &around));
            }
            Err(error) => {
                let _ = first.get_or_insert_with(|| Unavailable::other("trying in a child process", &error));
            }
        }
    }
    Err(first.unwrap_or_else(|| Reason::NoNamespaces.into()))
}

/// All that has to work, with the very code that a stage runs.
fn run_all_steps(way: Way) -> Result<(), SetupError> {
    namespace::enter(way)?;
    let [plug, _] = VethConfig::pair(Options::default());
    let ours = plug.ours.clone();
    let ground =
        fs::File::open("/proc/thread-self/ns/net").map_err(SetupError::at(SetupStep::HostNamespace))?;
    plug.setup()?;
    // Kept open: a network that nobody is in goes away, and takes the pair along.
    let _host =
        fs::File::open("/proc/thread-self/ns/net").map_err(SetupError::at(SetupStep::HostNamespace))?;
    // As the server, and on from there: back to where our end of the pair is.
    namespace::unshare(libc::CLONE_NEWNET).map_err(SetupError::at(SetupStep::HostNamespace))?;
    super::network::enter_network(&ground).map_err(SetupError::at(SetupStep::HostNamespace))?;
    // It ends with the child: the kernel waits before it closes one, and who has asked need not wait for that.
    PacketSocket::open(&ours).map(mem::forget).map_err(SetupError::at(SetupStep::PacketSocket))
}

/// A child that has said what it had to say.
#[must_use = "it is to be seen out"]
pub(super) struct ChildProcess(libc::pid_t);

impl ChildProcess {
    /// Waits for its end. Gives how it ended, as waitpid(2) says it.
    pub fn wait(self) -> libc::c_int {
        let mut status = 0;
        // SAFETY: writes one int; the child is ours and not waited for elsewhere.
        while unsafe { libc::waitpid(self.0, &raw mut status, 0) } < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
        status
    }
}

/// Runs it in a child of this process, which has one thread. Gives the child if all went well; the error is that of making it.
fn in_a_child(job: impl FnOnce() -> Result<(), SetupError>) -> io::Result<Result<ChildProcess, SetupError>> {
    let mut ends = [0; 2];
    // SAFETY: pipe2 fills the two numbers; each becomes the property of one file.
    let (mut from_child, mut to_parent) = unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        (fs::File::from_raw_fd(ends[0]), fs::File::from_raw_fd(ends[1]))
    };
    // SAFETY: the process has one thread, so the child finds no lock taken.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let (step, value) = match job() {
            Ok(()) => (SUCCESS, 0),
            Err(SetupError { step, error }) => (step as u8, error.raw_os_error().unwrap_or(0)),
        };
        let [a, b, c, d] = value.to_ne_bytes();
        let _ = to_parent.write_all(&[step, a, b, c, d]);
        // SAFETY: ends the child at once; what the parent has not flushed is not flushed twice.
        unsafe { libc::_exit(0) }
    }
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    drop(to_parent);
    let child = ChildProcess(child);
    let mut said = [0; 5];
    if let Err(error) = from_child.read_exact(&mut said) {
        let status = child.wait();
        let nothing_came = error.kind() == io::ErrorKind::UnexpectedEof;
        return if nothing_came { Ok(Err(killed(status))) } else { Err(error) };
    }
    let [step, value @ ..] = said;
    let Some(step) = SetupStep::ALL.into_iter().find(|known| *known as u8 == step) else {
        return Ok(Ok(child));
    };
    child.wait();
    let value = i32::from_ne_bytes(value);
    Ok(Err(SetupError { step, error: io::Error::from_raw_os_error(value) }))
}

/// A child that says nothing was ended by force: seccomp can do that with SIGSYS.
fn killed(status: libc::c_int) -> SetupError {
    let by_seccomp = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSYS;
    let error = if by_seccomp { libc::ENOSYS } else { libc::EINTR };
    SetupError { step: SetupStep::Unshare, error: io::Error::from_raw_os_error(error) }
}

/// What the machine says of namespaces.
#[derive(Debug, Default)]
struct Environment {
    /// CAP_SYS_ADMIN is in force.
    administrator: bool,
    max_user: Option<String>,
    max_net: Option<String>,
    for_root: bool,
    apparmor: bool,
    seccomp: bool,
    no_proc: bool,
}

impl Environment {
    fn read() -> Environment {
        let sysctl = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let status = sysctl("/proc/self/status");
        let field = |name: &str| {
            let line = status.as_deref()?.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        let effective = field("CapEff:").and_then(|hex| u64::from_str_radix(&hex, 16).ok()).unwrap_or(0);
        Environment {
            // The bit of CAP_SYS_ADMIN in linux/capability.h.
            administrator: effective & (1 << 21) != 0,
            max_user: sysctl("/proc/sys/user/max_user_namespaces"),
            max_net: sysctl("/proc/sys/user/max_net_namespaces"),
            for_root: sysctl("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0"),
            apparmor: sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref()
                == Some("1"),
            seccomp: field("Seccomp:").as_deref() == Some("2"),
            no_proc: status.is_none(),
        }
    }
}

/// The reason behind an error.
fn diagnose(stumble: &SetupError, around: &Environment) -> Unavailable {
    let errno = stumble.error.raw_os_error().unwrap_or(0);
    let forbidden = matches!(errno, libc::EPERM | libc::EACCES);
    let limit = |limit: &Option<String>| limit.clone().unwrap_or_else(|| "?".to_owned());
    let reason = match stumble.step {
        SetupStep::Unshare | SetupStep::HostNamespace if errno == libc::ENOSPC => {
            if around.max_user.as_deref() == Some("0") {
                Reason::UserNamespacesOff
            } else if stumble.step == SetupStep::Unshare && around.max_net.as_deref() != Some("0") {
                Reason::TooMany { kind: "user", limit: limit(&around.max_user) }
            } else {
                Reason::TooMany { kind: "net", limit: limit(&around.max_net) }
            }
        }
        SetupStep::Unshare if forbidden && around.for_root && !around.administrator => {
            Reason::UserNamespacesForRoot
        }
        SetupStep::Unshare if (forbidden || errno == libc::ENOSYS) && around.seccomp => Reason::Seccomp,
        SetupStep::Unshare if errno == libc::ENOSYS || errno == libc::EINVAL => Reason::NoNamespaces,
        SetupStep::Map if matches!(errno, libc::ENOENT | libc::EROFS) || around.no_proc => Reason::NoProc,
        _ if forbidden && around.apparmor => Reason::AppArmor,
        SetupStep::Pair if errno == libc::EOPNOTSUPP => Reason::NoVeth,
        SetupStep::PacketSocket if forbidden || errno == libc::EAFNOSUPPORT => Reason::NoPacketSocket,
        step => return Unavailable::other(step.text(), &stumble.error),
    };
    reason.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(step: SetupStep, errno: i32, around: Environment) -> Reason {
        diagnose(&SetupError { step, error: io::Error::from_raw_os_error(errno) }, &around).reason
    }

    #[test]
    fn each_refusal_is_put_down_to_what_causes_it() {
        let plain = Environment::default;
        let limit = |limit: &str| Some(limit.to_owned());
        let off = Environment { max_user: limit("0"), ..plain() };
        assert_eq!(reason(SetupStep::Unshare, libc::ENOSPC, off), Reason::UserNamespacesOff);
        let few = Environment { max_user: limit("9"), max_net: limit("8"), ..plain() };
        assert_eq!(
            reason(SetupStep::HostNamespace, libc::ENOSPC, few),
            Reason::TooMany { kind: "net", limit: "8".to_owned() }
        );
        let debian = Environment { for_root: true, seccomp: true, ..plain() };
        assert_eq!(reason(SetupStep::Unshare, libc::EPERM, debian), Reason::UserNamespacesForRoot);
        let docker = || Environment { seccomp: true, apparmor: true, ..plain() };
        assert_eq!(reason(SetupStep::Unshare, libc::EPERM, docker()), Reason::Seccomp);
        assert_eq!(reason(SetupStep::Unshare, libc::ENOSYS, docker()), Reason::Seccomp);
        let ubuntu = || Environment { apparmor: true, ..plain() };
        for step in [
            SetupStep::Map,
            SetupStep::Loopback,
            SetupStep::HostNamespace,
            SetupStep::Pair,
            SetupStep::PacketSocket,
        ] {
            assert_eq!(reason(step, libc::EPERM, ubuntu()), Reason::AppArmor);
        }
        assert_eq!(reason(SetupStep::Unshare, libc::EINVAL, plain()), Reason::NoNamespaces);
        assert_eq!(reason(SetupStep::Map, libc::EROFS, plain()), Reason::NoProc);
        assert_eq!(reason(SetupStep::Map, libc::ENOENT, plain()), Reason::NoProc);
        assert_eq!(reason(SetupStep::Pair, libc::EOPNOTSUPP, plain()), Reason::NoVeth);
        assert_eq!(reason(SetupStep::PacketSocket, libc::EAFNOSUPPORT, plain()), Reason::NoPacketSocket);
        assert_eq!(reason(SetupStep::PacketSocket, libc::EPERM, plain()), Reason::NoPacketSocket);
        assert!(matches!(reason(SetupStep::Pair, libc::EINVAL, plain()), Reason::Other { .. }));
    }
}
