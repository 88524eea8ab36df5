//! A lifecycle with its states, its calls and its frames: told by us, and by four programs of others.

use std::{
    collections::BTreeSet,
    env, fs,
    io::BufReader,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use sockwalk::{
    event::{Reader, What},
    stage::{Capability, cable_probe},
};

use super::{median, range, ratio};

const ROUNDS: usize = 21;

/// What `sockwalk` is to stay under, in milliseconds.
const GOAL: f64 = 150.0;

/// The states of a lifecycle: as the trace names them, and as ss does.
const STATES: [(&str, &str); 9] = [
    ("LISTEN", "LISTEN"),
    ("SYN_SENT", "SYN-SENT"),
    ("SYN_RECV", "SYN-RECV"),
    ("ESTABLISHED", "ESTAB"),
    ("FIN_WAIT1", "FIN-WAIT-1"),
    ("FIN_WAIT2", "FIN-WAIT-2"),
    ("CLOSE_WAIT", "CLOSE-WAIT"),
    ("LAST_ACK", "LAST-ACK"),
    ("TIME_WAIT", "TIME-WAIT"),
];

/// What a round took, in milliseconds, and what was seen in it.
struct Round {
    took: f64,
    states: BTreeSet<&'static str>,
    frames: usize,
    calls: usize,
}

/// Who tells the lifecycle.
struct Teller {
    name: &'static str,
    tell: Box<dyn Fn(&Path) -> Round>,
}

pub fn run() {
    let folder = env::temp_dir().join(format!("sockwalk-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("there is room for a folder");
    let mut tellers = vec![Teller { name: "sockwalk run --trace", tell: Box::new(sockwalk) }];
    match Pipeline::found() {
        Ok(pipeline) => {
            for (name, way) in [("ss once", "once"), ("ss in a loop", "polled")] {
                let pipeline = pipeline.clone();
                tellers.push(Teller { name, tell: Box::new(move |folder| pipeline.tell(folder, way)) });
            }
        }
        Err(missing) => println!("the pipeline is LEFT OUT: {missing}"),
    }
    let mut rounds: Vec<Vec<Round>> = tellers.iter().map(|_| Vec::new()).collect();
    for round in 0..=ROUNDS {
        for (teller, rounds) in tellers.iter().zip(&mut rounds) {
            let told = (teller.tell)(&folder);
            // The first one warms up.
            if round > 0 {
                rounds.push(told);
            }
        }
    }
    let _ = fs::remove_dir_all(folder);
    print(&tellers, &rounds);
}

fn print(tellers: &[Teller], rounds: &[Vec<Round>]) {
    println!(
        "a lifecycle with its states, frames and calls, from start to exit (median of {ROUNDS}, and from the least to the most)\n\
         beside tcpdump, strace and ss around Python:\n  {:22}{:>24}{:>22}{:>12}{:>10}{:>10}",
        "", "time in ms", "times sockwalk's", "states of 9", "frames", "calls"
    );
    let times = |of: usize| rounds[of].iter().map(|round| round.took).collect::<Vec<f64>>();
    for (at, teller) in tellers.iter().enumerate() {
        let spread = |figure: fn(&Round) -> usize| {
            let all = || rounds[at].iter().map(figure);
            let (least, most) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
            if least == most { least.to_string() } else { format!("{least}–{most}") }
        };
        let (least, most) = range(&times(at));
        println!(
            "  {:22}{:>24}{:>22}{:>12}{:>10}{:>10}",
            teller.name,
            format!("{:.0} ({least:.0}–{most:.0})", median(times(at))),
            if at == 0 { String::new() } else { ratio(&times(at), &times(0)) },
            spread(|round| round.states.len()),
            spread(|round| round.frames),
            spread(|round| round.calls)
        );
    }
    for (teller, rounds) in tellers.iter().zip(rounds) {
        let always = |state: &&(&str, &str)| rounds.iter().all(|round| round.states.contains(state.0));
        let states: Vec<&str> = STATES.iter().filter(always).map(|(state, _)| *state).collect();
        println!("  {} saw each time: {}", teller.name, states.join(" "));
    }
    let (took, all) = (median(times(0)), rounds[0].iter().all(|round| round.states.len() == STATES.len()));
    println!(
        "  the goal, all nine states in {GOAL:.0} ms: {}",
        if all && took < GOAL { "met" } else { "NOT MET" }
    );
}

/// A file of this bench.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/cable").join(name)
}

/// Runs it to its end; how long that took, in milliseconds.
fn timed(command: &mut Command) -> f64 {
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let took = begun.elapsed().as_secs_f64() * 1e3;
    assert!(output.status.success(), "{command:?}: {output:?}");
    took
}

fn sockwalk(folder: &Path) -> Round {
    let trace = folder.join("trace.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockwalk"));
    command.arg("run").arg(file("lifecycle.md")).args(["--pace", "auto", "--trace"]).arg(&trace);
    let mut round = Round { took: timed(&mut command), states: BTreeSet::new(), frames: 0, calls: 0 };
    for event in Reader::new(BufReader::new(fs::File::open(trace).expect("the trace was written"))) {
        match event.expect("the trace can be read").what {
            What::Socket(socket) => {
                round.states.extend(
                    STATES
                        .iter()
                        .map(|(state, _)| *state)
                        .find(|state| socket.state.as_deref() == Some(state)),
                );
            }
            What::Frame(_) => round.frames += 1,
            What::Call(_) => round.calls += 1,
            _ => {}
        }
    }
    round
}

/// The programs of others, once they are found.
#[derive(Clone)]
struct Pipeline {
    python: String,
    /// How unshare(1) gives a network of one's own. Who is not root stays who they are: tcpdump wants to
    /// become somebody else if it is run by root, and in a user namespace it can't.
    alone: &'static [&'static str],
}

