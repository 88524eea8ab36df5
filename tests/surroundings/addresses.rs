//! Addresses and ports that can't be had, and what is told of them.

use std::{
    net::{TcpListener, UdpSocket},
    process::Command,
};

use sockwalk::event::What;

use crate::{surroundings::harness::*, surroundings::hostile::harmful};

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    for command in ["bind", "listen", "accept", "recv", "websocket"] {
        for form in ["--color=never", "--plain", "--ascii", "--quiet"] {
            if form == "--quiet" && !["accept", "websocket"].contains(&command) {
                continue;
            }
            let ended = ended(&[command, &at.to_string(), form]);
            assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{command} {form}");
            let shows = match cfg!(target_os = "linux") {
                true => format!("ss -tuanp '( sport = :{0} or dport = :{0} )'", at.port()),
                false => format!("lsof -nP -i :{}", at.port()),
            };
            for words in ["EADDRINUSE", "is taken", &shows, "port 0"] {
                assert!(flat(&ended.out).contains(words), "{command} {form}: {words}\n{}", ended.out);
            }
        }
        let mut here = start(&[command, &at.to_string()]);
        let events = events(&here.end().err);
        assert!(matches!(&events.last().unwrap().what, What::End(end) if end.left), "{command}: {events:?}");
    }
}

