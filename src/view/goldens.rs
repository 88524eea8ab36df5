//! Screens as they are to look, character by character: `tests/data/view/`. Run with `SNAPSHOTS=overwrite` to
//! write them anew, and then look at every one.

use snapbox::{Data, assert_data_eq, file};

use super::cable_runs::{cable_lesson, many_frames};
use super::capture_runs::on_the_cable;
use super::class_runs::{class_of_bytes, class_of_messages, live_listen, live_send, live_troubles, peers};
use super::datagram_runs::datagrams;
use super::sample_runs::{
    blocked_accept, close_lesson, elsewhere, listen_lesson, predictions, upgrade_lesson,
};
use super::*;
use crate::event::Event;

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

#[test]
fn datagrams_and_who_sent_them() {
    let golden = |look, palette, golden| same(&datagrams(), look, palette, golden);
    golden(screen(40), Palette::Plain, file!["../../tests/data/view/datagrams-40.txt"]);
    golden(screen(80), Palette::Plain, file!["../../tests/data/view/datagrams-80.txt"]);
    golden(screen(80), Palette::Colour, file!["../../tests/data/view/datagrams-80-colour.txt"]);
    golden(ascii(), Palette::Plain, file!["../../tests/data/view/datagrams-80-ascii.txt"]);
    golden(linear(), Palette::Plain, file!["../../tests/data/view/datagrams-linear.txt"]);
}

/// The story of one connection of the class.
fn followed(name: &str, look: Look) -> String {
    let mut narrator = Narrator::new(look).following(name);
    let mut lines: Vec<Line> = class_of_messages().iter().flat_map(|event| narrator.show(event)).collect();
    lines.extend(narrator.settle());
    paint(&lines, Palette::Plain)
}

/// The quiet table, for a screen with and without room for all.
fn quiet(look: Look, palette: Palette) -> String {
    let few = paint(&class(&look, &peers(9), 24), palette);
    let many = paint(&class(&look, &peers(1_000), 10), palette);
    format!("{few}\n{many}")
}

#[track_caller]
fn same_text(text: String, golden: Data) {
    assert_data_eq!(Data::text(text).raw(), golden.raw());
}

#[test]
fn a_connection_followed_at_80() {
    same_text(followed("c31", screen(80)), file!["../../tests/data/view/following-80.txt"]);
}

#[test]
fn a_connection_followed_linear() {
    same_text(followed("c31", linear()), file!["../../tests/data/view/following-linear.txt"]);
}

#[test]
fn the_quiet_table_at_each_width_and_linear() {
    let golden = |look, palette, golden| same_text(quiet(look, palette), golden);
    golden(screen(40), Palette::Plain, file!["../../tests/data/view/quiet-40.txt"]);
    golden(screen(80), Palette::Plain, file!["../../tests/data/view/quiet-80.txt"]);
    golden(screen(80), Palette::Colour, file!["../../tests/data/view/quiet-80-colour.txt"]);
    golden(screen(120), Palette::Plain, file!["../../tests/data/view/quiet-120.txt"]);
    golden(ascii(), Palette::Plain, file!["../../tests/data/view/quiet-80-ascii.txt"]);
    golden(linear(), Palette::Plain, file!["../../tests/data/view/quiet-linear.txt"]);
}

/// The frames of the cable, with tables so deep.
fn deep(look: Look, palette: Palette, depth: Depth) -> String {
    let mut narrator = Narrator::new(look).deep(depth);
    let mut lines: Vec<Line> = on_the_cable().iter().flat_map(|event| narrator.show(event)).collect();
    lines.extend(narrator.settle());
    paint(&lines, palette)
}

/// One frame alone.
fn alone(look: Look, palette: Palette, depth: Depth) -> String {
    let mut frame = OneFrame::new(look, 2, depth);
    let lines = on_the_cable().iter().find_map(|event| frame.take(event)).expect("it has such a frame");
    paint(&lines, palette)
}

#[test]
fn frames_in_a_lesson() {
    let golden = |depth, golden| same_text(deep(screen(80), Palette::Plain, depth), golden);
    golden(Depth::Summary, file!["../../tests/data/view/cable-summary-80.txt"]);
    golden(Depth::Fields, file!["../../tests/data/view/cable-fields-80.txt"]);
}

