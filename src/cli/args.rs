//! What a person can type. No side effects here: `mod.rs` says what it means.

mod client;
mod decode;
mod server;
mod tools;

use std::{
    ffi::{OsStr, OsString},
    mem,
    path::PathBuf,
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub use client::{Client, Leave, Serve};
pub use decode::{Begins, Decode};
pub use server::{Connections, Limits, Messages};
pub use tools::{Diff, Tap};

use client::{with_client_help, with_serve_help};

use crate::view;

use super::values::{Place, Spot, callee, origin, short_time, size, time};
use crate::event::Host;

/// Walk through the life of a socket, call by call, on the real kernel.
///
/// Every step shows the line of code that ran, what the call returned, and what the kernel now says of the socket. The last
/// lesson upgrades a TCP connection to a WebSocket by hand and hands it to tungstenite.
///
/// Without a command: the map of the course, where you are, and what to type next.
#[derive(Debug, Parser)]
#[command(name = "sockwalk", version, max_term_width = 100, arg_required_else_help = false)]
#[command(
    after_help = "Start here:\n  sockwalk tour              all nine lessons, one after the other\n  sockwalk listen --part 2   one lesson, from its second part\n\nWith an address the nine commands of the lessons go live, with whatever program is on the other side:\n  sockwalk websocket 127.0.0.1:8000"
)]
pub struct Cli {
    /// What to do; the map of the course if left out.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How it is shown.
    #[command(flatten)]
    pub show: Show,
}

impl Cli {
    /// Returns the parser of all commands, with all of their help.
    pub fn whole() -> clap::Command {
        Cli::command().mut_subcommand("client", with_client_help).mut_subcommand("serve", with_serve_help)
    }

    /// Returns a parser that knows no command but `name`; to build all of them takes most of the time of a start. `None` if there is no
    /// such command.
    pub fn only(name: &OsStr) -> Option<clap::Command> {
        let mut commands = Command::augment_subcommands(clap::Command::default());
        let command = commands.get_subcommands_mut().find(|command| *command.get_name() == *name)?;
        Some(Cli::without_commands().subcommand(mem::take(command)))
    }

    /// Returns a parser of the options alone.
    pub fn without_commands() -> clap::Command {
        Show::augment_args(clap::Command::new("sockwalk").version(env!("CARGO_PKG_VERSION")))
    }
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

    /// story: step by step; ladder: calls and packets between the hosts; states: the way through the TCP state diagram
    #[arg(long, global = true, value_name = "VIEW", default_value = "story", hide_possible_values = true)]
    pub view: Shown,

    /// Where lessons run: on a cable between two hosts (Linux), on loopback, or auto: on the cable if it can be had
    #[arg(long, global = true, value_name = "STAGE", default_value = "auto", hide_possible_values = true)]
    pub stage: Where,

    /// step: every frame on the cable waits for Enter; d drops it instead
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        default_value = "flow",
        hide_possible_values = true,
        help_heading = "Cable"
    )]
    pub packets: Packets,

    /// Write every event to FILE as JSON Lines (- is standard output, and nothing else is printed there)
    #[arg(long, global = true, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Write the frames of a lesson to FILE as pcapng, for Wireshark; also from a replay (- is standard output)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cable")]
    pub pcap: Option<PathBuf>,

    /// Write calls and frames to FILE in a line each, in the manner of packetdrill (- is standard output)
    #[arg(long, global = true, value_name = "FILE")]
    pub transcript: Option<PathBuf>,

    /// Of frames: summary, a line each; fields, all of their bytes by name; why, also what each is for
    #[arg(
        long,
        global = true,
        value_name = "DEPTH",
        default_value = "summary",
        hide_possible_values = true,
        help_heading = "Cable"
    )]
    pub depth: Depth,
}

/// How much is told of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// A line.
    Summary,
    /// All bytes, by the names of their fields.
    Fields,
    /// Also what each field means, and where that is defined.
    Why,
}

