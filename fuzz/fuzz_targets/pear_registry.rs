//! What PHP serialises.
#![no_main]

mod evidence;

use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &[
    "usr/share/php/.registry/a.reg",
    "usr/share/php/.registry/.channel.x/b.reg",
];

fuzz_target!(|data: &[u8]| {
    if let Some((name, content)) = evidence::choose(NAMES, data) {
        evidence::examine(name, content);
    }
});
