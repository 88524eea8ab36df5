//! A run as a capture: pcapng, which Wireshark and tshark open.
//!
//! Every lesson is a section with two interfaces, the client's end of the cable and the server's. A frame
//! stands on its sender's interface when it came to the cable, and on the receiver's when it was delivered. A
//! packet's comment is what the narration says of it, and that ends with what became of it: so both packets
//! are written when that is known, at the latest with the lesson's end. Packets are in the order of time, but
//! for one: a frame that was held while others overtook it comes late, with the time at which it was sent.

use std::collections::BTreeMap;

use super::{
    escape::escape,
    passage::{Passage, Passages},
    stream::TapCapture,
};
use crate::{
    event::{Event, Host, Lesson, What},
    wire::pcapng::{Direction, EnhancedPacket, Interface, SectionHeader},
};

/// A comment has no more characters than this: an option holds 65,535 bytes.
const LONGEST: usize = 4_000;

/// Makes a capture of the events of a run, piece by piece.
///
/// The same events give the same bytes, live or replayed.
#[derive(Default)]
pub struct Capture {
    section: Option<Section>,
    /// Of a tap, which has no frames.
    tap: Option<TapCapture>,
}

/// A lesson's part of the file.
struct Section {
    /// Whole blocks that were not handed out yet.
    blocks: Vec<u8>,
    passages: Passages,
    /// Packets that wait for others that came before them: by time, frame, and which one of that frame's.
    ready: BTreeMap<(u64, u64, usize), Packet>,
    /// Nanoseconds from 1970 to the beginning of the lesson.
    started: u64,
}

struct Packet {
    interface: Host,
    direction: Direction,
    bytes: Vec<u8>,
    comment: String,
}

impl Capture {
    /// Takes the next event, and gives what it adds to the file: whole blocks, or nothing.
    pub fn take(&mut self, event: &Event) -> Vec<u8> {
        if let What::Run(run) = &event.what {
            self.tap = Some(TapCapture::new(run));
        }
        if let Some(tap) = &mut self.tap {
            return tap.take(event);
        }
        let mut bytes = Vec::new();
        if let What::Lesson(lesson) = &event.what {
            bytes = self.finish();
            self.section = Some(Section::new(lesson));
        }
        let Some(section) = &mut self.section else { return bytes };
        if let Some(passage) = section.passages.take(event) {
            section.queue(passage);
        }
        if let What::End(_) = event.what {
            section.end();
        }
        let before = section.passages.oldest_on_its_way();
        section.write_before(before);
        bytes.append(&mut section.blocks);
        bytes
    }

    /// What is left to be written when no more events come.
    pub fn finish(&mut self) -> Vec<u8> {
        let Some(mut section) = self.section.take() else { return Vec::new() };
        section.end();
        section.write_before(None);
        section.blocks
    }
}

impl Section {
    fn new(lesson: &Lesson) -> Section {
        Section {
            blocks: header(lesson),
            passages: Passages::default(),
            ready: BTreeMap::new(),
            started: lesson.started.unwrap_or(0),
        }
    }

    /// Nothing more will become of any frame.
    fn end(&mut self) {
        for passage in self.passages.end() {
            self.queue(passage);
        }
    }

    fn queue(&mut self, passage: Passage) {
        let comment: String = escape(&passage.words()).chars().take(LONGEST).collect();
        let arrivals = passage.arrivals();
        let (number, from) = (passage.number, passage.from);
        let sent = (passage.ns, passage.bytes, from, Direction::Outbound);
        let came = arrivals.into_iter().map(|(ns, bytes)| (ns, bytes, from.other(), Direction::Inbound));
        for (nth, (ns, bytes, interface, direction)) in std::iter::once(sent).chain(came).enumerate() {
            let packet = Packet { interface, direction, bytes, comment: comment.clone() };
            self.ready.insert((ns, number, nth), packet);
        }
    }

    /// Writes the packets of before this time; all of them if there is none.
    fn write_before(&mut self, time: Option<u64>) {
        while let Some(first) = self.ready.first_entry() {
            let (ns, ..) = *first.key();
            if time.is_some_and(|time| ns >= time) {
                break;
            }
            let packet = first.remove();
            let packet = EnhancedPacket {
                interface: u32::from(packet.interface == Host::Server),
                time: self.started.saturating_add(ns),
                bytes: &packet.bytes,
                comment: Some(&packet.comment),
                direction: Some(packet.direction),
            };
            packet.encode(&mut self.blocks);
        }
    }
}

