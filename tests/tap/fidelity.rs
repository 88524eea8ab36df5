//! Nothing is changed, lost or held up: bytes, ends of streams, resets, and the pace of whoever is slower.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    process::Stdio,
    thread,
    time::Duration,
};

use crate::{
    support::{Folder, sockwalk},
    tap::harness::{Numbers, Tap, address, flat, reset},
};

/// Writes so many bytes of an endless stream, cut at random: a block, over and over. Its length is no power
/// of two, so that a piece that is lost or comes twice moves all that follows.
fn write_stream(mut to: &TcpStream, seed: u64, total: u64, longest: usize) {
    let mut numbers = Numbers::new(seed);
    let block = block(seed, longest);
    let mut at = 0;
    while at < total {
        let start = usize::try_from(at % PERIOD as u64).unwrap();
        let length = numbers.up_to(longest).min(usize::try_from(total - at).unwrap());
        to.write_all(&block[start..start + length]).unwrap();
        at += length as u64;
    }
}

/// Reads to the end of the stream; every byte has to be the one that was written.
fn read_stream(mut from: &TcpStream, seed: u64, total: u64) {
    let room_size = 1 << 16;
    let block = block(seed, room_size);
    let (mut room, mut at) = (vec![0; room_size], 0_u64);
    loop {
        let count = from.read(&mut room).unwrap();
        if count == 0 {
            break;
        }
        let start = usize::try_from(at % PERIOD as u64).unwrap();
        assert!(room[..count] == block[start..start + count], "a byte behind the {at}th is another");
        at += count as u64;
    }
    assert_eq!(at, total, "bytes that came");
}

const PERIOD: usize = 99_991;

/// The block, and so much of it again that a piece may begin anywhere.
fn block(seed: u64, longest: usize) -> Vec<u8> {
    Numbers::new(seed ^ 0xb10c).bytes(PERIOD).into_iter().cycle().take(PERIOD + longest).collect()
}

/// Both ends send so much at once, and end their streams.
fn talk(client: &TcpStream, server: &TcpStream, seed: u64, total: u64, longest: usize) {
    thread::scope(|scope| {
        for (end, seed) in [(client, seed), (server, !seed)] {
            scope.spawn(move || {
                write_stream(end, seed, total, longest);
                end.shutdown(Shutdown::Write).unwrap();
            });
        }
        scope.spawn(|| read_stream(server, seed, total));
        scope.spawn(|| read_stream(client, !seed, total));
    });
}

#[test]
fn no_byte_changes_in_either_direction() {
    for options in [&["--quiet"][..], &[]] {
        let mut tap = Tap::start(options);
        let (client, server) = tap.connect();
        talk(&client, &server, 1, 16 << 20, 100_000);
        drop((client, server));
        tap.closed(1);
        let told = tap.stop();
        assert!(told.contains("closed in order") && told.contains("16,777,216 bytes"), "{told}");
    }
}

#[test]
#[ignore = "needs some seconds, as a gigabyte passes twice"]
fn no_byte_of_a_gigabyte_changes() {
    for options in [&["--quiet"][..], &[]] {
        let mut tap = Tap::start(options);
        let (client, server) = tap.connect();
        talk(&client, &server, 7, 512 << 20, 300_000);
        drop((client, server));
        tap.closed(1);
        assert!(tap.stop().contains("536,870,912 bytes"));
    }
}

#[test]
fn two_hundred_connections_at_once_are_not_mixed_up() {
    let mut tap = Tap::start(&["--quiet"]);
    let pairs: Vec<_> = (0..200).map(|_| tap.connect()).collect();
    thread::scope(|scope| {
        for (number, (client, server)) in pairs.iter().enumerate() {
            let seed = number as u64 + 1;
            scope.spawn(move || talk(client, server, seed, 100_000 + 977 * seed, 5_000));
        }
    });
    drop(pairs);
    tap.closed(200);
    let told = tap.stop();
    assert!(told.contains("200 connections, at most 200 at once: 200 closed in order."), "{told}");
}

#[test]
fn a_half_close_is_a_half_close() {
    let mut tap = Tap::start(&[]);
    for client_ends_first in [true, false] {
        let (client, server) = tap.connect();
        let (first, second) = if client_ends_first { (&client, &server) } else { (&server, &client) };
        write_stream(first, 3, 1000, 100);
        first.shutdown(Shutdown::Write).unwrap();
        read_stream(second, 3, 1000);
        // The other half is open all the same.
        thread::scope(|scope| {
            scope.spawn(|| {
                write_stream(second, 4, 8 << 20, 50_000);
                second.shutdown(Shutdown::Write).unwrap();
            });
            read_stream(first, 4, 8 << 20);
        });
    }
    tap.closed(2);
    let told = tap.stop();
    assert_eq!(told.matches("end of the stream").count(), 4, "{told}");
    assert!(told.contains("2 closed in order"), "{told}");
}

