//! What holds for every run, however odd: nothing steers the terminal, nothing is wider than the screen, no
//! word of the prose is lost, and it does not matter when held-back lines are asked for.

use proptest::prelude::*;
use pulldown_cmark::{Event as Md, Options, Parser};

use super::cable_runs::{cable_lesson, many_frames};
use super::class_runs::{class_of_bytes, class_of_messages, live_listen, live_send, live_troubles};
use super::sample_runs::{
    accept_key, blocked_accept, close_lesson, listen_lesson, masked_frame, upgrade_lesson,
};
use super::*;
use crate::event::*;
use crate::wire::{
    frame::build,
    tcp::{Flags, Header},
};

/// Text as it may come from anywhere: letters, Markdown, control characters, other scripts.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z0-9 .=_>:]{0,40}",
        "[\\PC\\x00-\\x1f\u{80}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}\n]{0,60}",
        Just("\x1b[2J\x1b]0;title\x07\u{9b}31m".to_owned()),
        Just("三次握手之后，套接字进入已建立状态。".to_owned()),
        Just("ａ👩‍👩‍👧e\u{301}\u{301}한국어 שלום".to_owned()),
        "[a-z/:.]{60,90}",
    ]
    .boxed()
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    proptest::option::of(of).boxed()
}

fn host() -> BoxedStrategy<Host> {
    prop_oneof![Just(Host::Client), Just(Host::Server)].boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![
        Just("c".to_owned()),
        Just("s".to_owned()),
        Just("~client.c".to_owned()),
        Just("conn".to_owned()),
        connection(),
        text()
    ]
    .boxed()
}

/// One of a class.
fn connection() -> BoxedStrategy<String> {
    prop_oneof!["c[1-3]", Just("c99999999".to_owned()), Just("~server.c1".to_owned())].boxed()
}

fn address() -> BoxedStrategy<Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some("127.0.0.1:7000".to_owned())),
        Just(Some("127.0.0.1:43210".to_owned())),
        Just(Some("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535".to_owned())),
        text().prop_map(Some),
    ]
    .boxed()
}

fn socket() -> BoxedStrategy<What> {
    let state = maybe(prop_oneof![
        "CLOSED|LISTEN|ESTABLISHED|SYN_SENT|SYN_RECV|FIN_WAIT[12]|CLOSING|CLOSE_WAIT|LAST_ACK|TIME_WAIT"
            .boxed(),
        text().boxed()
    ]);
    let who = (host(), name(), maybe(0..9i64), any::<bool>(), address(), address(), state);
    let numbers =
        (maybe(any::<u64>()), maybe(any::<u64>()), maybe(any::<u64>()), maybe(any::<u64>()), any::<bool>());
    (who, numbers, text())
        .prop_map(|((host, name, fd, exists, local, peer, state), numbers, word)| {
            let (recv_queue, send_queue, accept_queue, accept_limit, tcp) = numbers;
            let option = SocketOption { name: word.clone(), value: 1 };
            What::Socket(Socket {
                host,
                name,
                fd,
                protocol: if tcp { "tcp".into() } else { word.clone() },
                exists,
                local,
                peer,
                state,
                recv_queue,
                send_queue,
                accept_queue,
                accept_limit,
                drops: accept_queue,
                time_wait_ms: accept_queue,
                tcp: tcp.then(|| TcpInfo {
                    rtt_us: 1,
                    cwnd: 2,
                    mss: 3,
                    retransmits: 4,
                    negotiated: vec![word],
                }),
                options: if exists { vec![option] } else { Vec::new() },
            })
        })
        .boxed()
}

fn call() -> BoxedStrategy<What> {
    let texts = (text(), text(), text(), prop_oneof![Just(String::new()), text()]);
    let class = prop_oneof!["accept|recv|send|ws answer|ws recv|ws send|close".boxed(), text()];
    (0..4u64, host(), maybe(name()), texts, maybe(0..4u64), any::<bool>(), class)
        .prop_map(|(id, host, socket, (call, ran, c, asked), parent, background, class)| {
            let call = if background { call } else { class };
            What::Call(Call {
                id,
                host,
                call: call.clone(),
                socket,
                fd: Some(3),
                args: vec![Arg { name: call.clone(), value: ran.clone() }],
                source: Source { text: ran, file: c.clone(), line: 1 },
                c,
                asked,
                syscalls: vec![call.clone(), call],
                parent,
                background,
            })
        })
        .boxed()
}

