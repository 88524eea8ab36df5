//! An app of a browser on Socket.IO, read through `sockwalk tap`: each layer is told, and the app does not
//! notice.

use crate::support::{Folder, devtools::Browser, live::Process, programs, sockwalk};

#[test]
#[ignore = "needs chromium, and socket.io from npm"]
fn an_app_on_socket_io_is_read_through_the_tap() {
    let (mut server, port) = programs::server("socketio_server.js", &[]);
    let home = Folder::new();
    let target = format!("127.0.0.1:{port}");
    let arguments = ["tap", "127.0.0.1:0", &target, "--width", "160"];
    let mut tap = Process::start("tap", &mut sockwalk(&home, &arguments));
    let address = tap.out("where it listens", |line| {
        line.split_whitespace().find_map(|word| {
            let address = word.trim_matches(|c: char| !c.is_ascii_digit());
            address.parse::<std::net::SocketAddr>().ok().map(|address| address.to_string())
        })
    });
    let mut browser = Browser::start();
    // The library as its server hands it out, in a document of the same origin.
    let mut page = browser.open(&format!("http://{address}/socket.io/socket.io.js"));
    page.evaluate(
        "fetch('/socket.io/socket.io.js').then(r => r.text()).then(text => {
            (0, eval)(text);
            window.socket = io();
            socket.on('chat', (words) => window.heard = words);
            socket.on('connect', () => socket.emit('chat', 'from a browser', (words) => window.answer = words));
            socket.io.engine.on('upgrade', () => window.upgraded = true);
        })",
    );
    page.until("window.heard === 'from a browser' && window.answer === 'from a browser' && window.upgraded");
    page.evaluate("void socket.emit('chat', 'on the WebSocket')");
    page.until("window.heard === 'on the WebSocket'");
    page.evaluate("void socket.disconnect()");
    browser.end();
    tap.signal("INT");
    let told = tap.succeed().out;
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "Engine.IO open",
        "Socket.IO CONNECT",
        "Socket.IO EVENT",
        "from a browser",
        "Socket.IO ACK",
        "101 Switching Protocols",
        "Engine.IO upgrade",
        "on the WebSocket",
    ] {
        assert!(flat.contains(words), "{words} is not in:\n{told}");
    }
    server.write("\n");
    server.succeed();
}
