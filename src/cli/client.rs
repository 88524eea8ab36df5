//! `sockwalk client` and `sockwalk serve`: both ends of a protocol, live, and what happens in a line each.

use std::{
    collections::BTreeMap,
    net::ToSocketAddrs,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    Screen,
    args::{self, Leave, Show},
    code,
    screen::Purpose,
};
use crate::{
    call::errno_name,
    run::{self, Audience, Heard},
    server::listener::exposure,
    transport::{
        api::{ClientConfig, CloseMode, Ends, Onlooker, Word},
        client::{self, Call},
        connection::Fault,
        events::{Happened, News, Reporter, WORDS, Way},
        registry,
        serve::{self, NotServed, Serve},
        terms::Terms,
    },
    view::{self, Line, Meaning, TapLog, Tapped, thousands},
};

/// A connection, or an answer to a handshake, has to come in this time.
const WITHIN: Duration = Duration::from_secs(10);

/// The largest message that a client takes, in bytes.
const MESSAGE: u64 = 1 << 20;

/// `sockwalk client PROTOCOL ADDR|URL`
pub(super) fn client(asked: &args::Client, show: &Show) -> Result<ExitCode> {
    let (name, ends) = found(&asked.protocol, &asked.settings)?;
    let scheme = asked.to.scheme.clone().unwrap_or_else(|| ends.schemes[0].to_owned());
    if !ends.schemes.contains(&scheme.as_str()) {
        bail!("{} is called by {}://, not {scheme}://", name, ends.schemes.join(":// or "));
    }
    if asked.ack && !ends.acknowledges {
        bail!("{} has no acknowledgements that could be asked for: leave out --ack", name);
    }
    let to = asked.to.to.0.to_socket_addrs();
    let to: Vec<_> = to.with_context(|| format!("no address is known for {}", asked.to.to.0))?.collect();
    let (news, told) = Reporter::new();
    let mut screen = Told::new(show, Purpose::Talk, asked.quiet)?;
    let call = Call {
        ends,
        calling: ClientConfig {
            to,
            scheme,
            authority: asked.to.authority.clone(),
            path: asked.to.path.clone().unwrap_or_else(|| ends.path.to_owned()),
            ack: asked.ack,
            beat: asked.beat,
            message: MESSAGE,
            within: WITHIN,
            options: asked.settings.iter().cloned().collect(),
            news,
        },
        texts: asked.texts.clone(),
        wait: asked.wait,
        retry: asked.retry,
        leaving: match asked.end {
            Leave::Orderly => CloseMode::Orderly,
            Leave::Abrupt => CloseMode::Abrupt,
        },
    };
    let outcome = client::call(&call, &told, &mut screen);
    if let (Err(Fault::Call("connect", error)), Some(at)) = (&outcome, call.calling.to.last())
        && let Some(advice) = run::advice_on("connect", &errno_name(error), *at, &format!("serve {}", name))
    {
        screen.say(&advice);
    }
    screen.screen.failures()?;
    Ok(code(outcome.is_ok()))
}

