//! The words for what the bytes of a connection mean: the same in the table of a capture and in the log of a
//! connection.

use crate::event::{
    Host,
    stream::{Differs, Missing, Unfinished, Unit, Upgraded, Violation},
};
use crate::view::units::{plural, thousands};

/// What a layer says that is only a heart-beat.
pub(super) const BEAT: &str = "still there";

/// `upgraded to a WebSocket, permessage-deflate`
pub(super) fn upgraded(it: &Upgraded) -> String {
    let mut text = match it.handshake {
        true => "upgraded to a WebSocket".to_owned(),
        false => "taken for a WebSocket: its handshake was not seen".to_owned(),
    };
    if let Some(agreed) = it.deflate {
        text += ", permessage-deflate";
        for (end, direction) in [(Host::Client, agreed.client), (Host::Server, agreed.server)] {
            if direction.window_bits < 15 {
                text += &format!(", {end} window 2^{}", direction.window_bits);
            }
            if direction.no_context_takeover {
                text += &format!(", {end} without context takeover");
            }
        }
    }
    text
}

/// `the server breaks a rule: ` and `a server masks no frame (RFC 6455 §5.1), MUST, at byte 130`
pub(super) fn violation(it: &Violation) -> (String, String) {
    let level = it.level.map(|level| format!(", {}", level.word())).unwrap_or_default();
    let rule = format!("{} ({}){level}, at byte {}", it.words, it.section, it.offset);
    (format!("the {} breaks a rule: ", it.from), rule)
}

/// `client byte 10: 5 bytes came again, and differently; the first ones count`
pub(super) fn differs(it: &Differs) -> String {
    let length = count(it.length, "byte");
    format!("{} byte {}: {length} came again, and differently; the first ones count", it.from, it.offset)
}

/// `client byte 10: 5 bytes are not in the capture`
pub(super) fn missing(it: &Missing) -> String {
    let why =
        if it.truncated { "were cut off when the packet was recorded" } else { "are not in the capture" };
    format!("{} byte {}: {} {why}", it.from, it.offset, count(it.length, "byte"))
}

/// `client byte 130: the frame is unfinished, 3 of 10 bytes came`
pub(super) fn unfinished(it: &Unfinished) -> String {
    let unit = match it.unit {
        Unit::Head => "head",
        Unit::Body => "body",
        Unit::Frame => "frame",
        Unit::Message => "message",
    };
    let had = match it.needed {
        Some(needed) => format!("{} of {} came", thousands(it.length), count(needed, "byte")),
        None => format!("{} came", count(it.length, "byte")),
    };
    format!("{} byte {}: the {unit} is unfinished, {had}", it.from, it.offset)
}

/// The reason phrase of a response: what stands behind the status code.
pub(super) fn reason(head: &[u8]) -> &[u8] {
    first_line(head).splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default()
}

/// The first line of a head.
pub(super) fn first_line(head: &[u8]) -> &[u8] {
    head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default()
}

/// `1 byte`, `1,234 bytes`
pub fn size(bytes: u64) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{} bytes", thousands(bytes)) }
}

fn count(n: u64, of: &str) -> String {
    plural(usize::try_from(n).unwrap_or(usize::MAX), of)
}
