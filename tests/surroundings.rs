//! Bad surroundings: ports that are taken, systems without IPv6 or /proc, readers, disks and terminals that
//! fail, peers that send escape codes, and signals at any moment.
//!
//! The tests that are ignored make namespaces of their own, as any user may: with util-linux's `unshare`,
//! `mount` and iproute2's `ip`.

mod addresses;
mod harness;
mod hostile;
mod outputs;
mod signals;
mod systems;
mod terminal;
