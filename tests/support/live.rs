//! Programs that run beside each other: `sockwalk` with its trace, and its peers with what they say.
//!
//! Each is read by threads of its own, so that no full pipe holds it up. Whoever waits, waits for a line or
//! an event, until a deadline; then the panic tells all that the program has said. What still runs at the end
//! of a test is killed.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Folder, sockwalk};

/// How long is waited for anything. Nothing should take as long; it is for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many lines are shown of a program that did not do what it should.
const SHOWN: usize = 60;

/// What comes from a program.
enum News {
    /// A line of standard output, or what stood there without an end of line at the end.
    Out(String),
    /// A line of standard error.
    Err(String),
    Ended(ExitStatus),
}

/// A program that runs.
pub struct Process {
    name: String,
    id: u32,
    stdin: Option<ChildStdin>,
    news: Receiver<News>,
    /// Lines so far, with their ends.
    out: Vec<String>,
    err: Vec<String>,
    /// How many of the lines were given out already.
    taken: [usize; 2],
    ended: Option<ExitStatus>,
}

/// How a program ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Process {
    /// Starts a program; `name` is for the panics.
    pub fn start(name: &str, command: &mut Command) -> Process {
        super::signals::reset_in_children();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (to, news) = channel();
        let id = child.id();
        let stdin = child.stdin.take();
        let out = read(child.stdout.take().expect("it is piped"), to.clone(), News::Out);
        let err = read(child.stderr.take().expect("it is piped"), to.clone(), News::Err);
        thread::spawn(move || {
            let status = child.wait().expect("it is our child");
            // Its end is told last.
            for reader in [out, err] {
                reader.join().expect("the reader does not panic");
            }
            let _ = to.send(News::Ended(status));
        });
        let name = name.to_owned();
        Process { name, id, stdin, news, out: Vec::new(), err: Vec::new(), taken: [0; 2], ended: None }
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        stdin.write_all(bytes.as_ref()).and_then(|()| stdin.flush()).expect("it reads its input");
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line of standard output of which something can be made; those before it are passed over.
    pub fn out<T>(&mut self, what: &str, make: impl Fn(&str) -> Option<T>) -> T {
        self.line(what, 0, make)
    }

    /// Likewise, but none if it does not come in time.
    pub fn try_out<T>(&mut self, make: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(line) = self.out.get(self.taken[0]) {
                self.taken[0] += 1;
                if let Some(made) = make(line.trim_end_matches(['\r', '\n'])) {
                    return Some(made);
                }
            }
            match self.news.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(News::Out(line)) => self.out.push(line),
                Ok(News::Err(line)) => self.err.push(line),
                Ok(News::Ended(status)) => self.ended = Some(status),
                Err(_) => return None,
            }
        }
    }

    /// Likewise of standard error.
    pub fn err<T>(&mut self, what: &str, make: impl Fn(&str) -> Option<T>) -> T {
        self.line(what, 1, make)
    }

    fn line<T>(&mut self, what: &str, stream: usize, make: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = if stream == 0 { &self.out } else { &self.err };
            while let Some(line) = lines.get(self.taken[stream]) {
                self.taken[stream] += 1;
                if let Some(made) = make(line.trim_end_matches(['\r', '\n'])) {
                    return made;
                }
            }
            self.more(what, deadline);
        }
    }

    /// The next line of standard output that is a JSON object with this name in it.
    pub fn says(&mut self, name: &str) -> Value {
        self.out(&format!("a line with {name:?}"), |line| {
            serde_json::from_str::<Value>(line).ok().filter(|value| value.get(name).is_some())
        })
    }

    /// Its number among the processes.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Sends a signal by its name: `INT`.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id)).status();
        assert!(kill.is_ok_and(|status| status.success()), "{} is not there to be signalled", self.name);
    }

    /// Waits for its end.
    pub fn end(&mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        while self.ended.is_none() {
            self.more("its end", deadline);
        }
        let code = self.ended.and_then(|status| status.code());
        Ended { code, out: self.out.concat(), err: self.err.concat() }
    }

    /// Waits for its end, which has to be a good one.
    pub fn succeed(&mut self) -> Ended {
        let ended = self.end();
        assert_eq!(ended.code, Some(0), "{}", self.story());
        ended
    }

    /// Takes one piece of news.
    fn more(&mut self, what: &str, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.news.recv_timeout(left) {
            Ok(News::Out(line)) => self.out.push(line),
            Ok(News::Err(line)) => self.err.push(line),
            Ok(News::Ended(status)) => self.ended = Some(status),
            Err(RecvTimeoutError::Timeout) => {
                panic!("waited {PATIENCE:?} in vain for {what} of {}", self.story())
            }
            Err(RecvTimeoutError::Disconnected) => panic!("there was no {what} of {}", self.story()),
        }
    }

    /// All that is known of it, for a panic.
    pub fn story(&self) -> String {
        let mut story = match self.ended {
            Some(status) => format!("{}, which has ended: {status}", self.name),
            None => format!("{}, which runs", self.name),
        };
        for (stream, lines) in [("output", &self.out), ("errors", &self.err)] {
            let from = lines.len().saturating_sub(SHOWN);
            let _ = write!(story, "\n-- {stream}, from line {}:\n{}", from + 1, lines[from..].concat());
        }
        story
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            if let News::Ended(status) = news {
                self.ended = Some(status);
            }
        }
        if self.ended.is_none() {
            let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {}", self.id)).status();
        }
    }
}

