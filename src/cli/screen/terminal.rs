//! The terminal: how wide and how tall it is, and whether it has colours.

use std::io::{self, IsTerminal};

use crate::{
    cli::args::{Show, When},
    view::Palette,
};

/// Rows for the table of a class: what the terminal has, but for a line above and the cursor's.
pub(super) fn table_rows() -> usize {
    terminal_rows().map_or(24, |rows| rows.saturating_sub(2).max(4))
}

/// Rows of the terminal; to be asked only of one.
fn terminal_rows() -> Option<usize> {
    crossterm::terminal::size().ok().map(|(_, rows)| usize::from(rows)).filter(|rows| *rows > 0)
}

pub(super) fn palette(when: When) -> Palette {
    let wanted = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            // `colored` knows CLICOLOR and CLICOLOR_FORCE; a terminal that calls itself dumb has no colour.
            let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            // NO_COLOR has the last word (no-color.org).
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !forbidden
                && colored::control::SHOULD_COLORIZE.should_colorize()
                && (forced || (io::stdout().is_terminal() && !dumb))
        }
    };
    if wanted { Palette::Colour } else { Palette::Plain }
}

pub(super) fn width(show: &Show) -> usize {
    if let Some(width) = show.width {
        return usize::from(width);
    }
    if io::stdout().is_terminal()
        && let Ok((columns, _)) = crossterm::terminal::size()
        && columns > 0
    {
        return usize::from(columns);
    }
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80)
}
