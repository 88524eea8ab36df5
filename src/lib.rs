//! `sockwalk` walks a person through the life of a socket, call by call, on the real kernel.
//!
//! The house, one question a folder (ARCHITECTURE.md has the map and the arrows):
//! `course` what is taught, `run` how it goes, `stage` where it happens, `call` what is done, `carrier` how a message is carried, `upgrade` the
//! WebSocket opening handshake by hand, `kernel` what the kernel says, `wire` what crosses, `tools` what others have recorded, `trace` what happened,
//! `view` how it is shown, `cli` what a person types.

pub mod call;
pub mod carrier;
pub mod cli;
pub mod course;
pub mod kernel;
pub mod run;
pub mod stage;
pub mod tools;
pub mod trace;
pub mod upgrade;
pub mod view;
pub mod wire;
