//! tshark as the judge: every frame, every head and every stream that it finds is what `sockwalk decode`
//! tells.

use std::{collections::BTreeMap, path::Path};

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{captures, streams, tshark};
use crate::support::{Folder, sockwalk, stderr, stdout};

/// A frame, as both tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u64,
    pub fin: bool,
    /// RSV1, RSV2, RSV3 from the highest bit down.
    pub rsv: u64,
    /// The masking key in hex.
    pub mask: Option<String>,
    pub length: u64,
    /// Unmasked, in hex.
    pub payload: String,
}

/// Frames of each direction of each stream; true is from the client.
pub type Frames = BTreeMap<(u64, bool), Vec<Frame>>;

/// The lines of `sockwalk decode FILE --json`.
pub fn told(path: &Path) -> Vec<Value> {
    let (complaint, events) = told_so_far(path);
    assert_eq!(complaint, "", "{}", path.display());
    events
}

/// Likewise of a file that is still being written: what is complained of, and the lines before.
pub fn told_so_far(path: &Path) -> (String, Vec<Value>) {
    let home = Folder::new();
    let output = sockwalk(&home, &["decode", path.to_str().unwrap(), "--json"]).output().unwrap();
    let events = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (stderr(&output), events)
}

/// Holds a capture against tshark: frames, heads of HTTP, and the bytes of all streams. Gives the frames.
pub fn agreed(path: &Path) -> Frames {
    let (events, streams) = (told(path), streams(path));
    let frames = ours(&events);
    let theirs = theirs(path, &events, streams.keys());
    assert_eq!(frames, theirs.frames, "{}: frames", path.display());
    assert_eq!(heads(&events), theirs.heads, "{}: heads", path.display());
    for (stream, bytes) in &streams {
        assert!(theirs.streams.get(stream) == Some(bytes), "{}: stream {stream}", path.display());
    }
    assert_eq!(streams.len(), theirs.streams.len(), "{}: streams", path.display());
    frames
}

fn ours(events: &[Value]) -> Frames {
    let mut frames = Frames::new();
    for event in events.iter().filter(|event| event["type"] == "frame") {
        let rsv =
            event["rsv"].as_array().unwrap().iter().fold(0, |rsv, bit| rsv << 1 | u64::from(bit == true));
        let frame = Frame {
            opcode: event["opcode"].as_u64().unwrap(),
            fin: event["fin"].as_bool().unwrap(),
            rsv,
            mask: event["mask"].as_str().map(str::to_owned),
            length: event["length"].as_u64().unwrap(),
            payload: event["data"].as_str().unwrap().to_owned(),
        };
        let of = (event["stream"].as_u64().unwrap(), event["from"] == "client");
        frames.entry(of).or_default().push(frame);
    }
    frames
}

/// Requests and responses of each direction in a few words.
type Heads = BTreeMap<(u64, bool), Vec<String>>;

fn heads(events: &[Value]) -> Heads {
    let mut heads = Heads::new();
    for event in events.iter().filter(|event| event["type"] == "head") {
        let words = match event["status"].as_u64() {
            Some(status) => status.to_string(),
            None => format!("{} {}", event["method"].as_str().unwrap(), event["target"].as_str().unwrap()),
        };
        heads.entry((event["stream"].as_u64().unwrap(), event["from"] == "client")).or_default().push(words);
    }
    heads
}

/// What tshark makes of a capture.
#[derive(Default)]
struct Theirs {
    frames: Frames,
    heads: Heads,
    streams: BTreeMap<u64, [Vec<u8>; 2]>,
}