/// Reads until there is no more, and gives the error that this ended with, if it did.
fn read_out(mut from: &TcpStream) -> Option<ErrorKind> {
    let mut room = [0; 4096];
    loop {
        match from.read(&mut room) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(error.kind()),
        }
    }
}

#[test]
fn a_reset_is_a_reset_wherever_it_comes() {
    let mut tap = Tap::start(&["--quiet"]);
    let mut numbers = Numbers::new(11);
    for _ in 0..60 {
        let (client, server) = tap.connect();
        let from_client = numbers.up_to(2) == 1;
        let (end, other) = if from_client { (client, server) } else { (server, client) };
        // What has passed before in either direction makes no difference, and neither has a half that is
        // closed already.
        if numbers.up_to(2) == 1 {
            write_stream(&end, 5, numbers.up_to(100_000) as u64, 4_000);
        }
        if numbers.up_to(2) == 1 {
            (&other).write_all(b"unread").unwrap();
        }
        if numbers.up_to(3) == 1 {
            other.shutdown(Shutdown::Write).unwrap();
            let _ = read_out(&end);
        }
        reset(end);
        assert_eq!(read_out(&other), Some(ErrorKind::ConnectionReset));
    }
    let told = tap.stop();
    assert!(told.contains("60 broken off."), "{told}");
}

#[test]
fn a_reset_passes_whoever_does_not_read() {
    let mut tap = Tap::start(&["--quiet"]);
    for from_client in [true, false] {
        let (client, server) = tap.connect();
        let (end, other) = if from_client { (client, server) } else { (server, client) };
        // The tap waits for room at the other end by now, and all buffers are full.
        fill(&end);
        reset(end);
        // Nothing was read so far; what was under way may come, and then the reset.
        assert_eq!(read_out(&other), Some(ErrorKind::ConnectionReset));
    }
    tap.stop();
}

#[test]
fn who_writes_to_somebody_who_has_closed_is_told_so() {
    let mut tap = Tap::start(&["--quiet"]);
    let (mut client, server) = tap.connect();
    drop(server);
    assert_eq!(read_out(&client), None, "the server closed in order");
    // The first bytes are answered with a RST; the error comes with a later call.
    let outcome: io::Result<()> = (0..1000).try_for_each(|_| {
        client.write_all(b"is anybody there?")?;
        thread::park_timeout(Duration::from_millis(1));
        Ok(())
    });
    let error = outcome.unwrap_err().kind();
    assert!(matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error:?}");
    tap.stop();
}

/// Writes until nothing more is taken; gives how many bytes were.
fn fill(mut to: &TcpStream) -> u64 {
    to.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let (piece, mut taken) = ([b'x'; 50_000], 0);
    loop {
        match to.write(&piece) {
            Ok(count) => taken += count as u64,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return taken,
            Err(error) => panic!("{error}"),
        }
        assert!(taken < 64 << 20, "somebody takes without end what nobody reads");
    }
}

#[test]
fn who_does_not_read_slows_whoever_writes_and_memory_stays_small() {
    for options in [&["--quiet"][..], &[]] {
        let mut tap = Tap::start(options);
        let (client, mut server) = tap.connect();
        let before = tap.memory();
        let taken = fill(&client);
        let more = tap.memory().saturating_sub(before);
        assert!(more < 24 << 20, "{more} bytes more for {taken} that wait");
        // Nothing of it is lost.
        client.shutdown(Shutdown::Write).unwrap();
        let came = io::copy(&mut server, &mut io::sink()).unwrap();
        assert_eq!(came, taken);
        drop((client, server));
        let told = tap.stop();
        assert!(!options.is_empty() || told.contains("the server took nothing for"), "{told}");
    }
}

#[test]
fn a_terminal_that_is_slow_holds_nobody_up() {
    let home = Folder::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let mut child =
        sockwalk(&home, &["tap", "0", &target, "--width", "160"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = Vec::new();
    let at = loop {
        let mut byte = [0];
        assert_eq!(out.read(&mut byte).unwrap(), 1, "it ended");
        said.push(byte[0]);
        if let Some(at) = String::from_utf8_lossy(&said).lines().find_map(address) {
            break at;
        }
    };
    // From here on nobody reads what it says.
    let client = TcpStream::connect(at).unwrap();
    let (server, _) = listener.accept().unwrap();
    let mut piece = [0; 10];
    for _ in 0..20_000 {
        for (mut from, mut to) in [(&client, &server), (&server, &client)] {
            from.write_all(&piece).unwrap();
            to.read_exact(&mut piece).unwrap();
        }
    }
    drop((client, server));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut told = String::new();
    out.read_to_string(&mut told).unwrap();
    let told = flat(&told);
    assert!(child.wait().unwrap().success());
    assert!(told.contains("The narration left"), "{told}");
    assert!(told.contains("Clients sent 200,000 bytes, servers 200,000"), "{told}");
}
