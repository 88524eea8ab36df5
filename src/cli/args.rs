//! What a person can type. No side effects here: `mod.rs` says what it means.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Walk through the life of a socket, call by call, on the real kernel.
///
/// Every step shows the line of code that ran, what the call returned, and what the kernel now says of the socket. The last
/// lesson upgrades a TCP connection to a WebSocket by hand and hands it to tungstenite.
///
/// Without a command: the map of the course, where you are, and what to type next.
#[derive(Debug, Parser)]
#[command(name = "sockwalk", version, max_term_width = 100, arg_required_else_help = false)]
#[command(
    after_help = "Start here:\n  sockwalk tour              all nine lessons, one after the other\n  sockwalk listen --part 2   one lesson, from its second part"
)]
pub struct Cli {
    /// What to do; the map of the course if left out.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How it is shown.
    #[command(flatten)]
    pub show: Show,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Show {
    /// Colour: by default on a terminal, unless NO_COLOR or CLICOLOR=0 says otherwise
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", visible_alias = "colour")]
    pub color: When,

    /// No box drawing, no arrows: ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,

    /// Linear text for a screen reader: full sentences, no columns
    #[arg(long, global = true)]
    pub plain: bool,

    /// Columns, 40 to 200 [default: the terminal's, or 80]
    #[arg(long, global = true, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..=200))]
    pub width: Option<u16>,

    /// step: wait for Enter; auto: run through; 500ms, 2s: wait so long at each step [default: step on a terminal, else auto]
    #[arg(long, global = true, value_name = "PACE")]
    pub pace: Option<Pace>,

    /// Write every event to FILE as JSON Lines (- is standard output, and nothing else is printed there)
    #[arg(long, global = true, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Also into a pipe.
    Always,
    /// Never.
    Never,
}

/// How fast a lesson goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Enter for the next step.
    Step,
    /// Without waiting.
    Auto,
    /// So long at each step.
    Every(Duration),
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |number: &str, unit: u64| {
            number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).map(Duration::from_millis)
        };
        match text {
            "step" => Ok(Pace::Step),
            "auto" => Ok(Pace::Auto),
            _ => text
                .strip_suffix("ms")
                .and_then(|number| time(number, 1))
                .or_else(|| text.strip_suffix('s').and_then(|number| time(number, 1000)))
                .map(Pace::Every)
                .ok_or_else(|| "expected step, auto, or a time such as 500ms or 2s".to_owned()),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lesson 1: what a socket is, and the map of all calls
    #[command(after_help = "Examples:\n  sockwalk socket\n  sockwalk socket --part 3")]
    Socket(Part),
    /// Lesson 2: a local address and port
    #[command(after_help = "Examples:\n  sockwalk bind\n  sockwalk bind --plain")]
    Bind(Part),
    /// Lesson 3: a socket that waits for callers
    #[command(after_help = "Examples:\n  sockwalk listen\n  sockwalk listen --part 2")]
    Listen(Part),
    /// Lesson 4: a connection of its own for each caller
    #[command(after_help = "Examples:\n  sockwalk accept\n  sockwalk accept --trace accept.jsonl")]
    Accept(Part),
    /// Lesson 5: calling somebody
    #[command(after_help = "Examples:\n  sockwalk connect\n  sockwalk connect --width 60")]
    Connect(Part),
    /// Lesson 6: handing bytes to the kernel
    #[command(after_help = "Examples:\n  sockwalk send\n  sockwalk send --ascii")]
    Send(Part),
    /// Lesson 7: taking bytes out, and making messages of them
    #[command(after_help = "Examples:\n  sockwalk recv\n  sockwalk recv --part 5")]
    Recv(Part),
    /// Lesson 8: the many ends of a connection
    #[command(after_help = "Examples:\n  sockwalk close\n  sockwalk close --pace auto")]
    Close(Part),
    /// Lesson 9: a WebSocket upgraded by hand
    #[command(after_help = "Examples:\n  sockwalk websocket\n  sockwalk websocket --color always")]
    Websocket(Part),
    /// All nine lessons, one after the other
    #[command(after_help = "Examples:\n  sockwalk tour\n  sockwalk tour --pace auto")]
    Tour,
    /// List all lessons
    #[command(after_help = "Examples:\n  sockwalk lessons\n  sockwalk lessons --ascii")]
    Lessons,
    /// Run a lesson file of your own, or a further lesson by its name
    #[command(after_help = "Examples:\n  sockwalk run mine.md\n  sockwalk run refusals --part 2")]
    Run {
        /// A lesson file in Markdown (- is standard input), or the name of a lesson
        #[arg(value_name = "FILE|LESSON")]
        file: PathBuf,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Run every claim of the lessons quietly, like a test runner
    #[command(after_help = "Examples:\n  sockwalk check\n  sockwalk check listen mine.md")]
    Check {
        /// Names of lessons or lesson files [default: all built-in lessons]
        #[arg(value_name = "LESSON|FILE")]
        what: Vec<String>,
    },
    /// Say what is wrong with a lesson file, without running it
    #[command(after_help = "Examples:\n  sockwalk lint mine.md\n  sockwalk lint mine.md other.md")]
    Lint {
        /// Lesson files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Show a trace again, as it was, without a network
    #[command(
        after_help = "Examples:\n  sockwalk replay accept.jsonl\n  sockwalk replay accept.jsonl --width 120"
    )]
    Replay {
        /// A file written by --trace (- is standard input)
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show how far you are in the course, and where that is kept
    #[command(after_help = "Examples:\n  sockwalk progress\n  sockwalk progress --reset")]
    Progress {
        /// Forget it
        #[arg(long)]
        reset: bool,
    },
    /// Write the completions of a shell to standard output
    #[command(after_help = "Examples:\n  sockwalk completions bash\n  sockwalk completions zsh")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write a manual page to standard output
    #[command(after_help = "Examples:\n  sockwalk man\n  sockwalk man listen")]
    Man {
        /// The page of this command [default: the program's]
        command: Option<String>,
    },
}

/// Where a lesson starts.
#[derive(Debug, Clone, Copy, Args)]
pub struct Part {
    /// Start at this part; the parts before it are run unseen
    #[arg(long = "part", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub number: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_pace_is_a_word_or_a_time() {
        assert_eq!("500ms".parse(), Ok(Pace::Every(Duration::from_millis(500))));
        assert_eq!("2s".parse(), Ok(Pace::Every(Duration::from_secs(2))));
        assert!(
            "fast".parse::<Pace>().is_err() && "s".parse::<Pace>().is_err() && "-1s".parse::<Pace>().is_err()
        );
    }
}
