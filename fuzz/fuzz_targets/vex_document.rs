//! VEX documents of both formats.
#![no_main]

use barge_vuln::vex;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(statements) = vex::parse("fuzz", bytes) {
        assert!(statements.iter().all(|statement| !statement.ids.is_empty()));
    }
});
