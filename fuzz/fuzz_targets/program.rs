//! ELF, PE and Mach-O programs with what compilers leave in them.
#![no_main]

mod evidence;

use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &["usr/bin/program"];

fuzz_target!(|data: &[u8]| {
    if let Some((name, content)) = evidence::choose(NAMES, data) {
        evidence::examine(name, content);
    }
});