impl Pipeline {
    /// Or what is missing.
    fn found() -> Result<Pipeline, String> {
        for tool in ["unshare", "ip", "ss", "tcpdump", "strace"] {
            let found = Command::new("sh")
                .args(["-c", "command -v \"$0\"", tool])
                .output()
                .expect("there is a POSIX shell");
            if !found.status.success() {
                return Err(format!("{tool} is not installed"));
            }
        }
        // Itself, and not a script that looks for it first: that would be an unfair time.
        let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        let python = python.ok().filter(|output| output.status.success()).ok_or("Python is not installed")?;
        let pipeline = Pipeline {
            python: String::from_utf8_lossy(&python.stdout).trim().to_owned(),
            alone: match cable_probe() {
                Ok(Capability::Administrator) => &["--net"],
                _ => &["--user", "--map-current-user", "--keep-caps", "--net"],
            },
        };
        let lo = pipeline.alone().args(["ip", "link", "set", "lo", "up"]).output();
        if lo.is_ok_and(|output| output.status.success()) {
            Ok(pipeline)
        } else {
            Err("unshare gives no network of one's own here".to_owned())
        }
    }

    /// Runs what follows in a network of its own.
    fn alone(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args(self.alone);
        command
    }

    fn tell(&self, folder: &Path, way: &str) -> Round {
        let mut command = self.alone();
        command
            .arg("sh")
            .arg(file("pipeline.sh"))
            .arg(folder)
            .arg(&self.python)
            .arg(file("lifecycle.py"))
            .arg(way);
        let took = timed(&mut command);
        let read = |name: &str| fs::read(folder.join(name)).expect("it was written");
        let text = |name: &str| String::from_utf8_lossy(&read(name)).into_owned();
        let (shown, calls) = (text("states"), text("calls"));
        let named = |word: &str| STATES.iter().find(|(_, ss)| *ss == word).map(|(state, _)| *state);
        Round {
            took,
            states: shown.lines().filter_map(|line| named(line.split_whitespace().next()?)).collect(),
            frames: frames(&read("pcap")),
            // Beside the calls there are signals, ends, and the second halves of calls that were cut in two.
            calls: calls.lines().filter(|line| line.contains('(') && !line.contains(" resumed>")).count(),
        }
    }
}

/// How many frames are in a file of tcpdump's, in this machine's byte order: behind 24 bytes, each has a
/// header of 16, the third word of which is its length.
fn frames(pcap: &[u8]) -> usize {
    let (mut rest, mut count) = (pcap.get(24..).unwrap_or_default(), 0);
    while let Some(length) = rest.get(8..12).and_then(|four| four.try_into().ok()).map(u32::from_ne_bytes) {
        let Some(next) = usize::try_from(length).ok().and_then(|length| rest.get(16 + length..)) else {
            break;
        };
        (rest, count) = (next, count + 1);
    }
    count
}
