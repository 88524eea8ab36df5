//! What `client` and `serve` can be told, and what each protocol is.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Limits, Messages};
use crate::{
    cli::values::{Callee, Place, setting, some_time, time},
    transport::registry,
};

/// Who is called, and what is said.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Client")]
pub struct Client {
    /// How messages are carried
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(registry::ends().map(|(name, _)| name)))]
    pub protocol: String,
    /// The server
    #[arg(value_name = "ADDR|URL")]
    pub to: Callee,
    /// What to say; then lines of standard input are said
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    /// With nothing more to say, leave when nothing has come for so long
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, default_value = "1s")]
    pub wait: Duration,
    /// Call again after a cut, so many times in a row
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    pub retry: u32,
    /// Ask for an acknowledgement of each message, where the protocol has that
    #[arg(long)]
    pub ack: bool,
    /// How to leave
    #[arg(long, value_name = "HOW", value_enum, default_value = "orderly")]
    pub end: Leave,
    /// Show that we are there after so much silence
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true, default_value = "25s")]
    pub beat: Duration,
    /// What the protocol is told besides; --help lists what each takes
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Only messages and what went wrong
    #[arg(long)]
    pub quiet: bool,
}

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Leave {
    /// With all goodbyes
    Orderly,
    /// With a RST
    Abrupt,
}

/// What is served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serve")]
pub struct Serve {
    /// How messages are carried
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(registry::ends().map(|(name, _)| name)))]
    pub protocol: String,
    /// Where; a port alone is 127.0.0.1
    #[arg(value_name = "ADDR")]
    pub at: Place,
    /// Send what one says to all, not only back to who said it
    #[arg(long)]
    pub chat: bool,
    /// So many messages may wait for one client; who is slower than the rest is dropped
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
    pub queue: u32,
    /// The limits of each connection.
    #[command(flatten)]
    pub limits: Limits,
    /// What messages it accepts.
    #[command(flatten)]
    pub messages: Messages,
    /// Show that we are there after so much silence
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true, default_value = "25s")]
    pub beat: Duration,
    /// End after so long
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    pub time: Option<Duration>,
    /// What the protocol is told besides; --help lists what each takes
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Only messages and what went wrong
    #[arg(long)]
    pub quiet: bool,
}

/// What each protocol is, and what it can be told, below the examples.
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

/// A new line with a text behind a beginning, below itself where it is longer than a line of help.
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

pub(super) fn client_help() -> String {
    format!(
        "Examples:\n  sockwalk client tcp localhost:7000 hello\n  sockwalk client websocket ws://localhost:8000/ hello --ack\n\n{}",
        protocols()
    )
}

pub(super) fn serve_help() -> String {
    format!(
        "Examples:\n  sockwalk serve tcp 127.0.0.1:7000\n  sockwalk serve websocket 127.0.0.1:8000 --chat\n\n{}",
        protocols()
    )
}
