//! What `client` and `serve` can be told, and what each protocol is.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{
    cli::values::{Callee, Place, allowed_origin, setting, size, some_time, time},
    transport::ends::ENDS,
};

/// Who is called, and what is said.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Client")]
pub struct Client {
    /// How messages are carried
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(ENDS.iter().map(|ends| ends.name)))]
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
    #[arg(value_name = "PROTOCOL", value_parser = clap::builder::PossibleValuesParser::new(ENDS.iter().map(|ends| ends.name)))]
    pub protocol: String,
    /// Where; a port alone is 127.0.0.1
    #[arg(value_name = "ADDR")]
    pub at: Place,
    /// Send what one says to all, not only back to who said it
    #[arg(long)]
    pub chat: bool,
    /// Accept no more than so many connections at once
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
    pub limit: u32,
    /// So many messages may wait for one client; who is slower than the rest is dropped
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
    pub queue: u32,
    /// Refuse a message larger than this
    #[arg(long, value_name = "SIZE", default_value = "1m", value_parser = size, allow_hyphen_values = true)]
    pub message: u64,
    /// End a connection that has sent more than so much
    #[arg(long, value_name = "SIZE", default_value = "64m", value_parser = size, allow_hyphen_values = true)]
    pub bytes: u64,
    /// End a connection on which nothing has moved for so long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = some_time, allow_hyphen_values = true)]
    pub idle: Duration,
    /// Show that we are there after so much silence
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true, default_value = "25s")]
    pub beat: Duration,
    /// End after so long
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    pub time: Option<Duration>,
    /// Let in pages of this origin too, such as http://example.com
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = allowed_origin)]
    pub origins: Vec<String>,
    /// Let in pages of any origin: what a server does that does not check
    #[arg(long, conflicts_with = "origins")]
    pub any_origin: bool,
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
    for ends in ENDS {
        text += &hanging(&format!("  {:<12} ", ends.name), ends.what);
        for (name, what) in ends.options {
            text += &hanging(&format!("  {:<12}   --set {name}=… ", ""), what);
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
