//! Systems other than Linux: what getsockname, getpeername and getsockopt tell, and no guess beyond that.

use std::{io, net::SocketAddr};

use socket2::Socket;

use super::{SocketState, ThreadState};

/// Nothing more is known through the descriptor.
pub(super) fn observe(_: &Socket, _: bool, _: &mut SocketState) {}

/// Sockets without a descriptor cannot be seen here.
pub struct SockDiag;

impl SockDiag {
    /// There is none.
    ///
    /// # Errors
    /// Always.
    pub fn open() -> io::Result<SockDiag> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nothing is found.
    ///
    /// # Errors
    /// Always.
    pub fn find_listener(&self, _: SocketAddr) -> io::Result<Option<SocketState>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nothing is found.
    ///
    /// # Errors
    /// Always.
    pub fn find(&self, _: SocketAddr, _: SocketAddr) -> io::Result<Option<SocketState>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A thread of this process, of which nothing is seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct Task;

impl Task {
    /// The thread that calls this.
    pub fn current() -> Task {
        Task
    }

    /// It has no number here.
    pub fn id(&self) -> Option<i64> {
        None
    }

    /// Not known.
    pub fn state(&self, _: i64) -> ThreadState {
        ThreadState::Unknown
    }
}

/// On Windows everybody may bind low ports; macOS asks for root only for some addresses.
pub fn low_ports_are_privileged() -> bool {
    false
}
