//! `sockwalk tap` between clients and servers of our own: it changes nothing, loses nothing, holds nothing
//! up, and tells what passes.

mod fidelity;
pub mod harness;
mod telling;
