use proptest::prelude::*;

use super::{rules::Rule, *};
use crate::wire::field;

/// All frames of these pieces, or the first that is none.
fn read<'a>(
    version: Version,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<(u64, Frame)>, Option<FrameError>, bool) {
    let mut reader = FrameReader::new(version, Limits::default());
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.take() {
                Ok(Some(Item::Frame { frame, offset, .. })) => frames.push((offset, frame)),
                Ok(Some(Item::LineEnd { .. })) => {}
                Ok(None) => break,
                Err(malformed) => return (frames, Some(malformed), false),
            }
        }
    }
    (frames, None, reader.is_between_frames())
}

/// The frames of `bytes` in 1.2.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (frames, malformed, whole) = read(Version::V12, [bytes]);
    assert_eq!((malformed, whole), (None, true));
    frames.into_iter().map(|(_, frame)| frame).collect()
}

#[test]
fn a_frame_is_written_as_the_specification_shows_it() {
    let frame = Frame::new("SEND").with("destination", "/queue/a").with_body("hello queue a");
    let bytes = b"SEND\ndestination:/queue/a\ncontent-length:13\n\nhello queue a\0";
    assert_eq!(frame.encode(Version::V12), bytes);
    assert_eq!(frames(bytes), [frame]);
}

#[test]
fn lines_may_end_with_cr_and_lf_and_line_ends_may_stand_between_frames() {
    let bytes =
        b"\n\r\nCONNECT\r\naccept-version:1.2\r\nhost:a\r\n\r\n\0\r\n\n\nSEND\ndestination:/x\r\n\n\r\n\0\n";
    let found = frames(bytes);
    assert_eq!(found[0], Frame::new("CONNECT").with("accept-version", "1.2").with("host", "a"));
    assert_eq!(found[1], Frame { body: b"\r\n".into(), ..Frame::new("SEND").with("destination", "/x") });
    let mut reader = FrameReader::default();
    reader.push(b"\r\n\n");
    assert_eq!(reader.take(), Ok(Some(Item::LineEnd { offset: 0, length: 2 })));
    assert_eq!(reader.take(), Ok(Some(Item::LineEnd { offset: 2, length: 1 })));
}

#[test]
fn a_length_lets_null_stand_in_the_body() {
    let found = frames(b"MESSAGE\ncontent-length:3\n\na\0b\0MESSAGE\n\na\0");
    assert_eq!((found[0].body.as_slice(), found[1].body.as_slice()), (&b"a\0b"[..], &b"a"[..]));
}

#[test]
fn of_repeated_headers_the_first_counts_also_for_the_length() {
    let found = frames(b"SEND\nfoo:World\nfoo:Hello\ncontent-length:1\ncontent-length:9\n\na\0");
    assert_eq!(found[0].header("foo"), Some("World"));
    assert_eq!(found[0].headers.len(), 4);
}

#[test]
fn escapes_hold_in_names_and_values_but_not_where_the_session_begins() {
    let frame = Frame::new("SEND").with("a:b", "1\n2\r3\\4:5 ");
    assert_eq!(frame.encode(Version::V12), b"SEND\na\\cb:1\\n2\\r3\\\\4\\c5 \n\n\0");
    assert_eq!(frames(&frame.encode(Version::V12)), [frame]);
    let connect = Frame::new("CONNECT").with("host", "[::1]:61613").with("login", "a\\nb");
    assert_eq!(connect.encode(Version::V12), b"CONNECT\nhost:[::1]:61613\nlogin:a\\nb\n\n\0");
    assert_eq!(frames(&connect.encode(Version::V12)), [connect]);
}

#[test]
fn older_versions_have_fewer_escapes_and_no_cr() {
    let bytes = b"SEND\na:x\\ny\\c\r\n\n\0";
    let value = |version| read(version, [&bytes[..]]).0[0].1.header("a").map(str::to_owned);
    assert_eq!(value(Version::V12).unwrap(), "x\ny:");
    assert_eq!(value(Version::V11).unwrap(), "x\ny:\r");
    assert_eq!(value(Version::V10).unwrap(), "x\\ny\\c\r");
    assert_eq!(read(Version::V11, [&b"SEND\na:\\r\n\n\0"[..]]).1.unwrap().rule, &rules::ESCAPE);
}

