//! A way in from a second terminal: a command is run in the network of a host whose stage another process has.

use std::{convert::Infallible, ffi::OsString, io};

use crate::event::Host;

/// Nobody could be entered.
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
    /// Several have.
    #[error("several are running: choose one of the processes {} with --pid", list(.pids))]
    Ambiguous {
        /// Their process numbers.
        pids: Vec<u32>,
    },
    /// A call to the kernel failed.
    #[error("can't {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
    /// The command can't be run.
    #[error("can't run {command}: {error}")]
    Exec {
        /// Its name.
        command: String,
        /// Why.
        error: io::Error,
    },
    /// Only Linux has network namespaces.
    #[error("only on Linux has a host a network of its own")]
    NotLinux,
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Runs a command in the network of a host, in the place of this process; the user's shell if there is none. It has the rights of
/// whoever calls this, and no more. This process must have one thread.
///
/// # Errors
/// If no such host is running, or several are and `pid` does not say which; or what the kernel refuses. Else it does not return.
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
#[allow(unsafe_code, reason = "setns(2) has no safe form in std")]
mod this {
    use std::{
        env,
        fs::{self, File},
        os::{
            fd::AsRawFd,
            unix::{fs::MetadataExt, process::CommandExt},
        },
        path::{Path, PathBuf},
        process::Command,
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
        go_in(&PathBuf::from(format!("/proc/{pid}/ns/user")), &thread.join("ns/net"))?;
        let shell = || env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "sh".into());
        let (program, arguments) = match command {
            [] => (shell(), &[][..]),
            [program, arguments @ ..] => (program.clone(), arguments),
        };
        let error = Command::new(&program).args(arguments).exec();
        Err(EnterError::Exec { command: program.display().to_string(), error })
    }

    /// Both are opened before either is entered: what /proc shows may depend on who looks.
    fn go_in(user: &Path, network: &Path) -> Result<(), EnterError> {
        let refused = |what| move |error| EnterError::System { what, error };
        let elsewhere = fs::read_link(user).ok() != fs::read_link("/proc/self/ns/user").ok();
        let user = File::open(user).map_err(refused("open the user namespace of that process"))?;
        let network = File::open(network).map_err(refused("open the network namespace of that host"))?;
        // The root of the outer namespace has every right in the inner one, and stays who it is.
        // SAFETY: takes and changes nothing.
        let root = unsafe { libc::geteuid() } == 0;
        if elsewhere && !(root && set(&network, libc::CLONE_NEWNET).is_ok()) {
            set(&user, libc::CLONE_NEWUSER).map_err(refused("enter the user namespace of that process"))?;
        }
        set(&network, libc::CLONE_NEWNET).map_err(refused("enter the network namespace of that host"))
    }

    /// Corresponds to `setns(2)`.
    fn set(namespace: &File, kind: libc::c_int) -> io::Result<()> {
        // SAFETY: takes no pointer; the descriptor is open.
        if unsafe { libc::setns(namespace.as_raw_fd(), kind) } == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// The processes of this user that have a thread of the host's name in a network other than the process's, with that thread.
    fn running(host: Host) -> Vec<(u32, PathBuf)> {
        // SAFETY: takes and changes nothing.
        let own = unsafe { libc::geteuid() };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut found = Vec::new();
        for process in processes {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let mine = own == 0 || process.metadata().is_ok_and(|about| about.uid() == own);
            if mine && is_sockwalk(&process.path()) {
                found.extend(thread_of(&process.path(), host).map(|thread| (pid, thread)));
            }
        }
        found
    }

    /// By its name, or as it is the same program as this one.
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
