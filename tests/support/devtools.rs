//! A real browser, driven as its own developer tools drive it: the Chrome DevTools Protocol, JSON over a
//! WebSocket.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::Folder;

/// How long anything may take that the browser does: an answer, a start, an end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a condition in a page may take to come true, in milliseconds. Shorter, so that the page itself
/// says no.
const PAGE_PATIENCE_MS: u64 = 15_000;

/// A browser without a screen, with an empty profile. It ends with this value, and so do its own processes.
pub struct Browser {
    child: Child,
    devtools: WebSocket<TcpStream>,
    last_id: u64,
    /// What the pages complained of: session, and the message.
    complaints: Vec<(String, String)>,
    /// Its standard error, line by line. It ends when the last process that belongs to the browser has ended.
    errors: Receiver<String>,
    _profile: Folder,
}

impl Browser {
    /// Starts Chromium and connects to its developer tools.
    pub fn start() -> Browser {
        super::signals::reset_in_children();
        let profile = Folder::new();
        let mut child = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--no-proxy-server", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .arg("about:blank")
            .env("HOME", &profile.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("chromium is there: Debian has it in the package chromium");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, errors) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let address = address(&errors).unwrap_or_else(|said| {
            let _ = child.kill();
            panic!("chromium did not open its developer tools:\n{said}");
        });
        let authority = address.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (devtools, _) = tungstenite::client(address.as_str(), stream).unwrap();
        Browser { child, devtools, last_id: 0, complaints: Vec::new(), errors, _profile: profile }
    }

    /// Opens a page in a tab of its own and waits until it is loaded.
    pub fn open(&mut self, url: &str) -> Page<'_> {
        let tab = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = tab["targetId"].as_str().unwrap().to_owned();
        let session =
            self.call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = session["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page { browser: self, session };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.call(domain, json!({}));
        }
        let went = page.call("Page.navigate", json!({ "url": url }));
        assert_eq!(went.get("errorText"), None, "{url}");
        page.until(&format!("location.href === {} && document.readyState === 'complete'", json!(url)));
        page
    }

    /// The tab with this session again, of several.
    pub fn page(&mut self, session: &str) -> Page<'_> {
        Page { browser: self, session: session.to_owned() }
    }

    /// Asks the browser to end, and checks that no process of it is left.
    pub fn end(mut self) {
        self.call(None, "Browser.close", json!({}));
        assert!(self.has_ended(), "a process of the browser is still there");
    }

    /// Waits for the end of standard error, which every process of the browser has inherited.
    fn has_ended(&self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.errors.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// One command, and its result. Events that come before the result are looked at for complaints.
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        self.devtools.send(Message::text(command.to_string())).unwrap();
        loop {
            let mut message = self.next(method);
            if message["id"] == self.last_id {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].take();
            }
        }
    }

    /// The next message, whatever it is about.
    fn next(&mut self, waits_for: &str) -> Value {
        loop {
            let message =
                self.devtools.read().unwrap_or_else(|error| panic!("waiting for {waits_for}: {error}"));
            if let Message::Text(text) = message {
                let message: Value = serde_json::from_str(&text).unwrap();
                if let (Some(session), Some(words)) = (message["sessionId"].as_str(), complaint(&message)) {
                    self.complaints.push((session.to_owned(), words));
                }
                return message;
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its other processes end when it has: then nobody writes to the profile any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.has_ended();
    }
}

/// A tab, and the page in it.
pub struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl Page<'_> {
    /// What names this tab.
    pub fn into_session(self) -> String {
        self.session
    }

    /// The value of an expression; of a promise, what it brings.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", params);
        let thrown = answer.get("exceptionDetails");
        assert_eq!(thrown, None, "{expression}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, condition: &str) {
        let came_true = self.evaluate(&format!(
            "new Promise(done => {{
                const start = performance.now();
                const look = () => ({condition}) ? done(true)
                    : performance.now() - start > {PAGE_PATIENCE_MS} ? done(false) : setTimeout(look, 10);
                look();
            }})"
        ));
        if came_true != true {
            let text = self.evaluate("document.body.innerText");
            panic!("it never came true: {condition}\nthe page:\n{}", text.as_str().unwrap_or_default());
        }
    }

    /// Clicks on an element with the mouse.
    pub fn click(&mut self, selector: &str) {
        let point = self.evaluate(&format!(
            "(() => {{
                const element = document.querySelector({});
                element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const box = element.getBoundingClientRect();
                return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
            }})()",
            json!(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&point["x"], &point["y"]);
            self.call(
                "Input.dispatchMouseEvent",
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 }),
            );
        }
    }

    /// Clicks into a field and types over what is there.
    pub fn write(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.evaluate(&format!("document.querySelector({}).select()", json!(selector)));
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses a key that has this name and code, where the focus is: `Enter` is 13.
    pub fn press(&mut self, key: &str, code: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let params =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// What the browser or the page's script complained of, up to now: warnings, errors, exceptions.
    pub fn complaints(&mut self) -> Vec<String> {
        // What was complained of before this came before the answer.
        self.evaluate("0");
        let mine = self.browser.complaints.iter().filter(|(session, _)| *session == self.session);
        mine.map(|(_, words)| words.clone()).collect()
    }

    /// A picture of the page in a window of this size, in CSS pixels, `light` or `dark`, as a PNG.
    pub fn picture(&mut self, (width, height): (u32, u32), scheme: &str, file: &Path) {
        let phone = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": if phone { 2 } else { 1 }, "mobile": phone }),
        );
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
        self.evaluate(
            "scrollTo(0, 0); new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))",
        );
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = BASE64.decode(picture["data"].as_str().unwrap().as_bytes()).unwrap();
        fs::write(file, bytes).unwrap();
        self.call("Emulation.setEmulatedMedia", json!({ "features": [] }));
        self.call("Emulation.clearDeviceMetricsOverride", json!({}));
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.browser.call(Some(&session), method, params)
    }
}

/// The address that Chromium says on its standard error; or all that it said instead.
fn address(errors: &Receiver<String>) -> Result<String, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut said = String::new();
    while let Ok(line) = errors.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if let Some(address) = line.strip_prefix("DevTools listening on ") {
            return Ok(address.to_owned());
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

/// The words of a warning, an error or an exception; none for all other events.
fn complaint(message: &Value) -> Option<String> {
    let params = &message["params"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match message["method"].as_str()? {
        "Log.entryAdded" if matches!(params["entry"]["level"].as_str(), Some("warning" | "error")) => {
            Some(text(&params["entry"]["text"]))
        }
        "Runtime.consoleAPICalled" if matches!(params["type"].as_str(), Some("warning" | "error")) => {
            Some(params["args"].to_string())
        }
        "Runtime.exceptionThrown" => Some(text(&params["exceptionDetails"]["text"])),
        _ => None,
    }
}
