//! Frames of every protocol and option, made up by a generator that always makes the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::{
    Mac, arp,
    ethernet::{Header, Tag, ether_type},
    frame::build,
    icmp, icmpv6, ipv4, ipv6, stomp,
    tcp::{self, Flags, SackBlocks, TcpOption},
    udp,
};

/// Numbers that look like chance and are the same each time (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The row of numbers that belongs to this seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, but without, `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        usize::try_from(self.number() % end).expect("less than a usize")
    }

    /// True or false.
    pub fn flip(&mut self) -> bool {
        self.number() & 1 == 1
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }

    /// The length in bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Two bytes as a number.
    pub fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Four bytes as a number.
    pub fn long(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }
}

/// STOMP frames of one to three commands, valid and whole: with escapes, NUL in a body, and line ends between
/// them.
pub fn stomp_stream(random: &mut Random) -> Vec<u8> {
    const TEXTS: [&str; 8] = ["", "a", "a:b", "\\", "x\ny", "\r", "\u{e9}", " 1 "];
    let mut out = Vec::new();
    for _ in 0..=random.below(3) {
        let command = stomp::COMMANDS[random.below(stomp::COMMANDS.len())];
        let mut frame = stomp::Frame::new(command.name);
        for name in command.required {
            frame = frame.with(name, TEXTS[random.below(TEXTS.len())]);
        }
        if random.flip() {
            frame = frame.with("n:\n", TEXTS[random.below(TEXTS.len())]);
        }
        if command.body && random.flip() {
            let count = random.below(8);
            frame = frame.with_body(random.bytes(count));
        }
        out.extend(frame.encode(stomp::Version::V12));
        out.extend_from_slice(["", "\n", "\r\n"][random.below(3)].as_bytes());
    }
    out
}

/// A valid frame; now and then one with a wrong checksum or with padding.
pub fn sample(random: &mut Random) -> Vec<u8> {
    let six = random.flip();
    let mut frame = match random.below(12) {
        0 => arp_packet(random),
        1 => udp_datagram(random, six),
        2 => ping(random, six),
        3 => error(random, six),
        4 => neighbor(random),
        5 => ipv4_with_options(random),
        6 => ipv4_fragment(random),
        7 => ipv6_with_extensions(random),
        8 => other_link(random),
        _ => tcp_segment(random, six),
    };
    if random.below(10) == 0 {
        frame.resize(frame.len().max(60), 0);
    }
    if random.below(12) == 0 && frame.len() > 40 {
        let at = 24 + random.below(2);
        frame[at] ^= 0x55;
    }
    frame
}

/// Changes a few bytes, cuts it off, or makes it longer.
pub fn mutate(random: &mut Random, frame: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        // Headers are where it hurts.
        let at = random.below(frame.len().min(90));
        match (random.below(6), frame.get_mut(at)) {
            (0, Some(byte)) => *byte = random.byte(),
            (1, Some(byte)) => *byte ^= 1 << random.below(8),
            (2, Some(byte)) => *byte = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            (3, _) => frame.truncate(at),
            (4, Some(_)) => drop(frame.remove(at)),
            _ => {
                let count = random.below(8);
                frame.extend(random.bytes(count));
            }
        }
    }
}

fn host(random: &mut Random, six: bool) -> IpAddr {
    if six {
        let mut octets = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0).octets();
        octets[15] = random.byte();
        octets[9] = random.byte();
        IpAddr::V6(octets.into())
    } else {
        IpAddr::V4(Ipv4Addr::new(10, 0, random.byte(), random.byte()))
    }
}

fn v4(random: &mut Random) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, random.byte(), random.byte())
}

fn v6(random: &mut Random) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, random.word(), random.word())
}

/// An endpoint with a port for which nobody has a decoder of their own.
fn endpoint(random: &mut Random, six: bool) -> SocketAddr {
    let port = 20000 + random.word() % 300;
    SocketAddr::new(host(random, six), port)
}

fn payload(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0 => Vec::new(),
        1 => b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n".to_vec(),
        2 => {
            // No protocol begins with a zero byte and then so.
            let count = random.below(40);
            let mut bytes = vec![0, 0xfe];
            bytes.extend(random.bytes(count));
            bytes
        }
        _ => b"hello".to_vec(),
    }
}

