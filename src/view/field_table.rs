//! Bytes that were taken apart, for any tool: what each field is called, what it says, and why it is there.

use super::frame_table::Depth;
use super::line::Line;
use super::look::Look;
use super::working;
use crate::event::{Host, Row, Working, stream::FieldRow};
use crate::wire::Field;

/// The bytes, and beneath them their fields.
pub fn field_table(look: &Look, bytes: &[u8], fields: &[Field], detail: Depth) -> Vec<Line> {
    let rows: Vec<FieldRow> = fields.iter().map(FieldRow::from).collect();
    field_rows(look, bytes, &rows, detail)
}

/// The same of fields out of a trace.
pub(super) fn field_rows(look: &Look, bytes: &[u8], fields: &[FieldRow], detail: Depth) -> Vec<Line> {
    let why = detail == Depth::Why;
    let row = |field: &FieldRow| Row {
        name: field.name.clone().into_owned(),
        value: match &field.symbol {
            Some(symbol) => format!("{} [{symbol}]", field.value),
            None => field.value.clone(),
        },
        meaning: if why { field.meaning.clone() } else { String::new() },
        bits: Some(field.bits),
        section: (why && !field.section.is_empty()).then(|| field.section.clone().into_owned()),
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
