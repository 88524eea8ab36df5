//! Engine.IO and Socket.IO against those who made them: the library's own parsers, recorded sessions of real
//! peers, and real peers.
#![allow(clippy::print_stdout, reason = "how the parsers differ is worth a line in the log")]

mod captures;
mod malformed;
mod our_client;
mod our_server;
mod parsers;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use sockwalk::transport::{
    api::{self, Client, ClientConfig, Ends, Heard, Onlooker, Word},
    connection::Fault,
    events::{Happened, News, Reporter},
    message::Message,
    registry,
    serve::{self, Serve},
    terms::Terms,
};

use crate::support::{Folder, live::Process, run, sockwalk, stderr, stdout};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where `tests/run` has put the peers: beside the folder that Cargo keeps for tests.
fn installed() -> PathBuf {
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    assert!(peers.join("node_modules/socket.io").exists(), "{}: tests/run makes it", peers.display());
    peers
}

/// A script of `tests/peers/`, run by Node.
fn node(script: &str, arguments: &[&str]) -> Process {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut command = Command::new("node");
    command.env("NODE_PATH", installed().join("node_modules")).arg(path).args(arguments);
    Process::start(&format!("{script} {}", arguments.join(" ")), &mut command)
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

/// How our client calls.
fn calling(at: SocketAddr, options: &[(&str, &str)]) -> ClientConfig {
    ClientConfig {
        to: vec![at],
        scheme: "http".to_owned(),
        authority: at.to_string(),
        path: "/socket.io/".to_owned(),
        ack: false,
        beat: Duration::from_secs(25),
        message: 1 << 20,
        within: Duration::from_secs(5),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        news: Reporter::new().0,
    }
}

/// Both ends of the transport.
fn ends() -> &'static Ends {
    registry::find("socketio").unwrap().ends.as_ref().unwrap()
}

/// Our client, called.
fn called(at: SocketAddr, options: &[(&str, &str)]) -> Result<Box<dyn Client>, Fault> {
    (ends().client.unwrap())(calling(at, options))
}

/// What it hears next that is as wanted; what says nothing is passed over.
fn hear<T>(client: &mut dyn Client, what: &str, wanted: impl Fn(&Heard) -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let heard = client.hear(until).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        if let Some(found) = wanted(&heard) {
            return found;
        }
        assert!(matches!(heard, Heard::Other | Heard::Nothing | Heard::Acknowledged(_)), "{what}: {heard:?}");
    }
    panic!("{what} was not heard");
}

fn hear_message(client: &mut dyn Client) -> Message {
    hear(client, "a message", |heard| match heard {
        Heard::Message(message) => Some(message.clone()),
        _ => None,
    })
}

/// Our server, in threads of this process.
struct Served {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    news: Receiver<News>,
    all: Mutex<Vec<News>>,
    thread: Option<JoinHandle<()>>,
}

struct Watcher {
    stop: Arc<AtomicBool>,
    to: std::sync::mpsc::Sender<News>,
}

impl Onlooker for Watcher {
    fn say(&mut self, _text: &str) {}

    fn tell(&mut self, news: &[News]) {
        for one in news {
            let _ = self.to.send(one.clone());
        }
    }

    fn stopped(&mut self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn hear(&mut self, _most: Duration) -> Word {
        Word::Nothing
    }
}

impl Served {
    /// With a ping every so many milliseconds.
    fn start(beat: u64, chat: bool, options: &[(&str, &str)]) -> Served {
        let options: BTreeMap<String, String> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let terms =
            Terms { chat, beat: Duration::from_millis(beat), message: 100_000, options, ..Terms::default() };
        let stop = Arc::<AtomicBool>::default();
        let ((to, news), (ready, at)) = (channel(), channel());
        let mut watcher = Watcher { stop: Arc::clone(&stop), to };
        let thread = thread::spawn(move || {
            let (reporter, told) = Reporter::new();
            let what =
                Serve { ends: ends(), at: "127.0.0.1:0".parse().unwrap(), terms, time: None, news: reporter };
            serve::serve(what, &told, &mut watcher, |at, _| ready.send(at).unwrap()).unwrap();
        });
        let at = at.recv_timeout(PATIENCE).unwrap();
        Served { at, stop, news, all: Mutex::default(), thread: Some(thread) }
    }

