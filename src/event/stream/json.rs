//! How types of `wire` stand in the JSON of stream events.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{super::bytes::Hex, FieldRow, LayerFields};
use crate::wire::websocket::{Header, LengthForm, opcode_entry};

/// Nanoseconds since 1970, in JSON a text: seconds with nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Serialize for Time {
    /// Without an allocation: a capture has a time in every line.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // 2^64 nanoseconds have eleven digits before the point.
        let mut text = *b"00000000000.000000000";
        put(&mut text[12..], self.0 % 1_000_000_000);
        let start = put(&mut text[..11], self.0 / 1_000_000_000);
        to.serialize_str(std::str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let parsed =
            text.split_once('.').filter(|(_, fraction)| fraction.len() == 9).and_then(|(whole, fraction)| {
                let whole: u64 = whole.parse().ok()?;
                whole.checked_mul(1_000_000_000)?.checked_add(fraction.parse().ok()?)
            });
        parsed.map(Time).ok_or_else(|| D::Error::custom("needed seconds with nine decimals"))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// Writes a number at the end of the buffer. Returns where its first digit stands.
fn put(buffer: &mut [u8], mut number: u64) -> usize {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 || at == 0 {
            return at;
        }
    }
}

/// An opcode, and its name.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Opcode {
    opcode: u8,
    #[serde(default)]
    kind: Cow<'static, str>,
}

/// The header of a frame.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct HeaderFields {
    /// Bytes of payload, as the header claims.
    length: u64,
    /// Bytes behind the first two that hold the length, where that is not the shortest form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length_bytes: Option<usize>,
    opcode: u8,
    /// The name of the opcode.
    #[serde(default)]
    kind: Cow<'static, str>,
    fin: bool,
    rsv: [bool; 3],
    /// The masking key, in hex.
    #[serde(default, with = "mask", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    mask: Option<[u8; 4]>,
}

/// permessage-deflate as agreed on.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Deflate {
    client_no_context_takeover: bool,
    client_max_window_bits: u8,
    server_no_context_takeover: bool,
    server_max_window_bits: u8,
}

pub(super) mod opcode {
    use super::{Deserialize, Deserializer, Opcode, Serialize, Serializer, opcode_entry};

    pub fn serialize<S: Serializer>(opcode: &u8, to: S) -> Result<S::Ok, S::Error> {
        Opcode { opcode: *opcode, kind: opcode_entry(*opcode).symbol.into() }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        Opcode::deserialize(from).map(|it| it.opcode)
    }
}

pub(super) mod header {
    use super::{
        Deserialize, Deserializer, Header, HeaderFields, LengthForm, Serialize, Serializer, opcode_entry,
    };

    pub fn serialize<S: Serializer>(it: &Header, to: S) -> Result<S::Ok, S::Error> {
        HeaderFields {
            length: it.length,
            length_bytes: (!it.is_minimal()).then(|| it.form.extra_bytes()),
            opcode: it.opcode,
            kind: opcode_entry(it.opcode).symbol.into(),
            fin: it.fin,
            rsv: [it.rsv1, it.rsv2, it.rsv3],
            mask: it.key,
        }
        .serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Header, D::Error> {
        let it = HeaderFields::deserialize(from)?;
        let [rsv1, rsv2, rsv3] = it.rsv;
        let all = [LengthForm::Seven, LengthForm::Sixteen, LengthForm::SixtyFour];
        let form = all.into_iter().find(|form| Some(form.extra_bytes()) == it.length_bytes);
        let form = form.unwrap_or_else(|| LengthForm::minimal(it.length));
        let (opcode, fin, key, length) = (it.opcode, it.fin, it.mask, it.length);
        Ok(Header { fin, rsv1, rsv2, rsv3, opcode, key, length, form })
    }
}

pub(super) mod mask {
    use super::{Deserialize, Deserializer, Error, HEXLOWER, Hex, Serialize, Serializer};

    pub fn serialize<S: Serializer>(key: &Option<[u8; 4]>, to: S) -> Result<S::Ok, S::Error> {
        key.as_ref().map(|key| Hex(key)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u8; 4]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)?;
        bytes.try_into().map(Some).map_err(|_| D::Error::custom("needed a masking key of 4 bytes"))
    }
}

pub(super) mod deflate {
    use super::{Deflate, Deserialize, Deserializer, Serialize, Serializer};
    use crate::wire::websocket::deflate::{Agreed, Direction};

    pub fn serialize<S: Serializer>(it: &Option<Agreed>, to: S) -> Result<S::Ok, S::Error> {
        it.map(|Agreed { client, server }| Deflate {
            client_no_context_takeover: client.no_context_takeover,
            client_max_window_bits: client.window_bits,
            server_no_context_takeover: server.no_context_takeover,
            server_max_window_bits: server.window_bits,
        })
        .serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Agreed>, D::Error> {
        let direction = |no_context_takeover, window_bits| Direction { no_context_takeover, window_bits };
        Ok(Option::<Deflate>::deserialize(from)?.map(|it| Agreed {
            client: direction(it.client_no_context_takeover, it.client_max_window_bits),
            server: direction(it.server_no_context_takeover, it.server_max_window_bits),
        }))
    }
}

pub(super) mod flags {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use crate::wire::tcp::Flags;

    pub fn serialize<S: Serializer>(flags: &Flags, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(flags)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Flags, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

pub(super) mod protocol {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use crate::wire::Protocol;

    /// Protocols that a layer of a stream can have.
    const ALL: [Protocol; 5] =
        [Protocol::EngineIo, Protocol::SocketIo, Protocol::SockJs, Protocol::EventStream, Protocol::Stomp];

    pub fn serialize<S: Serializer>(it: &Protocol, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(it.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Protocol, D::Error> {
        let text = String::deserialize(from)?;
        ALL.into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| D::Error::custom(format_args!("no layer is of the protocol {text:?}")))
    }
}

pub(super) mod level {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};
    use crate::wire::websocket::rules::Level;

    pub fn serialize<S: Serializer>(it: &Option<Level>, to: S) -> Result<S::Ok, S::Error> {
        it.map(Level::word).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Level>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let all = [Level::Must, Level::Should, Level::May];
        let found = all.into_iter().find(|level| level.word() == text);
        found.map(Some).ok_or_else(|| D::Error::custom("needed MUST, SHOULD or MAY"))
    }
}

impl Serialize for LayerFields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            LayerFields::Of(decode, bytes) => to.collect_seq(decode(bytes).iter().map(FieldRow::from)),
            LayerFields::Rows(rows) => rows.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for LayerFields<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(LayerFields::Rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_full_and_read_back() {
        for time in [0, 1, 999_999_999, 1_000_000_000, 1_700_000_000_123_456_789, u64::MAX] {
            let json = serde_json::to_string(&Time(time)).unwrap();
            assert_eq!(json, format!("\"{}.{:09}\"", time / 1_000_000_000, time % 1_000_000_000));
            assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), Time(time));
        }
    }
}
