//! tshark as the judge: what both know of a frame must have the same place, the same length and the same
//! value.
//!
//! `cargo test --test main tshark:: -- --ignored`

use std::{collections::BTreeMap, fs, ops::Range, process::Command};

use serde_json::Value;
use sockwalk::wire::{
    Field,
    flow::Flows,
    frame::{Context, build, dissect},
    fuzz::{Random, mutate, sample},
    tcp::{Flags, Header},
    tcp::{Remark, Seen},
};

use crate::support::{pcap, run, stderr, stdout};

/// Ours and theirs. Theirs may be several, ours too: what stands at the same place decides.
const SAME: &[(&str, &[&str])] = &[
    ("Destination Address", &["eth.dst", "ip.dst", "ipv6.dst"]),
    ("Source Address", &["eth.src", "ip.src", "ipv6.src"]),
    ("EtherType", &["eth.type", "vlan.etype", "eth.len"]),
    ("PCP", &["vlan.priority"]),
    ("DEI", &["vlan.dei"]),
    ("VID", &["vlan.id"]),
    ("trailer", &["eth.trailer", "eth.padding"]),
    ("ar$hrd", &["arp.hw.type"]),
    ("ar$pro", &["arp.proto.type"]),
    ("ar$hln", &["arp.hw.size"]),
    ("ar$pln", &["arp.proto.size"]),
    ("ar$op", &["arp.opcode"]),
    ("ar$sha", &["arp.src.hw_mac"]),
    ("ar$spa", &["arp.src.proto_ipv4"]),
    ("ar$tha", &["arp.dst.hw_mac"]),
    ("ar$tpa", &["arp.dst.proto_ipv4"]),
    ("Version", &["ip.version", "ipv6.version"]),
    ("IHL", &["ip.hdr_len"]),
    ("DSCP", &["ip.dsfield.dscp", "ipv6.tclass.dscp"]),
    ("ECN", &["ip.dsfield.ecn", "ipv6.tclass.ecn"]),
    ("Total Length", &["ip.len"]),
    ("Identification", &["ip.id", "ipv6.fraghdr.ident"]),
    ("reserved", &["ip.flags.rb"]),
    ("DF", &["ip.flags.df"]),
    ("MF", &["ip.flags.mf"]),
    ("Fragment Offset", &["ip.frag_offset", "ipv6.fraghdr.offset"]),
    ("Time to Live", &["ip.ttl"]),
    ("Protocol", &["ip.proto"]),
    ("Header Checksum", &["ip.checksum"]),
    ("copied flag", &["ip.opt.type.copy"]),
    ("option class", &["ip.opt.type.class"]),
    ("option number", &["ip.opt.type.number"]),
    ("option length", &["ip.opt.len"]),
    ("pointer", &["ip.opt.ptr"]),
    ("route data", &["ip.rec_rt", "ip.empty_rt"]),
    ("overflow", &["ip.opt.ovf"]),
    ("flag", &["ip.opt.flag"]),
    ("internet address", &["ip.opt.time_stamp_addr"]),
    ("timestamp", &["ip.opt.time_stamp"]),
    ("Value", &["ip.opt.ra", "ipv6.opt.router_alert"]),
    ("Flow Label", &["ipv6.flow"]),
    ("Payload Length", &["ipv6.plen"]),
    (
        "Next Header",
        &["ipv6.nxt", "ipv6.hopopts.nxt", "ipv6.dstopts.nxt", "ipv6.fraghdr.nxt", "ipv6.routing.nxt"],
    ),
    ("Hdr Ext Len", &["ipv6.hopopts.len", "ipv6.dstopts.len"]),
    ("Hop Limit", &["ipv6.hlim"]),
    ("M", &["ipv6.fraghdr.more", "icmpv6.nd.ra.flag.m"]),
    ("Option Type: action", &["ipv6.opt.type.action"]),
    ("Option Type: change", &["ipv6.opt.type.change"]),
    ("Option Type: rest", &["ipv6.opt.type.rest"]),
    ("Opt Data Len", &["ipv6.opt.length"]),
    ("Source Port", &["tcp.srcport", "udp.srcport"]),
    ("Destination Port", &["tcp.dstport", "udp.dstport"]),
    ("Sequence Number", &["tcp.seq_raw", "icmp.seq", "icmpv6.echo.sequence_number"]),
    ("Acknowledgment Number", &["tcp.ack_raw"]),
    ("DOffset", &["tcp.hdr_len"]),
    ("Rsrvd", &["tcp.flags.res"]),
    ("AE", &["tcp.flags.ae", "tcp.flags.ns"]),
    ("CWR", &["tcp.flags.cwr"]),
    ("ECE", &["tcp.flags.ece"]),
    ("URG", &["tcp.flags.urg"]),
    ("ACK", &["tcp.flags.ack"]),
    ("PSH", &["tcp.flags.push"]),
    ("RST", &["tcp.flags.reset"]),
    ("SYN", &["tcp.flags.syn"]),
    ("FIN", &["tcp.flags.fin"]),
    ("Window", &["tcp.window_size_value"]),
    ("Checksum", &["tcp.checksum", "udp.checksum", "icmp.checksum", "icmpv6.checksum"]),
    ("Urgent Pointer", &["tcp.urgent_pointer"]),
    ("Kind", &["tcp.option_kind"]),
    ("Length", &["tcp.option_len", "udp.length"]),
    ("MSS", &["tcp.options.mss_val"]),
    ("shift.cnt", &["tcp.options.wscale.shift"]),
    ("Left Edge", &["tcp.options.sack_le"]),
    ("Right Edge", &["tcp.options.sack_re"]),
    ("TSval", &["tcp.options.timestamp.tsval"]),
    ("TSecr", &["tcp.options.timestamp.tsecr"]),
    ("G", &["tcp.options.user_to_granularity"]),
    ("User Timeout", &["tcp.options.user_to_val"]),
    ("Cookie", &["tcp.options.tfo.cookie"]),
    ("Type", &["icmp.type", "icmpv6.type"]),
    ("Code", &["icmp.code", "icmpv6.code"]),
    ("Identifier", &["icmp.ident", "icmpv6.echo.identifier"]),
    ("Next-Hop MTU", &["icmp.mtu"]),
    ("Gateway Internet Address", &["icmp.redir_gw"]),
    ("Pointer", &["icmp.pointer", "icmpv6.pointer"]),
    ("MTU", &["icmpv6.mtu", "icmpv6.opt.mtu"]),
    ("Target Address", &["icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address"]),
    ("R", &["icmpv6.nd.na.flag.r"]),
    ("S", &["icmpv6.nd.na.flag.s"]),
    ("O", &["icmpv6.nd.na.flag.o", "icmpv6.nd.ra.flag.o"]),
    ("Option Type", &["icmpv6.opt.type"]),
    ("Option Length", &["icmpv6.opt.length"]),
    ("Link-Layer Address", &["icmpv6.opt.linkaddr"]),
    ("Cur Hop Limit", &["icmpv6.nd.ra.cur_hop_limit"]),
    ("Router Lifetime", &["icmpv6.nd.ra.router_lifetime"]),
    ("Reachable Time", &["icmpv6.nd.ra.reachable_time"]),
    ("Retrans Timer", &["icmpv6.nd.ra.retrans_timer"]),
];

