//! The steps that set up a cable, and an error with the step that failed.

use std::io;

use super::super::{super::StageError, Unavailable};

/// A step, in the order in which they are made. The numbers are those that [`dry_run`](super::dry_run) sends
/// through a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum SetupStep {
    /// `unshare(2)` of the process's namespaces.
    Unshare = 1,
    /// Mapping the user and the group into the namespace, see user_namespaces(7).
    Map,
    /// Bringing the loopback interface up, by rtnetlink(7).
    Loopback,
    /// A network namespace for a host.
    HostNamespace,
    /// A pair of interfaces, see veth(4), with its addresses.
    Pair,
    /// A packet(7) socket.
    PacketSocket,
}

impl SetupStep {
    pub const ALL: [SetupStep; 6] = [
        SetupStep::Unshare,
        SetupStep::Map,
        SetupStep::Loopback,
        SetupStep::HostNamespace,
        SetupStep::Pair,
        SetupStep::PacketSocket,
    ];

    /// The step in words: `making namespaces (unshare)`.
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

/// The step that failed, and the system's error.
#[derive(Debug)]
pub(super) struct SetupError {
    pub step: SetupStep,
    pub error: io::Error,
}

impl SetupError {
    /// For `map_err`.
    pub fn at<E: Into<io::Error>>(step: SetupStep) -> impl Fn(E) -> SetupError {
        move |error| SetupError { step, error: error.into() }
    }
}

impl From<SetupError> for Unavailable {
    fn from(failed: SetupError) -> Unavailable {
        Unavailable::other(failed.step.text(), &failed.error)
    }
}

impl From<SetupError> for StageError {
    fn from(failed: SetupError) -> StageError {
        StageError::Unavailable(failed.into())
    }
}
