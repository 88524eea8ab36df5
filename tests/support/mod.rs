//! What the tests of the binary share: running it, with a home of its own.

#[cfg(unix)]
pub mod devtools;
#[cfg(unix)]
pub mod live;
pub mod pcap;
#[cfg(unix)]
pub mod programs;
pub mod signals;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The lessons of the tour, in their order.
pub const NINE: [&str; 9] =
    ["socket", "bind", "listen", "accept", "connect", "send", "recv", "close", "websocket"];

/// The binary, with a state folder of its own and nothing of the surroundings that would change what it
/// shows.
pub fn sockwalk(home: &Folder, arguments: &[&str]) -> Command {
    signals::reset_in_children();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockwalk"));
    command.args(arguments).env("HOME", &home.0).env("XDG_STATE_HOME", home.0.join("state"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    let home = Folder::new();
    sockwalk(&home, arguments).output().expect("the binary starts")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("what is shown is UTF-8")
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("errors are UTF-8")
}

/// The file of a built-in lesson.
pub fn lesson_file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/en");
    fs::read_dir(folder)
        .expect("the lessons are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .find(|path| path.to_str().is_some_and(|path| path.ends_with(&format!("-{name}.md"))))
        .expect("every lesson has a file")
}

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        signals::reset_in_children();
        let name = format!("sockwalk-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("there is room for a folder");
        Folder(path)
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("there is room for a file");
        path.to_str().expect("the path is UTF-8").to_owned()
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("the path is UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A lesson of one part with these steps.
pub fn lesson(steps: &str) -> String {
    format!("---\nlesson: mine\ntitle: a test\n---\n\n# mine\n\n## One\n\nProse.\n\n```sock\n{steps}\n```\n")
}
