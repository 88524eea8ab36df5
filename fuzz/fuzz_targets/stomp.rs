//! STOMP frames, in every version and cut in two.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::fuzz;

fuzz_target!(|data: &[u8]| fuzz::stomp(data));
