//! Several texts side by side, each wrapped within its own column.

use super::line::Line;
use super::wrap::{Long, wrap};

/// Columns between two texts.
pub(super) const GAP: usize = 2;

/// Lays the cells side by side; each is a text and the columns that it has. The last may be shorter than its
/// own.
pub(super) fn beside(cells: &[(Line, usize)]) -> Vec<Line> {
    let wrapped: Vec<Vec<Line>> =
        cells.iter().map(|(text, width)| wrap(text, *width, 0, Long::Break)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|row| {
            let mut line = Line::blank();
            let mut column = 0;
            for (cell, (_, width)) in wrapped.iter().zip(cells) {
                if let Some(text) = cell.get(row).filter(|text| !text.is_blank()) {
                    line.pad(column);
                    line.extend(text.clone());
                }
                column += width + GAP;
            }
            line
        })
        .collect()
}

/// Widths for columns that would like to be `wanted` wide and may take `room` together, the gaps included.
///
/// Narrow ones get what they want; what is left over is shared among the wide ones.
pub(super) fn share(wanted: &[usize], room: usize) -> Vec<usize> {
    let mut room = room.saturating_sub(GAP * wanted.len().saturating_sub(1));
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&column| wanted[column]);
    let mut widths = vec![0; wanted.len()];
    for (done, &column) in order.iter().enumerate() {
        let fair = room / (wanted.len() - done);
        widths[column] = wanted[column].min(fair).max(1);
        room = room.saturating_sub(widths[column]);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::line::{Meaning, Span};

    #[test]
    fn cells_wrap_within_their_columns() {
        let cell = |text| Line::from(Span::new(text, Meaning::Prose));
        let lines = beside(&[(cell("one two"), 4), (cell("three four"), 6)]);
        let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["one   three", "two   four"]);
    }

    #[test]
    fn narrow_columns_get_what_they_want() {
        assert_eq!(share(&[4, 100, 10], 40), [4, 22, 10]);
        assert_eq!(share(&[4, 5], 40), [4, 5]);
    }
}