/// Reads to the end, line by line.
fn read(
    from: impl Read + Send + 'static,
    to: Sender<News>,
    kind: fn(String) -> News,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if to.send(kind(String::from_utf8_lossy(&line).into_owned())).is_err() {
                break;
            }
            line.clear();
        }
    })
}

/// `sockwalk` on the open machine, and its trace.
pub struct Live {
    process: Process,
    events: Vec<Value>,
    _home: Folder,
}

impl Live {
    /// Starts it with the trace on standard output. Its standard input is empty.
    pub fn start(arguments: &[&str]) -> Live {
        let mut live = Live::with_input(arguments);
        live.process.end_input();
        live
    }

    /// Starts it with an input that is still to be written.
    pub fn with_input(arguments: &[&str]) -> Live {
        let home = Folder::new();
        let mut all = arguments.to_vec();
        all.extend(["--trace", "-"]);
        let process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(&home, &all));
        Live { process, events: Vec::new(), _home: home }
    }

    /// The port that it listens at.
    pub fn port(&mut self) -> String {
        let listening =
            self.event("a listening socket", |e| e["event"] == "socket" && e["state"] == "LISTEN");
        let local = listening["local"].as_str().expect("a listening socket has an address");
        local.rsplit_once(':').expect("an address ends with a port").1.to_owned()
    }

    /// Writes to its standard input.
    pub fn write(&mut self, text: &str) {
        self.process.write(text);
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.process.end_input();
    }

    /// The first event, of all from the start, that is as wanted; waited for if it has not come yet.
    pub fn event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut looked = 0;
        loop {
            if let Some(found) = self.events[looked..].iter().find(|event| wanted(event)) {
                return found.clone();
            }
            looked = self.events.len();
            let event = self.process.out(what, |line| Some(parse(line)));
            self.events.push(event);
        }
    }

    /// The event `peer` of a connection and a phase: `c1`, `gone`.
    pub fn peer(&mut self, name: &str, phase: &str) -> Value {
        self.event(&format!("peer {name} {phase}"), |e| {
            e["event"] == "peer" && e["name"] == name && e["phase"] == phase
        })
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal by its name: `TERM`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits for its end; gives the exit code, what it said on standard error, and all its events.
    pub fn end(&mut self) -> (Option<i32>, String, Vec<Value>) {
        let ended = self.process.end();
        let events = ended.out.lines().map(parse).collect();
        (ended.code, ended.err, events)
    }

    /// Ctrl-C, and then a good end; all events.
    pub fn stop(&mut self) -> Vec<Value> {
        self.interrupt();
        self.succeed()
    }

    /// Waits for an end that has to be a good one; all events.
    pub fn succeed(&mut self) -> Vec<Value> {
        let (code, _, events) = self.end();
        assert_eq!(code, Some(0), "{}", self.story());
        events
    }

    /// All that is known of it, for a panic.
    pub fn story(&self) -> String {
        self.process.story()
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no event: {error}"))
}
