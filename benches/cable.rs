//! The price of being the cable: a whole lifecycle told with its packets, and what the cable costs whoever
//! sends over it.
//!
//! `cargo bench --bench cable`, on Linux, where the cable can be had. Two questions. What does `sockwalk
//! run`, with its trace, take and see of a connection from LISTEN to TIME_WAIT, beside what people put
//! together for that: tcpdump, strace and ss around a Python program? And how many bytes a second cross the
//! cable, and how soon one comes back, beside a plain veth pair between the same two kinds of hosts? Rounds
//! alternate, so that a machine that drifts drifts for all; ratios are of one round, their median is shown,
//! and how far they lie apart. The times of the lifecycle are from start to exit, with all that is set up and
//! taken down.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[cfg(target_os = "linux")]
#[path = "cable/lifecycle.rs"]
mod lifecycle;
#[cfg(target_os = "linux")]
#[path = "cable/traffic.rs"]
mod traffic;
#[cfg(target_os = "linux")]
#[path = "cable/veth.rs"]
mod veth;

// The modules of the stage that a plain veth pair is made with say `crate::kernel`.
#[cfg(target_os = "linux")]
use sockwalk::kernel;

#[cfg(target_os = "linux")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    // `cable between LINK`: one round on that link. A process has one stage's ground for its life.
    if arguments.next().as_deref() == Some("between") {
        return traffic::between(&arguments.next().expect("the name of a link"));
    }
    if let Err(why) = sockwalk::stage::cable_probe() {
        println!("the cable is LEFT OUT, as it can't be had here: {why}. {}", why.remedy);
        return;
    }
    lifecycle::run();
    traffic::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("only Linux has the cable");
}

#[cfg(target_os = "linux")]
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Least and most.
#[cfg(target_os = "linux")]
fn range(figures: &[f64]) -> (f64, f64) {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    (least, figures.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The ratios of the rounds: their median, and how far they lie apart.
#[cfg(target_os = "linux")]
fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    let (least, most) = range(&ratios);
    format!("{:.2} × ({least:.2}–{most:.2})", median(ratios))
}
