//! What a person types, and what they get: exit codes, errors, options, pipes.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use crate::support::{Folder, NINE, lesson, run, sockwalk, stderr, stdout};

const GOOD: &str =
    "server$ s = socket tcp\nserver$ bind s :7000\nserver$ listen s 4\ncheck server.s LISTEN [linux]";

#[test]
fn without_arguments_the_map_says_what_to_type_next() {
    let shown = stdout(&run(&[]));
    assert!(shown.contains("sockwalk socket") && shown.contains("sockwalk tour"), "{shown}");
}

#[test]
fn lessons_lists_all_nine_with_their_titles() {
    let shown = stdout(&run(&["lessons"]));
    for name in NINE {
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn a_lesson_of_ones_own_runs() {
    let folder = Folder::new();
    let output = run(&["run", &folder.file("mine.md", lesson(GOOD))]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("socket.listen(backlog)"), "{}", stdout(&output));
}

#[test]
fn a_wrong_expectation_is_shown_and_the_lesson_goes_on_to_its_end() {
    let folder = Folder::new();
    let steps = format!(
        "{GOOD}\nclient$ c = socket tcp\nclient$ connect c server:7000 => ECONNREFUSED\nclient$ send c \"on\" => 2"
    );
    let output = run(&["run", &folder.file("mine.md", lesson(&steps))]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(shown.contains("ECONNREFUSED") && shown.contains("observed"), "{shown}");
    assert!(shown.contains("client$ send c \"on\" => 2"), "the lesson ends early:\n{shown}");
    assert!(shown.contains("1 of 3 checks failed") || !cfg!(target_os = "linux"), "{shown}");
}

#[test]
fn a_faulty_file_is_told_with_its_place() {
    let folder = Folder::new();
    let file = folder.file("mine.md", lesson("server$ s = socket tcp\nserver$ lissen s 4"));
    for command in ["run", "lint", "check"] {
        let output = run(&[command, &file]);
        let shown = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(
            shown.contains(&format!("{file}:14:9")) && shown.contains("^^^^^^") && shown.contains("`listen`"),
            "{shown}"
        );
    }
}

#[test]
fn noise_is_no_lesson_and_no_panic() {
    let folder = Folder::new();
    let noise: Vec<u8> =
        (0..10_000_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("noise", &noise[..]),
        ("short", &noise[..1000]),
        ("open", b"---\nlesson: x\ntitle: y\n---\n## a\n```sock\n"),
    ] {
        let output = run(&["lint", &folder.file(name, bytes)]);
        let shown = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {shown}");
        assert!(
            shown.contains(":1:1:") || shown.contains("UTF-8") || shown.contains("not closed"),
            "{name}: {shown}"
        );
        assert!(stderr(&output).is_empty() && shown.len() < 4000, "{name}: {shown}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["run", "no/such/lesson.md"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no/such/lesson.md") && stderr(&output).contains("No such file"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn wrong_arguments_exit_with_2_and_say_what_is_right() {
    for arguments in [
        &["lisen"][..],
        &["listen", "--part", "0"],
        &["--width", "39", "tour"],
        &["--pace", "fast", "tour"],
        &["--color", "red"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
    assert!(stderr(&run(&["lisen"])).contains("listen"), "a near miss suggests");
}

#[test]
fn every_command_has_help() {
    for name in NINE.iter().copied().chain(["tour", "lessons", "run", "check", "lint", "replay", "progress"])
    {
        let output = run(&[name, "--help"]);
        assert!(output.status.success() && stdout(&output).contains("Usage: sockwalk"), "{name}");
    }
}

#[test]
fn colour_is_where_it_is_wanted() {
    let folder = Folder::new();
    let file = folder.file("mine.md", lesson(GOOD));
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = sockwalk(&folder, arguments);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        stdout(&output).contains('\x1b')
    };
    assert!(!coloured(&["run", &file], &[]), "a pipe has no colour");
    assert!(coloured(&["run", &file, "--color", "always"], &[]));
    assert!(coloured(&["run", &file], &[("CLICOLOR_FORCE", "1")]));
    assert!(
        !coloured(&["run", &file], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
        "NO_COLOR has the last word"
    );
    assert!(!coloured(&["run", &file, "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn no_line_is_wider_than_asked_for() {
    for width in ["40", "64", "80", "120", "200"] {
        let shown = stdout(&run(&["listen", "--width", width]));
        for line in shown.lines().filter(|line| !line.contains("in a second terminal")) {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width.parse().unwrap(), "{columns} columns at {width}: {line}");
        }
    }
}

#[test]
fn ascii_draws_nothing() {
    let shown = stdout(&run(&["listen", "--ascii"]));
    let drawing = shown
        .chars()
        .find(|c| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{257f}' | '\u{2700}'..='\u{27bf}'));
    assert_eq!(drawing, None);
}

#[test]
fn plain_is_sentences_without_columns_or_drawings() {
    let shown = stdout(&run(&["listen", "--plain"]));
    assert!(!shown.contains("──") && !shown.contains(" → ") && !shown.contains("   "), "{shown}");
    assert!(shown.contains("is now LISTEN") || !cfg!(target_os = "linux"), "{shown}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Folder::new();
    let mut child = sockwalk(&home, &["tour"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
    assert_eq!(errors, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let home = Folder::new();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let output = sockwalk(&home, &["lessons"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("can't write to standard output"), "{}", stderr(&output));
    let output = run(&["socket", "--trace", "/dev/full"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the trace is not whole"), "{}", stderr(&output));
    assert!(stdout(&output).contains("checks"), "the lesson goes on to its end");
}

#[test]
fn a_trace_is_replayed_to_the_same_screen() {
    let folder = Folder::new();
    for options in [
        &[][..],
        &["--plain"],
        &["--ascii", "--width", "60"],
        &["--color", "always"],
        &["--view", "ladder"],
        &["--view", "states", "--plain"],
    ] {
        let trace = folder.path("trace.jsonl");
        let mut live = vec!["accept", "--trace", &trace];
        live.extend(options);
        let mut again = vec!["replay", &trace];
        again.extend(options);
        assert_eq!(stdout(&run(&live)), stdout(&run(&again)));
    }
}

#[test]
fn a_ladder_leaves_the_prose_out_and_says_once_that_loopback_shows_no_frames() {
    let folder = Folder::new();
    let mine = folder.file("mine.md", lesson(GOOD));
    let shown = stdout(&run(&["run", &mine, "--view", "ladder", "--stage", "loopback"]));
    assert_eq!(shown.matches("no frames are seen").count(), 1, "{shown}");
    assert!(shown.contains("listen s = 0") && !shown.contains("socket.listen(backlog)"), "{shown}");
}

#[test]
fn only_a_lesson_has_another_view() {
    let output = run(&["check", "socket", "--view", "ladder"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("it goes with a lesson, tour, run, a live command or replay"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_trace_goes_to_standard_output_alone() {
    let shown = stdout(&run(&["socket", "--trace", "-"]));
    for line in shown.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["at"].is_u64() && event["event"].is_string(), "{line}");
    }
    assert!(shown.lines().last().unwrap().contains(r#""event":"end""#));
}

#[test]
fn what_is_no_trace_is_told() {
    let folder = Folder::new();
    let output = run(&["replay", &folder.file("x", "hello\n")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("line 1 is no event"), "{}", stderr(&output));
}

#[test]
fn a_lesson_comes_from_standard_input_too() {
    let folder = Folder::new();
    let file = fs::File::open(folder.file("mine.md", lesson(GOOD))).unwrap();
    let output = sockwalk(&folder, &["run", "-"]).stdin(file).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn what_a_peer_sends_never_steers_the_terminal() {
    let folder = Folder::new();
    let steps = format!(
        "{GOOD}\nclient$ c = socket tcp\nclient$ connect c server:7000\nserver$ conn = accept s\nclient$ send c \"\\x1b]0;owned\\x07\\x1b[2J\\u{{202e}}\"\nserver$ r = recv conn 100\n"
    );
    let shown = stdout(&run(&["run", &folder.file("mine.md", lesson(&steps)), "--color", "never"]));
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
}

#[test]
fn progress_is_kept_in_a_file_that_can_be_read_and_forgotten() {
    let home = Folder::new();
    let state = home.0.join("state/sockwalk");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("progress.json"), r#"{"finished":["socket"],"left":{"listen":2},"last":"listen"}"#)
        .unwrap();
    let shown = stdout(&sockwalk(&home, &["progress"]).output().unwrap());
    assert!(shown.contains("part 2") || cfg!(not(target_os = "linux")), "{shown}");
    let shown = stdout(&sockwalk(&home, &["progress", "--reset"]).output().unwrap());
    assert!(shown.contains("forgotten") || cfg!(not(target_os = "linux")), "{shown}");
    let shown = stdout(&sockwalk(&home, &["progress"]).output().unwrap());
    assert!(!shown.contains("part 2"), "{shown}");
}

#[test]
fn a_trace_that_was_cut_off_is_told_and_nothing_is_made_up() {
    let folder = Folder::new();
    let trace = folder.path("trace.jsonl");
    run(&["listen", "--trace", &trace]);
    let whole = fs::read_to_string(&trace).unwrap();
    let cut: Vec<&str> = whole.lines().take(20).collect();
    let output = run(&["replay", &folder.file("cut.jsonl", cut.join("\n"))]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("The trace ends here"), "{}", stdout(&output));
    assert!(stdout(&run(&["replay", &trace])).starts_with(&stdout(&output)[..400]));
}

#[test]
fn a_replay_does_not_write_over_what_it_reads() {
    let folder = Folder::new();
    let trace = folder.path("trace.jsonl");
    run(&["socket", "--trace", &trace]);
    let before = fs::read(&trace).unwrap();
    let output = run(&["replay", &trace, "--trace", &trace]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--trace records a run"), "{}", stderr(&output));
    assert_eq!(fs::read(&trace).unwrap(), before);
}

#[test]
fn a_million_bytes_are_received_and_shown_in_a_few_lines() {
    let folder = Folder::new();
    let steps = format!(
        "{GOOD}\nclient$ c = socket tcp\nclient$ connect c server:7000\nserver$ conn = accept s\nclient$ n = send c \"x\" * 4000000 &\nserver$ recv conn 1000000 MSG_WAITALL => 1000000\nserver$ close conn\n"
    );
    let output = run(&["run", &folder.file("mine.md", lesson(&steps))]);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).lines().count() < 400);
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_listener_does_not_come_back_under_its_name() {
    let folder = Folder::new();
    let steps = format!(
        "{GOOD}\nserver$ close s\ncheck server.s gone\nserver$ s2 = TcpListener::bind :7000\ncheck server.s gone\ncheck server.s2 LISTEN"
    );
    let shown = stdout(&run(&["run", &folder.file("mine.md", lesson(&steps)), "--trace", "-"]));
    let mut gone = false;
    for event in shown.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
        if event["event"] == "socket" && event["name"] == "s" {
            assert!(!gone, "{event}");
            gone = event["exists"] == false;
        }
        assert_ne!(event["holds"], false, "{event}");
    }
    assert!(gone);
}

#[test]
fn a_question_whose_experiment_failed_is_not_answered() {
    let folder = Folder::new();
    let text = "---\nlesson: x\ntitle: y\n---\n## a\n```predict\nWhat?\n- [x] this\n- [ ] that\n```\n```sock\nserver$ s = socket tcp => EPIPE\n```\n";
    let shown = stdout(&run(&["run", &folder.file("mine.md", text)]));
    assert!(shown.contains("did not show the answer") && !shown.contains("The answer: this"), "{shown}");
}

#[test]
fn an_answer_that_comes_slowly_is_read_on_where_it_was_left() {
    let folder = Folder::new();
    let steps = format!(
        "{GOOD}\nclient$ c = socket tcp\nclient$ connect c server:7000\nserver$ conn = accept s\nclient$ ws request c /\n\
         server$ recv_until conn \"\\r\\n\\r\\n\"\nserver$ send conn \"HTTP/1.1 404 Not Found\\r\\n\"\n\
         client$ ws verify c within 200ms => deadline\nserver$ send conn \"Content-Length: 0\\r\\n\\r\\n\"\nclient$ ws verify c => 404\n"
    );
    let output = run(&["check", &folder.file("mine.md", lesson(&steps))]);
    assert!(output.status.success(), "{}", stdout(&output));
}
