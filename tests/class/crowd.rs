//! A thousand clients at once, most of them Node's ws, some who do not keep the rules: what they counted is
//! what the server tells.
//!
//! The figures go to the file that the variable SOCKWALK_FIGURES names; to standard error if there is none.

use std::{
    collections::HashMap,
    env,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::PoisonError,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Folder, MACHINE, PATIENCE, Server, Turn, connections, flat, head, request, tail, until};
use crate::support::live::Process;

/// Messages of each client that keeps the rules.
const MESSAGES: usize = 100;

/// A kind of clients: how many there are, how many messages each sends and is sent back, and the word of the
/// server for their end.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    clients: usize,
    messages: usize,
    end: &'static str,
}

/// In the order of the script.
const KINDS: [Kind; 6] = [
    Kind { name: "orderly", clients: 850, messages: MESSAGES, end: "closed" },
    Kind { name: "hanging up", clients: 50, messages: MESSAGES / 2, end: "reset" },
    Kind { name: "wrong", clients: 20, messages: 0, end: "violation" },
    Kind { name: "too large", clients: 5, messages: 0, end: "limit" },
    Kind { name: "deaf", clients: 50, messages: MESSAGES, end: "reset" },
    Kind { name: "noisy", clients: 25, messages: 0, end: "refused" },
];

/// All of them.
const CROWD: usize = 1000;

/// So long a round may take.
const ROUND: Duration = Duration::from_secs(300);

/// So much more memory than after the first round may be held after the last, in KiB.
const MORE: u64 = 16 << 10;

/// So soon it ends when nobody is there any more.
const SOON: Duration = Duration::from_secs(5);

/// What the kernel says of the server; memory in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    threads: usize,
    descriptors: usize,
    /// VmRSS
    resident: u64,
    /// RssAnon
    anonymous: u64,
    /// VmHWM
    peak: u64,
}

impl Figures {
    fn of(pid: u32) -> Figures {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.expect("Linux tells it").split_whitespace().next().unwrap().parse().unwrap()
        };
        Figures {
            threads: usize::try_from(field("Threads")).unwrap(),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).expect("the server runs").count(),
            resident: field("VmRSS"),
            anonymous: field("RssAnon"),
            peak: field("VmHWM"),
        }
    }

    /// Waits until there are so many threads and descriptors.
    fn with(pid: u32, threads: usize, descriptors: usize) -> Figures {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Figures::of(pid);
            if (now.threads, now.descriptors) == (threads, descriptors) {
                return now;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "never {threads} threads and {descriptors} descriptors, at last {now:?}");
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn tell(&self, when: &str) {
        let Figures { threads, descriptors, resident, anonymous, peak } = self;
        tell(&format!(
            "  {when}: {threads} threads, {descriptors} descriptors, VmRSS {resident} KiB, RssAnon {anonymous} KiB, peak {peak} KiB"
        ));
    }
}

/// Adds a line to the figures.
fn tell(line: &str) {
    match env::var_os("SOCKWALK_FIGURES") {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the figures can be written");
        }
        #[allow(clippy::print_stderr, reason = "whoever wants the figures looks there")]
        None => eprintln!("{line}"),
    }
}

/// What a client counted.
#[derive(Debug)]
struct Client {
    kind: &'static Kind,
    number: u64,
    port: u64,
    sent: usize,
    received: usize,
    /// Bytes on the TCP connection.
    written: u64,
    read: u64,
}

impl Client {
    fn of(said: &Value) -> Client {
        let kind = KINDS.iter().find(|kind| said["kind"] == kind.name).expect("the kind is known");
        let count = |name: &str| said[name].as_u64().unwrap_or_else(|| panic!("no {name} in {said}"));
        let messages = |name: &str| usize::try_from(count(name)).unwrap();
        assert_eq!(said["bad"], 0, "what came was not what had to come: {said}");
        let code = match kind.name {
            "orderly" => Some(1000),
            "hanging up" => Some(1006),
            "too large" => Some(1009),
            "noisy" => Some(400),
            _ => None,
        };
        assert!(code.is_none_or(|code| said["code"] == code), "{said}");
        Client {
            kind,
            number: count("number"),
            port: count("port"),
            sent: messages("sent"),
            received: messages("received"),
            written: count("bytes_written"),
            read: count("bytes_read"),
        }
    }
}

