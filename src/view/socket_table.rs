//! The table of what the kernel says now: the client's sockets at the left, the server's at the right. Live,
//! where one side may have nothing to show, the other has the whole width.

use super::call::{LABEL, host_meaning};
use super::columns::{GAP, beside};
use super::headings::Place;
use super::line::{Line, Meaning};
use super::look::Look;
use super::sockets::{Pair, Sockets, Tracked, drops, retransmits};
use super::units::{address_and_port, plural, thousands};
use crate::event::{Host, Socket};

/// What is written where nothing is set.
const UNSET: &str = "–";
/// From what it was to what it is; the arrow is not parted from what follows.
const TO: &str = " →\u{a0}";
/// Between an address and its port, so that they are seen to be two things.
fn port(socket: &Socket) -> String {
    format!("{NB}{NB}{}{NB}", port_is(&socket.protocol))
}

/// What a socket has where those of TCP and UDP have a port.
pub(super) fn port_is(protocol: &str) -> &'static str {
    match protocol {
        "icmp" => "identifier",
        "raw-icmp" => "protocol",
        _ => "port",
    }
}

/// A space at which no line is broken.
const NB: char = '\u{a0}';

/// Draws the pairs.
pub(super) fn draw(look: &Look, sockets: &Sockets, pairs: &[Pair], place: Place) -> Vec<Line> {
    let table = Table { look, sockets, place };
    if look.wide() { table.side_by_side(pairs) } else { table.stacked(pairs) }
}

struct Table<'a> {
    look: &'a Look,
    sockets: &'a Sockets,
    place: Place,
}

