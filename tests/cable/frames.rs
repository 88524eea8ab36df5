//! What crosses a plain cable, and that nothing else does.

use std::time::Duration;

use sockwalk::{
    call::{self, Bind, Connect, NewSocket, Protocol, Request, Site},
    event::Host,
    stage::{CableOptions, Fate, Frame},
};

use super::{harness::Case, world::*};

pub const CASES: &[Case] = &[
    ("frames::tcp_echoes_across_the_cable_and_every_frame_is_seen", tcp_echoes),
    ("frames::udp_crosses", udp),
    ("frames::an_idle_cable_is_silent", silence),
    ("frames::every_checksum_is_true_and_no_frame_is_larger_than_the_interface", checksums),
    ("frames::a_lot_of_bytes_cross_unrecorded", bulk),
    ("frames::without_known_neighbours_the_first_frame_is_arps", arp),
];

fn tcp_echoes() {
    let stage = stage(CableOptions::default());
    assert!(stage.is("cable") && stage.name() == "cable" && !stage.is_live());
    connected(&stage, Protocol::Tcp);
    echo(&stage);
    until("the cable is quiet", || wire(&stage).is_quiet());
    let happenings = wire(&stage).take_events();
    let frames = seen(&happenings);
    let handshake: Vec<u8> = frames.iter().take(3).map(|frame| tcp(frame).unwrap().0).collect();
    assert_eq!(handshake, [SYN, SYN_ACK, 0x10]);
    let payloads: Vec<&[u8]> =
        frames.iter().map(|frame| tcp(frame).unwrap().1).filter(|p| !p.is_empty()).collect();
    assert_eq!(payloads, [b"hello", b"world"]);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.number, index as u64 + 1);
        assert_eq!(fates(&happenings, frame.number), [Fate::Delivered]);
    }
    assert!(happenings.is_sorted_by_key(|one| one.at));
}

fn udp() {
    let stage = stage(CableOptions::default());
    let address = (stage.address(Host::Server, false), PORT).into();
    call(&stage, Host::Server, Request::NewSocket(NewSocket { protocol: Protocol::Udp }), "", "s").unwrap();
    call(&stage, Host::Server, Request::Bind(Bind { address }), "s", "").unwrap();
    call(&stage, Host::Client, Request::NewSocket(NewSocket { protocol: Protocol::Udp }), "", "c").unwrap();
    call(&stage, Host::Client, Request::Connect(Connect { address }), "c", "").unwrap();
    send(&stage, Host::Client, "c", b"hello");
    assert_eq!(recv(&stage, Host::Server, "s"), b"hello");
}

fn silence() {
    for known_neighbours in [true, false] {
        let stage = stage(CableOptions { known_neighbours, ..CableOptions::default() });
        let any = wire(&stage).wait_for_event(Duration::from_millis(1500));
        assert!(!any && wire(&stage).is_quiet(), "{:#?}", wire(&stage).take_events());
    }
}

fn checksums() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    send(&stage, Host::Client, "c", &[b'x'; 5000]);
    let mut received = 0;
    while received < 5000 {
        received += recv(&stage, Host::Server, "s").len();
    }
    let frames = seen(&wire(&stage).take_events());
    let lengths: Vec<usize> =
        frames.iter().map(|frame| tcp(frame).unwrap().1.len()).filter(|length| *length > 0).collect();
    assert_eq!(lengths, [1448, 1448, 1448, 656]);
    for frame in &frames {
        assert!(frame.bytes.len() <= 1514);
        let (header, length) = ipv4(frame).unwrap();
        let packet = &frame.bytes[14..14 + length];
        assert_eq!(sum(&packet[..header], 0), 0xffff, "IP header of {frame:?}");
        // RFC 9293 §3.1: the pseudo header is the two addresses, the protocol and the length.
        let pseudo = sum(&packet[12..20], 6 + u32::try_from(length - header).unwrap());
        assert_eq!(sum(&packet[header..], pseudo), 0xffff, "segment of {frame:?}");
    }
}

/// RFC 1071: the sum of all 16-bit words, carries added again.
fn sum(bytes: &[u8], start: u32) -> u32 {
    let mut sum = bytes.chunks(2).fold(start, |sum, two| {
        sum + u32::from(u16::from_be_bytes([two[0], two.get(1).copied().unwrap_or(0)]))
    });
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

fn bulk() {
    const ALL: usize = 64 << 20;
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    wire(&stage).take_events();
    wire(&stage).set_recording(false);
    let began = std::time::Instant::now();
    let sending = stage.start(
        Host::Client,
        Box::new(|desk| {
            let (socket, bytes) = (desk.find("c").unwrap(), vec![7; 1 << 18]);
            let mut done = None;
            for _ in 0..ALL / bytes.len() {
                let mut left = bytes.len();
                while left > 0 {
                    let ran = Request::Send(call::Send { bytes: bytes[..left].to_vec(), flags: vec![] })
                        .perform(&Site { table: desk, on: Some(&socket), result: None });
                    let Ok(sockwalk::event::Value::Count(count)) = &ran.outcome else { return ran };
                    left -= count;
                    done = Some(ran);
                }
            }
            done.unwrap()
        }),
    );
    let mut received = 0;
    while received < ALL {
        received += recv(&stage, Host::Server, "s").len();
    }
    finish(&sending).outcome.unwrap();
    let took = began.elapsed();
    println!("  {} MiB in {took:.2?}: {:.0} MiB/s", ALL >> 20, (ALL >> 20) as f64 / took.as_secs_f64());
    assert!(wire(&stage).take_events().is_empty());
    // Round trips of one byte.
    let began = std::time::Instant::now();
    const TRIPS: u32 = 500;
    for _ in 0..TRIPS {
        send(&stage, Host::Client, "c", b"x");
        assert_eq!(recv(&stage, Host::Server, "s"), b"x");
    }
    println!("  one byte across, with both hosts told to: {:.1?}", began.elapsed() / TRIPS);
}

fn arp() {
    let stage = stage(CableOptions { known_neighbours: false, ..CableOptions::default() });
    connected(&stage, Protocol::Tcp);
    let frames = seen(&wire(&stage).take_events());
    let is_arp = |frame: &Frame| frame.bytes[12..14] == [0x08, 0x06];
    assert!(is_arp(&frames[0]) && is_arp(&frames[1]) && frames[0].from == Host::Client, "{frames:?}");
    assert_eq!(tcp(&frames[2]).unwrap().0, SYN);
}
