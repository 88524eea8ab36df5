//! Clients that keep an echo server busy: frames made once, masked, and sent again and again.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// Messages that each connection keeps on their way.
pub const IN_FLIGHT: usize = 8;

/// Threads that share the connections.
const THREADS: usize = 2;

/// Whoever does not answer in this time has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The opening request, with the key of RFC 6455 §1.3, and what has to be in its answer.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A text of so many bytes, as a client's frame and as the server's.
struct Text {
    sent: Vec<u8>,
    back: Vec<u8>,
}

impl Text {
    fn new(size: usize) -> Text {
        let payload: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
        let frame = |mask: u8| match u8::try_from(size) {
            Ok(short @ ..126) => vec![0x81, mask | short],
            _ => {
                let [high, low] = u16::try_from(size).expect("no text here is longer").to_be_bytes();
                vec![0x81, mask | 126, high, low]
            }
        };
        let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
        Text {
            sent: frame(0x80).into_iter().chain(KEY).chain(masked).collect(),
            back: [frame(0), payload.clone()].concat(),
        }
    }
}

/// WebSockets to one server.
pub struct Clients(Vec<TcpStream>);

/// How many messages were sent and came back, from when to when.
pub struct Done {
    pub messages: u32,
    pub from: Instant,
    pub to: Instant,
}

impl Clients {
    /// Connects, and shakes hands.
    pub fn connect(server: SocketAddr, connections: usize) -> Clients {
        Clients((0..connections).map(|_| connect(server)).collect())
    }

    /// One text at a time on the first connection, as often as that: how long each took to come back.
    pub fn one_by_one(&mut self, size: usize, times: usize) -> Vec<Duration> {
        let text = Text::new(size);
        let stream = &mut self.0[0];
        let mut back = vec![0; text.back.len()];
        let one = |_| {
            let begun = Instant::now();
            stream.write_all(&text.sent).expect("the server takes it");
            stream.read_exact(&mut back).expect("the server sends it back");
            let took = begun.elapsed();
            assert!(back == text.back, "something else came back");
            took
        };
        (0..times).map(one).collect()
    }

    /// Texts of this size on all connections, for so long and until the last has come back.
    pub fn keep_busy(&mut self, size: usize, time: Duration) -> Done {
        let text = Text::new(size);
        let share = self.0.len().div_ceil(THREADS);
        let shares: Vec<&mut [TcpStream]> = self.0.chunks_mut(share).collect();
        let ready = Barrier::new(shares.len());
        let done: Vec<Done> = thread::scope(|scope| {
            let busy = |streams| scope.spawn(|| busy(streams, &text, time, &ready));
            let threads: Vec<_> = shares.into_iter().map(busy).collect();
            threads.into_iter().map(|thread| thread.join().expect("the server answers")).collect()
        });
        let join = |a: Done, b: Done| Done {
            messages: a.messages + b.messages,
            from: a.from.min(b.from),
            to: a.to.max(b.to),
        };
        done.into_iter().reduce(join).expect("there is a connection")
    }

    /// A Close, and the end of the stream once the server has answered.
    pub fn close(self) {
        // 1000, masked: RFC 6455 §5.5.1.
        let close = [0x88, 0x82, KEY[0], KEY[1], KEY[2], KEY[3], 0x03 ^ KEY[0], 0xe8 ^ KEY[1]];
        for mut stream in self.0 {
            stream.write_all(&close).expect("the server takes it");
            stream.read_exact(&mut [0; 4]).expect("the server answers the Close");
        }
    }
}

fn connect(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("the server is there");
    stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE))).expect("it is connected");
    stream.write_all(REQUEST.as_bytes()).expect("the server takes the request");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("the server answers the request");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT), "no upgrade: {head}");
    stream
}

/// A thread's share. One connection after the other is asked what came back, and as many texts are sent on it
/// again: while one is looked at, the server has enough to do for the others.
fn busy(streams: &mut [TcpStream], text: &Text, time: Duration, ready: &Barrier) -> Done {
    let sent = text.sent.repeat(IN_FLIGHT);
    let back = text.back.repeat(IN_FLIGHT + 1);
    let mut room = vec![0; text.back.len() * IN_FLIGHT];
    // Of each connection: texts on their way, and bytes of one that has come in part.
    let mut states = vec![(IN_FLIGHT, 0); streams.len()];
    let mut messages = 0;
    ready.wait();
    let from = Instant::now();
    for stream in &mut *streams {
        stream.write_all(&sent).expect("the server takes it");
    }
    let mut open = streams.len();
    while open > 0 {
        for (stream, (in_flight, part)) in streams.iter_mut().zip(&mut states) {
            if *in_flight == 0 {
                continue;
            }
            let count = stream.read(&mut room).expect("the server sends it back");
            assert!(count > 0, "the server has ended the stream");
            assert!(room[..count] == back[*part..*part + count], "something else came back");
            let whole = (*part + count) / text.back.len();
            *part = (*part + count) % text.back.len();
            messages += u32::try_from(whole).expect("no more than are on their way");
            if from.elapsed() < time {
                stream.write_all(&sent[..whole * text.sent.len()]).expect("the server takes it");
            } else {
                *in_flight -= whole;
                open -= usize::from(*in_flight == 0);
            }
        }
    }
    Done { messages, from, to: Instant::now() }
}
