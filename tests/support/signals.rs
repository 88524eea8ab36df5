//! Signal dispositions of the programs that tests start.
//!
//! A shell starts a job in the background with SIGINT and SIGQUIT ignored. A program that is executed
//! inherits an ignored signal, so Ctrl-C would end no child of such a test. A handled signal is reset to its
//! default instead (execve(2)): this process handles what it was told to ignore, and does nothing.

/// Handles each signal that this process ignores, so that its children start with the default disposition.
#[cfg(target_os = "linux")]
pub fn reset_in_children() {
    use std::sync::{Arc, Once};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    static RESET: Once = Once::new();
    RESET.call_once(|| {
        let ignored = ignored("self");
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            if ignored & (1 << (signal - 1)) != 0 {
                signal_hook::flag::register(signal, Arc::default()).expect("the signal can be handled");
            }
        }
    });
}

/// Only Linux says in /proc what a process ignores.
#[cfg(not(target_os = "linux"))]
pub fn reset_in_children() {}

/// The signals that a process ignores: bit N-1 is signal N (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn ignored(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("/proc has the process");
    let mask =
        status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("it names ignored signals");
    u64::from_str_radix(mask.trim(), 16).expect("the mask is hexadecimal")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{env, process::Command};

    use crate::support::live::Process;

    /// Set in the second run of this program, which begins with signals ignored.
    const AGAIN: &str = "SOCKWALK_TEST_SIGNALS_IGNORED";

    #[test]
    fn a_runner_that_ignores_signals_starts_children_that_do_not() {
        if env::var_os(AGAIN).is_some() {
            assert_eq!(super::ignored("self") & 0b111, 0b111, "the shell has ignored HUP, INT and QUIT");
            let mut child = Process::start("cat", &mut Command::new("cat"));
            assert_eq!(super::ignored(&child.id().to_string()) & 0b111, 0);
            child.signal("INT");
            assert_eq!(child.end().code, None, "a signal has ended it");
            return;
        }
        let name = "support::signals::tests::a_runner_that_ignores_signals_starts_children_that_do_not";
        let output = Command::new("sh")
            .args(["-c", r#"trap "" HUP INT QUIT; exec "$0" --exact "$1""#])
            .arg(env::current_exe().unwrap())
            .arg(name)
            .env(AGAIN, "1")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && out.contains("1 passed"), "{out}");
    }
}
