//! `sockwalk tap` between clients and servers of our own: it changes nothing, loses nothing, holds nothing up, and tells what passes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

#[path = "support/live.rs"]
mod live;
mod support;

#[path = "tap/fidelity.rs"]
mod fidelity;
#[path = "tap/harness.rs"]
mod harness;
#[path = "tap/telling.rs"]
mod telling;
