//! Bad surroundings: ports that are taken, systems without IPv6 or /proc, readers, disks and terminals that fail, peers that send
//! escape codes, and signals at any moment.
//!
//! The tests that are ignored make namespaces of their own, as any user may: with util-linux's `unshare`, `mount` and iproute2's `ip`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

#[path = "support/live.rs"]
mod live;
mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Read, Write},
    net::{Shutdown, TcpListener, TcpStream, UdpSocket},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use live::{Ended, Live, Process};
use rexpect::process::PtyProcess;
use serde_json::Value;
use sockwalk::trace::{Event, Reader, What};
use support::{Folder, run, sockwalk, stderr};

const SOCKWALK: &str = env!("CARGO_BIN_EXE_sockwalk");

/// Nobody waits longer than this for something that is to happen at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever is told to end has ended after this.
const PROMPT: Duration = Duration::from_secs(2);

/// And if much was still to be told, by a program that was built for debugging.
const LADEN: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 2 });

/// A program under way, and its home.
struct Here {
    process: Process,
    home: Folder,
}

/// Starts it with an empty input. Its trace comes on standard error, so that the screen is seen as well.
fn start(arguments: &[&str]) -> Here {
    let mut all = arguments.to_vec();
    all.extend(["--trace", "/dev/stderr"]);
    let home = Folder::new();
    let process = Process::start(&all.join(" "), &mut sockwalk(&home, &all));
    let mut here = Here { process, home };
    here.process.end_input();
    here
}

/// Runs a script of the shell's with these arguments; `$0` is sockwalk.
fn shell(script: &str, arguments: &[&str]) -> Here {
    let home = Folder::new();
    let mut command = outside("sh", &home);
    command.args(["-c", script, SOCKWALK]).args(arguments);
    let mut here = Here { process: Process::start(script, &mut command), home };
    here.process.end_input();
    here
}

/// Likewise in namespaces of its own, where it is root: `--net`, `--mount`.
fn secluded(namespaces: &[&str], script: &str, arguments: &[&str]) -> Here {
    let home = Folder::new();
    let mut command = outside("unshare", &home);
    command.args(["--user", "--map-root-user"]).args(namespaces).args(["sh", "-e", "-c", script, SOCKWALK]);
    command.args(arguments);
    let mut here = Here { process: Process::start(script, &mut command), home };
    here.process.end_input();
    here
}

/// Another program, in the surroundings that `sockwalk` gets.
fn outside(program: &str, home: &Folder) -> Command {
    let mut command = Command::new(program);
    for (name, value) in sockwalk(home, &[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("FOLDER", &home.0);
    command
}

impl Here {
    /// The port that it listens at, by its trace.
    fn port(&mut self) -> u16 {
        self.process.err("a listening socket", port_of)
    }

    fn end(&mut self) -> Ended {
        self.process.end()
    }

    /// Sends a signal, waits for the end, and gives the time that it took.
    fn told_to_end(&mut self, signal: &str) -> (Ended, Duration) {
        self.process.signal(signal);
        let told = Instant::now();
        let ended = self.process.end();
        (ended, told.elapsed())
    }
}

/// Runs it to its end.
fn ended(arguments: &[&str]) -> Ended {
    let home = Folder::new();
    let mut process = Process::start(&arguments.join(" "), &mut sockwalk(&home, arguments));
    process.end_input();
    process.end()
}

/// The port of a line of the trace that tells of a listening socket.
fn port_of(line: &str) -> Option<u16> {
    let event: Value = serde_json::from_str(line).ok()?;
    let listens = event["event"] == "socket" && event["state"] == "LISTEN";
    listens.then(|| event["local"].as_str()?.rsplit_once(':')?.1.parse().ok()).flatten()
}

/// The port in the words with which a class server introduces itself.
fn port_shown(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("127.0.0.1:").filter(|(before, _)| before.contains("serves"))?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The events of a trace: each a line, and each line whole.
fn events(trace: &str) -> Vec<Event> {
    assert!(trace.is_empty() || trace.ends_with('\n'), "the last line is torn: {:?}", trace.lines().last());
    let events = Reader::new(Cursor::new(trace)).collect::<Result<Vec<Event>, _>>();
    events.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

fn is_complete(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event { what: What::End(_), .. }))
}

/// What is shown, as one line: prose is broken wherever it has to be.
fn flat(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits that long; nothing is expected meanwhile.
fn pass(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

/// Sends a signal by its name; whether anybody was there for it.
fn signal(name: &str, id: &str) -> bool {
    let kill = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).stderr(Stdio::null()).status();
    !id.is_empty() && kill.is_ok_and(|status| status.success())
}

/// A program whose id is in a file: if the test fails, it goes too.
struct Noted(String);

impl Drop for Noted {
    fn drop(&mut self) {
        if thread::panicking() {
            signal("KILL", fs::read_to_string(&self.0).unwrap_or_default().trim());
        }
    }
}

/// Somebody who listens and holds whoever calls, without a word.
fn silent_peer() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    at
}

/// A connection on which nobody waits for ever.
fn connect(port: u16) -> TcpStream {
    patient(TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}")))
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes, and meanwhile reads away what comes, to the end. Whoever is hung up on does not mind.
fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let mut came = Vec::new();
    let mut from = stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| from.read_to_end(&mut came));
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
    });
    came
}