#[test]
fn a_frame_alone_at_each_width_and_linear() {
    use Depth::{Fields, Why};
    let golden = |look, palette, depth, golden| same_text(alone(look, palette, depth), golden);
    golden(screen(40), Palette::Plain, Fields, file!["../../tests/data/view/frame-fields-40.txt"]);
    golden(screen(80), Palette::Plain, Fields, file!["../../tests/data/view/frame-fields-80.txt"]);
    golden(screen(80), Palette::Colour, Fields, file!["../../tests/data/view/frame-fields-80-colour.txt"]);
    golden(screen(80), Palette::Plain, Why, file!["../../tests/data/view/frame-why-80.txt"]);
    golden(screen(120), Palette::Plain, Why, file!["../../tests/data/view/frame-why-120.txt"]);
    golden(ascii(), Palette::Plain, Why, file!["../../tests/data/view/frame-why-80-ascii.txt"]);
    golden(linear(), Palette::Plain, Fields, file!["../../tests/data/view/frame-fields-linear.txt"]);
    golden(linear(), Palette::Plain, Why, file!["../../tests/data/view/frame-why-linear.txt"]);
}

#[test]
fn the_transcript() {
    let mut transcript = Transcript::default();
    let text: String = on_the_cable().iter().map(|event| transcript.take(event)).collect();
    same_text(text, file!["../../tests/data/view/transcript.txt"]);
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
    listen_linear: listen_lesson(), linear(), Plain, "../../tests/data/view/listen-linear.txt";
    blocked_at_80: blocked_accept(), screen(80), Plain, "../../tests/data/view/blocked-80.txt";
    blocked_linear: blocked_accept(), linear(), Plain, "../../tests/data/view/blocked-linear.txt";
    close_at_80: close_lesson(), screen(80), Plain, "../../tests/data/view/close-80.txt";
    close_in_colour: close_lesson(), screen(80), Colour, "../../tests/data/view/close-80-colour.txt";
    close_at_40: close_lesson(), screen(40), Plain, "../../tests/data/view/close-40.txt";
    close_linear: close_lesson(), linear(), Plain, "../../tests/data/view/close-linear.txt";
    elsewhere_at_80: elsewhere(), screen(80), Plain, "../../tests/data/view/elsewhere-80.txt";
    predictions_at_80: predictions(), screen(80), Plain, "../../tests/data/view/predictions-80.txt";
    predictions_linear: predictions(), linear(), Plain, "../../tests/data/view/predictions-linear.txt";
    upgrade_at_80: upgrade_lesson(), screen(80), Plain, "../../tests/data/view/upgrade-80.txt";
    upgrade_in_colour: upgrade_lesson(), screen(80), Colour, "../../tests/data/view/upgrade-80-colour.txt";
    upgrade_at_40: upgrade_lesson(), screen(40), Plain, "../../tests/data/view/upgrade-40.txt";
    upgrade_in_ascii: upgrade_lesson(), ascii(), Plain, "../../tests/data/view/upgrade-80-ascii.txt";
    upgrade_linear: upgrade_lesson(), linear(), Plain, "../../tests/data/view/upgrade-linear.txt";
    live_listen_at_40: live_listen(), screen(40), Plain, "../../tests/data/view/live-listen-40.txt";
    live_listen_at_80: live_listen(), screen(80), Plain, "../../tests/data/view/live-listen-80.txt";
    live_listen_in_colour: live_listen(), screen(80), Colour, "../../tests/data/view/live-listen-80-colour.txt";
    live_listen_at_120: live_listen(), screen(120), Plain, "../../tests/data/view/live-listen-120.txt";
    live_listen_linear: live_listen(), linear(), Plain, "../../tests/data/view/live-listen-linear.txt";
    live_send_at_40: live_send(), screen(40), Plain, "../../tests/data/view/live-send-40.txt";
    live_send_at_80: live_send(), screen(80), Plain, "../../tests/data/view/live-send-80.txt";
    live_send_at_120: live_send(), screen(120), Plain, "../../tests/data/view/live-send-120.txt";
    live_send_linear: live_send(), linear(), Plain, "../../tests/data/view/live-send-linear.txt";
    live_troubles_at_40: live_troubles(), screen(40), Plain, "../../tests/data/view/live-troubles-40.txt";
    live_troubles_at_80: live_troubles(), screen(80), Plain, "../../tests/data/view/live-troubles-80.txt";
    live_troubles_in_ascii: live_troubles(), ascii(), Plain, "../../tests/data/view/live-troubles-80-ascii.txt";
    live_troubles_at_120: live_troubles(), screen(120), Plain, "../../tests/data/view/live-troubles-120.txt";
    live_troubles_linear: live_troubles(), linear(), Plain, "../../tests/data/view/live-troubles-linear.txt";
    class_bytes_at_80: class_of_bytes(), screen(80), Plain, "../../tests/data/view/class-bytes-80.txt";
    class_bytes_linear: class_of_bytes(), linear(), Plain, "../../tests/data/view/class-bytes-linear.txt";
    class_messages_at_40: class_of_messages(), screen(40), Plain, "../../tests/data/view/class-messages-40.txt";
    class_messages_at_80: class_of_messages(), screen(80), Plain, "../../tests/data/view/class-messages-80.txt";
    class_messages_in_colour: class_of_messages(), screen(80), Colour, "../../tests/data/view/class-messages-80-colour.txt";
    class_messages_in_ascii: class_of_messages(), ascii(), Plain, "../../tests/data/view/class-messages-80-ascii.txt";
    class_messages_at_120: class_of_messages(), screen(120), Plain, "../../tests/data/view/class-messages-120.txt";
    class_messages_linear: class_of_messages(), linear(), Plain, "../../tests/data/view/class-messages-linear.txt";
}

