//! `sockwalk doctor`: what this machine can show, what it can't, and what would change that.

use std::{
    env,
    io::{self, IsTerminal},
    net::{Ipv6Addr, UdpSocket},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use anyhow::Result;

use super::{Screen, args::Show, screen::Purpose};
use crate::{
    kernel,
    stage::{CableOptions, Capability, Stage, Unavailable, cable_probe},
    view::{Finding, findings},
};

/// Programs that lessons name for a second terminal, and what for.
const TOOLS: [&str; 8] = ["ss", "lsof", "nc", "strace", "tcpdump", "curl", "python3", "tshark"];

/// Looks, and says what it found.
pub(super) fn doctor(show: &Show) -> Result<ExitCode> {
    // While there is one thread: that is what a cable needs.
    let probe = cable_probe();
    // In the machine's own network: from the cable on the process is in another.
    let surroundings = surroundings();
    let cable = cable(probe);
    let mut all = vec![
        Finding {
            good: None,
            name: "sockwalk",
            text: format!("{} on {}, {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH),
            remedy: None,
        },
        cable,
        terminal(),
        programs(),
    ];
    all.extend(what_the_kernel_tells());
    all.extend(surroundings);
    let mut screen = Screen::new(show, Purpose::Report)?;
    let lines = findings(&screen.look(), &all);
    screen.print(&lines);
    screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

fn cable(probe: Result<Capability, Unavailable>) -> Finding {
    let laid = probe.and_then(|capability| {
        // The first of a process tries everything in a child before.
        drop(Stage::cable(CableOptions::default())?);
        let began = Instant::now();
        let stage = Stage::cable(CableOptions::default())?;
        let up = began.elapsed();
        drop(stage);
        Ok((capability, up, began.elapsed() - up))
    });
    let (good, text, remedy) = match laid {
        Ok((capability, up, down)) => {
            let way = match capability {
                Capability::UserNamespace => "as an ordinary user, by a user namespace",
                Capability::Administrator => "with CAP_SYS_ADMIN, so without a user namespace",
            };
            let times = format!("up in {} ms, down in {} ms", up.as_millis(), down.as_millis());
            (true, format!("two hosts with a cable between them: can be had {way} ({times})"), None)
        }
        Err(why) => {
            (false, format!("{why}. Lessons run on loopback; those about frames can't"), Some(why.remedy))
        }
    };
    Finding { good: Some(good), name: "cable", text, remedy }
}

fn what_the_kernel_tells() -> Vec<Finding> {
    let table = match Stage::loopback() {
        Ok(stage) => stage.sees_closed_sockets(),
        Err(error) => {
            let text = format!("the threads of the two hosts can't be started: {error}");
            return vec![Finding { good: Some(false), name: "hosts", text, remedy: None }];
        }
    };
    vec![
        match (cfg!(target_os = "linux"), table) {
            (true, true) => find(
                Some(true),
                "sockets",
                "the kernel tells state, queues and options, also of sockets that no program has (sock_diag)",
            ),
            (true, false) => find(
                Some(false),
                "sockets",
                "the kernel tells nothing of sockets that no program has: no sock_diag here",
            ),
            (false, _) => find(
                None,
                "sockets",
                "this system tells less of its sockets than Linux: such claims count as not seen",
            ),
        },
        if kernel::reports_blocked_threads() {
            find(Some(true), "waiting", "a call that waits is seen to wait (/proc)")
        } else {
            find(None, "waiting", "a call counts as waiting when it has not come back within 50 ms")
        },
    ]
}

fn surroundings() -> Vec<Finding> {
    let ipv6 = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    vec![
        if ipv6 {
            find(Some(true), "IPv6", "this machine has it")
        } else {
            find(Some(false), "IPv6", "::1 can't be bound: IPv6 is off here")
        },
        if kernel::low_ports_are_privileged() {
            find(
                Some(true),
                "low ports",
                "port 80 takes a right that an ordinary user has not: bind shows EACCES",
            )
        } else {
            find(None, "low ports", "anybody may bind port 80 here: EACCES is not shown")
        },
    ]
}

fn find(good: Option<bool>, name: &'static str, text: &str) -> Finding {
    Finding { good, name, text: text.to_owned(), remedy: None }
}

fn programs() -> Finding {
    let there = |name: &&&str| {
        let path = env::var_os("PATH").unwrap_or_default();
        // Those of the administrator are not in everybody's path.
        let more = ["/usr/sbin", "/sbin"].map(Into::into);
        env::split_paths(&path).chain(more).any(|folder| Path::new(&folder).join(name).is_file())
    };
    let (found, missing): (Vec<&str>, Vec<&str>) = TOOLS.iter().partition(|name| there(name));
    let text = match (found.as_slice(), missing.as_slice()) {
        (found, []) => format!("for a second terminal: {}", found.join(", ")),
        (found, missing) => {
            format!("for a second terminal: {}; not here: {}", found.join(", "), missing.join(", "))
        }
    };
    Finding { good: if missing.is_empty() { Some(true) } else { None }, name: "programs", text, remedy: None }
}

fn terminal() -> Finding {
    let (input, output) = (io::stdin().is_terminal(), io::stdout().is_terminal());
    let text = match (output, crossterm::terminal::size()) {
        (true, Ok((columns, rows))) => {
            let keys = if input { "keys step through lessons" } else { "no keyboard: lessons run through" };
            format!("{columns} columns, {rows} rows; {keys}")
        }
        _ => "standard output is no terminal: lessons run through, 80 columns wide".to_owned(),
    };
    Finding { good: None, name: "terminal", text, remedy: None }
}