/// `sockwalk serve PROTOCOL ADDR`
pub(super) fn serve(asked: &args::Serve, show: &Show) -> Result<ExitCode> {
    let (name, ends) = found(&asked.protocol, &asked.settings)?;
    if asked.chat && !ends.pushes {
        bail!(
            "{} can't send what nobody asked for, so nobody would hear what others say: leave out --chat",
            name
        );
    }
    let at = asked.at.0.to_socket_addrs();
    let at = at.with_context(|| format!("no address is known for {}", asked.at.0))?.next();
    let at = at.with_context(|| format!("no address is known for {}", asked.at.0))?;
    let (news, told) = Reporter::new();
    let mut screen = Told::new(show, Purpose::Live, asked.quiet)?;
    exposure(at, true).iter().for_each(|warning| screen.say(warning));
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let terms = Terms {
        chat: asked.chat,
        connections: asked.limits.connections.limit(),
        idle: asked.limits.idle,
        beat: asked.beat,
        bytes: asked.limits.bytes,
        message: asked.messages.message,
        queue: count(asked.queue),
        origins: asked.messages.origin_policy(),
        options: asked.settings.iter().cloned().collect(),
    };
    let ticker = asked.settings.iter().any(|(name, _)| name == "ticker");
    let whom = match asked.chat {
        _ if ticker => "only the server speaks, and makes up prices",
        true => "what is said goes to all who are here",
        false => "what is said is sent back",
    };
    let what = Serve { ends, at, terms, time: asked.time, news };
    let outcome = serve::serve(what, &told, &mut screen, |at, onlooker| {
        let (scheme, path) = (ends.schemes[0], ends.path);
        onlooker.say(&if ends.is_for_browsers() {
            format!("`{name}` listens at `{at}`. Open `{scheme}://{at}{path}` in a browser. Ctrl-C ends it.")
        } else {
            let page = if name == "websocket" {
                format!(" A browser gets a page at `http://{at}/`.")
            } else {
                String::new()
            };
            // A UDP socket has no LISTEN: whatever comes to its address is its.
            let waits = if name == "udp" { "waits for datagrams at" } else { "listens at" };
            format!(
                "`{name}` {waits} `{at}`: {whom}. To call it: `sockwalk client {name} {scheme}://{at}{path}`.{page} Ctrl-C ends it."
            )
        });
    });
    if let Err(NotServed::Listen(error)) = &outcome
        && let Some(advice) = error.advice()
    {
        screen.say(&advice);
    }
    outcome?;
    screen.screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

/// The protocol, if it takes all that it is told.
fn found(name: &str, settings: &[(String, String)]) -> Result<(&'static str, &'static Ends)> {
    let transport = registry::find(name).with_context(|| format!("no protocol is called {name}"))?;
    let ends = transport.ends.as_ref().with_context(|| format!("{name} has neither client nor server"))?;
    for (setting, _) in settings {
        if !ends.options.iter().any(|(own, _)| own == setting) {
            let all: Vec<_> = ends.options.iter().map(|(own, _)| *own).collect();
            let all = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
            bail!("{name} can't be told {setting}; it takes {all}");
        }
    }
    Ok((transport.name, ends))
}

/// The screen, and how what happens is told on it.
struct Told {
    screen: Screen,
    log: TapLog,
    quiet: bool,
    /// When it began, and when each connection that is there did.
    began: Instant,
    since: BTreeMap<u64, Instant>,
    /// Whose lines they are: a server's are those of many.
    serves: bool,
}

impl Told {
    fn new(show: &Show, purpose: Purpose, quiet: bool) -> Result<Told> {
        if show.trace.is_some() || show.pcap.is_some() || show.transcript.is_some() {
            bail!(
                "--trace, --pcap and --transcript record a lesson; `sockwalk tap` between the two records this"
            );
        }
        let serves = matches!(purpose, Purpose::Live);
        let screen = Screen::new(show, purpose)?;
        let log = TapLog::of_an_end(screen.look(), if serves { "s" } else { "you" });
        Ok(Told { screen, log, quiet, began: Instant::now(), since: BTreeMap::new(), serves })
    }

    /// A line, if it is to be told.
    fn line(&mut self, news: &News) -> Option<Tapped> {
        let since = match (&news.what, news.layer) {
            // A call is one thing, however many connections it takes.
            _ if !self.serves => self.began,
            (Happened::Connected(_), "TCP") => {
                self.since.insert(news.number, news.at);
                news.at
            }
            _ => self.since.get(&news.number).copied().unwrap_or(self.began),
        };
        if matches!(news.what, Happened::Ended { .. }) {
            self.since.remove(&news.number);
        }
        let quietly = matches!(
            news.what,
            Happened::Message { .. }
                | Happened::Refused(_)
                | Happened::Broken(_)
                | Happened::Reconnecting { .. }
        ) || matches!(news.what, Happened::Ended { orderly: false, .. });
        if self.quiet && !quietly {
            return None;
        }
        let (way, text, bytes) = told(&news.what, self.serves);
        let mut pieces = Vec::new();
        if news.layer != WORDS {
            pieces.push((format!("{} ", news.layer), Meaning::Label));
        }
        pieces.extend(text);
        let nanos = u64::try_from(news.at.saturating_duration_since(since).as_nanos()).unwrap_or(u64::MAX);
        Some(Tapped { number: news.number, way, text: pieces, bytes, aside: view::time(nanos) })
    }
}

/// Pieces of text, and the bytes behind them.
type Words = (view::Way, Vec<(String, Meaning)>, Option<Vec<u8>>);

/// What happened, in words.
fn told(what: &Happened, serves: bool) -> Words {
    let strong = |text: &str| (text.to_owned(), Meaning::Strong);
    let prose = |text: String| (text, Meaning::Prose);
    let size = |length: usize| {
        let bytes = thousands(length as u64);
        (format!(", {bytes} byte{}", if length == 1 { "" } else { "s" }), Meaning::Quiet)
    };
    // What the server sends goes to the client, and what the client sends to the server.
    let way = |way: Way| match (way, serves) {
        (Way::Sent, false) | (Way::Received, true) => view::Way::ToServer,
        _ => view::Way::ToClient,
    };
    let neither = view::Way::Neither;
    match what {
        Happened::Connected(peer) => {
            let text = if serves { format!(": {peer} called") } else { format!(" to {peer}") };
            (neither, vec![strong("connected"), prose(text)], None)
        }
        Happened::Opened(text) => (neither, vec![strong("open"), prose(format!(": {text}"))], None),
        Happened::Unit { way: its, what, length, bytes } => {
            (way(*its), vec![(what.clone(), Meaning::Code), size(*length)], Some(bytes.clone()))
        }
        Happened::Message { way: its, length, bytes } => {
            let name = if *its == Way::Sent { "said" } else { "heard" };
            (way(*its), vec![strong(name), size(*length)], Some(bytes.clone()))
        }
        Happened::Acknowledged(text) => {
            (neither, vec![strong("acknowledged"), prose(format!(": {text}"))], None)
        }
        Happened::Beat { way: its, what } => {
            (way(*its), vec![strong("beat"), prose(format!(": {what}"))], None)
        }
        Happened::Refused(text) => {
            (view::Way::Wrong, vec![("refused".to_owned(), Meaning::Fails), prose(format!(": {text}"))], None)
        }
        Happened::Broken(text) => {
            (view::Way::Wrong, vec![("broken".to_owned(), Meaning::Fails), prose(format!(": {text}"))], None)
        }
        Happened::Reconnecting { attempt, after } => {
            let text = format!(": try {attempt}, in {} ms", after.as_millis());
            (neither, vec![strong("calls again"), prose(text)], None)
        }
        Happened::Ended { orderly: true, why } => {
            (neither, vec![strong("ended"), prose(format!(": {why}"))], None)
        }
        Happened::Ended { orderly: false, why } => (
            view::Way::Wrong,
            vec![("broken off".to_owned(), Meaning::Fails), prose(format!(": {why}"))],
            None,
        ),
        Happened::Note(text) => (neither, vec![prose(text.clone())], None),
    }
}

impl Onlooker for Told {
    fn say(&mut self, text: &str) {
        self.screen.plain("");
        self.screen.say(text);
        self.screen.plain("");
    }

    fn tell(&mut self, news: &[News]) {
        let all: Vec<Tapped> = news.iter().filter_map(|one| self.line(one)).collect();
        let lines: Vec<Line> = all.iter().flat_map(|one| self.log.lines(one)).collect();
        self.screen.print(&lines);
    }

    fn stopped(&mut self) -> bool {
        self.screen.stopped()
    }

    fn hear(&mut self, most: Duration) -> Word {
        match self.screen.hear(most) {
            Heard::Nothing => Word::Nothing,
            Heard::Line(line) => Word::Line(line),
            Heard::End => Word::End,
        }
    }
}
