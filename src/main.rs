//! Start: parse, hand over, turn the outcome into an exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    sockwalk::cli::run().unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "sockwalk: {error:#}");
        ExitCode::FAILURE
    })
}
