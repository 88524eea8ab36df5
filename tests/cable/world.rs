//! Two hosts and their calls, as short as the cases need them.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sockwalk::{
    call::{self, Accept, Bind, Completed, Connect, Listen, NewSocket, Protocol, Recv, Request, Site},
    event::{Host, Value},
    stage::{Cable, CableEvent, CableEventKind, CableOptions, CallHandle, Fate, Frame, Stage},
};

/// Long enough for whatever is to happen.
pub const LONG: Duration = Duration::from_secs(20);

/// The port of the cases.
pub const PORT: u16 = 7000;

/// A stage, or the loud end of the case.
pub fn stage(options: CableOptions) -> Stage {
    match Stage::cable(options) {
        Ok(stage) => stage,
        Err(why) => panic!("THE CABLE CAN'T BE HAD HERE: {why}. {}", why.remedy),
    }
}

/// The cable of a stage.
pub fn wire(stage: &Stage) -> &Cable {
    stage.link().expect("a cable stage has one")
}

/// Starts a call on a host.
pub fn start(stage: &Stage, host: Host, request: Request, on: &str, result: &str) -> CallHandle {
    let (on, result) = (on.to_owned(), result.to_owned());
    let job = move |desk: &call::SocketTable| {
        let held = desk.find(&on);
        request.perform(&Site { table: desk, on: held.as_deref(), result: Some(&result) })
    };
    stage.start(host, Box::new(job))
}

/// Makes a call on a host, and waits for it.
pub fn call(stage: &Stage, host: Host, request: Request, on: &str, result: &str) -> io::Result<Value> {
    finish(&start(stage, host, request, on, result)).outcome
}

/// What a call came to.
pub fn finish(ticket: &CallHandle) -> Completed {
    ticket.wait(LONG).unwrap().expect("the call returns")
}

/// The server listens as `l`, and the client has a socket `c`.
pub fn listening(stage: &Stage, protocol: Protocol) -> SocketAddr {
    let address = SocketAddr::new(stage.address(Host::Server, protocol.is_v6()), PORT);
    call(stage, Host::Server, Request::NewSocket(NewSocket { protocol }), "", "l").unwrap();
    call(stage, Host::Server, Request::Bind(Bind { address }), "l", "").unwrap();
    call(stage, Host::Server, Request::Listen(Listen { backlog: 4 }), "l", "").unwrap();
    call(stage, Host::Client, Request::NewSocket(NewSocket { protocol }), "", "c").unwrap();
    address
}

/// The client's `c` is connected to the server's `s`.
pub fn connected(stage: &Stage, protocol: Protocol) {
    let address = listening(stage, protocol);
    call(stage, Host::Client, Request::Connect(Connect { address }), "c", "").unwrap();
    call(stage, Host::Server, Request::Accept(Accept), "l", "s").unwrap();
}

pub fn send(stage: &Stage, host: Host, socket: &str, bytes: &[u8]) {
    let sent =
        call(stage, host, Request::Send(call::Send { bytes: bytes.to_vec(), flags: vec![] }), socket, "")
            .unwrap();
    assert_eq!(sent, Value::Count(bytes.len()));
}

pub fn recv(stage: &Stage, host: Host, socket: &str) -> Vec<u8> {
    match call(stage, host, Request::Recv(Recv { size: 65_536, flags: vec![] }), socket, "").unwrap() {
        Value::Data(bytes) => bytes,
        other => panic!("recv gave {other:?}"),
    }
}

/// `hello` there and `world` back.
pub fn echo(stage: &Stage) {
    send(stage, Host::Client, "c", b"hello");
    assert_eq!(recv(stage, Host::Server, "s"), b"hello");
    send(stage, Host::Server, "s", b"world");
    assert_eq!(recv(stage, Host::Client, "c"), b"world");
}

/// The state of a socket; of the other end of the client's `c` it is `~c`.
pub fn state(stage: &Stage, host: Host, name: &str) -> Option<&'static str> {
    let (name, other_end) = name.strip_prefix('~').map_or((name, false), |name| (name, true));
    let seen = stage.observe();
    let one =
        seen.iter().find(|one| one.host == host && one.entry.name == name && one.other_end == other_end)?;
    one.socket.as_ref()?.state
}

/// Waits until that is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < LONG, "it never came to be that {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Takes what happens until that has happened; gives all of it.
pub fn take_until(cable: &Cable, so: impl Fn(&[CableEvent]) -> bool) -> Vec<CableEvent> {
    let (mut all, began) = (cable.take_events(), Instant::now());
    while !so(&all) {
        assert!(began.elapsed() < LONG, "it never happened: {all:#?}");
        cable.wait_for_event(Duration::from_millis(100));
        all.extend(cable.take_events());
    }
    all
}

/// The frames among what happened.
pub fn seen(happenings: &[CableEvent]) -> Vec<Arc<Frame>> {
    happenings
        .iter()
        .filter_map(|one| {
            if let CableEventKind::Sent { frame } = &one.kind { Some(Arc::clone(frame)) } else { None }
        })
        .collect()
}

/// What became of a frame, in order.
pub fn fates(happenings: &[CableEvent], number: u64) -> Vec<Fate> {
    happenings
        .iter()
        .filter_map(|one| match one.kind {
            CableEventKind::Fate { frame, fate } if frame == number => Some(fate),
            _ => None,
        })
        .collect()
}

/// The TCP flags of a frame, `SYN` = 2 and so on, and its payload; `None` if it is not TCP over IPv4.
pub fn tcp(frame: &Frame) -> Option<(u8, &[u8])> {
    let (header, length) = ipv4(frame)?;
    if frame.bytes[14 + 9] != 6 {
        return None;
    }
    let segment = &frame.bytes[14 + header..14 + length];
    Some((segment[13] & 0x3f, &segment[usize::from(segment[12] >> 4) * 4..]))
}

/// Length of header and packet.
pub fn ipv4(frame: &Frame) -> Option<(usize, usize)> {
    if frame.bytes[12..14] != [0x08, 0x00] {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
    Some((usize::from(frame.bytes[14] & 15) * 4, length))
}

pub const SYN: u8 = 0x02;
pub const SYN_ACK: u8 = 0x12;
