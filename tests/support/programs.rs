//! Programs of others that tests run: the scripts of `tests/peers/`, and curl.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::live::Process;

/// Where `tests/run` has put ws and websockets: beside the folder that Cargo keeps for tests.
pub fn installed() -> PathBuf {
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    assert!(peers.join("pins").exists(), "{} is not there: tests/run makes it", peers.display());
    peers
}

/// A script of `tests/peers/`, run by Python or Node as its name says.
pub fn script(name: &str, arguments: &[&str]) -> Process {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name);
    let mut command = if name.ends_with(".py") {
        let mut python = Command::new(installed().join("python/bin/python"));
        python.arg("-B");
        python
    } else {
        let mut node = Command::new("node");
        node.env("NODE_PATH", installed().join("node_modules"));
        node
    };
    Process::start(&format!("{name} {}", arguments.join(" ")), command.arg(path).args(arguments))
}

/// A script that serves, and the port that the kernel gave it.
pub fn server(name: &str, arguments: &[&str]) -> (Process, String) {
    let mut server = script(name, arguments);
    let port = server.says("port")["port"].to_string();
    (server, port)
}

/// curl, without its progress meter and without the surroundings' proxies.
pub fn curl(arguments: &[&str]) -> Process {
    let mut command = Command::new("curl");
    command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--http1.1"]).args(arguments);
    Process::start(&format!("curl {}", arguments.join(" ")), &mut command)
}