/// A field as tshark has it.
#[derive(Debug)]
struct Theirs {
    name: String,
    shown: String,
    hex: String,
    bits: Range<usize>,
}

fn collect(value: &Value, into: &mut Vec<Theirs>) {
    let Value::Object(object) = value else {
        if let Value::Array(array) = value {
            array.iter().for_each(|value| collect(value, into));
        }
        return;
    };
    for (key, value) in object {
        // Their `tcp.seq_raw` is a field, and has a `tcp.seq_raw_raw`; so `tcp.seq` can have none.
        let place = key.strip_suffix("_raw").filter(|_| value.is_array());
        let Some(name) = place else {
            let has_place = object.get(&format!("{key}_raw")).is_some_and(Value::is_array);
            if let (Value::String(shown), false) = (value, has_place) {
                into.push(Theirs { name: key.clone(), shown: shown.clone(), hex: String::new(), bits: 0..0 });
            }
            collect(value, into);
            continue;
        };
        let shown = object.get(name);
        // One, or with several of the same name a list of them.
        let Value::Array(array) = value else { continue };
        let several = array.first().is_some_and(Value::is_array);
        let all: Vec<&Value> = if several { array.iter().collect() } else { vec![value] };
        for (index, one) in all.into_iter().enumerate() {
            let shown = match shown {
                Some(Value::Array(values)) => values.get(index).and_then(Value::as_str),
                Some(value) => value.as_str(),
                None => None,
            };
            let number = |index: usize| usize::try_from(one[index].as_u64().unwrap()).unwrap();
            let (at, length, mask) = (number(1), number(2), number(3));
            let mut hex = one[0].as_str().unwrap_or_default();
            let bits = match (name, mask) {
                // These they show with the whole byte that they are half of.
                ("ip.version" | "ipv6.version", 0) => {
                    hex = &hex[..1];
                    at * 8..at * 8 + 4
                }
                ("ip.hdr_len", 0) => {
                    hex = &hex[1..];
                    at * 8 + 4..at * 8 + 8
                }
                ("tcp.hdr_len", 0) => {
                    hex = &hex[..1];
                    at * 8..at * 8 + 4
                }
                (_, 0) => at * 8..(at + length) * 8,
                (_, mask) => {
                    // The mask counts from the end of the bytes; flags of TCP have a longer mask than bytes.
                    let (high, low) = (usize::BITS - mask.leading_zeros(), mask.trailing_zeros());
                    let end = (at + length.max((high as usize).div_ceil(8))) * 8;
                    end - high as usize..end - low as usize
                }
            };
            into.push(Theirs {
                name: name.into(),
                shown: shown.unwrap_or_default().into(),
                hex: hex.into(),
                bits,
            });
        }
    }
}