/// A row of the table: its name, and what it says of a socket (none where it does not apply).
type Row<'a> = (&'static str, fn(&Table<'a>, &Tracked) -> Option<Line>);

impl<'a> Table<'a> {
    const ROWS: [Row<'a>; 10] = [
        ("socket", |table, t| Some(table.name(t))),
        ("state", |table, t| Some(table.state(t))),
        ("local", |table, t| table.address(t, |s| &s.local)),
        ("remote", |table, t| table.address(t, |s| &s.peer)),
        ("waiting", Table::waiting),
        ("to read", |table, t| table.queue(t, |s| s.recv_queue)),
        ("unacked", |table, t| table.queue(t, |s| s.send_queue)),
        ("dropped", Table::dropped),
        ("ends in", Table::countdown),
        ("options", Table::options),
    ];

    fn side_by_side(&self, pairs: &[Pair]) -> Vec<Line> {
        let hosts = self.hosts(pairs);
        let room = self.look.content() - LABEL;
        let column = if let [_] = hosts[..] { room } else { (room - GAP) / 2 };
        let header = hosts.iter().map(|host| self.look.line(host.name(), host_meaning(*host)));
        let mut lines = self.row("", header, column);
        for (at, pair) in pairs.iter().enumerate() {
            if at > 0 {
                lines.push(Line::blank());
            }
            let sides: Vec<Option<&Tracked>> =
                hosts.iter().map(|host| pair.side(*host).map(|at| self.sockets.at(at))).collect();
            for (name, cell) in self.rows(at, &sides) {
                let cells: Vec<Option<Line>> =
                    sides.iter().map(|side| side.and_then(|socket| cell(self, socket))).collect();
                if cells.iter().any(Option::is_some) {
                    lines.extend(self.row(name, cells.into_iter().map(Option::unwrap_or_default), column));
                }
            }
        }
        lines.extend(self.connections(pairs));
        lines
    }

    /// Who has a column: both; live, where the other side may be out of sight, only who has a socket to show.
    fn hosts(&self, pairs: &[Pair]) -> Vec<Host> {
        let mut hosts = Host::ALL.to_vec();
        if self.place.live {
            hosts.retain(|host| pairs.iter().any(|pair| pair.side(*host).is_some()));
        }
        hosts
    }

    fn row(&self, name: &str, cells: impl Iterator<Item = Line>, column: usize) -> Vec<Line> {
        let mut row = vec![(self.look.line(name, Meaning::Label), LABEL - GAP)];
        row.extend(cells.map(|cell| (cell, column)));
        beside(&row).into_iter().map(|line| line.indented(self.look.indent())).collect()
    }

    /// The rows for a pair: addresses that are as they were are left out from the second pair on.
    fn rows(&self, at: usize, sides: &[Option<&Tracked>]) -> impl Iterator<Item = Row<'a>> {
        let same = |t: &&Tracked| {
            t.before.as_ref().is_some_and(|was| (&was.local, &was.peer) == (&t.now.local, &t.now.peer))
        };
        let brief = at > 0 && sides.iter().flatten().all(same);
        Self::ROWS.into_iter().filter(move |(name, _)| !brief || !matches!(*name, "local" | "remote"))
    }

    fn stacked(&self, pairs: &[Pair]) -> Vec<Line> {
        let column = self.look.content() - LABEL;
        let mut lines = Vec::new();
        for (at, pair) in pairs.iter().enumerate() {
            for host in Host::ALL {
                let Some(socket) = pair.side(host).map(|at| self.sockets.at(at)) else { continue };
                if !lines.is_empty() {
                    lines.push(Line::blank());
                }
                for (row, (name, cell)) in self.rows(at, &[Some(socket)]).enumerate() {
                    let (label, meaning) =
                        if row == 0 { (host.name(), host_meaning(host)) } else { (name, Meaning::Label) };
                    if let Some(cell) = cell(self, socket) {
                        let label = (self.look.line(label, meaning), LABEL - GAP);
                        let cells = beside(&[label, (cell, column)]);
                        lines.extend(cells.into_iter().map(|line| line.indented(self.look.indent())));
                    }
                }
            }
        }
        lines.extend(self.connections(pairs));
        lines
    }

    /// What the two kernels agreed on: a quiet line for each end of a connection that has just been made.
    fn connections(&self, pairs: &[Pair]) -> Vec<Line> {
        let mut lines = Vec::new();
        for host in Host::ALL {
            for socket in pairs.iter().filter_map(|pair| pair.side(host)).map(|at| self.sockets.at(at)) {
                let Some(text) = connection(socket) else { continue };
                let name = if self.is_theirs(socket) { THE_OTHER_END } else { socket.now.name.as_str() };
                let text = self.look.line(format!("{name}: {text}"), Meaning::Quiet);
                let label =
                    (self.look.line(if lines.is_empty() { "tcp" } else { "" }, Meaning::Label), LABEL - GAP);
                lines.extend(beside(&[label, (text, self.look.content() - LABEL)]));
            }
        }
        lines.into_iter().map(|line| line.indented(self.look.indent())).collect()
    }

    /// True for a socket of another program: the kernel's table has it, and no descriptor of ours leads to
    /// it.
    fn is_theirs(&self, t: &Tracked) -> bool {
        self.place.live && t.nameless()
    }

    fn name(&self, t: &Tracked) -> Line {
        let look = self.look;
        if self.is_theirs(t) {
            let whose = format!(" {}", whose(t).replace(' ', &NB.to_string()));
            return look.spans([(THE_OTHER_END, host_meaning(t.now.host)), (&whose, Meaning::State)]);
        }
        let mut line = Line::blank();
        if let Some(before) = &t.was_called {
            line.extend(look.spans([(before, Meaning::Quiet), (TO, Meaning::Plain)]));
        }
        let meaning = if t.was_called.is_some() { Meaning::Changed } else { host_meaning(t.now.host) };
        line.extend(look.line(&t.now.name, meaning));
        line.space(GAP);
        line.extend(self.descriptor(t));
        if t.now.fd.is_some() || !t.nameless() {
            line.extend(look.spans([("  ", Meaning::Plain), (&t.now.protocol, Meaning::Quiet)]));
        }
        if t.is_new() {
            line.extend(look.spans([("  ", Meaning::Plain), ("new", Meaning::Changed)]));
        }
        line
    }

    fn descriptor(&self, t: &Tracked) -> Line {
        let look = self.look;
        match (t.now.fd, t.had_descriptor()) {
            (Some(fd), _) => look.line(format!("fd{NB}{fd}"), Meaning::State),
            (None, Some(fd)) => {
                look.spans([(&format!("fd{NB}{fd}{TO}"), Meaning::State), ("closed", Meaning::Changed)])
            }
            (None, None) => look.line(format!("no{NB}descriptor"), Meaning::State),
        }
    }

    fn state(&self, t: &Tracked) -> Line {
        let look = self.look;
        // Only TCP has states: of others there is nothing that a system could say.
        let unsaid = if t.now.has_states() { "this system does not say" } else { UNSET };
        let said = |state: &Option<String>| state.clone().unwrap_or_else(|| unsaid.into());
        let mut states: Vec<String> = t.states().iter().map(said).collect();
        if !t.now.exists {
            states.push("gone".into());
        }
        let now = states.pop().unwrap_or_else(|| said(&t.now.state));
        if states.is_empty() {
            return look.line(now, if t.before.is_none() { Meaning::Changed } else { Meaning::State });
        }
        let mut line = look.line(states.join(TO) + TO, Meaning::State);
        line.push(look.span(now, Meaning::Changed));
        line
    }

    fn address(&self, t: &Tracked, of: fn(&Socket) -> &Option<String>) -> Option<Line> {
        if !t.now.exists {
            return None;
        }
        let parts = |socket: &Socket| {
            let (address, port) = of(socket).as_deref().map_or((UNSET, None), address_and_port);
            (address.to_owned(), port.map(ToOwned::to_owned))
        };
        let now = parts(&t.now);
        let before = t.before.as_ref().map_or_else(|| now.clone(), parts);
        let look = self.look;
        let unset = |part: &(String, Option<String>)| part.0 == UNSET;
        let mut line = Line::blank();
        if unset(&before) != unset(&now) || (before.0 != now.0 && before.1 != now.1) {
            line.extend(look.line(whole(&before, &t.now) + TO, Meaning::State));
            line.push(look.span(whole(&now, &t.now), Meaning::Changed));
            return Some(line);
        }
        if before.0 != now.0 {
            line.extend(look.line(format!("{}{TO}", before.0), Meaning::State));
        }
        let address = if before.0 != now.0 { Meaning::Changed } else { Meaning::State };
        line.push(look.span(&now.0, address));
        if unset(&now) {
            return Some(line);
        }
        line.extend(look.line(port(&t.now), Meaning::Quiet));
        let port = |part: &Option<String>| part.clone().unwrap_or_else(|| UNSET.into());
        if before.1 != now.1 {
            line.extend(look.line(port(&before.1) + TO, Meaning::State));
        }
        let meaning = if before.1 != now.1 { Meaning::Changed } else { Meaning::State };
        line.push(look.span(port(&now.1), meaning));
        Some(line)
    }

    /// Who waits in a listener's queue; or in which queue this one waits.
    fn waiting(&self, t: &Tracked) -> Option<Line> {
        let Some(now) = t.now.accept_queue else {
            let queue = queued(t, self.place).filter(|_| t.now.exists)?;
            return Some(self.look.line(queue, Meaning::State));
        };
        let before = t.before.as_ref().and_then(|before| before.accept_queue);
        let mut line = self.number(before, now);
        if let Some(limit) = t.now.accept_limit {
            let was = t.before.as_ref().and_then(|before| before.accept_limit);
            line.push(self.look.span(", limit ", Meaning::State));
            line.extend(self.number(was, limit));
            if self.place.linux {
                line.push(
                    self.look.span(
                        format!(" (Linux admits {})", thousands(limit.saturating_add(1))),
                        Meaning::Quiet,
                    ),
                );
            }
        }
        Some(line)
    }

    /// `0 → 1` if it was something else, else `1`.
    fn number(&self, before: Option<u64>, now: u64) -> Line {
        match before {
            Some(before) if before != now => self.look.spans([
                (&format!("{}{TO}", thousands(before)), Meaning::State),
                (&thousands(now), Meaning::Changed),
            ]),
            Some(_) => self.look.line(thousands(now), Meaning::State),
            None => self.look.line(thousands(now), Meaning::Changed),
        }
    }

    fn queue(&self, t: &Tracked, of: fn(&Socket) -> Option<u64>) -> Option<Line> {
        let now = of(&t.now).unwrap_or(0);
        let before = t.before.as_ref().and_then(of).unwrap_or(0);
        if (now, before) == (0, 0) || !t.now.exists {
            return None;
        }
        let mut line = self.number(Some(before), now);
        line.push(self.look.span(if now == 1 { " byte" } else { " bytes" }, Meaning::State));
        Some(line)
    }

    /// Datagrams that were thrown away here.
    fn dropped(&self, t: &Tracked) -> Option<Line> {
        let (now, before) = (drops(&t.now), t.before.as_ref().map_or(0, drops));
        if (now, before) == (0, 0) || !t.now.exists {
            return None;
        }
        let mut line = self.number(Some(before), now);
        line.push(self.look.span(if now == 1 { " datagram" } else { " datagrams" }, Meaning::State));
        Some(line)
    }

    fn countdown(&self, t: &Tracked) -> Option<Line> {
        let ms = t.now.time_wait_ms.filter(|_| t.now.exists)?;
        Some(self.look.line(seconds(ms), Meaning::State))
    }

    fn options(&self, t: &Tracked) -> Option<Line> {
        let before = t.before.as_ref().map_or(&[][..], |before| &before.options);
        // Without a descriptor the options can't be read: that is no change.
        if before == t.now.options || t.now.fd.is_none() {
            return None;
        }
        let mut line = Line::blank();
        for option in &t.now.options {
            if !line.is_blank() {
                line.push(self.look.span(", ", Meaning::Plain));
            }
            let was = before.iter().find(|was| was.name == option.name);
            let meaning = if was == Some(option) { Meaning::State } else { Meaning::Changed };
            let was = was.filter(|was| was.value != option.value).map(|was| format!("{}{TO}", was.value));
            let text = format!("{}={}{}", option.name, was.unwrap_or_default(), option.value);
            line.push(self.look.span(text, meaning));
        }
        for was in before.iter().filter(|was| !t.now.options.iter().any(|option| option.name == was.name)) {
            if !line.is_blank() {
                line.push(self.look.span(", ", Meaning::Plain));
            }
            line.push(self.look.span(format!("{}={}{TO}default", was.name, was.value), Meaning::Changed));
        }
        Some(line)
    }
}

