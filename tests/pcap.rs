//! The capture of a run, read by tshark and capinfos; and the transcript, which is the same run after run.
//!
//! `cargo test --test main pcap:: -- --ignored`

use std::{fs, process::Command};

use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::support::{Folder, lesson, sockwalk, stderr, stdout};

/// A connection on the cable with one frame of each fate.
const FATES: &str = r#"
server$ s = socket tcp
server$ bind s :7000
server$ listen s 4
client$ c = socket tcp
client$ connect c server:7000
server$ conn = accept s
wire$ hold
client$ send c "hello"
wire$ drop data
wire$ deliver data
wire$ deliver ACK
client$ send c "twice"
wire$ duplicate data
wire$ deliver all
client$ send c "wrong"
wire$ corrupt data
wire$ deliver data
wire$ deliver all
client$ send c "held"
"#;

/// The handshake, a frame at a time.
const HANDSHAKE: &str = r#"
server$ s = socket tcp
server$ bind s :7000
server$ listen s 4
wire$ hold
client$ c = socket tcp
client$ r = connect c server:7000 &
wire$ deliver SYN
wire$ deliver SYN,ACK
client$ wait r => ok
wire$ deliver ACK
wire$ mend
client$ send c "hello"
server$ conn = accept s
server$ recv conn 100 => "hello"
"#;

fn cable_lesson(steps: &str) -> String {
    format!(
        "---\nlesson: mine\ntitle: a test\nstage: cable\n---\n\n# mine\n\n## One\n\nProse.\n\n```sock{steps}```\n"
    )
}

