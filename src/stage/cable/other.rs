//! Systems other than Linux: there is no cable. The types have no values, so their methods are never called.

use std::convert::Infallible;

use super::{super::StageError, Cable, Capability, Options, Reason, Setting, Unavailable};
use crate::event::Host;

/// Whether a cable can be had here.
///
/// # Errors
/// Always.
pub fn probe() -> Result<Capability, Unavailable> {
    Err(Reason::NotLinux.into())
}

/// Prepares the process for cables.
///
/// # Errors
/// Always.
pub fn prepare() -> Result<(), Unavailable> {
    Err(Reason::NotLinux.into())
}

pub(super) struct CableEnds(Infallible);

impl CableEnds {
    pub fn send(&self, _: Host, _: &[&[u8]]) -> usize {
        match self.0 {}
    }

    pub fn is_empty(&self) -> bool {
        match self.0 {}
    }
}

pub(in super::super) struct VethConfig(Infallible);

pub(in super::super) struct HostNetwork(Infallible);

impl VethConfig {
    pub fn setup_host(self) -> Result<HostNetwork, StageError> {
        match self.0 {}
    }
}

pub(in super::super) struct Network(Infallible);

impl Network {
    pub fn veth_configs(_: Options) -> Result<[VethConfig; 2], Unavailable> {
        Err(Reason::NotLinux.into())
    }

    pub fn connect([client, _]: [HostNetwork; 2]) -> Result<Network, StageError> {
        match client.0 {}
    }

    pub fn cable(&self) -> &Cable {
        match self.0 {}
    }

    pub fn set(&self, _: Host, _: &str, _: &str) -> Result<Setting, StageError> {
        match self.0 {}
    }

    pub fn settings(&self) -> Vec<Setting> {
        match self.0 {}
    }

    pub fn setting(&self, _: Host, _: &str) -> Result<String, StageError> {
        match self.0 {}
    }

    pub fn low_ports_are_privileged(&self) -> bool {
        match self.0 {}
    }
}
