//! Completions and manual pages, made of the very definitions that the command line is parsed by, so that
//! they can't drift.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap_complete::Shell;

use super::{args::Cli, code};

/// `sockwalk completions SHELL`
pub(super) fn completions(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::whole(), "sockwalk", &mut script);
    write(&script)
}

/// `sockwalk man [COMMAND]`
pub(super) fn page(command: Option<&str>) -> Result<ExitCode> {
    let mut program = Cli::whole();
    program.build();
    let described = match command {
        None => &program,
        Some(name) => {
            program.find_subcommand(name).with_context(|| format!("there is no command `{name}`"))?
        }
    };
    let title = described.get_display_name().unwrap_or("sockwalk").to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(described.clone()).title(title).render(&mut page)?;
    write(&page)
}

/// A reader that goes away is no error.
fn write(bytes: &[u8]) -> Result<ExitCode> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("can't write to standard output")
        }
        _ => Ok(code(true)),
    }
}
