//! How far somebody is in the course, kept where the platform keeps state, as a file that can be read.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use serde::{Deserialize, Serialize};

/// The place in the course.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Lessons that were walked to their end.
    #[serde(default)]
    finished: Vec<String>,
    /// The part in which each lesson was left.
    #[serde(default)]
    left: BTreeMap<String, usize>,
    /// The lesson that was left last.
    #[serde(default)]
    last: Option<String>,
}

impl Progress {
    /// What is kept; nothing if the file is missing or can't be read: a lost place stops nobody.
    pub fn load() -> Progress {
        file().and_then(|file| Progress::read(&file)).unwrap_or_default()
    }

    fn read(file: &Path) -> Result<Progress> {
        let text = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is not what sockwalk wrote", file.display()))
    }

    /// Keeps it: written beside the old file first, so that none is lost.
    pub fn save(&self) -> Result<()> {
        let file = file()?;
        let folder = file.parent().context("the place for state has no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("can't make the folder {}", folder.display()))?;
        let beside = file.with_extension(format!("json.{}", std::process::id()));
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&beside, text).with_context(|| format!("can't write {}", beside.display()))?;
        fs::rename(&beside, &file).with_context(|| format!("can't write {}", file.display()))
    }

    /// Forgets all. True if there was anything.
    pub fn reset() -> Result<bool> {
        let file = file()?;
        match fs::remove_file(&file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("can't remove {}", file.display())),
        }
    }

    /// The lesson was left in this part.
    pub fn left(&mut self, lesson: &str, part: usize) {
        self.left.insert(lesson.to_owned(), part);
        self.last = Some(lesson.to_owned());
    }

    /// The lesson was walked to its end.
    pub fn finished(&mut self, lesson: &str) {
        self.left.remove(lesson);
        if self.last.as_deref() == Some(lesson) {
            self.last = None;
        }
        if !self.is_finished(lesson) {
            self.finished.push(lesson.to_owned());
        }
    }

    /// Whether it was walked to its end.
    pub fn is_finished(&self, lesson: &str) -> bool {
        self.finished.iter().any(|name| name == lesson)
    }

    /// Lesson and part where somebody left last.
    pub fn place(&self) -> Option<(String, usize)> {
        let last = self.last.clone()?;
        let part = *self.left.get(&last)?;
        Some((last, part))
    }
}

/// The file that all this is kept in.
pub(super) fn file() -> Result<PathBuf> {
    let strategy = choose_app_strategy(AppStrategyArgs {
        top_level_domain: "org".to_owned(),
        author: "sockwalk".to_owned(),
        app_name: "sockwalk".to_owned(),
    })
    .context("there is no home folder to keep your place in")?;
    let folder = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(folder.join("progress.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_where_it_was_left_last() {
        let mut progress = Progress::default();
        progress.left("bind", 2);
        progress.left("listen", 3);
        assert_eq!(progress.place(), Some(("listen".into(), 3)));
        progress.finished("listen");
        assert_eq!(progress.place(), None);
        assert!(progress.is_finished("listen") && !progress.is_finished("bind"));
    }

    #[test]
    fn a_file_from_another_version_is_read_as_far_as_it_is_known() {
        let progress: Progress = serde_json::from_str(r#"{"finished":["bind"],"new":1}"#).unwrap();
        assert!(progress.is_finished("bind"));
    }
}
