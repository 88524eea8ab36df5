//! Linux: network namespaces, virtual Ethernet pairs (veth) and packet sockets.
#![allow(
    unsafe_code,
    reason = "fork, unshare, packet sockets and their shared memory have no safe form in the crates we use"
)]

mod dry_run;
mod forwarder;
mod host_setup;
mod namespace;
mod network;
mod offload;
mod packet_socket;
mod prepare;
mod ring;
mod rtnetlink;
mod settings;
mod setup_error;
mod sock_destroy;
mod sockopt;

pub(super) use packet_socket::CableEnds;
pub use prepare::{prepare, probe};
pub(in super::super) use {
    host_setup::{HostNetwork, VethConfig},
    network::Network,
};
