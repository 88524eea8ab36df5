//! A class at a live server: its limits, what is told of whom, Ctrl-C with many there, and a thousand clients
//! at once.
//!
//! What is said on the screen is read line by line as it comes, and stands for the event; the trace is a file
//! and read at the end.

#[cfg(target_os = "linux")]
mod crowd;
mod ending;
mod limits;
mod telling;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tungstenite::{HandshakeError, Message, WebSocket, protocol::CloseFrame};

use crate::support::{
    Folder,
    live::{Ended, Process},
    sockwalk,
};

/// Nothing should take as long; it is for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// A crowd has the machine for itself, so that it does not make the times of others.
static MACHINE: RwLock<()> = RwLock::new(());

#[allow(dead_code, reason = "they are held, not looked at")]
enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A server for a class. A test has one at a time.
struct Server {
    process: Process,
    pid: u32,
    port: u16,
    folder: Folder,
    _turn: Turn,
}

impl Server {
    /// Starts it at a port that the kernel picks, with its trace in a file.
    fn start(command: &str, options: &[&str]) -> Server {
        let folder = Folder::new();
        let trace = folder.path("trace.jsonl");
        let turn = Turn::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner));
        Server::launch(folder, turn, command, &[options, &["--trace", &trace]].concat())
    }

    /// The same without a trace.
    fn without_trace(command: &str, options: &[&str]) -> Server {
        let turn = Turn::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner));
        Server::launch(Folder::new(), turn, command, options)
    }

    fn launch(folder: Folder, turn: Turn, command: &str, options: &[&str]) -> Server {
        let all = [&[command, "127.0.0.1:0", "--width", "200"], options].concat();
        let bare = sockwalk(&folder, &all);
        // A shell says which process it is, and becomes the server.
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo $$; exec \"$0\" \"$@\""]).arg(bare.get_program()).args(bare.get_args());
        for (name, value) in bare.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut shell);
        process.end_input();
        let pid = process.out("the number of its process", |line| line.parse().ok());
        let port = process.out("its address", |line| {
            let (_, at) = line.split_once("It serves ")?.1.split_once("127.0.0.1:")?;
            at.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
        });
        Server { process, pid, port, folder, _turn: turn }
    }

    /// Waits for a line of the screen with all of these in it, and gives it.
    fn shows(&mut self, parts: &[&str]) -> String {
        let what = format!("a line with {parts:?}");
        self.process.out(&what, |line| parts.iter().all(|part| line.contains(part)).then(|| line.to_owned()))
    }

    /// A TCP connection to it.
    fn call(&self) -> TcpStream {
        call(self.port)
    }

    /// A WebSocket to it.
    fn open(&self) -> WebSocket<TcpStream> {
        match tungstenite::client(format!("ws://127.0.0.1:{}/", self.port), self.call()) {
            Ok((websocket, _)) => websocket,
            Err(HandshakeError::Failure(error)) => panic!("no upgrade: {error}"),
            Err(HandshakeError::Interrupted(_)) => panic!("no upgrade in {PATIENCE:?}"),
        }
    }

    /// A connection that was upgraded by hand, and says nothing more by itself.
    fn upgraded(&self) -> TcpStream {
        upgraded(self.port)
    }

    /// Ctrl-C, and then a good end: all that was on the screen, and the events if there is a trace.
    fn stop(mut self) -> (String, Vec<Value>) {
        self.process.signal("INT");
        self.over()
    }

    /// Likewise, when it was told already.
    fn over(&mut self) -> (String, Vec<Value>) {
        let Ended { out, err, .. } = self.process.succeed();
        assert_eq!(err, "", "nothing is said on standard error");
        (out, self.events())
    }

    /// The events of the trace so far, if there is one.
    fn events(&self) -> Vec<Value> {
        let trace = fs::read_to_string(self.folder.path("trace.jsonl")).unwrap_or_default();
        // A line without an end is being written.
        let whole = trace.rfind('\n').map_or(0, |at| at + 1);
        trace[..whole].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A TCP connection to the server at this port.
fn call(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it is there");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One that was upgraded by hand.
fn upgraded(port: u16) -> TcpStream {
    let mut stream = call(port);
    stream.write_all(&request(port)).unwrap();
    let head = head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream
}

/// An opening request as it should be.
fn request(port: u16) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// Reads a head, and not a byte more.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head comes");
        head.extend(byte);
    }
    String::from_utf8(head).expect("a head is text")
}

/// Sends bytes and waits until they have come back.
fn there_and_back(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).expect("what was sent comes back");
    assert_eq!(back, bytes);
}

/// Sends a text message and waits until it has come back.
fn echo(websocket: &mut WebSocket<TcpStream>, text: &str) {
    websocket.send(Message::text(text)).unwrap();
    let back = websocket.read().expect("the message comes back");
    assert_eq!(back, Message::text(text));
}

/// Closes with this code, and reads to the end: then the server knows how it ended.
fn leave(mut websocket: WebSocket<TcpStream>, code: u16) {
    let bye = CloseFrame { code: code.into(), reason: "".into() };
    websocket.close(Some(bye)).unwrap();
    assert_eq!(closed_by_it(&mut websocket), code);
}

/// Reads until the Close, and answers it; then the stream has to end in order. Gives the code.
fn closed_by_it(websocket: &mut WebSocket<TcpStream>) -> u16 {
    let mut code = None;
    loop {
        match websocket.read() {
            Ok(Message::Close(frame)) => code = Some(frame.map_or(1005, |frame| frame.code.into())),
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed) => break,
            Err(error) => panic!("{error}, after Close {code:?}"),
        }
    }
    assert_eq!(websocket.get_mut().read(&mut [0]).expect("the stream ends in order"), 0);
    code.expect("a Close comes before the end")
}

/// The event with which a connection is over.
fn gone<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let mut found =
        events.iter().filter(|e| e["event"] == "peer" && e["name"] == name && e["phase"] == "gone");
    let first = found.next().unwrap_or_else(|| panic!("{name} is never gone"));
    assert!(found.next().is_none(), "{name} is gone twice");
    first
}

/// How a connection ended: the word and the words for people.
fn end<'a>(events: &'a [Value], name: &str) -> (&'a str, &'a str) {
    let gone = gone(events, name);
    (gone["end"].as_str().unwrap(), gone["detail"].as_str().unwrap())
}

/// The text of a screen in one line, and its numbers without commas.
fn flat(screen: &str) -> String {
    let mut flat = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    for digit in 0..10 {
        flat = flat.replace(&format!(",{digit}"), &digit.to_string());
    }
    flat
}

/// A TCP connection of IPv4 as the kernel tells of it: its ports, and the bytes that were not taken yet.
#[cfg(target_os = "linux")]
struct Connection {
    local: u16,
    remote: u16,
    unread: u64,
}

/// All of this machine.
#[cfg(target_os = "linux")]
fn connections() -> Vec<Connection> {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux tells it");
    let port = |address: &str| u16::from_str_radix(address.split_once(':').unwrap().1, 16).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.map(|fields| Connection {
        local: port(fields[1]),
        remote: port(fields[2]),
        unread: u64::from_str_radix(fields[4].split_once(':').unwrap().1, 16).unwrap(),
    })
    .collect()
}

/// The end of a long text.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(3000).map_or(text, |(at, _)| &text[at..])
}

/// Looks again and again until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}
