//! The fields of Ethernet and of ARP.

use super::{Name, Protocol as P, name, varied};

pub(super) const NAMES: &[Name] = &[
    varied(
        P::Ethernet,
        "eth.dst",
        "Destination Address",
        "the card, or the cards, that are meant",
        "It stands first, so that a card can tell from the first six bytes whether a frame is for it.",
    ),
    varied(
        P::Ethernet,
        "eth.src",
        "Source Address",
        "the card that sends",
        "A switch learns from it behind which of its ports this card is.",
    ),
    varied(
        P::Ethernet,
        "eth.type",
        "EtherType",
        "the protocol of what follows; below 0x0600 a length",
        "One link carries many protocols. The receiver must know to which of them it hands the rest.",
    ),
    name(
        P::Ethernet,
        "eth.vlan.pcp",
        "PCP",
        "A switch with a full queue can then send first what can't wait.",
    ),
    name(P::Ethernet, "eth.vlan.dei", "DEI", "The sender knows better than a switch what may be missing."),
    name(
        P::Ethernet,
        "eth.vlan.vid",
        "VID",
        "Several networks share one cable, and frames of one of them do not reach the others.",
    ),
    varied(
        P::Trailer,
        "eth.trailer",
        "trailer",
        "bytes after the end of the packet",
        "Ethernet has a smallest frame, from the time when a sender had to be at it for as long as a collision may take to come \
         back. That is why IP has a length of its own.",
    ),
    name(
        P::Arp,
        "arp.hrd",
        "ar$hrd",
        "ARP was made for more than Ethernet: the kind of card decides how long its addresses are.",
    ),
    name(P::Arp, "arp.pro", "ar$pro", "ARP was made for more than IPv4. In practice it is always 0x0800."),
    name(
        P::Arp,
        "arp.hln",
        "ar$hln",
        "With the lengths in the packet a host can read it even where it does not know the kind of card.",
    ),
    name(
        P::Arp,
        "arp.pln",
        "ar$pln",
        "It goes with ar$hln: both lengths say where the four addresses begin.",
    ),
    varied(
        P::Arp,
        "arp.op",
        "ar$op",
        "a question, or an answer",
        "Question and answer have one form; this alone tells them apart.",
    ),
    name(
        P::Arp,
        "arp.sha",
        "ar$sha",
        "Who asks says where it is itself, so that the answer needs no second question. Nothing proves that it is true.",
    ),
    name(P::Arp, "arp.spa", "ar$spa", "With ar$sha it is a pair that whoever hears it may remember."),
    varied(
        P::Arp,
        "arp.tha",
        "ar$tha",
        "the card of whom is spoken to",
        "In a question it is what is not known: it is there only so that question and answer have one form.",
    ),
    varied(
        P::Arp,
        "arp.tpa",
        "ar$tpa",
        "the address of whom is spoken to",
        "The question goes to all cards of the link; only the one that has this address answers.",
    ),
];
