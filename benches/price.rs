//! The price of narration, as ratios against peers measured in the same run.
//!
//! `cargo bench --bench price`. Three questions: does the program start at once (whole processes, against a
//! bare Rust hello-world); is a call as timed by us the bare call (in a thread that is woken in the same
//! way); what does it cost to read both ends after every call of a whole lifecycle (against the bare calls on
//! two threads that hand over alike, the bare single-threaded ones, and strace). Ratios are of medians; runs
//! alternate, so that a machine that drifts drifts for both.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, SockAddr, Socket, Type};
use sockwalk::{
    call::{
        self, Accept, Bind, Close, Connect, How, Listen, NewSocket, Protocol, Recv, Request, ShutDown, Site,
    },
    event::Host,
    stage::{Job, Stage},
};

const ROUNDS: usize = 400;
const STARTS: usize = 400;

fn main() {
    // `price lifecycle`: the bare lifecycle alone, so that strace has something to run.
    if env::args().nth(1).as_deref() == Some("lifecycle") {
        (0..50).for_each(|_| {
            bare();
        });
        return;
    }
    starts();
    calls();
    lifecycles();
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Whole processes, from spawn to exit, each beside a hello-world that is compiled now and as this profile
/// compiles.
fn starts() {
    let folder = env::temp_dir().join(format!("sockwalk-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("there is room for a folder");
    let (source, hello) = (folder.join("hello.rs"), folder.join("hello"));
    fs::write(&source, "fn main() { println!(\"Hello, world!\"); }\n").expect("there is room for a file");
    let as_in_release = ["-C", "opt-level=3", "-C", "strip=debuginfo", "-o"];
    let built = Command::new("rustc").args(as_in_release).arg(&hello).arg(&source).status();
    assert!(built.expect("rustc is there").success());
    let program = Path::new(env!("CARGO_BIN_EXE_sockwalk"));
    let commands =
        [(&hello, &[][..]), (&program.to_owned(), &["--version"]), (&program.to_owned(), &["lessons"])];
    let mut times = commands.map(|_| Vec::with_capacity(STARTS));
    for _ in 0..STARTS {
        for ((program, arguments), times) in commands.iter().zip(&mut times) {
            times.push(started(Command::new(program).args(*arguments)));
        }
    }
    let [hello, version, lessons] = times.map(|mut times| median(&mut times));
    println!("from spawn to exit, against a bare Rust hello-world (medians of {STARTS}, in turn):");
    println!("  hello-world        {hello:9.1?}");
    for (name, ours) in [("--version", version), ("lessons", lessons)] {
        println!("  sockwalk {name:10} {ours:8.1?}   that is {:.2} ×", ratio(ours, hello));
    }
    let size = fs::metadata(program).map(|file| file.len()).unwrap_or_default();
    println!("  the program has {:.1} MB", size as f64 / 1e6);
    let _ = fs::remove_dir_all(folder);
}

fn started(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let status = command.status().expect("it starts");
    let taken = begun.elapsed();
    assert!(status.success());
    taken
}

/// A thread that is woken for each call, as a host's is, and times it bare.
struct Bare(Sender<Order>);

/// A call, and where its time goes.
type Order = (Box<dyn FnOnce() + Send>, Sender<Duration>);

impl Bare {
    fn new() -> Bare {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (call, done) in inbox {
                let begun = Instant::now();
                call();
                let _ = done.send(begun.elapsed());
            }
        });
        Bare(orders)
    }

    fn call(&self, call: impl FnOnce() + Send + 'static) -> Duration {
        let (done, outcome) = mpsc::channel();
        self.0.send((Box::new(call), done)).expect("the thread is there");
        outcome.recv().expect("the thread is there")
    }
}

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// The calls of a lifecycle, in their order: name, host.
const CALLS: [(&str, Host); 11] = [
    ("socket", Host::Server),
    ("bind", Host::Server),
    ("listen", Host::Server),
    ("socket", Host::Client),
    ("connect", Host::Client),
    ("accept", Host::Server),
    ("send", Host::Client),
    ("recv", Host::Server),
    ("shutdown", Host::Client),
    ("close", Host::Client),
    ("close", Host::Server),
];

/// One lifecycle on a stage: the time of each call as we time it, and of the whole; if `looking`, both ends
/// are read after every call.
fn ours(stage: &Stage, looking: bool) -> (Vec<Duration>, Duration) {
    let mut address = any();
    let mut times = Vec::new();
    let begun = Instant::now();
    for (index, (name, host)) in CALLS.into_iter().enumerate() {
        let (request, on, result) = match (name, host) {
            ("socket", Host::Server) => {
                (Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), None, Some("s"))
            }
            ("socket", Host::Client) => {
                (Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), None, Some("c"))
            }
            ("bind", _) => (Request::Bind(Bind { address }), Some("s"), None),
            ("listen", _) => (Request::Listen(Listen { backlog: 4 }), Some("s"), None),
            ("connect", _) => (Request::Connect(Connect { address }), Some("c"), None),
            ("accept", _) => (Request::Accept(Accept), Some("s"), Some("conn")),
            ("send", _) => {
                (Request::Send(call::Send { bytes: b"hello".to_vec(), flags: Vec::new() }), Some("c"), None)
            }
            ("recv", _) => (Request::Recv(Recv { size: 100, flags: Vec::new() }), Some("conn"), None),
            ("shutdown", _) => (Request::ShutDown(ShutDown { how: How::Write }), Some("c"), None),
            (_, Host::Client) => (Request::Close(Close), Some("c"), None),
            (_, Host::Server) => (Request::Close(Close), Some("conn"), None),
        };
        times.push(on_stage(stage, host, request, on, result));
        // Where the kernel has put the listener is read in any case: the client has to know.
        let seen = if looking || index == 1 { stage.observe() } else { Vec::new() };
        if index == 1 {
            let listener = seen.iter().find(|one| one.entry.name == "s").expect("it was made");
            address = listener.socket.as_ref().and_then(|reading| reading.local).expect("it is bound");
        }
    }
    let whole = begun.elapsed();
    on_stage(stage, Host::Server, Request::Close(Close), Some("s"), None);
    (times, whole)
}

