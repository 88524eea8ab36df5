//! The process's own network namespace: entered once, before the first cable. Every stage makes its
//! namespaces from there.

use std::{sync::Mutex, thread};

use super::{
    super::{super::system, Capability, Unavailable},
    dry_run::dry_run,
    namespace,
};
use crate::sync::lock;

/// How the process entered its network namespace. `None` before that.
static ENTERED: Mutex<Option<Capability>> = Mutex::new(None);

/// Moves the process into a network namespace of its own, in which cables can be made. Does nothing if that
/// was done before. The process must have one thread.
///
/// A child process tries everything first, as there is no way back. If the trial fails, this process is as it
/// was.
///
/// # Errors
/// Why this machine cannot have a cable, and what would change that.
pub fn prepare() -> Result<(), Unavailable> {
    let mut entered = lock(&ENTERED);
    if entered.is_some() {
        return Ok(());
    }
    let (capability, child) = dry_run()?;
    let result = namespace::unshare_process(capability);
    // The child takes milliseconds to end, and nothing here depends on that: a thread waits for it. If the
    // thread cannot be started, the child is reaped when this process ends.
    let _ = thread::Builder::new().name("dry-run".to_owned()).spawn(move || {
        system::block_other_signals();
        child.wait();
    });
    result?;
    *entered = Some(capability);
    Ok(())
}

/// Whether a cable can be had here, and by which privileges. Changes nothing in this process.
///
/// # Errors
/// Why not, and what would change that.
pub fn probe() -> Result<Capability, Unavailable> {
    let entered = *lock(&ENTERED);
    if let Some(capability) = entered {
        return Ok(capability);
    }
    let (capability, child) = dry_run()?;
    child.wait();
    Ok(capability)
}
