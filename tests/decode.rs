//! Captures of programs of others, decoded: against tshark, and against the bytes that a proxy wrote down.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use data_encoding::HEXLOWER;
use sockwalk::{
    tools::{
        capture::Capture,
        decode::{Decoder, Event, Limits, Options, What},
    },
    trace::Host,
};

mod support;

use support::{Folder, sockwalk, stderr, stdout};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures")
}

fn captures() -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|ext| ext == "pcap")).collect();
    all.sort();
    assert!(all.len() >= 10);
    all
}

fn decode(path: &Path, tell: &mut dyn FnMut(&Event)) {
    let mut capture = Capture::open(fs::File::open(path).unwrap()).unwrap();
    let mut decoder = Decoder::new(Options { limits: Limits::default(), websocket: false });
    while let Some(packet) = capture.next_packet().unwrap() {
        decoder.push(&packet, tell).unwrap();
    }
    decoder.finish(tell);
}

/// The bytes of each stream: what its client sent, and its server.
fn streams(path: &Path) -> BTreeMap<u64, [Vec<u8>; 2]> {
    let mut all: BTreeMap<u64, [Vec<u8>; 2]> = BTreeMap::new();
    decode(path, &mut |event| {
        let of = event.stream.map(|stream| all.entry(stream).or_default());
        if let (What::Bytes(bytes), Some(of)) = (&event.what, of) {
            of[usize::from(bytes.from == Host::Server)].extend_from_slice(bytes.bytes);
        }
    });
    all
}

fn tshark(path: &Path, arguments: &[&str]) -> String {
    let output = Command::new("tshark").arg("-r").arg(path).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn recorded_conversations_have_no_violation_and_nothing_missing() {
    let mut messages = 0;
    for path in captures() {
        decode(&path, &mut |event| match &event.what {
            What::Violation(_) | What::Missing(_) | What::Differs(_) => {
                panic!("{}: {event:?}", path.display())
            }
            What::Message(message) => {
                assert!(!message.packed, "{}: {message:?}", path.display());
                messages += 1;
            }
            _ => {}
        });
    }
    assert!(messages >= 90, "{messages}");
}

/// What the proxy between the peers wrote down, byte by byte.
#[test]
fn streams_are_the_bytes_that_were_written_down() {
    let mut compared = 0;
    for path in captures() {
        let base = path.with_extension("");
        for (stream, bytes) in streams(&path) {
            for (side, name) in ["c2s", "s2c"].iter().enumerate() {
                let file = PathBuf::from(format!("{}.c{}.{name}.bin", base.display(), stream + 1));
                let Ok(written) = fs::read(&file) else { continue };
                assert!(written == bytes[side], "{}", file.display());
                compared += 1;
            }
        }
    }
    assert!(compared >= 4, "{compared}");
}

/// FIN, RSV, opcode, MASK and length of a frame.
type Told = (bool, u8, u8, bool, u64);

#[test]
#[ignore = "needs tshark"]
fn frames_are_those_of_tshark() {
    const FIELDS: [&str; 9] = [
        "tcp.stream",
        "tcp.srcport",
        "websocket.fin",
        "websocket.rsv",
        "websocket.opcode",
        "websocket.mask",
        "websocket.payload_length",
        "websocket.payload_length_ext_16",
        "websocket.payload_length_ext_64",
    ];
    let mut compared = 0;
    for path in captures() {
        let mut arguments =
            vec!["-Y", "websocket", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"];
        arguments.extend(FIELDS.iter().flat_map(|field| ["-e", field]));
        // Per stream, and whether the client sends.
        let mut theirs: BTreeMap<(u64, bool), Vec<Told>> = BTreeMap::new();
        let mut ports: BTreeMap<u64, u16> = BTreeMap::new();
        let mut ours = theirs.clone();
        decode(&path, &mut |event| match (&event.what, event.stream) {
            (What::Opened(opened), Some(stream)) => {
                ports.insert(stream, opened.client.port());
            }
            (What::Frame(frame), Some(stream)) => {
                let header = frame.header;
                let rsv = u8::from(header.rsv1) << 2 | u8::from(header.rsv2) << 1 | u8::from(header.rsv3);
                let told = (header.fin, rsv, header.opcode, header.key.is_some(), header.length);
                ours.entry((stream, frame.from == Host::Client)).or_default().push(told);
            }
            _ => {}
        });
        for line in tshark(&path, &arguments).lines() {
            let columns: Vec<Vec<&str>> =
                line.split('\t').map(|column| column.split(',').collect()).collect();
            let stream: u64 = columns[0][0].parse().unwrap();
            let client = columns[1][0].parse::<u16>().unwrap() == ports[&stream];
            let number = |text: &str| match text.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
                None => text.parse().unwrap_or(u64::from(text == "True")),
            };
            let (mut sixteen, mut sixty_four) = (columns[7].iter(), columns[8].iter());
            for (index, _) in columns[4].iter().enumerate() {
                let length = match number(columns[6][index]) {
                    126 => number(sixteen.next().unwrap()),
                    127 => number(sixty_four.next().unwrap()),
                    length => length,
                };
                let byte = |column: usize| u8::try_from(number(columns[column][index])).unwrap();
                let told = (byte(2) == 1, byte(3), byte(4), byte(5) == 1, length);
                theirs.entry((stream, client)).or_default().push(told);
                compared += 1;
            }
        }
        assert_eq!(ours, theirs, "{}", path.display());
    }
    assert!(compared >= 100, "{compared} frames");
}

#[test]
#[ignore = "needs tshark"]
fn payloads_of_frames_are_those_of_tshark() {
    let mut compared = 0;
    for path in captures() {
        let json = tshark(&path, &["-Y", "websocket", "-T", "json", "-x", "--no-duplicate-keys"]);
        let told: serde_json::Value = serde_json::from_str(&json).unwrap();
        let mut theirs: BTreeMap<String, usize> = BTreeMap::new();
        payloads(&told, &mut theirs);
        let mut ours: BTreeMap<String, usize> = BTreeMap::new();
        decode(&path, &mut |event| {
            if let What::Frame(frame) = &event.what
                && !frame.payload.is_empty()
            {
                *ours.entry(HEXLOWER.encode(frame.payload)).or_default() += 1;
            }
        });
        for (payload, count) in &theirs {
            assert!(ours.get(payload).is_some_and(|found| found >= count), "{}: {payload}", path.display());
            compared += count;
        }
    }
    assert!(compared > 50, "{compared} payloads");
}

/// tshark names the unmasked bytes of a frame `websocket.payload`.
fn payloads(value: &serde_json::Value, found: &mut BTreeMap<String, usize>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, inner) in map {
                if name == "websocket.payload_raw" {
                    let values = match inner.get(0) {
                        Some(first) if first.is_string() => vec![first.clone()],
                        _ => inner.as_array().unwrap().iter().filter_map(|one| one.get(0).cloned()).collect(),
                    };
                    for value in values {
                        *found.entry(value.as_str().unwrap().to_owned()).or_default() += 1;
                    }
                } else {
                    payloads(inner, found);
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|inner| payloads(inner, found)),
        _ => {}
    }
}

