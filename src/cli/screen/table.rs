//! The table of a class: who is connected, drawn over and over in one place.

use std::io::{self, IsTerminal, Write};

use super::{Screen, terminal::table_rows};
use crate::{
    event,
    view::{self, Form, Line},
};

/// The table of who is connected, drawn over and over in one place.
#[derive(Default)]
pub(super) struct Table {
    /// Rows of it that stand on the terminal now.
    drawn: usize,
    /// Where lines can't be drawn over: who was there last, for the end.
    last: Vec<event::Peer>,
}

impl Screen {
    /// Of a class, only the table of who is connected is shown.
    pub fn keep_table(&mut self) {
        self.table = Some(Table::default());
        self.follow("");
    }

    /// The last table, to stay: where it was drawn all along, it has made room for what was said at the end.
    pub fn last_table(&mut self) {
        self.wipe_table();
        let Some(table) = self.table.take().filter(|table| !table.last.is_empty()) else { return };
        let most = if io::stdout().is_terminal() { table_rows() } else { usize::MAX };
        let lines = [vec![Line::blank()], view::class(&self.look, &table.last, most)].concat();
        self.print(&lines);
    }

    /// Takes the table away, so that something else can be written.
    pub(super) fn wipe_table(&mut self) {
        if let Some(table) = &mut self.table
            && table.drawn > 0
        {
            let mut out = io::stdout().lock();
            let _ = write!(out, "\x1b[{}A\x1b[J", std::mem::take(&mut table.drawn));
        }
    }

    /// Draws it anew.
    pub(super) fn draw_table(&mut self, peers: &[event::Peer]) {
        let Some(table) = &mut self.table else { return };
        let can_draw = io::stdout().is_terminal()
            && self.look.form() == Form::Screen
            && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        if !can_draw {
            table.last = peers.to_vec();
            return;
        }
        let mut lines = vec![Line::blank()];
        lines.extend(view::class(&self.look, peers, table_rows()));
        self.write(&lines);
        if let Some(table) = &mut self.table {
            table.drawn = lines.len();
            table.last = peers.to_vec();
        }
    }
}
