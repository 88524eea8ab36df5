//! A run that is ended from outside, at any moment: all that had happened is in the trace.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use sockwalk::event::Reader;

use crate::support::{Folder, sockwalk, stderr};

/// So many moments, spread over the nine lessons.
const MOMENTS: usize = 40;

#[test]
fn whoever_is_interrupted_leaves_a_trace_that_can_be_read() {
    let folder = Folder::new();
    for moment in 0..MOMENTS {
        let signal = if moment % 2 == 0 { "INT" } else { "KILL" };
        let trace = folder.path(&format!("{moment}.jsonl"));
        let mut child = sockwalk(&folder, &["tour", "--pace", "1ms", "--trace", &trace])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // So many lines of the screen are waited for, and then the signal comes, wherever the run is by then.
        let mut screen = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..=moment * 97 {
            if screen.read_line(&mut String::new()).unwrap() == 0 {
                break;
            }
        }
        let kill =
            Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status().unwrap();
        let mut rest = Vec::new();
        screen.read_to_end(&mut rest).unwrap();
        let status = child.wait().unwrap();
        assert!(kill.success() && !status.success(), "moment {moment}: it was over before, {status}");
        for event in Reader::new(BufReader::new(File::open(&trace).unwrap())) {
            event.unwrap_or_else(|error| panic!("moment {moment}: {error}"));
        }
        let replay = sockwalk(&folder, &["replay", &trace]).output().unwrap();
        assert_eq!(stderr(&replay), "", "moment {moment}");
    }
}