/// It tells a frame that fills several segments with the last of them, and would tell a head where its body
/// ends if it were not asked to leave bodies alone. Behind the packets come the streams.
fn theirs<'a>(path: &Path, events: &[Value], streams: impl Iterator<Item = &'a u64>) -> Theirs {
    let follow: Vec<String> = streams.map(|stream| format!("follow,tcp,raw,{stream}")).collect();
    let mut arguments =
        vec!["-o", "http.desegment_body:FALSE", "-Y", "websocket || http", "-T", "json", "-x"];
    arguments.extend(["--no-duplicate-keys", "-J", "tcp websocket http"]);
    arguments.extend(follow.iter().flat_map(|stream| ["-z", stream]));
    let text = tshark(path, &arguments);
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Vec<Value>>();
    let packets = values.next().unwrap().unwrap();
    let mut theirs = Theirs { streams: followed(&text[values.byte_offset()..]), ..Theirs::default() };
    let client_ports: BTreeMap<u64, &str> = events
        .iter()
        .filter(|event| event["type"] == "opened")
        .map(|event| {
            let client = event["client"].as_str().unwrap();
            (event["stream"].as_u64().unwrap(), client.rsplit_once(':').unwrap().1)
        })
        .collect();
    for packet in &packets {
        let layers = &packet["_source"]["layers"];
        let stream = layers["tcp"]["tcp.stream"].as_str().unwrap().parse().unwrap();
        let of = (stream, layers["tcp"]["tcp.srcport"] == client_ports[&stream]);
        for layer in each(&layers["websocket"]) {
            theirs.frames.entry(of).or_default().push(frame(layer));
        }
        for layer in each(&layers["http"]) {
            theirs.heads.entry(of).or_default().extend(head(layer));
        }
    }
    theirs
}

/// The bytes of each stream, both directions, in hex behind a line that names the stream. Those of the second
/// node are indented by a tab.
fn followed(text: &str) -> BTreeMap<u64, [Vec<u8>; 2]> {
    let mut streams: BTreeMap<u64, [Vec<u8>; 2]> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(stream) = line.strip_prefix("Filter: tcp.stream eq ") {
            current = Some(streams.entry(stream.parse().unwrap()).or_default());
        } else if let (Some(both), Ok(bytes)) = (&mut current, HEXLOWER.decode(line.trim().as_bytes())) {
            both[usize::from(line.starts_with('\t'))].extend(bytes);
        }
    }
    streams
}

/// A layer that is there once is an object; several are a list.
fn each(layer: &Value) -> &[Value] {
    match layer {
        Value::Array(several) => several,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn frame(layer: &Value) -> Frame {
    let number = |name: &str| {
        let text = layer.get(name)?.as_str().unwrap();
        Some(match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
            None => text.parse().unwrap(),
        })
    };
    let extended = || number("websocket.payload_length_ext_16").or(number("websocket.payload_length_ext_64"));
    let length = match number("websocket.payload_length").unwrap() {
        126 | 127 => extended().unwrap(),
        length => length,
    };
    let mask = layer.get("websocket.masking_key").map(|key| key.as_str().unwrap().replace(':', ""));
    Frame {
        opcode: number("websocket.opcode").unwrap(),
        fin: number("websocket.fin") == Some(1),
        rsv: number("websocket.rsv").unwrap(),
        mask,
        length,
        // Its place is among the unmasked bytes. Where there are none there is no such field.
        payload: layer["websocket.payload_raw"][0].as_str().unwrap_or_default().to_owned(),
    }
}

/// `GET /chat`, or `101`.
fn head(layer: &Value) -> Option<String> {
    layer.as_object()?.values().find_map(|line| {
        let of = |name: &str| line.get(name).and_then(Value::as_str);
        match (of("http.request.method"), of("http.request.uri"), of("http.response.code")) {
            (Some(method), Some(uri), _) => Some(format!("{method} {uri}")),
            (_, _, Some(code)) => Some(code.to_owned()),
            _ => None,
        }
    })
}

#[test]
#[ignore = "needs tshark"]
fn tshark_reads_every_capture_alike() {
    let (mut frames, mut connections) = (0, 0);
    for path in captures() {
        frames += agreed(&path).values().map(Vec::len).sum::<usize>();
        connections += streams(&path).len();
    }
    assert!(frames >= 170 && connections >= 130, "{frames} frames, {connections} connections");
}
