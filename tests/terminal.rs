//! A person at a terminal: keys, predictions, leaving and coming back.
#![cfg(unix)]

mod support;

use rexpect::{
    session::{PtySession, spawn_command},
    spawn,
};
use support::{Folder, sockwalk};

const PATIENCE: Option<u64> = Some(20_000);

fn at_terminal(home: &Folder, arguments: &[&str]) -> PtySession {
    let mut command = sockwalk(home, arguments);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    // The pseudo terminal replaces what `sockwalk` set for pipes.
    command.stdin(std::process::Stdio::inherit());
    spawn_command(command, PATIENCE).expect("a terminal can be had")
}

#[test]
fn enter_steps_and_q_leaves() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["listen"]);
    person.exp_string("Enter next").unwrap();
    person.send("\r").unwrap();
    person.exp_string("step 1 of").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("?").unwrap();
    person.exp_string("look back").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("q").unwrap();
    person.exp_eof().unwrap();
}

#[test]
fn b_looks_back_at_earlier_steps() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["bind"]);
    for step in 1..=3 {
        person.exp_string("Enter next").unwrap();
        person.send("\r").unwrap();
        person.exp_string(&format!("step {step} of")).unwrap();
    }
    person.exp_string("Enter next").unwrap();
    person.send("b").unwrap();
    person.exp_string("looking back").unwrap();
    person.exp_string("step 2 of").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("b").unwrap();
    person.exp_string("step 1 of").unwrap();
    person.send("q").unwrap();
    person.exp_eof().unwrap();
}

#[test]
fn a_number_jumps_r_repeats_and_the_next_start_goes_on_there() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["accept"]);
    person.exp_string("Enter next").unwrap();
    person.send("2").unwrap();
    person.exp_regex("accept · 2 of \\d").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("r").unwrap();
    person.exp_regex("accept · 2 of \\d").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("q").unwrap();
    person.exp_eof().unwrap();

    let mut person = at_terminal(&home, &[]);
    person.exp_string("sockwalk accept").unwrap();
    person.exp_eof().unwrap();

    let mut person = at_terminal(&home, &["accept"]);
    person.exp_string("You left this lesson in part 2").unwrap();
    person.exp_string("Enter go on there").unwrap();
    person.send("\r").unwrap();
    person.exp_regex("accept · 2 of \\d").unwrap();
    person.exp_string("Enter next").unwrap();
    person.send("q").unwrap();
    person.exp_eof().unwrap();
}

#[test]
fn a_prediction_is_asked_for_and_answered() {
    let home = Folder::new();
    let file = home.file(
        "mine.md",
        "---\nlesson: mine\ntitle: x\n---\n## One\n```predict\nWhich descriptor?\n- [ ] 0\n- [x] the lowest that is free\n```\n```sock\nserver$ s = socket tcp\n```\nSo it is.\n",
    );
    let mut person = at_terminal(&home, &["run", &file]);
    person.exp_string("Which descriptor?").unwrap();
    person.exp_string("your guess").unwrap();
    person.send("1").unwrap();
    person.exp_regex("(?i)you said").unwrap();
    person.exp_string("the lowest that is free").unwrap();
    person.send("q").unwrap();
    person.exp_eof().unwrap();
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let home = Folder::new();
    let binary = env!("CARGO_BIN_EXE_sockwalk");
    let mut shell = spawn("sh", PATIENCE).unwrap();
    shell.send_line(&format!("HOME={} TERM=xterm {binary} listen; echo code $?; stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(icanon|echo)' | paste -sd,", home.0.display())).unwrap();
    shell.exp_string("next").unwrap();
    shell.send("\x03").unwrap();
    shell.exp_string("code 130").unwrap();
    shell.exp_string("icanon,echo").unwrap();
    shell.send_line("exit").unwrap();
    shell.exp_eof().unwrap();
}
