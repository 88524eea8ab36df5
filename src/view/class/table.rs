//! Who is there now: a line each, and the sum of all. It is drawn again and again in one place, so it never
//! has more rows than there are.

use super::{meaning_of, number_of, payload, shown_name, word};
use crate::event::{Ending, Peer, Phase};
use crate::view::call::address;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::{capital, sentence, stop};
use crate::view::units::{plural, thousands};
use crate::view::wrap::{Long, wrap};

/// Who is connected, in at most `rows` lines: a head, a line each, how many more there are, and the sum.
///
/// `peers` are all who are there, and of those who have gone as many as are remembered: connections are
/// numbered, so it is seen how many are not. Those who are there come first, by number; then those who have
/// gone.
pub fn class(look: &Look, peers: &[Peer], rows: usize) -> Vec<Line> {
    let sum = Sum::of(peers);
    let mut lines = sum.lines(look);
    lines.truncate(rows);
    let room = rows - lines.len();
    let head = usize::from(!look.linear());
    // A head above nothing, or above a line that says that there is more, is of no use.
    let shown = in_order(peers, room.saturating_sub(head));
    if shown.is_empty() || room < head + 1 + usize::from(peers.len() > 1) {
        return lines;
    }
    let body = if look.linear() { linear(look, &shown) } else { Columns::of(look, &shown).lines(look) };
    body_and_rest(look, body, peers.len(), room, head).into_iter().chain(lines).collect()
}

/// The lines of each peer behind `head` lines, as many peers as there is room for, and then how many more
/// there are.
fn body_and_rest(look: &Look, body: Vec<Vec<Line>>, all: usize, room: usize, head: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut told = 0;
    for (at, peer) in body.into_iter().enumerate() {
        let is_head = at < head;
        let last = !is_head && told + 1 == all;
        let rest = usize::from(!last);
        if lines.len() + peer.len() + rest > room {
            break;
        }
        told += usize::from(!is_head);
        lines.extend(peer);
    }
    if told < all {
        let text = format!("and {} more", thousands((all - told) as u64));
        lines.push(match look.linear() {
            true => look.line(format!("{}.", capital(&text)), Meaning::Quiet),
            false => look.line(text, Meaning::Quiet).indented(look.outdent()),
        });
    }
    lines
}

/// The first `most` of those to be shown.
fn in_order(peers: &[Peer], most: usize) -> Vec<&Peer> {
    let mut keys: Vec<(bool, u64, usize)> = peers
        .iter()
        .enumerate()
        .map(|(at, peer)| (peer.phase == Phase::Gone, number_of(&peer.name).unwrap_or(u64::MAX), at))
        .collect();
    // A class may be large and a screen is not: no more is sorted than is shown.
    if most < keys.len() {
        keys.select_nth_unstable(most);
        keys.truncate(most);
    }
    keys.sort_unstable();
    keys.into_iter().map(|(.., at)| &peers[at]).collect()
}

/// `open`, `connected`, or how it ended.
fn state(peer: &Peer) -> (&'static str, Meaning) {
    match peer.phase {
        Phase::Connected => ("connected", Meaning::State),
        Phase::Open => ("open", Meaning::Holds),
        Phase::Gone => word(peer.end),
    }
}

fn linear(look: &Look, peers: &[&Peer]) -> Vec<Vec<Line>> {
    let told = |peer: &&Peer| {
        let state = match (peer.phase, state(peer).0) {
            (Phase::Gone, "gone") => "gone".to_owned(),
            (Phase::Gone, how) => format!("gone, {how}"),
            (_, state) => state.to_owned(),
        };
        let tcp = peer.state.as_ref().map(|state| format!(", TCP state {state}")).unwrap_or_default();
        let text = format!(
            "{}, {}: {state}{tcp}, {} in, {} out, {} in, {} out",
            shown_name(&peer.name),
            address(&shown_address(peer)),
            counted(peer.received, "byte"),
            thousands(peer.sent),
            counted(peer.messages_received, "message"),
            thousands(peer.messages_sent),
        );
        sentence(look, stop(&text), Meaning::State)
    };
    peers.iter().map(told).collect()
}

