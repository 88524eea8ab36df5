//! Programs under way in odd surroundings, and those whom they talk to.

use std::{
    fs,
    io::{Cursor, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use sockwalk::event::{Event, Reader, What};

use crate::{
    support::live::{Ended, Process},
    support::{Folder, sockwalk},
};

pub const SOCKWALK: &str = env!("CARGO_BIN_EXE_sockwalk");

/// Nobody waits longer than this for something that is to happen at all.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever is told to end has ended after this.
pub const PROMPT: Duration = Duration::from_secs(2);

/// And if much was still to be told, by a program that was built for debugging.
pub const LADEN: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 2 });

/// A program under way, and its home.
pub struct Here {
    pub process: Process,
    pub home: Folder,
}

/// Starts it with an empty input. Its trace comes on standard error, so that the screen is seen as well.
pub fn start(arguments: &[&str]) -> Here {
    let mut all = arguments.to_vec();
    all.extend(["--trace", "/dev/stderr"]);
    let home = Folder::new();
    let process = Process::start(&all.join(" "), &mut sockwalk(&home, &all));
    let mut here = Here { process, home };
    here.process.end_input();
    here
}

/// Runs a script of the shell's with these arguments; `$0` is sockwalk.
pub fn shell(script: &str, arguments: &[&str]) -> Here {
    let home = Folder::new();
    let mut command = outside("sh", &home);
    command.args(["-c", script, SOCKWALK]).args(arguments);
    let mut here = Here { process: Process::start(script, &mut command), home };
    here.process.end_input();
    here
}

/// Likewise in namespaces of its own, where it is root: `--net`, `--mount`.
pub fn secluded(namespaces: &[&str], script: &str, arguments: &[&str]) -> Here {
    let home = Folder::new();
    let mut command = outside("unshare", &home);
    command.args(["--user", "--map-root-user"]).args(namespaces).args(["sh", "-e", "-c", script, SOCKWALK]);
    command.args(arguments);
    let mut here = Here { process: Process::start(script, &mut command), home };
    here.process.end_input();
    here
}

/// Another program, in the surroundings that `sockwalk` gets.
pub fn outside(program: &str, home: &Folder) -> Command {
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
    pub fn port(&mut self) -> u16 {
        self.process.err("a listening socket", port_of)
    }

    pub fn end(&mut self) -> Ended {
        self.process.end()
    }

    /// Sends a signal, waits for the end, and gives the time that it took.
    pub fn told_to_end(&mut self, signal: &str) -> (Ended, Duration) {
        self.process.signal(signal);
        let told = Instant::now();
        let ended = self.process.end();
        (ended, told.elapsed())
    }
}

/// Runs it to its end.
pub fn ended(arguments: &[&str]) -> Ended {
    let home = Folder::new();
    let mut process = Process::start(&arguments.join(" "), &mut sockwalk(&home, arguments));
    process.end_input();
    process.end()
}

/// The port of a line of the trace that tells of a listening socket.
pub fn port_of(line: &str) -> Option<u16> {
    let event: Value = serde_json::from_str(line).ok()?;
    let listens = event["event"] == "socket" && event["state"] == "LISTEN";
    listens.then(|| event["local"].as_str()?.rsplit_once(':')?.1.parse().ok()).flatten()
}

/// The port in the words with which a class server introduces itself.
pub fn port_shown(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("127.0.0.1:").filter(|(before, _)| before.contains("serves"))?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The events of a trace: each a line, and each line whole.
pub fn events(trace: &str) -> Vec<Event> {
    assert!(trace.is_empty() || trace.ends_with('\n'), "the last line is torn: {:?}", trace.lines().last());
    let events = Reader::new(Cursor::new(trace)).collect::<Result<Vec<Event>, _>>();
    events.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub fn is_complete(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event { what: What::End(_), .. }))
}

/// What is shown, as one line: prose is broken wherever it has to be.
pub fn flat(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits that long; nothing is expected meanwhile.
pub fn pass(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

/// Sends a signal by its name; whether anybody was there for it.
pub fn signal(name: &str, id: &str) -> bool {
    let kill = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).stderr(Stdio::null()).status();
    !id.is_empty() && kill.is_ok_and(|status| status.success())
}

/// A program whose id is in a file: if the test fails, it goes too.
pub struct Noted(pub String);

impl Drop for Noted {
    fn drop(&mut self) {
        if thread::panicking() {
            signal("KILL", fs::read_to_string(&self.0).unwrap_or_default().trim());
        }
    }
}

/// Somebody who listens and holds whoever calls, without a word.
pub fn silent_peer() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    at
}

/// A connection on which nobody waits for ever.
pub fn connect(port: u16) -> TcpStream {
    patient(TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}")))
}

pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes, and meanwhile reads away what comes, to the end. Whoever is hung up on does not mind.
pub fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
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
pub fn chatter(port: u16, websocket: bool, pause: Duration) -> thread::JoinHandle<()> {
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
pub fn chatters(port: u16, websocket: bool) -> Vec<thread::JoinHandle<()>> {
    (0..4).map(|_| chatter(port, websocket, Duration::ZERO)).collect()
}

/// Four who talk as people do, only faster.
pub fn talkers(port: u16, websocket: bool) -> Vec<thread::JoinHandle<()>> {
    (0..4).map(|_| chatter(port, websocket, Duration::from_millis(5))).collect()
}

/// The request of a WebSocket's opening handshake.
pub fn opening(port: u16) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// A frame with FIN; if it is masked, by zeros.
pub fn frame(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
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

/// Numbers that are the same in every run: xorshift64*, from a seed that a failure tells.
pub struct Moments(pub u64);

pub const SEED: u64 = 0x5eed_0f5e_a5ed_f00d;

impl Moments {
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % below
    }

    pub fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.next(below))
    }
}
