//! A whole frame of the link.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::fuzz;

fuzz_target!(|data: &[u8]| fuzz::frame(data));
