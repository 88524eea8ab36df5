//! The accept loop: takes connections from the accept queue until the server stops.
//!
//! Errors of `accept` are told apart by their number. accept(2) lists those that concern one connection only;
//! those that say that the system has run out of something pass; any other error ends the server.

use std::{fmt, io, time::Duration};

use thiserror::Error;

use super::Registry;

/// Delay before `accept` is tried again when the system has no descriptor or memory left. A connection that
/// ends shortens it.
pub const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 1000 });

/// What a person should know about the accept loop while it goes on.
#[derive(Debug)]
pub enum Notice {
    /// The limit of connections is reached. Reported once.
    Full {
        /// The limit.
        limit: usize,
    },
    /// `accept` failed for want of descriptors or memory. Reported once until it succeeds again.
    Shortage(io::Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Full { limit } => write!(
                f,
                "The limit of {limit} at once is reached (`--connections`). The kernel completes further handshakes; \
                 those connections wait in the accept queue until another one ends."
            ),
            Notice::Shortage(error) => write!(
                f,
                "`accept` failed: {error}. New connections wait in the accept queue, and `accept` is tried again every \
                 second and whenever a connection ends."
            ),
        }
    }
}

/// The error that ended the accept loop.
#[derive(Debug, Error)]
#[error("accept failed, and no more connections can be accepted: {0}")]
pub struct AcceptError(#[from] io::Error);

/// Accepts connections until `registry` stops, and hands each to `serve`.
///
/// `accept` returns the next connection, or `None` if none came in a short time. `serve` must not block: it
/// starts a thread. While the registry is at its limit nothing is accepted, so that the kernel's accept queue
/// does its work.
///
/// # Errors
/// An error of `accept` that is neither one connection's nor a passing shortage.
pub fn accept_all<C, T>(
    registry: &Registry<C>,
    mut accept: impl FnMut() -> io::Result<Option<T>>,
    mut serve: impl FnMut(T),
    mut notify: impl FnMut(Notice),
) -> Result<(), AcceptError> {
    let _accepting = registry.accepting();
    let (mut reported_full, mut short) = (false, false);
    loop {
        let vacancy = registry.wait_for_vacancy(|| {
            if !std::mem::replace(&mut reported_full, true) {
                notify(Notice::Full { limit: registry.limit() });
            }
        });
        if !vacancy {
            return Ok(());
        }
        match accept() {
            Ok(Some(connection)) => {
                short = false;
                serve(connection);
            }
            Ok(None) => {}
            Err(_) if registry.is_stopping() => return Ok(()),
            Err(error) => match Severity::of(&error) {
                Severity::Connection => {}
                Severity::Shortage => {
                    if !std::mem::replace(&mut short, true) {
                        notify(Notice::Shortage(error));
                    }
                    registry.wait_for_departure(ACCEPT_RETRY_DELAY);
                }
                Severity::Fatal => return Err(error.into()),
            },
        }
    }
}

/// What an error of `accept` means for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// One connection was lost before it was accepted, or a signal came: accept the next.
    Connection,
    /// The process or the system has run out of descriptors or memory: wait and try again.
    Shortage,
    /// The listener is unusable.
    Fatal,
}

impl Severity {
    fn of(error: &io::Error) -> Severity {
        match error.raw_os_error() {
            Some(number) if errno::SHORTAGES.contains(&number) => Severity::Shortage,
            Some(number) if errno::OF_ONE_CONNECTION.contains(&number) => Severity::Connection,
            // The host thread gives up a call that was ended by `WorkerThread::end` with this kind and no
            // number.
            None if error.kind() == io::ErrorKind::Interrupted => Severity::Connection,
            _ => Severity::Fatal,
        }
    }
}

/// The numbers of accept(2).
#[cfg(unix)]
mod errno {
    /// "The per-process limit", "the system-wide limit", and no memory for a socket buffer.
    pub const SHORTAGES: &[i32] = &[libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];

    /// An aborted connection, a signal, and the "already-pending network errors on the new socket" that Linux
    /// passes on: accept(2), "Error handling". EPERM is a firewall's refusal of this connection.
    pub const OF_ONE_CONNECTION: &[i32] = &[
        libc::ECONNABORTED,
        libc::EINTR,
        libc::EAGAIN,
        libc::EWOULDBLOCK,
        libc::EPROTO,
        libc::EPERM,
        libc::ENETDOWN,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::ETIMEDOUT,
        #[cfg(target_os = "linux")]
        libc::ENONET,
    ];
}

