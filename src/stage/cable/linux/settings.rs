//! Kernel settings of a host's network namespace, see sysctl(8): `/proc/sys/net` shows each thread those of
//! its namespace.

use std::{fs, io};

use super::super::{Setting, Timers};
use crate::event::Host;

/// TCP's limits of retransmission, at their maxima, in retries. `tcp_fin_timeout` is in seconds and has no
/// maximum: an hour.
const STRETCHED: [(&str, &str); 5] = [
    ("net.ipv4.tcp_syn_retries", "127"),
    ("net.ipv4.tcp_synack_retries", "255"),
    ("net.ipv4.tcp_retries2", "255"),
    ("net.ipv4.tcp_orphan_retries", "255"),
    ("net.ipv4.tcp_fin_timeout", "3600"),
];

/// Sets the timers of this thread's network namespace. Returns the changes.
pub(super) fn set_timers(host: Host, timers: Timers) -> Vec<Setting> {
    match timers {
        Timers::Default => Vec::new(),
        Timers::Stretched => STRETCHED.iter().map(|(name, value)| set(host, name, value)).collect(),
    }
}

/// Allows the group of this process to open ping sockets, which no group may by default, see icmp(7).
pub(super) fn allow_ping_sockets(host: Host) -> Setting {
    let group = rustix::process::getegid();
    set(host, "net.ipv4.ping_group_range", &format!("{group} {group}"))
}

/// Changes a setting of this thread's network namespace. The result says whether the kernel refused.
pub(super) fn set(host: Host, name: &str, value: &str) -> Setting {
    let before = read(name).ok();
    let failed = path(name).and_then(|path| fs::write(path, value)).err();
    Setting {
        host,
        name: name.to_owned(),
        before,
        value: value.to_owned(),
        failed: failed.map(|error| crate::call::errno_text(&error)),
    }
}

/// Reads a setting of this thread's network namespace.
pub(super) fn read(name: &str) -> io::Result<String> {
    // The kernel separates two numbers by a tab.
    let text = fs::read_to_string(path(name)?)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The file of a setting. Fails with `InvalidInput` for a name that is no network setting or that would lead
/// out of the folder.
fn path(name: &str) -> io::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.starts_with("net.") && name.chars().all(plain) && !name.contains("..") {
        Ok(format!("/proc/sys/{}", name.replace('.', "/")))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no setting of a network")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_of_a_network_are_reached() {
        assert_eq!(path("net.ipv4.tcp_syn_retries").unwrap(), "/proc/sys/net/ipv4/tcp_syn_retries");
        for bad in ["kernel.hostname", "net...kernel", "net/../kernel", "net.ipv4 x"] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
