//! `sockwalk client` and `sockwalk serve`: both ends of a protocol, live, and what happens in a line each.

use std::{
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
    event::{self, Command, ConnectionEvent, ConnectionWhat, Event, Host, Run, Shown, Sink, What},
    run::{self, Frontend, Input},
    server::listener::exposure,
    transport::{
        api::{ClientConfig, CloseMode, Ends, Onlooker, Word},
        client::{self, Call},
        connection::Fault,
        events::{Happened, News, Reporter, Way},
        registry,
        serve::{self, NotServed, Serve},
        terms::Terms,
    },
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
    let shown = Shown { quiet: asked.quiet, ..Shown::default() };
    let mut screen = Told::new(
        show,
        Run {
            protocol: Some(name.to_owned()),
            target: Some(asked.to.to.0.clone()),
            shown,
            ..Run::of(Command::Client)
        },
    )?;
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
    screen.finish()?;
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
    let shown = Shown { quiet: asked.quiet, ..Shown::default() };
    let run = Run {
        protocol: Some(name.to_owned()),
        listen: Some(at.to_string()),
        shown,
        ..Run::of(Command::Serve)
    };
    let mut screen = Told::new(show, run)?;
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
    screen.finish()?;
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

/// The screen, to which everything goes as events.
struct Told {
    screen: Screen,
    began: Instant,
    /// Which of the two this program is.
    own: Host,
}

impl Told {
    fn new(show: &Show, run: Run) -> Result<Told> {
        let (purpose, own) = match run.command {
            Command::Serve => (Purpose::Serve, Host::Server),
            _ => (Purpose::Client, Host::Client),
        };
        let mut screen = Screen::new(show, purpose)?;
        screen.take(&Event { at: 0, what: What::Run(run) });
        Ok(Told { screen, began: Instant::now(), own })
    }

    fn event(&self, at: Instant, what: What) -> Event {
        let at = at.saturating_duration_since(self.began).as_micros();
        Event { at: u64::try_from(at).unwrap_or(u64::MAX), what }
    }

    /// The last event, and what has gone wrong with the screen or a file.
    fn finish(mut self) -> Result<()> {
        let end = self.event(Instant::now(), What::End(event::End::default()));
        self.screen.take(&end);
        self.screen.failures()
    }

    fn connection(&self, news: &News) -> Event {
        let from = |way: Way| if way == Way::Sent { self.own } else { self.own.other() };
        let what = match news.what.clone() {
            Happened::Connected(address) => ConnectionWhat::Peer { address },
            Happened::Opened(words) => ConnectionWhat::Ready { words },
            Happened::Unit { way, what: unit, length, bytes } => {
                ConnectionWhat::Unit { from: from(way), unit, length: length as u64, bytes: bytes.into() }
            }
            Happened::Message { way, length, bytes } => {
                ConnectionWhat::Message { from: from(way), length: length as u64, bytes: bytes.into() }
            }
            Happened::Acknowledged(words) => ConnectionWhat::Acknowledged { words },
            Happened::Beat { way, what: unit } => ConnectionWhat::HeartBeat { from: from(way), unit },
            Happened::Refused(words) => ConnectionWhat::Refused { words },
            Happened::Broken(words) => ConnectionWhat::Violation { words },
            Happened::Reconnecting { attempt, after } => {
                let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                ConnectionWhat::Reconnecting { attempt, after }
            }
            Happened::Ended { orderly, why: words } => ConnectionWhat::Ended { orderly, words },
            Happened::Note(words) => ConnectionWhat::Note { words },
        };
        let what = ConnectionEvent { stream: news.number, layer: news.layer.into(), what };
        self.event(news.at, What::Connection(what))
    }
}

impl Onlooker for Told {
    fn say(&mut self, text: &str) {
        let prose = self.event(Instant::now(), What::Narration { markdown: text.to_owned() });
        self.screen.take(&prose);
    }

    fn tell(&mut self, news: &[News]) {
        let events: Vec<Event> = news.iter().map(|one| self.connection(one)).collect();
        self.screen.take_all(&events);
    }

    fn stopped(&mut self) -> bool {
        self.screen.stopped()
    }

    fn hear(&mut self, most: Duration) -> Word {
        match self.screen.hear(most) {
            Input::Nothing => Word::Nothing,
            Input::Line(line) => Word::Line(line),
            Input::End => Word::End,
        }
    }
}
