use proptest::prelude::*;

use super::*;
use crate::wire::field;

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Item> {
    let mut reader = Reader::new(1000);
    pieces.into_iter().flat_map(|bytes| reader.push(bytes).unwrap()).collect()
}

/// The events of a stream, as type, data and ID.
fn events(bytes: &[u8]) -> Vec<(String, String, String)> {
    read([bytes])
        .into_iter()
        .filter_map(|item| match item {
            Item::Event(Event { kind, data, id }) => Some((kind, data, id)),
            _ => None,
        })
        .collect()
}

/// A stream, its events (type, data, ID) and where that stands.
type Odd = (&'static str, &'static [(&'static str, &'static str, &'static str)], &'static str);

/// What is odd, or wrong, and what has to come of it.
const ODD: &[Odd] = &[
    ("data\n\n", &[("message", "", "")], "no colon: the line is a name, the value is empty; §9.2.6"),
    ("data:\n\n", &[("message", "", "")], "an empty value is data too; §9.2.6"),
    ("data: a", &[], "no line end: never an event; §9.2.6"),
    ("data: a\n", &[], "no empty line before the end: discarded; §9.2.6"),
    ("data:a\n\n", &[("message", "a", "")], "the space is not needed; §9.2.5"),
    ("data:  a\n\n", &[("message", " a", "")], "only one space is dropped; §9.2.6"),
    ("data: a\rdata: b\r\r", &[("message", "a\nb", "")], "CR alone ends a line; §9.2.5"),
    ("data: a\r\ndata: b\r\n\r\n", &[("message", "a\nb", "")], "CR LF is one line end; §9.2.5"),
    (
        "data: a\n\rdata: b\n\n",
        &[("message", "a", ""), ("message", "b", "")],
        "LF CR is two line ends; §9.2.5",
    ),
    ("\u{feff}data: a\n\n", &[("message", "a", "")], "one BOM is dropped; §9.2.5"),
    ("\u{feff}\u{feff}data: a\n\n", &[], "a second BOM belongs to the name; §9.2.5"),
    ("\n\u{feff}data: a\n\n", &[], "a BOM not at the beginning belongs to the name; §9.2.5"),
    ("DATA: a\n\n", &[], "names are case-sensitive; §9.2.6"),
    ("data : a\n\n", &[], "a space belongs to the name; §9.2.6"),
    (" data: a\n\n", &[], "also before it; §9.2.6"),
    ("unknown: a\ndata: b\n\n", &[("message", "b", "")], "other fields are ignored; §9.2.6"),
    (":data: a\n\n", &[], "a comment; §9.2.6"),
    ("event: x\n\ndata: a\n\n", &[("message", "a", "")], "without data the type is forgotten; §9.2.6"),
    (
        "event: x\ndata: a\n\ndata: b\n\n",
        &[("x", "a", ""), ("message", "b", "")],
        "a type is one event's; §9.2.6",
    ),
    ("event: x\nevent: y\ndata: a\n\n", &[("y", "a", "")], "the last type counts; §9.2.6"),
    ("event:\ndata: a\n\n", &[("message", "a", "")], "an empty type is none; §9.2.6"),
    ("id: 1\ndata: a\n\ndata: b\n\n", &[("message", "a", "1"), ("message", "b", "1")], "an ID stays; §9.2.6"),
    ("id: 9\n\ndata: a\n\n", &[("message", "a", "9")], "also of a block without data; §9.2.6"),
    (
        "id: 1\ndata: a\n\nid\ndata: b\n\n",
        &[("message", "a", "1"), ("message", "b", "")],
        "an empty ID resets it; §9.2.6",
    ),
    ("id: 1\0\ndata: a\n\n", &[("message", "a", "")], "an ID with NUL is ignored; §9.2.6"),
    ("data: \0\n\n", &[("message", "\0", "")], "NUL is data like any other; §9.2.6"),
    ("retry: 1x\ndata: a\n\n", &[("message", "a", "")], "retry takes digits alone; §9.2.6"),
    ("data: a: b\n\n", &[("message", "a: b", "")], "the first colon counts; §9.2.6"),
    (": only a comment\n\n", &[], "nothing to dispatch; §9.2.6"),
    ("data: a\n\n\n\n", &[("message", "a", "")], "more empty lines dispatch nothing; §9.2.6"),
];

#[test]
fn what_is_odd_comes_to_what_the_standard_says() {
    for (stream, expected, why) in ODD {
        let owned: Vec<_> =
            expected.iter().map(|(k, d, i)| ((*k).into(), (*d).into(), (*i).into())).collect();
        assert_eq!(events(stream.as_bytes()), owned, "{stream:?}: {why}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_become_replacement_characters() {
    let expected = "a\u{fffd}\u{fffd}b";
    assert_eq!(events(b"data: a\xff\xc3b\n\n"), [("message".into(), expected.into(), String::new())]);
}

#[test]
fn comments_and_retries_are_told_apart_from_events() {
    let items = read([b": hi\n:there\nretry: 2500\nretry: 99999999999999999999\n\n".as_slice()]);
    let expected =
        [Item::Comment("hi".into()), Item::Comment("there".into()), Item::Retry(2500), Item::Nothing];
    assert_eq!(items, expected);
}

#[test]
fn a_reader_that_goes_on_knows_the_last_id() {
    let mut reader = Reader::resuming(100, "7");
    let items = reader.push(b"data: a\n\nid: 8\n").unwrap();
    assert_eq!(items, [Item::Event(Event { kind: MESSAGE.into(), data: "a".into(), id: "7".into() })]);
    // Only an empty line makes it count.
    assert_eq!(reader.last_event_id(), "7");
    reader.push(b"\n").unwrap();
    assert_eq!(reader.last_event_id(), "8");
}

#[test]
fn what_is_too_long_is_given_up() {
    let mut reader = Reader::new(10);
    assert_eq!(reader.push(b"data: 0123456789"), Err(TooLong { limit: 10 }));
    let mut reader = Reader::new(10);
    assert!(reader.push(b"data: 1\ndata: 2\ndata: 3\ndata: 4\ndata: 5\n").is_err());
}

#[test]
fn what_is_sent_is_as_short_as_it_looks() {
    assert_eq!(encode(None, None, "hello"), b"data: hello\n\n");
    assert_eq!(encode(Some("x"), Some("1"), "a\nb"), b"id: 1\nevent: x\ndata: a\ndata: b\n\n");
    assert_eq!(encode(Some("x\ndata: y"), Some("1\0"), ""), b"id: 1 \nevent: x data: y\ndata: \n\n");
    assert_eq!(
        (comment(""), comment("a\nb"), retry(5)),
        (b":\n\n".to_vec(), b": a b\n\n".to_vec(), b"retry: 5\n\n".to_vec())
    );
}

#[test]
fn every_piece_has_its_name() {
    let out: Vec<_> = fields(b"\xef\xbb\xbfid: 7\r\ndata:hello\n: hi\n\nfoo")
        .into_iter()
        .map(|field| (field.name, field.value, field.symbol))
        .collect();
    let out: Vec<_> = out.iter().map(|(name, value, symbol)| (*name, value.as_str(), *symbol)).collect();
    assert_eq!(
        out,
        [
            ("BOM", "\\u{feff}", None),
            ("field name", "id", Some("id")),
            ("colon", ": ", None),
            ("field value", "7", None),
            ("end-of-line", "\\r\\n", None),
            ("field name", "data", Some("data")),
            ("colon", ":", None),
            ("field value", "hello", None),
            ("end-of-line", "\\n", None),
            ("colon", ":", None),
            ("comment", " hi", None),
            ("end-of-line", "\\n", None),
            ("empty line", "\\n", None),
            ("field name", "foo", None),
        ]
    );
}

/// Bytes of which a stream is made.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 15] = [
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"12",
        b"\0",
        BOM,
        "é".as_bytes(),
        b"\xff",
    ];
    let word = proptest::sample::select(WORDS.to_vec());
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn every_bit_is_told_once(bytes in bytes()) {
        prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
    }

    #[test]
    fn pieces_make_no_difference(bytes in bytes(), size in 1usize..9) {
        prop_assert_eq!(read(bytes.chunks(size)), read([bytes.as_slice()]));
    }

    #[test]
    fn what_is_encoded_is_read_back(kind in "[a-z]{1,5}", id in "[a-z0-9 ]{0,5}", data in "(?s).{0,40}") {
        let bytes = encode(Some(&kind), Some(&id), &data);
        // A space at the beginning of a value would be taken for the colon's; ours is there already.
        let data = data.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(events(&bytes), [(kind, data, id)]);
    }
}