fn tshark(frames: &[Vec<u8>], label: &str) -> Vec<Vec<Theirs>> {
    let path = std::env::temp_dir().join(format!("sockwalk-{label}-{}.pcap", std::process::id()));
    fs::write(&path, pcap::write(frames)).unwrap();
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args(["-n", "-T", "json", "-x", "--no-duplicate-keys"]);
    for preference in [
        "ip.defragment:FALSE",
        "ipv6.defragment:FALSE",
        "ip.check_checksum:TRUE",
        "tcp.check_checksum:TRUE",
        "udp.check_checksum:TRUE",
        "tcp.desegment_tcp_streams:FALSE",
    ] {
        command.args(["-o", preference]);
    }
    let output = command.output().unwrap();
    fs::remove_file(&path).unwrap();
    let parsed: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(parsed.len(), frames.len());
    parsed
        .iter()
        .map(|packet| {
            let mut all = Vec::new();
            collect(&packet["_source"]["layers"], &mut all);
            all
        })
        .collect()
}

fn as_number(text: &str) -> Option<u128> {
    match text.strip_prefix("0x") {
        Some(hex) => u128::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn agrees(ours: &Field, theirs: &Theirs) -> bool {
    // What we derive stands in brackets behind.
    let value = ours.value.split(" [").next().unwrap();
    let number = u128::from_str_radix(&theirs.hex, 16).ok();
    value == theirs.shown
        || number.is_some() && as_number(value) == number
        || value.replace([' ', ':'], "") == theirs.hex
        // A long value is shown in part.
        || value.strip_suffix(" …").is_some_and(|part| theirs.hex.starts_with(&part.replace(' ', "")))
}

fn padded(fields: &[Field], bits: &Range<usize>) -> bool {
    let padding = |ours: &&Field| ours.name == "Padding";
    fields.iter().filter(padding).any(|ours| ours.bits.start <= bits.start && bits.end <= ours.bits.end)
}

#[derive(Default)]
struct Tally {
    compared: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: &str) {
        *self.compared.entry(name.into()).or_default() += 1;
    }

    fn frame(&mut self, number: usize, fields: &[Field], theirs: &[Theirs]) {
        for field in theirs {
            let names = SAME.iter().filter(|(_, names)| names.contains(&field.name.as_str()));
            let names: Vec<_> = names.map(|(ours, _)| *ours).collect();
            if names.is_empty() || field.bits.is_empty() {
                continue;
            }
            self.count(&field.name);
            // After End of Option List they take each byte of padding for another.
            if field.name == "tcp.option_kind" && padded(fields, &field.bits) {
                continue;
            }
            match fields.iter().find(|ours| ours.bits == field.bits && names.contains(&ours.name)) {
                Some(ours) if agrees(ours, field) => {}
                Some(ours) => self.wrong.push(format!("frame {number}: {ours:?} is not {field:?}")),
                None => self.wrong.push(format!("frame {number}: nothing of ours is {field:?}")),
            }
        }
        for sum in fields.iter().filter(|field| field.name.ends_with("Checksum")) {
            self.checksum(number, sum, theirs);
        }
    }

    fn checksum(&mut self, number: usize, ours: &Field, theirs: &[Theirs]) {
        let calculated = |field: &&Theirs| field.name.ends_with(".checksum_calculated");
        let Some(field) = theirs.iter().filter(calculated).find(|field| field.bits == ours.bits) else {
            return;
        };
        self.count(&field.name);
        let expected = if ours.meaning.starts_with("right") {
            ours.value.as_str()
        } else {
            ours.meaning.rsplit(' ').next().unwrap()
        };
        // In one's complement there are two zeros, and either is right (RFC 1071); a kernel may write the
        // one, and tshark works out the other.
        let zero = |sum: &str| matches!(sum, "0x0000" | "0xffff");
        if expected != field.shown && !(zero(expected) && zero(&field.shown)) {
            self.wrong.push(format!("frame {number}: {ours:?} should be {field:?}"));
        }
    }

    fn relative(&mut self, number: usize, seen: &Seen, theirs: &[Theirs]) {
        let pairs = [
            ("tcp.seq", Some(seen.sequence)),
            ("tcp.ack", seen.acknowledgment),
            ("tcp.window_size", seen.window),
        ];
        for (name, ours) in pairs {
            let (Some(ours), Some(field)) = (ours, theirs.iter().find(|field| field.name == name)) else {
                continue;
            };
            self.count(name);
            if field.shown != ours.to_string() {
                self.wrong.push(format!("frame {number}: {ours} is not {field:?}"));
            }
        }
    }

    fn verdict(&self, least: usize, kinds: usize) {
        let total: usize = self.compared.values().sum();
        assert!(self.wrong.is_empty(), "{} wrong of {total}:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert!(total >= least, "only {total} fields were compared: {:?}", self.compared);
        assert!(self.compared.len() >= kinds, "only {} kinds: {:?}", self.compared.len(), self.compared);
    }
}

#[test]
#[ignore = "needs tshark"]
fn generated_frames_are_read_alike() {
    let mut random = Random::new(7);
    let frames: Vec<_> = (0..400).map(|_| sample(&mut random)).collect();
    let mut tally = Tally::default();
    for (number, (frame, theirs)) in frames.iter().zip(tshark(&frames, "generated")).enumerate() {
        tally.frame(number + 1, &dissect(frame, Context::default()).fields, &theirs);
    }
    tally.verdict(11_000, 105);
}

/// Frames that are wrong are read alike but for a few, where both are right in their way: tshark takes the
/// last 4 bytes of a trailer for a frame check sequence, sums up what was cut off, and reads options that
/// claim too much.
#[test]
#[ignore = "needs tshark"]
fn changed_frames_are_read_nearly_alike() {
    let mut random = Random::new(7);
    let frames: Vec<_> = (0..1000)
        .map(|_| {
            let mut frame = sample(&mut random);
            mutate(&mut random, &mut frame);
            frame.resize(frame.len().max(14), 0);
            frame
        })
        .collect();
    let mut tally = Tally::default();
    for (number, (frame, theirs)) in frames.iter().zip(tshark(&frames, "changed")).enumerate() {
        tally.frame(number + 1, &dissect(frame, Context::default()).fields, &theirs);
    }
    let total: usize = tally.compared.values().sum();
    let (wrong, least) = (tally.wrong.len(), 15_000);
    assert!(total > least && wrong * 50 < total, "{wrong} of {total}:\n{}", tally.wrong.join("\n"));
}

#[test]
#[ignore = "needs tshark"]
fn captured_frames_are_read_alike() {
    let mut tally = Tally::default();
    for entry in fs::read_dir(format!("{}/tests/data/captures", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pcap") {
            continue;
        }
        let frames = pcap::read(&fs::read(&path).unwrap());
        let label = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut flows = Flows::default();
        for (number, (frame, theirs)) in frames.iter().zip(tshark(&frames, &label)).enumerate() {
            let seen = flows.see_frame(frame);
            let context = Context { seen: seen.as_ref(), ..Context::default() };
            tally.frame(number + 1, &dissect(frame, context).fields, &theirs);
            if let Some(seen) = &seen {
                tally.relative(number + 1, seen, &theirs);
            }
        }
    }
    tally.verdict(5000, 45);
}

/// Frames of a lesson that are looked at: one that fills buffers has thousands that are all alike.
const MOST: usize = 1500;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs tshark"]
fn every_frame_of_every_lesson_is_read_alike() {
    let mut tally = Tally::default();
    for lesson in sockwalk::lesson::builtin() {
        let output = run(&["run", lesson.name, "--pace", "auto", "--stage", "cable", "--trace", "-"]);
        assert!(output.status.success(), "{}: {}", lesson.name, stderr(&output));
        let frames: Vec<Vec<u8>> = stdout(&output)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|event| event["event"] == "frame")
            .map(|event| data_encoding::HEXLOWER.decode(event["bytes"].as_str().unwrap().as_bytes()).unwrap())
            .take(MOST)
            .collect();
        assert!(!frames.is_empty() || lesson.name == "socket", "{} has no frames", lesson.name);
        for (number, (frame, theirs)) in frames.iter().zip(tshark(&frames, lesson.name)).enumerate() {
            let told = dissect(frame, Context::default());
            let at = format!("{} of {}", number + 1, lesson.name);
            assert_eq!(sockwalk::wire::field::check(frame.len() * 8, &told.fields), Ok(()), "frame {at}");
            let before = tally.wrong.len();
            tally.frame(number + 1, &told.fields, &theirs);
            tally.wrong[before..].iter_mut().for_each(|wrong| *wrong = format!("{}: {wrong}", lesson.name));
        }
    }
    tally.verdict(10_000, 30);
}

/// What both say about a segment's part in the conversation: ours, and their name for it.
fn analysis(remark: Remark) -> &'static str {
    match remark {
        Remark::Retransmission => "tcp.analysis.retransmission",
        Remark::OutOfOrder => "tcp.analysis.out_of_order",
        Remark::Gap => "tcp.analysis.lost_segment",
        Remark::KeepAlive => "tcp.analysis.keep_alive",
        Remark::KeepAliveAnswer => "tcp.analysis.keep_alive_ack",
        Remark::ZeroWindowProbe => "tcp.analysis.zero_window_probe",
        Remark::ZeroWindowProbeAnswer => "tcp.analysis.zero_window_probe_ack",
        Remark::ZeroWindow => "tcp.analysis.zero_window",
        Remark::WindowUpdate => "tcp.analysis.window_update",
        Remark::DuplicateAcknowledgment(_) => "tcp.analysis.duplicate_ack",
    }
}

