//! A network where only a test's own programs talk, what crosses it written down by tcpdump, and a tap
//! between two of them.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{
    oracle::{self, Frames},
    streams,
};
use crate::{
    support::live::Process,
    support::{Folder, sockwalk},
};

/// How long is waited for the last packets to be written down.
const PATIENCE: Duration = Duration::from_secs(30);

/// Set in the process that is in a network of its own.
const INSIDE: &str = "SOCKWALK_TEST_INSIDE";

/// Runs the test of this name again, in a network of its own; true in there.
pub fn inside(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new("unshare");
    command.arg("--net");
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]).arg(env::current_exe().unwrap());
    command.args([name, "--exact", "--include-ignored", "--nocapture"]).env(INSIDE, "1");
    let output = command.output().expect("unshare is there: Debian has it in the package util-linux");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// tcpdump at the loopback interface.
pub struct Recorder {
    process: Process,
    file: PathBuf,
}

impl Recorder {
    /// Starts it for what goes from or to these ports, and waits until it listens.
    fn start(folder: &Folder, ports: [&str; 2]) -> Recorder {
        let file = PathBuf::from(folder.path("traffic.pcap"));
        let mut command = Command::new("tcpdump");
        command.args([
            "-i",
            "lo",
            "-n",
            "-U",
            "--immediate-mode",
            "-s",
            "0",
            "-B",
            "32768",
            "-Z",
            "root",
            "-w",
        ]);
        command.arg(&file).arg(format!("tcp port {} or tcp port {}", ports[0], ports[1]));
        let mut process = Process::start("tcpdump", &mut command);
        process.err("that it listens", |line| line.contains("listening on lo").then_some(()));
        Recorder { process, file }
    }

    /// Waits until so many connections have come to their end, and ends it.
    fn stop(mut self, connections: usize) -> PathBuf {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, events) = oracle::told_so_far(&self.file);
            let ends: Vec<_> = events.iter().filter(|event| event["type"] == "ended").collect();
            if ends.len() == connections && !ends.iter().any(|end| end["how"] == "open") {
                break;
            }
            assert!(Instant::now() < deadline, "{connections} connections should be over, are {ends:?}");
            thread::park_timeout(Duration::from_millis(100));
        }
        self.process.signal("INT");
        let said = self.process.succeed().err;
        assert!(said.contains("\n0 packets dropped by kernel"), "{said}");
        self.file
    }
}

/// A tap before a server, told on standard output, in a trace and in a capture; and what crosses on both
/// sides of it.
pub struct Tap {
    process: Process,
    pub port: String,
    server: String,
    recorder: Recorder,
    folder: Folder,
}

/// What is left of a conversation that went through a tap.
pub struct Tapped {
    /// What the tap told.
    pub told: String,
    /// Connections on which the server sent bytes that are no HTTP after the client's FIN.
    pub answered: usize,
    /// The frames of each connection, in order: of stream, and whether the client sent it.
    pub frames: Frames,
}

impl Tap {
    /// A tap before the server at this port.
    pub fn before(server: &str) -> Tap {
        let folder = Folder::new();
        let (trace, capture) = (folder.path("tap.jsonl"), folder.path("tap.pcapng"));
        let target = format!("127.0.0.1:{server}");
        let arguments = [
            "tap",
            "127.0.0.1:0",
            &target,
            "--width",
            "160",
            "--plain",
            "--trace",
            &trace,
            "--pcap",
            &capture,
        ];
        let mut process = Process::start("tap", &mut sockwalk(&folder, &arguments));
        let port = process.out("where it listens", |line| {
            Some(line.split_once("listens at 127.0.0.1:")?.1.split_once(',')?.0.to_owned())
        });
        let recorder = Recorder::start(&folder, [&port, server]);
        Tap { process, port, server: server.to_owned(), recorder, folder }
    }

