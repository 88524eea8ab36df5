//! The rules of frames: text, section, requirement level, and the Close code that answers a violation.

/// A requirement level (RFC 2119). MUST covers MUST NOT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// MUST or MUST NOT.
    Must,
    /// SHOULD or SHOULD NOT.
    Should,
    /// MAY.
    May,
}

impl Level {
    /// The word of the RFC.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        }
    }
}

/// A rule of the frame stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The rule in a few words.
    pub words: &'static str,
    /// Where it stands.
    pub section: &'static str,
    /// Its requirement level; `None` where the RFC only describes ("not used", "reserved") and peers differ.
    pub level: Option<Level>,
    /// The code for the Close frame with which the receiver should fail the connection (§7.1.7).
    pub close_code: u16,
}

const PROTOCOL_ERROR: u16 = 1002;
const INVALID_DATA: u16 = 1007;
const TOO_BIG: u16 = 1009;

const fn must(words: &'static str, section: &'static str, close_code: u16) -> Rule {
    Rule { words, section, level: Some(Level::Must), close_code }
}

/// The sender breaks no rule here: each receiver sets its own limits.
const fn limit(words: &'static str) -> Rule {
    Rule { words, section: "RFC 6455 §10.4", level: None, close_code: TOO_BIG }
}

/// RSV1, RSV2, RSV3.
pub(crate) const RESERVED_BITS: Rule =
    must("RSV1 to RSV3 are 0 unless an extension was agreed on", "RFC 6455 §5.2", PROTOCOL_ERROR);

/// Opcodes 0x3 to 0x7 and 0xB to 0xF.
pub(crate) const RESERVED_OPCODE: Rule =
    must("an opcode that is not defined fails the connection", "RFC 6455 §5.2", PROTOCOL_ERROR);

/// A control frame with FIN 0.
pub(crate) const FRAGMENTED_CONTROL: Rule =
    must("control frames are not fragmented", "RFC 6455 §5.5", PROTOCOL_ERROR);

/// Opcode 0x0 without an unfinished message: by §6.1 (3) the first frame has the opcode of the data.
pub(crate) const ORPHAN_CONTINUATION: Rule =
    must("a continuation frame needs a message to go on with", "RFC 6455 §5.4, §6.1 (3)", PROTOCOL_ERROR);

/// Opcode 0x1 or 0x2 within an unfinished message.
pub(crate) const INTERLEAVED: Rule =
    must("a message ends before the next begins", "RFC 6455 §5.4", PROTOCOL_ERROR);

/// From a client, MASK 0.
pub(crate) const NOT_MASKED: Rule = must("a client masks every frame", "RFC 6455 §5.1", PROTOCOL_ERROR);

/// From a server, MASK 1.
pub(crate) const MASKED: Rule = must("a server masks no frame", "RFC 6455 §5.1", PROTOCOL_ERROR);

/// A control frame with an extended length.
pub(crate) const LONG_CONTROL: Rule =
    must("a control frame has at most 125 bytes of payload", "RFC 6455 §5.5", PROTOCOL_ERROR);

/// The 64-bit form with its top bit set.
pub(crate) const LENGTH_TOP_BIT: Rule =
    must("the top bit of a 64-bit length is 0", "RFC 6455 §5.2", PROTOCOL_ERROR);

/// A longer form than needed. The MUST is the sender's; some receivers let it pass.
pub(crate) const LENGTH_NOT_MINIMAL: Rule =
    must("the length is written in the fewest bytes", "RFC 6455 §5.2", PROTOCOL_ERROR);

/// More than the receiver takes in one frame.
pub(crate) const FRAME_TOO_BIG: Rule = limit("this frame is larger than this receiver takes");

/// More than the receiver takes in one message.
pub(crate) const MESSAGE_TOO_BIG: Rule = limit("this message is larger than this receiver takes");

/// A byte that can't be UTF-8.
pub(crate) const TEXT_NOT_UTF8: Rule = must("a text message is UTF-8", "RFC 6455 §5.6, §8.1", INVALID_DATA);