fn back() -> BoxedStrategy<What> {
    let value = prop_oneof![
        Just(Value::Done),
        any::<usize>().prop_map(Value::Count),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Data),
        text().prop_map(|text| Value::Data(text.into_bytes())),
        (proptest::collection::vec(any::<u8>(), 0..300), any::<usize>(), maybe(text()))
            .prop_map(|(bytes, length, from)| Value::Datagram { bytes, length, from }),
        text().prop_map(Value::Address),
        any::<i64>().prop_map(Value::Number),
        (any::<u16>(), text()).prop_map(|(code, reason)| Value::Close { code, reason }),
        (name(), any::<i64>(), maybe(text())).prop_map(|(name, fd, peer)| Value::Socket { name, fd, peer }),
    ];
    (0..4u64, maybe(value), maybe(text()), any::<u64>(), any::<bool>())
        .prop_map(|(call, ok, errno, ns, deadline)| {
            What::Return(Return { call, ok, error: errno.clone(), errno, ns, deadline })
        })
        .boxed()
}

fn working() -> BoxedStrategy<What> {
    let bits = maybe((0..90usize, 0..90usize));
    let row = (text(), text(), text(), bits, maybe(text()))
        .prop_map(|(name, value, meaning, bits, section)| Row { name, value, meaning, bits, section });
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    (host(), maybe(connection()), text(), bytes, proptest::collection::vec(row, 0..5))
        .prop_map(|(host, socket, title, bytes, rows)| {
            What::Working(Working { host, socket, title, bytes, rows })
        })
        .boxed()
}

fn peer() -> BoxedStrategy<Peer> {
    let phase = prop_oneof![Just(Phase::Connected), Just(Phase::Open), Just(Phase::Gone)];
    let end = prop_oneof![
        Just(Ending::Closed),
        Just(Ending::Reset),
        Just(Ending::Refused),
        Just(Ending::Page),
        Just(Ending::Violation),
        Just(Ending::Limit),
        Just(Ending::Stopped),
        Just(Ending::Failed),
    ];
    let name = prop_oneof![3 => connection(), 1 => name()];
    let detail = prop_oneof![Just(String::new()), text()];
    (name, address(), phase, maybe(text()), any::<[u64; 4]>(), maybe(end), detail)
        .prop_map(|(name, address, phase, state, numbers, end, detail)| Peer {
            name,
            address: address.unwrap_or_default(),
            phase,
            state,
            received: numbers[0],
            sent: numbers[1],
            messages_received: numbers[2],
            messages_sent: numbers[3],
            end,
            detail,
        })
        .boxed()
}

/// A message as a class has them, or anything else.
fn message() -> BoxedStrategy<What> {
    let kind = prop_oneof!["text|binary|ping|pong|close|violation".boxed(), text()];
    let data =
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), text().prop_map(String::into_bytes),];
    (prop_oneof![connection(), name()], any::<bool>(), kind, data, maybe(any::<u16>()), maybe(text()))
        .prop_map(|(socket, received, kind, data, code, rule)| {
            What::Message(Message {
                host: Host::Server,
                socket,
                received,
                kind,
                data,
                code,
                level: rule.clone(),
                section: rule.clone(),
                rule,
                offset: Some(u64::MAX),
            })
        })
        .boxed()
}

