//! What a person sees: the binary, run for real, and judges that others wrote.
//!
//! Each module is one area: `cargo test --test main AREA::` runs it. Only the cable is a program of its own
//! (`cable.rs`).
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod support;

#[cfg(target_os = "linux")]
mod app;
#[cfg(unix)]
mod browser;
mod captures;
#[cfg(unix)]
mod class;
mod command_line;
#[cfg(target_os = "linux")]
mod crossing;
mod decode;
mod diff;
mod explain;
mod help;
mod house;
#[cfg(unix)]
mod interrupted;
mod lessons;
#[cfg(unix)]
mod life;
#[cfg(target_os = "linux")]
mod pcap;
#[cfg(unix)]
mod peers;
mod screens;
#[cfg(unix)]
mod servers;
#[cfg(unix)]
mod socketio;
#[cfg(unix)]
mod stomp;
#[cfg(target_os = "linux")]
mod strace;
#[cfg(unix)]
mod surroundings;
#[cfg(target_os = "linux")]
mod tap;
#[cfg(unix)]
mod terminal;
mod trace;
#[cfg(unix)]
mod transports;
mod tshark;
