//! A harness that gives each case a process of its own.

use std::{
    env, fs, io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// A name and what to do; it panics if something does not hold.
pub type Case = (&'static str, fn());

/// Names the case to the process that is to run it.
const CASE: &str = "SOCKWALK_CABLE_CASE";

/// `nobody` and `nogroup`, who can do nothing that others can't.
const NOBODY: u32 = 65_534;

/// Runs the cases that the arguments choose: part of a name, or nothing. Options of the usual harness do no
/// harm.
pub fn run(cases: &[Case]) -> ExitCode {
    if let Ok(name) = env::var(CASE) {
        let (_, case) = cases.iter().find(|(known, _)| *known == name).expect("a case of this name");
        case();
        return ExitCode::SUCCESS;
    }
    let mut arguments = env::args().skip(1);
    let (mut filters, mut exact, mut list, mut skipped) = (Vec::new(), false, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => list = true,
            "--exact" => exact = true,
            "--skip" => skipped.extend(arguments.next()),
            "--test-threads" | "--format" | "--color" | "--logfile" => drop(arguments.next()),
            option if option.starts_with('-') => {}
            _ => filters.push(argument),
        }
    }
    let fits = |name: &str, part: &String| if exact { name == part } else { name.contains(part) };
    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|(name, _)| filters.is_empty() || filters.iter().any(|part| fits(name, part)))
        .filter(|(name, _)| !skipped.iter().any(|part| fits(name, part)))
        .collect();
    if list {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    let own = env::current_exe().unwrap();
    let copy = is_root().then(|| Copy::of(&own).unwrap());
    for (name, _) in &chosen {
        failed += usize::from(!process(&own, name, "", |_| ()));
        if let Some(copy) = &copy {
            let as_nobody = |command: &mut Command| {
                command.uid(NOBODY).gid(NOBODY).env("HOME", "/").current_dir("/");
            };
            failed += usize::from(!process(&copy.0, name, " as nobody", as_nobody));
        }
    }
    println!("\ncable: {} cases, {failed} failed", chosen.len());
    ExitCode::from(u8::from(failed > 0))
}

fn process(binary: &Path, name: &str, as_whom: &str, prepare: impl FnOnce(&mut Command)) -> bool {
    let mut command = Command::new(binary);
    command.env(CASE, name);
    prepare(&mut command);
    let output = command.output().unwrap();
    let good = output.status.success();
    println!("test {name}{as_whom} ... {}", if good { "ok" } else { "FAILED" });
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if !good {
        println!("{}{}", String::from_utf8_lossy(&output.stderr), output.status);
    }
    good
}

/// This binary again, to run that case; for cases that need a second process.
pub fn again(case: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(CASE, case);
    command
}

pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The binary where everybody can read it.
struct Copy(PathBuf);

impl Copy {
    fn of(binary: &Path) -> io::Result<Copy> {
        let folder = env::temp_dir().join(format!("sockwalk-cable-{}", std::process::id()));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let path = folder.join("cable");
        fs::copy(binary, &path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Copy(path))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}
