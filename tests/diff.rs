//! `sockwalk diff`, run as a person runs it: both sides are what the sockets carried.

use std::{io::Write, process::Stdio};

use serde_json::Value;
use tungstenite::{
    WebSocket,
    protocol::{Role, WebSocketConfig},
};

use crate::support::{Folder, run, sockwalk, stderr, stdout};

fn told(arguments: &[&str]) -> Value {
    let output = run(&[&["diff", "--json"], arguments].concat());
    assert!(output.status.success(), "{}{}", stderr(&output), stdout(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

/// What tungstenite makes of a stream of frames.
fn read_by_tungstenite(stream: &[u8], role: Role, messages: usize) -> Vec<Vec<u8>> {
    let config = WebSocketConfig::default();
    let line = std::io::Cursor::new(stream.to_vec());
    let mut websocket = WebSocket::from_raw_socket(line, role, Some(config));
    (0..messages).map(|_| websocket.read().unwrap().into_data().to_vec()).collect()
}

#[test]
fn a_message_is_the_same_over_both_and_costs_what_the_rfc_says() {
    for (size, header) in [(0, 6), (1, 6), (125, 6), (126, 8), (5000, 8), (65_535, 8), (65_536, 14)] {
        let message = "x".repeat(size);
        let folder = Folder::new();
        let file = folder.file("message", &message);
        for (from, mask, role) in [("client", 4, Role::Server), ("server", 0, Role::Client)] {
            let both = told(&["--file", &file, "--from", from]);
            let header = header - 4 + mask;
            assert_eq!(bytes(&both["tcp"]["bytes"]), message.as_bytes(), "{size} from the {from}");
            let stream = bytes(&both["websocket"]["bytes"]);
            assert_eq!(stream.len(), size + header, "{size} from the {from}");
            assert_eq!(read_by_tungstenite(&stream, role, 1), [message.as_bytes()]);
            assert_eq!(both["websocket"]["bill"]["sent"], size + header);
        }
    }
}

#[test]
fn pieces_are_sends_and_messages() {
    let both = told(&["hello", "--split", "2,2", "--repeat", "3", "--binary"]);
    assert_eq!(both["messages"], 9);
    assert_eq!(both["tcp"]["sends"].as_array().unwrap().len(), 9);
    let stream = bytes(&both["websocket"]["bytes"]);
    let messages = read_by_tungstenite(&stream, Role::Server, 9);
    assert_eq!(messages.concat(), b"hello".repeat(3));
    assert_eq!(messages[2], b"o");
    // What a program took in one recv is not what another gave in one send.
    assert!(both["tcp"]["recvs"].as_array().unwrap().len() < 9);
}

#[cfg(target_os = "linux")]
#[test]
fn on_the_cable_packets_are_counted() {
    let both = told(&["hello"]);
    for side in ["tcp", "websocket"] {
        let bill = &both[side]["bill"];
        assert_eq!(bill["tcp_payload"], bill["sent"], "{bill}");
        assert!(bill["packets"].as_u64().unwrap() >= 2, "{bill}");
        // Ethernet, IPv4, TCP with timestamps.
        let headers = 14 + 20 + 32;
        let expected = bill["packets"].as_u64().unwrap() * headers + bill["sent"].as_u64().unwrap();
        assert_eq!(bill["on_the_wire"], expected);
    }
    assert_eq!(both["tcp"]["opening"]["packets"], 3);
    let both = told(&["hello", "--stage", "loopback"]);
    assert!(both["tcp"]["bill"]["packets"].is_null() && both["tcp"]["segments"].is_null());
}

#[test]
fn a_message_comes_from_standard_input_and_goes_into_the_trace() {
    let folder = Folder::new();
    let trace = folder.path("trace");
    let mut child = sockwalk(&folder, &["diff", "--json", "--trace", &trace])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("grüße".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let both: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bytes(&both["message"]), "grüße".as_bytes());
    let lessons = std::fs::read_to_string(trace).unwrap();
    assert_eq!(lessons.lines().filter(|line| line.contains(r#""event":"lesson""#)).count(), 2);
}

#[test]
fn the_sweep_is_a_chart_a_table_and_a_picture() {
    let folder = Folder::new();
    let (csv, svg) = (folder.path("sweep.csv"), folder.path("sweep.svg"));
    let output = run(&["diff", "--sweep", "--csv", &csv, "--svg", &svg]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("65,536 bytes"), "{}", stdout(&output));
    let csv = std::fs::read_to_string(csv).unwrap();
    let overheads: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(3).unwrap()).collect();
    assert_eq!(overheads, ["6", "6", "6", "8", "8", "14", "14"]);
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg"));
}

#[test]
fn what_can_not_be_compared_is_told() {
    for (arguments, code, told) in [
        (&["hello", "--split", "9"][..], 1, "--split takes 9 bytes"),
        (&[r"\xff"], 1, "--binary"),
        (&[r"\q"], 2, "no escape"),
        (&["--file", "/nothing/there"], 1, "can't open"),
        (&["hello", "--sweep"], 2, "--sweep"),
        (&["hello", "--repeat", "0"], 2, "--repeat"),
    ] {
        let output = run(&[&["diff"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
    }
}

/// The protocols that this machine can show, without the cable's raw sockets on loopback.
fn roads(arguments: &[&str]) -> Vec<Value> {
    let all = told(&[&["--protocols", "all", "--interval", "100ms"], arguments].concat());
    all["protocols"].as_array().unwrap().clone()
}

#[test]
fn every_road_carries_the_message_whole_whoever_sends_it() {
    let folder = Folder::new();
    for (from, message) in [("client", "hello"), ("server", "hello"), ("client", "grüße\n\"\\ \u{1f600}")] {
        let roads = roads(&["--from", from, "--file", &folder.file("message", message)]);
        assert!(roads.len() >= 6);
        for road in roads {
            if let Some(why) = road["cannot"].as_str() {
                assert_eq!(road["protocol"], "icmp", "{why}");
                continue;
            }
            let layers = road["layers"].as_array().unwrap();
            let innermost = layers.last().unwrap();
            assert_eq!(innermost["protocol"], "message", "{road}");
            assert_eq!(bytes(&innermost["bytes"]), message.as_bytes(), "{}", road["protocol"]);
        }
    }
}

#[test]
fn who_polls_has_news_late_and_who_is_connected_at_once() {
    let roads = roads(&["--from", "server", "hello"]);
    let after = |name: &str| {
        let road = roads.iter().find(|road| road["protocol"] == name).unwrap();
        road["news_after_us"].as_u64()
    };
    assert_eq!(after("http"), None, "nobody asks");
    let poll = after("poll").unwrap();
    assert!(poll >= 50_000, "half of the interval: {poll}");
    for name in ["tcp", "udp", "long-poll", "websocket"] {
        assert!(after(name).unwrap() < poll, "{name}");
    }
}

#[test]
fn what_a_protocol_can_not_take_is_told_beside_it() {
    let output = run(&["diff", "--protocols", "udp,tcp", "--binary", "--json", "--file", "/dev/stdin"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = Folder::new();
    let file = folder.file("long", "x".repeat(70_000));
    let long = told(&["--protocols", "udp,tcp", "--file", &file]);
    let [tcp, udp] = &long["protocols"].as_array().unwrap()[..] else { panic!("{long}") };
    assert_eq!((bytes(&tcp["bytes"]).len(), tcp["protocol"].as_str()), (70_000, Some("tcp")));
    assert!(udp["cannot"].as_str().unwrap().contains("65507"), "{udp}");
}

/// Packets, bytes and payload of a capture, as tshark counts them.
#[cfg(target_os = "linux")]
fn counted(file: &str) -> (u64, u64, u64) {
    let output = std::process::Command::new("tshark")
        // A frame stands on its sender's interface and on its receiver's.
        .args([
            "-r",
            file,
            "-Y",
            "frame.interface_name == \"client\"",
            "-T",
            "fields",
            "-e",
            "frame.len",
            "-e",
            "tcp.len",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let mut sum = (0, 0, 0);
    for line in text.lines() {
        let mut numbers = line.split('\t').map(|number| number.parse::<u64>().unwrap_or(0));
        sum = (sum.0 + 1, sum.1 + numbers.next().unwrap(), sum.2 + numbers.next().unwrap_or(0));
    }
    sum
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs tshark and the cable"]
fn the_bill_is_what_tshark_counts() {
    let names: Vec<String> =
        roads(&["hello"]).iter().map(|road| road["protocol"].as_str().unwrap().to_owned()).collect();
    for name in names {
        for from in ["client", "server"] {
            let folder = Folder::new();
            let pcap = folder.path("run.pcapng");
            let arguments = [
                "--stage",
                "cable",
                "--protocols",
                &name,
                "--interval",
                "50ms",
                "--from",
                from,
                "--pcap",
                &pcap,
            ];
            let it = told(&[&arguments[..], &["hello"]].concat());
            let road = &it["protocols"][0];
            let sum = |key: &str| -> u64 {
                let parts = ["opening", "bill", "news", "beat", "closing"];
                parts.iter().map(|part| road[part][key].as_u64().unwrap()).sum()
            };
            let bill = (sum("packets"), sum("on_the_wire"), sum("tcp_payload"));
            assert_eq!(bill, counted(&pcap), "{name} from the {from}: {road}");
        }
    }
}
