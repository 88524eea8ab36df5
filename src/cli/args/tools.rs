//! What `diff` and `tap` can be told.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::Connections;
use crate::{
    cli::values::{Place, callee, close, short_time},
    event::Host,
    transport::registry,
};

/// What is compared.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub struct Diff {
    /// The message, with escapes such as \n and \x1b; standard input if it is - or left out
    #[arg(value_name = "MESSAGE", conflicts_with = "file")]
    pub message: Option<String>,
    /// Read the message from a file (- is standard input)
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Send binary messages, not text
    #[arg(long)]
    pub binary: bool,
    /// Send it so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub repeat: u16,
    /// Cut it into pieces of these lengths, each with a send and a message of its own
    #[arg(long, value_name = "BYTES", value_delimiter = ',')]
    pub split: Vec<usize>,
    /// Who sends
    #[arg(long, value_name = "HOST", default_value = "client")]
    pub from: Sender,
    /// Cut each message into WebSocket frames of these lengths
    #[arg(long, value_name = "BYTES", value_delimiter = ',')]
    pub fragments: Vec<usize>,
    /// Send a Ping in the middle of each message, or before it
    #[arg(long)]
    pub ping: bool,
    /// Compare the Close too, with its code and reason: 1000 or 1000:bye
    #[arg(long, value_name = "CODE[:REASON]", value_parser = close)]
    pub close: Option<(u16, String)>,
    /// Compare messages of many sizes: what the WebSocket adds to each
    #[arg(long, conflicts_with_all = ["message", "file", "split", "repeat", "fragments", "ping", "close"])]
    pub sweep: bool,
    /// Write the sweep as comma-separated values
    #[arg(long, value_name = "FILE", requires = "sweep")]
    pub csv: Option<PathBuf>,
    /// Write the sweep as a picture
    #[arg(long, value_name = "FILE", requires = "sweep")]
    pub svg: Option<PathBuf>,
    /// Compare these protocols, with commas between them, or all
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(protocol_names()), conflicts_with_all = ["sweep", "fragments", "ping", "close"])]
    pub protocols: Vec<String>,
    /// How long a polling client pauses between two questions
    #[arg(long, value_name = "TIME", value_parser = short_time, default_value = "1s", requires = "protocols")]
    pub interval: Duration,
    /// Write the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is tapped.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tap")]
pub struct Tap {
    /// Where clients call; a port alone is 127.0.0.1
    #[arg(value_name = "LISTEN")]
    pub at: Place,
    /// The server that is called for each of them
    #[arg(value_name = "TARGET", value_parser = callee)]
    pub target: Place,
    /// Only a line for each connection, at its end
    #[arg(long)]
    pub quiet: bool,
    /// The limit of connections.
    #[command(flatten)]
    pub connections: Connections,
}

/// Those that `diff` knows, and all of them.
fn protocol_names() -> impl Iterator<Item = &'static str> {
    registry::scripted().map(|(name, _)| name).chain(["all"])
}

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sender {
    /// The client: a WebSocket masks what it sends
    Client,
    /// The server: it does not
    Server,
}

impl From<Sender> for Host {
    fn from(sender: Sender) -> Host {
        match sender {
            Sender::Client => Host::Client,
            Sender::Server => Host::Server,
        }
    }
}
