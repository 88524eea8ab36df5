//! Raw IP: an echo of ICMP, made by hand, in a datagram to which the kernel adds no more than the header of
//! IP.

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        script::{Cannot, Lines, Script, Sending},
    },
    wire::{
        LayerBytes, Protocol,
        frame::{Context, dissect_as},
        icmp::{Message, kind::ECHO},
    },
};

/// The longest message over IPv4: 65,535 bytes less the headers of IP and ICMP.
const LONGEST: usize = 65_507;

/// The identifier of our echoes: who asks tells its own answers by it.
const IDENTIFIER: u16 = 0x7000;

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "ICMP",
    about: "an echo by hand over a raw socket: IP, and no port of any program",
    why: "IP loses datagrams without a word. What is said about them, errors and echoes, goes beside the data, and belongs to no program's port.",
    over: &["IP", "ICMP"],
    lesson: "raw-ip",
    sources: &["RFC 792", "raw(7)"],
    script,
    layers: |bytes, _| layers(bytes),
};

fn script(it: &Sending) -> Result<Script, Cannot> {
    if let Some(message) = it.messages.iter().find(|message| message.len() > LONGEST) {
        return Err(Cannot(format!("an echo takes {LONGEST} bytes at most, and this has {}", message.len())));
    }
    let (from, to) = (it.from, it.from.other());
    let mut lines = Lines::default();
    for host in Host::ALL {
        let other = host.other();
        let name = socket(host);
        lines
            .say(format!("{host}$ {name} = socket raw-icmp"))
            .say(format!("{host}$ connect {name} {other}:0"));
    }
    let open = lines.done();
    for (sequence, message) in it.messages.iter().enumerate() {
        let echo = lesson::escaped(&echo(sequence, message));
        lines.say(format!("{from}$ send {} {echo}", socket(from)));
        lines.say(format!("{to}$ recv {} 65535", socket(to)));
        // The answer is the kernel's: nobody there has to do anything for it.
        lines.say(format!("{from}$ recv {} 65535", socket(from)));
    }
    let talk = lines.done();
    let news = lesson::escaped(&echo(it.messages.len(), it.first()));
    Ok(Script {
        open,
        talk,
        listen: vec!["client$ n = recv c 65535 &".to_owned()],
        news: vec![format!("server$ send s {news}"), "client$ wait n => ok".to_owned()],
        close: vec!["client$ close c".to_owned(), "server$ close s".to_owned()],
        raw: true,
        ..Script::default()
    })
}

fn socket(host: Host) -> &'static str {
    match host {
        Host::Client => "c",
        Host::Server => "s",
    }
}

/// An echo request, with its checksum.
fn echo(sequence: usize, message: &[u8]) -> Vec<u8> {
    let sequence = u16::try_from(sequence % 0x1_0000).unwrap_or_default();
    Message::echo(ECHO, IDENTIFIER, sequence, message).encode()
}

/// The header of IP, which a raw socket is given too, and the message of ICMP.
fn layers(bytes: &[u8]) -> Vec<LayerBytes> {
    let dissection = dissect_as(Protocol::Ipv4, bytes, Context::default());
    let mut layers = Vec::new();
    for layer in &dissection.layers {
        let start = layer.bytes.start;
        let fields = dissection.fields_of(layer).iter().cloned().map(|mut field| {
            field.bits = field.bits.start - start * 8..field.bits.end - start * 8;
            field
        });
        layers.push(LayerBytes {
            protocol: layer.protocol.name(),
            bytes: bytes[layer.bytes.clone()].to_vec(),
            fields: fields.collect(),
        });
    }
    let message = dissection.layer(Protocol::Icmp).and_then(|icmp| bytes.get(icmp.bytes.start + 8..));
    layers.extend(message.map(LayerBytes::message));
    layers
}
