//! What can be done to frames, and what the kernels make of it.

use std::{
    thread,
    time::{Duration, Instant},
};

use sockwalk::{
    call::{Connect, Protocol, Request},
    event::Host,
    stage::{CableError, CableOptions, Fate, FrameSelector},
};

use super::{harness::Case, world::*};

pub const CASES: &[Case] = &[
    ("tampering::a_held_syn_shows_syn_sent_and_each_delivery_moves_the_handshake_on", held_handshake),
    ("tampering::a_dropped_syn_is_sent_again_after_a_second", dropped_syn),
    ("tampering::a_duplicate_crosses_twice_and_is_read_once", duplicate),
    ("tampering::a_corrupted_segment_is_not_received_and_its_retransmission_is", corrupted),
    ("tampering::a_cut_cable_loses_frames_and_a_mended_one_lets_them_be_sent_again", cut_and_mended),
    ("tampering::mending_lets_what_is_held_cross_in_order", mended),
    ("tampering::a_delay_is_in_each_direction", delayed),
    ("tampering::reordered_segments_are_put_in_order_by_tcp", reordered),
    ("tampering::what_is_not_held_cannot_be_delivered", not_held),
    ("tampering::the_cable_is_quiet_only_when_nothing_is_on_its_way", quiet),
];

fn held_handshake() {
    let stage = stage(CableOptions::default());
    let (cable, address) = (wire(&stage), listening(&stage, Protocol::Tcp));
    cable.hold();
    let connect = start(&stage, Host::Client, Request::Connect(Connect { address }), "c", "");
    let held = cable.wait_for_held(&FrameSelector::Oldest(1), LONG).unwrap();
    assert_eq!(tcp(&held[0]).unwrap().0, SYN);
    assert_eq!(state(&stage, Host::Client, "c"), Some("SYN_SENT"));
    assert_eq!(state(&stage, Host::Server, "l"), Some("LISTEN"));
    assert_eq!(state(&stage, Host::Server, "~c"), None);

    assert_eq!(cable.deliver(&FrameSelector::number(held[0].number)), Ok(vec![held[0].number]));
    let held = cable.wait_for_held(&FrameSelector::from(Host::Server), LONG).unwrap();
    assert_eq!(tcp(&held[0]).unwrap().0, SYN_ACK);
    assert_eq!(state(&stage, Host::Client, "c"), Some("SYN_SENT"));
    assert_eq!(state(&stage, Host::Server, "~c"), Some("SYN_RECV"));

    cable.deliver(&FrameSelector::from(Host::Server)).unwrap();
    finish(&connect).outcome.unwrap();
    assert_eq!(state(&stage, Host::Client, "c"), Some("ESTABLISHED"));
    assert_eq!(state(&stage, Host::Server, "~c"), Some("SYN_RECV"));
    let ack =
        || FrameSelector::Matching(Box::new(|frame| tcp(frame).is_some_and(|(flags, _)| flags == 0x10)));
    cable.wait_for_held(&ack(), LONG).unwrap();
    cable.deliver(&ack()).unwrap();
    until("the server's end is established", || state(&stage, Host::Server, "~c") == Some("ESTABLISHED"));
}

fn dropped_syn() {
    let stage = stage(CableOptions::default());
    let (cable, address) = (wire(&stage), listening(&stage, Protocol::Tcp));
    cable.hold();
    let connect = start(&stage, Host::Client, Request::Connect(Connect { address }), "c", "");
    cable.wait_for_held(&FrameSelector::All, LONG).unwrap();
    let first = cable.drop(&FrameSelector::Oldest(1)).unwrap();
    assert_eq!(first, [1]);
    cable.wait_for_held(&FrameSelector::All, LONG).unwrap();
    cable.mend();
    finish(&connect).outcome.unwrap();
    let happenings = cable.take_events();
    assert_eq!(fates(&happenings, 1), [Fate::Held, Fate::Dropped]);
    let syns: Vec<Instant> = happenings
        .iter()
        .filter(
            |one| matches!(&one.kind, sockwalk::stage::CableEventKind::Sent { frame } if tcp(frame).unwrap().0 == SYN),
        )
        .map(|one| one.at)
        .collect();
    let between = syns[1] - syns[0];
    println!("  the SYN came again after {between:.3?}");
    assert!((Duration::from_millis(900)..Duration::from_millis(1900)).contains(&between));
}

fn duplicate() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    cable.hold();
    send(&stage, Host::Client, "c", b"once");
    let held = cable.wait_for_held(&FrameSelector::from(Host::Client), LONG).unwrap();
    assert_eq!(cable.duplicate(&FrameSelector::from(Host::Client)), Ok(vec![held[0].number]));
    // TCP answers what it has already with an ACK at once (RFC 9293 §3.10.7.4), beside the one for the bytes.
    cable.wait_for_held(&FrameSelector::from(Host::Server), LONG).unwrap();
    assert_eq!(recv(&stage, Host::Server, "s"), b"once");
    assert_eq!(fates(&cable.take_events(), held[0].number), [Fate::Held, Fate::Duplicated]);
    cable.mend();
    echo(&stage);
}

