//! The names of ICMP's types and codes (RFC 792, 1122, 1812, 1191).

/// The name of a type.
pub(crate) fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "echo reply",
        3 => "destination unreachable",
        4 => "source quench",
        5 => "redirect",
        8 => "echo",
        9 => "router advertisement",
        10 => "router solicitation",
        11 => "time exceeded",
        12 => "parameter problem",
        13 => "timestamp",
        14 => "timestamp reply",
        15 => "information request",
        16 => "information reply",
        _ => return None,
    })
}

/// The name of a code of a type. `None` also for the only code of a type.
pub(crate) fn code_name(kind: u8, code: u8) -> Option<&'static str> {
    let names: &[&str] = match kind {
        3 => &[
            "network unreachable",
            "host unreachable",
            "protocol unreachable",
            "port unreachable",
            "fragmentation needed and DF set",
            "source route failed",
            "destination network unknown",
            "destination host unknown",
            "source host isolated",
            "communication with destination network administratively prohibited",
            "communication with destination host administratively prohibited",
            "network unreachable for type of service",
            "host unreachable for type of service",
            "communication administratively prohibited",
            "host precedence violation",
            "precedence cutoff in effect",
        ],
        5 => &[
            "redirect for the network",
            "redirect for the host",
            "redirect for the type of service and network",
            "redirect for the type of service and host",
        ],
        11 => &["time to live exceeded in transit", "fragment reassembly time exceeded"],
        12 => &["pointer indicates the error", "required option missing", "bad length"],
        _ => &[],
    };
    names.get(usize::from(code)).copied()
}
