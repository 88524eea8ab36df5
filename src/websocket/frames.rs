//! Frames by hand: made, masked and sent; received, taken apart and unmasked. RFC 6455 §5.2, §5.3.

use std::io;

use super::rows;
use crate::{
    call::{Done, Held, Piece, send_all},
    event::{Host, Row, Value, What, Working},
    ran,
    wire::{
        text,
        websocket::{Frame, Header, fields, mask},
    },
};

/// Room offered to each recv, in bytes.
const ROOM: usize = 4096;

/// The longest payload that is taken apart by hand, in bytes: a length is a claim, not a fact.
const LONGEST: u64 = 1 << 20;

/// Bytes of a payload whose masking is spelled out.
const SPELLED: usize = 8;

/// What makes a frame different from the ordinary one of its side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Odd {
    /// This masking key and not a random one.
    pub key: Option<[u8; 4]>,
    /// Not masked, though a client sends it.
    pub unmasked: bool,
    /// FIN is 0: more fragments follow.
    pub more: bool,
    /// RSV1 is 1.
    pub rsv1: bool,
}

/// Makes a frame and sends it. A client's is masked with a fresh random key, a server's is not (§5.1).
pub fn send(host: Host, on: &Held, opcode: u8, payload: &[u8], odd: &Odd) -> Done {
    let mut pieces = Vec::new();
    let ran = ran!(send_frame(host, on, opcode, payload, odd, &mut pieces));
    Done { pieces, ..Done::of(ran, Value::Count) }
}

fn send_frame(
    host: Host,
    on: &Held,
    opcode: u8,
    payload: &[u8],
    odd: &Odd,
    pieces: &mut Vec<Piece>,
) -> io::Result<usize> {
    let mut frame = Frame::new(opcode, payload);
    let key = match odd.key {
        Some(key) => Some(key),
        None if host == Host::Client && !odd.unmasked => Some(fresh_key()?),
        None => None,
    };
    if let Some(key) = key {
        frame = frame.masked(key);
    }
    if odd.more {
        frame = frame.unfinished();
    }
    if odd.rsv1 {
        frame = frame.with_rsv(true, false, false);
    }
    let bytes = frame.encode();
    if let Some(key) = key {
        pieces.push(Piece::Note(What::Working(Working {
            host,
            socket: None,
            title: "masking: each byte ⊕ a byte of the key".to_owned(),
            bytes: Vec::new(),
            rows: masking(payload, key),
        })));
    }
    pieces.push(Piece::Note(taken_apart(host, "the frame", &bytes)));
    send_all(on, &bytes, pieces)?;
    Ok(bytes.len())
}

/// Four bytes that nobody can guess: RFC 6455 §5.3 asks for a strong source of entropy.
fn fresh_key() -> io::Result<[u8; 4]> {
    let mut key = [0; 4];
    getrandom::fill(&mut key)
        .map_err(|error| io::Error::other(format!("no random bytes for a masking key: {error}")))?;
    Ok(key)
}

/// Receives one frame and takes it apart. Gives its payload, unmasked. It is not judged: the payload of a wrong frame is shown too.
///
/// Errors: `UnexpectedEof` if the stream ends in the middle of it, `InvalidData` if its length is out of reach.
pub fn receive(host: Host, on: &Held) -> Done {
    let mut pieces = Vec::new();
    let ran = ran!(receive_frame(host, on, &mut pieces));
    Done { pieces, ..Done::of(ran, Value::Data) }
}

fn receive_frame(host: Host, on: &Held, pieces: &mut Vec<Piece>) -> io::Result<Vec<u8>> {
    let mut bytes = std::mem::take(&mut *on.leftover());
    let header = loop {
        let whole = match Header::parse(&bytes) {
            Ok(header) if header.length > LONGEST => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the frame claims {} bytes; at most {LONGEST} are taken", header.length),
                ));
            }
            Ok(header) if bytes.len() >= header.size() + length_of(&header) => Some(header),
            Ok(_) | Err(_) => None,
        };
        if let Some(header) = whole {
            break header;
        }
        let (piece, outcome) = Piece::recv(on, ROOM);
        pieces.push(piece);
        match outcome {
            Ok(came) if came.is_empty() => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the stream ended after {} bytes of a frame", bytes.len()),
                ));
            }
            Ok(came) => bytes.extend_from_slice(&came),
            Err(error) => {
                *on.leftover() = bytes;
                return Err(error);
            }
        }
    };
    *on.leftover() = bytes.split_off(header.size() + length_of(&header));
    pieces.push(Piece::Note(taken_apart(host, "the frame that came", &bytes)));
    let mut payload = bytes.split_off(header.size());
    if let Some(key) = header.key {
        let rows = unmasking(&payload, key);
        mask(&mut payload, key);
        pieces.push(Piece::Note(What::Working(Working {
            host,
            socket: None,
            title: "unmasking: ⊕ the same key gives the bytes back".to_owned(),
            bytes: Vec::new(),
            rows,
        })));
    }
    Ok(payload)
}

/// The payload's length; the header was held against [`LONGEST`] before.
fn length_of(header: &Header) -> usize {
    usize::try_from(header.length).unwrap_or(usize::MAX)
}

fn taken_apart(host: Host, title: &str, bytes: &[u8]) -> What {
    What::Working(Working {
        host,
        socket: None,
        title: title.to_owned(),
        bytes: bytes.to_vec(),
        rows: rows(&fields(bytes)),
    })
}

fn masking(plain: &[u8], key: [u8; 4]) -> Vec<Row> {
    spelled(plain, key, |plain, masked| {
        (letter(plain), format!("{plain:02x} ⊕ ",), format!(" = {masked:02x}"))
    })
}

fn unmasking(masked: &[u8], key: [u8; 4]) -> Vec<Row> {
    spelled(masked, key, |masked, plain| {
        (format!("{masked:02x}"), format!("{masked:02x} ⊕ "), format!(" = {plain:02x}  {}", letter(plain)))
    })
}

fn letter(byte: u8) -> String {
    text::escape(&[byte])
}

/// The first bytes of a payload, each with its byte of the key: `payload[i] ⊕ key[i mod 4]`.
fn spelled(bytes: &[u8], key: [u8; 4], tell: impl Fn(u8, u8) -> (String, String, String)) -> Vec<Row> {
    let row = |(index, byte): (usize, &u8)| {
        let part = key[index % 4];
        let (name, before, behind) = tell(*byte, byte ^ part);
        Row {
            name,
            value: format!("{before}{part:02x}{behind}"),
            meaning: format!("byte {index} with key[{index} mod 4 = {}]", index % 4),
            bits: None,
            section: Some("RFC 6455 §5.3".to_owned()),
        }
    };
    let mut rows: Vec<Row> = bytes.iter().enumerate().take(SPELLED).map(row).collect();
    if bytes.len() > SPELLED {
        rows.push(Row {
            name: "…".to_owned(),
            value: format!("{} more bytes", bytes.len() - SPELLED),
            meaning: "in the same way".to_owned(),
            bits: None,
            section: None,
        });
    }
    rows
}
