//! `sockwalk decode`: what crossed, out of a capture or out of bytes.

use std::{
    fs::File,
    io::{self, BufWriter, Cursor, Read, Write},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use super::{
    Screen,
    args::{Begins, Decode, Show},
    records,
    screen::Purpose,
};
use crate::{
    analysis::capture::{Capture, is_capture},
    analysis::decode::{self, Decoder},
    analysis::hex,
    event::{self, Run, Shown, StreamEvent, StreamWhat, What},
    view::{Depth, Line, StreamTable, field_table, filter::Choice},
    wire::{
        Protocol,
        frame::{Context as Around, begins_like_http, dissect_as},
        stomp::begins_like_stomp,
        websocket::plausible,
    },
};

/// Lines that are written together, where nobody waits for each of them.
const TOGETHER: usize = 256;

/// Decodes what the options name.
pub(super) fn decode(it: &Decode, show: &Show) -> Result<ExitCode> {
    if let Some(text) = &it.hex {
        return bytes(&hex::bytes(text).context("--hex")?, it, show);
    }
    let path = &it.file;
    if path.as_os_str() == "-" {
        return input(io::stdin().lock(), 1, it, show).context("standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("can't open {name}"))?;
    input(file, TOGETHER, it, show).with_context(|| name)
}

/// A capture, if it begins like one; else bytes.
fn input(mut input: impl Read, together: usize, it: &Decode, show: &Show) -> Result<ExitCode> {
    let mut beginning = Vec::new();
    input.by_ref().take(4).read_to_end(&mut beginning)?;
    let whole = Cursor::new(beginning.clone()).chain(&mut input);
    let conversation =
        it.protocol.is_none_or(|it| it == Begins::Websocket || decode::may_be_above(protocol(it)));
    if !it.raw && is_capture(&beginning) && conversation {
        return capture(whole, together, it, show);
    }
    let most = hex::LONGEST as u64;
    let mut all = Vec::new();
    whole.take(most + 1).read_to_end(&mut all)?;
    if all.len() as u64 > most {
        bail!(
            "no capture (needed the magic number of pcap or pcapng), and more bytes than the {most} that are taken"
        );
    }
    let told = std::str::from_utf8(&all).ok().filter(|_| !it.raw).map(hex::bytes);
    match (told, it.protocol) {
        (Some(Ok(told)), _) if !told.is_empty() => bytes(&told, it, show),
        (_, Some(_)) => bytes(&all, it, show),
        _ if begins_like_http(&all) || begins_like_stomp(&all) => bytes(&all, it, show),
        (Some(Err(error)), None) => {
            bail!("neither a capture nor hex: {error}; of raw bytes --as says what they are")
        }
        (Some(Ok(_)), None) => bail!("no bytes"),
        (None, None) => {
            bail!("neither a capture nor hex; --as says what these bytes are, such as --as websocket")
        }
    }
}

/// Bytes without a capture around them: their fields.
fn bytes(bytes: &[u8], it: &Decode, show: &Show) -> Result<ExitCode> {
    if it.json || it.follow || it.stream.is_some() || !it.filter.is_empty() {
        bail!("--json, --follow, --stream and --filter go with a capture; these are bytes");
    }
    let protocol = match it.protocol {
        Some(begins) => protocol(begins),
        None if begins_like_http(bytes) => Protocol::Http,
        None if begins_like_stomp(bytes) => Protocol::Stomp,
        None if plausible(bytes).is_some() => Protocol::WebSocket,
        None => guess(bytes)?,
    };
    let mut screen = Screen::new(show, Purpose::Report)?;
    let dissection = dissect_as(protocol, bytes, Around::default());
    // A line would say nothing of bytes without a time and a connection: their fields are the least.
    let detail = Depth::from(show.depth).max(Depth::Fields);
    let lines = field_table(&screen.look(), bytes, &dissection.fields, detail);
    screen.print(&lines);
    screen.failures()?;
    Ok(ExitCode::SUCCESS)
}

/// A frame of the link or a datagram, by numbers that chance seldom makes.
fn guess(bytes: &[u8]) -> Result<Protocol> {
    Ok(match bytes {
        [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x00, 0x40..=0x4f, ..]
        | [_, _, _, _, _, _, _, _, _, _, _, _, 0x86, 0xdd, 0x60..=0x6f, ..]
        | [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x06, 0x00, ..] => Protocol::Ethernet,
        [0x45..=0x4f, ..] if bytes.len() >= 20 => Protocol::Ipv4,
        [0x60..=0x6f, ..] if bytes.len() >= 40 => Protocol::Ipv6,
        _ => bail!("it can't be seen what these bytes are: --as says it, such as --as websocket"),
    })
}

fn protocol(begins: Begins) -> Protocol {
    match begins {
        Begins::Websocket => Protocol::WebSocket,
        Begins::Http => Protocol::Http,
        Begins::Socketio => Protocol::EngineIo,
        Begins::Sockjs => Protocol::SockJs,
        Begins::Sse => Protocol::EventStream,
        Begins::Stomp => Protocol::Stomp,
        Begins::Tcp => Protocol::Tcp,
        Begins::Udp => Protocol::Udp,
        Begins::Icmp => Protocol::Icmp,
        Begins::Icmpv6 => Protocol::Icmpv6,
        Begins::Ipv4 => Protocol::Ipv4,
        Begins::Ipv6 => Protocol::Ipv6,
        Begins::Arp => Protocol::Arp,
        Begins::Ethernet => Protocol::Ethernet,
    }
}

/// A capture, packet by packet.
fn capture(input: impl Read, together: usize, it: &Decode, show: &Show) -> Result<ExitCode> {
    let choice = Choice { stream: it.stream, filters: it.filter.clone() };
    if it.json {
        return as_json(input, together, it, choice);
    }
    // The trace of a capture borrows: it is written here, and not by the screen.
    let mine = Show { trace: None, ..show.clone() };
    let mut screen = Screen::new(&mine, Purpose::Decode)?;
    let apart = records::apart(show)?;
    let trace = records::open(show.trace.as_deref(), "trace")?;
    let mut trace = match trace {
        Some(out) => Some(StreamTrace::new(out, it)?),
        None => None,
    };
    let mut failed: Option<io::Error> = None;
    let mut table = StreamTable::new(screen.look(), show.depth.into(), it.follow, choice);
    let mut lines: Vec<Line> = Vec::new();
    let outcome = packets(input, it, |event, packet_over| {
        if let (Some(trace), Some(event)) = (&mut trace, event) {
            failed = failed.take().or(trace.write(event).err());
        }
        match event {
            _ if apart => {}
            Some(event) => lines.extend(table.event(event)),
            None if packet_over && lines.len() < together => {}
            None => screen.print(&std::mem::take(&mut lines)),
        }
        Ok(screen.failures().is_ok() && !screen.is_broken())
    });
    if let Some(trace) = &mut trace {
        failed = failed.or(trace.finish().err());
    }
    if !apart {
        lines.extend(table.end());
        screen.print(&lines);
    }
    screen.failures()?;
    if let Some(error) = failed.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        bail!("the trace is not whole, its file can't be written: {error}");
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The same as a trace on standard output, of what is asked for alone.
fn as_json(input: impl Read, together: usize, it: &Decode, choice: Choice) -> Result<ExitCode> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut trace = StreamTrace::new(&mut out, it)?;
    let mut streams = std::collections::HashSet::new();
    let outcome = packets(input, it, |event, _| {
        let written = match event {
            None if together == 1 => trace.out.flush(),
            None => Ok(()),
            Some(event) => {
                if let (StreamWhat::Opened(opened), Some(stream)) = (&event.what, event.stream)
                    && !choice.is_everything()
                    && choice.has_connection(stream, opened)
                {
                    streams.insert(stream);
                }
                let known = event.stream.is_some_and(|stream| streams.contains(&stream));
                let wanted = choice.is_everything() || (known && choice.has_event(event));
                if let (StreamWhat::Ended(_), Some(stream)) = (&event.what, event.stream) {
                    streams.remove(&stream);
                }
                if wanted { trace.write(event) } else { Ok(()) }
            }
        };
        gone(written)
    });
    let flushed = trace.finish();
    outcome?;
    gone(flushed)?;
    Ok(ExitCode::SUCCESS)
}

/// A trace of a capture: its events are written as they are told, without being kept.
struct StreamTrace<W: Write> {
    out: W,
    /// When the first packet was recorded, in nanoseconds since 1970.
    began: Option<u64>,
    at: u64,
}

impl<W: Write> StreamTrace<W> {
    fn new(mut out: W, it: &Decode) -> Result<Self> {
        let what = What::Run(as_run(it));
        serde_json::to_writer(&mut out, &event::Event { at: 0, what }).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(StreamTrace { out, began: None, at: 0 })
    }

    fn write(&mut self, event: &StreamEvent) -> io::Result<()> {
        if let Some(time) = event.time {
            let began = *self.began.get_or_insert(time.0);
            self.at = time.0.saturating_sub(began) / 1000;
        }
        event::write_stream(&mut self.out, self.at, event)
    }

    fn finish(&mut self) -> io::Result<()> {
        let end = event::Event { at: self.at, what: What::End(event::End::default()) };
        serde_json::to_writer(&mut self.out, &end).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

fn as_run(it: &Decode) -> Run {
    let shown = Shown {
        quiet: false,
        follow: it.follow,
        stream: it.stream,
        filter: it.filter.iter().map(ToString::to_string).collect(),
    };
    Run { shown, ..Run::of(event::Command::Decode) }
}

/// False if the reader went away, which is no error.
fn gone(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("can't write to standard output"),
    }
}

/// Hands over every event, and none after each packet and at the end. It goes on while true is given back.
fn packets(
    input: impl Read,
    it: &Decode,
    mut tell: impl FnMut(Option<&StreamEvent>, bool) -> Result<bool>,
) -> Result<()> {
    let mut capture = Capture::open(input)?;
    let options = decode::Options {
        websocket: it.protocol == Some(Begins::Websocket),
        above: it.protocol.map(protocol).filter(|it| decode::may_be_above(*it)),
        ..Default::default()
    };
    let mut decoder = Decoder::new(options);
    let (mut refused, mut taken) = (None, false);
    let mut on: Result<bool> = Ok(true);
    let ended = loop {
        let packet = match capture.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let pushed = decoder.push(&packet, &mut |event| {
            if matches!(on, Ok(true)) {
                on = tell(Some(event), false);
            }
        });
        match pushed {
            Ok(()) => taken = true,
            Err(error) => refused = Some(error),
        }
        if matches!(on, Ok(true)) {
            on = tell(None, true);
        }
        if !matches!(on, Ok(true)) {
            return on.map(|_| ());
        }
    };
    decoder.finish(&mut |event| {
        if matches!(on, Ok(true)) {
            on = tell(Some(event), false);
        }
    });
    if on? {
        tell(None, false)?;
    }
    // A capture that breaks off, or that nothing could be made of, has been told as far as it goes.
    ended?;
    match refused {
        Some(error) if !taken => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
