//! Frames and messages of SockJS, bare and in the body of each transport.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::fuzz;

fuzz_target!(|data: &[u8]| fuzz::sockjs(data));
