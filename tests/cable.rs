//! The cable, for real: two hosts in network namespaces of their own, and this process between them.
//!
//! A process has to have one thread when it moves to a network of its own, and the usual test harness has
//! more. So this one runs itself again for each case; as root, once more for each case as an ordinary user.
//! Where the cable can't be had, these tests fail, and say why.
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is its own harness")]

#[cfg(target_os = "linux")]
#[path = "cable/frames.rs"]
mod frames;
#[cfg(target_os = "linux")]
#[path = "cable/ground.rs"]
mod ground;
#[cfg(target_os = "linux")]
#[path = "cable/harness.rs"]
mod harness;
#[cfg(target_os = "linux")]
#[path = "cable/hosts.rs"]
mod hosts;
#[cfg(target_os = "linux")]
#[path = "cable/tampering.rs"]
mod tampering;
#[cfg(target_os = "linux")]
#[path = "cable/world.rs"]
mod world;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let cases = [frames::CASES, tampering::CASES, hosts::CASES, ground::CASES].concat();
    harness::run(&cases)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    assert!(sockwalk::stage::cable_probe().is_err(), "only Linux has the cable");
    println!("no cable on this system, as is to be expected");
}
