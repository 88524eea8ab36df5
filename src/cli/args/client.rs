//! The arguments of `client` and `serve`, and the list of protocols in their help.

use std::time::Duration;

use clap::{Args, Command, ValueEnum};

use super::{Limits, Messages};
use crate::{
    cli::values::{Callee, Place, setting, some_time, time},
    transport::registry,
};

/// The arguments of `client`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Client")]
pub struct Client {
    /// The protocol that carries the messages
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(registry::ends().map(|(name, _)| name)))]
    pub protocol: String,
    /// The server
    #[arg(value_name = "ADDR|URL")]
    pub to: Callee,
    /// Messages to send; afterwards, each line of standard input is a message
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    /// Once everything is sent, close the connection when nothing has arrived for this time
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, default_value = "1s")]
    pub wait: Duration,
    /// Reconnect after a lost connection, at most this many times in a row
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    pub retry: u32,
    /// Request an acknowledgement of each message, where the protocol has one
    #[arg(long)]
    pub ack: bool,
    /// How to end the connection
    #[arg(long, value_name = "HOW", value_enum, default_value = "orderly")]
    pub end: Leave,
    /// Send a heartbeat after this time without traffic
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true, default_value = "25s")]
    pub beat: Duration,
    /// An option of the protocol; --help lists the options of each
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Print only messages and errors
    #[arg(long)]
    pub quiet: bool,
}

/// How a client ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Leave {
    /// With the closing handshake of every layer
    Orderly,
    /// With a RST
    Abrupt,
}

/// The arguments of `serve`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct Serve {
    /// The protocol that carries the messages
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(registry::ends().map(|(name, _)| name)))]
    pub protocol: String,
    /// The address to listen at; a port alone means 127.0.0.1
    #[arg(value_name = "ADDR")]
    pub at: Place,
    /// Send each message to all clients, not only back to its sender
    #[arg(long)]
    pub chat: bool,
    /// The most messages that wait for one client; a client that falls further behind is disconnected
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
    pub queue: u32,
    /// The limits of each connection.
    #[command(flatten)]
    pub limits: Limits,
    /// What messages it accepts.
    #[command(flatten)]
    pub messages: Messages,
    /// Send a heartbeat after this time without traffic
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true, default_value = "25s")]
    pub beat: Duration,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    pub time: Option<Duration>,
    /// An option of the protocol; --help lists the options of each
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Print only messages and errors
    #[arg(long)]
    pub quiet: bool,
}

/// The protocols and their options, for the end of the help.
fn protocols() -> String {
    let mut text = "Protocols:".to_owned();
    for (name, ends) in registry::ends() {
        text += &hanging(&format!("  {name:<12} "), ends.what);
        for (option, what) in ends.options {
            text += &hanging(&format!("  {:<12}   --set {option}=… ", ""), what);
        }
    }
    text
}

/// `beginning` and `text` on a new line; further lines of `text` are indented to its first.
fn hanging(beginning: &str, text: &str) -> String {
    const WIDTH: usize = 98;
    let indent = 17;
    let mut out = format!("\n{beginning}");
    let mut at = beginning.chars().count();
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if at + length > WIDTH {
            out += &format!("\n{:indent$}", "");
            at = indent;
        }
        out += word;
        out.push(' ');
        at += length;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Adds the list of protocols to the long help of `client`. It is put together only when the help is asked for.
pub(super) fn with_client_help(command: Command) -> Command {
    command.after_long_help(format!(
        "Examples:\n  sockwalk client tcp localhost:7000 hello\n  sockwalk client websocket ws://localhost:8000/ hello --ack\n\n{}",
        protocols()
    ))
}

/// Adds the list of protocols to the long help of `serve`.
pub(super) fn with_serve_help(command: Command) -> Command {
    command.after_long_help(format!(
        "Examples:\n  sockwalk serve tcp 127.0.0.1:7000\n  sockwalk serve websocket 127.0.0.1:8000 --chat\n\n{}",
        protocols()
    ))
}