/// The message ends inside a character.
pub(crate) const TEXT_CUT_OFF: Rule =
    must("a text message is UTF-8 and ends with a whole character", "RFC 6455 §5.6, §8.1", INVALID_DATA);

/// A Close body of one byte.
pub(crate) const CLOSE_ONE_BYTE: Rule =
    must("a close body begins with a code of two bytes", "RFC 6455 §5.5.1", PROTOCOL_ERROR);

/// 1005, 1006, 1015.
pub(crate) const CLOSE_CODE_LOCAL: Rule = must(
    "1005, 1006 and 1015 are for the local application and never sent",
    "RFC 6455 §7.4.1",
    PROTOCOL_ERROR,
);

/// 0 to 999, 1004, 1016 to 2999, 5000 and above. Some receivers let them pass.
pub(crate) const CLOSE_CODE_UNDEFINED: Rule = Rule {
    words: "a close code is a defined, registered or private one",
    section: "RFC 6455 §7.4",
    level: None,
    close_code: PROTOCOL_ERROR,
};

/// A reason that can't be UTF-8.
pub(crate) const REASON_NOT_UTF8: Rule =
    must("a close reason is UTF-8", "RFC 6455 §5.5.1, §8.1", INVALID_DATA);

/// Text, binary or continuation after the sender's own Close.
pub(crate) const DATA_AFTER_CLOSE: Rule =
    must("after a Close the sender sends no more data", "RFC 6455 §5.5.1", PROTOCOL_ERROR);

/// RSV1 on a control frame or on a fragment that is not the first, where permessage-deflate was agreed on.
pub(crate) const COMPRESSED_BIT: Rule =
    must("RSV1 stands only on the first frame of a data message", "RFC 7692 §6", PROTOCOL_ERROR);

/// RSV2 or RSV3, where only permessage-deflate was agreed on.
pub(crate) const OTHER_RESERVED_BITS: Rule =
    must("RSV2 and RSV3 are 0: no extension that was agreed on uses them", "RFC 6455 §5.2", PROTOCOL_ERROR);

/// A compressed message whose payload is no DEFLATE, or reaches back beyond the window.
pub(crate) const NOT_DEFLATE: Rule = must(
    "a compressed message is DEFLATE within the window agreed on",
    "RFC 7692 §6.2, §7.1.2",
    INVALID_DATA,
);

/// All rules, each with the last part of its path: what `explain ws.rules` lists.
pub(crate) const RULES: [(&str, &Rule); 22] = [
    ("reserved-bits", &RESERVED_BITS),
    ("reserved-opcode", &RESERVED_OPCODE),
    ("fragmented-control", &FRAGMENTED_CONTROL),
    ("orphan-continuation", &ORPHAN_CONTINUATION),
    ("interleaved", &INTERLEAVED),
    ("not-masked", &NOT_MASKED),
    ("masked", &MASKED),
    ("long-control", &LONG_CONTROL),
    ("length-top-bit", &LENGTH_TOP_BIT),
    ("length-not-minimal", &LENGTH_NOT_MINIMAL),
    ("frame-too-big", &FRAME_TOO_BIG),
    ("message-too-big", &MESSAGE_TOO_BIG),
    ("text-not-utf8", &TEXT_NOT_UTF8),
    ("text-cut-off", &TEXT_CUT_OFF),
    ("close-one-byte", &CLOSE_ONE_BYTE),
    ("close-code-local", &CLOSE_CODE_LOCAL),
    ("close-code-undefined", &CLOSE_CODE_UNDEFINED),
    ("reason-not-utf8", &REASON_NOT_UTF8),
    ("data-after-close", &DATA_AFTER_CLOSE),
    ("compressed-bit", &COMPRESSED_BIT),
    ("other-reserved-bits", &OTHER_RESERVED_BITS),
    ("not-deflate", &NOT_DEFLATE),
];