#[test]
#[ignore = "needs tshark"]
fn streams_are_those_that_tshark_follows() {
    let mut compared = 0;
    for path in captures() {
        for (stream, [client, server]) in streams(&path) {
            let text = tshark(&path, &["-q", "-z", &format!("follow,tcp,raw,{stream}")]);
            // Bytes of the second node are indented by a tab.
            let mut theirs = [Vec::new(), Vec::new()];
            for line in text.lines() {
                let hex = line.trim();
                if let Ok(bytes) = HEXLOWER.decode(hex.as_bytes())
                    && !hex.is_empty()
                {
                    theirs[usize::from(line.starts_with('\t'))].extend(bytes);
                }
            }
            assert!(theirs == [client, server], "{} stream {stream}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared} streams");
}

#[test]
fn the_command_tells_a_capture_and_bytes() {
    let home = Folder::new();
    let capture = folder().join("05c-ws-node-pmd.pcap");
    let capture = capture.to_str().unwrap();
    let shown = |arguments: &[&str]| {
        let output = sockwalk(&home, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    let told = shown(&["decode", capture]);
    assert!(
        told.contains("permessage-deflate") && told.contains("= text         inflated       5  \"hello\""),
        "{told}"
    );
    assert!(shown(&["decode", capture, "--follow", "--plain"]).contains("\"hello\""));
    assert_eq!(
        shown(&["decode", capture, "--json", "--filter", "close"]).matches("\"event\":\"frame\"").count(),
        2
    );
    assert!(!shown(&["decode", capture, "--stream", "7"]).contains("stream"));
    let fields = shown(&["decode", "--hex", "81 05 48 65 6c 6c 6f", "--ascii"]);
    assert!(fields.contains("Opcode") && fields.contains("Hello"), "{fields}");
    home.file("frame.txt", "00000000: 8105 4865 6c6c 6f  ..Hello\n");
    assert!(shown(&["decode", &home.path("frame.txt"), "--as", "websocket"]).contains("Hello"));
    fs::write(home.path("frame.bin"), b"\x81\x05Hello").unwrap();
    assert!(shown(&["decode", &home.path("frame.bin"), "--as", "websocket", "--raw"]).contains("Hello"));
    let wrong = sockwalk(&home, &["decode", "--hex", "xyz"]).output().unwrap();
    assert!(
        !wrong.status.success() && stderr(&wrong).contains("needed two hex digits"),
        "{}",
        stderr(&wrong)
    );
}
