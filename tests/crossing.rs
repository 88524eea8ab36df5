//! Lessons on the cable, run by the binary: what crosses, who caused it, one frame at a time, and nothing
//! left behind.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rexpect::session::{PtySession, spawn_command};
use serde_json::Value;

use crate::support::{Folder, run, sockwalk, stderr, stdout};

/// A handshake, a message and the four segments of a close.
const TALK: &str = "---\nlesson: talk\ntitle: a talk\n---\n## One\n```sock\nserver$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\n\
    client$ c = socket tcp\nclient$ connect c server:7000\nclient$ send c \"hello\"\nserver$ conn = accept s\nserver$ recv conn 100 => \"hello\"\n\
    client$ close c\nserver$ close conn\ncheck client.c TIME_WAIT\n```\n";

/// A lesson of these steps that needs the cable.
fn on_cable(steps: &str) -> String {
    format!("---\nlesson: mine\ntitle: a test\nstage: cable\n---\n## One\n```sock\n{steps}\n```\n")
}

fn events(trace: &str) -> Vec<Value> {
    trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of a run of this lesson.
fn traced(lesson: &str, more: &[&str]) -> Vec<Value> {
    let folder = Folder::new();
    let file = folder.file("mine.md", lesson);
    let output = run(&[&["run", &file, "--trace", "-", "--pace", "auto"], more].concat());
    assert!(output.status.success(), "{}{}", stderr(&output), stdout(&output));
    events(&stdout(&output))
}

fn check(steps: &str) {
    let folder = Folder::new();
    let output = run(&["check", &folder.file("mine.md", on_cable(steps))]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

fn is<'a>(name: &'a str) -> impl Fn(&&Value) -> bool + 'a {
    move |event| event["event"] == name
}

#[test]
fn every_frame_names_the_call_that_caused_it() {
    let events = traced(TALK, &[]);
    assert_eq!(events[0]["stage"], "cable", "{}", events[0]);
    let call = |name: &str, host: &str| {
        let found =
            events.iter().filter(is("call")).find(|call| call["call"] == name && call["host"] == host);
        found.unwrap_or_else(|| panic!("no {name}"))["id"].clone()
    };
    let frames: Vec<(&str, &str, &Value)> = events
        .iter()
        .filter(is("frame"))
        .map(|frame| (frame["from"].as_str().unwrap(), frame["cause"].as_str().unwrap(), &frame["call"]))
        .collect();
    let none = Value::Null;
    let (connect, send) = (call("connect", "client"), call("send", "client"));
    let (fin, last) = (call("close", "client"), call("close", "server"));
    // The server acknowledges the client's FIN at once, or with its own.
    let expected = [
        ("client", "call", &connect),
        ("server", "answer", &none),
        ("client", "acknowledgment", &none),
        ("client", "call", &send),
        ("server", "acknowledgment", &none),
        ("client", "call", &fin),
        ("server", "call", &last),
        ("client", "acknowledgment", &none),
    ];
    let own: Vec<_> =
        frames.iter().copied().filter(|frame| *frame != ("server", "acknowledgment", &none)).collect();
    let wanted: Vec<_> =
        expected.into_iter().filter(|frame| *frame != ("server", "acknowledgment", &none)).collect();
    assert_eq!(own, wanted);
    assert!(events.iter().filter(is("fate")).all(|fate| fate["fate"] == "delivered"));
}

#[test]
fn datagrams_pieces_and_pings_name_the_call_that_caused_them() {
    let lesson = "---\nlesson: mine\ntitle: a test\nstage: cable\ncable: [raw-sockets, ping-sockets]\n---\n## One\n```sock\n\
        server$ s = socket udp\nserver$ bind s :7000\nclient$ c = socket udp\nclient$ d = socket udp\n\
        client$ sendto c server:7000 \"a\"\nclient$ sendto d server:7000 \"bb\"\nserver$ recvfrom s 10\nserver$ m = recvfrom s 10\n\
        server$ sendto s m.from \"ccc\"\nclient$ recvfrom d 10 => server:7000\nclient$ sendto c server:7000 \"d\" * 2000\n\
        check wire client>server fragment\nclient$ sendto d server:7001 \"e\"\ncheck wire server>client ICMP type=3 code=3\n\
        client$ r = socket raw-icmp\nclient$ p = socket icmp\n\
        client$ sendto r server:0 hex\"08 00 a1f8 1234 0001 68656c6c6f\"\ncheck wire client>server ICMP type=8 id=4660 len=5\n\
        check wire server>client ICMP type=0 code=0 id=4660\nclient$ sendto p server:0 hex\"08 00 0000 1234 0001\"\n\
        check wire client>server ICMP type=8 id!=4660 len=0\ncheck wire server>client ICMP type=0\n\
        server$ q = socket icmp => EACCES\nclient$ recvfrom p 10 => 8\nclient$ recvfrom r 100 => server:0\n```\n";
    let events = traced(lesson, &[]);
    let end = events.last().unwrap();
    assert_eq!((&end["failed"], &end["not_seen"]), (&Value::from(0), &Value::from(0)), "{events:#?}");
    let calls: Vec<&Value> = events
        .iter()
        .filter(is("call"))
        .filter(|call| call["call"] == "sendto")
        .map(|call| &call["id"])
        .collect();
    let frames: Vec<(&str, &str, &Value)> = events
        .iter()
        .filter(is("frame"))
        .map(|frame| (frame["from"].as_str().unwrap(), frame["cause"].as_str().unwrap(), &frame["call"]))
        .collect();
    let none = &Value::Null;
    let expected = [
        ("client", "call", calls[0]),
        ("client", "call", calls[1]),
        ("server", "call", calls[2]),
        ("client", "call", calls[3]),
        ("client", "call", calls[3]),
        ("client", "call", calls[4]),
        ("server", "report", none),
        ("client", "call", calls[5]),
        ("server", "answer", none),
        ("client", "call", calls[6]),
        ("server", "answer", none),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn what_the_kernel_throws_away_is_counted_and_a_cut_datagram_tells_its_length() {
    check(
        "server$ s = socket udp\nserver$ bind s :7000\nserver$ setsockopt s SO_RCVBUF 1\nclient$ c = socket udp\nclient$ connect c server:7000\n\
         check server.s drops=0\nclient$ send c \"a\" * 1400\nclient$ send c \"b\" * 1400\nclient$ send c \"c\" * 1400\ncheck server.s drops>=1\n\
         server$ recvfrom s 4 MSG_PEEK MSG_TRUNC => 1400\nserver$ recvfrom s 4 MSG_PEEK => \"aaaa\"\nserver$ recv s 4 MSG_TRUNC => 1400",
    );
}

#[test]
fn frames_are_held_dropped_doubled_broken_and_let_across() {
    check(
        "server$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\nwire$ hold\nclient$ c = socket tcp\n\
         client$ r = connect c server:7000 &\ncheck wire client>server SYN seq=0 len=0 held\ncheck client.c SYN_SENT\n\
         check server.s LISTEN\nwire$ drop SYN\ncheck wire client>server SYN again after>=900 after<=1900 held\n\
         wire$ deliver SYN\ncheck server~client.c SYN_RECV\nwire$ duplicate SYN,ACK\nclient$ wait r => ok\n\
         check server~client.c SYN_RECV\nwire$ deliver ACK\ncheck server~client.c ESTABLISHED\nwire$ mend\n\
         server$ conn = accept s\nwire$ hold\nclient$ send c \"hello\"\nwire$ corrupt data\n\
         server$ recv conn 10 MSG_DONTWAIT => EAGAIN\ncheck wire client>server data again held\nwire$ mend\n\
         server$ recv conn 10 => \"hello\"\nwire$ cut\nclient$ send c \"lost\"\ncheck wire client>server data len=4 lost\n\
         wire$ mend\nserver$ recv conn 10 => \"lost\"\nclient$ close c\nserver$ close conn",
    );
}

#[test]
fn a_slow_cable_takes_its_time_and_reordered_bytes_come_in_order() {
    check(
        "server$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\nclient$ c = socket tcp\nclient$ connect c server:7000\n\
         server$ conn = accept s\nclient$ setsockopt c TCP_NODELAY 1\nwire$ hold\nclient$ send c \"one \"\nclient$ send c \"two \"\n\
         client$ send c \"three\"\ncheck wire held=3\nwire$ reorder\nwire$ mend\nserver$ recv_exactly conn 13 => \"one two three\"\n\
         wire$ delay 60ms\nclient$ send c \"x\"\nserver$ recv_exactly conn 1 => \"x\"",
    );
}

#[test]
fn what_a_wire_claim_says_can_be_wrong() {
    let start = "server$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\nclient$ c = socket tcp\nclient$ connect c server:7000\n";
    for claim in [
        "check wire client>server RST within 100ms",
        "check wire client>server SYN len=1 within 100ms",
        "check wire server>client SYN within 100ms",
        "check wire SYN again within 100ms",
        "check wire SYN held within 100ms",
        "check still wire quiet",
        "check wire held=1 within 100ms",
        "wire$ deliver within 100ms",
    ] {
        let folder = Folder::new();
        let output = run(&["check", &folder.file("mine.md", on_cable(&format!("{start}{claim}")))]);
        assert_eq!(output.status.code(), Some(1), "{claim}: {}", stdout(&output));
        assert!(stdout(&output).contains(claim.trim_start_matches("check ")), "{claim}: {}", stdout(&output));
    }
}

#[test]
fn a_setting_is_one_hosts_alone_and_is_told() {
    let lesson =
        on_cable("client$ sysctl net.ipv4.tcp_syn_retries 1\nclient$ sysctl net.ipv4.no_such_thing 1");
    let events = traced(&lesson, &[]);
    let settings: Vec<_> = events.iter().filter(is("setting")).collect();
    assert_eq!((&settings[0]["host"], &settings[0]["value"]), (&"client".into(), &"1".into()));
    assert!(settings[0]["failed"].is_null() && settings[0]["before"].is_string(), "{}", settings[0]);
    assert!(settings[1]["failed"].is_string(), "{}", settings[1]);
}

#[test]
fn a_lesson_that_needs_the_cable_says_so_elsewhere() {
    let folder = Folder::new();
    let file = folder.file("mine.md", on_cable("wire$ hold"));
    let output = run(&["run", &file, "--stage", "loopback"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("needs a cable"), "{}", stderr(&output));
    let output = run(&["run", &file, "--stage", "loopback", "--packets", "step"]);
    assert!(stderr(&output).contains("--packets step needs the cable"), "{}", stderr(&output));
    let any =
        folder.file("any.md", TALK.replace("check client.c", "check wire client>server SYN\ncheck client.c"));
    let output = run(&["check", &any, "--stage", "loopback"]);
    assert!(output.status.success() && stdout(&output).contains("1 cannot be seen"), "{}", stdout(&output));
    let wire = folder.file("wire.md", TALK.replace("client$ connect", "wire$ hold\nclient$ connect"));
    let output = run(&["lint", &wire]);
    assert!(stdout(&output).contains("expected `stage: cable`"), "{}", stdout(&output));
}

#[test]
#[ignore = "needs unshare and setpriv (util-linux)"]
fn where_there_are_no_namespaces_lessons_run_on_loopback_and_it_is_said_why() {
    let folder = Folder::new();
    let file = folder.file("mine.md", TALK);
    let within = |arguments: &str| {
        let script = format!(
            "echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" {arguments}"
        );
        Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c", &script, env!("CARGO_BIN_EXE_sockwalk")])
            .output()
            .unwrap()
    };
    let output = within(&format!("run {file}"));
    let shown = stdout(&output);
    assert!(output.status.success() && shown.contains("loopback on linux"), "{shown}{}", stderr(&output));
    assert!(shown.contains("user.max_user_namespaces is 0"), "{shown}");
    let output = within(&format!("run {file} --stage cable"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("sudo sysctl -w user.max_user_namespaces="), "{}", stderr(&output));
    let shown = stdout(&within("doctor"));
    assert!(shown.contains("✗  cable") && shown.contains("max_user_namespaces"), "{shown}");
}

/// What a run shows, without what differs from one to the next: ports, sequence numbers and times.
fn transcript(events: &[Value]) -> Vec<String> {
    let port = events
        .iter()
        .filter(is("socket"))
        .find(|socket| socket["host"] == "client" && socket["local"].is_string())
        .and_then(|socket| socket["local"].as_str()?.rsplit_once(':').map(|(_, port)| port.to_owned()));
    let mut told = Vec::new();
    for event in events {
        let fields = event.as_object().unwrap();
        let mut line = String::new();
        for (name, value) in fields {
            let value = value.to_string();
            match name.as_str() {
                // Of a frame only what the headers say of themselves: addresses, flags and length.
                "bytes" if event["event"] == "frame" => {
                    let bytes = value.trim_matches('"');
                    line += &format!(" {}+{}", &bytes[2 * 46..2 * 48], bytes.len() / 2);
                }
                "at" | "ns" | "started" | "tcp" | "time_wait_ms" | "sockwalk" => {}
                _ => line += &format!(" {name}={}", value.replace(port.as_deref().unwrap_or("none"), "PORT")),
            }
        }
        told.push(line);
    }
    told
}

#[test]
fn two_hundred_runs_step_by_step_are_the_same() {
    let folder = Folder::new();
    let file = folder.file("talk.md", TALK);
    let one = || {
        let output = run(&["run", &file, "--trace", "-", "--pace", "auto", "--packets", "step"]);
        assert!(output.status.success(), "{}", stderr(&output));
        transcript(&events(&stdout(&output)))
    };
    let first = one();
    let stepped = first.iter().filter(|line| line.contains("action=\"deliver\"")).count();
    assert!(stepped >= 8, "{stepped} frames were let across one by one:\n{}", first.join("\n"));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let other = one();
                    for (line, (a, b)) in first.iter().zip(&other).enumerate() {
                        assert_eq!(a, b, "line {line}");
                    }
                    assert_eq!(first.len(), other.len());
                }
            });
        }
    });
}

