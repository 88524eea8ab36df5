//! The price of teaching in a server that many use at once: `sockwalk websocket` beside other echo servers in
//! the same run.
//!
//! `cargo bench --bench echo`. Two questions: how long one small text takes to come back, one at a time; and
//! how many come back in a second, on few and many connections. Asked of sockwalk in three ways (`--quiet`,
//! with its narration read from a pipe, and with `--trace FILE` besides), of tungstenite alone, of Node's ws
//! and of Python's websockets. A message counts when it has come back and everything about it has been told.
//! All servers run from the beginning to the end; in each round every question is put to each in turn, so
//! that a machine that drifts drifts for all. Ratios are of one round; their median is shown, and how far
//! they lie apart.
//!
//! The pins of ws and websockets are in `tests/peers/`; they are looked for in `target/peers`, or in
//! `$SOCKWALK_PEERS`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "echo/load.rs"]
mod load;
#[path = "echo/server.rs"]
mod server;

use std::{
    env, fs,
    time::{Duration, Instant},
};

use load::Clients;
use server::Server;

/// Rounds that count; the one before them warms up.
const ROUNDS: usize = 7;

/// How long each server is kept busy for each figure of a round.
const BUSY: Duration = Duration::from_millis(100);

/// Texts that are sent one at a time on a connection, and connections on which that is done in a round. A
/// thread that the scheduler has put on an idle core is woken several times as late as one that shares the
/// client's, whichever server it is of: of the connections that which is quicker than three quarters counts.
const ONE_BY_ONE: usize = 250;
const TURNS: usize = 8;

/// The sizes of texts, in bytes, and the connections that they are sent on.
const SIZES: [usize; 2] = [16, 4096];
const CONNECTIONS: [usize; 3] = [1, 8, 64];

/// The first so many servers are sockwalk.
const OURS: usize = 3;

fn main() {
    if env::args().nth(1).as_deref() == Some("bare") {
        return server::bare();
    }
    let begun = Instant::now();
    let folder = env::temp_dir().join(format!("sockwalk-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("there is room for a folder");
    let servers = servers(&folder.join("trace.jsonl"));
    let names: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
    let rounds: Vec<Vec<Vec<f64>>> = (0..=ROUNDS).map(|_| round(&servers)).skip(1).collect();
    drop(servers);
    let _ = fs::remove_dir_all(folder);
    print(&names, &rounds);
    println!("\n{ROUNDS} rounds, {:.0} s in all", begun.elapsed().as_secs_f64());
}

fn servers(trace: &std::path::Path) -> Vec<Server> {
    let mut servers = vec![
        Server::sockwalk("sockwalk --quiet", &["--quiet"], None),
        Server::sockwalk("sockwalk, to a pipe", &[], None),
        Server::sockwalk("sockwalk --trace FILE", &[], Some(trace.to_owned())),
        Server::bare(),
    ];
    for (name, server) in [("ws", Server::ws()), ("websockets", Server::websockets())] {
        match server {
            Some(server) => servers.push(server),
            None => println!(
                "{name} is LEFT OUT: it is not in {}, or does not start. `tests/run` installs it; SOCKWALK_PEERS may name another folder.",
                server::installed().display()
            ),
        }
    }
    servers
}

/// What is measured, in the order in which [`round`] gives it: times are better small, rates are better big.
fn questions() -> Vec<(String, bool)> {
    let time = |which: &str| (format!("a text of {} bytes there and back, {which}", SIZES[0]), false);
    let rates = SIZES.into_iter().flat_map(|size| CONNECTIONS.map(|connections| (size, connections)));
    let rate = |(size, connections)| {
        let plural = if connections == 1 { "" } else { "s" };
        (
            format!(
                "texts of {size} bytes on {connections} connection{plural}, {} in flight on each",
                load::IN_FLIGHT
            ),
            true,
        )
    };
    [time("median"), time("99 %")].into_iter().chain(rates.map(rate)).collect()
}

/// For each question, the figure of each server: microseconds, or messages a second.
fn round(servers: &[Server]) -> Vec<Vec<f64>> {
    let mut times = vec![[const { Vec::new() }; 2]; servers.len()];
    for _ in 0..TURNS {
        for (server, times) in servers.iter().zip(&mut times) {
            there_and_back(server).into_iter().zip(times).for_each(|(time, all)| all.push(time));
        }
    }
    let of = |which: usize| times.iter().map(|both| quickest_quarter(both[which].clone())).collect();
    let mut figures: Vec<Vec<f64>> = vec![of(0), of(1)];
    for size in SIZES {
        for connections in CONNECTIONS {
            figures.push(servers.iter().map(|server| rate(server, size, connections)).collect());
        }
    }
    figures
}

/// How many microseconds texts take that are sent one at a time: their median, and what one of a hundred
/// exceeds.
fn there_and_back(server: &Server) -> [f64; 2] {
    let mut clients = Clients::connect(server.address, 1);
    let mut times = clients.one_by_one(SIZES[0], ONE_BY_ONE);
    clients.close();
    server.told();
    server.forget();
    times.sort_unstable();
    [times.len() / 2, times.len() * 99 / 100].map(|at| times[at].as_secs_f64() * 1e6)
}

fn quickest_quarter(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 4]
}

/// How many come back, and are told, in a second.
fn rate(server: &Server, size: usize, connections: usize) -> f64 {
    let mut clients = Clients::connect(server.address, connections);
    let done = clients.keep_busy(size, BUSY);
    let told = server.told().max(done.to);
    clients.close();
    server.told();
    server.forget();
    f64::from(done.messages) / (told - done.from).as_secs_f64()
}

fn print(names: &[String], rounds: &[Vec<Vec<f64>>]) {
    for (question, (title, rates)) in questions().into_iter().enumerate() {
        let of = |server: usize| rounds.iter().map(|round| round[question][server]).collect::<Vec<f64>>();
        let shown = |server: usize| {
            let figure = median(of(server));
            if rates { format!("{figure:.0}/s") } else { format!("{figure:.1} µs") }
        };
        println!("\n{title}; {} is better", if rates { "more" } else { "less" });
        print!("{:34}", "");
        (OURS..names.len()).for_each(|peer| print!("{:>22}", names[peer]));
        print!("\n{:34}", "");
        (OURS..names.len()).for_each(|peer| print!("{:>22}", shown(peer)));
        println!();
        for ours in 0..OURS {
            print!("  {:22}{:>10}", names[ours], shown(ours));
            for peer in OURS..names.len() {
                let ratios: Vec<f64> =
                    of(ours).iter().zip(of(peer)).map(|(ours, theirs)| ours / theirs).collect();
                let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
                let most = ratios.iter().copied().fold(0.0, f64::max);
                print!("{:>22}", format!("{:.2} × ({least:.2}–{most:.2})", median(ratios)));
            }
            println!();
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
