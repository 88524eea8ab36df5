//! Captures of programs of others, decoded: against tshark, and against the bytes that a proxy wrote down.
//! Some are in `tests/data`, and some are made in the same run, with a tap in between.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sockwalk::{
    analysis::capture::Capture,
    analysis::decode::{Decoder, Limits, Options},
    event::{Host, StreamEvent, StreamWhat},
};

use crate::support::{Folder, sockwalk, stderr, stdout};

#[cfg(target_os = "linux")]
mod hostile;
mod layers;
mod oracle;
#[cfg(target_os = "linux")]
mod recorder;
#[cfg(target_os = "linux")]
mod traffic;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures")
}

fn captures() -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|ext| ext == "pcap")).collect();
    all.sort();
    assert!(all.len() >= 45);
    all
}

fn decode(path: &Path, tell: &mut dyn FnMut(&StreamEvent)) {
    let mut capture = Capture::open(fs::File::open(path).unwrap()).unwrap();
    let mut decoder = Decoder::new(Options { limits: Limits::default(), ..Options::default() });
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
        if let (StreamWhat::Bytes(bytes), Some(of)) = (&event.what, of) {
            of[usize::from(bytes.from == Host::Server)].extend_from_slice(&bytes.bytes);
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
fn recorded_conversations_miss_nothing() {
    let mut messages = 0;
    for path in captures() {
        decode(&path, &mut |event| match &event.what {
            StreamWhat::Missing(_) | StreamWhat::Differs(_) => {
                panic!("{}: {event:?}", path.display())
            }
            StreamWhat::Message(message) => {
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
        told.contains("permessage-deflate") && told.contains("= text   inflated       5  \"hello\""),
        "{told}"
    );
    assert!(shown(&["decode", capture, "--follow", "--plain"]).contains("\"hello\""));
    assert_eq!(
        shown(&["decode", capture, "--json", "--filter", "close"]).matches("\"type\":\"frame\"").count(),
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
