//! Ctrl-C, and its kin, in a live run: noticed, so that everything can be closed and told. A second time ends at once.

use std::sync::{Arc, atomic::AtomicBool};

use anyhow::{Context, Result};
use signal_hook::{consts::TERM_SIGNALS, flag};

/// Exit code of a program that was told twice to end.
const AT_ONCE: i32 = 130;

/// Becomes true when somebody wants the program to end: SIGINT, SIGTERM, SIGQUIT.
pub(super) fn noticed() -> Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        // In this order: the first time finds the flag not set yet.
        flag::register_conditional_shutdown(*signal, AT_ONCE, Arc::clone(&told))
            .and_then(|_| flag::register(*signal, Arc::clone(&told)))
            .context("can't listen to Ctrl-C")?;
    }
    Ok(told)
}
