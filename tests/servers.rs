//! What all servers have in common: a shortage at `accept` passes, and a page of the server itself is
//! allowed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use crate::support::{Folder, live::Process, sockwalk};

/// The servers, each with the arguments that start it at a port of the kernel's choice. `TARGET` stands for
/// an echo server.
const SERVERS: [&[&str]; 4] = [
    &["accept", "127.0.0.1:0"],
    &["websocket", "127.0.0.1:0"],
    &["tap", "127.0.0.1:0", "TARGET"],
    &["serve", "tcp", "127.0.0.1:0"],
];

/// Errors of `accept` that say that the system has run out of something, and their numbers on Linux.
const SHORTAGES: [(&str, u32); 4] = [("EMFILE", 24), ("ENFILE", 23), ("ENOBUFS", 105), ("ENOMEM", 12)];

const TIMEOUT: Duration = Duration::from_secs(30);

/// A server that runs, and its port.
struct Server {
    process: Process,
    port: u16,
    _home: Folder,
}

impl Server {
    /// Starts it, below another program if `below` names one with its arguments.
    fn start(below: &[&str], arguments: &[&str]) -> Server {
        let home = Folder::new();
        let target = echo_server();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| if *argument == "TARGET" { target.as_str() } else { argument })
            .chain(["--width", "200"])
            .collect();
        let bare = sockwalk(&home, &arguments);
        let mut command = match below {
            [] => sockwalk(&home, &arguments),
            [program, options @ ..] => {
                crate::support::signals::reset_in_children();
                let mut command = Command::new(program);
                command.args(options).arg(bare.get_program()).args(bare.get_args());
                for (name, value) in bare.get_envs() {
                    match value {
                        Some(value) => command.env(name, value),
                        None => command.env_remove(name),
                    };
                }
                command
            }
        };
        let mut process = Process::start(&arguments.join(" "), &mut command);
        let port = process.out("its port", |line| {
            let (_, rest) = line.split_once("serves ").or(line.split_once("listens at "))?;
            let address = rest.split_whitespace().find(|word| word.contains(':'))?;
            // The last colon before a digit: `ws://127.0.0.1:8000/`, `[::]:8000:`
            let mut colons = address.match_indices(':').map(|(at, _)| &address[at + 1..]).rev();
            let port = colons.find(|behind| behind.starts_with(|c: char| c.is_ascii_digit()))?;
            port.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        Server { process, port, _home: home }
    }

    /// Whether it serves a new connection: an echo, or a page.
    fn serves(&self) -> bool {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.starts_with("GET / HTTP/1.1") || line.starts_with("HTTP/1.1 200")
    }

    /// Waits until it reports that `accept` has failed with this number.
    fn reports(&mut self, number: u32) {
        let error = format!("os error {number}");
        self.process
            .out(&error, |line| line.contains("accept").then_some(()).filter(|()| line.contains(&error)));
    }

    /// Ctrl-C, and a good end.
    fn stop(mut self) {
        self.process.signal("INT");
        self.process.succeed();
    }
}

/// A server that sends back what it receives, for as long as the test runs. Returns its address.
fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
#[ignore = "needs strace; tests/run installs it"]
#[cfg(target_os = "linux")]
fn a_shortage_at_accept_is_reported_and_passes_in_every_server() {
    for arguments in SERVERS {
        for (name, number) in SHORTAGES {
            let inject = format!("inject=accept4,accept:error={name}:when=1");
            // -D: the server is our child, and strace its child.
            let strace =
                ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=accept4,accept", "-e", &inject];
            let mut server = Server::start(&strace, arguments);
            assert!(server.serves(), "{arguments:?} after {name}");
            server.reports(number);
            assert!(server.serves());
            server.stop();
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_free_descriptor_every_server_waits_until_there_is_one() {
    for arguments in SERVERS {
        let mut server = Server::start(&[], arguments);
        let pid = server.process.id();
        let limit = |soft: u64| {
            let (pid, soft) = (pid.to_string(), format!("--nofile={soft}:"));
            assert!(Command::new("prlimit").args(["--pid", &pid, &soft]).status().unwrap().success());
        };
        // The lowest free number is the limit: the kernel gives no new one, and those above it stay open.
        let free = (0..).find(|fd| !Path::new(&format!("/proc/{pid}/fd/{fd}")).exists()).unwrap();
        limit(free);
        // An `accept` that waits already has its descriptor: then the next one fails, once this connection is
        // there.
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        server.reports(24);
        limit(256);
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1, "{arguments:?}");
        assert!(server.serves(), "{arguments:?}");
        server.stop();
    }
}

/// The first line of the answer to an upgrade that a page of this origin asks for.
fn upgrade(port: u16, origin: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: {origin}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn a_server_at_all_addresses_allows_its_page_over_ipv4_and_refuses_a_foreign_one() {
    let everywhere = if TcpListener::bind("[::]:0").is_ok() { "[::]:0" } else { "0.0.0.0:0" };
    for at in [everywhere, "0.0.0.0:0", "127.0.0.1:0"] {
        for command in [&["websocket", at][..], &["serve", "websocket", at]] {
            let server = Server::start(&[], command);
            let port = server.port;
            for own in [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")] {
                assert!(upgrade(port, &own).contains(" 101 "), "{command:?}: {own}");
            }
            for foreign in ["http://127.0.0.1", "http://example.com", "null"] {
                assert!(upgrade(port, foreign).contains(" 403 "), "{command:?}: {foreign}");
            }
            server.stop();
        }
    }
}

#[test]
#[ignore = "needs a network namespace, by unshare and ip, and curl"]
#[cfg(target_os = "linux")]
fn a_server_at_port_80_allows_its_page_whose_origin_has_no_port() {
    let script = r#"ip link set lo up
        "$0" "$@" >/dev/null 2>&1 &
        curl -s -i -m 2 --retry 20 --retry-connrefused --retry-delay 1 -H 'Upgrade: websocket' -H 'Connection: Upgrade' \
            -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
            -H 'Origin: http://127.0.0.1' http://127.0.0.1/
        kill $!; wait"#;
    for command in [&["websocket", "127.0.0.1:80"][..], &["serve", "websocket", "127.0.0.1:80"]] {
        let home = Folder::new();
        let bare = sockwalk(&home, command);
        let mut unshare = Command::new("unshare");
        unshare.args(["-rn", "sh", "-c", script]).arg(bare.get_program()).args(bare.get_args());
        let output = unshare.output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{command:?}: {answer}");
    }
}
