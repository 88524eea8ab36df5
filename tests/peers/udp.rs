//! UDP: netcat as caller and as the one called, and nobody at all. ICMP: the kernel, which answers pings.

use std::{net::UdpSocket, process::Command};

use super::{Process, nc};
use crate::support::{Folder, run, sockwalk, stderr, stdout};

/// `sockwalk client` or `serve`, in plain words.
fn own(home: &Folder, arguments: &[&str]) -> Process {
    let all = [arguments, &["--plain"]].concat();
    Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(home, &all))
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn netcat_gets_its_datagrams_back() {
    let home = Folder::new();
    let mut server = own(&home, &["serve", "udp", "127.0.0.1:0"]);
    let port = server.out("the port", |line| {
        let (_, rest) = line.split_once("udp://127.0.0.1:")?;
        Some(rest.chars().take_while(char::is_ascii_digit).collect::<String>())
    });
    let mut caller = nc(&["-u", "127.0.0.1", &port]);
    for line in ["hello", "grüße", "", "the last"] {
        caller.write(format!("{line}\n"));
        caller.out(&format!("{line:?} back"), |back| (back == line).then_some(()));
    }
    server.out("who sends", |line| line.contains("the first datagram from 127.0.0.1:").then_some(()));
}

#[test]
#[ignore = "needs netcat-openbsd; tests/run installs it"]
fn netcat_is_told_and_answers() {
    let mut called = nc(&["-n", "-v", "-u", "-l", "127.0.0.1", "0"]);
    let port = called.err("its port", |line| line.strip_prefix("Bound on 127.0.0.1 ").map(str::to_owned));
    let home = Folder::new();
    let mut caller =
        own(&home, &["client", "udp", &format!("127.0.0.1:{port}"), "hello\n", "again\n", "--wait", "10s"]);
    for word in ["hello", "again"] {
        called.out(word, |line| (line == word).then_some(()));
    }
    called.write("welcome\n");
    caller.out("what it heard", |line| line.contains("heard").then_some(()));
}

#[test]
fn nobody_is_there_and_that_is_learned_from_icmp() {
    // A port that was free a moment ago.
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = run(&["client", "udp", &format!("127.0.0.1:{port}"), "hello", "--plain"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("Connection refused"), "{}", stdout(&output));
}

#[test]
fn what_is_too_large_for_a_datagram_is_not_sent() {
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = other.local_addr().unwrap().to_string();
    let output = run(&["client", "udp", &at, &"x".repeat(65_508), "--plain"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("a datagram takes 65507 bytes at most"), "{told}");
}

/// A ping from inside a network of its own, after this has been done there.
#[cfg(target_os = "linux")]
fn ping(before: &str) -> (Option<i32>, String) {
    let home = Folder::new();
    let script = format!(
        "{before} ip link set lo up && exec '{}' client icmp icmp://127.0.0.1/ hello 'grüße' --plain --wait 300ms",
        env!("CARGO_BIN_EXE_sockwalk")
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", &script])
        .env("HOME", &home.0)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("unshare is there");
    let told = format!("{}{}", stdout(&output), stderr(&output));
    (output.status.code(), told.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs unshare and ip, and user namespaces; tests/run installs them"]
fn the_kernel_sends_an_echo_back() {
    let (code, told) = ping("echo 0 0 > /proc/sys/net/ipv4/ping_group_range &&");
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(told.matches("ICMP echo reply").count(), 2, "{told}");
    assert!(told.contains("heard") && told.contains("hello") && told.contains("grüße"), "{told}");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs unshare and ip, and user namespaces; tests/run installs them"]
fn who_may_not_ping_is_told_what_says_so() {
    let (code, told) = ping("");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("net.ipv4.ping_group_range"), "{told}");
}
