//! Systems other than Linux: what getsockname, getpeername and getsockopt tell, and no guess beyond that.

use std::{io, net::SocketAddr};

use socket2::Socket;

use super::{Reading, Waiting};

/// Nothing more is known through the descriptor.
pub(super) fn look(_: &Socket, _: bool, _: &mut Reading) {}

/// Sockets without a descriptor cannot be seen here.
pub struct SocketTable;

impl SocketTable {
    /// There is none.
    ///
    /// # Errors
    /// Always.
    pub fn open() -> io::Result<SocketTable> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nothing is found.
    ///
    /// # Errors
    /// Always.
    pub fn find_listener(&self, _: SocketAddr) -> io::Result<Option<Reading>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nothing is found.
    ///
    /// # Errors
    /// Always.
    pub fn find(&self, _: SocketAddr, _: SocketAddr) -> io::Result<Option<Reading>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A thread of this process, of which nothing is seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct Task;

impl Task {
    /// The thread that calls this.
    pub fn this() -> Task {
        Task
    }

    /// It has no number here.
    pub fn id(&self) -> Option<i64> {
        None
    }

    /// Not known.
    pub fn waiting(&self, _: i64) -> Waiting {
        Waiting::Unknown
    }
}

/// On Windows everybody may bind low ports; macOS asks for root only for some addresses.
pub fn low_ports_are_privileged() -> bool {
    false
}