    /// Waits until so many connections through it are over, and holds the tap against what tcpdump wrote down
    /// on both sides of it.
    pub fn stop(mut self, connections: usize) -> Tapped {
        for _ in 0..connections {
            self.process.out("the end of a connection", |line| {
                (line.contains("closed in order") || line.contains("broken off")).then_some(())
            });
        }
        let recorded = self.recorder.stop(2 * connections);
        self.process.signal("INT");
        let told = self.process.succeed().out;
        let sides = [&self.port, &self.server].map(|port| Side::of(&recorded, port));
        for side in &sides {
            assert_eq!(side.connections.len(), connections, "to port {}", side.port);
        }
        for (number, (client, server)) in sides[0].connections.iter().zip(&sides[1].connections).enumerate() {
            assert!(client.bytes == server.bytes, "connection {}: bytes were changed", number + 1);
            assert_eq!(client.end, server.end, "connection {}", number + 1);
        }
        let client_side: Vec<&[Vec<u8>; 2]> = sides[0].connections.iter().map(|it| &it.bytes).collect();
        trace(&self.folder.path("tap.jsonl"), &client_side);
        // The tap's own capture, its packets made up, says the same.
        let own = PathBuf::from(self.folder.path("tap.pcapng"));
        let own_streams = streams(&own);
        assert!(own_streams.values().eq(client_side), "the tap's capture has other bytes");
        let frames = oracle::agreed(&own);
        let both = oracle::agreed(&recorded);
        for side in &sides {
            for (own, recorded) in side.connections.iter().enumerate() {
                for client in [true, false] {
                    assert_eq!(frames.get(&(own as u64, client)), both.get(&(recorded.stream, client)));
                }
            }
        }
        let answered = sides[0].connections.iter().filter(|connection| connection.end.answered).count();
        Tapped { told, answered, frames }
    }
}

/// The reads in a trace are the bytes of each connection.
fn trace(file: &str, expected: &[&[Vec<u8>; 2]]) {
    let mut read: BTreeMap<u64, [Vec<u8>; 2]> = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "read" {
            let of = read.entry(line["stream"].as_u64().unwrap()).or_default();
            let from = &mut of[usize::from(line["from"] == "server")];
            assert_eq!(line["offset"].as_u64(), Some(from.len() as u64), "{line}");
            from.extend(HEXLOWER.decode(line["bytes"].as_str().unwrap().as_bytes()).unwrap());
        }
    }
    assert_eq!(read.len(), expected.len());
    for (number, bytes) in &read {
        let index = usize::try_from(*number).unwrap() - 1;
        assert!(bytes == expected[index], "t{number}: the trace has other bytes");
    }
}

/// The connections on one side of the tap, in the order in which they began.
struct Side {
    port: String,
    connections: Vec<Connection>,
}

struct Connection {
    stream: u64,
    bytes: [Vec<u8>; 2],
    end: End,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// `fin` or `reset`.
    how: Value,
    /// Who has reset it.
    by: Value,
    /// The server has sent bytes that are no HTTP after the client's FIN.
    answered: bool,
}

impl Side {
    fn of(recorded: &Path, port: &str) -> Side {
        let events = oracle::told(recorded);
        let streams = streams(recorded);
        let mut connections = Vec::new();
        for opened in events.iter().filter(|event| event["type"] == "opened") {
            let server = opened["server"].as_str().unwrap();
            if server.rsplit_once(':').unwrap().1 != port {
                continue;
            }
            let of_it = || events.iter().filter(|event| event["stream"] == opened["stream"]);
            let ended = of_it().find(|event| event["type"] == "ended").unwrap();
            // Where a FIN of the client and bytes of the server don't cross, one comes before the other.
            let fin = of_it().position(|event| {
                event["flags"].as_str().is_some_and(|flags| flags.contains("FIN"))
                    && event["source"] == opened["client"]
            });
            let last_data = of_it().position(|event| event["type"] == "data" && event["from"] == "server");
            let answered = fin.is_some() && last_data > fin;
            let stream = opened["stream"].as_u64().unwrap();
            let end = End { how: ended["how"].clone(), by: ended["from"].clone(), answered };
            connections.push(Connection { stream, bytes: streams[&stream].clone(), end });
        }
        Side { port: port.to_owned(), connections }
    }
}