/// A client that says something again and again, each time after a pause, until it is hung up on.
fn chatter(port: u16, websocket: bool, pause: Duration) -> thread::JoinHandle<()> {
    let mut stream = connect(port);
    thread::spawn(move || {
        let (first, then) = match websocket {
            true => (opening(port), frame(1, b"hello", true)),
            false => (b"hello".to_vec(), b"hello".to_vec()),
        };
        let mut room = [0; 4096];
        let mut good = stream.write_all(&first).is_ok();
        while let (true, Ok(read @ 1..)) = (good, stream.read(&mut room)) {
            pass(pause);
            // No other byte of what comes is that of a Close.
            let goodbye = websocket && room[..read].contains(&0x88);
            good = stream.write_all(if goodbye { &[0x88, 0x80, 0, 0, 0, 0] } else { &then[..] }).is_ok();
        }
    })
}

/// Four who talk as fast as they can.
fn chatters(port: u16, websocket: bool) -> Vec<thread::JoinHandle<()>> {
    (0..4).map(|_| chatter(port, websocket, Duration::ZERO)).collect()
}

/// Four who talk as people do, only faster.
fn talkers(port: u16, websocket: bool) -> Vec<thread::JoinHandle<()>> {
    (0..4).map(|_| chatter(port, websocket, Duration::from_millis(5))).collect()
}