/// The text of a client's message.
fn text(number: u64, message: usize) -> String {
    format!("{number}:{message}")
}

/// Where Node's ws is installed: beside the folder that Cargo keeps for tests, if the variable SOCKWALK_PEERS
/// names no other.
fn peers() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    let peers = env::var_os("SOCKWALK_PEERS").map_or_else(beside, PathBuf::from);
    assert!(
        peers.join("node_modules/ws").exists(),
        "ws is not in {}: tests/run installs it",
        peers.display()
    );
    peers
}

/// The crowd comes, does as it does, and goes. What each counted; `head` is the length of the answer to a
/// request.
fn round(server: &Server, alone: Figures, head: u64) -> Vec<Client> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/class/crowd.js");
    let mut command = Command::new("node");
    command.env("NODE_PATH", peers().join("node_modules")).arg(script);
    command.args([usize::from(server.port), MESSAGES].map(|number| number.to_string()));
    command.args(KINDS.iter().map(|kind| kind.clients.to_string()));
    let mut node = Process::start("crowd.js", &mut command);
    let json = |line: &str| serde_json::from_str::<Value>(line).ok();
    let together = node.says("connected");
    assert_eq!(together["connected"], CROWD);
    Figures::with(server.pid, alone.threads + CROWD, alone.descriptors + CROWD).tell("all are connected");

    let began = Instant::now();
    node.write("go\n");
    let mut clients = Vec::new();
    let mut highest = Figures::of(server.pid);
    let through = loop {
        let said = node.out("what a client counted", json);
        if said.get("kind").is_some() {
            clients.push(Client::of(&said));
        } else if said.get("messages").is_some() {
            let now = Figures::of(server.pid);
            highest = if now.resident > highest.resident { now } else { highest };
        } else {
            break said["through"].as_f64().unwrap_or_else(|| panic!("{said} was not expected"));
        }
        assert!(began.elapsed() < ROUND, "a round takes longer than {ROUND:?}");
    };
    highest.tell("the most memory of all seconds");

    // All that the deaf were sent back is there, and none of it was read: now they may go without taking
    // anything along.
    let deaf: Vec<(u64, u64)> = serde_json::from_value(together["deaf"].clone()).unwrap();
    let due: HashMap<u64, u64> = deaf
        .iter()
        .map(|(number, port)| {
            let echoes = (0..MESSAGES).map(|message| 2 + text(*number, message).len() as u64);
            (*port, head + echoes.sum::<u64>())
        })
        .collect();
    until("what the deaf are sent", || {
        let theirs = connections().into_iter().filter(|one| one.remote == server.port);
        let unread: HashMap<u64, u64> = theirs.map(|one| (u64::from(one.local), one.unread)).collect();
        due.iter().all(|(port, bytes)| unread.get(port) == Some(bytes)).then_some(())
    });
    node.write("drop\n");
    let mut so_far = clients.len();
    while so_far < CROWD {
        let mut client = node.out("what a deaf client counted", |line| json(line).as_ref().map(Client::of));
        assert_eq!((client.kind.name, client.read, client.received), ("deaf", 0, 0));
        // It got all, and looked at none.
        (client.read, client.received) = (due[&client.port], MESSAGES);
        clients.push(client);
        so_far += 1;
    }
    node.succeed();
    let messages: usize = clients.iter().map(|client| client.received).sum();
    tell(&format!(
        "  connected in {:.0} ms; {messages} messages there and back in {through:.0} ms",
        together["ms"].as_f64().unwrap()
    ));
    for kind in &KINDS {
        let its: Vec<&Client> = clients.iter().filter(|client| client.kind.name == kind.name).collect();
        assert_eq!(its.len(), kind.clients, "{}", kind.name);
        for client in its {
            assert_eq!((client.sent, client.received), (kind.messages, kind.messages), "{client:?}");
        }
    }
    clients
}