fn tcp_segment(random: &mut Random, six: bool) -> Vec<u8> {
    let (from, to) = (endpoint(random, six), endpoint(random, six));
    let cookie = random.bytes(8);
    let mut options = Vec::new();
    for _ in 0..random.below(5) {
        options.push(match random.below(9) {
            0 => TcpOption::MaximumSegmentSize(random.word()),
            1 => TcpOption::WindowScale(random.byte() % 15),
            2 => TcpOption::SackPermitted,
            3 => {
                let blocks: Vec<_> = (0..=random.below(3)).map(|_| (random.long(), random.long())).collect();
                TcpOption::Sack(SackBlocks::new(&blocks))
            }
            4 => TcpOption::Timestamps { value: random.long(), echo: random.long() },
            5 => TcpOption::UserTimeout { minutes: random.flip(), timeout: random.word() & 0x7fff },
            6 => TcpOption::FastOpen(&cookie),
            7 => TcpOption::Other { kind: 200, data: &cookie[..3] },
            _ => TcpOption::NoOperation,
        });
    }
    let header = tcp::Header {
        sequence: random.long(),
        acknowledgment: random.long(),
        flags: Flags::from_bits(random.word()),
        window: random.word(),
        urgent: random.word(),
        options: &options,
        ..tcp::Header::new(0, 0)
    };
    build::tcp(from, to, &header, &payload(random))
}

fn udp_datagram(random: &mut Random, six: bool) -> Vec<u8> {
    let (from, to) = (endpoint(random, six), endpoint(random, six));
    let mut frame = build::udp(from, to, &payload(random));
    if !six && random.below(3) == 0 {
        frame[40..42].fill(0);
    }
    frame
}

fn arp_packet(random: &mut Random) -> Vec<u8> {
    let sender = v4(random);
    build::arp(&arp::Packet {
        operation: 1 + random.word() % 2,
        sender_hardware: build::card_of(sender.into()),
        sender_protocol: sender,
        target_hardware: Mac::default(),
        target_protocol: v4(random),
    })
}

fn ping(random: &mut Random, six: bool) -> Vec<u8> {
    let (from, to) = (host(random, six), host(random, six));
    let kind = match (six, random.flip()) {
        (false, true) => icmp::kind::ECHO,
        (false, false) => icmp::kind::ECHO_REPLY,
        (true, true) => icmpv6::kind::ECHO,
        (true, false) => icmpv6::kind::ECHO_REPLY,
    };
    let count = 16 + random.below(40);
    let message = icmp::Message::echo(kind, random.word(), random.word(), &random.bytes(count));
    build::icmp(from, to, &message)
}

fn error(random: &mut Random, six: bool) -> Vec<u8> {
    let about = if random.flip() { tcp_segment(random, six) } else { udp_datagram(random, six) };
    let about = &about[14..];
    let (from, to) = (host(random, six), host(random, six));
    let message = if six {
        let (kind, codes) = [(1, 7), (2, 1), (3, 2), (4, 3)][random.below(4)];
        let code = u8::try_from(random.below(codes)).unwrap_or(0);
        let rest = if kind == 2 { 1280u32.to_be_bytes() } else { [0, 0, 0, 0] };
        icmp::Message { kind, code, rest, body: about.to_vec() }
    } else {
        let (kind, codes) = [(3, 16), (11, 2), (5, 4), (12, 3)][random.below(4)];
        let code = u8::try_from(random.below(codes)).unwrap_or(0);
        let rest = match kind {
            5 => v4(random).octets(),
            12 => [random.byte() % 20, 0, 0, 0],
            3 if code == 4 => [0, 0, 5, 0xdc],
            _ => [0; 4],
        };
        icmp::Message { rest, ..icmp::Message::error(kind, code, about) }
    };
    build::icmp(from, to, &message)
}