#[test]
#[ignore = "needs tshark"]
fn a_troubled_conversation_is_judged_alike() {
    let ends = ["10.0.0.1:20001".parse().unwrap(), "10.0.0.2:20002".parse().unwrap()];
    // The numbers go round in the middle of it.
    let starts = [u32::MAX - 8, 77u32];
    let (syn, ack) = (Flags::SYN, Flags::ACK);
    let fin = Flags::FIN | ack;
    // Who, flags, relative sequence and acknowledgment, bytes, window, what is remarkable.
    let script = [
        (0, syn, 0, 0, 0, 1000, None),
        (1, syn | ack, 0, 1, 0, 2000, None),
        (1, syn | ack, 0, 1, 0, 2000, Some(Remark::Retransmission)),
        (0, ack, 1, 1, 0, 1000, None),
        (0, ack, 1, 1, 10, 1000, None),
        (1, ack, 1, 11, 0, 2000, None),
        (0, ack, 21, 1, 10, 1000, Some(Remark::Gap)),
        (1, ack, 1, 11, 0, 2000, Some(Remark::DuplicateAcknowledgment(1))),
        (1, ack, 1, 11, 0, 2000, Some(Remark::DuplicateAcknowledgment(2))),
        (0, ack, 31, 1, 10, 1000, None),
        (1, ack, 1, 41, 0, 2000, None),
        (0, ack, 31, 1, 10, 1000, Some(Remark::Retransmission)),
        (1, ack, 1, 41, 0, 1500, Some(Remark::WindowUpdate)),
        (0, ack, 40, 1, 0, 1000, Some(Remark::KeepAlive)),
        (1, ack, 1, 41, 0, 1500, Some(Remark::KeepAliveAnswer)),
        (0, ack, 41, 1, 10, 1000, None),
        (1, ack, 1, 51, 0, 0, Some(Remark::ZeroWindow)),
        (0, ack, 51, 1, 1, 1000, Some(Remark::ZeroWindowProbe)),
        (1, ack, 1, 51, 0, 0, Some(Remark::ZeroWindowProbeAnswer)),
        (1, ack, 1, 51, 0, 2000, Some(Remark::WindowUpdate)),
        (0, ack, 51, 1, 10, 1000, None),
        (1, ack, 1, 61, 0, 2000, None),
        (0, fin, 61, 1, 0, 1000, None),
        (0, fin, 61, 1, 0, 1000, Some(Remark::Retransmission)),
        (1, fin, 1, 62, 0, 2000, None),
        (0, ack, 62, 2, 0, 1000, None),
    ];
    let frames: Vec<_> = script
        .iter()
        .map(|&(side, flags, sequence, acknowledgment, bytes, window, _)| {
            let header = Header {
                sequence: starts[side].wrapping_add(sequence),
                acknowledgment: if flags == syn { 0 } else { starts[1 - side].wrapping_add(acknowledgment) },
                flags,
                window,
                ..Header::new(0, 0)
            };
            build::tcp(ends[side], ends[1 - side], &header, &vec![b'x'; bytes])
        })
        .collect();
    let mut flows = Flows::default();
    let mut tally = Tally::default();
    for (number, ((frame, step), theirs)) in
        frames.iter().zip(&script).zip(tshark(&frames, "troubled")).enumerate()
    {
        let seen = flows.see_frame(frame).unwrap();
        assert_eq!(seen.remark, step.6, "frame {}", number + 1);
        tally.relative(number + 1, &seen, &theirs);
        let said: Vec<_> = theirs.iter().map(|field| field.name.as_str()).collect();
        match seen.remark.map(analysis) {
            Some(name) if said.contains(&name) => tally.count(name),
            Some(name) => tally.wrong.push(format!("frame {}: they don't say {name}", number + 1)),
            None => {}
        }
    }
    tally.verdict(90, 12);
}