fn counted(n: u64, of: &str) -> String {
    plural(usize::try_from(n).unwrap_or(usize::MAX), of)
}

/// The longest address is one of IPv6 in brackets, with its port.
const LONGEST_ADDRESS: usize = 47;

fn shown_address(peer: &Peer) -> String {
    payload::cut(peer.address.as_bytes(), LONGEST_ADDRESS)
}

/// The longest TCP state.
const LONGEST_STATE: usize = 11;

/// Columns between two cells.
const GAP: usize = 2;

/// A cell, and whether it stands at the right of its column, as numbers do.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    meaning: Meaning,
    right: bool,
}

impl Cell {
    fn new(text: impl Into<String>, meaning: Meaning) -> Self {
        Cell { text: text.into(), meaning, right: false }
    }

    fn number(text: impl Into<String>, meaning: Meaning) -> Self {
        Cell { right: true, ..Cell::new(text, meaning) }
    }
}

/// How much of a peer is shown: as much as the screen is wide enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Everything.
    All,
    /// All but the TCP state.
    WithoutTcp,
    /// In and out in one column, and big numbers rounded.
    Short,
    /// The same without the address.
    Shortest,
}

/// The table as cells: the head, then a row for each peer.
struct Columns {
    rows: Vec<Vec<Cell>>,
    widths: Vec<usize>,
}

impl Columns {
    fn of(look: &Look, peers: &[&Peer]) -> Self {
        let room = look.content() + look.indent() - look.outdent();
        let columns = |detail| Columns::in_detail(look, peers, detail);
        [Detail::All, Detail::WithoutTcp, Detail::Short]
            .into_iter()
            .map(columns)
            .find(|columns| columns.width() <= room)
            .unwrap_or_else(|| columns(Detail::Shortest))
    }

    fn in_detail(look: &Look, peers: &[&Peer], detail: Detail) -> Self {
        let with_tcp = detail == Detail::All && peers.iter().any(|peer| peer.state.is_some());
        let with_address = detail != Detail::Shortest;
        let with_messages = peers
            .iter()
            .any(|peer| peer.phase == Phase::Open || peer.messages_received > 0 || peer.messages_sent > 0);
        let short = matches!(detail, Detail::Short | Detail::Shortest);

        let row = |cells: [Cell; 4], numbers: [Cell; 4]| {
            let [name, from, state, tcp] = cells;
            let mut row = vec![name];
            row.extend(with_address.then_some(from));
            row.push(state);
            row.extend(with_tcp.then_some(tcp));
            let mut add = |[came, went]: [Cell; 2]| match short {
                true => row.push(Cell { text: format!("{}/{}", came.text, went.text), ..came }),
                false => row.extend([came, went]),
            };
            let [received, sent, messages_received, messages_sent] = numbers;
            add([received, sent]);
            if with_messages {
                add([messages_received, messages_sent]);
            }
            row
        };
        let label = |text: &str| Cell::new(text, Meaning::Label);
        let heads = match detail {
            Detail::Shortest => ["bytes i", "o", "msgs i", "o"],
            Detail::Short => ["bytes in", "out", "messages in", "out"],
            _ => ["bytes in", "bytes out", "msgs in", "msgs out"],
        };
        let heads = heads.map(|text| Cell::number(text, Meaning::Label));
        let mut rows = vec![row([label(""), label("from"), label("state"), label("TCP")], heads)];
        rows.extend(peers.iter().map(|peer| {
            let gone = peer.phase == Phase::Gone;
            let quiet = if gone { Meaning::Quiet } else { Meaning::State };
            let (state, meaning) = state(peer);
            let meaning = if gone && meaning == Meaning::State { Meaning::Quiet } else { meaning };
            let tcp = peer
                .state
                .as_deref()
                .map_or(String::new(), |state| payload::cut(state.as_bytes(), LONGEST_STATE));
            let name = Cell::new(shown_name(&peer.name), meaning_of(&peer.name));
            let n = |n| Cell::number(if short { rounded(n) } else { thousands(n) }, quiet);
            row(
                [
                    name,
                    Cell::new(shown_address(peer), quiet),
                    Cell::new(state, meaning),
                    Cell::new(tcp, quiet),
                ],
                [n(peer.received), n(peer.sent), n(peer.messages_received), n(peer.messages_sent)],
            )
        }));
        let columns = rows[0].len();
        let width = |cell: &Cell| look.span(&cell.text, cell.meaning).width();
        let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
        let widths = (0..columns).map(widest).collect();
        Columns { rows, widths }
    }