/// Runs the steps on the cable; the trace is `t.jsonl`, the capture `t.pcapng`, the transcript `t.txt`.
fn walked(home: &Folder, steps: &str) {
    let file = home.file("mine.md", cable_lesson(steps));
    let (trace, pcap, text) = (home.path("t.jsonl"), home.path("t.pcapng"), home.path("t.txt"));
    let arguments = ["run", &file, "--trace", &trace, "--pcap", &pcap, "--transcript", &text];
    let output = sockwalk(home, &arguments).output().unwrap();
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

fn events(home: &Folder, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(home.path("t.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}

/// What a tool says of the capture; it must have nothing to complain about.
fn tool(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).output().unwrap();
    let complaints = stderr(&output);
    // Said to root whatever the file is like.
    let complaints: Vec<_> = complaints.lines().filter(|line| !line.starts_with("Running as user")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{name}: {complaints:?}");
    stdout(&output)
}

/// Frame number, interface, direction, bytes and comment of each packet.
fn packets(path: &str) -> Vec<(u64, String, String, String, String)> {
    let fields = ["frame.interface_name", "frame.packet_flags_direction", "frame.comment"];
    let mut arguments = vec!["-r", path, "-T", "fields"];
    fields.iter().for_each(|field| arguments.extend(["-e", field]));
    let told = tool("tshark", &arguments);
    let json: Value = serde_json::from_str(&tool("tshark", &["-r", path, "-T", "json", "-x"])).unwrap();
    let bytes = json
        .as_array()
        .unwrap()
        .iter()
        .map(|packet| packet["_source"]["layers"]["frame_raw"][0].as_str().unwrap().to_owned());
    told.lines()
        .zip(bytes)
        .map(|(line, bytes)| {
            let [interface, direction, comment]: [&str; 3] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let number = comment[1..].split(' ').next().unwrap().parse().unwrap();
            let direction = direction.chars().last().unwrap().to_string();
            (number, interface.to_owned(), direction, bytes, comment.to_owned())
        })
        .collect()
}

#[test]
#[ignore = "needs tshark"]
fn every_frame_stands_where_it_was_sent_and_where_it_came() {
    let home = Folder::new();
    walked(&home, FATES);
    let found = packets(&home.path("t.pcapng"));
    let fates = events(&home, "fate");
    let mut expected = 0;
    for frame in events(&home, "frame") {
        let number = frame["number"].as_u64().unwrap();
        let from = frame["from"].as_str().unwrap();
        let bytes = frame["bytes"].as_str().unwrap();
        let fate = fates.iter().rfind(|fate| fate["frame"] == number).unwrap();
        let mine: Vec<_> = found.iter().filter(|(of, ..)| *of == number).collect();
        let arrived = match fate["fate"].as_str().unwrap() {
            "delivered" | "corrupted" => 1,
            "duplicated" => 2,
            "dropped" | "lost" | "held" => 0,
            other => panic!("{other}"),
        };
        expected += 1 + arrived;
        assert_eq!(mine.len(), 1 + arrived, "#{number}: {fate}");
        // Outbound is 2, inbound 1.
        assert_eq!((mine[0].1.as_str(), mine[0].2.as_str(), mine[0].3.as_str()), (from, "2", bytes));
        let mut came = HEXLOWER.decode(bytes.as_bytes()).unwrap();
        if let Some(bit) = fate["bit"].as_u64() {
            came[usize::try_from(bit / 8).unwrap()] ^= 0x80 >> (bit % 8);
        }
        for packet in &mine[1..] {
            assert!(packet.1 != from && packet.2 == "1" && packet.3 == HEXLOWER.encode(&came), "{packet:?}");
        }
    }
    assert_eq!(found.len(), expected);
    for words in [
        "SYN seq 0 · connect in step 5 · delivered",
        "· the kernel answers a SYN · delivered",
        "5 bytes seq 1–5 (PSH,ACK) · send in step 8 · held ",
        ", then dropped",
        "the kernel says #4 again",
        ", then delivered twice",
        " wrong",
        "· held to the end",
    ] {
        assert!(found.iter().any(|packet| packet.4.contains(words)), "{words}: {found:#?}");
    }
}

#[test]
#[ignore = "needs tshark"]
fn the_file_says_what_it_is() {
    let home = Folder::new();
    walked(&home, HANDSHAKE);
    let path = home.path("t.pcapng");
    let told = tool("capinfos", &[&path]);
    for words in [
        "nanoseconds (9)",
        "Number of interfaces in file: 2",
        "Name = client",
        "Name = server",
        "Description = the client's end of the cable",
        "Strict time order:   True",
        concat!("Capture application: sockwalk ", env!("CARGO_PKG_VERSION")),
        "lesson mine: a test",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // The times are those of the clock on the wall, to the nanosecond.
    let started = events(&home, "lesson")[0]["started"].as_u64().unwrap();
    let sent = started + events(&home, "frame")[0]["ns"].as_u64().unwrap();
    let first = tool("tshark", &["-r", &path, "-c", "1", "-T", "fields", "-e", "frame.time_epoch"]);
    assert_eq!(first.trim(), format!("{}.{:09}", sent / 1_000_000_000, sent % 1_000_000_000));
    let wrong =
        tool("tshark", &["-r", &path, "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status==0"]);
    assert_eq!(wrong, "");
}

#[test]
#[ignore = "needs the cable"]
fn a_replay_gives_the_same_files() {
    let home = Folder::new();
    walked(&home, FATES);
    let (trace, pcap, text) = (home.path("t.jsonl"), home.path("again.pcapng"), home.path("again.txt"));
    let arguments = ["replay", &trace, "--pcap", &pcap, "--transcript", &text];
    assert!(sockwalk(&home, &arguments).output().unwrap().status.success());
    assert_eq!(fs::read(pcap).unwrap(), fs::read(home.path("t.pcapng")).unwrap());
    assert_eq!(fs::read_to_string(text).unwrap(), fs::read_to_string(home.path("t.txt")).unwrap());
}

#[test]
#[ignore = "needs tshark"]
fn an_interrupted_run_leaves_a_file_that_can_be_read() {
    let home = Folder::new();
    walked(&home, HANDSHAKE);
    let text = fs::read_to_string(home.path("t.jsonl")).unwrap();
    // Ended by a signal in the middle: half of the events, the last of them cut off.
    let half = home.file("half.jsonl", &text[..text.len() / 5 * 3]);
    let pcap = home.path("half.pcapng");
    let output = sockwalk(&home, &["replay", &half, "--pcap", &pcap]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(packets(&pcap).iter().any(|packet| packet.4.contains("SYN seq 0")));
}

/// Times are the first twelve columns of lines that begin with `+`.
fn without_times(text: &str) -> String {
    let cut = |line: &str| match line.starts_with('+') {
        true => line[12..].to_owned(),
        false => line.to_owned(),
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs the cable"]
fn the_transcript_is_the_same_in_twenty_runs() {
    let home = Folder::new();
    let mut first: Option<String> = None;
    for _ in 0..20 {
        walked(&home, HANDSHAKE);
        let text = without_times(&fs::read_to_string(home.path("t.txt")).unwrap());
        let first = first.get_or_insert_with(|| text.clone());
        assert_eq!(*first, text);
    }
    let text = first.unwrap();
    for line in [
        "client$ connect(3, 10.0.0.2:7000) ...",
        "client:P1 > server:7000 S 0:0(0) win 64240 <mss 1460,sackOK,TS val ... ecr ...,nop,wscale ",
        "client$ ... connect(3, 10.0.0.2:7000) = 0",
        "server$ accept4(3, ..., SOCK_CLOEXEC) = 4  // from 10.0.0.1:P1",
        "server$ recvfrom(4, ..., 100, 0, NULL, NULL) = 5  // \"hello\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn a_full_disk_is_told_and_the_trace_is_not_written_over() {
    let home = Folder::new();
    let trace = home.path("t.jsonl");
    let file = home.file("mine.md", lesson("client$ c = socket tcp"));
    let arguments = ["run", &file, "--stage", "loopback", "--trace", &trace];
    assert!(sockwalk(&home, &arguments).output().unwrap().status.success());
    for (option, name) in [("--pcap", "capture"), ("--transcript", "transcript")] {
        let output = sockwalk(&home, &["replay", &trace, option, "/dev/full"]).output().unwrap();
        assert!(!output.status.success());
        assert!(stderr(&output).contains(&format!("the {name} is not whole")), "{}", stderr(&output));
        let before = fs::read(&trace).unwrap();
        let output = sockwalk(&home, &["replay", &trace, option, &trace]).output().unwrap();
        assert!(stderr(&output).contains("would write over the trace"), "{}", stderr(&output));
        assert_eq!(fs::read(&trace).unwrap(), before);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let home = Folder::new();
    for (arguments, words) in [
        (&["listen", "--stage", "loopback", "--pcap", "x"][..], "--stage loopback has none"),
        (&["lessons", "--pcap", "x"], "it goes with a lesson, tour, run, check, tap or replay"),
        (
            &["lessons", "--transcript", "x"],
            "it goes with a lesson, tour, run, check, a live command or replay",
        ),
        (&["listen", "--pcap", "x", "--trace", "x"], "need a file each"),
        (&["listen", "--pcap", "-", "--trace", "-"], "only one of --trace, --pcap and --transcript"),
    ] {
        let output = sockwalk(&home, arguments).current_dir(&home.0).output().unwrap();
        assert!(!output.status.success() && stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert!(!home.0.join("x").exists());
}

#[test]
#[ignore = "needs the cable"]
fn one_frame_is_shown_alone() {
    let home = Folder::new();
    walked(&home, HANDSHAKE);
    let trace = home.path("t.jsonl");
    let shown = |more: &[&str]| {
        let arguments = [&["replay", &trace, "--frame"], more].concat();
        sockwalk(&home, &arguments).output().unwrap()
    };
    let fields = stdout(&shown(&["2"]));
    assert!(
        fields.contains("#2 SYN,ACK seq 0 ack 1") && fields.contains("Acknowledgment Number"),
        "{fields}"
    );
    assert!(!fields.contains("RFC 9293"), "{fields}");
    assert!(stdout(&shown(&["2", "--depth", "why"])).contains("RFC 9293 §3.1"));
    let none = shown(&["77"]);
    assert!(!none.status.success() && stderr(&none).contains("no frame 77: they go up to 5"));
}