    /// The next news, from the beginning, that are as wanted.
    fn tells(&self, what: &str, wanted: impl Fn(&News) -> bool) -> News {
        let mut all = self.all.lock().unwrap();
        if let Some(found) = all.iter().find(|news| wanted(news)) {
            return found.clone();
        }
        let until = Instant::now() + PATIENCE;
        while let Ok(news) = self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
            all.push(news.clone());
            if wanted(&news) {
                return news;
            }
        }
        panic!("the server did not tell {what}, but {all:#?}");
    }

    /// That a rule was broken, or a session ended without a goodbye, in words that have these in them.
    fn tells_of(&self, words: &str) {
        self.tells(words, |news| match &news.what {
            Happened::Broken(why) | Happened::Ended { orderly: false, why } => why.contains(words),
            _ => false,
        });
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Both ends are ours.
#[test]
fn our_client_and_our_server_talk_by_each_transport() {
    let server = Served::start(100, false, &[("namespaces", "/chat")]);
    for transport in ["upgrade", "polling", "websocket"] {
        for namespace in ["/", "/chat"] {
            let options = [("transport", transport), ("namespace", namespace)];
            let mut client = called(server.at, &options).unwrap();
            client.say(&text("hello"), true).unwrap();
            assert_eq!(hear_message(&mut *client), text("hello"));
            let bytes = Message::Binary(vec![0, 0x1e, 0xff]);
            client.say(&bytes, false).unwrap();
            assert_eq!(hear_message(&mut *client), bytes);
            assert_eq!(client.awaits(), 0, "{transport} {namespace}");
            // Pings go on.
            let until = Instant::now() + Duration::from_millis(250);
            while Instant::now() < until {
                client.hear(until).unwrap();
            }
            client.end(api::CloseMode::Orderly).unwrap();
        }
    }
}

#[test]
fn who_chats_hears_what_all_say() {
    let server = Served::start(25_000, true, &[]);
    let mut all: Vec<_> = ["polling", "websocket", "upgrade"]
        .iter()
        .map(|transport| called(server.at, &[("transport", transport)]).unwrap())
        .collect();
    all[0].say(&text("hello"), false).unwrap();
    for client in &mut all {
        assert_eq!(hear_message(&mut **client), text("hello"));
    }
}

/// The command line, both ways.
#[test]
fn it_can_be_called_and_served_at_the_keyboard() {
    let home = Folder::new();
    let mut server = Process::start(
        "sockwalk serve",
        &mut sockwalk(&home, &["serve", "socketio", "127.0.0.1:0", "--plain", "--beat", "100ms"]),
    );
    let port: String = server.out("its address", |line| {
        let (_, rest) = line.split_once("127.0.0.1:")?;
        Some(rest.chars().take_while(char::is_ascii_digit).collect())
    });
    let to = format!("127.0.0.1:{port}");
    let output = run(&["client", "socketio", &to, "hello", "--ack", "--wait", "300ms", "--plain"]);
    let said = stdout(&output).replace('\n', " ");
    assert!(output.status.success(), "{said}{}", stderr(&output));
    for piece in
        ["Engine.IO open: session", "acknowledged: event 0, with [\"hello\"]", "heard, 5 bytes", "ping"]
    {
        assert!(said.contains(piece), "{piece}: {said}");
    }
    server.signal("INT");
    server.succeed();
}

/// JSON on one line, for a script.
fn line(value: &Value) -> String {
    format!("{value}\n")
}
