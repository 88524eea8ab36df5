//! The price of decoding, as ratios against peers of the same run.
//!
//! `cargo bench --bench decode`. A capture of 100,000 masked frames is made up, many in a segment. How long
//! does it take to decode it (the library, and the whole program with JSON), against tshark that prints one
//! field of each; how long to read the frames of the same bytes, against tungstenite; how long to unmask,
//! against a copy.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sockwalk::{
    analysis::capture::Capture,
    analysis::decode::{Decoder, Options},
    event::StreamWhat,
    wire::{
        frame::build,
        fuzz::Random,
        tcp::{Flags, Header},
        websocket::{Frame, FrameReader, mask, opcode, unmask_onto},
    },
};
use tungstenite::protocol::{Role, WebSocket};

const FRAMES: usize = 100_000;
const SEGMENT: usize = 1448;
const ROUNDS: usize = 15;

fn main() {
    let stream = frames();
    let file = capture(&stream);
    let path = std::env::temp_dir().join(format!("sockwalk-bench-decode-{}.pcap", std::process::id()));
    fs::write(&path, &file).expect("there is room for a file");
    println!("{FRAMES} frames, {} bytes of capture, {} of frames", file.len(), stream.len());

    let library = median(ROUNDS, || assert_eq!(decode(&file), FRAMES));
    let rate = |time: Duration| FRAMES as f64 / time.as_secs_f64() / 1e6;
    let bytes = |time: Duration, count: usize| count as f64 / time.as_secs_f64() / 1e6;
    println!(
        "decode, library:    {library:?}, {:.1} M frames/s, {:.0} MB/s",
        rate(library),
        bytes(library, file.len())
    );
    for arguments in [&["--json"][..], &["--width", "80"]] {
        let program = median(5, || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sockwalk"));
            run(command.arg("decode").arg(&path).args(arguments));
        });
        println!("decode {arguments:?}: {program:?}, {:.2} M frames/s", rate(program));
    }
    let tshark = median(3, || {
        let mut command = Command::new("tshark");
        run(command.arg("-r").arg(&path).args(["-Y", "websocket", "-T", "fields", "-e", "websocket.opcode"]));
    });
    println!(
        "tshark:             {tshark:?}, {:.0} times the library; it finds {} of the frames",
        tshark.as_secs_f64() / library.as_secs_f64(),
        found_by_tshark(&path)
    );

    let ours = median(ROUNDS, || assert_eq!(read(&stream), FRAMES));
    let theirs = median(ROUNDS, || assert_eq!(tungstenite(&stream), FRAMES));
    println!(
        "frames, ours {ours:?} ({:.0} MB/s), tungstenite {theirs:?}: ours takes {:.2} of its time",
        bytes(ours, stream.len()),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
    unmasking();
    let _ = fs::remove_file(&path);
}

/// Masked text frames of 1 to 200 bytes.
fn frames() -> Vec<u8> {
    let mut random = Random::new(1);
    let mut stream = Vec::new();
    for _ in 0..FRAMES {
        let length = 1 + random.below(200);
        let payload: Vec<u8> = random.bytes(length).into_iter().map(|byte| b'a' + byte % 26).collect();
        stream.extend(Frame::new(opcode::TEXT, payload).masked(random.long().to_be_bytes()).encode());
    }
    stream
}

/// The frames behind a handshake, in segments as full as can be. At port 80, as tshark takes what comes to
/// 7000 for something else.
fn capture(stream: &[u8]) -> Vec<u8> {
    let ends = ["10.0.0.1:40000".parse().expect("an address"), "10.0.0.2:80".parse().expect("an address")];
    let mut next = [1u32, 1];
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    let mut add = |side: usize, flags: Flags, payload: &[u8]| {
        let header = Header {
            sequence: next[side],
            acknowledgment: next[1 - side],
            flags,
            window: 1000,
            ..Header::new(0, 0)
        };
        let frame = build::tcp(ends[side], ends[1 - side], &header, payload);
        let syn = u32::from(flags.contains(Flags::SYN));
        let count = |n: usize| u32::try_from(n).expect("a segment is short");
        next[side] = next[side].wrapping_add(count(payload.len()) + syn);
        file.extend(
            [[0; 4], [0; 4], count(frame.len()).to_le_bytes(), count(frame.len()).to_le_bytes()].concat(),
        );
        file.extend(frame);
    };
    add(0, Flags::SYN, b"");
    add(1, Flags::SYN | Flags::ACK, b"");
    add(0, Flags::ACK, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    add(1, Flags::ACK, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    for segment in stream.chunks(SEGMENT) {
        add(0, Flags::ACK | Flags::PSH, segment);
    }
    file
}

fn decode(file: &[u8]) -> usize {
    let mut capture = Capture::open(file).expect("a capture");
    let mut decoder = Decoder::new(Options::default());
    let mut frames = 0;
    let mut tell = |event: &sockwalk::event::StreamEvent| match &event.what {
        StreamWhat::Frame(frame) => {
            black_box(&frame.payload);
            frames += 1;
        }
        StreamWhat::Violation(broken) => panic!("{broken:?}"),
        _ => {}
    };
    while let Some(packet) = capture.next_packet().expect("a whole capture") {
        decoder.push(&packet, &mut tell).expect("Ethernet");
    }
    decoder.finish(&mut tell);
    frames
}

/// The frames alone, unmasked, out of pieces as a socket gives them.
fn read(stream: &[u8]) -> usize {
    let mut reader = FrameReader::new();
    let mut payload = Vec::new();
    let mut frames = 0;
    for mut rest in stream.chunks(4096) {
        while let Some(piece) = reader.next(&mut rest) {
            if piece.first {
                payload.clear();
            }
            unmask_onto(&mut payload, piece.bytes, piece.header.key, piece.index);
            if piece.last {
                assert!(std::str::from_utf8(black_box(&payload)).is_ok());
                frames += 1;
            }
        }
    }
    frames
}

fn tungstenite(stream: &[u8]) -> usize {
    struct Bytes<'a>(&'a [u8]);
    impl std::io::Read for Bytes<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(4096);
            self.0.read(&mut buffer[..count])
        }
    }
    impl std::io::Write for Bytes<'_> {
        fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
            Ok(buffer.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut socket = WebSocket::from_raw_socket(Bytes(stream), Role::Server, None);
    let mut frames = 0;
    while let Ok(message) = socket.read() {
        black_box(&message);
        frames += 1;
    }
    frames
}

fn unmasking() {
    let source = vec![0x5a; 1 << 20];
    let mut target = source.clone();
    let copy = median(ROUNDS, || target.copy_from_slice(black_box(&source)));
    black_box(&target);
    let masking = median(ROUNDS, || mask(black_box(&mut target), [1, 2, 3, 4]));
    let rate = |time: Duration| f64::from(1 << 20) / time.as_secs_f64() / 1e9;
    println!("unmasking 1 MiB: {:.1} GB/s in place; a copy {:.1} GB/s", rate(masking), rate(copy));
}

/// How many it finds says whether it did the same work.
fn found_by_tshark(path: &Path) -> usize {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args(["-Y", "websocket", "-T", "fields", "-e", "websocket.opcode"]);
    let output = command.stderr(Stdio::null()).output().expect("it starts");
    output.stdout.split(|byte| matches!(byte, b'\n' | b',')).filter(|opcode| !opcode.is_empty()).count()
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    assert!(status.success());
}

fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}
