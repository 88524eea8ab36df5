//! sysctl(8) in a host's network namespace: `/proc/sys/net` shows each thread the settings of its own.

use std::{fs, io};

use super::super::{Setting, Timers};
use crate::event::Host;

/// The settings that make the kernel patient, at their maximum. `tcp_fin_timeout` has none: an hour, in seconds.
const STRETCHED: [(&str, &str); 5] = [
    ("net.ipv4.tcp_syn_retries", "127"),
    ("net.ipv4.tcp_synack_retries", "255"),
    ("net.ipv4.tcp_retries2", "255"),
    ("net.ipv4.tcp_orphan_retries", "255"),
    ("net.ipv4.tcp_fin_timeout", "3600"),
];

/// Makes the kernel of this thread's network namespace as patient as asked for.
pub(super) fn set_timers(host: Host, timers: Timers) -> Vec<Setting> {
    match timers {
        Timers::Default => Vec::new(),
        Timers::Stretched => STRETCHED.iter().map(|(name, value)| set(host, name, value)).collect(),
    }
}

/// Lets the group of this process open ping sockets: nobody may at first, see icmp(7).
pub(super) fn allow_ping_sockets(host: Host) -> Setting {
    // SAFETY: takes and changes nothing.
    let group = unsafe { libc::getegid() };
    set(host, "net.ipv4.ping_group_range", &format!("{group} {group}"))
}

/// Changes one setting of this thread's network namespace.
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

/// Reads one setting of this thread's network namespace.
pub(super) fn read(name: &str) -> io::Result<String> {
    // Two numbers are parted by a tab.
    let text = fs::read_to_string(path(name)?)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Only what belongs to a network, and by a name that can't lead elsewhere.
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
