use super::super::{
    Options,
    tests::talk::{Talk, events},
};
use super::*;
use crate::view::{Form, Glyphs, Palette, paint};
use crate::wire::websocket::Frame as Made;

fn shown(width: usize, form: Form, detail: Depth, follow: bool) -> String {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("");
    talk.client(&Made::new(opcode::TEXT, "hello\x1b[2J \u{202e}").masked([1, 2, 3, 4]).encode());
    talk.server(&Made::new(opcode::TEXT, "x".repeat(300)).masked([0; 4]).encode());
    talk.fin();
    let mut show = Show::new(Look::new(width, Glyphs::Unicode, form), detail, follow, Choice::default());
    let mut lines = Vec::new();
    events(&talk.packets, Options::default(), &mut |event| lines.extend(show.event(event)));
    lines.extend(show.end());
    assert!(form == Form::Linear || lines.iter().all(|line| line.width() <= width), "{width}");
    paint(&lines, Palette::Plain)
}

#[test]
fn lines_fit_and_steer_no_terminal() {
    for width in [40, 60, 80, 120] {
        for form in [Form::Screen, Form::Linear] {
            for detail in [Depth::Summary, Depth::Fields, Depth::Why] {
                for follow in [false, true] {
                    let text = shown(width, form, detail, follow);
                    assert!(text.chars().all(|c| c == '\n' || !text::steers(c)), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_row_has_its_columns() {
    let text = shown(80, Form::Screen, Depth::Summary, false);
    assert!(text.contains("✗ server byte 130: MUST: a server masks no frame (RFC 6455"), "{text}");
    assert!(text.contains(" FIN,MASK "), "{text}");
}
