//! The keyboard: one key at a time, and the terminal as it was afterwards.

use std::io::{self, BufRead, IsTerminal};

use crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal,
};

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Enter,
    Back,
    Again,
    Help,
    Quit,
    Number(usize),
    /// Ctrl-C.
    Interrupt,
    Other,
}

/// Whether there is somebody to ask.
pub(super) fn there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Waits for a key. Where the terminal can't give single keys, a line is read and its first letter taken.
pub(super) fn key() -> io::Result<Key> {
    let Ok(_raw) = Raw::enter() else { return line() };
    loop {
        let Event::Key(key) = read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        return Ok(match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
            KeyCode::Char('d') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Quit,
            KeyCode::Enter
            | KeyCode::Char(' ' | 'n')
            | KeyCode::Right
            | KeyCode::Down
            | KeyCode::PageDown => Key::Enter,
            KeyCode::Char('b') | KeyCode::Left | KeyCode::Up | KeyCode::PageUp | KeyCode::Backspace => {
                Key::Back
            }
            KeyCode::Esc => Key::Quit,
            KeyCode::Char(c) => letter(c),
            _ => Key::Other,
        });
    }
}

fn letter(c: char) -> Key {
    match c.to_ascii_lowercase() {
        'b' => Key::Back,
        'r' => Key::Again,
        'q' => Key::Quit,
        '?' | 'h' => Key::Help,
        digit @ '1'..='9' => Key::Number(digit as usize - '0' as usize),
        _ => Key::Other,
    }
}

fn line() -> io::Result<Key> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(Key::Quit);
    }
    Ok(line.trim().chars().next().map_or(Key::Enter, letter))
}

/// The terminal in raw mode; put back when dropped, whatever happens.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Raw> {
        terminal::enable_raw_mode().map(|()| Raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}
