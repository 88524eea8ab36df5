//! What a host on the cable is: a network, descriptors, rights and settings of its own.

use std::fs;

use sockwalk::{
    call::{Bind, Close, Connect, Listen, NewSocket, Protocol, Request, Site},
    event::{Host, Value},
    stage::{CableOptions, FrameSelector, Timers},
};

use super::{harness::Case, world::*};

pub const CASES: &[Case] = &[
    ("hosts::each_has_descriptors_that_begin_at_3", descriptors),
    ("hosts::each_has_a_loopback_of_its_own", loopback),
    ("hosts::port_80_needs_rights_that_they_do_not_have", privileged),
    ("hosts::raw_sockets_take_a_right_that_an_option_leaves", raw),
    ("hosts::a_setting_is_one_hosts_alone", settings),
    ("hosts::timers_can_be_stretched", stretched),
];

fn descriptors() {
    let stage = stage(CableOptions::default());
    for host in Host::ALL {
        for (name, fd) in [("a", 3), ("b", 4)] {
            match call(&stage, host, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), "", name)
                .unwrap()
            {
                Value::Socket { fd: got, .. } => assert_eq!(got, fd),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn loopback() {
    let stage = stage(CableOptions::default());
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], PORT));
    for host in Host::ALL {
        call(&stage, host, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), "", "l").unwrap();
        call(&stage, host, Request::Bind(Bind { address }), "l", "").unwrap();
        call(&stage, host, Request::Listen(Listen { backlog: 1 }), "l", "").unwrap();
        call(&stage, host, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), "", "x").unwrap();
        call(&stage, host, Request::Connect(Connect { address }), "x", "").unwrap();
    }
    assert!(wire(&stage).take_events().is_empty(), "nothing of it is on the cable");
}

fn privileged() {
    let stage = stage(CableOptions::default());
    assert!(stage.is("privileged-ports"));
    let address = (stage.address(Host::Server, false), 80).into();
    call(&stage, Host::Server, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), "", "l").unwrap();
    let refused = call(&stage, Host::Server, Request::Bind(Bind { address }), "l", "").unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EACCES));
    stage.set_sysctl(Host::Server, "net.ipv4.ip_unprivileged_port_start", "0").unwrap();
    assert!(!stage.is("privileged-ports"));
    call(&stage, Host::Server, Request::Bind(Bind { address }), "l", "").unwrap();
}

fn raw() {
    for raw_sockets in [false, true] {
        let stage = stage(CableOptions { raw_sockets, ..CableOptions::default() });
        let job = move |desk: &sockwalk::call::SocketTable| {
            let raw = socket2::Socket::new(
                socket2::Domain::IPV4,
                socket2::Type::RAW,
                Some(socket2::Protocol::ICMPV4),
            );
            assert_eq!(raw.is_ok(), raw_sockets);
            let rights = fs::read_to_string("/proc/thread-self/status").unwrap();
            let effective = rights.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
            assert_eq!(u64::from_str_radix(effective, 16).unwrap(), if raw_sockets { 1 << 13 } else { 0 });
            Request::NewSocket(NewSocket { protocol: Protocol::Tcp }).perform(&Site {
                table: desk,
                on: None,
                result: Some("s"),
            })
        };
        finish(&stage.start(Host::Client, Box::new(job))).outcome.unwrap();
    }
}

fn settings() {
    let stage = stage(CableOptions::default());
    let name = "net.ipv4.tcp_syn_retries";
    let before = stage.sysctl(Host::Server, name).unwrap();
    let set = stage.set_sysctl(Host::Client, name, "2").unwrap();
    assert_eq!((set.failed, set.before.as_deref(), set.value.as_str()), (None, Some(before.as_str()), "2"));
    assert_eq!(stage.sysctl(Host::Client, name).unwrap(), "2");
    assert_eq!(stage.sysctl(Host::Server, name).unwrap(), before);
    assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/tcp_syn_retries").unwrap().trim(), before);
    assert!(stage.set_sysctl(Host::Client, "kernel.hostname", "x").unwrap().failed.is_some());
    assert!(stage.set_sysctl(Host::Client, name, "no number").unwrap().failed.is_some());
    assert_eq!(stage.settings().len(), 3);
    // And it is in force: with one retry a connect to nobody gives up after 1 + 2 seconds.
    stage.set_sysctl(Host::Client, name, "1").unwrap();
    wire(&stage).cut();
    let address = (stage.address(Host::Server, false), PORT).into();
    call(&stage, Host::Client, Request::NewSocket(NewSocket { protocol: Protocol::Tcp }), "", "c").unwrap();
    stage.set_sysctl(Host::Client, "net.ipv4.tcp_syn_linear_timeouts", "0").unwrap();
    let failed = call(&stage, Host::Client, Request::Connect(Connect { address }), "c", "").unwrap_err();
    assert_eq!(failed.raw_os_error(), Some(libc::ETIMEDOUT));
}

fn stretched() {
    let stage = stage(CableOptions { timers: Timers::Stretched, ..CableOptions::default() });
    let settings = stage.settings();
    assert_eq!(settings.len(), 10);
    for setting in &settings {
        assert_eq!(setting.failed, None, "{setting:?}");
        assert_eq!(stage.sysctl(setting.host, &setting.name).unwrap(), setting.value);
    }
    // What is closed while the cable is held does not outlive the stage, see the case about namespaces.
    connected(&stage, Protocol::Tcp);
    wire(&stage).hold();
    assert_eq!(state(&stage, Host::Client, "c"), Some("ESTABLISHED"));
    call(&stage, Host::Client, Request::Close(Close), "c", "").unwrap();
    wire(&stage).wait_for_held(&FrameSelector::from(Host::Client), LONG).unwrap();
    assert_eq!(state(&stage, Host::Client, "c"), Some("FIN_WAIT1"));
}
