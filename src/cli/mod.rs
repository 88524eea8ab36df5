//! What a person can type, and the terminal that they sit at.

mod args;
mod check;
mod keys;
mod manual;
mod map;
mod progress;
mod screen;
mod source;
mod tally;
mod walk;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command};
use screen::Screen;

/// Does what the command line asks for. `Ok` holds the exit code: 1 if a check did not hold.
///
/// # Errors
/// What can't be read, written or started, said for people.
pub fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    let show = &cli.show;
    let Some(command) = cli.command else {
        return map::map(show);
    };
    match command {
        Command::Socket(part) => walk::lesson("socket", part, show),
        Command::Bind(part) => walk::lesson("bind", part, show),
        Command::Listen(part) => walk::lesson("listen", part, show),
        Command::Accept(part) => walk::lesson("accept", part, show),
        Command::Connect(part) => walk::lesson("connect", part, show),
        Command::Send(part) => walk::lesson("send", part, show),
        Command::Recv(part) => walk::lesson("recv", part, show),
        Command::Close(part) => walk::lesson("close", part, show),
        Command::Websocket(part) => walk::lesson("websocket", part, show),
        Command::Tour => walk::tour(show),
        Command::Lessons => map::lessons(show),
        Command::Run { file, part } => walk::file(&file, part, show),
        Command::Check { what } => check::check(&what, show),
        Command::Lint { files } => check::lint(&files, show),
        Command::Replay { file } => walk::replay(&file, show),
        Command::Progress { reset } => map::progress(reset, show),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { command } => manual::page(command.as_deref()),
    }
}

/// 0 if all held, 1 if not.
fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