/// A connection by hand: an echo, a Close. Gives how many bytes were written and read, and of these the
/// answer to the request.
fn probe(server: &Server, meanwhile: impl FnOnce()) -> (u64, u64, u64) {
    let mut stream = server.call();
    let request = request(server.port);
    stream.write_all(&request).unwrap();
    let head = head(&mut stream);
    stream.write_all(&[0x81, 0x85, 0, 0, 0, 0, b'p', b'r', b'o', b'b', b'e']).unwrap();
    let mut echo = [0; 7];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"\x81\x05probe");
    meanwhile();
    stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the stream ends in order");
    assert_eq!(rest, [0x88, 2, 0x03, 0xe8]);
    let head = head.len() as u64;
    (request.len() as u64 + 11 + 8, head + 7 + 4, head)
}

/// What the trace tells.
#[derive(Default)]
struct Traced {
    /// Names and addresses, in their order.
    connected: Vec<(String, String)>,
    gone: HashMap<String, Value>,
    /// The texts that came and went, by name.
    received: HashMap<String, Vec<String>>,
    sent: HashMap<String, Vec<String>>,
}

impl Traced {
    fn read(path: &str) -> Traced {
        let mut traced = Traced::default();
        for line in BufReader::new(File::open(path).expect("the trace is there")).lines() {
            let line = line.unwrap();
            // Most of it are calls, and of no use here.
            if !line.contains(r#""event":"peer""#) && !line.contains(r#""event":"message""#) {
                continue;
            }
            let event: Value = serde_json::from_str(&line).unwrap();
            let field = |name: &str| event[name].as_str().unwrap().to_owned();
            match (event["event"].as_str().unwrap(), event["phase"].as_str()) {
                ("peer", Some("connected")) => traced.connected.push((field("name"), field("address"))),
                ("peer", Some("gone")) => {
                    let twice = traced.gone.insert(field("name"), event.clone());
                    assert!(twice.is_none(), "{event}");
                }
                ("message", _) if event["kind"] == "text" => {
                    let data = data_encoding::HEXLOWER.decode(field("data").as_bytes()).unwrap();
                    let text = String::from_utf8(data).unwrap();
                    let list =
                        if event["received"] == true { &mut traced.received } else { &mut traced.sent };
                    list.entry(field("socket")).or_default().push(text);
                }
                _ => {}
            }
        }
        traced
    }

    /// What is told of these names is what their clients counted.
    fn agrees(&mut self, names: &[String], clients: &[Client]) {
        let by_port: HashMap<String, &Client> =
            clients.iter().map(|client| (format!("127.0.0.1:{}", client.port), client)).collect();
        assert_eq!((by_port.len(), names.len()), (CROWD, CROWD));
        for name in names {
            let gone = self.gone.remove(name).unwrap_or_else(|| panic!("{name} is never gone"));
            let client = by_port[gone["address"].as_str().unwrap()];
            let told = ["received", "sent", "messages_received", "messages_sent"].map(|field| &gone[field]);
            let counted = [client.written, client.read, client.sent as u64, client.received as u64];
            assert_eq!(told.map(Value::as_u64), counted.map(Some), "{client:?}, {gone}");
            assert_eq!(gone["end"], client.kind.end, "{client:?}, {gone}");
            let texts: Vec<String> =
                (0..client.kind.messages).map(|message| text(client.number, message)).collect();
            assert_eq!(self.received.remove(name).unwrap_or_default(), texts, "{name} received");
            assert_eq!(self.sent.remove(name).unwrap_or_default(), texts, "{name} was sent");
        }
    }
}