fn on_stage(
    stage: &Stage,
    host: Host,
    request: Request,
    on: Option<&str>,
    result: Option<&'static str>,
) -> Duration {
    let held = on.map(|name| stage.sockets(host).find(name).expect("it was made"));
    let job: Job = Box::new(move |desk| request.perform(&Site { table: desk, on: held.as_deref(), result }));
    let done =
        stage.start(host, job).wait(Duration::from_secs(5)).expect("the host is there").expect("it returns");
    assert!(done.outcome.is_ok(), "{:?}", done.outcome);
    done.took
}

/// What is handed from one bare call to the next.
#[derive(Default)]
struct Sockets {
    s: Option<Socket>,
    c: Option<Socket>,
    conn: Option<Socket>,
}

fn bare_call(name: &str, host: Host, sockets: &mut Sockets) {
    let make = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    match (name, host) {
        ("socket", Host::Server) => sockets.s = Some(make()),
        ("socket", Host::Client) => sockets.c = Some(make()),
        ("bind", _) => sockets.s.as_ref().expect("made").bind(&SockAddr::from(any())).expect("bind"),
        ("listen", _) => sockets.s.as_ref().expect("made").listen(4).expect("listen"),
        ("connect", _) => {
            let address = sockets.s.as_ref().expect("made").local_addr().expect("bound");
            sockets.c.as_ref().expect("made").connect(&address).expect("connect");
        }
        ("accept", _) => sockets.conn = Some(sockets.s.as_ref().expect("made").accept().expect("accept").0),
        ("send", _) => drop(sockets.c.as_ref().expect("made").send(b"hello").expect("send")),
        ("recv", _) => drop(sockets.conn.as_mut().expect("made").read(&mut [0; 100]).expect("recv")),
        ("shutdown", _) => {
            sockets.c.as_ref().expect("made").shutdown(std::net::Shutdown::Write).expect("shutdown")
        }
        (_, Host::Client) => sockets.c = None,
        (_, Host::Server) => sockets.conn = None,
    }
}