/// The request of a WebSocket's opening handshake.
fn opening(port: u16) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// A frame with FIN; if it is masked, by zeros.
fn frame(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => frame.push(mask | short),
        (_, Ok(length)) => {
            frame.push(mask | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(mask | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    if masked {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

// Addresses and arguments.

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
            assert!(support::stdout(&output).contains(shown), "{arguments:?}: {command}\n{output:?}");
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

// Systems that lack something.

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

// Standard streams that fail.

#[test]
fn standard_output_that_is_closed_hinders_nobody() {
    let peer = silent_peer();
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["check", "socket"],
        &["socket", "tcp"],
        &["connect", &peer],
        &["send", &peer, "hello", "--wait", "50ms"],
        &["close", &peer],
        &["bind", "0", "--pace", "0s"],
    ] {
        let ended = shell(r#"exec "$0" "$@" >&-"#, arguments).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    for command in ["accept", "websocket"] {
        let mut here = shell(r#"exec "$0" "$@" >&-"#, &[command, "0", "--trace", "/dev/stderr"]);
        let port = here.port();
        let clients = talkers(port, command == "websocket");
        here.process.err("a peer", |line| line.contains(r#""name":"c4""#).then_some(()));
        let (ended, took) = here.told_to_end("INT");
        assert!(ended.code == Some(0) && took < PROMPT, "{command}: {took:?} {}", here.process.story());
        assert!(is_complete(&events(&ended.err)), "{command}");
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
}

#[test]
fn standard_error_and_input_that_are_closed_hinder_nobody() {
    let mut here = shell(r#"exec "$0" "$@" 2>&- <&-"#, &["accept", "0", "--trace", "-"]);
    let port = here.process.out("a listening socket", port_of);
    assert_eq!(exchange(connect(port), b"hello"), b"hello");
    let (ended, _) = here.told_to_end("INT");
    assert_eq!(ended.code, Some(0));
    // Nobody can be told why; the exit code says it.
    assert_eq!(shell(r#"exec "$0" "$@" 2>&-"#, &["run", "no/such/lesson.md"]).end().code, Some(1));
}

/// Runs it with a reader that takes three lines and goes.
fn three_lines_of(arguments: &[&str]) -> Ended {
    shell(r#"{ timeout 20 "$0" "$@"; echo "code $?" >&2; } | head -3"#, arguments).end()
}

#[test]
fn a_reader_that_takes_three_lines_ends_what_is_written_to_it() {
    let peer = silent_peer();
    let url = format!("ws://{peer}/");
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["tour", "--trace", "-"],
        &["check"],
        &["man"],
        &["--help"],
        &["completions", "bash"],
        &["socket", "tcp", "--pace", "1m"],
        &["bind", "0"],
        &["listen", "0"],
        &["connect", &peer, "--pace", "1m"],
        &["send", &peer, "hello", "--wait", "1m"],
        &["recv", "0"],
        &["close", &peer, "--how", "half"],
        &["accept", "0"],
        &["websocket", "0"],
        &["websocket", &url, "hello"],
        &["accept", "0", "--trace", "-"],
        &["listen", "0", "--trace", "-"],
        &["recv", "0", "--trace", "-"],
    ] {
        let ended = three_lines_of(arguments);
        assert_eq!((ended.out.lines().count(), ended.err.as_str()), (3, "code 0\n"), "{arguments:?}");
    }
}

/// Starts a class server, reads its standard output while four clients talk to it, and then goes away. Gives exit code, standard
/// error, and the time from there to its end.
fn reader_goes_from_a_class(command: &str, arguments: &[&str]) -> (Option<i32>, String, Duration) {
    let home = Folder::new();
    let mut all = vec![command, "0"];
    all.extend(arguments);
    let mut child =
        sockwalk(&home, &all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id().to_string();
    let _noted = Noted(home.file("pid", &id));
    let mut screen = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = screen.find_map(|line| line.ok().and_then(|line| port_of(&line).or(port_shown(&line))));
    let port = port.unwrap_or_else(|| panic!("{all:?} says no port"));
    let clients = chatters(port, command == "websocket");
    screen.by_ref().take(200).for_each(|line| drop(line.unwrap()));
    drop(screen);
    let gone = Instant::now();
    let (tell, told) = channel();
    let waiter = thread::spawn(move || {
        let output = child.wait_with_output();
        let _ = tell.send(());
        output.unwrap()
    });
    let ended = told.recv_timeout(PATIENCE);
    let took = gone.elapsed();
    if ended.is_err() {
        signal("KILL", &id);
    }
    let output = waiter.join().unwrap();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert!(ended.is_ok(), "{all:?} went on for {took:?} with nobody to tell it to");
    (output.status.code(), stderr(&output), took)
}

#[test]
fn a_class_under_load_ends_when_its_reader_goes_away() {
    for command in ["accept", "websocket"] {
        let folder = Folder::new();
        let trace = folder.path("trace.jsonl");
        let (code, errors, took) = reader_goes_from_a_class(command, &["--trace", &trace]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{command}");
        assert!(took < LADEN, "{command}: {took:?}");
        assert!(is_complete(&events(&fs::read_to_string(trace).unwrap())), "{command}");
    }
}

#[test]
fn a_class_under_load_ends_when_the_reader_of_its_trace_goes_away() {
    for command in ["accept", "websocket"] {
        let (code, errors, took) = reader_goes_from_a_class(command, &["--trace", "-"]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{command}");
        assert!(took < LADEN, "{command}: {took:?}");
    }
}

#[test]
fn a_class_whose_reader_stalls_ends_at_the_second_signal_at_once() {
    let home = Folder::new();
    let trace = home.path("trace.jsonl");
    let arguments = ["accept", "0", "--trace", &trace];
    let mut child = sockwalk(&home, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    let _noted = Noted(home.file("pid", &id));
    let mut screen = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = screen.find_map(|line| line.unwrap().trim().strip_prefix("nc 127.0.0.1 ")?.parse().ok());
    // More than a pipe holds is told, and nobody reads it.
    let clients = chatters(port.unwrap(), false);
    let mut before = 0;
    let deadline = Instant::now() + PATIENCE;
    loop {
        pass(Duration::from_millis(300));
        let now = fs::metadata(&trace).unwrap().len();
        if now == before && now > 64 << 10 {
            break;
        }
        assert!(Instant::now() < deadline, "{now} bytes of trace");
        before = now;
    }
    let (tell, told) = channel();
    let waiter = thread::spawn(move || tell.send(child.wait().unwrap().code()).unwrap());
    signal("INT", &id);
    pass(Duration::from_millis(100));
    signal("INT", &id);
    let ended = told.recv_timeout(PROMPT);
    if ended.is_err() {
        signal("KILL", &id);
    }
    waiter.join().unwrap();
    clients.into_iter().for_each(|client| client.join().unwrap());
    drop(screen);
    assert_eq!(ended, Ok(Some(130)));
    events(&fs::read_to_string(trace).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_is_full_is_told() {
    let peer = silent_peer();
    let url = format!("ws://{peer}/");
    for arguments in [
        &["lessons"][..],
        &["listen"],
        &["tour"],
        &["check", "socket"],
        &["replay", "/dev/null"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["listen", "--help"],
        &["socket", "tcp", "--pace", "1m"],
        &["bind", "0"],
        &["listen", "0"],
        &["connect", &peer, "--pace", "1m"],
        &["send", &peer, "hello", "--wait", "1m"],
        &["recv", "0"],
        &["close", &peer, "--how", "half"],
        &["accept", "0"],
        &["accept", "0", "--quiet"],
        &["websocket", "0"],
        &["websocket", &url, "hello"],
        &["tour", "--trace", "-"],
        &["accept", "0", "--trace", "-"],
        &["listen", "0", "--trace", "-"],
    ] {
        // `replay` of nothing says so on standard error, and that is enough.
        let ended = shell(r#"exec timeout 20 "$0" "$@" >/dev/full"#, arguments).end();
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.err);
        let said = ended.err.contains("No space left on device") || arguments[0] == "replay";
        assert!(said && ended.err.lines().count() == 1, "{arguments:?}: {}", ended.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_class_goes_on_without_a_trace_that_cannot_be_written() {
    for command in ["accept", "websocket"] {
        let mut here = shell(r#"exec "$0" "$@""#, &[command, "0", "--trace", "/dev/full"]);
        let port = here.process.out("where it serves", port_shown);
        let clients = talkers(port, command == "websocket");
        here.process.out("the fourth", |line| line.contains("c4").then_some(()));
        let (ended, _) = here.told_to_end("INT");
        clients.into_iter().for_each(|client| client.join().unwrap());
        assert_eq!(ended.code, Some(1), "{command}");
        assert!(
            ended.err.contains("the trace is not whole") && ended.err.contains("No space left"),
            "{}",
            ended.err
        );
        assert!(ended.out.trim_end().ends_with("the end"), "{command} tells all to its end: {}", ended.out);
    }
}

#[test]
#[ignore = "needs unshare and mount (util-linux)"]
fn a_disk_that_fills_up_in_the_middle_keeps_what_was_written() {
    // The disk goes with its namespace, so the trace is taken out of it at the end.
    let script = r#"mkdir "$FOLDER/disk"; mount -t tmpfs -o size=64k none "$FOLDER/disk"
        timeout --foreground 25 "$0" "$@" --trace "$FOLDER/disk/trace" & server=$!
        trap 'kill -TERM $server' TERM
        code=0; wait $server || code=$?
        while kill -0 $server 2>/dev/null; do code=0; wait $server || code=$?; done
        cp "$FOLDER/disk/trace" "$FOLDER/trace"; exit $code"#;
    for command in ["accept", "websocket"] {
        let mut here = secluded(&["--mount"], script, &[command, "0"]);
        let port = here.process.out("where it serves", port_shown);
        // Each of these is told in more than 64 KiB.
        let text = vec![b'x'; 100_000];
        for _ in 0..3 {
            if command == "accept" {
                assert_eq!(
                    exchange(connect(port), &text).len(),
                    text.len(),
                    "whoever calls is served all the same"
                );
            } else {
                let mut bytes = opening(port);
                bytes.extend(frame(1, &text, true));
                bytes.extend(frame(8, &[], true));
                let came = exchange(connect(port), &bytes);
                assert!(came.windows(text.len()).any(|window| window == text), "{} bytes came", came.len());
            }
        }
        let (ended, _) = here.told_to_end("TERM");
        assert_eq!(ended.code, Some(1), "{command}: {}{}", ended.out, ended.err);
        assert!(
            ended.err.contains("the trace is not whole") && ended.err.contains("No space left"),
            "{}",
            ended.err
        );
        assert!(ended.out.contains("c3") && ended.out.trim_end().ends_with("the end"), "{}", ended.out);

        let trace = here.home.path("trace");
        let written = fs::read_to_string(&trace).unwrap();
        assert!(written.len() > 60 << 10, "{} bytes", written.len());
        // The line that did not fit is torn; all before it are whole.
        let kept: Vec<Event> = Reader::new(Cursor::new(&written)).collect::<Result<_, _>>().unwrap();
        assert!(kept.len() + 1 >= written.lines().count() && kept.len() > 5, "{} events", kept.len());
        let replay = run(&["replay", &trace]);
        assert_eq!((replay.status.code(), stderr(&replay)), (Some(1), String::new()));
        assert!(support::stdout(&replay).contains("The trace ends here"));
    }
}

// Peers that send escape codes.

/// The four ways in which it can be shown.
const FORMS: [&str; 4] = ["--color=never", "--plain", "--ascii", "--color=always"];

/// What would steer a terminal, or the text around it, if it were printed as it is.
const EVIL: [&str; 20] = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\x1b[7;38;5;201mred",
    "\x1b[?1049h",
    "\x1b]8;;http://x\x1b\\link",
    "\x1bPq\x1b\\\x1bc",
    "\u{9b}31m\u{90}\u{85}",
    "\u{202e}live\u{2066}\u{2069}",
    "\u{200f}\u{200e}\u{61c}",
    "\u{ad}\u{feff}\u{200b}\u{2060}",
    "\u{2028}\u{2029}",
    "\u{e0041}\u{e007f}",
    "\u{fff9}\u{1d173}\u{1bca0}",
    "\u{13430}\u{13437}",
    "\0\x08\x08\x08",
    "\x0b\x0c\x0e\x0f",
    "\r\r",
    "\t\t",
    "\x7f",
    "`\x1b[0m**",
];

/// True for what no peer may bring onto a terminal: controls, and what has no picture of its own but changes those around it.
fn harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text without the colours of the program's own: ESC, [, digits and semicolons, m.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(piece.len());
        match piece[end..].strip_prefix('m') {
            Some(rest) if end > 0 => plain += rest,
            _ => plain = plain + "\x1b[" + piece,
        }
    }
    plain
}

/// Nothing of what the peer sent has come through as it is, and the trace is one.
fn is_harmless(ended: &Ended, form: &str) {
    assert!(!ended.out.contains("\x1b[7;38;5;201m"), "{form}: a colour of the peer's");
    let plain = if form == "--color=always" { without_colours(&ended.out) } else { ended.out.clone() };
    if let Some(at) = plain.find(harmful) {
        let line = plain[..at].lines().count();
        let context = plain.lines().skip(line.saturating_sub(4)).take(6).collect::<Vec<_>>();
        panic!("{form}: {:?} is shown in {context:#?}", plain[at..].chars().next());
    }
    assert!(form != "--ascii" || !plain.contains(['─', '→', '✓', '–']), "{form}: {plain}");
    for event in events(&ended.err) {
        assert!(event.at < 1_000_000_000, "{event:?}");
    }
    assert!(is_complete(&events(&ended.err)), "the trace has its end");
}

/// A million bytes: escape codes of UTF-8 alone, or with bytes that are none, the first half densely and then among other text.
fn million(utf8: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut dense = true;
    while bytes.len() < 1 << 20 {
        dense &= bytes.len() < 1 << 19;
        for evil in EVIL {
            bytes.extend(evil.as_bytes());
            bytes.extend(if dense { &b""[..] } else { b"and so on, as people write it; " });
        }
        bytes.extend(if utf8 { &b""[..] } else { b"\x9b31m\x90q\xff\xc3(" });
    }
    bytes.truncate(1 << 20);
    while utf8 && std::str::from_utf8(&bytes).is_err() {
        bytes.pop();
    }
    bytes
}

/// Does it once for each form, all at the same time.
fn in_every_form(each: impl Fn(&'static str) + Sync) {
    thread::scope(|scope| {
        let each = &each;
        for form in FORMS {
            scope.spawn(move || each(form));
        }
    });
}

#[test]
fn escape_codes_do_not_get_through_recv() {
    in_every_form(|form| {
        let mut here = start(&["recv", "0", "--size", "64k", form]);
        exchange(connect(here.port()), &million(false));
        is_harmless(&here.process.succeed(), form);
    });
}

#[test]
fn escape_codes_do_not_get_through_accept() {
    in_every_form(|form| {
        for more in [&[][..], &["--quiet"], &["--show", "1"]] {
            let mut here = start(&[&["accept", "0", form], more].concat());
            let million = million(false);
            assert!(exchange(connect(here.port()), &million) == million, "it comes back as it was");
            let (ended, _) = here.told_to_end("INT");
            assert_eq!(ended.code, Some(0));
            is_harmless(&ended, form);
        }
    });
}

#[test]
fn escape_codes_do_not_get_through_send() {
    in_every_form(|form| {
        let (at, server) = server(1, |mut stream, _| {
            let _ = stream.read(&mut [0; 100]);
            stream.write_all(&million(false)).unwrap();
        });
        let mut here = start(&["send", &at, "hello", form]);
        is_harmless(&here.process.succeed(), form);
        server.join().unwrap();
    });
}

/// Heads of requests that have something evil in one place each.
fn evil_requests() -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for evil in EVIL.iter().map(|evil| evil.as_bytes()).chain([&b"\x9b31m\x90q\xff"[..], b"a b", b"\"'<&"]) {
        let head = |method: &[u8], path: &[u8], version: &[u8], name: &[u8], values: [&[u8]; 6]| {
            let [host, origin, key, asked, protocol, agent] = values;
            let mut head = Vec::new();
            for line in [
                [method, b" /", path, b" ", version].concat(),
                [b"Host: ", host].concat(),
                [b"Origin: ", origin].concat(),
                [b"Upgrade: ", asked].concat(),
                b"Connection: Upgrade".to_vec(),
                [b"Sec-WebSocket-Key: ", key].concat(),
                [b"Sec-WebSocket-Protocol: ", protocol].concat(),
                [name, b": ", agent].concat(),
                b"Sec-WebSocket-Version: 13\r\n".to_vec(),
            ] {
                head.extend(line);
                head.extend(b"\r\n");
            }
            requests.push(head);
        };
        let mut head = head;
        let key: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
        let good: [&[u8]; 6] = [b"localhost", b"http://localhost", key, b"websocket", b"chat", b"test"];
        head(evil, b"", b"HTTP/1.1", b"User-Agent", good);
        head(b"GET", evil, b"HTTP/1.1", b"User-Agent", good);
        head(b"GET", b"", evil, b"User-Agent", good);
        head(b"GET", b"", b"HTTP/1.1", evil, good);
        for at in 0..good.len() {
            let mut values = good;
            values[at] = evil;
            head(b"GET", b"", b"HTTP/1.1", b"User-Agent", values);
        }
    }
    requests
}

/// Frames to one who is connected: long, short, and against the rules.
fn evil_frames(masked: bool) -> Vec<Vec<u8>> {
    let million = million(true);
    let reason = |code: u16| [&code.to_be_bytes()[..], EVIL[..6].concat().as_bytes()].concat();
    let mut all = vec![
        [frame(1, &million, masked), frame(8, &reason(1000), masked)].concat(),
        [frame(2, &million, masked), frame(8, &reason(4000), masked)].concat(),
        [frame(1, b"\x1b[2J\xff", masked)].concat(),
        frame(8, &reason(999), masked),
        frame(8, b"\x03\xe8\xff\x1b[2J", masked),
        frame(0xb, b"\x1b[2J", masked),
        frame(1, b"\x1b[2J", !masked),
        frame(9, &[b'\x1b'; 126], masked),
    ];
    for evil in EVIL {
        let texts = [1, 9, 10].map(|opcode| frame(opcode, evil.as_bytes(), masked)).concat();
        all.push([texts, frame(8, &[b"\x03\xe8", evil.as_bytes()].concat(), masked)].concat());
    }
    all
}

#[test]
fn escape_codes_do_not_get_through_a_websocket_server() {
    in_every_form(|form| {
        for more in [&[][..], &["--quiet"], &["--any-origin"]] {
            let mut here = start(&[&["websocket", "0", form], more].concat());
            let port = here.port();
            for request in evil_requests() {
                exchange(connect(port), &request);
            }
            exchange(connect(port), &million(false));
            for frames in evil_frames(true) {
                let came = exchange(connect(port), &[opening(port), frames].concat());
                assert!(came.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&came));
            }
            let (ended, _) = here.told_to_end("INT");
            assert_eq!(ended.code, Some(0));
            is_harmless(&ended, form);
        }
    });
}

/// A server for so many callers, one after the other; gives its address.
fn server(
    callers: usize,
    serve: impl Fn(TcpStream, usize) + Send + 'static,
) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        for caller in 0..callers {
            serve(patient(listener.accept().unwrap().0), caller);
        }
    });
    (at, server)
}

/// Reads the head of a request and gives the answer to its key (RFC 6455 §4.2.2).
fn accept_of(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let key =
        lines.by_ref().filter_map(|line| line.strip_prefix("Sec-WebSocket-Key: ").map(str::to_owned)).last();
    tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes())
}

#[test]
fn escape_codes_do_not_get_through_a_websocket_client() {
    let mut answers: Vec<Vec<u8>> = Vec::new();
    for evil in EVIL.iter().map(|evil| evil.as_bytes()).chain([&b"\x9b31m\x90q\xff"[..]]) {
        for (before, after) in [
            ("HTTP/1.1 404 ", "\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/1.1 301 Moved\r\nLocation: http://", "\r\nContent-Length: 0\r\n\r\n"),
            (
                "HTTP/1.1 101 Switching Protocols\r\n",
                ": x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
                "\r\n\r\n",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: ",
                "\r\n\r\n",
            ),
            ("", "\r\n\r\n"),
        ] {
            answers.push([before.as_bytes(), evil, after.as_bytes()].concat());
        }
    }
    answers.push(million(false));
    let good = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";
    answers.extend(evil_frames(false).into_iter().map(|frames| [good, &frames[..]].concat()));

    let count = answers.len();
    let answers = std::sync::Arc::new(answers);
    in_every_form(|form| {
        let answers = std::sync::Arc::clone(&answers);
        let (at, server) = server(count, move |stream, caller| {
            let accept = accept_of(&stream);
            let answer = &answers[caller];
            let (before, after) = match answer.windows(6).position(|window| window == b"ACCEPT") {
                Some(at) => (&answer[..at], [accept.as_bytes(), &answer[at + 6..]].concat()),
                None => (&answer[..], Vec::new()),
            };
            exchange(stream, &[before, &after].concat());
        });
        for _ in 0..count {
            let mut here = start(&["websocket", &format!("ws://{at}/"), "--wait", "50ms", form]);
            is_harmless(&here.end(), form);
        }
        server.join().unwrap();
    });
}

// Signals.

/// Numbers that are the same in every run: xorshift64*, from a seed that a failure tells.
struct Moments(u64);

const SEED: u64 = 0x5eed_0f5e_a5ed_f00d;

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % below
    }

    fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.next(below))
    }
}

/// What goes on until it is told to end, with somebody who listens and says nothing, and with a WebSocket server.
fn endless(silent: &str, echo: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let lines = [
        "socket tcp --pace 1m".to_owned(),
        "bind 0".to_owned(),
        "listen 0".to_owned(),
        "recv 0".to_owned(),
        "accept 0".to_owned(),
        "accept 0 --quiet".to_owned(),
        "websocket 0".to_owned(),
        "websocket 0 --quiet".to_owned(),
        format!("connect {silent} --pace 1m"),
        format!("send {silent} hello --wait 1m"),
        format!("close {silent} --how half"),
        format!("websocket ws://{silent}/ hello"),
        format!("websocket ws://{echo}/ hello --wait 1m"),
    ];
    lines.iter().map(|line| words(line)).collect()
}

/// The commands above, and those whom they call.
struct Endless {
    commands: Vec<Vec<String>>,
    _echo: Live,
}

impl Endless {
    fn new() -> Endless {
        let mut echo = Live::start(&["websocket", "0"]);
        let at = format!("127.0.0.1:{}", echo.port());
        Endless { commands: endless(&silent_peer(), &at), _echo: echo }
    }
}

/// What has to be so of a live run that a signal ended.
fn ended_well(ended: &Ended, trace: &str, what: &str) {
    let events = events(trace);
    match ended.code {
        Some(0) => assert!(is_complete(&events), "{what}: the trace has no end\n{trace}"),
        // Before anything was done.
        None => {
            assert!(events.is_empty() && ended.out.is_empty(), "{what}: it was cut off\n{}{trace}", ended.out)
        }
        Some(code) => panic!("{what}: exit {code}\n{}{trace}", ended.out),
    }
}

#[test]
fn ctrl_c_at_any_moment_ends_a_live_command_tidily() {
    let endless = Endless::new();
    let mut moments = Moments(SEED);
    for moment in 0..50 {
        let command: Vec<&str> =
            endless.commands[moment % endless.commands.len()].iter().map(String::as_str).collect();
        let mut here = start(&command);
        let listens = ["listen", "recv", "accept", "websocket"].contains(&command[0]) && command[1] == "0";
        let mut clients = Vec::new();
        let signal = ["INT", "INT", "TERM", "QUIT"][usize::try_from(moments.next(4)).unwrap()];
        let delay = if listens && moments.next(3) > 0 {
            let port = here.port();
            match command[0] {
                "listen" => {}
                "recv" => clients.push(chatter(port, false, Duration::from_millis(5))),
                other => clients = talkers(port, other == "websocket"),
            }
            moments.millis(400)
        } else {
            moments.millis(150)
        };
        pass(delay);
        let (ended, took) = here.told_to_end(signal);
        let what = format!(
            "seed {SEED:#x}, moment {moment}: {command:?}, {signal} after {delay:?}, ended after {took:?}"
        );
        ended_well(&ended, &ended.err, &what);
        assert!(took < PROMPT, "{what}");
        // Whoever was not let in any more is reset.
        clients.into_iter().for_each(|client| drop(client.join()));
    }
}

#[test]
fn a_signal_ends_a_live_command_tidily() {
    let endless = Endless::new();
    for command in &endless.commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        for signal in ["INT", "TERM", "QUIT", "HUP"] {
            let mut here = start(&command);
            here.process.err("a call", |line| line.contains(r#""event":"return""#).then_some(()));
            let (ended, took) = here.told_to_end(signal);
            let what = format!("{command:?}, SIG{signal}, ended after {took:?}");
            // That the terminal has gone away ends a program as it does if nothing is done about it, or tidily.
            if signal == "HUP" && ended.code.is_none() {
                events(&ended.err);
            } else {
                ended_well(&ended, &ended.err, &what);
            }
            assert!(took < PROMPT, "{what}");
        }
    }
}

#[test]
fn a_signal_ends_a_class_that_is_never_silent() {
    for command in ["accept", "websocket"] {
        let mut here = start(&[command, "0"]);
        let clients = chatters(here.port(), command == "websocket");
        here.process.err("much of it", |line| line.contains(r#""id":2000,"#).then_some(()));
        let (ended, took) = here.told_to_end("INT");
        ended_well(&ended, &ended.err, command);
        assert!(took < LADEN, "{command}: {took:?}");
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
}

/// timeout(1) sends its signal to its program, and then to the group of processes that this is in.
#[test]
fn a_signal_that_comes_twice_at_the_same_time_counts_once() {
    for _ in 0..10 {
        let noting = r#"echo $$ >"$FOLDER/pid"; exec "$0" "$@""#;
        let mut here = shell(noting, &["accept", "0", "--trace", "/dev/stderr"]);
        here.port();
        let id = fs::read_to_string(here.home.path("pid")).unwrap();
        signal("TERM", &format!("{} {}", id.trim(), id.trim()));
        let ended = here.end();
        ended_well(&ended, &ended.err, "twice");
    }
}

#[test]
fn who_is_connected_is_told_goodbye_at_a_signal() {
    for signal in ["INT", "TERM"] {
        let mut here = start(&["websocket", "0"]);
        let port = here.port();
        let mut stream = connect(port);
        stream.write_all(&opening(port)).unwrap();
        here.process.err("an upgrade", |line| line.contains(r#""phase":"open""#).then_some(()));
        here.process.signal(signal);
        let mut came = Vec::new();
        stream.read_to_end(&mut came).unwrap();
        let goodbye =
            came.windows(4).any(|window| window[0] == 0x88 && window[2..] == 1001_u16.to_be_bytes());
        assert!(goodbye, "{:?}", String::from_utf8_lossy(&came));
        drop(stream);
        let peer = here.process.err("that it is gone", |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event["event"] == "peer" && event["phase"] == "gone").then_some(event)
        });
        assert_eq!(peer["end"], "stopped", "{signal}: {peer}");
        here.process.succeed();
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    // As nohup(1) does it.
    let mut here = shell(r#"trap "" HUP; exec "$0" "$@""#, &["accept", "0", "--trace", "/dev/stderr"]);
    let port = here.port();
    here.process.signal("HUP");
    assert_eq!(exchange(connect(port), b"hello"), b"hello");
    let (ended, _) = here.told_to_end("TERM");
    ended_well(&ended, &ended.err, "nohup");
}

// Terminals.

/// Runs $@ and notes how the terminal was before and after.
const AT_TERMINAL: &str = r#"
    trap : INT TERM HUP QUIT
    stty rows 40 cols 100
    stty -g >"$FOLDER/before"
    sh -c 'echo $$ >"$FOLDER/pid"; echo ready; exec "$0" "$@"' "$0" "$@"
    echo $? >"$FOLDER/code"
    stty -g >"$FOLDER/after"
"#;

/// A person at a pseudo terminal, where nothing else runs but this.
struct Terminal {
    shell: PtyProcess,
    keys: fs::File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    folder: Folder,
}

impl Terminal {
    /// Starts it, with its trace in a file. From now on whatever is pressed is meant for it.
    fn start(arguments: &[&str]) -> Terminal {
        let folder = Folder::new();
        let mut command = outside("sh", &folder);
        command.args(["-c", AT_TERMINAL, SOCKWALK]).args(arguments).args(["--trace", &folder.path("trace")]);
        command.env("TERM", "xterm");
        let mut shell = PtyProcess::new(command).expect("a terminal can be had");
        shell.set_kill_timeout(Some(1));
        let keys = shell.get_file_handle().unwrap();
        let mut from = shell.get_file_handle().unwrap();
        let (tell, screen) = channel();
        thread::spawn(move || {
            let mut room = [0; 4096];
            // On Linux the other side of a terminal that nobody has open any more reads as EIO.
            while let Ok(read @ 1..) = from.read(&mut room) {
                if tell.send(room[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Terminal { shell, keys, screen, shown: String::new(), folder };
        terminal.until("ready\r\n");
        terminal
    }

    fn press(&mut self, key: &str) {
        // Nobody may be there any more.
        let _ = self.keys.write_all(key.as_bytes());
    }

    /// Looks at the screen for so long and presses Enter when that is asked for, so many times. True if it has gone dark.
    fn step_for(&mut self, time: Duration, mut times: u64) -> bool {
        let until = Instant::now() + time;
        let mut read = self.shown.len();
        loop {
            match self.screen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
            if times > 0 && self.shown[read..].contains("leave") {
                read = self.shown.len();
                times -= 1;
                self.press("\r");
            }
        }
    }

    /// Waits until this is shown.
    fn until(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shown.contains(words) {
            match self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(error) => panic!("no {words:?}, {error}: {}", self.shown),
            }
        }
    }

    fn note(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path(name)).unwrap_or_default().trim().to_owned()
    }

    fn signal(&self, name: &str) -> bool {
        signal(name, &self.note("pid"))
    }

    /// Waits for the end of all that had the terminal; it has to be as it was. Gives exit code and trace.
    fn over(&mut self, what: &str) -> (String, String) {
        let told = Instant::now();
        let dark = self.step_until_dark();
        let took = told.elapsed();
        let what = format!("{what}, ended after {took:?}");
        assert!(dark && took < PROMPT, "{what}: {}", self.shown);
        assert_eq!(self.note("before"), self.note("after"), "{what}: the terminal is not as it was");
        assert!(!self.signal("0"), "{what}: it is still there");
        assert!(!self.shown.contains("\x1b[?"), "{what}: a mode of the terminal is changed");
        let _ = self.shell.wait();
        let trace = fs::read_to_string(self.folder.path("trace")).unwrap_or_default();
        (self.note("code"), trace)
    }

    fn step_until_dark(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.screen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(error) => return error == RecvTimeoutError::Disconnected,
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            self.signal("KILL");
        }
    }
}

#[test]
fn ctrl_c_at_any_moment_leaves_the_terminal_as_it_was() {
    let endless = Endless::new();
    let mut moments = Moments(SEED);
    for moment in 0..50_usize {
        // Lessons and live commands take turns.
        let lesson = moment % 2 == 0;
        let command: Vec<&str> = match lesson {
            true => vec![support::NINE[moment / 2 % 9]],
            false => {
                endless.commands[moment / 2 % endless.commands.len()].iter().map(String::as_str).collect()
            }
        };
        let mut terminal = Terminal::start(&command);
        let (delay, steps) = match lesson {
            true => (moments.millis(800), moments.next(12)),
            false => (moments.millis(400), 0),
        };
        let what =
            format!("seed {SEED:#x}, moment {moment}: {command:?}, Ctrl-C after {delay:?}, {steps} steps");
        assert!(!terminal.step_for(delay, steps), "{what}: it was over before: {}", terminal.shown);
        terminal.press("\x03");
        let (code, trace) = terminal.over(&what);
        let events = events(&trace);
        match code.as_str() {
            "0" if !lesson => assert!(is_complete(&events), "{what}: the trace has no end"),
            "130" if lesson || events.is_empty() => {}
            code => panic!("{what}: exit {code}\n{}", terminal.shown),
        }
    }
}

#[test]
fn a_signal_at_a_prompt_leaves_the_terminal_as_it_was() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let mut terminal = Terminal::start(&["listen"]);
        terminal.until("leave");
        // The prompt stands there; a moment later a key is waited for.
        pass(Duration::from_millis(100));
        terminal.signal(signal);
        let (code, trace) = terminal.over(signal);
        assert_ne!(code, "0", "{signal}");
        events(&trace);
    }
}

#[test]
fn a_second_ctrl_c_ends_a_live_command_at_once() {
    let mut terminal = Terminal::start(&["accept", "0"]);
    terminal.until("Limits");
    // Somebody who does not read is waited for at the end.
    let port = terminal.shown.lines().find_map(port_shown).unwrap();
    let mut stuck = connect(port);
    stuck.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while stuck.write(&[b'x'; 65536]).is_ok() {}
    terminal.press("\x03");
    pass(Duration::from_millis(100));
    terminal.press("\x03");
    let (code, trace) = terminal.over("twice");
    assert!(["0", "130"].contains(&code.as_str()), "{code}");
    events(&trace);
}

#[test]
fn enter_ends_what_is_held_at_a_terminal() {
    let peer = silent_peer();
    for arguments in [&["socket", "tcp"][..], &["bind", "0"], &["listen", "0"], &["connect", &peer]] {
        let mut terminal = Terminal::start(arguments);
        terminal.until("Enter");
        terminal.press("\r");
        let (code, trace) = terminal.over(&format!("{arguments:?}"));
        assert!(code == "0" && is_complete(&events(&trace)), "{arguments:?}: {code}\n{}", terminal.shown);
    }
}

#[test]
#[ignore = "needs script (bsdutils)"]
fn a_terminal_that_goes_away_ends_what_ran_there() {
    for (arguments, ready) in [
        ("accept 0", "Limits"),
        ("accept 0 --quiet", "Limits"),
        ("websocket 0", "Limits"),
        ("listen 0", "Recv-Q"),
        ("recv 0", "nc 127.0.0.1"),
        ("socket tcp", "lsof"),
        ("listen", "leave"),
    ] {
        let home = Folder::new();
        let fifo = home.path("trace");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // Its end is seen by that of its trace.
        let mut trace = Process::start("cat", Command::new("cat").arg(&fifo));
        let noted = Noted(home.path("pid"));
        let command = format!("echo $$ >{}; exec {SOCKWALK} {arguments} --trace {fifo}", noted.0);
        let mut script = outside("script", &home);
        script.args(["-q", "-c", &command, "/dev/null"]).env("TERM", "xterm");
        let mut terminal = Process::start(&command, &mut script);
        if ready == "leave" {
            // A prompt is no whole line; the first step has been told when it stands there.
            trace.out("the first part", |line| line.contains(r#""event":"part""#).then_some(()));
        } else {
            terminal.out(ready, |line| line.contains(ready).then_some(()));
        }
        terminal.signal("KILL");
        let gone = Instant::now();
        let ended = trace.end();
        assert!(gone.elapsed() < PROMPT, "{arguments}: {:?}", gone.elapsed());
        assert!(!events(&ended.out).is_empty(), "{arguments}");
    }
}

#[test]
#[ignore = "needs script (bsdutils)"]
fn a_server_that_outlives_its_terminal_ends_when_it_has_something_to_tell() {
    let home = Folder::new();
    let fifo = home.path("trace");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut trace = Process::start("cat", Command::new("cat").arg(&fifo));
    let noted = Noted(home.path("pid"));
    let command = format!(r#"trap "" HUP; echo $$ >{}; exec {SOCKWALK} accept 0 --trace {fifo}"#, noted.0);
    let mut script = outside("script", &home);
    let mut terminal = Process::start(&command, script.args(["-q", "-c", &command, "/dev/null"]));
    let port = trace.out("a listening socket", port_of);
    terminal.out("all of it", |line| line.contains("Limits").then_some(()));
    terminal.signal("KILL");
    terminal.end();
    exchange(connect(port), b"hello");
    let gone = Instant::now();
    assert!(is_complete(&events(&trace.end().out)));
    assert!(gone.elapsed() < PROMPT);
}