/// How the server sums it up, in the words of its screen.
fn sum(clients: &[Client], probes: &[(u64, u64, u64)]) -> String {
    let all = clients.len() + probes.len();
    let ended = |end: &str| clients.iter().filter(|client| client.kind.end == end).count();
    let messages: usize = clients.iter().map(|client| client.sent).sum::<usize>() + probes.len();
    let received: u64 = clients.iter().map(|client| client.written).chain(probes.iter().map(|it| it.0)).sum();
    let sent: u64 = clients.iter().map(|client| client.read).chain(probes.iter().map(|it| it.1)).sum();
    format!(
        "{all} connections, at most {CROWD} at once: {} broken off, {} closed in order, {} ended by a limit, \
         {} ended for a violation, {} refused. \
         Bytes: {received} received, {sent} sent. Messages: {messages} received, {messages} sent.",
        ended("reset"),
        ended("closed") + probes.len(),
        ended("limit"),
        ended("violation"),
        ended("refused"),
    )
}

/// The whole of it, so many rounds.
fn crowd(quiet: bool, with_trace: bool, rounds: usize) {
    let turn = Turn::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner));
    let folder = Folder::new();
    let trace = folder.path("trace.jsonl");
    let (table, file) = (["--quiet"], ["--trace", &trace]);
    let options = [&table[..usize::from(quiet)], &file[..2 * usize::from(with_trace)]].concat();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let said: Vec<&str> = options.iter().copied().filter(|option| option.starts_with("--")).collect();
    tell(&format!("websocket 127.0.0.1:0 {}, {build} build", said.join(" ")));
    let mut server = Server::launch(folder, turn, "websocket", &options);

    // While the first is there and nobody else, there is one thread and one descriptor more than without
    // anybody.
    let mut alone = None;
    let first = probe(&server, || alone = Some(Figures::of(server.pid)));
    let alone = alone.unwrap();
    let alone = Figures::with(server.pid, alone.threads - 1, alone.descriptors - 1);
    alone.tell("before");
    let (mut probes, mut clients, mut after) = (vec![first], Vec::new(), Vec::new());
    for number in 1..=rounds {
        clients.extend(round(&server, alone, first.2));
        Figures::with(server.pid, alone.threads, alone.descriptors);
        probes.push(probe(&server, || {}));
        if !quiet {
            // Now all that came before it is told too.
            server.shows(&[&format!(" c{} ", number * (CROWD + 1) + 1), "gone"]);
        }
        let now = Figures::with(server.pid, alone.threads, alone.descriptors);
        now.tell(&format!("after round {number}"));
        after.push(now);
    }
    let told = Instant::now();
    server.process.signal("INT");
    let screen = server.process.succeed().out;
    let took = told.elapsed();
    tell(&format!("  Ctrl-C to the end: {} ms", took.as_millis()));
    assert!(took < SOON, "{took:?}");

    let sum = sum(&clients, &probes);
    assert!(flat(&screen).contains(&sum), "{sum}\nis not what is said: {}", tail(&screen));
    tell(&format!("  {sum}"));
    let (first, last) = (after[0], after[rounds - 1]);
    assert!(last.anonymous <= first.anonymous + MORE, "{after:?}");
    if with_trace {
        tell(&format!("  the trace has {} MiB", fs::metadata(&trace).unwrap().len() >> 20));
        let mut traced = Traced::read(&trace);
        let names: Vec<String> = traced.connected.iter().map(|(name, _)| name.clone()).collect();
        let in_order: Vec<String> = (1..=clients.len() + probes.len()).map(|n| format!("c{n}")).collect();
        assert_eq!(names, in_order);
        // Round by round, each behind somebody who was there alone.
        for (index, clients) in clients.chunks(CROWD).enumerate() {
            let from = index * (CROWD + 1) + 1;
            traced.agrees(&names[from..from + CROWD], clients);
        }
        assert_eq!(traced.gone.len(), probes.len());
    }
}

#[test]
#[ignore = "needs Node and its ws; tests/run installs them"]
fn a_thousand_at_once_are_told_byte_by_byte() {
    crowd(false, true, 2);
}

#[test]
#[ignore = "needs Node and its ws; tests/run installs them"]
fn a_thousand_at_once_add_up_in_the_table() {
    crowd(true, false, 2);
}
