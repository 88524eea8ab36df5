//! The price of a tap: `sockwalk tap` beside a bare relay of the same run, and beside `socat -x`, which
//! prints every byte.
//!
//! `cargo bench --bench tap`. Three questions: how many bytes pass in a second; how long one small message
//! takes there and back, one at a time; and how many bytes are told in a second, into a pipe that somebody
//! reads. The bare relay is a process of its own, as the tap is: two threads that read and write 64 KiB. In
//! each round every relay is asked in turn, so that a machine that drifts drifts for all; ratios are of one
//! round, their median is shown, and how far they lie apart.
//!
//! Of what is told: `socat -x` makes a write(2) for each byte, so it gets few of them. A tap's screen tells
//! each read with its beginning; its trace tells each byte, in hex, and counts here until it has told that
//! the connection is gone. It leaves out what can't be told as fast as it passes: only what was told counts.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// Rounds that count; the one before them warms up.
const ROUNDS: usize = 9;

/// Bytes that pass for a figure of a round; so many where they are told, and so few where `socat -x` tells
/// them.
const MUCH: u64 = 512 << 20;
const TOLD: u64 = 48 << 20;
const TOLD_BY_SOCAT: u64 = 512 << 10;

/// Messages there and back for a figure of a round, and on so many connections: a thread that the scheduler
/// has put on an idle core is woken late, whosever it is. Of the connections the one that is quicker than
/// three quarters counts.
const MESSAGES: usize = 1_500;
const CONNECTIONS: usize = 6;

/// A relay that runs, before a server of ours.
struct Relay {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    server: TcpListener,
    /// Of each connection that is gone, how many bytes were told in the trace.
    told: Receiver<u64>,
}

impl Relay {
    /// `make` gives the command and, if it is known already, where it will listen.
    fn start(
        name: &'static str,
        make: impl FnOnce(SocketAddr) -> (Command, Option<SocketAddr>),
    ) -> Option<Relay> {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let (mut command, known) = make(server.local_addr().expect("it is bound"));
        // Nobody waits for what is told, but somebody reads it. socat tells on standard error.
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        let mut errors = child.stderr.take().expect("it is piped");
        thread::spawn(move || io::copy(&mut errors, &mut io::sink()));
        let mut said = BufReader::with_capacity(1 << 20, child.stdout.take().expect("it is piped"));
        let address = known.unwrap_or_else(|| {
            loop {
                let mut line = String::new();
                assert!(said.read_line(&mut line).expect("it speaks") > 0, "{name} has ended");
                // As the screen says it, or the first line of a trace.
                let found = line.split_once("listens at ").and_then(|(_, rest)| rest.split_once(','));
                let found = found.or_else(|| line.split_once("\"listen\":\"")?.1.split_once('"'));
                if let Some((address, _)) = found {
                    break address.parse().expect("an address");
                }
            }
        });
        let (gone, told) = channel();
        thread::spawn(move || listen(said, &gone));
        Some(Relay { name, child, address, server, told })
    }