/// The lifecycle on this thread, nothing between the calls.
fn bare() -> Duration {
    let mut sockets = Sockets::default();
    let begun = Instant::now();
    for (name, host) in CALLS {
        bare_call(name, host, &mut sockets);
    }
    begun.elapsed()
}

/// The lifecycle on two threads that hand over at each call: the time of each call. `between` runs after
/// each.
fn handing_over(client: &Bare, server: &Bare, between: impl Fn()) -> Vec<Duration> {
    let sockets = Arc::new(std::sync::Mutex::new(Sockets::default()));
    let thread_of = |host| if host == Host::Client { client } else { server };
    let call = |(name, host): (&'static str, Host)| {
        let sockets = Arc::clone(&sockets);
        let time =
            thread_of(host).call(move || bare_call(name, host, &mut sockets.lock().expect("nobody panics")));
        between();
        time
    };
    CALLS.into_iter().map(call).collect()
}

fn calls() {
    let stage = Stage::loopback().expect("a stage");
    let (client, server) = (Bare::new(), Bare::new());
    // The bare threads are woken after the same pauses: another stage is looked at while ours would be.
    let other = Stage::loopback().expect("a second stage");
    for (host, name) in [(Host::Server, "s"), (Host::Server, "conn"), (Host::Client, "c")] {
        on_stage(&other, host, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), None, Some(name));
    }
    let pause = || drop(std::hint::black_box(other.observe()));
    let (mut narrated, mut bare): (Vec<Vec<Duration>>, Vec<Vec<Duration>>) =
        (vec![Vec::new(); CALLS.len()], vec![Vec::new(); CALLS.len()]);
    for _ in 0..ROUNDS {
        ours(&stage, true).0.into_iter().zip(&mut narrated).for_each(|(time, all)| all.push(time));
        handing_over(&client, &server, pause)
            .into_iter()
            .zip(&mut bare)
            .for_each(|(time, all)| all.push(time));
    }
    println!(
        "each call as timed by us, both ends read after each, against the same call bare in a thread woken in the same\n\
         way, after the same pauses (median of {ROUNDS}):"
    );
    for (index, (name, host)) in CALLS.into_iter().enumerate() {
        let (a, b) = (median(&mut narrated[index]), median(&mut bare[index]));
        println!("  {:6} {name:9} {a:9.1?} / {b:9.1?} = {:.2}", host.name(), ratio(a, b));
    }
}

fn lifecycles() {
    let stage = Stage::loopback().expect("a stage");
    let (client, server) = (Bare::new(), Bare::new());
    let (mut looked, mut handed, mut single) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        looked.push(ours(&stage, true).1);
        let begun = Instant::now();
        handing_over(&client, &server, || ());
        handed.push(begun.elapsed());
        single.push(bare());
    }
    let (looked, handed, single) = (median(&mut looked), median(&mut handed), median(&mut single));
    println!("a whole lifecycle of {} calls (median of {ROUNDS}):", CALLS.len());
    println!("  both ends read after every call       {looked:9.1?}");
    println!(
        "  bare, two threads that hand over      {handed:9.1?}   ours is {:.2} ×",
        ratio(looked, handed)
    );
    println!(
        "  bare, one thread                      {single:9.1?}   ours is {:.2} ×",
        ratio(looked, single)
    );
    match straced() {
        Some(time) => println!(
            "  bare, one thread, under strace        {time:9.1?}   that is {:.1} × the bare one",
            ratio(time, single)
        ),
        None => println!("  under strace: left out, strace is not installed"),
    }
    let _ = std::io::stdout().flush();
}

/// The bare lifecycle under strace: 50 of them, less what 0 of them take.
fn straced() -> Option<Duration> {
    let this = env::current_exe().ok()?;
    let begun = Instant::now();
    let output =
        Command::new("strace").args(["-f", "-o", "/dev/null"]).arg(&this).arg("lifecycle").output().ok()?;
    let whole = begun.elapsed();
    let begun = Instant::now();
    let start = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output().ok()?;
    (output.status.success() && start.status.success()).then(|| whole.saturating_sub(begun.elapsed()) / 50)
}