fn corrupted() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    cable.hold();
    send(&stage, Host::Client, "c", b"hello");
    let first = cable.wait_for_held(&FrameSelector::from(Host::Client), LONG).unwrap().remove(0);
    cable.corrupt(&FrameSelector::from(Host::Client)).unwrap();
    assert!(matches!(fates(&cable.take_events(), first.number)[..], [Fate::Held, Fate::Corrupted { .. }]));
    // The next frame is the same bytes again, and no ACK: they did not count as received.
    let again = cable.wait_for_held(&FrameSelector::All, LONG).unwrap().remove(0);
    assert_eq!((again.from, tcp(&again).unwrap().1), (Host::Client, &b"hello"[..]));
    let waiting = stage
        .observe()
        .iter()
        .find(|one| one.entry.name == "s")
        .and_then(|one| one.socket.as_ref()?.recv_queue);
    assert_eq!(waiting, Some(0));
    cable.mend();
    assert_eq!(recv(&stage, Host::Server, "s"), b"hello");
}

fn cut_and_mended() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    cable.take_events();
    cable.cut();
    send(&stage, Host::Client, "c", b"hello");
    let lost = take_until(cable, |all| !seen(all).is_empty());
    assert_eq!(fates(&lost, seen(&lost)[0].number), [Fate::Lost]);
    cable.mend();
    assert_eq!(recv(&stage, Host::Server, "s"), b"hello");
    echo(&stage);
}

fn mended() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    cable.hold();
    send(&stage, Host::Client, "c", b"one");
    send(&stage, Host::Client, "c", b"two");
    let held = cable.wait_for_held(&FrameSelector::Oldest(2), LONG).unwrap();
    assert_eq!(cable.mend()[..2], [held[0].number, held[1].number]);
    assert!(cable.held().is_empty());
    echo_after(&stage, b"onetwo");
}

fn echo_after(stage: &sockwalk::stage::Stage, first: &[u8]) {
    let mut received = Vec::new();
    while received.len() < first.len() {
        received.extend(recv(stage, Host::Server, "s"));
    }
    assert_eq!(received, first);
    echo(stage);
}

fn delayed() {
    const EACH_WAY: Duration = Duration::from_millis(50);
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    wire(&stage).delay(EACH_WAY);
    let began = Instant::now();
    echo(&stage);
    let took = began.elapsed();
    println!("  there and back took {took:.1?}");
    assert!(took >= EACH_WAY * 2 && took < EACH_WAY * 4, "{took:?}");
    let happenings = wire(&stage).take_events();
    let hello = seen(&happenings).into_iter().find(|frame| tcp(frame).unwrap().1 == b"hello").unwrap();
    assert_eq!(fates(&happenings, hello.number), [Fate::Delayed(EACH_WAY), Fate::Delivered]);
}

fn reordered() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    cable.hold();
    for piece in [b"a", b"b", b"c"] {
        send(&stage, Host::Client, "c", piece);
    }
    let held = cable.wait_for_held(&FrameSelector::Oldest(3), LONG).unwrap();
    let crossed = cable.reorder().unwrap();
    assert_eq!(crossed[..3], [held[2].number, held[1].number, held[0].number]);
    cable.mend();
    echo_after(&stage, b"abc");
}

fn not_held() {
    let stage = stage(CableOptions::default());
    let cable = wire(&stage);
    cable.hold();
    assert_eq!(cable.deliver(&FrameSelector::All), Err(CableError::NotHeld { held: 0 }));
    assert_eq!(cable.reorder(), Err(CableError::NotHeld { held: 0 }));
    let began = Instant::now();
    let wait = Duration::from_millis(50);
    assert_eq!(cable.wait_for_held(&FrameSelector::All, wait).unwrap_err(), CableError::NotHeld { held: 0 });
    assert!(began.elapsed() >= wait);
    let left = cable.clone();
    drop(stage);
    assert_eq!(left.deliver(&FrameSelector::All), Err(CableError::Closed));
    assert!(left.is_quiet());
}

fn quiet() {
    let stage = stage(CableOptions::default());
    connected(&stage, Protocol::Tcp);
    let cable = wire(&stage);
    until("the handshake is over", || cable.is_quiet());
    cable.delay(Duration::from_millis(100));
    let began = Instant::now();
    send(&stage, Host::Client, "c", b"hello");
    // From its sending to its arrival the frame is somewhere, and the cable never says that it is quiet.
    let mut looks = 0;
    while began.elapsed() < Duration::from_millis(90) {
        assert!(!cable.is_quiet(), "after {:?} and {looks} looks", began.elapsed());
        looks += 1;
        thread::yield_now();
    }
    assert_eq!(recv(&stage, Host::Server, "s"), b"hello");
}
