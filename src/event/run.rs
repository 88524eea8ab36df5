//! Which command's traffic a trace has, where it is no lesson.

use serde::{Deserialize, Serialize};

use super::FORMAT;

/// `run`: the first event of a trace of `decode`, `tap`, `serve` or a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// The trace format, see [`FORMAT`].
    pub format: u32,
    /// The version of the program that wrote this.
    pub sockwalk: String,
    /// The operating system, as Rust names it: `linux`, `macos`, `windows`.
    pub system: String,
    /// The command.
    pub command: Command,
    /// What is spoken, where one protocol was asked for: `websocket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The address at which it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// The server that it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Nanoseconds from 1970 (UTC) to the moment from which its times count, by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// How much of it was shown: the trace has everything, and a replay shows as much.
    #[serde(default, skip_serializing_if = "Shown::is_all")]
    pub shown: Shown,
}

/// Options that leave something out on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Shown {
    /// `--quiet`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// `--follow`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    /// `--stream N`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u64>,
    /// `--filter WHAT`, each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
}

impl Shown {
    fn is_all(&self) -> bool {
        *self == Shown::default()
    }
}

/// A command that makes or reads traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `sockwalk decode`
    Decode,
    /// `sockwalk tap`
    Tap,
    /// `sockwalk serve`
    Serve,
    /// `sockwalk client`
    Client,
}

impl Run {
    /// A run of this command by this program.
    pub fn of(command: Command) -> Self {
        Run {
            format: FORMAT,
            sockwalk: env!("CARGO_PKG_VERSION").to_owned(),
            system: std::env::consts::OS.to_owned(),
            command,
            protocol: None,
            listen: None,
            target: None,
            started: None,
            shown: Shown::default(),
        }
    }
}
