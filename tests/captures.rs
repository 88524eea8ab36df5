//! Frames that programs of others sent are taken apart, every bit of them.

use std::fs;

use sockwalk::wire::{
    Protocol,
    flow::Flows,
    frame::{Context, Payload, dissect},
    fuzz,
    summary::{short, summary},
};

use crate::support::pcap;

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

mod sockjs {
    //! Streams of sockjs and sockjs-client: what HTTP or the WebSocket carries is taken apart, every bit of
    //! it.

    use std::fs;

    use sockwalk::wire::{
        field,
        http::{
            ContentReader, HeadReader, Progress, parse_request, parse_response, request_framing,
            response_framing,
        },
        sockjs::{Frame, Reader, Text, Transport, Uplink, body_fields, fields, parse_messages},
        websocket::{FrameReader, opcode, unmask_onto},
    };

    fn stream(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/data/captures/{name}.bin", env!("CARGO_MANIFEST_DIR"));
        fs::read(path).unwrap()
    }

    /// The first head of a stream, and what is behind it.
    fn head(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut reader = HeadReader::new();
        assert!(matches!(reader.push(bytes), Progress::Complete { .. }));
        reader.into_parts()
    }

    /// The content of each message of a stream, as much as has come: of requests or of responses.
    fn contents(name: &str) -> Vec<Vec<u8>> {
        let mut rest = stream(name);
        let mut all = Vec::new();
        while !rest.is_empty() {
            let (head, behind) = head(&rest);
            let framing = if head.starts_with(b"HTTP/") {
                response_framing(&parse_response(&head).unwrap(), "POST").unwrap()
            } else {
                request_framing(&parse_request(&head).unwrap()).unwrap()
            };
            let (mut reader, mut bytes, mut content) =
                (ContentReader::new(framing), behind.as_slice(), Vec::new());
            while let Some(piece) = reader.next(&mut bytes).unwrap() {
                content.extend_from_slice(piece);
            }
            all.push(content);
            rest = bytes.to_vec();
        }
        all
    }

    /// The frames in a body, all of whose bits have a name.
    fn frames(transport: Transport, body: &[u8]) -> Vec<Frame> {
        assert_eq!(field::check(body.len() * 8, &body_fields(transport, body)), Ok(()));
        let mut reader = Reader::new(transport, 1 << 16);
        reader.push(body);
        let mut all = Vec::new();
        while let Some(bytes) = reader.frame().unwrap() {
            assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
            all.push(Frame::parse(&bytes).unwrap());
        }
        assert_eq!(reader.pending(), b"");
        all
    }

    fn last(name: &str) -> Vec<u8> {
        contents(name).pop().unwrap()
    }

    /// The payloads of the text frames behind the upgrade, and how many Pings there were.
    fn texts(name: &str) -> (Vec<Vec<u8>>, usize) {
        let (_, rest) = head(&stream(name));
        let (mut reader, mut bytes, mut all, mut pings) =
            (FrameReader::new(), rest.as_slice(), Vec::new(), 0);
        while let Some(piece) = reader.next(&mut bytes) {
            if piece.header.opcode == opcode::TEXT {
                let mut payload = Vec::new();
                unmask_onto(&mut payload, piece.bytes, piece.header.key, piece.index);
                all.push(payload);
            }
            pings += usize::from(piece.header.opcode == opcode::PING);
        }
        (all, pings)
    }

    #[test]
    fn what_comes_over_a_websocket_is_read() {
        let (up, _) = texts("10a-sockjs-websocket.c2.c2s");
        assert_eq!(parse_messages(&up[0], Uplink::WebSocket), Ok(vec!["hello".into()]));
        let (down, _) = texts("10a-sockjs-websocket.c2.s2c");
        let down: Vec<_> = down.iter().map(|bytes| Frame::parse(bytes).unwrap()).collect();
        assert_eq!(down, [Frame::Open, Frame::messages(["hello"])]);
        // websocat sends whatever it is given: here an array, as SockJS wants it.
        let (up, _) = texts("10k-sockjs-rawws-websocat.c2.c2s");
        assert_eq!(parse_messages(&up[0], Uplink::WebSocket), Ok(vec!["hello".into()]));
        // A beat of npm's sockjs is a Ping there, and no frame.
        let (down, pings) = texts("10e-sockjs-heartbeat-ws.c2.s2c");
        assert_eq!((down, pings), (vec![b"o".to_vec()], 3));
    }

    #[test]
    fn what_comes_in_answers_is_read() {
        use Transport::{EventSource, HtmlFile, Jsonp, Xhr, XhrStreaming};
        let hello = || Frame::messages(["hello"]);
        let busy = Frame::close(2010, "Another connection still open");
        let six = [
            Frame::Open,
            hello(),
            Frame::messages(["q\"uote"]),
            Frame::messages(["h\u{e9}"]),
            Frame::messages(["\u{1f600}"]),
            Frame::messages(["a\u{2028}b"]),
        ];
        let rows = [
            ("10b-sockjs-xhr-streaming.c2.s2c", XhrStreaming, vec![Frame::Open, hello()]),
            ("10c-sockjs-xhr-polling.c2.s2c", Xhr, vec![Frame::Open]),
            ("10c-sockjs-xhr-polling.c3.s2c", Xhr, vec![hello()]),
            ("10d-sockjs-multi-streaming.c2.s2c", XhrStreaming, six.to_vec()),
            ("10g-sockjs-curl-cases.c11.s2c", Xhr, vec![busy]),
            ("10g-sockjs-curl-cases.c13.s2c", Xhr, vec![Frame::Heartbeat]),
            ("10g-sockjs-curl-cases.c14.s2c", EventSource, vec![Frame::Open, Frame::Heartbeat]),
            ("10g-sockjs-curl-cases.c17.s2c", Jsonp, vec![hello()]),
            ("10g-sockjs-curl-cases.c19.s2c", HtmlFile, vec![Frame::Open]),
            ("10l-sockjs-curl-send.c10.s2c", Xhr, vec![Frame::close(3001, "asked")]),
        ];
        for (name, transport, wanted) in rows {
            let read = frames(transport, &last(name));
            // Beats came as long as the capture ran.
            assert_eq!(read.get(..wanted.len()), Some(wanted.as_slice()), "{name}");
            assert!(read[wanted.len()..].iter().all(|frame| *frame == Frame::Heartbeat), "{name}: {read:?}");
        }
        // /info, a poll, the answer to xhr_send, and one to something else.
        let answers = contents("10j-sockjs-chromium-xhr-polling.c1.s2c");
        assert!(answers.iter().any(|body| body == b"o\n") && answers.iter().any(Vec::is_empty));
        assert!(
            contents("10j-sockjs-chromium-xhr-polling.c2.s2c").iter().any(|body| body == b"a[\"hello\"]\n")
        );
    }

    #[test]
    fn what_goes_in_requests_is_read() {
        let sent = |name: &str| {
            let bodies = contents(name).into_iter().filter(|body| !body.is_empty());
            bodies.flat_map(|body| parse_messages(&body, Uplink::Request).unwrap()).collect::<Vec<Text>>()
        };
        assert_eq!(sent("10b-sockjs-xhr-streaming.c1.c2s"), ["hello".into()]);
        assert_eq!(sent("10j-sockjs-chromium-xhr-polling.c1.c2s"), ["hello".into()]);
        let texts = ["hello", "q\"uote", "h\u{e9}", "\u{1f600}", "a\u{2028}b"];
        assert_eq!(sent("10d-sockjs-multi-streaming.c1.c2s"), texts.map(Text::from));
    }
}
