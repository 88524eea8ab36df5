//! Screens that are the same each time, as they stand: the map, the list of lessons, the help.
//!
//! `SNAPSHOTS=overwrite cargo test --test main screens::` writes them anew: look at what changed.

use snapbox::{assert_data_eq, file};

use crate::support::{Folder, sockwalk, stdout};

fn shown(arguments: &[&str]) -> String {
    let home = Folder::new();
    stdout(&sockwalk(&home, arguments).output().expect("the binary starts"))
}

#[test]
fn the_map_at_80_columns() {
    assert_data_eq!(shown(&["--width", "80"]), file!["data/cli/map-80.txt"].raw());
}

#[test]
fn the_map_in_colour() {
    assert_data_eq!(
        shown(&["--width", "80", "--color", "always"]),
        file!["data/cli/map-80-colour.txt"].raw()
    );
}

#[test]
fn the_map_at_40_columns_in_ascii() {
    assert_data_eq!(shown(&["--width", "40", "--ascii"]), file!["data/cli/map-40-ascii.txt"].raw());
}

#[test]
fn the_list_of_lessons() {
    assert_data_eq!(shown(&["lessons"]), file!["data/cli/lessons.txt"].raw());
}

#[test]
fn the_help() {
    assert_data_eq!(shown(&["--help"]), file!["data/cli/help.txt"].raw());
}

#[test]
fn the_help_of_a_lesson() {
    assert_data_eq!(shown(&["listen", "--help"]), file!["data/cli/help-listen.txt"].raw());
}
