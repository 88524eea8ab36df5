//! Bad surroundings: ports that are taken, systems without IPv6 or /proc, readers, disks and terminals that fail, peers that send
//! escape codes, and signals at any moment.
//!
//! The tests that are ignored make namespaces of their own, as any user may: with util-linux's `unshare`, `mount` and iproute2's `ip`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

#[path = "surroundings/addresses.rs"]
mod addresses;
#[path = "surroundings/harness.rs"]
mod harness;
#[path = "surroundings/hostile.rs"]
mod hostile;
#[path = "support/live.rs"]
mod live;
#[path = "surroundings/outputs.rs"]
mod outputs;
#[path = "surroundings/signals.rs"]
mod signals;
mod support;
#[path = "surroundings/systems.rs"]
mod systems;
#[path = "surroundings/terminal.rs"]
mod terminal;
