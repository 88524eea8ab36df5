//! What is parsed is put together again as the same bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockwalk::wire::fuzz;

fuzz_target!(|data: &[u8]| fuzz::headers(data));
