//! STOMP against those who speak it: recorded sessions, the parser of @stomp/stompjs, RabbitMQ as the broker
//! of our client, and stompjs as a client of our broker.

mod captures;
mod our_server;
mod parser;
mod rabbitmq;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use sockwalk::{
    transport::{
        api::{Client, ClientConfig, Heard},
        connection::Fault,
        events::Reporter,
        message::Message,
        registry,
    },
    wire::stomp::{Frame, FrameReader, Item},
};

use crate::support::live::Process;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where `tests/run` has put the peers: beside the folder that Cargo keeps for tests.
fn installed() -> PathBuf {
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    assert!(peers.join("node_modules/@stomp/stompjs").exists(), "{}: tests/run makes it", peers.display());
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

/// Our client, called by `stomp://` or `ws://`.
fn called(
    scheme: &str,
    at: SocketAddr,
    beat: Duration,
    options: &[(&str, &str)],
) -> Result<Box<dyn Client>, Fault> {
    let calling = ClientConfig {
        to: vec![at],
        scheme: scheme.to_owned(),
        authority: at.to_string(),
        path: "/ws".to_owned(),
        ack: false,
        beat,
        message: 1 << 20,
        within: PATIENCE,
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        news: Reporter::new().0,
    };
    (registry::find("stomp").unwrap().ends.as_ref().unwrap().client.unwrap())(calling)
}

/// The next message; what says nothing is passed over.
fn message(client: &mut dyn Client) -> Message {
    let until = Instant::now() + PATIENCE;
    loop {
        match client.hear(until).unwrap() {
            Heard::Message(message) => return message,
            Heard::Other | Heard::Acknowledged(_) => {}
            other => panic!("no message but {other:?}"),
        }
    }
}

/// How the session ends that nobody leaves.
fn its_end(client: &mut dyn Client) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        match client.hear(until) {
            Ok(Heard::Closed { why, .. }) => return why,
            Ok(Heard::Nothing) => panic!("it did not end"),
            Ok(_) => {}
            Err(fault) => return fault.to_string(),
        }
    }
}

/// Octets to a server of STOMP over TCP, as they are.
struct Raw {
    stream: TcpStream,
    reader: FrameReader,
}

impl Raw {
    fn call(at: SocketAddr) -> Raw {
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Raw { stream, reader: FrameReader::default() }
    }

    fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).unwrap();
    }

    /// The next frame; none if the server ends the stream instead.
    fn frame(&mut self) -> Option<Frame> {
        let mut room = [0; 4096];
        loop {
            match self.reader.take().unwrap() {
                Some(Item::Frame { frame, .. }) => return Some(frame),
                Some(Item::LineEnd { .. }) => continue,
                None => {}
            }
            // A reset is an end as well.
            match self.stream.read(&mut room) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("neither a frame nor the end")
                }
                Ok(0) | Err(_) => return None,
                Ok(count) => self.reader.push(&room[..count]),
            }
        }
    }
}