    fn width(&self) -> usize {
        self.widths.iter().sum::<usize>() + GAP * (self.widths.len() - 1)
    }

    fn lines(&self, look: &Look) -> Vec<Vec<Line>> {
        let most = look.content() + look.indent();
        let line = |row: &Vec<Cell>| {
            let mut line = Line::blank();
            let mut column = look.outdent();
            for (cell, wide) in row.iter().zip(&self.widths) {
                let span = look.span(&cell.text, cell.meaning);
                line.pad(if cell.right { column + wide.saturating_sub(span.width()) } else { column });
                line.push(span);
                column += wide + GAP;
            }
            // What is too wide for any screen came from no kernel.
            wrap(&line, most, 0, Long::Break).into_iter().take(1).collect()
        };
        self.rows.iter().map(line).collect()
    }
}

/// A number in at most four characters: `12,345` is `12k`. Rounded down, so that it never says more than
/// there was.
fn rounded(n: u64) -> String {
    const STEPS: [(u64, &str); 6] = [
        (1_000_000_000_000_000_000, "E"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    match STEPS.into_iter().find(|(step, _)| n >= *step) {
        Some((step, unit)) if n >= 10_000 => match n / step {
            whole @ 0..10 => format!("{whole}.{}{unit}", n % step / (step / 10)),
            whole => format!("{whole}{unit}"),
        },
        _ => n.to_string(),
    }
}

/// The sum of a class.
#[derive(Debug, Default)]
struct Sum {
    there: usize,
    open: usize,
    /// By kind of ending, in the order of [`ENDINGS`].
    gone: [usize; ENDINGS.len()],
    received: u64,
    sent: u64,
    messages_received: u64,
    messages_sent: u64,
    websocket: bool,
    /// The highest number of all, and how many have one.
    highest: u64,
    numbered: u64,
}

/// The endings in the order in which they are counted.
const ENDINGS: [Option<Ending>; 9] = [
    Some(Ending::Closed),
    Some(Ending::Page),
    Some(Ending::Reset),
    Some(Ending::Refused),
    Some(Ending::Violation),
    Some(Ending::Limit),
    Some(Ending::Stopped),
    Some(Ending::Failed),
    None,
];

impl Sum {
    fn of(peers: &[Peer]) -> Self {
        let mut sum = Sum::default();
        for peer in peers {
            match peer.phase {
                Phase::Gone => {
                    let ending = ENDINGS.iter().position(|ending| *ending == peer.end);
                    sum.gone[ending.unwrap_or(ENDINGS.len() - 1)] += 1;
                }
                Phase::Open => {
                    sum.there += 1;
                    sum.open += 1;
                }
                Phase::Connected => sum.there += 1,
            }
            sum.received = sum.received.saturating_add(peer.received);
            sum.sent = sum.sent.saturating_add(peer.sent);
            sum.messages_received = sum.messages_received.saturating_add(peer.messages_received);
            sum.messages_sent = sum.messages_sent.saturating_add(peer.messages_sent);
            if let Some(number) = number_of(&peer.name) {
                sum.highest = sum.highest.max(number);
                sum.numbered += 1;
            }
            sum.websocket |=
                peer.phase == Phase::Open || peer.messages_received > 0 || peer.messages_sent > 0;
        }
        sum
    }

    fn lines(&self, look: &Look) -> Vec<Line> {
        let mut there = format!("{} now", together(self.there as u64, "connection"));
        if self.websocket {
            there += &format!(", {}{NB}open", thousands(self.open as u64));
        }
        let remembered = self.gone.iter().sum::<usize>() as u64;
        let forgotten = self.highest.saturating_sub(self.numbered);
        let kinds: Vec<String> = ENDINGS
            .iter()
            .zip(self.gone)
            .filter(|(_, n)| *n > 0)
            .map(|(ending, n)| {
                let word = if ending.is_none() { "unknown" } else { word(*ending).0 };
                format!("{}{NB}{word}", thousands(n as u64))
            })
            .collect();
        let kinds = kinds.join(", ");
        let gone = format!("{}{NB}gone", thousands(remembered.saturating_add(forgotten)));
        let left = match (remembered, forgotten) {
            (0, 0) => String::new(),
            (_, 0) => format!("{gone}: {kinds}"),
            (0, _) => gone,
            _ => format!("{gone}, of the last{NB}{}: {kinds}", thousands(remembered)),
        };
        // What the forgotten ones sent is not known here.
        let whose = match forgotten {
            0 => String::new(),
            _ => format!("of{NB}these{NB}{}: ", thousands((self.there as u64).saturating_add(remembered))),
        };
        let bytes = together(self.received, "byte");
        let mut crossed = format!("{whose}{bytes}{NB}in, {}{NB}out", thousands(self.sent));
        if self.websocket {
            let messages = together(self.messages_received, "message");
            crossed += &format!("; {messages}{NB}in, {}{NB}out", thousands(self.messages_sent));
        }
        let parts = [there, left, crossed].into_iter().filter(|part| !part.is_empty());
        if look.linear() {
            let text = parts.map(|part| stop(&part)).collect::<Vec<_>>().join(" ");
            return sentence(look, text, Meaning::Heading);
        }
        let mut line = Line::blank();
        for (at, part) in parts.enumerate() {
            let (meaning, before) = if at == 0 { (Meaning::Heading, "") } else { (Meaning::State, " · ") };
            line.extend(look.spans([(before, Meaning::Quiet), (&part, meaning)]));
        }
        let room = look.content() + look.indent() - look.outdent();
        wrap(&line, room, 2, Long::Break).into_iter().map(|line| line.indented(look.outdent())).collect()
    }
}

/// A space at which no line is broken: a number and what it counts stay together.
const NB: char = '\u{a0}';

fn together(n: u64, of: &str) -> String {
    counted(n, of).replace(' ', &NB.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::class_runs::peers;
    use crate::view::{Form, Glyphs};

    fn table(peers: &[Peer], rows: usize) -> Vec<String> {
        let look = Look::new(80, Glyphs::Unicode, Form::Screen);
        class(&look, peers, rows).iter().map(|line| line.to_string().replace(NB, " ")).collect()
    }

    #[test]
    fn who_is_there_comes_before_who_has_gone() {
        let lines = table(&peers(9), 24);
        let names: Vec<&str> = lines[1..10].iter().map(|line| &line[1..3]).collect();
        assert_eq!(names, ["c1", "c2", "c4", "c5", "c7", "c8", "c3", "c6", "c9"]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = table(&peers(1_000), 10);
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[6], " and 995 more");
        assert!(lines[7].starts_with(" 667 connections now, 500 open · 333 gone: 66 closed"), "{}", lines[7]);
        assert_eq!(
            table(&peers(3), 2)[0],
            " 2 connections now, 1 open · 1 gone: 1 refused · 1,488 bytes in, 639 out;"
        );
        assert!(table(&peers(3), 0).is_empty());
    }

    #[test]
    fn of_those_who_are_forgotten_nothing_is_claimed() {
        let remembered: Vec<Peer> = peers(9).split_off(4);
        let lines = table(&remembered, 24);
        let sum = lines[6..].join(" ");
        assert!(sum.contains("3 connections now"), "{sum}");
        assert!(sum.contains("6 gone, of the last 2: 1 page, 1 violation"), "{sum}");
        assert!(sum.contains("of these 5: "), "{sum}");
    }

    #[test]
    fn nobody_is_a_class_too() {
        assert_eq!(table(&[], 24), [" 0 connections now · 0 bytes in, 0 out"]);
    }

    #[test]
    fn big_numbers_are_rounded_down_where_there_is_no_room() {
        let shown = [0, 9_999, 10_000, 12_345, 999_999, 1_290_000, 12_900_000, u64::MAX].map(rounded);
        assert_eq!(shown, ["0", "9999", "10k", "12k", "999k", "1.2M", "12M", "18E"]);
    }
}
