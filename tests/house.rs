//! The house holds: arrows between folders go only where ARCHITECTURE.md draws them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `cli -> run, view` in the block of ARCHITECTURE.md that is fenced as `arrows`.
fn drawn() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```arrows\n").nth(1).expect("ARCHITECTURE.md has a block `arrows`");
    let lines = block.split("```").next().unwrap().lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (from, to) = line.split_once("->").expect("an arrow a line");
            let to =
                to.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "nothing").collect();
            (from.trim().to_owned(), to)
        })
        .collect()
}

/// Which folders each folder names behind `crate::`.
fn found() -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join("src");
    let folders: BTreeSet<String> = fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> =
        folders.iter().map(|folder| (folder.clone(), BTreeSet::new())).collect();
    for file in rust_files(&source) {
        let Some(from) =
            file.strip_prefix(&source).unwrap().iter().next().map(|first| first.to_str().unwrap().to_owned())
        else {
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            // `use crate::{a, b::{c, d}}` names a and b.
            let names: Vec<String> = if rest.starts_with('{') { first_names(rest) } else { vec![word(rest)] };
            for name in names {
                if name != from && folders.contains(&name) {
                    arrows.entry(from.clone()).or_default().insert(name);
                }
            }
        }
        if from == "main.rs" {
            arrows.insert(
                "main".into(),
                code.match_indices("sockwalk::").map(|(at, _)| word(&code[at + 10..])).collect(),
            );
        }
    }
    arrows.remove("lib.rs");
    arrows.remove("main.rs");
    arrows
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The first name of each branch of `{a, b::{c, d}}`.
fn first_names(text: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => start = true,
            c if start && depth == 1 && c.is_ascii_alphabetic() => {
                names.push(word(&text[at..]));
                start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn arrows_go_only_where_they_are_drawn() {
    let (drawn, found) = (drawn(), found());
    for (from, to) in &found {
        let allowed = drawn.get(from).unwrap_or_else(|| panic!("ARCHITECTURE.md does not know src/{from}"));
        let more: Vec<_> = to.difference(allowed).collect();
        assert!(more.is_empty(), "src/{from} uses {more:?}, which ARCHITECTURE.md does not draw");
        let less: Vec<_> = allowed.difference(to).collect();
        assert!(less.is_empty(), "ARCHITECTURE.md draws {from} -> {less:?}, which is not there any more");
    }
}

#[test]
fn arrows_have_no_circle() {
    let arrows = found();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while done.len() < arrows.len() {
        let next = arrows.iter().find(|(from, to)| {
            !done.contains(from.as_str()) && to.iter().all(|to| done.contains(to.as_str()))
        });
        let (from, _) = next.unwrap_or_else(|| {
            panic!(
                "a circle among {:?}",
                arrows.keys().filter(|from| !done.contains(from.as_str())).collect::<Vec<_>>()
            )
        });
        done.insert(from);
    }
}

#[test]
fn unsafe_code_is_only_where_the_system_is_touched() {
    for file in rust_files(&root().join("src")) {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        let unsafe_code =
            text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("unsafe {"));
        let allowed =
            ["src/call/", "src/kernel/", "src/stage/"].iter().any(|folder| path.starts_with(folder));
        assert!(!unsafe_code || allowed, "{path} has unsafe code");
    }
}

#[test]
fn the_words_of_the_notation_are_all_documented() {
    let text = fs::read_to_string(root().join("docs/lessons.md")).unwrap();
    use sockwalk::{
        call,
        lesson::{State, grammar},
        websocket,
    };
    let words = grammar::calls()
        .map(|grammar| grammar.name)
        .chain(call::OPTIONS.iter().copied())
        .chain(call::FLAGS.iter().copied());
    let words =
        words.chain(State::all().map(|(name, _)| name)).chain(grammar::KEYS.iter().map(|(name, _)| *name));
    let words = words
        .chain(grammar::TAGS.iter().copied())
        .chain(call::How::ALL.iter().map(|(name, _)| *name))
        .chain(websocket::Modifier::ALL.iter().map(|(name, _)| *name));
    let words = words
        .chain(grammar::CABLES.iter().copied())
        .chain(grammar::WIRE.iter().map(|(name, ..)| *name))
        .chain(grammar::FRAMES.iter().copied())
        .chain(grammar::TCP_FLAGS.iter().map(|(name, _)| *name))
        .chain(grammar::FATES.iter().copied())
        .chain(grammar::FRAME_KEYS.iter().map(|(name, _)| *name));
    for word in words {
        assert!(text.contains(word), "docs/lessons.md says nothing of `{word}`");
    }
}
