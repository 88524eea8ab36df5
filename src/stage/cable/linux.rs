//! Linux: network namespaces, virtual Ethernet pairs and packet sockets.
#![allow(
    unsafe_code,
    reason = "namespaces, packet sockets and their shared memory have no safe form in the crates we use"
)]

mod ground;
mod interface;
mod netlink;
mod network;
mod plug;
mod port;
mod probe;
mod pump;
mod ring;
mod settings;
mod sockets;

pub(super) use port::Wire;
pub use probe::probe;

use super::Unavailable;
pub(in super::super) use {
    network::Network,
    plug::{MovedIn, Plug},
};

/// Makes sure that a cable can be laid from here on. To be called while the process has one thread: from then on it is in a network
/// of its own, and where that fails it is as it was.
///
/// # Errors
/// Why there can't be one here, and what would change that.
pub fn prepare() -> Result<(), Unavailable> {
    ground::lay().map(drop)
}