/// What a section begins with: who wrote it, about which lesson, and the two interfaces.
fn header(lesson: &Lesson) -> Vec<u8> {
    let text = |text: &str| escape(text).chars().take(LONGEST).collect::<String>();
    let section = SectionHeader {
        comment: &text(&format!("lesson {}: {}", lesson.name, lesson.title)),
        system: &text(&lesson.system),
        application: &text(&format!("sockwalk {}", lesson.sockwalk)),
    };
    let mut blocks = Vec::new();
    section.encode(&mut blocks);
    for host in Host::ALL {
        Interface::ethernet().encode(host.name(), &format!("the {host}'s end of the cable"), &mut blocks);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Became, Cause, End, FORMAT, Fate, Frame},
        wire::pcapng::{ENHANCED_PACKET, INTERFACE_DESCRIPTION, SECTION_HEADER, tests},
    };

    const INBOUND: u32 = 1;
    const OUTBOUND: u32 = 2;

    fn begins(started: Option<u64>) -> What {
        What::Lesson(Lesson {
            format: FORMAT,
            sockwalk: "1.2.3".into(),
            system: "linux".into(),
            name: "hand\x1b".into(),
            title: "a test".into(),
            language: "en".into(),
            stage: "cable".into(),
            started,
            parts: 1,
            steps: 1,
            sources: Vec::new(),
        })
    }

    fn frame(number: u64, ns: u64) -> What {
        let from = if number % 2 == 1 { Host::Client } else { Host::Server };
        let bytes = vec![u8::try_from(number).unwrap(), 0xff];
        What::Frame(Frame { number, from, ns, bytes, cause: Cause::Unknown, call: None, again: None })
    }

    fn fate(frame: u64, ns: u64, fate: Became) -> What {
        let bit = (fate == Became::Corrupted).then_some(15);
        What::Fate(Fate { frame, ns, fate, delay_us: None, bit })
    }

    fn captured(events: impl IntoIterator<Item = What>) -> Vec<u8> {
        let mut capture = Capture::default();
        let events = events.into_iter().map(|what| Event { at: 0, what });
        let mut bytes: Vec<u8> = events.flat_map(|event| capture.take(&event)).collect();
        bytes.extend(capture.finish());
        bytes
    }

    /// Interface, time, bytes, direction and comment of each packet.
    fn packets(bytes: &[u8]) -> Vec<(u32, u64, Vec<u8>, u32, String)> {
        let blocks = tests::blocks(bytes).into_iter().filter(|(kind, _)| *kind == ENHANCED_PACKET);
        blocks
            .map(|(_, body)| {
                let (header, data, options) = tests::packet(&body);
                let [(1, comment), (2, flags)] = options.as_slice() else { panic!("{options:?}") };
                let flags = u32::from_le_bytes(flags[..].try_into().unwrap());
                let comment = String::from_utf8(comment.clone()).unwrap();
                (header.interface, header.time, data, flags, comment)
            })
            .collect()
    }

    #[test]
    fn a_frame_is_sent_by_one_and_comes_to_the_other() {
        let bytes = captured([begins(Some(1_000)), frame(1, 5), fate(1, 7, Became::Delivered)]);
        let found = packets(&bytes);
        let story = "#1 Ethernet: cut off after 2 bytes · it is not known why · delivered".to_owned();
        assert_eq!(
            found,
            [(0, 1_005, vec![1, 0xff], OUTBOUND, story.clone()), (1, 1_007, vec![1, 0xff], INBOUND, story)]
        );
    }

    #[test]
    fn what_is_dropped_never_comes_and_what_is_duplicated_comes_twice() {
        let bytes = captured([
            begins(None),
            frame(1, 1),
            fate(1, 2, Became::Dropped),
            frame(2, 3),
            fate(2, 4, Became::Duplicated),
            frame(3, 5),
            fate(3, 6, Became::Corrupted),
            frame(4, 7),
            fate(4, 7, Became::Held),
        ]);
        let found: Vec<_> =
            packets(&bytes).into_iter().map(|(on, at, bytes, ..)| (on, at, bytes[0], bytes[1])).collect();
        let expected = [
            (0, 1, 1, 0xff),
            (1, 3, 2, 0xff),
            (0, 4, 2, 0xff),
            (0, 4, 2, 0xff),
            (0, 5, 3, 0xff),
            (1, 6, 3, 0xfe),
            (1, 7, 4, 0xff),
        ];
        assert_eq!(found, expected);
        assert!(packets(&bytes)[6].4.ends_with("held to the end"));
    }

    #[test]
    fn packets_are_in_order_and_a_held_frame_holds_no_other_up() {
        let times = |events: Vec<What>| {
            let found = packets(&captured(std::iter::once(begins(None)).chain(events)));
            found.into_iter().map(|(_, at, bytes, ..)| (at, bytes[0])).collect::<Vec<_>>()
        };
        // Both are on their way at once.
        let crossing =
            vec![frame(1, 1), frame(2, 2), fate(1, 3, Became::Delivered), fate(2, 4, Became::Delivered)];
        assert_eq!(times(crossing), [(1, 1), (2, 2), (3, 1), (4, 2)]);
        let overtaken = vec![
            frame(1, 1),
            fate(1, 1, Became::Held),
            frame(2, 2),
            fate(2, 3, Became::Delivered),
            fate(1, 9, Became::Delivered),
        ];
        assert_eq!(times(overtaken), [(2, 2), (3, 2), (1, 1), (9, 1)]);
    }

    #[test]
    fn every_lesson_is_a_section() {
        let events = [begins(Some(7)), frame(1, 1), What::End(End::default()), begins(Some(9)), frame(1, 1)];
        let bytes = captured(events);
        let blocks = tests::blocks(&bytes);
        assert!(String::from_utf8_lossy(&blocks[0].1).contains(r"lesson hand\x1b: a test"));
        let blocks = blocks.into_iter().map(|(kind, _)| match kind {
            SECTION_HEADER => 's',
            INTERFACE_DESCRIPTION => 'i',
            ENHANCED_PACKET => 'p',
            other => panic!("{other}"),
        });
        assert_eq!(blocks.collect::<String>(), "siipsiip");
    }
}
