//! Errors of the stage.

use std::io;

use super::Unavailable;
use crate::call::errno_name;

/// Why a stage, or something on it, could not be had.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The system refused an operation.
    #[error("can't {operation} of the {subject} ({})", errno_name(source))]
    System {
        /// The operation: `start the thread`.
        operation: &'static str,
        /// What it was for: the name of a host or a thread.
        subject: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// No port on loopback is free for the lesson.
    #[error("no port from {first} to {last} is free for the lesson")]
    NoFreePort {
        /// The first port that was tried.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// The hosts share the machine's network, so they have no kernel settings of their own.
    #[error("hosts have kernel settings of their own on a cable only")]
    NoNetwork,
    /// A setting of the kernel could not be read.
    #[error("can't read the setting {name} ({})", errno_name(source))]
    Setting {
        /// As sysctl(8) names it.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// The cable cannot be had here.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl StageError {
    /// For `map_err`.
    pub(super) fn system(operation: &'static str, subject: &'static str) -> impl Fn(io::Error) -> StageError {
        move |source| StageError::System { operation, subject, source }
    }
}

impl From<StageError> for io::Error {
    fn from(error: StageError) -> io::Error {
        let kind = match &error {
            StageError::System { source, .. } | StageError::Setting { source, .. } => source.kind(),
            StageError::NoFreePort { .. } => io::ErrorKind::AddrInUse,
            StageError::NoNetwork | StageError::Unavailable(_) => io::ErrorKind::Unsupported,
        };
        io::Error::new(kind, error)
    }
}
