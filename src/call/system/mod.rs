//! Descriptors, flags and error numbers: what of the calls differs by operating system.

mod errno;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as this;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as this;

pub use errno::ERRNOS;
pub use this::{descriptor, flag, is_listener, pause, set_tcp_option, tcp_option};

/// Flags of `send` and `recv`; a system may lack some, where they count as 0.
pub const FLAGS: &[&str] = &["MSG_DONTWAIT", "MSG_PEEK", "MSG_WAITALL", "MSG_OOB", "MSG_TRUNC"];

/// The name of an error: `ECONNREFUSED`. An error that has none here is named by its number.
pub fn errno_name(error: &std::io::Error) -> String {
    let Some(number) = error.raw_os_error() else { return format!("{:?}", error.kind()) };
    ERRNOS
        .iter()
        .find(|(_, known)| *known == Some(number))
        .map_or_else(|| format!("errno {number}"), |(name, _)| (*name).to_owned())
}

/// The system's own words for an error, without the number that Rust adds.
pub fn errno_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
