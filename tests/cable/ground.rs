//! The ground under the stages: many in one process, and nothing left behind.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use sockwalk::{
    call::{Close, Protocol, Request},
    event::Host,
    stage::{CableOptions, FrameSelector, Reason, Stage, Timers, cable_probe, enter},
};

use super::{
    harness::{Case, again, is_root},
    world::*,
};

pub const CASES: &[Case] = &[
    ("ground::the_probe_changes_nothing", probe),
    ("ground::a_process_with_threads_is_told_so_and_keeps_its_loopback", threads),
    ("ground::twenty_stages_one_after_the_other", twenty),
    ("ground::a_stage_that_ends_takes_interfaces_and_namespaces_along", ends),
    ("ground::nothing_is_left_of_a_killed_process", killed),
    ("ground::a_second_process_enters_a_hosts_network", entered),
];

fn probe() {
    let own = || fs::read_link("/proc/self/ns/net").unwrap();
    let (before, began) = (own(), Instant::now());
    let possible =
        cable_probe().unwrap_or_else(|why| panic!("THE CABLE CAN'T BE HAD HERE: {why}. {}", why.remedy));
    println!("  {possible:?}, found out in {:.1?}", began.elapsed());
    assert_eq!(own(), before);
    Stage::loopback().unwrap();
    assert_eq!(own(), before);
}

fn threads() {
    let own = || fs::read_link("/proc/self/ns/net").unwrap();
    let before = own();
    let (end, ended) = mpsc::channel::<()>();
    let other = thread::spawn(move || ended.recv().is_err());
    let why = Stage::cable(CableOptions::default()).err().expect("there is another thread");
    assert_eq!(why.reason, Reason::Threads(2));
    drop(end);
    assert!(other.join().unwrap());
    assert_eq!(own(), before);
    Stage::loopback().unwrap();
}

fn twenty() {
    let mut told = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        let stage = stage(CableOptions::default());
        let up = began.elapsed();
        connected(&stage, Protocol::Tcp);
        echo(&stage);
        let began = Instant::now();
        drop(stage);
        told.push(format!("{:.1}+{:.1}", up.as_secs_f64() * 1e3, began.elapsed().as_secs_f64() * 1e3));
    }
    println!("  ms up+down: {}", told.join(" "));
}

/// The network namespaces of all threads that can be seen.
fn namespaces() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        found.extend(of_process(&process.path()));
    }
    found
}

/// Those of the threads of one process.
fn of_process(process: &Path) -> BTreeSet<String> {
    let tasks = fs::read_dir(process.join("task")).into_iter().flatten().flatten();
    let links = tasks.filter_map(|task| fs::read_link(task.path().join("ns/net")).ok());
    links.map(|link| link.display().to_string()).collect()
}

/// The interfaces of this thread's network.
fn interfaces() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// How many descriptors this process has open.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn ends() {
    let before = descriptors();
    let first = stage(CableOptions::default());
    let own = fs::read_link("/proc/self/ns/net").unwrap();
    let of_this_process = || -> BTreeSet<_> {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        tasks.filter_map(|task| fs::read_link(task.path().join("ns/net")).ok()).collect()
    };
    assert_eq!(of_this_process().len(), 3);
    assert_eq!(interfaces().len(), 3);
    drop(first);
    assert_eq!(interfaces(), ["lo".to_owned()].into());
    until("only the ground is left", || of_this_process() == [own.clone()].into());
    // Connections that no program holds keep a namespace; with these timers, for hours.
    let stage = stage(CableOptions { timers: Timers::Stretched, ..CableOptions::default() });
    connected(&stage, Protocol::Tcp);
    wire(&stage).hold();
    send(&stage, Host::Client, "c", b"never read");
    call(&stage, Host::Client, Request::Close(Close), "c", "").unwrap();
    wire(&stage).wait_for_held(&FrameSelector::Oldest(2), LONG).unwrap();
    wire(&stage).cut();
    drop(stage);
    assert_eq!(interfaces(), ["lo".to_owned()].into());
    assert_eq!(descriptors(), before);
}

fn killed() {
    const ROUNDS: u64 = 20;
    if std::env::var_os("VICTIM").is_some() {
        return victim();
    }
    let (before, mut theirs) = ((namespaces(), interfaces()), BTreeSet::new());
    for round in 0..ROUNDS {
        let mut child = again("ground::nothing_is_left_of_a_killed_process")
            .env("VICTIM", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Spread over its life: so many stages, and then so many microseconds.
        for _ in 0..=round % 3 {
            lines.next().unwrap().unwrap();
        }
        let until = Instant::now() + Duration::from_micros(round * 700);
        while Instant::now() < until {
            thread::yield_now();
        }
        theirs.extend(of_process(&Path::new("/proc").join(child.id().to_string())));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Other programs may make namespaces meanwhile; those of the victims were seen.
    theirs = &theirs - &before.0;
    assert!(!theirs.is_empty(), "the victims had networks of their own");
    until("no namespace is left", || namespaces().is_disjoint(&theirs));
    assert_eq!(interfaces(), before.1);
}

fn entered() {
    const COMMAND: &str = "cat /proc/self/net/tcp; grep CapEff /proc/self/status";
    // Only that process is ever entered, whoever else may be running here.
    if let Ok(pid) = std::env::var("VISITOR") {
        let command = ["sh", "-c", COMMAND].map(Into::into);
        panic!("{}", enter(Host::Server, pid.parse().ok(), &command).unwrap_err());
    }
    let own = std::process::id().to_string();
    let visit = || {
        let mut visitor = again("ground::a_second_process_enters_a_hosts_network");
        // The stage has moved its process, and whom it starts, to its own ground: a second terminal is
        // outside.
        visitor.env("VISITOR", &own).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        visitor
    };
    let nobody = visit().output().unwrap();
    assert!(
        String::from_utf8_lossy(&nobody.stderr).contains("no sockwalk with a host `server`"),
        "{nobody:?}"
    );
    // Started before there is a stage, so that it stays outside; it goes on when it can read a line.
    let outside = std::process::Command::new("sh")
        .args(["-c", "read line; exec \"$0\"", std::env::current_exe().unwrap().to_str().unwrap()])
        .env("SOCKWALK_CABLE_CASE", "ground::a_second_process_enters_a_hosts_network")
        .env("VISITOR", &own)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stage = stage(CableOptions::default());
    listening(&stage, Protocol::Tcp);
    let mut outside = outside;
    outside.stdin.take().unwrap().write_all(b"on\n").unwrap();
    let outside = outside.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&outside.stdout);
    // 10.0.0.2:7000 as /proc/net/tcp writes it, in the state LISTEN.
    assert!(said.contains("0200000A:1B58 00000000:0000 0A"), "{said}{outside:?}");
    // Whom an ordinary user starts inside has no rights there, and may not look at who has.
    if is_root() {
        let inside = visit().output().unwrap();
        assert!(String::from_utf8_lossy(&inside.stdout).contains("0200000A:1B58"), "{inside:?}");
    }
}

/// Makes stage after stage, with traffic, until it is killed.
fn victim() {
    loop {
        let stage = stage(CableOptions::default());
        connected(&stage, Protocol::Tcp);
        echo(&stage);
        println!("alive");
        std::io::stdout().flush().unwrap();
    }
}
