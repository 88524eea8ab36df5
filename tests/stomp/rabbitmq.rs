//! Our client and RabbitMQ, over TCP and over a WebSocket. The broker runs as a private node on loopback, and
//! ends with the test.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use sockwalk::{
    transport::{
        api::{Client, CloseMode, Heard},
        connection::Fault,
        message::Message,
    },
    wire::stomp::{Frame, Version},
};

use super::{PATIENCE, Raw, called, its_end, message, text};
use crate::support::{Folder, live::Process};

/// A node of its own, with a port mapper of its own.
struct RabbitMq {
    epmd: Child,
    node: Process,
    doors: Doors,
    _folder: Folder,
}

/// Where it listens.
#[derive(Clone, Copy)]
struct Doors {
    stomp: SocketAddr,
    websocket: SocketAddr,
}

/// Ports that were free a moment ago: RabbitMQ can't be asked which the kernel gave it.
fn free_ports<const N: usize>() -> [SocketAddr; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

impl RabbitMq {
    fn start() -> RabbitMq {
        let folder = Folder::new();
        let [epmd_at, distribution, amqp, stomp, websocket] = free_ports();
        let epmd_port = epmd_at.port().to_string();
        let epmd = Command::new("epmd")
            .args(["-port", &epmd_port, "-address", "127.0.0.1"])
            .stdin(Stdio::null())
            .spawn()
            .expect("epmd comes with rabbitmq-server");
        let settings = format!(
            "listeners.tcp.1 = {amqp}\nstomp.listeners.tcp.1 = {stomp}\nweb_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = {}\n",
            websocket.port()
        );
        let settings = folder.file("rabbitmq.conf", settings);
        let plugins = folder.file("plugins", "[rabbitmq_stomp,rabbitmq_web_stomp].\n");
        // Not the one in the path, which is for root alone and changes its user.
        let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        command
            .env("HOME", &folder.0)
            .env("ERL_EPMD_PORT", &epmd_port)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", format!("sockwalk-{}@localhost", std::process::id()))
            .env("RABBITMQ_DIST_PORT", distribution.port().to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .env("RABBITMQ_CONFIG_FILE", settings)
            .env("RABBITMQ_CONF_ENV_FILE", folder.path("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
            .env("RABBITMQ_MNESIA_BASE", folder.path("mnesia"))
            .env("RABBITMQ_LOG_BASE", folder.path("log"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", folder.path("generated"))
            // The script starts the node as a child: a group, so that both can be ended.
            .process_group(0);
        let node = Process::start("rabbitmq-server", &mut command);
        let doors = Doors { stomp, websocket };
        let mut rabbit = RabbitMq { epmd, node, doors, _folder: folder };
        // On a busy machine it takes longer than anything else here.
        let begun = |line: &str| line.contains("completed with 2 plugins").then_some(());
        if (0..4).all(|_| rabbit.node.try_out(begun).is_none()) {
            panic!("RabbitMQ does not begin: {}", rabbit.node.story());
        }
        rabbit
    }
}

impl Doors {
    fn at(self, scheme: &str) -> SocketAddr {
        if scheme == "ws" { self.websocket } else { self.stomp }
    }

    /// Our client, as its guest.
    fn called(self, scheme: &str, options: &[(&str, &str)]) -> Box<dyn Client> {
        guest(scheme, self.at(scheme), Duration::from_secs(25), options).unwrap()
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        let group = format!("kill -KILL -{}", self.node.id());
        let _ = Command::new("sh").arg("-c").arg(group).status();
        self.node.end();
        let _ = self.epmd.kill();
        let _ = self.epmd.wait();
    }
}

fn guest(
    scheme: &str,
    at: SocketAddr,
    beat: Duration,
    options: &[(&str, &str)],
) -> Result<Box<dyn Client>, Fault> {
    let login = [("host", "/"), ("login", "guest"), ("passcode", "guest")];
    called(scheme, at, beat, &[&login, options].concat())
}

/// Stands between a client and the broker, and cuts when it is told to.
struct Between {
    at: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Between {
    fn start(to: SocketAddr) -> Between {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, open) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let all = Arc::clone(&open);
        // It ends with the program: nothing wakes it any more.
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(to).unwrap();
                for (from, onto) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut onto) = (from.try_clone().unwrap(), onto.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut onto);
                        let _ = onto.shutdown(Shutdown::Write);
                    });
                }
                all.lock().unwrap().extend([near, far]);
            }
        });
        Between { at, open }
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
#[ignore = "needs rabbitmq-server; tests/run installs it"]
fn our_client_and_rabbitmq() {
    let broker = RabbitMq::start();
    let rabbit = broker.doors;
    thread::scope(|scope| {
        for scheme in ["stomp", "ws"] {
            scope.spawn(move || heart_beats_keep_a_session(rabbit, scheme));
            scope.spawn(move || {
                messages_go_both_ways(rabbit, scheme);
                each_version_is_spoken(rabbit, scheme);
                after_a_cut_it_comes_back(rabbit, scheme);
                whoever_is_not_known_is_told(rabbit, scheme);
            });
        }
        scope.spawn(move || silence_ends_a_session(rabbit));
        scope.spawn(move || {
            what_is_malformed_ends_a_session(rabbit);
            an_abrupt_end_loses_nothing_of_a_queue(rabbit);
        });
    });
}

fn messages_go_both_ways(rabbit: Doors, scheme: &str) {
    let topic = format!("/topic/talk-{scheme}:1");
    let mut one = rabbit.called(scheme, &[("destination", &topic)]);
    let mut two = rabbit.called(scheme, &[("destination", &topic), ("acknowledge", "client-individual")]);
    // SUBSCRIBE has no answer, but what follows it on the same connection has.
    two.say(&text("two is here"), true).unwrap();
    assert_eq!(message(&mut *two), text("two is here"));
    one.say(&text("one is here"), true).unwrap();
    assert_eq!(message(&mut *two), text("one is here"));
    let all =
        [text("grüße: \\ \u{1f980}\nand more"), text(""), text("a \0 in it"), text(&"x".repeat(100_000))];
    for said in &all {
        one.say(said, true).unwrap();
        assert_eq!(&message(&mut *two), said);
    }
    for client in [&mut one, &mut two] {
        let until = Instant::now() + PATIENCE;
        while client.awaits() > 0 {
            assert_ne!(client.hear(until).unwrap(), Heard::Nothing, "a receipt is missing");
        }
        client.end(CloseMode::Orderly).unwrap();
    }
    let bytes = Message::Binary(vec![0, 10, 13, 0xff, 0]);
    let mut client = rabbit.called(scheme, &[("destination", &topic)]);
    client.say(&bytes, false).unwrap();
    if scheme == "stomp" {
        assert_eq!(message(&mut *client), bytes);
        client.end(CloseMode::Orderly).unwrap();
    } else {
        // It puts every frame into a text message, whatever its body (web_stomp.ws_frame = binary would
        // change that).
        let end = its_end(&mut *client);
        assert!(end.contains("a text message is UTF-8"), "{end}");
    }
}

fn each_version_is_spoken(rabbit: Doors, scheme: &str) {
    for version in Version::ALL {
        let topic = format!("/topic/version-{scheme}");
        let options =
            [("destination", topic.as_str()), ("version", version.number()), ("acknowledge", "client")];
        let mut client = rabbit.called(scheme, &options);
        client.say(&text("hello"), true).unwrap();
        assert_eq!(message(&mut *client), text("hello"), "{version:?}");
        client.end(CloseMode::Orderly).unwrap();
    }
}

fn heart_beats_keep_a_session(rabbit: Doors, scheme: &str) {
    // The shortest that RabbitMQ agrees to.
    let mut client = guest(scheme, rabbit.at(scheme), Duration::from_secs(1), &[]).unwrap();
    // It ends who is silent for three of them: see below.
    let (until, mut beats) = (Instant::now() + Duration::from_millis(4500), 0);
    while Instant::now() < until {
        match client.hear(until).unwrap() {
            Heard::Other => beats += 1,
            Heard::Nothing => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(beats >= 4, "{beats} heart-beats came in 4.5 s");
    client.end(CloseMode::Orderly).unwrap();
}

fn silence_ends_a_session(rabbit: Doors) {
    let mut raw = Raw::call(rabbit.stomp);
    raw.send(connect().with("heart-beat", "1000,0").encode(Version::V12));
    assert_eq!(raw.frame().unwrap().header("heart-beat"), Some("0,1000"));
    assert_eq!(raw.frame(), None, "a promised heart-beat is missed");
}

fn after_a_cut_it_comes_back(rabbit: Doors, scheme: &str) {
    let between = Between::start(rabbit.at(scheme));
    let topic = format!("/topic/cut-{scheme}");
    let options = [("destination", topic.as_str())];
    let mut client = guest(scheme, between.at, Duration::from_secs(25), &options).unwrap();
    client.say(&text("before"), false).unwrap();
    assert_eq!(message(&mut *client), text("before"));
    between.cut();
    let end = its_end(&mut *client);
    assert!(["FIN", "without a Close", "recv failed"].iter().any(|how| end.contains(how)), "{end}");
    client.again().unwrap();
    client.say(&text("after"), false).unwrap();
    assert_eq!(message(&mut *client), text("after"));
    client.end(CloseMode::Abrupt).unwrap();
}

fn whoever_is_not_known_is_told(rabbit: Doors, scheme: &str) {
    let wrong = [("host", "/"), ("login", "guest"), ("passcode", "wrong")];
    let Err(Fault::Refused(why)) = called(scheme, rabbit.at(scheme), PATIENCE, &wrong) else {
        panic!("it was let in");
    };
    assert!(why.contains("Bad CONNECT"), "{why}");
}

fn connect() -> Frame {
    let frame = Frame::new("CONNECT").with("accept-version", "1.2").with("host", "/");
    frame.with("login", "guest").with("passcode", "guest")
}

/// RabbitMQ says ERROR to what it can read and can't do; what it can't read it answers with the end of the
/// connection alone.
fn what_is_malformed_ends_a_session(rabbit: Doors) {
    let told: [(&[u8], &str); 2] =
        [(b"BOGUS\nx:y\n\n\0", "Bad command"), (b"SEND\nreceipt:5\n\nx\0", "Missing destination")];
    for (octets, why) in told {
        let mut raw = Raw::call(rabbit.stomp);
        raw.send(connect().encode(Version::V12));
        assert_eq!(raw.frame().unwrap().command, "CONNECTED");
        raw.send(octets);
        let error = raw.frame().unwrap();
        assert_eq!((error.command.as_str(), error.header("message")), ("ERROR", Some(why)));
    }
    let ended: [&[u8]; 4] = [
        b"SEND\ndestination:/topic/x\na:\\t\n\n\0",
        b"SEND\ndestination\n\nx\0",
        b"SEND\ndestination:/topic/x\ncontent-length:2\n\nhello\0",
        b"SEND\ndestination:/topic/x\ncontent-length:x\n\nhello\0",
    ];
    for octets in ended {
        let mut raw = Raw::call(rabbit.stomp);
        raw.send(connect().encode(Version::V12));
        assert_eq!(raw.frame().unwrap().command, "CONNECTED");
        raw.send(octets);
        assert_eq!(raw.frame(), None, "{}", octets.escape_ascii());
    }
}

fn an_abrupt_end_loses_nothing_of_a_queue(rabbit: Doors) {
    let mut raw = Raw::call(rabbit.stomp);
    raw.send(connect().encode(Version::V12));
    assert_eq!(raw.frame().unwrap().command, "CONNECTED");
    raw.send(b"SUBSCRIBE\nid:0\ndestination:/queue/once\nack:client\n\n\0");
    raw.send(b"SEND\ndestination:/queue/once\n\nhello\0");
    assert_eq!(raw.frame().unwrap().body, b"hello");
    // Without an ACK, and without a word.
    drop(raw);
    let options = [("destination", "/queue/once"), ("acknowledge", "client")];
    let mut client = rabbit.called("stomp", &options);
    assert_eq!(message(&mut *client), text("hello"));
    client.end(CloseMode::Orderly).unwrap();
}