/// The commands in an advice, as its Markdown marks them: words with arguments.
fn commands(markdown: &str) -> Vec<String> {
    let code = markdown.split('`').skip(1).step_by(2).flat_map(str::lines).map(str::trim);
    code.filter(|code| code.contains(' ')).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs ss and ip (iproute2)"]
fn the_advice_on_an_address_is_a_command_that_shows_what_it_says() {
    let (stream, datagrams) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let tcp = stream.local_addr().unwrap().to_string();
    let udp = datagrams.local_addr().unwrap().to_string();
    for (arguments, error, shown) in [
        (&["bind", &tcp][..], "EADDRINUSE", &tcp[..]),
        (&["accept", &tcp], "EADDRINUSE", &tcp),
        (&["bind", &udp, "--udp"], "EADDRINUSE", &udp),
        (&["bind", "192.0.2.1:0"], "EADDRNOTAVAIL", "127.0.0.1"),
    ] {
        let ended = start(arguments).end();
        let advice = events(&ended.err).into_iter().find_map(|event| match event.what {
            What::Narration { markdown } if markdown.contains(error) => Some(markdown),
            _ => None,
        });
        let commands = commands(&advice.unwrap());
        assert!(!commands.is_empty(), "{arguments:?}");
        for command in commands {
            let output = Command::new("sh").args(["-c", &command]).output().unwrap();
            assert!(crate::support::stdout(&output).contains(shown), "{arguments:?}: {command}\n{output:?}");
            // Where it is to be copied, it is not torn apart.
            assert!(ended.out.lines().any(|line| line.trim() == command), "{command}\n{}", ended.out);
        }
    }
}

#[test]
fn an_address_that_is_not_ours_is_told() {
    for command in ["bind", "listen", "accept", "recv", "websocket"] {
        let ended = ended(&[command, "192.0.2.1:0"]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{command}");
        assert!(flat(&ended.out).contains("is no address of this machine"), "{}", ended.out);
    }
}

#[test]
fn a_host_that_nobody_knows_is_told() {
    // No label is that long, so that no name server is asked (RFC 1035 §2.3.4).
    let nowhere = format!("{}.invalid:7000", "x".repeat(64));
    let url = format!("ws://{nowhere}/");
    for arguments in [
        &["connect", &nowhere][..],
        &["send", &nowhere, "hello"],
        &["close", &nowhere],
        &["websocket", &url],
        &["bind", &nowhere],
        &["listen", &nowhere],
        &["recv", &nowhere],
        &["accept", &nowhere],
        &["websocket", &nowhere],
    ] {
        let ended = ended(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(flat(&ended.out).contains("No address is known"), "{arguments:?}: {}", ended.out);
    }
}

#[test]
fn a_call_that_is_refused_is_told_with_what_to_do() {
    // Bound and never listening: nobody else gets the port meanwhile.
    let nobody = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    nobody.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let at = nobody.local_addr().unwrap().as_socket().unwrap().to_string();
    let url = format!("ws://{at}/");
    for (arguments, advice) in [
        (&["connect", &at][..], format!("sockwalk accept {at}")),
        (&["send", &at, "hello"], format!("sockwalk accept {at}")),
        (&["close", &at, "--how", "reset"], format!("sockwalk accept {at}")),
        (&["websocket", &url], format!("sockwalk websocket {at}")),
    ] {
        let ended = ended(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(
            ended.out.contains("ECONNREFUSED") && flat(&ended.out).contains(&advice),
            "{advice}: {}",
            ended.out
        );
    }
}

#[test]
fn wrong_arguments_of_the_live_commands_exit_with_2_and_say_what_is_right() {
    const PLACE: &str = "such as 127.0.0.1:7000";
    const TIME: &str = "such as 500ms, 2s or 5m";
    const SIZE: &str = "such as 100, 64k or 1m";
    let url = &format!("ws://{}/", silent_peer());
    for (arguments, help) in [
        (&["socket", "sctp"][..], "tcp, udp, tcp6, udp6"),
        (&["bind", "127.0.0.1"], PLACE),
        (&["bind", ""], PLACE),
        (&["bind", "::1:7000"], "[::1]:7000"),
        (&["bind", "[::g]:7000"], "no IPv6 address"),
        (&["bind", "localhost:70000"], "65535"),
        (&["bind", "--udp"], "<ADDR>"),
        (&["bind", "7000", "--part", "2"], "--part"),
        (&["listen", "host name:7000"], PLACE),
        (&["listen", "7000", "--backlog", "many"], "--backlog"),
        (&["listen", "7000", "--backlog", "65536"], "65535"),
        (&["listen", "--backlog", "4"], "<ADDR>"),
        (&["connect", "http://localhost:80"], PLACE),
        (&["connect", "localhost:"], PLACE),
        (&["send", "7000"], "<TEXT>"),
        (&["send", "7000", "x", "--wait", "5"], TIME),
        (&["send", "7000", r"a\q"], "`\\q` is no escape"),
        (&["send", "7000", r"a\xg"], "two hex digits"),
        (&["recv", "7000", "--size", "0"], SIZE),
        (&["recv", "7000", "--size", "1g"], SIZE),
        (&["recv", "--size", "1k"], "<ADDR>"),
        (&["close", "7000", "--how", "politely"], "fin, half, reset"),
        (&["close", "--how", "fin"], "<HOST:PORT>"),
        (&["accept", "7000", "--connections", "0"], "1.."),
        (&["accept", "7000", "--idle", "5"], TIME),
        (&["accept", "7000", "--bytes", "much"], SIZE),
        (&["accept", "7000", "--show", "1", "--quiet"], "--quiet"),
        (&["accept", "7000", "--show", "c1"], "--show"),
        (&["accept", "--quiet"], "<ADDR>"),
        (&["websocket", "7000", "--message", "-1"], "--message"),
        (&["websocket", "wss://localhost/"], "ws://"),
        (&["websocket", "http://localhost/"], "ws://localhost/"),
        (&["websocket", "gopher://localhost/"], "expected ws://"),
        (&["websocket", "ws://"], "no host"),
        (&["websocket", "ws://localhost/#top"], "no fragment"),
        (&["websocket", "ws://localhost/a b"], "%20"),
        (&["websocket", "7000", "hello"], "ws://127.0.0.1:7000"),
        (&["websocket", "7000", "--from", "http://a"], "--from goes with a ws:// URL"),
        (&["websocket", "7000", "--wait", "2s"], "--wait goes with a ws:// URL"),
        (&["websocket", url, "--quiet"], "--quiet goes with an address"),
        (&["websocket", url, "--show", "1"], "--show goes with an address"),
        (&["websocket", url, "--origin", "http://a"], "--origin goes with an address"),
        (&["websocket", "ws://localhost:0/"], "port 0"),
        (&["accept", "7000", "--message", "1m"], "--message"),
        (&["connect", "0"], "port 0"),
        (&["send", "7000", "x", "--wait", "2m"], "at most 1m"),
        (&["websocket", "7000", "--origin", "http://a", "--any-origin"], "--any-origin"),
        (&["websocket", url, "--from", "http://a b"], "--from"),
        (&["websocket", url, "--from", "http://a\"b"], "--from"),
        (&["websocket", url, "--from", "http://a\r\nEvil: 1"], "--from"),
        (&["websocket", url, "--from", ""], "--from"),
        (&["websocket", &format!("{url}?a=\"b")], "%22"),
    ] {
        let ended = ended(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(help), "{arguments:?}: {}", ended.err);
        assert!(ended.err.chars().all(|c| !harmful(c)), "{arguments:?}: {:?}", ended.err);
    }
}

#[test]
#[ignore = "needs unshare (util-linux) and ip (iproute2)"]
fn a_low_port_needs_a_right_and_that_is_told() {
    // The second namespace of users has no right over the network of the first.
    for command in ["bind", "listen", "accept", "recv", "websocket"] {
        let script = r#"ip link set lo up; exec unshare --user "$0" "$@""#;
        let ended = secluded(&["--net"], script, &[command, "127.0.0.1:80"]).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{command}: {}", ended.out);
        assert!(ended.out.contains("EACCES") && flat(&ended.out).contains("from 1024 up"), "{}", ended.out);
    }
}