/// One test a golden file: the events, the view, the look, the palette, the file.
macro_rules! views {
    ($($name:ident: $events:expr, $view:ident, $look:expr, $palette:ident, $file:literal;)*) => {
        $(#[test]
        fn $name() {
            let mut teller = Renderer::new($look, View::$view, Depth::Summary);
            let mut lines: Vec<Line> = $events.iter().flat_map(|event| teller.show(event)).collect();
            lines.extend(teller.settle());
            same_text(paint(&lines, Palette::$palette), file![$file]);
        })*
    };
}

views! {
    ladder_at_80: cable_lesson(), Ladder, screen(80), Plain, "../../tests/data/view/ladder-80.txt";
    ladder_in_colour: cable_lesson(), Ladder, screen(80), Colour, "../../tests/data/view/ladder-80-colour.txt";
    ladder_at_120: cable_lesson(), Ladder, screen(120), Plain, "../../tests/data/view/ladder-120.txt";
    ladder_in_ascii: cable_lesson(), Ladder, ascii(), Plain, "../../tests/data/view/ladder-80-ascii.txt";
    ladder_linear: cable_lesson(), Ladder, linear(), Plain, "../../tests/data/view/ladder-linear.txt";
    states_at_80: cable_lesson(), States, screen(80), Plain, "../../tests/data/view/states-80.txt";
    states_in_colour: cable_lesson(), States, screen(80), Colour, "../../tests/data/view/states-80-colour.txt";
    states_at_120: cable_lesson(), States, screen(120), Plain, "../../tests/data/view/states-120.txt";
    states_in_ascii: cable_lesson(), States, ascii(), Plain, "../../tests/data/view/states-80-ascii.txt";
    states_linear: cable_lesson(), States, linear(), Plain, "../../tests/data/view/states-linear.txt";
    ladder_at_64: cable_lesson(), Ladder, screen(64), Plain, "../../tests/data/view/ladder-64.txt";
    ladder_at_100: cable_lesson(), Ladder, screen(100), Plain, "../../tests/data/view/ladder-100.txt";
    ladder_at_50: cable_lesson(), Ladder, screen(50), Plain, "../../tests/data/view/ladder-50.txt";
    ladder_of_many_frames: many_frames(), Ladder, screen(80), Plain, "../../tests/data/view/ladder-many-80.txt";
    ladder_on_loopback: close_lesson(), Ladder, screen(80), Plain, "../../tests/data/view/ladder-loopback-80.txt";
    states_at_60: cable_lesson(), States, screen(60), Plain, "../../tests/data/view/states-60.txt";
    states_on_loopback: close_lesson(), States, screen(80), Plain, "../../tests/data/view/states-loopback-80.txt";
    cable_at_80: cable_lesson(), Story, screen(80), Plain, "../../tests/data/view/cable-80.txt";
    cable_linear: cable_lesson(), Story, linear(), Plain, "../../tests/data/view/cable-linear.txt";
}
