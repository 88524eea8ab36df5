//! Input that was made to harm: however much it is, and whatever it claims, `sockwalk decode` takes no more
//! memory than it may.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    process::{ChildStdin, Command, Stdio},
};

use sockwalk::wire::{
    frame::build,
    tcp::{Flags, Header},
    websocket::{Frame, opcode},
};

use crate::support::{Folder, sockwalk};

/// What became of an input.
struct Outcome {
    succeeded: bool,
    errors: String,
    /// The most memory that it had at once, in bytes (VmHWM, proc(5)).
    peak: u64,
}

/// Lets `decode` read from a pipe what `write` writes, for as long as it takes it.
fn decode(write: impl FnOnce(&mut ChildStdin) -> io::Result<()>) -> Outcome {
    let home = Folder::new();
    let mut command: Command = sockwalk(&home, &["decode", "-", "--json"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let written = write(&mut input);
    // It waits for the end of its input, or has ended and is not waited for yet: then there is no such line.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or(0, |peak| peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10);
    drop(input);
    let output = child.wait_with_output().unwrap();
    let succeeded = output.status.success();
    assert!(written.is_ok() || !succeeded, "{written:?}");
    Outcome { succeeded, errors: String::from_utf8(output.stderr).unwrap(), peak }
}

const MIB: u64 = 1 << 20;

/// Bytes without an order.
fn garbage(count: usize) -> Vec<u8> {
    let mut random = sockwalk::wire::fuzz::Random::new(0x9a5b);
    random.bytes(count)
}

/// A block of pcapng of this type.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    assert!(body.len().is_multiple_of(4));
    let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &length].concat()
}

/// A section with an interface of Ethernet.
fn section() -> Vec<u8> {
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    [block(0x0a0d_0d0a, &section), block(1, &[1, 0, 0, 0, 0, 0, 0, 0])].concat()
}

#[test]
fn garbage_is_refused_with_its_place() {
    let outcome = decode(|input| input.write_all(&[&section(), &garbage(1 << 20)[..]].concat()));
    assert!(
        !outcome.succeeded && outcome.errors.contains("byte 52: total length of a block"),
        "{}",
        outcome.errors
    );
    let outcome = decode(|input| input.write_all(&garbage(2 << 20)));
    assert!(!outcome.succeeded && outcome.errors.contains("neither a capture nor hex"), "{}", outcome.errors);
}

#[test]
#[ignore = "needs some seconds, as 4 GiB pass"]
fn four_gibibytes_of_garbage_pass_in_constant_memory() {
    // Blocks of a kind that nobody knows, and packets that are none.
    let unknown = block(0x0bad, &garbage(60 << 20));
    let packet = garbage(1500);
    let head = [0, 0, 0, 1500, 1500].map(u32::to_le_bytes).concat();
    let packets = block(6, &[&head, &packet[..]].concat()).repeat(1000);
    let mut passed = 0;
    let outcome = decode(|input| {
        input.write_all(&section())?;
        while passed < 4 << 30 {
            input.write_all(&unknown)?;
            input.write_all(&packets)?;
            passed += (unknown.len() + packets.len()) as u64;
        }
        Ok(())
    });
    assert!(outcome.succeeded, "{}", outcome.errors);
    assert!((1..64 * MIB).contains(&outcome.peak), "{} bytes at most", outcome.peak);
}

/// A capture in the oldest format that is written on and on.
struct Talk<'a>(&'a mut ChildStdin);

impl Talk<'_> {
    fn begin(input: &mut ChildStdin) -> io::Result<Talk<'_>> {
        input.write_all(&[
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
        ])?;
        Ok(Talk(input))
    }

    fn segment(
        &mut self,
        [from, to]: [SocketAddr; 2],
        sequence: u32,
        flags: Flags,
        payload: &[u8],
    ) -> io::Result<()> {
        let frame = build::tcp(from, to, &Header { sequence, flags, ..Header::new(0, 0) }, payload);
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        self.0.write_all(&[&[0; 8], &length[..], &length, &frame].concat())
    }
}

#[test]
#[ignore = "needs some seconds, as 110,000 connections are made up"]
fn a_hundred_thousand_streams_are_held_in_bounds() {
    let server = "10.255.0.1:80".parse().unwrap();
    let head = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 1300]].concat();
    let outcome = decode(|input| {
        let mut talk = Talk::begin(input)?;
        for number in 0u32..110_000 {
            let [_, b, c, d] = number.to_be_bytes();
            let ends = [SocketAddr::from(([10, b, c, d], 40_000)), server];
            talk.segment(ends, 7, Flags::SYN, b"")?;
            talk.segment(ends, 8, Flags::ACK, &head)?;
        }
        Ok(())
    });
    assert!(outcome.succeeded, "{}", outcome.errors);
    assert!((1..256 * MIB).contains(&outcome.peak), "{} bytes at most", outcome.peak);
}

#[test]
fn a_frame_that_claims_everything_takes_no_more_than_a_message_may() {
    let ends = ["10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap()];
    let claims = Frame::new(opcode::BINARY, "").claiming(1 << 63).encode();
    let piece = [7; 1400];
    let outcome = decode(|input| {
        let mut talk = Talk::begin(input)?;
        let (request, response) = HANDSHAKE;
        talk.segment(ends, 0, Flags::SYN, b"")?;
        talk.segment([ends[1], ends[0]], 0, Flags::SYN | Flags::ACK, b"")?;
        talk.segment(ends, 1, Flags::ACK, request)?;
        talk.segment([ends[1], ends[0]], 1, Flags::ACK, response)?;
        let mut sequence = u32::try_from(response.len() + 1).unwrap();
        for bytes in std::iter::once(&claims[..]).chain(std::iter::repeat_n(&piece[..], 50_000)) {
            talk.segment([ends[1], ends[0]], sequence, Flags::ACK, bytes)?;
            sequence += u32::try_from(bytes.len()).unwrap();
        }
        Ok(())
    });
    assert!(outcome.succeeded, "{}", outcome.errors);
    assert!((1..64 * MIB).contains(&outcome.peak), "{} bytes at most", outcome.peak);
}

/// The opening handshake of RFC 6455 §1.3.
const HANDSHAKE: (&[u8], &[u8]) = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
);
