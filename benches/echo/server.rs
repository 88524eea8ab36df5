//! The servers that are measured: each a process of its own, that ends with this one.

use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tungstenite::Message;

/// How long a server may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who has written nothing for so long has told everything.
const SILENCE: Duration = Duration::from_millis(50);

/// Runs the rest of its arguments until its standard input ends, be it that whoever holds it was killed.
const KEEPER: &str = r#"trap "" INT; "$@" & exec >&-; read -r _; exec 2>&-; kill $!; wait $!"#;

/// A server that runs.
pub struct Server {
    /// What it says that it is, or as what it was started.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its trace, if it writes one.
    trace: Option<PathBuf>,
    keeper: Child,
    /// When it wrote last.
    wrote: Arc<Mutex<Instant>>,
}

impl Server {
    /// `sockwalk websocket`, with these options.
    pub fn sockwalk(name: &str, options: &[&str], trace: Option<PathBuf>) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sockwalk"));
        command.args(["websocket", "127.0.0.1:0", "--bytes", "1000000m"]).args(options);
        if let Some(trace) = &trace {
            command.arg("--trace").arg(trace);
        }
        let mut server = Server::start(&command).expect("sockwalk serves");
        (server.name, server.trace) = (name.to_owned(), trace);
        server
    }

    /// tungstenite alone, a thread for each connection: see [`bare`].
    pub fn bare() -> Server {
        let this = env::current_exe().expect("this is a program");
        Server::start(Command::new(this).arg("bare")).expect("tungstenite serves")
    }

    /// Node's ws; none if it is not there, or does not start.
    pub fn ws() -> Option<Server> {
        let installed = installed().join("node_modules");
        let mut node = Command::new("node");
        node.env("NODE_PATH", &installed).arg(script("ws_server.js"));
        installed.join("ws").exists().then(|| Server::start(&node))?
    }

    /// Python's websockets; none if it is not there, or does not start.
    pub fn websockets() -> Option<Server> {
        let python = installed().join("python/bin/python");
        python
            .exists()
            .then(|| Server::start(Command::new(python).arg("-B").arg(script("websockets_server.py"))))?
    }

    /// Starts it; none if it ends before it says where it listens.
    fn start(command: &Command) -> Option<Server> {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(command.get_program()).args(command.get_args());
        keeper.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a POSIX shell");
        let out = keeper.stdout.take().expect("it is piped");
        let wrote = Arc::new(Mutex::new(Instant::now()));
        let (to, said) = mpsc::channel();
        let stamp = Arc::clone(&wrote);
        thread::spawn(move || read(out, &stamp, &to));
        let found = listening(&said);
        let address = found.as_ref().map_or((Ipv4Addr::LOCALHOST, 0).into(), |(_, address)| *address);
        let name = found.as_ref().map_or_else(String::new, |(name, _)| name.clone());
        let server = Server { name, address, trace: None, keeper, wrote };
        found.is_some().then_some(server)
    }

    /// Waits until it has told all that it has to tell; gives when that was.
    pub fn told(&self) -> Instant {
        loop {
            let wrote = *self.wrote.lock().expect("nobody panics");
            let left = SILENCE.saturating_sub(wrote.elapsed());
            if left.is_zero() {
                return wrote;
            }
            thread::park_timeout(left);
        }
    }

    /// What is in its trace by now takes no room any more.
    pub fn forget(&self) {
        if let Some(trace) = &self.trace {
            let _ = fs::File::options().write(true).open(trace).and_then(|file| file.set_len(0));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Reads what a server writes to the end: what it says first is handed on, of the rest only when it came.
fn read(mut out: ChildStdout, stamp: &Mutex<Instant>, to: &Sender<String>) {
    let mut room = vec![0; 64 << 10];
    while let Ok(count @ 1..) = out.read(&mut room) {
        *stamp.lock().expect("nobody panics") = Instant::now();
        let _ = to.send(String::from_utf8_lossy(&room[..count.min(4096)]).into_owned());
    }
}

/// The first `ws://127.0.0.1:PORT/` that a server writes, and what stands before it in that line.
fn listening(said: &Receiver<String>) -> Option<(String, SocketAddr)> {
    let until = Instant::now() + PATIENCE;
    let mut all = String::new();
    loop {
        all += &said.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
        let found = all.lines().find_map(|line| {
            let (name, rest) = line.split_once("ws://")?;
            let address = rest.split_once('/')?.0.parse().ok()?;
            Some((name.trim_end_matches([':', ' ']).to_owned(), address))
        });
        if found.is_some() {
            return found;
        }
    }
}

/// Where the peers are installed; see `tests/peers/`.
pub fn installed() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
    env::var_os("SOCKWALK_PEERS").map_or_else(beside, PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/echo").join(name)
}

/// What is left of our server without its judge, its calls by hand and its telling.
pub fn bare() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let mut out = std::io::stdout();
    let address = listener.local_addr().expect("it listens");
    writeln!(out, "tungstenite: ws://{address}/").and_then(|()| out.flush()).expect("somebody reads it");
    for stream in listener.incoming().flatten() {
        thread::spawn(move || {
            // As every server here does, and tungstenite's own `connect`.
            let Ok(()) = stream.set_nodelay(true) else { return };
            let Ok(mut socket) = tungstenite::accept(stream) else { return };
            while let Ok(message) = socket.read() {
                if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).is_err() {
                    break;
                }
            }
        });
    }
}
