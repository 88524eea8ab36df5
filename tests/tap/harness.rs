//! A tap that runs, a client on one side of it and a server on the other; and bytes that can be told from all
//! others.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use socket2::SockRef;

use crate::{
    support::live::Process,
    support::{Folder, sockwalk},
};

/// Who does not answer in this time has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// `sockwalk tap`, and the server that it calls.
pub struct Tap {
    pub process: Process,
    pub address: SocketAddr,
    pub server: TcpListener,
    _home: Folder,
}

impl Tap {
    /// A tap with these options.
    pub fn start(options: &[&str]) -> Tap {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Tap::before(server, options)
    }

    /// A tap before this server.
    pub fn before(server: TcpListener, options: &[&str]) -> Tap {
        let home = Folder::new();
        let target = server.local_addr().unwrap().to_string();
        let arguments = [&["tap", "127.0.0.1:0", &target, "--width", "160"], options].concat();
        let mut process = Process::start("tap", &mut sockwalk(&home, &arguments));
        let address = process.out("where it listens", address);
        Tap { process, address, server, _home: home }
    }

    /// A connection through the tap: the client's end and the server's.
    pub fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.address).unwrap();
        let (server, _) = self.server.accept().unwrap();
        for end in [&client, &server] {
            end.set_read_timeout(Some(PATIENCE)).unwrap();
            end.set_write_timeout(Some(PATIENCE)).unwrap();
        }
        (client, server)
    }

    /// Ctrl-C, and the end that follows.
    ///
    /// Gives what was said, on a single line.
    pub fn stop(&mut self) -> String {
        self.process.signal("INT");
        self.end()
    }

    /// Its end, which has to be a good one, and what was said.
    pub fn end(&mut self) -> String {
        flat(&self.process.succeed().out)
    }

    /// Waits until it is told that so many connections have closed in order.
    pub fn closed(&mut self, count: usize) {
        for _ in 0..count {
            self.process.out("a close in order", |line| line.contains("closed in order").then_some(()));
        }
    }

    /// Memory that it has now, in bytes (VmRSS, proc(5)).
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

/// A text on a single line, wherever it was broken.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The address in `The tap listens at 127.0.0.1:40000, and …`.
pub fn address(line: &str) -> Option<SocketAddr> {
    line.split_once("listens at ")?.1.split_once(',')?.0.parse().ok()
}

/// Closes with a RST.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Numbers without order, the same each time (xorshift).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 1 to `most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        1 + usize::try_from(self.next() % most as u64).unwrap()
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(count);
        bytes
    }
}
