//! Live: the subcommands with an address.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;

use super::{
    Screen,
    args::{self, How, Pace, Protocol, Show},
    code,
    screen::Purpose,
    values::Place,
};
use crate::{
    lesson,
    run::{self, Class, Ending, HoldUntil, LiveCommand, Service, Verbosity},
};

/// `sockwalk socket PROTOCOL`
pub(super) fn socket(protocol: Protocol, show: &Show) -> Result<ExitCode> {
    let name = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Tcp6 => "tcp6",
        Protocol::Udp6 => "udp6",
    };
    errand(&LiveCommand::Socket(name), show)
}

/// `sockwalk bind ADDR`
pub(super) fn bind(at: Place, udp: bool, show: &Show) -> Result<ExitCode> {
    errand(&LiveCommand::Bind { at: at.0, udp }, show)
}

/// `sockwalk listen ADDR`
pub(super) fn listen(at: Place, backlog: u16, show: &Show) -> Result<ExitCode> {
    errand(&LiveCommand::Listen { at: at.0, backlog }, show)
}

/// `sockwalk connect HOST:PORT`
pub(super) fn connect(to: Place, show: &Show) -> Result<ExitCode> {
    errand(&LiveCommand::Connect { to: to.0 }, show)
}

/// `sockwalk send HOST:PORT TEXT`
pub(super) fn send(to: Place, text: &str, wait: Duration, show: &Show) -> Result<ExitCode> {
    let bytes = lesson::unescaped(text).unwrap_or_else(|fault| super::refuse(fault.to_string()));
    errand(&LiveCommand::Send { to: to.0, bytes, wait }, show)
}

/// `sockwalk recv ADDR`
pub(super) fn recv(at: Place, size: u64, show: &Show) -> Result<ExitCode> {
    // More than this a single recv never gives.
    let size = u32::try_from(size.min(16 << 20)).unwrap_or(u32::MAX);
    errand(&LiveCommand::Recv { at: at.0, size }, show)
}

/// `sockwalk close HOST:PORT`
pub(super) fn close(to: Place, how: How, show: &Show) -> Result<ExitCode> {
    let how = match how {
        How::Fin => Ending::Fin,
        How::Half => Ending::Half,
        How::Reset => Ending::Reset,
    };
    errand(&LiveCommand::Close { to: to.0, how }, show)
}

/// Runs an errand on a screen of its own.
pub(super) fn errand(errand: &LiveCommand, show: &Show) -> Result<ExitCode> {
    let talks = matches!(errand, LiveCommand::WebSocket { .. });
    let mut screen = Screen::new(show, if talks { Purpose::Talk } else { Purpose::Live })?;
    let hold = match show.pace {
        Some(Pace::Auto) => HoldUntil::For(Duration::ZERO),
        Some(Pace::Every(time)) => HoldUntil::For(time),
        // Without a keyboard nobody can say when a caller has seen enough; who is called waits for a signal.
        None if !io::stdin().is_terminal()
            && matches!(errand, LiveCommand::Socket(_) | LiveCommand::Connect { .. }) =>
        {
            HoldUntil::For(Duration::ZERO)
        }
        Some(Pace::Step) | None => HoldUntil::UntilTold,
    };
    let good = run::live(errand, hold, &mut screen)?;
    screen.settle();
    screen.failures()?;
    Ok(code(good))
}

/// `sockwalk accept ADDR`
pub(super) fn accept(at: Place, class: &args::Class, show: &Show) -> Result<ExitCode> {
    serve_class(at, Service::Echo, class, show)
}

/// `sockwalk websocket ADDR`
pub(super) fn websocket(
    at: Place,
    messages: &args::Messages,
    class: &args::Class,
    show: &Show,
) -> Result<ExitCode> {
    let service = Service::WebSocket { origins: messages.origin_policy(), message: messages.message };
    serve_class(at, service, class, show)
}

fn serve_class(at: Place, service: Service, asked: &args::Class, show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Live)?;
    let tell = match (asked.show, asked.quiet) {
        (_, true) if show.trace.is_none() => Verbosity::Nobody,
        (Some(number), _) if show.trace.is_none() => Verbosity::Only(number),
        _ => Verbosity::All,
    };
    if asked.quiet {
        screen.keep_table();
    }
    if let Some(number) = asked.show {
        screen.follow(&format!("c{number}"));
    }
    let class = Class {
        at: at.0,
        service,
        connections: asked.limits.connections.limit(),
        idle: asked.limits.idle,
        bytes: asked.limits.bytes,
        tell,
    };
    let good = run::serve(&class, &mut screen)?;
    screen.settle();
    screen.last_table();
    screen.failures()?;
    Ok(code(good))
}
