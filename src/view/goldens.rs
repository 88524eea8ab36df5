//! Screens as they are to look, character by character: `tests/data/view/`. Run with `SNAPSHOTS=overwrite` to
//! write them anew, and then look at every one.

use snapbox::{Data, assert_data_eq, file};

use super::sample_runs::{
    blocked_accept, close_lesson, elsewhere, listen_lesson, predictions, upgrade_lesson,
};
use super::*;
use crate::trace::Event;

fn shown(events: &[Event], look: Look, palette: Palette) -> String {
    let mut narrator = Narrator::new(look);
    let mut lines: Vec<Line> = events.iter().flat_map(|event| narrator.show(event)).collect();
    lines.extend(narrator.settle());
    paint(&lines, palette)
}

fn screen(width: usize) -> Look {
    Look::new(width, Glyphs::Unicode, Form::Screen)
}

fn linear() -> Look {
    Look::new(80, Glyphs::Unicode, Form::Linear)
}

fn ascii() -> Look {
    Look::new(80, Glyphs::Ascii, Form::Screen)
}

#[track_caller]
fn same(events: &[Event], look: Look, palette: Palette, golden: Data) {
    assert_data_eq!(Data::text(shown(events, look, palette)).raw(), golden.raw());
}

/// One test a golden file: the events, the look, the palette, the file.
macro_rules! goldens {
    ($($name:ident: $events:expr, $look:expr, $palette:ident, $file:literal;)*) => {
        $(#[test]
        fn $name() {
            same(&$events, $look, Palette::$palette, file![$file]);
        })*
    };
}

goldens! {
    listen_at_80: listen_lesson(), screen(80), Plain, "../../tests/data/view/listen-80.txt";
    listen_in_colour: listen_lesson(), screen(80), Colour, "../../tests/data/view/listen-80-colour.txt";
    listen_at_40: listen_lesson(), screen(40), Plain, "../../tests/data/view/listen-40.txt";
    listen_at_120: listen_lesson(), screen(120), Plain, "../../tests/data/view/listen-120.txt";
    listen_in_ascii: listen_lesson(), ascii(), Plain, "../../tests/data/view/listen-80-ascii.txt";
    listen_aloud: listen_lesson(), linear(), Plain, "../../tests/data/view/listen-linear.txt";
    blocked_at_80: blocked_accept(), screen(80), Plain, "../../tests/data/view/blocked-80.txt";
    blocked_aloud: blocked_accept(), linear(), Plain, "../../tests/data/view/blocked-linear.txt";
    close_at_80: close_lesson(), screen(80), Plain, "../../tests/data/view/close-80.txt";
    close_in_colour: close_lesson(), screen(80), Colour, "../../tests/data/view/close-80-colour.txt";
    close_at_40: close_lesson(), screen(40), Plain, "../../tests/data/view/close-40.txt";
    close_aloud: close_lesson(), linear(), Plain, "../../tests/data/view/close-linear.txt";
    elsewhere_at_80: elsewhere(), screen(80), Plain, "../../tests/data/view/elsewhere-80.txt";
    predictions_at_80: predictions(), screen(80), Plain, "../../tests/data/view/predictions-80.txt";
    predictions_aloud: predictions(), linear(), Plain, "../../tests/data/view/predictions-linear.txt";
    upgrade_at_80: upgrade_lesson(), screen(80), Plain, "../../tests/data/view/upgrade-80.txt";
    upgrade_in_colour: upgrade_lesson(), screen(80), Colour, "../../tests/data/view/upgrade-80-colour.txt";
    upgrade_at_40: upgrade_lesson(), screen(40), Plain, "../../tests/data/view/upgrade-40.txt";
    upgrade_in_ascii: upgrade_lesson(), ascii(), Plain, "../../tests/data/view/upgrade-80-ascii.txt";
    upgrade_aloud: upgrade_lesson(), linear(), Plain, "../../tests/data/view/upgrade-linear.txt";
}
