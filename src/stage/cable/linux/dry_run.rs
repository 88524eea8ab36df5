//! A trial in a child process: whether a cable can be had, and else which step fails and why.

use std::{
    fs,
    io::{self, Read, Write},
    mem,
};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};
use signal_hook::low_level::exit;

use super::{
    super::{Capability, Options, Reason, Unavailable},
    host_setup::VethConfig,
    namespace,
    packet_socket::PacketSocket,
    setup_error::{SetupError, SetupStep},
};

/// What the child reports if all steps succeed. No step has this number.
const SUCCESS: u8 = 0;

/// Lets a child process make all steps of a stage: with each capability that this process may have, until one
/// suffices. Returns that one, and the child, which is about to exit.
pub(super) fn dry_run() -> Result<(Capability, ChildProcess), Unavailable> {
    let threads = namespace::thread_count()?;
    if threads > 1 {
        return Err(Reason::Threads(threads).into());
    }
    let environment = Environment::read();
    let candidates: &[Capability] = if environment.administrator {
        &[Capability::Administrator, Capability::UserNamespace]
    } else {
        &[Capability::UserNamespace]
    };
    let mut first = None;
    for capability in candidates {
        let why = match in_child(|| run_all_steps(*capability)) {
            Ok(Ok(child)) => return Ok((*capability, child)),
            Ok(Err(failed)) => diagnose(&failed, &environment),
            Err(error) => Unavailable::other("trying in a child process", &error),
        };
        first.get_or_insert(why);
    }
    Err(first.unwrap_or_else(|| Reason::NoNamespaces.into()))
}

/// Makes all steps, with the code that a stage uses.
fn run_all_steps(capability: Capability) -> Result<(), SetupError> {
    namespace::unshare_process(capability)?;
    let [config, _] = VethConfig::pair(Options::default());
    let interface = config.interface.clone();
    let own = namespace::current_network()?;
    config.setup()?;
    // An open file keeps the host's namespace, and with it the pair, after this thread has left it.
    let _host = namespace::current_network()?;
    // A second namespace, as for the server; then back to the end of the pair that stays with this process.
    namespace::unshare_network()?;
    namespace::enter_network(&own).map_err(SetupError::at(SetupStep::HostNamespace))?;
    // Closing a packet socket takes the kernel milliseconds. The exit of the child closes it, after the
    // report.
    PacketSocket::open(&interface).map(mem::forget).map_err(SetupError::at(SetupStep::PacketSocket))
}

/// A child process that has sent its report.
#[must_use = "an exited child is a zombie until it is waited for"]
pub(super) struct ChildProcess(Pid);

impl ChildProcess {
    /// Waits until the child has exited. Returns its status, if the kernel still has it. Corresponds to
    /// `waitpid(2)`.
    pub fn wait(self) -> Option<WaitStatus> {
        loop {
            match waitpid(Some(self.0), WaitOptions::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                result => return result.ok().flatten().map(|(_, status)| status),
            }
        }
    }
}

/// Runs `job` in a child of this process, which has one thread. The outer error is that of making the child;
/// the inner one that of the job.
fn in_child(job: impl FnOnce() -> Result<(), SetupError>) -> io::Result<Result<ChildProcess, SetupError>> {
    let (mut from_child, mut to_parent) = io::pipe()?;
    // SAFETY: the process has one thread, so no lock is held by a thread that the child does not have.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let (step, value) = match job() {
            Ok(()) => (SUCCESS, 0),
            Err(SetupError { step, error }) => (step as u8, error.raw_os_error().unwrap_or(0)),
        };
        let [a, b, c, d] = value.to_ne_bytes();
        let _ = to_parent.write_all(&[step, a, b, c, d]);
        // Without exit handlers: buffers that the parent has not flushed must not be written twice.
        exit(0);
    }
    let Some(child) = Pid::from_raw(child).filter(|_| child > 0).map(ChildProcess) else {
        return Err(io::Error::last_os_error());
    };
    drop(to_parent);
    let mut report = [0; 5];
    if let Err(error) = from_child.read_exact(&mut report) {
        let status = child.wait();
        let killed = error.kind() == io::ErrorKind::UnexpectedEof;
        return if killed { Ok(Err(killed_child(status))) } else { Err(error) };
    }
    let [step, value @ ..] = report;
    let Some(step) = SetupStep::ALL.into_iter().find(|known| *known as u8 == step) else {
        return Ok(Ok(child));
    };
    child.wait();
    let error = io::Error::from_raw_os_error(i32::from_ne_bytes(value));
    Ok(Err(SetupError { step, error }))
}

/// The error of a child that was killed before its report: a seccomp filter may do that, with SIGSYS.
fn killed_child(status: Option<WaitStatus>) -> SetupError {
    let by_seccomp = status.and_then(WaitStatus::terminating_signal) == Some(Signal::SYS.as_raw());
    let error = if by_seccomp { libc::ENOSYS } else { libc::EINTR };
    SetupError { step: SetupStep::Unshare, error: io::Error::from_raw_os_error(error) }
}

/// The settings of the machine that restrict namespaces.
#[derive(Debug, Default)]
struct Environment {
    /// The process has CAP_SYS_ADMIN.
    administrator: bool,
    /// `user.max_user_namespaces`
    max_user: Option<String>,
    /// `user.max_net_namespaces`
    max_net: Option<String>,
    /// `kernel.unprivileged_userns_clone` is 0 (Debian).
    for_root: bool,
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1.
    apparmor: bool,
    /// A seccomp filter is in force.
    seccomp: bool,
    /// /proc cannot be read.
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

/// The reason why a step failed.
fn diagnose(failed: &SetupError, environment: &Environment) -> Unavailable {
    let errno = failed.error.raw_os_error().unwrap_or(0);
    let forbidden = matches!(errno, libc::EPERM | libc::EACCES);
    let limit = |limit: &Option<String>| limit.clone().unwrap_or_else(|| "?".to_owned());
    let reason = match failed.step {
        SetupStep::Unshare | SetupStep::HostNamespace if errno == libc::ENOSPC => {
            if environment.max_user.as_deref() == Some("0") {
                Reason::UserNamespacesOff
            } else if failed.step == SetupStep::Unshare && environment.max_net.as_deref() != Some("0") {
                Reason::TooMany { kind: "user", limit: limit(&environment.max_user) }
            } else {
                Reason::TooMany { kind: "net", limit: limit(&environment.max_net) }
            }
        }
        SetupStep::Unshare if forbidden && environment.for_root && !environment.administrator => {
            Reason::UserNamespacesForRoot
        }
        SetupStep::Unshare if (forbidden || errno == libc::ENOSYS) && environment.seccomp => Reason::Seccomp,
        SetupStep::Unshare if errno == libc::ENOSYS || errno == libc::EINVAL => Reason::NoNamespaces,
        SetupStep::Map if matches!(errno, libc::ENOENT | libc::EROFS) || environment.no_proc => {
            Reason::NoProc
        }
        _ if forbidden && environment.apparmor => Reason::AppArmor,
        SetupStep::Pair if errno == libc::EOPNOTSUPP => Reason::NoVeth,
        SetupStep::PacketSocket if forbidden || errno == libc::EAFNOSUPPORT => Reason::NoPacketSocket,
        step => return Unavailable::other(step.text(), &failed.error),
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
