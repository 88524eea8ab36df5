//! Bytes that were taken apart, for any tool: what each field is called, what it says, and why it is there.

use super::frame_table::Depth;
use super::line::Line;
use super::look::Look;
use super::working;
use crate::event::{Host, Row, Working};
use crate::wire::Field;

/// The bytes, and beneath them their fields.
pub fn field_table(look: &Look, bytes: &[u8], fields: &[Field], detail: Depth) -> Vec<Line> {
    let why = detail == Depth::Why;
    let row = |field: &Field| Row {
        name: field.name.into(),
        value: match field.symbol {
            Some(symbol) => format!("{} [{symbol}]", field.value),
            None => field.value.clone(),
        },
        meaning: if why { field.meaning.clone() } else { String::new() },
        bits: Some((field.bits.start, field.bits.end)),
        section: (why && !field.section.is_empty()).then(|| field.section.into()),
    };
    // Who worked it out is not told.
    let it = Working {
        host: Host::Client,
        socket: None,
        title: String::new(),
        bytes: bytes.to_vec(),
        rows: fields.iter().map(row).collect(),
    };
    working::table(look, &it)
}