/// The numbers of accept (winsock2.h).
#[cfg(windows)]
mod errno {
    use windows_sys::Win32::Networking::WinSock::{
        WSAECONNABORTED, WSAECONNRESET, WSAEINTR, WSAEMFILE, WSAENOBUFS, WSAEWOULDBLOCK,
    };

    /// No descriptor or no buffer space.
    pub const SHORTAGES: &[i32] = &[WSAEMFILE, WSAENOBUFS];

    /// "An incoming connection was indicated, but was subsequently terminated by the remote peer", and a
    /// signal.
    pub const OF_ONE_CONNECTION: &[i32] = &[WSAECONNRESET, WSAECONNABORTED, WSAEINTR, WSAEWOULDBLOCK];
}

#[cfg(all(test, unix))]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// What a run of the loop came to: connections served, notices, and its result.
    type Outcome = (Vec<u32>, Vec<String>, Result<(), AcceptError>);

    /// Runs the loop on these results of `accept`; then the server stops.
    fn run(results: impl IntoIterator<Item = Result<u32, i32>>) -> Outcome {
        let registry = Registry::<u32>::new(10);
        let mut results: VecDeque<_> = results.into_iter().collect();
        let (mut served, mut notices) = (Vec::new(), Vec::new());
        let accept = || match results.pop_front() {
            Some(Ok(connection)) => Ok(Some(connection)),
            Some(Err(number)) => Err(io::Error::from_raw_os_error(number)),
            None => {
                registry.stop();
                Ok(None)
            }
        };
        let outcome = accept_all(
            &registry,
            accept,
            |connection| served.push(connection),
            |notice| notices.push(notice.to_string()),
        );
        assert_eq!(registry.remaining(), 0, "the loop has ended");
        (served, notices, outcome)
    }

    #[test]
    fn a_shortage_passes_and_is_reported_once() {
        for shortage in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            let (served, notices, outcome) = run([Ok(1), Err(shortage), Err(shortage), Ok(2)]);
            assert!(outcome.is_ok(), "{shortage}: {outcome:?}");
            assert_eq!(served, [1, 2], "{shortage}");
            assert_eq!(notices.len(), 1, "{shortage}: {notices:?}");
            assert!(notices[0].contains(&format!("os error {shortage}")), "{notices:?}");
        }
        let (_, notices, _) = run([Err(libc::ENFILE), Ok(1), Err(libc::ENFILE), Ok(2)]);
        assert_eq!(notices.len(), 2, "a second shortage is another one: {notices:?}");
    }

    #[test]
    fn an_error_of_one_connection_is_skipped_silently() {
        for number in errno::OF_ONE_CONNECTION {
            let (served, notices, outcome) = run([Err(*number), Ok(1)]);
            assert!(outcome.is_ok() && notices.is_empty(), "{number}: {outcome:?} {notices:?}");
            assert_eq!(served, [1], "{number}");
        }
    }

    #[test]
    fn any_other_error_ends_the_loop_and_says_what_failed() {
        for number in [libc::EBADF, libc::EINVAL, libc::ENOTSOCK, libc::EFAULT] {
            let (served, _, outcome) = run([Ok(1), Err(number), Ok(2)]);
            let error = outcome.unwrap_err().to_string();
            assert!(error.starts_with("accept failed") && error.contains(&format!("os error {number}")));
            assert_eq!(served, [1]);
        }
    }

    #[test]
    fn an_error_while_the_server_stops_is_no_error() {
        let registry = Registry::<u32>::new(1);
        let accept = || -> io::Result<Option<u32>> {
            registry.stop();
            Err(io::Error::from_raw_os_error(libc::EINVAL))
        };
        assert!(accept_all(&registry, accept, drop, |_| {}).is_ok());
    }

    #[test]
    fn at_the_limit_nothing_is_accepted_until_a_connection_ends() {
        let registry = Registry::<u32>::new(1);
        let mut notices = 0;
        std::thread::scope(|scope| {
            let mut next = 0;
            let accept = || {
                next += 1;
                if next > 2 {
                    registry.stop();
                }
                Ok(Some(next))
            };
            let serve = |connection| {
                assert_eq!(registry.connected(), 0);
                let number = registry.insert(connection);
                let registry = &registry;
                scope.spawn(move || registry.remove(number, "closed"));
            };
            accept_all(&registry, accept, serve, |_| notices += 1).unwrap();
        });
        assert!(notices <= 1, "the limit is reported once");
        assert_eq!(registry.summary().unwrap(), "3 connections, at most 1 at once: 3 closed");
    }
}