/// Interfaces, and network namespaces that some process is in.
fn around() -> (BTreeSet<String>, usize) {
    let interfaces = fs::read_to_string("/proc/net/dev").unwrap();
    let interfaces =
        interfaces.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned());
    let ours = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let comm = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        comm.trim() == "sockwalk"
            && fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().contains("killed.md")
    });
    (interfaces.collect(), ours.count())
}

#[test]
fn nothing_is_left_of_a_hundred_runs_that_are_killed() {
    let folder = Folder::new();
    let file = folder.file("killed.md", TALK);
    let before = around();
    let files = || fs::read_dir(&folder.0).unwrap().count();
    let (mut seed, had) = (0x9e37_79b9_7f4a_7c15_u64, files());
    for _ in 0..100 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut child = sockwalk(&folder, &[])
            .args(["run", &file, "--pace", "auto"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A moment of the run, which takes about a tenth of a second.
        let until = Instant::now() + Duration::from_micros(seed % 150_000);
        while Instant::now() < until {
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(around(), before);
    assert_eq!(files(), had, "files are left");
}

#[test]
fn a_command_runs_inside_a_host_of_a_running_lesson() {
    let folder = Folder::new();
    let file = folder.file(
        "mine.md",
        on_cable("server$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\nserver$ r = accept s &\nserver$ wait r within 30s => ok"),
    );
    let mut lesson = sockwalk(&folder, &[])
        .args(["run", &file, "--pace", "auto", "--trace", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = lesson.stdout.take().unwrap();
    let (mut shown, mut room) = (String::new(), [0; 4096]);
    while !shown.contains("\"blocked\"") {
        let read = out.read(&mut room).unwrap();
        assert!(read > 0, "{shown}");
        shown += &String::from_utf8_lossy(&room[..read]);
    }
    // A student's own client, inside of the client's host, calls the lesson's server.
    let own = "exec 3<>/dev/tcp/10.0.0.2/7000 && cat /proc/net/tcp | wc -l";
    let entered = Command::new(env!("CARGO_BIN_EXE_sockwalk"))
        .args(["enter", "client", "--pid", &lesson.id().to_string(), "--", "bash", "-c", own])
        .output()
        .unwrap();
    assert!(entered.status.success(), "{}", stderr(&entered));
    out.read_to_string(&mut shown).unwrap();
    assert!(lesson.wait().unwrap().success(), "{shown}");
}

/// A person at a terminal who steps from frame to frame.
struct Stepper {
    session: PtySession,
    folder: Folder,
}

/// What a prompt asks for.
enum Prompt {
    /// This frame waits.
    Frame(u64),
    Step,
    /// There is none: the program has ended.
    Over,
}

impl Stepper {
    fn start() -> Stepper {
        let folder = Folder::new();
        let file = folder.file("talk.md", TALK);
        let arguments = ["run", &file, "--packets", "step", "--trace", &folder.path("trace")];
        let mut command = sockwalk(&folder, &arguments);
        command.env("TERM", "xterm").env("NO_COLOR", "1").stdin(Stdio::inherit());
        Stepper { session: spawn_command(command, Some(30_000)).expect("a terminal can be had"), folder }
    }

    fn prompt(&mut self) -> Prompt {
        let Ok((_, found)) = self.session.exp_regex("Enter (lets #[0-9]+|next|more)") else {
            return Prompt::Over;
        };
        match found.split_once('#') {
            Some((_, number)) => Prompt::Frame(number.parse().unwrap()),
            None => Prompt::Step,
        }
    }

    fn press(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    /// Presses Enter to the end, but at the frame of this number does that. Gives the events.
    fn walk(mut self, at: u64, mut act: impl FnMut(&mut Stepper)) -> Vec<Value> {
        let mut done = false;
        loop {
            match self.prompt() {
                Prompt::Frame(number) if number == at && !done => {
                    done = true;
                    act(&mut self);
                }
                Prompt::Over => break,
                _ => self.press("\r"),
            }
        }
        assert!(done, "frame {at} never came");
        events(&fs::read_to_string(self.folder.path("trace")).unwrap())
    }
}

fn all_is_well(events: &[Value]) {
    let end = events.last().unwrap();
    assert!(end["event"] == "end" && end["failed"] == 0 && end["left"] == false, "{end}");
    let returned: Vec<&Value> = events.iter().filter(is("return")).collect();
    assert!(returned.iter().all(|back| back["errno"].is_null() && back["deadline"] == false), "{returned:?}");
}

#[test]
fn at_the_keyboard_d_drops_a_frame_and_the_kernel_sends_it_again() {
    let events = Stepper::start().walk(1, |person| person.press("d"));
    all_is_well(&events);
    let dropped = events.iter().filter(is("fate")).find(|fate| fate["fate"] == "dropped").unwrap();
    assert_eq!(dropped["frame"], 1);
    let again = events.iter().filter(is("frame")).find(|frame| frame["again"] == 1).unwrap();
    assert_eq!(again["cause"], "retransmission");
    assert!(events.iter().filter(is("wire")).any(|wire| wire["action"] == "drop"));
    // While a person steps the kernels are patient, and that is told.
    let settings: Vec<_> =
        events.iter().filter(is("setting")).map(|it| it["name"].as_str().unwrap()).collect();
    assert!(settings.contains(&"net.ipv4.tcp_syn_retries"), "{settings:?}");
}

#[test]
fn at_the_keyboard_w_takes_what_a_lesson_can_do_to_the_cable() {
    let events = Stepper::start().walk(1, |person| {
        person.press("w");
        person.session.exp_string("wire$").unwrap();
        person.press("corupt\r");
        person.session.exp_string("expected one of hold").unwrap();
        person.press("corrupt SYN\r");
    });
    let _ = Stepper::start().walk(2, |person| {
        person.press("f");
        person.session.exp_string("frame").unwrap();
        person.press("1\r");
        person.session.exp_string("Sequence Number").unwrap();
        person.press("\r");
    });
    all_is_well(&events);
    let broken = events.iter().filter(is("fate")).find(|fate| fate["fate"] == "corrupted").unwrap();
    assert_eq!(broken["frame"], 1);
    assert!(events.iter().filter(is("frame")).any(|frame| frame["again"] == 1));
}

#[test]
#[ignore = "takes more than three minutes"]
fn a_handshake_held_for_three_minutes_in_any_place_goes_on() {
    thread::scope(|scope| {
        for place in 1..=3 {
            scope.spawn(move || {
                // The frames of the handshake are asked for one after the other, whatever their numbers are
                // by then.
                let mut asked = 0;
                let mut person = Stepper::start();
                loop {
                    match person.prompt() {
                        Prompt::Frame(_) => {
                            asked += 1;
                            if asked == place {
                                let until = Instant::now() + Duration::from_secs(180);
                                while Instant::now() < until {
                                    thread::park_timeout(until.saturating_duration_since(Instant::now()));
                                }
                            }
                        }
                        Prompt::Step => {}
                        Prompt::Over => break,
                    }
                    person.press("\r");
                }
                assert!(asked >= place, "{asked} frames");
                let events = events(&fs::read_to_string(person.folder.path("trace")).unwrap());
                all_is_well(&events);
                let folded = events.iter().filter(is("fate")).filter(|fate| fate["fate"] == "folded").count();
                assert!(folded > 0, "nothing was sent again in three minutes at place {place}");
            });
        }
    });
}
