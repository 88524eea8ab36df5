//! Frames that programs of others sent are taken apart, every bit of them.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

use std::fs;

use sockwalk::wire::{
    flow::Flows,
    frame::{Context, Payload, Protocol, dissect},
    fuzz,
    summary::{short, summary},
};

#[path = "support/pcap.rs"]
mod pcap;

fn frames(name: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/tests/data/captures/{name}.pcap", env!("CARGO_MANIFEST_DIR"));
    pcap::read(&fs::read(path).unwrap())
}

#[test]
fn the_laws_hold_for_every_frame() {
    let mut count = 0;
    for entry in fs::read_dir(format!("{}/tests/data/captures", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pcap") {
            for frame in pcap::read(&fs::read(path).unwrap()) {
                fuzz::frame(&frame);
                count += 1;
            }
        }
    }
    assert!(count > 80, "{count} frames");
}

#[test]
fn hello_from_nc_is_told_in_eight_lines() {
    let mut flows = Flows::default();
    let told: Vec<_> = frames("01-tcp-nc")
        .iter()
        .map(|frame| {
            let seen = flows.see_frame(frame);
            (short(frame, seen.as_ref()), summary(frame, seen.as_ref()))
        })
        .collect();
    let shorts: Vec<_> = told.iter().map(|(short, _)| short.as_str()).collect();
    assert_eq!(
        shorts,
        [
            "SYN seq 0",
            "SYN,ACK seq 0 ack 1",
            "ACK 1",
            "5 bytes seq 1–5 (PSH,ACK)",
            "ACK 6",
            "FIN,ACK seq 6 ack 1",
            "FIN,ACK seq 1 ack 7",
            "ACK 2",
        ]
    );
    let data = "TCP 127.0.0.1:48364 → 127.0.0.1:19001 [PSH,ACK] seq 1 ack 1 win 65536 len 5";
    assert_eq!(told[3].1, data);
}

#[test]
fn a_datagram_of_udp_is_told() {
    let told: Vec<_> = frames("02-udp-nc").iter().map(|frame| summary(frame, None)).collect();
    assert_eq!(told, ["UDP 127.0.0.1:39150 → 127.0.0.1:19002 len 5"]);
}

#[test]
fn loopback_leaves_checksums_to_the_card() {
    for frame in frames("01-tcp-nc") {
        let dissection = dissect(&frame, Context::default());
        let sum = dissection.fields.iter().find(|field| field.name == "Checksum").unwrap();
        assert!(sum.meaning.starts_with("unfinished"), "{}", sum.meaning);
    }
}

#[test]
fn heads_and_websocket_frames_are_found_in_segments() {
    let of = |name: &str, payload: Payload| {
        let all = frames(name);
        let dissected: Vec<_> =
            all.iter().map(|frame| dissect(frame, Context { seen: None, payload })).collect();
        dissected
    };
    let heads = of("03a-http-short-poll", Payload::Guess);
    assert!(heads.iter().filter(|one| one.layer(Protocol::Http).is_some()).count() >= 6);
    let sockets = of("05a-ws-node-plain", Payload::WebSocket);
    let hello = sockets.iter().flat_map(|one| &one.fields).find(|field| field.name == "Payload Data");
    assert!(hello.is_some());
}
