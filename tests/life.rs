//! Things from life, live: a chat and a ticker as `sockwalk serve websocket` serves them, used by
//! tungstenite, Node's ws and Chromium.

mod chat;
mod ticker;

use std::{
    env,
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use socket2::{Domain, Socket, Type};
use tungstenite::{Message, WebSocket};

use crate::support::{Folder, devtools::Page, live::Process, sockwalk};

/// Nothing takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// `sockwalk serve websocket`, in plain words.
struct Server {
    process: Process,
    port: String,
    _home: Folder,
}

impl Server {
    fn start(options: &[&str]) -> Server {
        let home = Folder::new();
        let all = [&["serve", "websocket", "127.0.0.1:0", "--quiet", "--plain"], options].concat();
        let mut process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(&home, &all));
        let port = process.out("the address", |line| {
            let behind = line.split_once("ws://127.0.0.1:")?.1;
            Some(behind.split('/').next()?.to_owned())
        });
        Server { process, port, _home: home }
    }

    /// A client that has connected and was upgraded. With `room`, its kernel takes so many bytes that it does
    /// not read.
    fn call(&self, room: Option<usize>) -> WebSocket<TcpStream> {
        self.call_at("/", room)
    }

    fn call_at(&self, path: &str, room: Option<usize>) -> WebSocket<TcpStream> {
        let address: SocketAddr = format!("127.0.0.1:{}", self.port).parse().unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        if let Some(room) = room {
            socket.set_recv_buffer_size(room).unwrap();
        }
        socket.connect(&address.into()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        tungstenite::client(format!("ws://{address}{path}"), TcpStream::from(socket)).unwrap().0
    }

    /// Waits for a line in which this stands.
    fn says(&mut self, words: &str) {
        self.process.out(words, |line| line.contains(words).then_some(()));
    }

    fn stop(&mut self) {
        self.process.signal("INT");
        self.process.succeed();
    }
}

/// The next text that comes.
fn text(socket: &mut WebSocket<TcpStream>) -> String {
    match socket.read().unwrap() {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Says goodbye, and drops what comes before the answer.
fn leave(socket: &mut WebSocket<TcpStream>) {
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
}

/// Pictures of a page in this moment, if somebody wants them: SOCKWALK_SCREENSHOTS names the folder.
fn pictures(page: &mut Page<'_>, moment: &str) {
    let Some(folder) = env::var_os("SOCKWALK_SCREENSHOTS") else { return };
    for scheme in ["light", "dark"] {
        for size in [(1280, 800), (390, 844)] {
            let file = format!("{moment}-{scheme}-{}x{}.png", size.0, size.1);
            page.picture(size, scheme, &Path::new(&folder).join(file));
        }
    }
}
