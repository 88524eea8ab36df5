//! A person at a terminal: keys, predictions, leaving and coming back.

use rexpect::{
    session::{PtySession, spawn_command},
    spawn,
};

use crate::support::{Folder, sockwalk};

const PATIENCE: Option<u64> = Some(20_000);

fn at_terminal(home: &Folder, arguments: &[&str]) -> PtySession {
    let mut command = sockwalk(home, arguments);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    // The pseudo terminal replaces what `sockwalk` set for pipes.
    command.stdin(std::process::Stdio::inherit());
    spawn_command(command, PATIENCE).expect("a terminal can be had")
}

/// Reads on to the prompt at the end of a step, over as many screenfuls as it takes.
fn to_the_prompt(session: &mut PtySession) {
    while session.exp_regex("Enter (next|more|to the present)").unwrap().1.contains("more") {
        press(session, "\r");
    }
}

/// Presses keys.
fn press(session: &mut PtySession, keys: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
}

#[test]
fn enter_steps_and_q_leaves() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["listen"]);
    to_the_prompt(&mut person);
    press(&mut person, "\r");
    person.exp_string("step 1 of").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "?");
    person.exp_string("look back").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "q");
    person.exp_eof().unwrap();
}

#[test]
fn b_looks_back_at_earlier_steps() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["bind"]);
    for step in 1..=2 {
        to_the_prompt(&mut person);
        press(&mut person, "\r");
        person.exp_string(&format!("step {step} of")).unwrap();
    }
    to_the_prompt(&mut person);
    press(&mut person, "b");
    person.exp_string("looking back").unwrap();
    person.exp_string("step 1 of").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "b");
    person.exp_string("looking back").unwrap();
    person.exp_string("a local address and a local port").unwrap();
    press(&mut person, "q");
    person.exp_eof().unwrap();
}

#[test]
fn a_number_jumps_r_repeats_and_the_next_start_goes_on_there() {
    let home = Folder::new();
    let mut person = at_terminal(&home, &["accept"]);
    to_the_prompt(&mut person);
    press(&mut person, "2");
    person.exp_regex("accept .+ 2 of \\d").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "r");
    person.exp_regex("accept .+ 2 of \\d").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "q");
    person.exp_eof().unwrap();

    let mut person = at_terminal(&home, &[]);
    person.exp_string("sockwalk accept").unwrap();
    person.exp_eof().unwrap();

    let mut person = at_terminal(&home, &["accept"]);
    person.exp_string("You left this lesson in part 2").unwrap();
    person.exp_string("Enter go on there").unwrap();
    press(&mut person, "\r");
    person.exp_regex("accept .+ 2 of \\d").unwrap();
    to_the_prompt(&mut person);
    press(&mut person, "q");
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
    press(&mut person, "1");
    person.exp_regex("(?i)you said").unwrap();
    person.exp_string("the lowest that is free").unwrap();
    press(&mut person, "q");
    person.exp_eof().unwrap();
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let home = Folder::new();
    let binary = env!("CARGO_BIN_EXE_sockwalk");
    let mut shell = spawn("sh", PATIENCE).unwrap();
    let home = home.0.display();
    shell
        .send_line(&format!(
            "stty -g >{home}/before; HOME={home} TERM=xterm {binary} listen; echo code $?; stty -g >{home}/after; cmp {home}/before {home}/after && echo as it was"
        ))
        .unwrap();
    shell.exp_string("next").unwrap();
    press(&mut shell, "\x03");
    shell.exp_string("code 130").unwrap();
    shell.exp_string("as it was").unwrap();
    shell.send_line("exit").unwrap();
    shell.exp_eof().unwrap();
}
