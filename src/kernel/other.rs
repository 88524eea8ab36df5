//! Systems other than Linux: what getsockname, getpeername and getsockopt report, and no guess beyond that.

use std::{io, net::SocketAddr};

use socket2::Socket;

use super::{SocketState, ThreadState};

/// Adds nothing: these systems report no more through the descriptor.
pub(super) fn observe(_: &Socket, _: bool, _: &mut SocketState) {}

/// A stand-in: sockets without a descriptor cannot be observed here.
pub(crate) struct SockDiag;

impl SockDiag {
    pub fn open() -> io::Result<SockDiag> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn find_listener(&self, _: SocketAddr) -> io::Result<Option<SocketState>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn find(&self, _: SocketAddr, _: SocketAddr) -> io::Result<Option<SocketState>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A thread of this process; its state cannot be observed here.
#[derive(Debug, Clone, Copy)]
pub struct Task;

impl Task {
    pub fn current() -> Task {
        Task
    }

    pub fn state(&self, _: i64) -> ThreadState {
        ThreadState::Unknown
    }
}

/// False: on Windows every user may bind low ports, and macOS restricts only some addresses.
pub(crate) fn low_ports_are_privileged() -> bool {
    false
}
