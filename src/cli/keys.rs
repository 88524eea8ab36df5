//! The keyboard: one key at a time, and the terminal as it was afterwards.

use std::{
    io::{self, BufRead, IsTerminal},
    sync::Once,
};

use crossterm::terminal;

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Enter,
    Back,
    Again,
    Help,
    Quit,
    /// A frame is dropped.
    Drop,
    /// A frame is sent on twice.
    Twice,
    /// All frames cross.
    All,
    /// Something is typed that is to be done to the cable.
    Wire,
    /// A frame is to be taken apart.
    Frame,
    Number(usize),
    /// Ctrl-C.
    Interrupt,
    Other,
}

/// Whether there is somebody to ask.
pub(super) fn there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Waits for a key. Where the terminal can't give single keys, a line is read and its first letter taken. A
/// terminal that has gone away says [`Key::Quit`].
pub(super) fn key() -> io::Result<Key> {
    let Ok(_raw) = Raw::enter() else { return line() };
    let mut input = io::stdin().lock();
    let typed = input.fill_buf()?;
    let (key, length) = match typed {
        [] => return Ok(Key::Quit),
        // Arrows and their kin come as ESC [ … or ESC O …, up to a letter or ~. They scroll elsewhere, so
        // here they do nothing.
        [0x1b, b'[' | b'O', rest @ ..] => {
            let end =
                rest.iter().position(|byte| matches!(byte, 0x40..=0x7e)).map_or(rest.len(), |at| at + 1);
            (Key::Other, 2 + end)
        }
        [0x03, ..] => (Key::Interrupt, 1),
        [0x04, ..] => (Key::Quit, 1),
        [b'\r' | b'\n' | b' ', ..] => (Key::Enter, 1),
        [byte, ..] => (letter(char::from(*byte)), 1),
    };
    input.consume(length);
    Ok(key)
}

fn letter(c: char) -> Key {
    match c.to_ascii_lowercase() {
        'b' => Key::Back,
        'r' => Key::Again,
        'q' => Key::Quit,
        'd' => Key::Drop,
        't' => Key::Twice,
        'a' => Key::All,
        'w' => Key::Wire,
        'f' => Key::Frame,
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

/// Waits for a line. Nothing at its end of input.
pub(super) fn whole_line() -> io::Result<Option<String>> {
    let mut line = String::new();
    Ok((io::stdin().lock().read_line(&mut line)? > 0).then(|| line.trim().to_owned()))
}

/// The terminal in raw mode; put back when dropped, whatever happens.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Raw> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(watch);
        terminal::enable_raw_mode().map(|()| Raw)
    }
}

/// Whoever ends the program from outside, while a key is waited for, gets a terminal as it was: a signal that
/// is not caught runs no destructor.
#[cfg(unix)]
fn watch() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
        iterator::Signals,
    };
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGQUIT, SIGHUP]) else { return };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let _ = terminal::disable_raw_mode();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// On Windows a console's mode is its own matter.
#[cfg(not(unix))]
fn watch() {}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}
