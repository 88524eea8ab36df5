//! Our two ends, as a person starts them, peers, and somebody between them who can cut.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crate::{
    support::live::{Ended, Process},
    support::{Folder, sockwalk},
};

/// `sockwalk serve` on a port that the kernel picks.
pub struct Server {
    process: Process,
    pub port: u16,
    _home: Folder,
}

impl Server {
    pub fn start(transport: &str, options: &[&str]) -> Server {
        let home = Folder::new();
        let all = [&["serve", transport, "127.0.0.1:0", "--width", "200"], options].concat();
        let mut process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(&home, &all));
        let port = process.out("where it listens", |line| {
            let behind = line.split("listens at 127.0.0.1:").nth(1)?;
            behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        Server { process, port, _home: home }
    }

    /// A URL of it.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// Waits for the next line with these words, and gives it.
    pub fn tells(&mut self, words: &str) -> String {
        self.process.out(words, |line| line.contains(words).then(|| line.to_owned()))
    }

    /// Ctrl-C, and a good end; all that it told.
    pub fn stop(mut self) -> String {
        self.process.signal("INT");
        unwrapped(&self.process.succeed().out)
    }
}

/// `sockwalk client`, with an input that is still to be written.
pub struct Caller {
    pub process: Process,
    _home: Folder,
}

impl Caller {
    pub fn start(transport: &str, url: &str, more: &[&str]) -> Caller {
        let home = Folder::new();
        let all = [&["client", transport, url, "--width", "200"], more].concat();
        let process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(&home, &all));
        Caller { process, _home: home }
    }

    /// Waits for the next line with these words, and gives it.
    pub fn tells(&mut self, words: &str) -> String {
        self.process.out(words, |line| line.contains(words).then(|| line.to_owned()))
    }

    /// No more to say; its end.
    pub fn end(mut self) -> Ended {
        self.process.end_input();
        let ended = self.process.end();
        Ended { out: unwrapped(&ended.out), ..ended }
    }
}

/// Without the line ends and the indentation of a screen: what was said there, in a row.
fn unwrapped(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `sockwalk client` to its end, with nothing on its input; it has to be a good one. All that it told.
pub fn call(transport: &str, url: &str, more: &[&str]) -> String {
    let ended = Caller::start(transport, url, more).end();
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    ended.out
}

/// Where `tests/run` has put the packages: beside the folder that Cargo keeps for tests.
fn installed() -> PathBuf {
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    assert!(peers.join("pins").exists(), "{} is not there: tests/run makes it", peers.display());
    peers
}

/// A script of `tests/peers/`, run by Node.
pub fn script(name: &str, arguments: &[&str]) -> Process {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name);
    let mut node = Command::new("node");
    node.env("NODE_PATH", installed().join("node_modules")).arg(path).args(arguments);
    Process::start(&format!("{name} {}", arguments.join(" ")), &mut node)
}

/// A script that serves, and the port that the kernel gave it.
pub fn serving(name: &str, arguments: &[&str]) -> (Process, String) {
    let mut server = script(name, arguments);
    let port = server.says("port")["port"].to_string();
    (server, port)
}

/// curl, without its progress meter and without the surroundings' proxies.
pub fn curl(arguments: &[&str]) -> Process {
    let mut command = Command::new("curl");
    command
        .args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20"])
        .args(arguments);
    Process::start(&format!("curl {}", arguments.join(" ")), &mut command)
}

/// What curl wrote, at a good end.
pub fn curled(arguments: &[&str]) -> String {
    curl(arguments).succeed().out
}

/// Somebody who passes bytes on between a client and a server, until told to cut.
pub struct Cutter {
    pub port: u16,
    pairs: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cutter {
    /// Before the server at this port.
    pub fn before(port: u16) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let pairs = Arc::<Mutex<Vec<TcpStream>>>::default();
        let kept = Arc::clone(&pairs);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
                let ends = [&client, &server].map(|end| end.try_clone().unwrap());
                kept.lock().unwrap().extend(ends);
                pass(client.try_clone().unwrap(), server.try_clone().unwrap());
                pass(server, client);
            }
        });
        Cutter { port: own, pairs }
    }

    /// Ends all connections that there are, in both directions.
    pub fn cut(&self) {
        for end in self.pairs.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// Passes on until the end.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// All that a server says to these bytes, to the end of its stream. The connection has to be closed within
/// some seconds, and not by a RST.
pub fn exchange(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error} after {answer:?}"));
    answer
}

/// Somebody who answers each request with the next of these, whatever it is, and then ends the stream. Its
/// port.
pub fn answering(answers: Vec<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut had = Vec::new();
            let mut room = [0; 4096];
            while !had.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut room) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => had.extend_from_slice(&room[..count]),
                }
            }
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(Shutdown::Write);
            // Whoever reads it has time to: the stream is closed when the other end has closed.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
    });
    port
}
