//! Archives in archives: jars and wheels come to an end, whatever they announce.
#![no_main]

mod evidence;

use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &[
    "app/a-1.0.jar",
    "app/b.war",
    "usr/lib/python3/dist-packages/c-1.egg",
];

fuzz_target!(|data: &[u8]| {
    if let Some((name, content)) = evidence::choose(NAMES, data) {
        evidence::examine(name, content);
    }
});
