//! Byte by byte: the message at the left, TCP in the middle, the WebSocket at the right, the same byte of the
//! message on the same line.

use super::{Comparison, Side};
use crate::event::Host;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::sentence;
use crate::view::units;
use crate::view::wrap::{Long, wrap};
use crate::wire::websocket::{self, LengthForm};

/// Of a long message so many bytes are shown from its beginning, and so many from its end.
const FIRST: usize = 16;
const LAST: usize = 4;

/// So many frames are shown byte by byte.
const FRAMES: usize = 6;

/// Columns of a character and its offset, and of a byte of TCP.
const CHARACTER: usize = 14;
const BYTE: usize = 18;
/// The same where there is less room.
const NARROW: (usize, usize) = (10, 13);

pub(super) fn side_by_side(look: &Look, it: &Comparison) -> Vec<Line> {
    if look.linear() {
        return linear(look, it);
    }
    let (character, byte) = if look.wide() { (CHARACTER, BYTE) } else { NARROW };
    let row = |cells: [Line; 3]| -> Vec<Line> {
        let [left, middle, right] = cells;
        let room = look.content().saturating_sub(character + byte);
        let mut first = left;
        first.pad(character);
        first.extend(middle);
        let mut lines = Vec::new();
        for (at, piece) in wrap(&right, room, 9, Long::Break).into_iter().enumerate() {
            let mut line = if at == 0 { std::mem::take(&mut first) } else { Line::blank() };
            line.pad(character + byte);
            line.extend(piece);
            lines.push(line.indented(look.indent()));
        }
        lines
    };
    let quiet = |text: &str| look.line(text, Meaning::Quiet);
    let head = |name: &str, side: &Side| {
        look.line(
            format!("{name}  {}", units::bytes(side.bytes.len()))
                .replace("  ", if look.wide() { "  " } else { " " }),
            Meaning::Strong,
        )
    };
    let mut lines = row([quiet("message"), head("TCP", &it.tcp), head("WebSocket", &it.websocket)]);
    lines.push(look.line("─".repeat(look.content()), Meaning::Rule).indented(look.indent()));
    let mut at = 0;
    for (header, payload) in it.websocket.frames.iter().take(FRAMES) {
        let frame = &it.websocket.bytes[header.start..payload.end];
        let Ok(told) = websocket::Header::parse(frame) else { continue };
        for (bytes, words) in opening(&told, &frame[..header.len()]) {
            let mut cell = look.line(format!("{bytes:<8} "), Meaning::Bytes);
            cell.push(look.span(words, Meaning::Prose));
            lines.extend(row([Line::blank(), Line::blank(), cell]));
        }
        let length = payload.len();
        // A control frame is no part of the message.
        let control = told.opcode & 0x8 != 0;
        for index in 0..length {
            if length > FIRST + LAST && (FIRST..length - LAST).contains(&index) {
                if index == FIRST {
                    let more = format!("… {} more", units::thousands((length - FIRST - LAST) as u64));
                    lines.extend(row([quiet(&more), Line::blank(), Line::blank()]));
                }
                continue;
            }
            let plain = it.tcp.bytes.get(at + index).copied().filter(|_| !control);
            let masked = it.websocket.bytes[payload.start + index];
            let hex = |byte: Option<u8>| byte.map_or_else(String::new, |byte| format!("{byte:02x}"));
            let right = match told.key {
                Some(key) => {
                    let key = key[index % 4];
                    look.spans([
                        (&hex(Some(masked)), Meaning::Bytes),
                        (&format!(" = {:02x} ⊕ {key:02x}", masked ^ key), Meaning::Quiet),
                    ])
                }
                None => look.line(hex(Some(masked)), Meaning::Bytes),
            };
            let character =
                plain.map_or('·', |byte| if byte.is_ascii_graphic() { char::from(byte) } else { '·' });
            let left = if control {
                Line::blank()
            } else {
                look.spans([
                    (&format!("{:>6}  ", at + index), Meaning::Quiet),
                    (&character.to_string(), Meaning::Strong),
                ])
            };
            lines.extend(row([left, look.line(hex(plain), Meaning::Bytes), right]));
        }
        at += if control { 0 } else { length };
    }
    if let Some(more) = it.websocket.frames.len().checked_sub(FRAMES).filter(|more| *more > 0) {
        lines.extend(row([
            quiet(&format!("… and {}", units::plural(more, "frame"))),
            Line::blank(),
            Line::blank(),
        ]));
    }
    lines
}

/// The bytes before the payload, and what each says.
fn opening(header: &websocket::Header, bytes: &[u8]) -> Vec<(String, String)> {
    let kind = websocket::opcode_entry(header.opcode).symbol.to_lowercase();
    let more = if header.fin { "" } else { ", more follows" };
    let masked = if header.key.is_some() { "masked, " } else { "not masked, " };
    let class = match header.form {
        LengthForm::Seven => units::bytes(usize::try_from(header.length).unwrap_or(usize::MAX)),
        LengthForm::Sixteen => "126: 2 bytes of length".to_owned(),
        LengthForm::SixtyFour => "127: 8 bytes of length".to_owned(),
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut rows = vec![
        (hex(&bytes[..1]), format!("{kind}, FIN {}{more}", u8::from(header.fin))),
        (hex(&bytes[1..2]), format!("{masked}{class}")),
    ];
    let extra = header.form.extra_bytes();
    if extra > 0 {
        rows.push((
            hex(&bytes[2..2 + extra]),
            format!("{} bytes of payload", units::thousands(header.length)),
        ));
    }
    if header.key.is_some() {
        rows.push((hex(&bytes[2 + extra..]), "masking key, new for each frame".to_owned()));
    }
    rows
}

fn linear(look: &Look, it: &Comparison) -> Vec<Line> {
    let (tcp, websocket) = (it.tcp.bytes.len(), it.websocket.bytes.len());
    let mut text = format!(
        "Over TCP it is {}, as it was given. Over the WebSocket it is {}.",
        units::bytes(tcp),
        units::bytes(websocket)
    );
    if let Some((header, payload)) = it.websocket.frames.first()
        && let Ok(told) = websocket::Header::parse(&it.websocket.bytes[header.start..payload.end])
    {
        for (bytes, words) in opening(&told, &it.websocket.bytes[header.clone()]) {
            text += &format!(" {bytes}: {words}.");
        }
        if let (Some(key), Some(first)) = (told.key, it.websocket.bytes.get(payload.start)) {
            text += &format!(
                " The first byte of the payload is {first:02x}: {:02x}, XORed with {:02x} of the key.",
                first ^ key[0],
                key[0]
            );
        }
    }
    if it.from == Host::Server {
        text += " A server does not mask.";
    }
    sentence(look, text, Meaning::Prose)
}