#[test]
fn the_highest_common_version_is_taken() {
    assert_eq!(Version::negotiate(Some("1.0,1.1,2.0")), Some(Version::V11));
    assert_eq!(Version::negotiate(Some("1.2")), Some(Version::V12));
    assert_eq!(Version::negotiate(Some("2.0,3")), None);
    assert_eq!(Version::negotiate(None), Some(Version::V10));
}

/// What a receiver must do with an input.
enum Must {
    /// Refuse it: this rule, at this byte.
    Refuse(&'static Rule, u64),
    /// Take it, so many frames.
    Take(usize),
}

/// Inputs that are wrong, or look so: what the specification asks for, by its sections.
fn malformed() -> Vec<(&'static str, Vec<u8>, Must)> {
    use Must::{Refuse, Take};
    let long = Limits::default();
    let many: String = (0..=long.headers).map(|index| format!("h{index}:v\n")).collect();
    let plain: Vec<(&str, &[u8], Must)> = vec![
        ("another protocol", b"GET / HTTP/1.1\r\n", Refuse(&rules::COMMAND, 0)),
        ("TLS", b"\x16\x03\x01\x02\x00", Refuse(&rules::COMMAND, 0)),
        ("a command in small letters", b"send\n\n\0", Refuse(&rules::COMMAND, 0)),
        ("a command that is longer than any", b"SENDER\n\n\0", Refuse(&rules::COMMAND, 4)),
        ("a command that is cut short", b"SEN\n\n\0", Refuse(&rules::COMMAND, 3)),
        ("a space after the command", b"SEND \n\n\0", Refuse(&rules::COMMAND, 4)),
        ("an escape that is not defined", b"SEND\na:x\\ty\n\n\0", Refuse(&rules::ESCAPE, 8)),
        ("an escape that is not defined, in a name", b"SEND\na\\t:x\n\n\0", Refuse(&rules::ESCAPE, 6)),
        ("a backslash at the end", b"SEND\na:x\\\n\n\0", Refuse(&rules::ESCAPE, 8)),
        ("a header without a colon", b"SEND\ndestination\n\n\0", Refuse(&rules::HEADER, 5)),
        ("a header without a name", b"SEND\n:x\n\n\0", Refuse(&rules::HEADER, 5)),
        ("a CR in a header", b"SEND\na:b\rc\n\n\0", Refuse(&rules::LINE_END, 8)),
        ("a CR between frames", b"SEND\n\n\0\rSEND", Refuse(&rules::LINE_END, 7)),
        ("a header that is not UTF-8", b"SEND\na:\xff\n\n\0", Refuse(&rules::UTF8, 7)),
        ("no blank line", b"DISCONNECT\nreceipt:77\n\0", Refuse(&rules::BLANK_LINE, 22)),
        ("a body where none may be", b"SUBSCRIBE\nid:0\n\nhello\0", Refuse(&rules::BODY, 16)),
        ("a length where no body may be", b"RECEIPT\ncontent-length:1\n\n", Refuse(&rules::BODY, 26)),
        ("a length that is negative", b"SEND\ncontent-length:-1\n\n", Refuse(&rules::LENGTH, 24)),
        ("a length that is padded", b"SEND\ncontent-length: 5\n\nhello\0", Refuse(&rules::LENGTH, 24)),
        ("a length that is empty", b"SEND\ncontent-length:\n\n", Refuse(&rules::LENGTH, 22)),
        ("a length that is too short", b"SEND\ncontent-length:4\n\nhello\0", Refuse(&rules::NULL, 27)),
        ("a length beyond all memory", b"SEND\ncontent-length:99999999999999999999\n\n", {
            Refuse(&rules::BODY_TOO_LONG, 42)
        }),
        ("a length that is too long", b"SEND\ncontent-length:6\n\nhello\0", Take(0)),
        ("a length of a body that isn't there", b"RECEIPT\ncontent-length:0\n\n\0", Take(1)),
        ("a bare colon in a value", b"SEND\na:b:c\n\n\0", Take(1)),
        ("spaces around a value, which are kept", b"SEND\na: b \n\n\0", Take(1)),
        ("headers in capitals, which are others", b"SEND\nContent-Length:x\n\n\0", Take(1)),
        ("an escape where a session begins", b"CONNECTED\na:\\t\n\n\0", Take(1)),
    ];
    let mut table: Vec<_> =
        plain.into_iter().map(|(what, bytes, must)| (what, bytes.to_vec(), must)).collect();
    let first = |bytes: usize| bytes as u64;
    table.push((
        "too many headers",
        format!("SEND\n{many}\n\0").into(),
        Refuse(&rules::TOO_MANY_HEADERS, first(5 + many.len() - "h100:v\n".len())),
    ));
    table.push((
        "a header line without an end",
        [b"SEND\na:".as_slice(), &vec![b'x'; long.line]].concat(),
        Refuse(&rules::HEADER_TOO_LONG, first(5 + long.line)),
    ));
    table.push((
        "a body without an end",
        [b"SEND\n\n".as_slice(), &vec![b'x'; long.body + 1]].concat(),
        Refuse(&rules::BODY_TOO_LONG, first(6 + long.body)),
    ));
    table
}

#[test]
fn what_is_malformed_is_refused_where_it_goes_wrong_and_never_waited_for() {
    for (what, bytes, must) in malformed() {
        let (found, refused, _) = read(Version::V12, [bytes.as_slice()]);
        let refused = refused.map(|malformed| (malformed.rule, malformed.offset));
        match must {
            Must::Refuse(rule, at) => assert_eq!(refused, Some((rule, at)), "{what}"),
            Must::Take(count) => assert_eq!((refused, found.len()), (None, count), "{what}"),
        }
    }
}

#[test]
fn a_malformed_frame_says_what_where_and_by_which_section() {
    let mut reader = FrameReader::default();
    reader.push(b"SEND\nreceipt:77\na:x\\ty\n\n\0");
    let malformed = reader.take().unwrap_err();
    assert_eq!(
        malformed.to_string(),
        "STOMP at byte 19: an escape is \\r, \\n, \\c or \\\\: any other is fatal; had \"a:x\\\\ty\" (STOMP 1.2, Value Encoding)"
    );
    assert_eq!(malformed.receipt.as_deref(), Some("77"));
    reader.push(b"SEND\n\n\0");
    assert_eq!(reader.take(), Err(malformed), "after that nothing counts any more");
}

#[test]
fn each_command_has_its_side_its_headers_and_its_version() {
    let judge = |frame: Frame, from, version| check(&frame, from, version).map_err(|breach| breach.rule);
    let connect = Frame::new("CONNECT").with("accept-version", "1.2").with("host", "a");
    let (client, server) = (Sender::Client, Sender::Server);
    assert_eq!(judge(connect.clone(), client, Version::V12), Ok(()));
    assert_eq!(judge(connect.clone(), server, Version::V12), Err(&rules::SENDER));
    assert_eq!(judge(connect.with("heart-beat", "1;2"), client, Version::V12), Err(&rules::HEART_BEAT));
    assert_eq!(judge(Frame::new("CONNECT"), client, Version::V12), Err(&rules::REQUIRED));
    assert_eq!(judge(Frame::new("CONNECT"), client, Version::V10), Ok(()));
    assert_eq!(judge(Frame::new("SEND"), client, Version::V10), Err(&rules::REQUIRED));
    let ack = Frame::new("ACK").with("message-id", "1").with("subscription", "0");
    assert_eq!(judge(ack.clone(), client, Version::V11), Ok(()));
    assert_eq!(judge(ack, client, Version::V12), Err(&rules::REQUIRED));
    assert_eq!(judge(Frame::new("NACK").with("message-id", "1"), client, Version::V10), Err(&rules::COMMAND));
    let subscribe = Frame::new("SUBSCRIBE").with("destination", "/x").with("id", "0");
    assert_eq!(judge(subscribe.with("ack", "sometimes"), client, Version::V12), Err(&rules::ACK_MODE));
    let breach = check(&Frame::new("MESSAGE"), server, Version::V12).unwrap_err();
    assert_eq!(
        breach.to_string(),
        "MESSAGE frame: a frame has the headers that it needs; had no header destination (STOMP 1.2, Frames and Headers)"
    );
}

#[test]
fn every_header_that_a_command_needs_is_in_the_table() {
    for command in COMMANDS {
        for name in command.required.iter().chain(command.optional) {
            assert!(header_entry(name.as_bytes()).is_some(), "{} {name}", command.name);
        }
    }
}

#[test]
fn fields_are_named_as_the_specification_names_them() {
    let bytes = b"SEND\ndestination:/topic/a\\cb\ncontent-length:3\n\na\0b\0\n";
    let out = fields(bytes);
    let pieces: Vec<_> = out.iter().map(|field| (field.name, field.value.as_str())).collect();
    assert_eq!(
        pieces,
        [
            ("command", "SEND"),
            ("EOL", "\\n"),
            ("header", "destination:/topic/a\\\\cb"),
            ("EOL", "\\n"),
            ("header", "content-length:3"),
            ("EOL", "\\n"),
            ("blank line", "\\n"),
            ("body", "a\\x00b"),
            ("NULL", "\\x00"),
            ("EOL", "\\n"),
        ]
    );
    assert_eq!(
        out[2].meaning,
        "where a message goes to, or comes from; without escapes \"destination\" is \"/topic/a:b\""
    );
}

#[test]
fn what_is_wrong_or_cut_off_is_told_all_the_same() {
    let last = |bytes: &[u8]| fields(bytes).last().map(|field| (field.name, field.meaning.clone())).unwrap();
    assert_eq!(last(b"SEN"), ("command", "the beginning of a command; cut off".into()));
    assert_eq!(last(b"SEND\ndestin"), ("header", "the beginning of a header; cut off".into()));
    assert_eq!(last(b"SEND\ncontent-length:9\n\nab").1, "cut off: content-length claims 7 more");
    assert_eq!(last(b"DISCONNECT\nreceipt:7\n\0").1, "ends the frame; the blank line before it is missing");
    let over = fields(b"SEND\ncontent-length:1\n\nabc\0SEND\n\n\0");
    assert_eq!((over[6].name, over[6].value.as_str()), ("beyond content-length", "bc"));
    assert_eq!((over[8].name, over[8].value.as_str()), ("command", "SEND"));
}

#[test]
fn what_begins_like_stomp_is_a_command_and_its_line_end() {
    assert!(begins_like_stomp(b"CONNECTED\r\nversion:1.2") && begins_like_stomp(b"SEND\n"));
    assert!(!begins_like_stomp(b"SEND") && !begins_like_stomp(b"GET / HTTP/1.1\r\n"));
}

/// Text that a header can carry in 1.2: anything but NUL.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just(':'), Just('\\'), Just('\n'), Just('\r'), Just(' '), Just('n'), any::<char>()],
        0..8,
    )
    .prop_map(|characters| characters.into_iter().filter(|c| *c != '\0').collect())
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let headers = proptest::collection::vec((text(), text()), 0..5);
    let body = prop_oneof![Just(None), proptest::collection::vec(0u8..4, 0..20).prop_map(Some)];
    (0..COMMANDS.len(), headers, body).prop_map(|(index, headers, body)| {
        let command = COMMANDS[index];
        let mut frame = Frame::new(command.name);
        let plain = matches!(command.name, "CONNECT" | "STOMP" | "CONNECTED");
        for (name, value) in headers {
            let keep =
                |text: String| text.chars().filter(|c| !plain || !"\r\n".contains(*c)).collect::<String>();
            let name: String = keep(name).chars().filter(|c| !plain || *c != ':').collect();
            if !name.is_empty() && name != "content-length" {
                frame = frame.with(&name, &keep(value));
            }
        }
        match body {
            Some(body) if command.body => frame.with_body(body),
            _ => frame,
        }
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back_whatever_the_pieces(
        frames in proptest::collection::vec(any_frame(), 0..5), size in 1usize..60, crlf: bool,
    ) {
        let mut bytes = Vec::new();
        for frame in &frames {
            bytes.extend(frame.encode(Version::V12));
            bytes.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
        }
        let (found, malformed, whole) = read(Version::V12, bytes.chunks(size));
        prop_assert_eq!((malformed, whole), (None, true));
        let found: Vec<_> = found.into_iter().map(|(_, frame)| frame).collect();
        prop_assert_eq!(found, frames);
        prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
    }

    #[test]
    fn any_bytes_are_read_alike_in_any_pieces(
        head in prop_oneof![Just(""), Just("SEND\n"), Just("ERROR\ncontent-length:3\n")],
        bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(0), Just(b'\\'), Just(b'S'), any::<u8>()], 0..60,
        ),
        size in 1usize..9,
    ) {
        let bytes = [head.as_bytes(), &bytes].concat();
        for version in Version::ALL {
            let (frames, malformed, whole) = read(version, [bytes.as_slice()]);
            let pieces = read(version, bytes.chunks(size));
            prop_assert_eq!((&pieces.0, pieces.2), (&frames, whole));
            prop_assert_eq!(
                pieces.1.map(|m| (m.rule, m.offset, m.receipt)),
                malformed.map(|m| (m.rule, m.offset, m.receipt))
            );
        }
        prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
    }
}
