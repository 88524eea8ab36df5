//! `sockwalk enter`: runs a command in the network of a host of another sockwalk process, from a second
//! terminal.

use std::{convert::Infallible, ffi::OsString, io};

use crate::{call::errno_name, event::Host};

/// Why a host could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// No process of this user has a host on a cable.
    #[error(
        "no sockwalk with a host `{host}` on a cable is running: start a lesson on the cable first, and leave it at a pause"
    )]
    NotRunning {
        /// The host that was asked for.
        host: Host,
    },
    /// Several processes have one.
    #[error("several are running: choose one of the processes {} with --pid", list(.pids))]
    Ambiguous {
        /// Their process numbers.
        pids: Vec<u32>,
    },
    /// A system call failed.
    #[error("can't {operation} ({})", errno_name(source))]
    System {
        /// The operation: `enter the network namespace of that host`.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The command cannot be run.
    #[error("can't run {command} ({})", errno_name(source))]
    Exec {
        /// Its name.
        command: String,
        /// The system's error.
        source: io::Error,
    },
    /// Only Linux has network namespaces.
    #[error("only on Linux has a host a network of its own")]
    NotLinux,
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Replaces this process by a command in the network of a host; by the user's shell if `command` is empty.
/// The command has the privileges of this process. This process must have one thread. Returns on failure
/// only.
///
/// # Errors
/// If no such host is running, if several are and `pid` does not choose one, or if the kernel refuses.
pub fn enter(host: Host, pid: Option<u32>, command: &[OsString]) -> Result<Infallible, EnterError> {
    this::enter(host, pid, command)
}

#[cfg(not(target_os = "linux"))]
mod this {
    use super::{EnterError, Host, Infallible, OsString};

    pub(super) fn enter(_: Host, _: Option<u32>, _: &[OsString]) -> Result<Infallible, EnterError> {
        Err(EnterError::NotLinux)
    }
}

#[cfg(target_os = "linux")]
mod this {
    use std::{
        env,
        fs::{self, File},
        os::{
            fd::AsFd,
            unix::{fs::MetadataExt, process::CommandExt},
        },
        path::{Path, PathBuf},
        process::Command,
    };

    use rustix::{
        process::geteuid,
        thread::{LinkNameSpaceType, move_into_link_name_space},
    };

    use super::{EnterError, Host, Infallible, OsString, io};

    pub(super) fn enter(
        host: Host,
        pid: Option<u32>,
        command: &[OsString],
    ) -> Result<Infallible, EnterError> {
        let mut found = running(host);
        found.retain(|(other, _)| pid.is_none_or(|pid| pid == *other));
        let (pid, thread) = match &found[..] {
            [] => return Err(EnterError::NotRunning { host }),
            [one] => one,
            several => {
                let mut pids: Vec<u32> = several.iter().map(|(pid, _)| *pid).collect();
                pids.sort_unstable();
                return Err(EnterError::Ambiguous { pids });
            }
        };
        enter_namespaces(&PathBuf::from(format!("/proc/{pid}/ns/user")), &thread.join("ns/net"))?;
        let shell = || env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "sh".into());
        let (program, arguments) = match command {
            [] => (shell(), &[][..]),
            [program, arguments @ ..] => (program.clone(), arguments),
        };
        let source = Command::new(&program).args(arguments).exec();
        Err(EnterError::Exec { command: program.display().to_string(), source })
    }

    /// Corresponds to `setns(2)`. Both files are opened before either namespace is entered: what /proc shows
    /// depends on the reader's user namespace.
    fn enter_namespaces(user: &Path, network: &Path) -> Result<(), EnterError> {
        let failed = |operation| move |source| EnterError::System { operation, source };
        let set =
            |file: &File, kind| move_into_link_name_space(file.as_fd(), Some(kind)).map_err(io::Error::from);
        let other_user = fs::read_link(user).ok() != fs::read_link("/proc/self/ns/user").ok();
        let user = File::open(user).map_err(failed("open the user namespace of that process"))?;
        let network = File::open(network).map_err(failed("open the network namespace of that host"))?;
        // Root of the outer user namespace has all capabilities in the inner one, and need not enter it.
        let by_root = other_user && geteuid().is_root() && set(&network, LinkNameSpaceType::Network).is_ok();
        if other_user && !by_root {
            set(&user, LinkNameSpaceType::User)
                .map_err(failed("enter the user namespace of that process"))?;
        }
        set(&network, LinkNameSpaceType::Network).map_err(failed("enter the network namespace of that host"))
    }

    /// The processes of this user that have a host on a cable, with the directory of the host's thread in
    /// /proc: a thread of the host's name whose network is not the process's.
    fn running(host: Host) -> Vec<(u32, PathBuf)> {
        let own = geteuid();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut found = Vec::new();
        for process in processes {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let mine = own.is_root() || process.metadata().is_ok_and(|about| about.uid() == own.as_raw());
            if mine && is_sockwalk(&process.path()) {
                found.extend(thread_of(&process.path(), host).map(|thread| (pid, thread)));
            }
        }
        found
    }

    /// Whether the process is named `sockwalk`, or runs the same executable as this one.
    fn is_sockwalk(process: &Path) -> bool {
        let program = |process: &Path| fs::read_link(process.join("exe")).ok();
        fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "sockwalk")
            || program(process).is_some_and(|theirs| Some(theirs) == program(Path::new("/proc/self")))
    }

    fn thread_of(process: &Path, host: Host) -> Option<PathBuf> {
        let network = |thread: &Path| fs::read_link(thread.join("ns/net")).ok();
        let main = network(process)?;
        let threads = fs::read_dir(process.join("task")).ok()?.flatten().map(|thread| thread.path());
        let is_host = |thread: &PathBuf| {
            fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == host.name())
                && network(thread).is_some_and(|network| network != main)
        };
        threads.filter(is_host).min()
    }
}