fn whole((address, number): &(String, Option<String>), of: &Socket) -> String {
    match number {
        Some(number) => format!("{address}{}{number}", port(of)),
        None => address.clone(),
    }
}

/// What stands for the name of a socket that another program has.
const THE_OTHER_END: &str = "the other end";

/// Where the socket of another program is. From when it may have closed it, the kernel alone may be keeping
/// it.
pub(super) fn whose(t: &Tracked) -> &'static str {
    match t.now.state.as_deref() {
        Some("SYN_SENT" | "ESTABLISHED" | "CLOSE_WAIT") => "in another program",
        _ => "of another program",
    }
}

/// Where a socket waits that never had a descriptor, as far as its state tells. Whether another program has
/// accepted its own, nobody tells us.
pub(super) fn queued(t: &Tracked, place: Place) -> Option<&'static str> {
    match t.now.state.as_deref() {
        _ if !t.nameless() => None,
        Some("SYN_RECV") => Some("for the end of the handshake"),
        _ if place.live => None,
        Some("ESTABLISHED" | "CLOSE_WAIT") => Some("in the accept queue"),
        _ => None,
    }
}

/// What TCP keeps of a connection that has just been made, or that had to send again.
pub(super) fn connection(t: &Tracked) -> Option<String> {
    let tcp = t.now.tcp.as_ref()?;
    let again = retransmits(&t.now);
    let again_before = t.before.as_ref().map_or(0, retransmits);
    if !t.just_established() {
        return (again > again_before)
            .then(|| format!("{} sent again so far", plural(again as usize, "segment")));
    }
    let mut parts = vec![
        format!("rtt {} µs", thousands(tcp.rtt_us.into())),
        format!("cwnd {}", thousands(tcp.cwnd.into())),
        format!("mss {}", thousands(tcp.mss.into())),
    ];
    if !tcp.negotiated.is_empty() {
        parts.push(tcp.negotiated.join(", "));
    }
    if again > 0 {
        parts.push(format!("{} sent again", plural(again as usize, "segment")));
    }
    Some(parts.join(", "))
}

/// `59.4 s`
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{} s", thousands(ms / 1000), ms % 1000 / 100)
}
