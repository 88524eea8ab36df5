//! `sockwalk enter HOST`: a command in the network of a host, from a second terminal.

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;

use crate::{event::Host, stage};

/// Becomes the command. Comes back only with an error.
pub(super) fn enter(host: Host, pid: Option<u32>, command: &[OsString]) -> Result<ExitCode> {
    match stage::enter(host, pid, command)? {}
}
