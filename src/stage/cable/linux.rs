//! Linux: network namespaces, virtual Ethernet pairs and packet sockets.
#![allow(
    unsafe_code,
    reason = "namespaces, packet sockets and their shared memory have no safe form in the crates we use"
)]

mod forwarder;
mod host_setup;
mod namespace;
mod network;
mod offload;
mod packet_socket;
mod probe;
mod ring;
mod rtnetlink;
mod settings;
mod sock_destroy;

pub(super) use packet_socket::CableEnds;
pub use probe::probe;

use super::Unavailable;
pub(in super::super) use {
    host_setup::{HostNetwork, VethConfig},
    network::Network,
};

/// Makes sure that a cable can be laid from here on. To be called while the process has one thread: from then on it is in a network
/// of its own, and where that fails it is as it was.
///
/// # Errors
/// Why there can't be one here, and what would change that.
pub fn prepare() -> Result<(), Unavailable> {
    namespace::ensure_entered().map(drop)
}