    fn sockwalk(name: &'static str, options: &'static [&str]) -> Relay {
        Relay::start(name, |target| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sockwalk"));
            command.args(["tap", "0", &target.to_string()]).args(options);
            (command, None)
        })
        .expect("sockwalk starts")
    }

    fn bare() -> Relay {
        let this = env::current_exe().expect("this is a program");
        Relay::start("a bare relay", |target| {
            let mut command = Command::new(this);
            command.args(["bare", &target.to_string()]);
            (command, None)
        })
        .expect("the relay starts")
    }

    /// None if it is not there.
    fn socat() -> Option<Relay> {
        // socat does not say which port it got: one that was free just now.
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr()).expect("a port");
        Relay::start("socat -x", |target| {
            let mut command = Command::new("socat");
            let listen = format!("TCP-LISTEN:{},bind=127.0.0.1,reuseaddr,fork", free.port());
            command.args(["-x", "-b", "65536", &listen, &format!("TCP:{target}")]);
            (command, Some(free))
        })
    }

    /// A connection through it: the client's end and the server's.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let until = Instant::now() + Duration::from_secs(10);
        let client = loop {
            match TcpStream::connect(self.address) {
                Ok(client) => break client,
                // socat says nothing when it is ready.
                Err(error) => assert!(Instant::now() < until, "{}: {error}", self.name),
            }
        };
        let (server, _) = self.server.accept().expect("the relay calls");
        for end in [&client, &server] {
            end.set_nodelay(true).expect("it is connected");
        }
        (client, server)
    }

    /// Bytes that pass in a second.
    fn rate(&self, total: u64) -> f64 {
        let (mut client, mut server) = self.connect();
        let piece = vec![b'x'; 64 << 10];
        let began = Instant::now();
        let writer = thread::spawn(move || {
            for _ in 0..total / piece.len() as u64 {
                client.write_all(&piece).expect("the relay takes it");
            }
            client.shutdown(Shutdown::Write).expect("it is open");
            client
        });
        let (mut room, mut came) = (vec![0; 64 << 10], 0);
        loop {
            match server.read(&mut room).expect("the relay passes it on") {
                0 => break,
                count => came += count as u64,
            }
        }
        assert_eq!(came, total, "{}", self.name);
        let rate = total as f64 / began.elapsed().as_secs_f64();
        drop(writer.join());
        rate
    }

    /// Bytes that the trace tells in a second.
    fn told_rate(&self, total: u64) -> f64 {
        let began = Instant::now();
        self.rate(total);
        let told = self.told.recv().expect("it tells the end of the connection");
        told as f64 / began.elapsed().as_secs_f64()
    }

    /// Microseconds that a message takes there and back: the median.
    fn there_and_back(&self) -> f64 {
        let (mut client, mut server) = self.connect();
        let echo = thread::spawn(move || {
            let mut room = [0; 64];
            while let Ok(count @ 1..) = server.read(&mut room) {
                server.write_all(&room[..count]).expect("the relay takes it");
            }
        });
        let mut room = [0; 16];
        let mut times: Vec<Duration> = (0..MESSAGES)
            .map(|_| {
                let began = Instant::now();
                client.write_all(&room).expect("the relay takes it");
                client.read_exact(&mut room).expect("it comes back");
                began.elapsed()
            })
            .collect();
        drop(client);
        echo.join().expect("it comes to its end");
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() {
    if env::args().nth(1).as_deref() == Some("bare") {
        return bare(&env::args().nth(2).expect("the target"));
    }
    let (bare, quiet, telling) =
        (Relay::bare(), Relay::sockwalk("tap --quiet", &["--quiet"]), Relay::sockwalk("tap", &[]));
    let three = [&bare, &quiet, &telling];
    compare("bytes in a second, in GB", &three, |relay| relay.rate(MUCH) / 1e9);
    compare("a message of 16 bytes there and back, in µs", &three, |relay| {
        let mut all: Vec<f64> = (0..CONNECTIONS).map(|_| relay.there_and_back()).collect();
        all.sort_unstable_by(f64::total_cmp);
        all[CONNECTIONS / 4]
    });
    match Relay::socat() {
        Some(socat) => {
            let trace = Relay::sockwalk("tap --trace", &["--trace", "-"]);
            compare("bytes told in a second, in MB", &[&socat, &trace, &telling], |relay| {
                let rate = match relay.name {
                    "socat -x" => relay.rate(TOLD_BY_SOCAT),
                    "tap --trace" => relay.told_rate(TOLD),
                    _ => relay.rate(TOLD),
                };
                rate / 1e6
            });
        }
        None => println!("\nsocat is LEFT OUT: it is not there (Debian's package socat)"),
    }
}

/// Reads what a relay says to its end, and how many bytes a trace tells of each connection.
fn listen(mut said: BufReader<ChildStdout>, gone: &Sender<u64>) {
    let (mut line, mut told) = (String::new(), 0);
    while said.read_line(&mut line).is_ok_and(|read| read > 0) {
        if let Some((_, bytes)) = line.split_once("\"bytes\":\"") {
            told += bytes.find('"').unwrap_or_default() as u64 / 2;
        }
        if line.contains("\"event\":\"gone\"") {
            // Nobody may ask any more.
            let _ = gone.send(told);
            told = 0;
        }
        line.clear();
    }
}

/// Asks all in turn, round by round, and prints what each gave and its ratio to the first.
fn compare(question: &str, relays: &[&Relay], ask: impl Fn(&Relay) -> f64) {
    let rounds: Vec<Vec<f64>> =
        (0..=ROUNDS).map(|_| relays.iter().map(|relay| ask(relay)).collect()).skip(1).collect();
    println!("\n{question}");
    for (at, relay) in relays.iter().enumerate() {
        let figure = median(rounds.iter().map(|round| round[at]).collect());
        let ratios: Vec<f64> = rounds.iter().map(|round| round[at] / round[0]).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        println!(
            "  {:16}{figure:>10.3}{:>26}",
            relay.name,
            format!("{:.2} × ({least:.2}–{most:.2})", median(ratios))
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A relay and nothing else: what any has to do.
fn bare(target: &str) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let mut out = io::stdout();
    let address = listener.local_addr().expect("it listens");
    writeln!(out, "listens at {address}, bare").and_then(|()| out.flush()).expect("somebody reads it");
    for client in listener.incoming().flatten() {
        let server = TcpStream::connect(target).expect("the server is there");
        for end in [&client, &server] {
            end.set_nodelay(true).expect("it is connected");
        }
        let both = (client.try_clone().expect("a descriptor"), server.try_clone().expect("a descriptor"));
        thread::spawn(move || carry(client, server));
        thread::spawn(move || carry(both.1, both.0));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut room = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut room) {
        if to.write_all(&room[..count]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