fn neighbor(random: &mut Random) -> Vec<u8> {
    let (from, to) = (v6(random), v6(random));
    let option = |kind: u8, random: &mut Random| [&[kind, 1][..], &random.bytes(6)].concat();
    let target = v6(random).octets().to_vec();
    let (kind, rest, body) = match random.below(3) {
        0 => (icmpv6::kind::NEIGHBOR_SOLICITATION, [0; 4], [target, option(1, random)].concat()),
        1 => {
            let flags = random.byte() & 0xe0;
            (icmpv6::kind::NEIGHBOR_ADVERTISEMENT, [flags, 0, 0, 0], [target, option(2, random)].concat())
        }
        _ => {
            let timers = random.bytes(8);
            let mtu = [&[5, 1, 0, 0][..], &1500u32.to_be_bytes()].concat();
            let body = [timers, option(1, random), mtu].concat();
            (icmpv6::kind::ROUTER_ADVERTISEMENT, [64, random.byte() & 0xc0, 7, 8], body)
        }
    };
    build::icmp(from.into(), to.into(), &icmp::Message { kind, code: 0, rest, body })
}

fn in_frame(number: u16, datagram: &[u8]) -> Vec<u8> {
    Header::new(Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]), number).encode(datagram)
}

fn ipv4_with_options(random: &mut Random) -> Vec<u8> {
    let (from, to) = (v4(random), v4(random));
    let mut options = Vec::new();
    for _ in 0..=random.below(2) {
        match random.below(5) {
            0 => options.extend([1, 1, 1, 1]),
            1 => options.extend([7, 7, 4, 10, 0, 0, 1, 1]),
            2 => options.extend([0x44, 12, 5, 1, 10, 0, 0, 1, 0, 0, 1, 2]),
            3 => options.extend([0x94, 4, 0, 0]),
            _ => options.extend([0x1e, 6, 1, 2, 3, 4, 1, 1]),
        }
    }
    let header = ipv4::Header {
        dscp: random.byte() >> 2,
        ecn: random.byte() >> 6,
        identification: random.word(),
        dont_fragment: random.flip(),
        time_to_live: random.byte().max(1),
        options,
        ..ipv4::Header::new(from, to, 17)
    };
    let udp = udp::Header { source: 20001, destination: 20002 }.encode(from.into(), to.into(), b"options");
    in_frame(ether_type::IPV4, &header.encode(&udp))
}

fn ipv4_fragment(random: &mut Random) -> Vec<u8> {
    let (from, to) = (v4(random), v4(random));
    let udp = udp::Header { source: 20001, destination: 20002 }.encode(from.into(), to.into(), &[0xab; 64]);
    let first = random.flip();
    let header = ipv4::Header {
        identification: random.word(),
        dont_fragment: false,
        more_fragments: first,
        fragment_offset: if first { 0 } else { 4 },
        ..ipv4::Header::new(from, to, 17)
    };
    let piece = if first { &udp[..32] } else { &udp[32..] };
    in_frame(ether_type::IPV4, &header.encode(piece))
}

fn ipv6_with_extensions(random: &mut Random) -> Vec<u8> {
    let (from, to) = (v6(random), v6(random));
    let udp = udp::Header { source: 20001, destination: 20002 }.encode(from.into(), to.into(), b"extended");
    let (next, chain): (u8, Vec<u8>) = match random.below(4) {
        0 => (0, [&[17, 0, 5, 2, 0, 0, 1, 0][..], &udp].concat()),
        1 => (60, [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp].concat()),
        2 => {
            let id = random.long().to_be_bytes();
            (44, [&[17, 0, 0, 1][..], &id, &udp].concat())
        }
        _ => (0, [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[17, 1, 1, 12], &[0; 12], &udp].concat()),
    };
    let header = ipv6::Header {
        traffic_class: random.byte(),
        flow_label: random.long() & 0xf_ffff,
        hop_limit: random.byte().max(1),
        ..ipv6::Header::new(from, to, next)
    };
    in_frame(ether_type::IPV6, &header.encode(&chain))
}

fn other_link(random: &mut Random) -> Vec<u8> {
    let (from, to) = (endpoint(random, false), endpoint(random, false));
    let inner = build::udp(from, to, b"tagged");
    let tag = Tag { priority: random.byte() & 7, drop_eligible: random.flip(), vlan: random.word() & 0xfff };
    match random.below(3) {
        0 => in_frame(0x88b5, b"an experiment"),
        1 => in_frame(3, &[0x42, 0x42, 3]),
        _ => {
            let header = Header::new(Mac([2, 0, 0, 0, 0, 1]), Mac::BROADCAST, ether_type::IPV4);
            Header { tag: Some(tag), ..header }.encode(&inner[14..])
        }
    }
}
