//! Bytes and round trips between two hosts: over the cable, and over a veth pair alone. The sockets are the
//! same.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use sockwalk::{
    call::{NewSocket, Protocol, Request, Site},
    event::Host,
    stage::{CableOptions, CallHandle, Job, Stage, prepare_cable},
};

use super::{median, ratio, veth};

const ROUNDS: usize = 7;

/// How long bytes are sent in a round.
const BUSY: Duration = Duration::from_secs(1);

/// Bytes that one call sends or takes.
const CHUNK: usize = 256 << 10;

/// Round trips that count in a round, and those before them. Over the cable a third thread has its turn twice
/// in each: where the scheduler has put it on a core that sleeps, a trip takes several times as long, and
/// which it is may differ by the round.
const TRIPS: usize = 4000;
const WARMING: usize = 200;

const PORT: u16 = 7000;

/// Whoever does not answer in this time has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the log of the cable is taken where all is recorded, so that it never is full.
const TAKE: Duration = Duration::from_millis(5);

/// What is between the hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Recorded,
    Unrecorded,
    Plain,
    Offloading,
}

/// Each with its name; the first so many are ours.
const LINKS: [(Link, &str); 4] = [
    (Link::Recorded, "cable, recorded"),
    (Link::Unrecorded, "cable"),
    (Link::Plain, "veth, offloads off"),
    (Link::Offloading, "veth as it is"),
];
const OURS: usize = 2;

/// Mebibytes a second, and microseconds: the median, and what one of a hundred exceeds.
type Figures = [f64; 3];

const TITLES: [&str; 3] = [
    "one TCP stream, in MiB/s; more is better",
    "one byte there and back, in µs, median; less is better",
    "one byte there and back, in µs, 99 %; less is better",
];

pub fn run() {
    let one = |(_, name): (Link, &str)| -> Figures {
        let this = env::current_exe().expect("this is a program");
        let output =
            Command::new(this).args(["between", name]).stdin(Stdio::null()).output().expect("it starts");
        assert!(output.status.success(), "{name}: {output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        figures.try_into().expect("three figures")
    };
    let rounds: Vec<Vec<Figures>> = (0..ROUNDS).map(|_| LINKS.into_iter().map(one).collect()).collect();
    println!("\nbetween two hosts with a network each (median of {ROUNDS} rounds):");
    for (at, title) in TITLES.into_iter().enumerate() {
        let of = |link: usize| rounds.iter().map(|round| round[link][at]).collect::<Vec<f64>>();
        println!("\n{title}");
        print!("  {:28}", "");
        (OURS..LINKS.len()).for_each(|peer| print!("{:>26}", LINKS[peer].1));
        print!("\n  {:28}", "");
        (OURS..LINKS.len()).for_each(|peer| print!("{:>26}", format!("{:.1}", median(of(peer)))));
        println!();
        for (ours, (_, name)) in LINKS.iter().enumerate().take(OURS) {
            print!("  {name:18}{:>10}", format!("{:.1}", median(of(ours))));
            (OURS..LINKS.len()).for_each(|peer| print!("{:>26}", ratio(&of(ours), &of(peer))));
            println!();
        }
    }
}

/// One round on the link of that name; prints its figures.
pub fn between(name: &str) {
    let (link, _) = LINKS.into_iter().find(|(_, known)| *known == name).expect("one of the links");
    let (listening, listens) = mpsc::channel();
    let (found, figures) = mpsc::channel();
    let server = move || serve(&listening);
    let client = move || {
        listens.recv_timeout(PATIENCE).expect("the server listens");
        found.send(measure()).expect("somebody waits for it");
    };
    match link {
        Link::Recorded | Link::Unrecorded => on_a_stage(link == Link::Recorded, server, client),
        Link::Plain | Link::Offloading => {
            prepare_cable().expect("the cable can be had, as was seen");
            veth::joined(link == Link::Offloading, server, client);
        }
    }
    let [rate, median, most] = figures.recv().expect("the client has measured");
    println!("{rate} {median} {most}");
}

fn on_a_stage(
    recorded: bool,
    server: impl FnOnce() + Send + 'static,
    client: impl FnOnce() + Send + 'static,
) {
    let stage = Stage::cable(CableOptions::default()).expect("the cable can be had, as was seen");
    assert_eq!(stage.address(Host::Server, false), veth::SERVER);
    let cable = stage.link().expect("a cable stage has one");
    cable.set_recording(recorded);
    let start = |host, act: Box<dyn FnOnce() + Send>| -> CallHandle {
        let job: Job = Box::new(move |desk| {
            act();
            // A job ends with a call.
            let new = Request::NewSocket(NewSocket { protocol: Protocol::Tcp });
            new.perform(&Site { table: desk, on: None, result: Some("last") })
        });
        stage.start(host, job)
    };
    let tickets = [start(Host::Server, Box::new(server)), start(Host::Client, Box::new(client))];
    for ticket in tickets {
        let begun = Instant::now();
        while ticket.wait(TAKE).expect("the host is there").is_none() {
            drop(cable.take_events());
            assert!(begun.elapsed() < 2 * PATIENCE, "the bytes do not cross");
        }
    }
}

/// The server of both questions: sends each byte back, and then counts those of a stream.
fn serve(listening: &mpsc::Sender<()>) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("the host is its own");
    listening.send(()).expect("the client waits for it");
    let accept = || {
        let (stream, _) = listener.accept().expect("the client calls");
        patient(stream)
    };
    let mut stream = accept();
    let mut byte = [0];
    while stream.read(&mut byte).expect("the client sends") > 0 {
        stream.write_all(&byte).expect("the client takes it");
    }
    let mut stream = accept();
    let (mut room, mut all) = (vec![0; CHUNK], 0_u64);
    loop {
        match stream.read(&mut room).expect("the client sends") {
            0 => break,
            count => all += count as u64,
        }
    }
    stream.write_all(&all.to_be_bytes()).expect("the client takes it");
}

fn measure() -> Figures {
    let connect = || patient(TcpStream::connect((veth::SERVER, PORT)).expect("the server listens"));
    let mut stream = connect();
    let mut trip = |_| {
        let begun = Instant::now();
        stream.write_all(b"x").expect("the server takes it");
        stream.read_exact(&mut [0]).expect("the server sends it back");
        begun.elapsed().as_secs_f64() * 1e6
    };
    let mut trips: Vec<f64> = (0..WARMING + TRIPS).map(&mut trip).skip(WARMING).collect();
    drop(stream);
    trips.sort_unstable_by(f64::total_cmp);
    let mut stream = connect();
    let bytes = vec![7; CHUNK];
    let (begun, mut sent) = (Instant::now(), 0_u64);
    while begun.elapsed() < BUSY {
        stream.write_all(&bytes).expect("the server takes it");
        sent += CHUNK as u64;
    }
    stream.shutdown(std::net::Shutdown::Write).expect("it is connected");
    let mut counted = [0; 8];
    stream.read_exact(&mut counted).expect("the server has counted");
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(u64::from_be_bytes(counted), sent, "bytes were lost");
    [sent as f64 / f64::from(1 << 20) / took, trips[TRIPS / 2], trips[TRIPS * 99 / 100]]
}

fn patient(stream: TcpStream) -> TcpStream {
    stream
        .set_nodelay(true)
        .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .expect("it is connected");
    stream
}