impl From<Depth> for view::Depth {
    fn from(depth: Depth) -> view::Depth {
        match depth {
            Depth::Summary => view::Depth::Summary,
            Depth::Fields => view::Depth::Fields,
            Depth::Why => view::Depth::Why,
        }
    }
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

/// As what a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// Its story, step by step.
    Story,
    /// A ladder: calls and states at the sides, packets across.
    Ladder,
    /// The state diagram of TCP, with both ends' place in it.
    States,
}

/// Where lessons run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Where {
    /// On a cable if it can be had, else on loopback.
    Auto,
    /// On a cable between two hosts.
    Cable,
    /// On this machine's loopback interface.
    Loopback,
}

/// How frames cross the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Packets {
    /// By themselves.
    Flow,
    /// One by one, when the person says so.
    Step,
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
        match text {
            "step" => Ok(Pace::Step),
            "auto" => Ok(Pace::Auto),
            _ => time(text)
                .map(Pace::Every)
                .map_err(|_| "expected step, auto, or a time such as 500ms or 2s".to_owned()),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lesson 1: what a socket is, and the map of all calls
    ///
    /// With a protocol: makes one, live, and holds it until Enter, for a second terminal to look at.
    #[command(after_help = "Examples:\n  sockwalk socket --part 3\n  sockwalk socket tcp")]
    Socket {
        /// Make a socket of this protocol and hold it until Enter
        #[arg(value_name = "PROTOCOL", value_enum, conflicts_with = "number")]
        protocol: Option<Protocol>,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 2: a local address and port
    ///
    /// With an address: binds a socket to it, live, and holds it until Enter, for a second terminal to look at.
    #[command(after_help = "Examples:\n  sockwalk bind\n  sockwalk bind 127.0.0.1:7000")]
    Bind {
        /// Bind a socket to this address and hold it until Enter
        #[arg(value_name = "ADDR", conflicts_with = "number")]
        at: Option<Place>,
        /// A UDP socket, not TCP
        #[arg(long, requires = "at", help_heading = "With an address")]
        udp: bool,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 3: a socket that waits for callers
    ///
    /// With an address: listens there, live, and accepts nobody, so that the queue is seen to fill.
    #[command(
        after_help = "Examples:\n  sockwalk listen --part 2\n  sockwalk listen 127.0.0.1:7000 --backlog 2"
    )]
    Listen {
        /// Listen at this address, accept nobody, and see the queue fill
        #[arg(value_name = "ADDR", conflicts_with = "number")]
        at: Option<Place>,
        /// How many connections may wait
        #[arg(
            long,
            value_name = "N",
            default_value_t = 4,
            requires = "at",
            help_heading = "With an address"
        )]
        backlog: u16,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 4: a connection of its own for each caller
    ///
    /// With an address: serves whoever calls it, live, a thread for each, and sends back what comes.
    #[command(
        after_help = "Examples:\n  sockwalk accept --trace accept.jsonl\n  sockwalk accept 127.0.0.1:7000 --show 1"
    )]
    Accept {
        /// Accept whoever calls this address, and send back what comes
        #[arg(value_name = "ADDR", conflicts_with = "number")]
        at: Option<Place>,
        /// How a class is served.
        #[command(flatten)]
        class: Class,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 5: calling somebody
    ///
    /// With an address: calls it, live, whatever program is there.
    #[command(after_help = "Examples:\n  sockwalk connect --width 60\n  sockwalk connect localhost:7000")]
    Connect {
        /// Call this host and port
        #[arg(value_name = "HOST:PORT", conflicts_with = "number", value_parser = callee)]
        to: Option<Place>,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 6: handing bytes to the kernel
    ///
    /// With an address and a text: calls it, live, sends the text, and shows what comes back.
    #[command(after_help = "Examples:\n  sockwalk send --ascii\n  sockwalk send localhost:7000 'hello\\n'")]
    Send {
        /// Call this host and port, and send TEXT
        #[arg(value_name = "HOST:PORT", conflicts_with = "number", requires = "text", value_parser = callee)]
        to: Option<Place>,
        /// What to send; \r \n \t \\ as in C, \0 is the byte 0, \x1b any byte by two hex digits
        #[arg(value_name = "TEXT")]
        text: Option<String>,
        /// Show what comes back until nothing has come for so long, at most 1m
        #[arg(long, value_name = "TIME", value_parser = short_time, allow_hyphen_values = true, default_value = "1s", requires = "to", help_heading = "With an address")]
        wait: Duration,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 7: taking bytes out, and making messages of them
    ///
    /// With an address: serves one caller there, live, and shows what every recv gave.
    #[command(after_help = "Examples:\n  sockwalk recv --part 5\n  sockwalk recv 127.0.0.1:7000 --size 16")]
    Recv {
        /// Serve one caller at this address, and show every recv
        #[arg(value_name = "ADDR", conflicts_with = "number")]
        at: Option<Place>,
        /// Room for each recv, in bytes
        #[arg(long, value_name = "SIZE", value_parser = size, allow_hyphen_values = true, default_value = "4k", requires = "at", help_heading = "With an address")]
        size: u64,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 8: the many ends of a connection
    ///
    /// With an address: calls it, live, and ends the connection.
    #[command(
        after_help = "Examples:\n  sockwalk close --pace auto\n  sockwalk close localhost:7000 --how reset"
    )]
    Close {
        /// Call this host and port, and end the connection
        #[arg(value_name = "HOST:PORT", conflicts_with = "number", value_parser = callee)]
        to: Option<Place>,
        /// In which way
        #[arg(long, value_enum, default_value = "fin", requires = "to", help_heading = "With an address")]
        how: How,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
    /// Lesson 9: a WebSocket upgraded by hand
    ///
    /// With an address: serves WebSockets there, live, a thread for each, and a page for browsers. With a ws:// URL: calls that server.
    #[command(
        after_help = "Examples:\n  sockwalk websocket 127.0.0.1:8000\n  sockwalk websocket ws://localhost:8000/chat hello"
    )]
    Websocket {
        /// Serve WebSockets at this address, and a page for browsers; or call the server of a ws:// URL
        #[arg(value_name = "ADDR|URL", conflicts_with = "number")]
        at: Option<Spot>,
        /// Text messages to send to the server of the URL; then lines of standard input are sent
        #[arg(value_name = "TEXT", requires = "at")]
        texts: Vec<String>,
        /// How a class is served.
        #[command(flatten)]
        class: Class,
        /// What messages it accepts.
        #[command(flatten, next_help_heading = "With an address")]
        messages: Messages,
        /// Name this web page as the origin, as a browser would
        #[arg(long, value_name = "ORIGIN", value_parser = origin, requires = "at", help_heading = "With a URL")]
        from: Option<String>,
        /// With nothing more to send, close when nothing has come for so long
        #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, default_value = "1s", requires = "at", help_heading = "With a URL")]
        wait: Duration,
        /// Where to start.
        #[command(flatten)]
        part: Part,
    },
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
    /// Show a trace again as it was, without a network
    #[command(
        after_help = "Examples:\n  sockwalk replay accept.jsonl\n  sockwalk replay accept.jsonl --frame 4 --depth why"
    )]
    Replay {
        /// A file written by --trace (- is standard input)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Show frame N alone, all of its bytes by name; with --depth why also what each is for
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        frame: Option<u64>,
    },
    /// Send the same message over TCP and a WebSocket, or by other protocols, and compare bytes
    #[command(
        after_help = "Examples:\n  sockwalk diff hello --split 2,3 --from server\n  sockwalk diff hello --protocols poll,sse,websocket --interval 200ms"
    )]
    Diff(Diff),
    /// Decode a capture or bytes in hex: TCP streams, HTTP, WebSocket and the protocols above
    ///
    /// Reads pcap and pcapng, hex as any program writes it, or raw bytes with --as. Reassembles TCP streams, inflates compressed messages,
    /// and names every broken rule of RFC 6455 with its section. Streams have the numbers that Wireshark gives them.
    #[command(
        after_help = "Examples:\n  sockwalk decode capture.pcap --filter text\n  sockwalk decode --hex 810548656c6c6f --depth why\n\nWhile it is recorded:\n  tcpdump -i lo -U -w - port 8000 | sockwalk decode"
    )]
    Decode(Decode),
    /// Explain why a field, flag, error, option, state, code or call exists, and where it is defined
    ///
    /// Without a name: lists the groups of names. With the beginning of one, such as tcp.flags: lists the names below it.
    #[command(
        after_help = "Examples:\n  sockwalk explain tcp.flags.psh\n  sockwalk explain ECONNRESET --json"
    )]
    Explain {
        /// What is to be explained: tcp.options.mss, TIME_WAIT, ws.close.1006, listen
        #[arg(value_name = "NAME")]
        name: Vec<String>,
        /// Write it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Forward every byte between a client and a server unchanged, and report it
    ///
    /// Clients connect to LISTEN instead of the server at TARGET. Reports connections, reads, HTTP heads, WebSocket frames, half-closes and resets.
    #[command(
        after_help = "Examples:\n  sockwalk tap 127.0.0.1:9001 127.0.0.1:7000\n  sockwalk tap 9002 localhost:8000 --quiet"
    )]
    Tap(Tap),
    /// Connect to a server of a protocol, send messages, and print what it receives
    #[command(
        after_help = "Examples:\n  sockwalk client tcp localhost:7000 hello\n  sockwalk client websocket ws://localhost:8000/ hello --ack"
    )]
    Client(Client),
    /// Serve a protocol at an address, for any client
    #[command(
        after_help = "Examples:\n  sockwalk serve tcp 127.0.0.1:7000\n  sockwalk serve websocket 127.0.0.1:8000 --chat"
    )]
    Serve(Serve),
    /// Say what this machine can show, what it can't, and what would change that
    #[command(after_help = "Examples:\n  sockwalk doctor\n  sockwalk doctor --plain")]
    Doctor,
    /// Show how far you are in the course, and where that is kept
    #[command(after_help = "Examples:\n  sockwalk progress\n  sockwalk progress --reset")]
    Progress {
        /// Forget it
        #[arg(long)]
        reset: bool,
    },
    /// Run a command in the network of a host that another sockwalk has on a cable (Linux)
    #[command(
        after_help = "Examples:\n  sockwalk enter client\n  sockwalk enter server -- ss -tan\n\nWithout a command: your shell. It sees that host's interfaces and sockets, and your files."
    )]
    Enter {
        /// Whose network
        #[arg(value_name = "HOST", value_enum)]
        host: WhichHost,
        /// Of this process, if several are running
        #[arg(long, value_name = "PID")]
        pid: Option<u32>,
        /// What to run, after --
        #[arg(value_name = "COMMAND", last = true)]
        command: Vec<OsString>,
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
#[command(next_help_heading = "Lesson")]
pub struct Part {
    /// Start at this part; the parts before it are run unseen
    #[arg(long = "part", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub number: Option<u16>,
}

/// How a class is served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With an address")]
pub struct Class {
    /// Follow connection N alone, in full
    #[arg(long, value_name = "N", requires = "at", conflicts_with = "quiet")]
    pub show: Option<u32>,

    /// Only keep the table of who is connected
    #[arg(long, requires = "at")]
    pub quiet: bool,

    /// The limits of each connection.
    #[command(flatten)]
    pub limits: Limits,
}

/// What a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// TCP over IPv4
    Tcp,
    /// UDP over IPv4
    Udp,
    /// TCP over IPv6
    Tcp6,
    /// UDP over IPv6
    Udp6,
}

/// One of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhichHost {
    /// The one that calls
    Client,
    /// The one that is called
    Server,
}

impl From<WhichHost> for Host {
    fn from(which: WhichHost) -> Host {
        match which {
            WhichHost::Client => Host::Client,
            WhichHost::Server => Host::Server,
        }
    }
}

/// How a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// close: a FIN
    Fin,
    /// shutdown of the sending half, and receiving on
    Half,
    /// SO_LINGER 0 and close: a RST
    Reset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::whole().debug_assert();
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
