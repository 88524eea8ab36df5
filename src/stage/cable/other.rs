//! Systems other than Linux: there is no cable.

use std::{convert::Infallible, io};

use super::{Cable, Options, Possible, Reason, Setting, Unavailable};
use crate::event::Host;

/// Whether the cable can be had here.
///
/// # Errors
/// Always.
pub fn probe() -> Result<Possible, Unavailable> {
    Err(Reason::NotLinux.into())
}

/// Never possible.
///
/// # Errors
/// Always.
pub fn prepare() -> Result<(), Unavailable> {
    Err(Reason::NotLinux.into())
}

/// There is none.
pub(super) struct CableEnds(Infallible);

impl CableEnds {
    /// Never called.
    pub fn send(&self, _: Host, _: &[&[u8]]) -> usize {
        match self.0 {}
    }

    /// Never called.
    pub fn is_empty(&self) -> bool {
        match self.0 {}
    }
}

/// There is none.
pub(in super::super) struct VethConfig(Infallible);

/// Nobody moves in.
pub(in super::super) struct HostNetwork(Infallible);

impl VethConfig {
    /// Never called.
    pub fn setup_host(self) -> Result<HostNetwork, Unavailable> {
        match self.0 {}
    }
}

/// There is none.
pub(in super::super) struct Network(Infallible);

impl Network {
    /// There are none.
    pub fn veth_configs(_: Options) -> Result<[VethConfig; 2], Unavailable> {
        Err(Reason::NotLinux.into())
    }

    /// Never called.
    pub fn connect([client, _]: [HostNetwork; 2]) -> io::Result<Network> {
        match client.0 {}
    }

    /// Never called.
    pub fn cable(&self) -> &Cable {
        match self.0 {}
    }

    /// Never called.
    pub fn set(&self, _: Host, _: &str, _: &str) -> io::Result<Setting> {
        match self.0 {}
    }

    /// Never called.
    pub fn settings(&self) -> Vec<Setting> {
        match self.0 {}
    }

    /// Never called.
    pub fn setting(&self, _: Host, _: &str) -> io::Result<String> {
        match self.0 {}
    }

    /// Never called.
    pub fn low_ports_are_privileged(&self) -> bool {
        match self.0 {}
    }
}
