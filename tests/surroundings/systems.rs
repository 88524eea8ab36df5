//! Systems that lack something: IPv6, a name, /proc.

use std::net::UdpSocket;

use serde_json::Value;

use super::harness::*;
use crate::support::Folder;

/// In a network of its own, with only the addresses of IPv4.
const NO_IPV6: &str =
    r#"for each in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >"$each"; done; ip link set lo up; "#;

#[test]
#[ignore = "needs unshare (util-linux) and ip (iproute2)"]
fn without_ipv6_that_is_what_is_told() {
    let exec = format!(r#"{NO_IPV6}exec "$0" "$@""#);
    let ended = secluded(&["--net"], &exec, &["socket", "tcp6"]).end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert!(ended.out.contains("AF_INET6"), "{}", ended.out);
    for command in ["bind", "listen", "accept", "recv", "websocket", "connect"] {
        let ended = secluded(&["--net"], &exec, &[command, "[::1]:7000"]).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{command}: {}", ended.out);
        assert!(
            ended.out.contains("EADDRNOTAVAIL") && flat(&ended.out).contains("perhaps IPv6 is off here"),
            "{command}: {}",
            ended.out
        );
    }
    let ended = secluded(&["--net"], &exec, &["connect", "192.0.2.1:80"]).end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    assert!(
        ended.out.contains("ENETUNREACH") && flat(&ended.out).contains("no route to 192.0.2.1"),
        "{}",
        ended.out
    );
    let mut check = secluded(&["--net"], &exec, &["check", "--stage", "loopback"]);
    let checked = check.process.succeed();
    assert!(checked.out.contains("all hold"), "{}", checked.out);
}

#[test]
#[ignore = "needs strace"]
fn a_kernel_that_knows_no_ipv6_says_so() {
    for (arguments, advice) in [
        (&["socket", "tcp6"][..], "IPv6 is not there"),
        (&["bind", "[::1]:0"], "such as 127.0.0.1"),
        (&["connect", "[::1]:7000"], "such as 127.0.0.1"),
    ] {
        // Of both hosts' sockets, so also of those that read the kernel: these have to do without.
        let script = r#"exec strace -f -qq -o /dev/null -e trace=socket -e inject=socket:error=EAFNOSUPPORT timeout 20 "$0" "$@""#;
        let ended = shell(script, arguments).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
        assert!(ended.out.contains("EAFNOSUPPORT") && flat(&ended.out).contains(advice), "{}", ended.out);
    }
}

/// What the name localhost means, in a file of this run's own.
fn localhost(home: &Folder) -> String {
    home.file("hosts", "::1 localhost\n127.0.0.1 localhost\n")
}

#[test]
#[ignore = "needs unshare and mount (util-linux)"]
fn localhost_is_tried_at_both_its_addresses() {
    let folder = Folder::new();
    let hosts = localhost(&folder);
    let script = format!(r#"mount --bind {hosts} /etc/hosts; exec "$0" "$@""#);
    let peer = silent_peer();
    let there = format!("localhost:{}", peer.rsplit_once(':').unwrap().1);
    let mut here = secluded(&["--mount"], &script, &["connect", &there]);
    let out = here.process.succeed().out;
    assert!(out.contains("::1") && out.contains("ESTABLISHED"), "{out}");
    // Where there is IPv6, ::1 comes first (RFC 6724), and nobody is there.
    let has_ipv6 = UdpSocket::bind("[::1]:0").is_ok();
    assert_eq!(out.contains("ECONNREFUSED") && out.contains("The next address is tried."), has_ipv6, "{out}");
}

#[test]
#[ignore = "needs unshare and mount (util-linux) and ip (iproute2)"]
fn localhost_is_found_without_ipv6() {
    let folder = Folder::new();
    let hosts = localhost(&folder);
    let script = format!(
        r#"{NO_IPV6} mount --bind {hosts} /etc/hosts
        mkfifo "$FOLDER/trace"
        timeout --foreground 20 "$0" accept 127.0.0.1:7000 --trace "$FOLDER/trace" >"$FOLDER/server" & server=$!
        exec 3<"$FOLDER/trace"
        grep -q -m1 LISTEN <&3
        code=0; timeout 20 "$0" "$@" || code=$?
        kill -TERM $server; wait $server; exit $code"#
    );
    for arguments in [
        &["connect", "localhost:7000"][..],
        &["send", "localhost:7000", "hello", "--wait", "200ms"],
        &["close", "localhost:7000"],
    ] {
        let mut here = secluded(&["--net", "--mount"], &script, arguments);
        let ended = here.process.succeed();
        assert_eq!(ended.err, "", "{arguments:?}");
        assert!(
            ended.out.contains("127.0.0.1") && !ended.out.contains("before all was done"),
            "{}",
            ended.out
        );
    }
}

/// In a view of the file system where /proc is empty.
const NO_PROC: &str = r#"mount -t tmpfs none /proc; exec "$0" "$@""#;

#[test]
#[ignore = "needs unshare and mount (util-linux)"]
fn without_proc_the_lessons_say_what_cannot_be_seen() {
    let mut check = secluded(&["--mount"], NO_PROC, &["check"]);
    let checked = check.process.succeed();
    assert!(checked.out.contains("all hold") && checked.out.contains("cannot be seen"), "{}", checked.out);
    let mut lesson = secluded(&["--mount"], NO_PROC, &["recv", "--width", "120"]);
    let out = lesson.process.succeed().out;
    assert!(out.contains("known by time") && out.contains("cannot be seen here"), "{out}");
}

#[test]
#[ignore = "needs unshare and mount (util-linux)"]
fn without_proc_live_commands_work() {
    let mut here = secluded(&["--mount"], NO_PROC, &["accept", "0", "--trace", "-"]);
    let port = here.process.out("a listening socket", port_of);
    assert_eq!(exchange(connect(port), b"hello"), b"hello");
    let (ended, _) = here.told_to_end("INT");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(is_complete(&events(&ended.out)));

    let mut here = secluded(&["--mount"], NO_PROC, &["websocket", "0", "--trace", "-"]);
    let port = here.process.out("a listening socket", port_of);
    let url = format!("ws://127.0.0.1:{port}/");
    let mut client = secluded(&["--mount"], NO_PROC, &["websocket", &url, "hello", "--wait", "100ms"]);
    assert!(client.process.succeed().out.matches("hello").count() > 2, "it is sent and comes back");
    let (ended, _) = here.told_to_end("INT");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));

    let mut here = secluded(&["--mount"], NO_PROC, &["recv", "0", "--trace", "-"]);
    let port = here.process.out("a listening socket", port_of);
    let known_by = here.process.out("a call that waits", |line| {
        let event: Value = serde_json::from_str(line).unwrap();
        (event["event"] == "blocked").then(|| event["known_by"].clone())
    });
    assert_eq!(known_by, "time");
    exchange(connect(port), b"hello");
    here.process.succeed();

    for arguments in
        [&["socket", "udp"][..], &["bind", "0", "--pace", "0s"], &["listen", "0", "--pace", "0s"]]
    {
        let mut here = secluded(&["--mount"], NO_PROC, arguments);
        let ended = here.process.succeed();
        assert_eq!(ended.err, "", "{arguments:?}");
    }
}
