//! Lesson files from disk, standard input, or built in.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};

use crate::lesson::{self, Builtin, Lesson};

/// A built-in lesson by its name, or a lesson file; `-` is standard input.
pub(super) fn named(path: &Path) -> Result<Lesson> {
    let name = path.to_str().unwrap_or_default();
    if let Some(lesson) = lesson::find(name) {
        return builtin(lesson);
    }
    if name != "-" && !path.exists() && !name.contains(['/', '.', '\\']) {
        let names: Vec<&str> = lesson::builtin().iter().map(|lesson| lesson.name).collect();
        bail!("there is no lesson `{name}`, and no file of that name; the lessons are {}", names.join(", "));
    }
    let (name, bytes) = bytes(path)?;
    Ok(lesson::parse(&name, &bytes)?)
}

/// A file's name and its bytes: no more than a lesson may have, and one, so that too much is seen as too
/// much.
pub(super) fn bytes(path: &Path) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let most = u64::try_from(lesson::LARGEST).unwrap_or(u64::MAX);
    if path.as_os_str() == "-" {
        io::stdin()
            .lock()
            .take(most + 1)
            .read_to_end(&mut bytes)
            .context("can't read the lesson from standard input")?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("can't open the lesson file {name}"))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > most {
        // Enough to show where it begins; its true size is told.
        file.take(most + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("can't read the lesson file {name}"))?;
    } else {
        (&file).read_to_end(&mut bytes).with_context(|| format!("can't read the lesson file {name}"))?;
    }
    Ok((name, bytes))
}

/// Parses a lesson that is built in.
pub(super) fn builtin(lesson: &Builtin) -> Result<Lesson> {
    Ok(lesson::parse(lesson.file, lesson.text.as_bytes())?)
}
