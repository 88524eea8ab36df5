//! The table of a capture, of conversations made up.

use crate::analysis::decode::{
    Options,
    tests::talk::{Talk, events},
};
use crate::view::{Depth, Form, Glyphs, Look, Palette, StreamTable, filter::Choice, paint};
use crate::wire::{
    text,
    websocket::{Frame as Made, opcode},
};

fn shown(width: usize, form: Form, detail: Depth, follow: bool) -> String {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("");
    talk.client(&Made::new(opcode::TEXT, "hello\x1b[2J \u{202e}").masked([1, 2, 3, 4]).encode());
    talk.server(&Made::new(opcode::TEXT, "x".repeat(300)).masked([0; 4]).encode());
    talk.fin();
    told(&talk, width, form, detail, follow)
}

/// The same with a layer above, and another above that.
fn layered(width: usize, form: Form, detail: Depth, follow: bool) -> String {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade_at("/socket.io/?EIO=4&transport=websocket", "");
    for payload in ["2", r#"42["msg","hello"]"#, "42[\"\u{202e}\",\"x\"]", "8"] {
        talk.client(&Made::new(opcode::TEXT, payload).masked([1, 2, 3, 4]).encode());
    }
    told(&talk, width, form, detail, follow)
}

fn told(talk: &Talk, width: usize, form: Form, detail: Depth, follow: bool) -> String {
    let mut show =
        StreamTable::new(Look::new(width, Glyphs::Unicode, form), detail, follow, Choice::default());
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
                    let text = shown(width, form, detail, follow) + &layered(width, form, detail, follow);
                    assert!(text.chars().all(|c| c == '\n' || !text::steers(c)), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_row_has_its_columns() {
    let text = shown(80, Form::Screen, Depth::Summary, false);
    assert!(text.contains("✗ the server breaks a rule: a server masks no frame (RFC 6455"), "{text}");
    assert!(text.contains(" FIN,MASK "), "{text}");
}

#[test]
fn a_layer_stands_beneath_what_carries_it() {
    let lines = |follow| {
        let text = layered(80, Form::Screen, Depth::Summary, follow);
        text.lines().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>()
    };
    let (all, followed) = (lines(false), lines(true));
    let row = |lines: &[String], end: &str| lines.iter().filter(|line| line.ends_with(end)).count();
    assert!(all.iter().any(|line| line.contains("text     FIN           17  \"42[")), "{all:#?}");
    assert_eq!(row(&all, r#"→         Socket.IO EVENT        16  msg "hello""#), 1, "{all:#?}");
    assert_eq!(row(&all, "→         Engine.IO ping          1  still there"), 1, "{all:#?}");
    assert_eq!(row(&followed, r#"→ Socket.IO EVENT msg "hello""#), 1, "{followed:#?}");
    assert_eq!(followed.iter().filter(|line| line.contains("42[")).count(), 0, "{followed:#?}");
    assert!(all.iter().any(|line| line.contains("packet type: needed a digit")), "{all:#?}");
}
