//! What a person can type, and the terminal that they sit at.

mod args;
mod check;
mod client;
mod decode;
mod diff;
mod doctor;
mod enter;
mod explain;
mod keys;
mod lines;
mod live;
mod manual;
mod map;
mod progress;
mod records;
mod screen;
mod source;
mod stages;
mod suffices;
mod tally;
mod tap;
mod values;
mod walk;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    mem::ManuallyDrop,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{ArgMatches, FromArgMatches, error::ErrorKind, parser::ValueSource};

use args::{Cli, Command};
use screen::Screen;
use values::Spot;

use crate::{run::LiveCommand, view::escape};

/// Does what the command line asks for. `Ok` holds the exit code: 1 if a check did not hold.
///
/// # Errors
/// What can't be read, written or started, said for people.
pub fn run() -> Result<ExitCode> {
    let parsed = parse(&env::args_os().collect::<Vec<_>>());
    let cli = match parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches))) {
        Ok((cli, matches)) => {
            go_together(&cli, &matches);
            cli
        }
        Err(wrong) if wrong.use_stderr() => complain(&wrong),
        // Help, or the version: standard output can fail here too.
        Err(asked) => {
            return match asked.print().and_then(|()| io::stdout().flush()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Err(error).context("can't write to standard output")
                }
                _ => Ok(ExitCode::SUCCESS),
            };
        }
    };
    let show = &cli.show;
    let Some(command) = cli.command else {
        return map::map(show);
    };
    match command {
        Command::Socket { protocol: Some(protocol), .. } => live::socket(protocol, show),
        Command::Bind { at: Some(at), udp, .. } => live::bind(at, udp, show),
        Command::Listen { at: Some(at), backlog, .. } => live::listen(at, backlog, show),
        Command::Accept { at: Some(at), class, .. } => live::accept(at, &class, show),
        Command::Connect { to: Some(to), .. } => live::connect(to, show),
        Command::Send { to: Some(to), text, wait, .. } => {
            live::send(to, text.as_deref().unwrap_or_default(), wait, show)
        }
        Command::Recv { at: Some(at), size, .. } => live::recv(at, size, show),
        Command::Close { to: Some(to), how, .. } => live::close(to, how, show),
        Command::Socket { part, .. } => walk::lesson("socket", part, show),
        Command::Bind { part, .. } => walk::lesson("bind", part, show),
        Command::Listen { part, .. } => walk::lesson("listen", part, show),
        Command::Accept { part, .. } => walk::lesson("accept", part, show),
        Command::Connect { part, .. } => walk::lesson("connect", part, show),
        Command::Send { part, .. } => walk::lesson("send", part, show),
        Command::Recv { part, .. } => walk::lesson("recv", part, show),
        Command::Close { part, .. } => walk::lesson("close", part, show),
        Command::Websocket { at: None, part, .. } => walk::lesson("websocket", part, show),
        Command::Websocket { at: Some(Spot::Here(at)), class, messages, .. } => {
            live::websocket(at, &messages, &class, show)
        }
        Command::Websocket { at: Some(Spot::There { to, authority, path }), texts, from, wait, .. } => {
            live::errand(
                &LiveCommand::WebSocket { to: to.0, authority, path, origin: from, texts, wait },
                show,
            )
        }
        Command::Tour => walk::tour(show),
        Command::Lessons => map::lessons(show),
        Command::Run { file, part } => walk::file(&file, part, show),
        Command::Check { what } => check::check(&what, show),
        Command::Lint { files } => check::lint(&files, show),
        Command::Replay { file, frame } => walk::replay(&file, frame, show),
        Command::Diff(asked) => diff::run(&asked, show),
        Command::Decode(decode) => decode::decode(&decode, show),
        Command::Explain { name, json } => explain::explain(&name.join(" "), json, show),
        Command::Tap(asked) => tap::run(&asked, show),
        Command::Client(asked) => client::client(&asked, show),
        Command::Serve(asked) => client::serve(&asked, show),
        Command::Doctor => doctor::doctor(show),
        Command::Progress { reset } => map::progress(reset, show),
        Command::Enter { host, pid, command } => enter::enter(host.into(), pid, &command),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { command } => manual::page(command.as_deref()),
    }
}

/// Parses the arguments, the program's name first.
///
/// # Errors
/// What is wrong with them, or that help or the version is asked for.
fn parse(arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let quick = match arguments {
        [_, version] if version == "--version" || version == "-V" => Some(Cli::without_commands()),
        [_, name, ..] => Cli::only(name),
        _ => None,
    };
    match quick.map(|command| matches(command, arguments)) {
        Some(Ok(matches)) => Ok(matches),
        Some(Err(version)) if version.kind() == ErrorKind::DisplayVersion => Err(version),
        // Errors and help name other commands too.
        _ => matches(Cli::whole(), arguments),
    }
}

fn matches(command: clap::Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    // The process ends before the memory is needed: to free it piece by piece would only take time.
    ManuallyDrop::new(command).try_get_matches_from_mut(arguments)
}

/// Refuses options of `websocket` that the address, or the URL, has no use for: to ignore them would be to
/// promise what is not done.
fn go_together(cli: &Cli, matches: &ArgMatches) {
    let (Some(Command::Websocket { at: Some(at), .. }), Some((_, given))) =
        (&cli.command, matches.subcommand())
    else {
        return;
    };
    let (wrong, why) = match at {
        Spot::Here(_) => {
            (&["texts", "from", "wait"][..], "goes with a ws:// URL, where sockwalk is the client")
        }
        Spot::There { .. } => (
            &["show", "quiet", "connections", "idle", "bytes", "message", "origins", "any_origin"][..],
            "goes with an address, where sockwalk is the server",
        ),
    };
    let found = wrong.iter().find(|id| given.value_source(id) == Some(ValueSource::CommandLine));
    if let Some(id) = found {
        let name = match (*id, at) {
            ("texts", Spot::Here(at)) => {
                refuse(format!("a TEXT {why}: sockwalk websocket ws://{}/ TEXT", at.0))
            }
            ("origins", _) => "--origin".to_owned(),
            (id, _) => format!("--{}", id.replace('_', "-")),
        };
        refuse(format!("{name} {why}"));
    }
}

/// Ends as clap does, but without whatever in the arguments could steer a terminal: they may have been
/// pasted.
fn complain(wrong: &clap::Error) -> ! {
    let text = wrong.render().to_string();
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        wrong.exit();
    }
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    let _ = io::stderr().write_all(lines.join("\n").as_bytes());
    std::process::exit(wrong.exit_code())
}

/// Ends as clap does when arguments do not go together.
fn refuse(why: String) -> ! {
    Cli::whole().error(ErrorKind::ArgumentConflict, why).exit()
}

/// 0 if all held, 1 if not.
fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
