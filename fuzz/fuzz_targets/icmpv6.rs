//! A message of ICMPv6.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::{fuzz, ip::protocol};

fuzz_target!(|data: &[u8]| fuzz::carried_by_ip(protocol::ICMPV6, data));
