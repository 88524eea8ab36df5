//! A person at a terminal: keys, Ctrl-C, and a terminal that goes away.

use std::{
    fs,
    io::{Read, Write},
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use rexpect::process::PtyProcess;

use crate::{support::Folder, support::live::Process};

use crate::{surroundings::harness::*, surroundings::signals::Endless};

/// Runs $@ and notes how the terminal was before and after.
const AT_TERMINAL: &str = r#"
    trap : INT TERM HUP QUIT
    stty rows 40 cols 100
    stty -g >"$FOLDER/before"
    sh -c 'echo $$ >"$FOLDER/pid"; echo ready; exec "$0" "$@"' "$0" "$@"
    echo $? >"$FOLDER/code"
    stty -g >"$FOLDER/after"
"#;

/// A person at a pseudo terminal, where nothing else runs but this.
struct Terminal {
    shell: PtyProcess,
    keys: fs::File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    folder: Folder,
}

impl Terminal {
    /// Starts it, with its trace in a file. From now on whatever is pressed is meant for it.
    fn start(arguments: &[&str]) -> Terminal {
        let folder = Folder::new();
        let mut command = outside("sh", &folder);
        command.args(["-c", AT_TERMINAL, SOCKWALK]).args(arguments).args(["--trace", &folder.path("trace")]);
        command.env("TERM", "xterm");
        let mut shell = PtyProcess::new(command).expect("a terminal can be had");
        shell.set_kill_timeout(Some(1));
        let keys = shell.get_file_handle().unwrap();
        let mut from = shell.get_file_handle().unwrap();
        let (tell, screen) = channel();
        thread::spawn(move || {
            let mut room = [0; 4096];
            // On Linux the other side of a terminal that nobody has open any more reads as EIO.
            while let Ok(read @ 1..) = from.read(&mut room) {
                if tell.send(room[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Terminal { shell, keys, screen, shown: String::new(), folder };
        terminal.until("ready\r\n");
        terminal
    }

    fn press(&mut self, key: &str) {
        // Nobody may be there any more.
        let _ = self.keys.write_all(key.as_bytes());
    }

    /// Looks at the screen for so long and presses Enter when that is asked for, so many times. True if it
    /// has gone dark.
    fn step_for(&mut self, time: Duration, mut times: u64) -> bool {
        let until = Instant::now() + time;
        let mut read = self.shown.len();
        loop {
            match self.screen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
            if times > 0 && self.shown[read..].contains("leave") {
                read = self.shown.len();
                times -= 1;
                self.press("\r");
            }
        }
    }

    /// Waits until this is shown.
    fn until(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shown.contains(words) {
            match self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(error) => panic!("no {words:?}, {error}: {}", self.shown),
            }
        }
    }

    fn note(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path(name)).unwrap_or_default().trim().to_owned()
    }

    fn signal(&self, name: &str) -> bool {
        signal(name, &self.note("pid"))
    }

    /// Waits for the end of all that had the terminal; it has to be as it was. Gives exit code and trace.
    fn over(&mut self, what: &str) -> (String, String) {
        let told = Instant::now();
        let dark = self.step_until_dark();
        let took = told.elapsed();
        let what = format!("{what}, ended after {took:?}");
        assert!(dark && took < PROMPT, "{what}: {}", self.shown);
        assert_eq!(self.note("before"), self.note("after"), "{what}: the terminal is not as it was");
        assert!(!self.signal("0"), "{what}: it is still there");
        assert!(!self.shown.contains("\x1b[?"), "{what}: a mode of the terminal is changed");
        let _ = self.shell.wait();
        let trace = fs::read_to_string(self.folder.path("trace")).unwrap_or_default();
        (self.note("code"), trace)
    }

    fn step_until_dark(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.screen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.shown += &String::from_utf8_lossy(&piece),
                Err(error) => return error == RecvTimeoutError::Disconnected,
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            self.signal("KILL");
        }
    }
}

#[test]
fn ctrl_c_at_any_moment_leaves_the_terminal_as_it_was() {
    let endless = Endless::new();
    let mut moments = Moments(SEED);
    for moment in 0..50_usize {
        // Lessons and live commands take turns.
        let lesson = moment % 2 == 0;
        let command: Vec<&str> = match lesson {
            true => vec![crate::support::NINE[moment / 2 % 9]],
            false => {
                endless.commands[moment / 2 % endless.commands.len()].iter().map(String::as_str).collect()
            }
        };
        let mut terminal = Terminal::start(&command);
        let (delay, steps) = match lesson {
            true => (moments.millis(800), moments.next(12)),
            false => (moments.millis(400), 0),
        };
        let what =
            format!("seed {SEED:#x}, moment {moment}: {command:?}, Ctrl-C after {delay:?}, {steps} steps");
        assert!(!terminal.step_for(delay, steps), "{what}: it was over before: {}", terminal.shown);
        terminal.press("\x03");
        let (code, trace) = terminal.over(&what);
        let events = events(&trace);
        match code.as_str() {
            "0" if !lesson => assert!(is_complete(&events), "{what}: the trace has no end"),
            "130" if lesson || events.is_empty() => {}
            code => panic!("{what}: exit {code}\n{}", terminal.shown),
        }
    }
}

#[test]
fn a_signal_at_a_prompt_leaves_the_terminal_as_it_was() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let mut terminal = Terminal::start(&["listen"]);
        terminal.until("leave");
        // The prompt stands there; a moment later a key is waited for.
        pass(Duration::from_millis(100));
        terminal.signal(signal);
        let (code, trace) = terminal.over(signal);
        assert_ne!(code, "0", "{signal}");
        events(&trace);
    }
}

#[test]
fn a_second_ctrl_c_ends_a_live_command_at_once() {
    let mut terminal = Terminal::start(&["accept", "0"]);
    terminal.until("Limits");
    // Somebody who does not read is waited for at the end.
    let port = terminal.shown.lines().find_map(port_shown).unwrap();
    let mut stuck = connect(port);
    stuck.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while stuck.write(&[b'x'; 65536]).is_ok() {}
    terminal.press("\x03");
    pass(Duration::from_millis(100));
    terminal.press("\x03");
    let (code, trace) = terminal.over("twice");
    assert!(["0", "130"].contains(&code.as_str()), "{code}");
    events(&trace);
}

#[test]
fn enter_ends_what_is_held_at_a_terminal() {
    let peer = silent_peer();
    for arguments in [&["socket", "tcp"][..], &["bind", "0"], &["listen", "0"], &["connect", &peer]] {
        let mut terminal = Terminal::start(arguments);
        terminal.until("Enter");
        terminal.press("\r");
        let (code, trace) = terminal.over(&format!("{arguments:?}"));
        assert!(code == "0" && is_complete(&events(&trace)), "{arguments:?}: {code}\n{}", terminal.shown);
    }
}

#[test]
#[ignore = "needs script (bsdutils)"]
fn a_terminal_that_goes_away_ends_what_ran_there() {
    for (arguments, ready) in [
        ("accept 0", "Limits"),
        ("accept 0 --quiet", "Limits"),
        ("websocket 0", "Limits"),
        ("listen 0", "Recv-Q"),
        ("recv 0", "nc 127.0.0.1"),
        ("socket tcp", "lsof"),
        ("listen", "leave"),
    ] {
        let home = Folder::new();
        let fifo = home.path("trace");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // Its end is seen by that of its trace.
        let mut trace = Process::start("cat", Command::new("cat").arg(&fifo));
        let noted = Noted(home.path("pid"));
        let command = format!("echo $$ >{}; exec {SOCKWALK} {arguments} --trace {fifo}", noted.0);
        let mut script = outside("script", &home);
        script.args(["-q", "-c", &command, "/dev/null"]).env("TERM", "xterm");
        let mut terminal = Process::start(&command, &mut script);
        if ready == "leave" {
            // A prompt is no whole line; the first step has been told when it stands there.
            trace.out("the first part", |line| line.contains(r#""event":"part""#).then_some(()));
        } else {
            terminal.out(ready, |line| line.contains(ready).then_some(()));
        }
        terminal.signal("KILL");
        let gone = Instant::now();
        let ended = trace.end();
        assert!(gone.elapsed() < PROMPT, "{arguments}: {:?}", gone.elapsed());
        assert!(!events(&ended.out).is_empty(), "{arguments}");
    }
}

#[test]
#[ignore = "needs script (bsdutils)"]
fn a_server_that_outlives_its_terminal_ends_when_it_has_something_to_tell() {
    let home = Folder::new();
    let fifo = home.path("trace");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut trace = Process::start("cat", Command::new("cat").arg(&fifo));
    let noted = Noted(home.path("pid"));
    let command = format!(r#"trap "" HUP; echo $$ >{}; exec {SOCKWALK} accept 0 --trace {fifo}"#, noted.0);
    let mut script = outside("script", &home);
    let mut terminal = Process::start(&command, script.args(["-q", "-c", &command, "/dev/null"]));
    let port = trace.out("a listening socket", port_of);
    terminal.out("all of it", |line| line.contains("Limits").then_some(()));
    terminal.signal("KILL");
    terminal.end();
    exchange(connect(port), b"hello");
    let gone = Instant::now();
    assert!(is_complete(&events(&trace.end().out)));
    assert!(gone.elapsed() < PROMPT);
}
