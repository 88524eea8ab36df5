//! The built-in lessons, run by the binary: every claim holds, and every claim can fail.

use std::{fs, thread};

use crate::support::{Folder, NINE, lesson_file, run, sockwalk, stderr, stdout};

#[test]
fn each_of_the_nine_runs_by_its_name() {
    for name in NINE {
        let output = run(&[name]);
        assert!(output.status.success(), "{name}: {}\n{}", stderr(&output), stdout(&output));
        let shown = stdout(&output);
        assert!(shown.contains("all hold") || shown.contains("cannot be seen"), "{name}:\n{shown}");
        assert!(!shown.contains("checks failed"), "{name}:\n{shown}");
        let output = run(&[name, "--stage", "loopback"]);
        let shown = stdout(&output);
        assert!(output.status.success(), "{name}: {}\n{shown}", stderr(&output));
        // Without a cable no frame is seen, and all else holds.
        assert!(shown.contains("all hold") || shown.contains("cannot be seen"), "{name}:\n{shown}");
        assert!(!shown.contains("checks failed"), "{name}:\n{shown}");
    }
}

#[test]
fn each_of_the_nine_starts_at_each_of_its_parts() {
    for name in NINE {
        let parts = fs::read_to_string(lesson_file(name))
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("## "))
            .count();
        let output = run(&[name, "--part", &parts.to_string()]);
        let shown = stdout(&output);
        assert!(output.status.success(), "{name} --part {parts}: {}\n{shown}", stderr(&output));
        assert!(
            shown.contains(&format!("{parts} of {parts}")) && !shown.contains(&format!("1 of {parts}")),
            "{shown}"
        );
        let beyond = run(&[name, "--part", &(parts + 1).to_string()]);
        assert!(
            !beyond.status.success() && stderr(&beyond).contains(&format!("has {parts} parts")),
            "{}",
            stderr(&beyond)
        );
    }
}

#[test]
fn check_runs_all_claims_of_the_nine() {
    let mut arguments = vec!["check"];
    arguments.extend(NINE);
    let output = run(&arguments);
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}");
    let sum = shown.lines().last().unwrap();
    let checks: usize = sum.split(' ').next().unwrap().parse().unwrap();
    assert!(checks >= 120, "{sum}");
    assert!(sum.contains("9 lessons: all hold"), "{sum}");
}

#[test]
fn the_whole_course_holds() {
    let output = run(&["check"]);
    assert!(output.status.success(), "{}", stdout(&output));
}

/// What each `=>` is turned into, so that it cannot hold.
fn broken(line: &str) -> Option<String> {
    let (call, expected) = line.split_once("=>")?;
    // What is said of other systems only can't fail here.
    if expected.contains('[') && !expected.contains("linux") && !expected.contains("unix") {
        return None;
    }
    let wrong = if expected.contains("ENOTSOCK") { "EFAULT" } else { "ENOTSOCK" };
    Some(format!("{call}=> {wrong}"))
}

#[test]
fn every_expectation_of_every_lesson_can_fail() {
    let folder = Folder::new();
    let mut broken_lessons = Vec::new();
    for name in NINE {
        let text = fs::read_to_string(lesson_file(name)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut count = 0;
        for (index, line) in lines.iter().enumerate() {
            let step = ["server$ ", "client$ "].iter().any(|prompt| line.starts_with(prompt));
            let Some(broken) = broken(line).filter(|_| step) else { continue };
            count += 1;
            let copy: Vec<&str> =
                lines.iter().enumerate().map(|(at, old)| if at == index { &broken } else { *old }).collect();
            let file = folder.file(&format!("{name}-{index}.md"), copy.join("\n") + "\n");
            broken_lessons.push((file, index + 1));
        }
        assert!(count > 0, "{name} expects nothing");
    }
    // A few at a time: each waits where the lesson waits.
    let each = |share: Vec<&(String, usize)>| {
        for (file, line) in share {
            let output = sockwalk(&folder, &["check", file]).output().unwrap();
            let shown = stdout(&output) + &stderr(&output);
            assert_eq!(
                output.status.code(),
                Some(1),
                "{file} passes although line {line} is wrong:\n{shown}"
            );
            assert!(
                shown.contains(&format!("{file}:{line}:")),
                "{file}: another line than {line} failed:\n{shown}"
            );
        }
    };
    thread::scope(|scope| {
        for share in 0..4 {
            let share = broken_lessons.iter().skip(share).step_by(4).collect();
            scope.spawn(|| each(share));
        }
    });
}

#[test]
fn a_wrong_claim_about_the_kernel_fails_in_every_lesson() {
    let folder = Folder::new();
    thread::scope(|scope| {
        for name in NINE {
            let folder = &folder;
            scope.spawn(move || {
                let text = fs::read_to_string(lesson_file(name)).unwrap();
                let line = text
                    .lines()
                    .position(|line| line.starts_with("check "))
                    .expect("every lesson has a claim");
                let subject = text.lines().nth(line).unwrap().split(' ').nth(1).unwrap();
                let wrong = format!("check still {subject} fd=4711 [linux]");
                let copy: Vec<&str> = text
                    .lines()
                    .enumerate()
                    .map(|(at, old)| if at == line { wrong.as_str() } else { old })
                    .collect();
                let file = folder.file(&format!("{name}.md"), copy.join("\n") + "\n");
                let output = sockwalk(folder, &["check", &file]).output().unwrap();
                assert_eq!(output.status.code(), Some(1), "{name}: {}", stdout(&output));
                assert!(stdout(&output).contains(&format!("{file}:{}: ", line + 1)), "{}", stdout(&output));
            });
        }
    });
}