/// What happens on a cable: frames of all kinds, and whatever becomes of any.
fn cable() -> BoxedStrategy<What> {
    let segment = (any::<bool>(), any::<u16>(), any::<[u32; 2]>(), 0..80usize, "[1-4]").prop_map(
        |(client, flags, [sequence, acknowledgment], length, port)| {
            let ends =
                ["127.0.0.1:43210".parse(), format!("127.0.0.1:{port}000").parse()].map(Result::unwrap);
            let (from, to) = if client { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
            let flags = Flags::from_bits(flags & 0x1ff);
            let header = Header { sequence, acknowledgment, flags, ..Header::new(0, 0) };
            build::tcp(from, to, &header, &vec![b'x'; length])
        },
    );
    let bytes = prop_oneof![3 => segment, 1 => proptest::collection::vec(any::<u8>(), 0..80)];
    let became = prop_oneof![
        Just(Became::Held),
        Just(Became::Delivered),
        Just(Became::Dropped),
        Just(Became::Duplicated),
        Just(Became::Corrupted),
        Just(Became::Lost),
        Just(Became::Delayed),
    ];
    let ns = || prop_oneof![0..9_000_000_000u64, any::<u64>()];
    prop_oneof![
        3 => (1..6u64, host(), ns(), bytes, maybe(1..6u64)).prop_map(|(number, from, ns, bytes, again)| {
            What::Frame(Frame { number, from, ns, bytes, cause: Cause::Unknown, call: None, again })
        }),
        3 => (1..6u64, ns(), became, maybe(any::<u64>()), maybe(any::<u64>()))
            .prop_map(|(frame, ns, fate, delay_us, bit)| What::Fate(Fate { frame, ns, fate, delay_us, bit })),
        1 => (text(), maybe(text())).prop_map(|(action, failed)| What::Wire(Wire { action, frames: vec![1], failed })),
        1 => (host(), text(), maybe(text()), maybe(text())).prop_map(|(host, name, before, failed)| {
            What::Setting(Setting { host, value: name.clone(), name, before, failed })
        }),
    ]
    .boxed()
}

fn view() -> BoxedStrategy<View> {
    prop_oneof![Just(View::Story), Just(View::Ladder), Just(View::States)].boxed()
}

fn small() -> BoxedStrategy<What> {
    prop_oneof![
        (0..4u64, text(), any::<bool>()).prop_map(|(call, waits_for, proc)| What::Blocked(Blocked {
            call,
            waits_for,
            known_by: if proc { KnownBy::Proc } else { KnownBy::Time }
        })),
        (text(), maybe(any::<bool>()), text()).prop_map(|(text, holds, observed)| What::Check(Check {
            text,
            line: 1,
            holds,
            observed
        })),
        (text(), text(), any::<bool>(), text(), maybe(any::<usize>()), maybe(connection())).prop_map(
            |(requirement, section, met, found, offset, socket)| What::Upgrade(Requirement {
                host: Host::Server,
                socket,
                requirement,
                section,
                met,
                found,
                offset
            })
        ),
        (text(), text(), maybe(text()), maybe(any::<u16>())).prop_map(|(socket, kind, rule, code)| {
            What::Message(Message {
                host: Host::Client,
                socket: socket.clone(),
                received: true,
                kind: if rule.is_some() { "violation".into() } else { kind },
                data: socket.into_bytes(),
                code,
                level: rule.clone(),
                section: rule.clone(),
                rule,
                offset: Some(u64::MAX),
            })
        }),
        (any::<usize>(), any::<usize>(), any::<usize>(), any::<bool>())
            .prop_map(|(checks, failed, not_seen, left)| What::End(End { checks, failed, not_seen, left })),
        (1..9usize, text(), any::<bool>()).prop_map(|(number, text, brief)| What::Step(Step {
            number,
            line: 1,
            text,
            brief
        })),
        (1..9usize, text(), any::<bool>()).prop_map(|(number, title, shown)| What::Part(Part {
            number,
            title,
            shown
        })),
        (text(), text(), any::<bool>()).prop_map(|(name, title, live)| What::Lesson(Lesson {
            format: FORMAT,
            sockwalk: name.clone(),
            system: "linux".into(),
            stage: if live { "live".into() } else { title.clone() },
            language: title.clone(),
            started: None,
            sources: vec![name.clone(), title.clone()],
            name,
            title,
            parts: 3,
            steps: 9,
        })),
    ]
    .boxed()
}

fn spoken() -> BoxedStrategy<What> {
    let options = proptest::collection::vec(text(), 0..4);
    prop_oneof![
        text().prop_map(|markdown| What::Narration { markdown }),
        (text(), options).prop_map(|(text, options)| What::Question(Question { text, options })),
        (maybe(0..5usize), 0..5usize, text()).prop_map(|(given, right, text)| What::Answer(Answer {
            given,
            right,
            text
        })),
    ]
    .boxed()
}

/// Events in any order, without prose.
fn events() -> BoxedStrategy<Vec<Event>> {
    let what = prop_oneof![
        3 => socket(), 2 => call(), 2 => back(), 1 => working(), 3 => small(), 4 => cable(),
        1 => message(), 1 => peer().prop_map(What::Peer)
    ];
    here_or_live(what.boxed())
}

/// Events in any order, with prose.
fn all_events() -> BoxedStrategy<Vec<Event>> {
    let what = prop_oneof![
        2 => socket(), 2 => call(), 2 => back(), 1 => working(), 3 => small(), 4 => cable(),
        1 => message(), 1 => peer().prop_map(What::Peer), 2 => spoken()
    ];
    here_or_live(what.boxed())
}

/// The events of a lesson; or as many of a live run, with somebody there.
fn here_or_live(what: BoxedStrategy<What>) -> BoxedStrategy<Vec<Event>> {
    let live = class_of_bytes().swap_remove(0);
    (proptest::collection::vec(what, 0..24), any::<bool>(), maybe(peer()))
        .prop_map(move |(events, is_live, peer)| {
            let events = events.into_iter().enumerate().map(|(at, what)| Event { at: at as u64 * 700, what });
            let peer = peer.map(|peer| Event { at: 0, what: What::Peer(peer) });
            is_live.then(|| live.clone()).into_iter().chain(peer).chain(events).collect()
        })
        .boxed()
}

fn look() -> BoxedStrategy<Look> {
    let glyphs = prop_oneof![Just(Glyphs::Unicode), Just(Glyphs::Ascii)];
    let form = prop_oneof![Just(Form::Screen), Just(Form::Linear)];
    (40..=200usize, glyphs, form).prop_map(|(width, glyphs, form)| Look::new(width, glyphs, form)).boxed()
}

fn told(events: &[Event], look: Look) -> Vec<Line> {
    told_by(Narrator::new(look), events)
}

fn told_by(mut narrator: Narrator, events: &[Event]) -> Vec<Line> {
    let mut lines: Vec<Line> = events.iter().flat_map(|event| narrator.show(event)).collect();
    lines.extend(narrator.settle());
    lines
}

fn told_as(view: View, events: &[Event], look: Look) -> Vec<Line> {
    let mut teller = Renderer::new(look, view, Depth::Summary);
    let mut lines: Vec<Line> = events.iter().flat_map(|event| teller.show(event)).collect();
    lines.extend(teller.settle());
    lines
}

/// True where the terminal may wait for a key: what comes next begins something new.
fn is_a_pause(next: Option<&Event>) -> bool {
    !matches!(
        next.map(|event| &event.what),
        Some(
            What::Call(_)
                | What::Blocked(_)
                | What::Return(_)
                | What::Socket(_)
                | What::Working(_)
                | What::Upgrade(_)
                | What::Message(_)
                | What::Peer(_)
                | What::Frame(_)
                | What::Fate(_)
                | What::Wire(_)
                | What::Setting(_)
        )
    )
}

fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn nothing_that_steers_a_terminal_reaches_it(events in all_events(), look in look(), view in view()) {
        let text = paint(&told_as(view, &events, look), Palette::Plain);
        for c in text.chars().filter(|c| *c != '\n') {
            prop_assert!(!c.is_control(), "{c:?} in {text:?}");
            prop_assert!(!matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'), "{c:?}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_screen(
        events in events(), width in 40..=200usize, ascii: bool, view in view()
    ) {
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        for line in told_as(view, &events, Look::new(width, glyphs, Form::Screen)) {
            prop_assert!(line.width() <= width, "{} columns of {width}: {line}", line.width());
        }
    }

    #[test]
    fn what_is_followed_is_no_wider_either(events in events(), width in 40..=200usize, ascii: bool) {
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let look = Look::new(width, glyphs, Form::Screen);
        for line in told_by(Narrator::new(look).following("c1"), &events) {
            prop_assert!(line.width() <= width, "{} columns of {width}: {line}", line.width());
        }
    }

    #[test]
    fn the_quiet_table_keeps_to_its_rows_and_columns(
        peers in proptest::collection::vec(peer(), 0..40), look in look(), rows in 0..50usize
    ) {
        let lines = class(&look, &peers, rows);
        prop_assert!(lines.len() <= rows, "{} of {rows}", lines.len());
        if look.form() == Form::Screen {
            for line in &lines {
                prop_assert!(line.width() <= look.width(), "{} columns of {}: {line}", line.width(), look.width());
            }
        }
        let text = paint(&lines, Palette::Plain);
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }

    #[test]
    fn prose_is_wider_only_where_a_word_is(text in text(), look in look()) {
        for line in markdown(&look, &text) {
            let shown = line.to_string();
            let words = shown.trim_start_matches([' ', '│', '•', '-', '*', '|']).split(' ').count();
            let fits = line.width() <= look.width();
            prop_assert!(fits || words == 1 || code_in(&text), "{shown:?}");
        }
    }

    #[test]
    fn no_word_of_the_prose_is_lost(text in text(), width in 40..=200usize) {
        let look = Look::new(width, Glyphs::Unicode, Form::Screen);
        let mut wanted = String::new();
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            if let Md::Text(t) | Md::Code(t) | Md::Html(t) | Md::InlineHtml(t) = event {
                wanted.push_str(&escape(&t.replace(['\n', '\r', '\t'], " ")));
            }
        }
        let shown: String = markdown(&look, &text).iter().map(ToString::to_string).collect();
        let mut shown = letters(&shown).into_iter();
        let found = letters(&wanted).iter().all(|c| shown.any(|s| s == *c));
        prop_assert!(found || text.contains('|'), "{wanted:?}");
    }

    #[test]
    fn held_back_lines_may_be_asked_for_at_any_pause(
        events in all_events(), look in look(), asks: u32, view in view()
    ) {
        let whole = told_as(view, &events, look);
        let mut narrator = Renderer::new(look, view, Depth::Summary);
        let mut lines = Vec::new();
        for (at, event) in events.iter().enumerate() {
            lines.extend(narrator.show(event));
            if is_a_pause(events.get(at + 1)) && asks >> (at % 32) & 1 == 1 {
                lines.extend(narrator.settle());
                lines.extend(narrator.settle());
            }
        }
        lines.extend(narrator.settle());
        prop_assert_eq!(whole, lines);
    }

    #[test]
    fn colour_adds_nothing_but_colour(events in all_events(), look in look()) {
        let lines = told(&events, look);
        let mut plain = String::new();
        let coloured = paint(&lines, Palette::Colour);
        for (at, piece) in coloured.split('\x1b').enumerate() {
            plain.push_str(if at == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        prop_assert_eq!(plain, paint(&lines, Palette::Plain));
    }
}

fn code_in(markdown: &str) -> bool {
    Parser::new(markdown).any(|event| matches!(event, Md::Start(pulldown_cmark::Tag::CodeBlock(_))))
}

const VIEWS: [View; 3] = [View::Story, View::Ladder, View::States];

fn samples() -> [Vec<Event>; 11] {
    [
        listen_lesson(),
        blocked_accept(),
        close_lesson(),
        upgrade_lesson(),
        live_listen(),
        live_send(),
        live_troubles(),
        class_of_bytes(),
        class_of_messages(),
        cable_lesson(),
        many_frames(),
    ]
}

#[test]
fn ascii_is_ascii() {
    for (events, view) in samples().iter().flat_map(|events| VIEWS.map(|view| (events, view))) {
        for form in [Form::Screen, Form::Linear] {
            let text = paint(&told_as(view, events, Look::new(80, Glyphs::Ascii, form)), Palette::Plain);
            // Letters stay as they are: a message may be in any language.
            let odd = text.chars().find(|c| !c.is_ascii() && !c.is_alphabetic() && !"，。".contains(*c));
            assert_eq!(odd, None);
        }
    }
}

#[test]
fn aloud_there_are_no_drawings() {
    for (events, view) in samples().iter().flat_map(|events| VIEWS.map(|view| (events, view))) {
        let look = Look::new(80, Glyphs::Unicode, Form::Linear);
        let text = paint(&told_as(view, events, look), Palette::Plain);
        assert!(!text.contains(['→', '✓', '✗', '│', '─', '–', '•']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with(' ') || line.contains("   ")), "{text}");
    }
}

#[test]
fn there_are_never_two_blank_lines_nor_one_at_an_end() {
    for (events, view) in samples().iter().flat_map(|events| VIEWS.map(|view| (events, view))) {
        let lines = told_as(view, events, Look::new(80, Glyphs::Unicode, Form::Screen));
        assert!(lines.windows(2).all(|two| !two.iter().all(Line::is_blank)), "{view:?}");
        assert!(!lines[0].is_blank() && !lines[lines.len() - 1].is_blank());
    }
}

#[test]
fn the_letters_of_a_working_are_under_its_bytes() {
    let event = |working| [Event { at: 0, what: What::Working(working) }];
    let look = Look::new(80, Glyphs::Unicode, Form::Screen);
    let text = paint(&told(&event(masked_frame()), look), Palette::Plain);
    assert!(text.contains("81 85 37 fa 21 3d 5f 9f"), "{text}");
    assert!(text.contains("a  b  c  c  c  c  d  d\n"), "{text}");
    let text = paint(&told(&event(accept_key()), look), Palette::Plain);
    assert!(text.contains("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), "{text}");
}
