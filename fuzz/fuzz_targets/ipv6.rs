//! An IPv6 datagram.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::{ethernet::ether_type, fuzz};

fuzz_target!(|data: &[u8]| fuzz::carried(ether_type::IPV6, data));
