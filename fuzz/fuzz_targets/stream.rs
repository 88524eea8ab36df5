//! What a stream carries: HTTP heads and WebSocket frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::fuzz;

fuzz_target!(|data: &[u8]| fuzz::stream(data));
