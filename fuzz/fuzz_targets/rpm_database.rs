//! The three formats of rpm's database: a broken one is refused.
#![no_main]

mod evidence;

use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &[
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
];

fuzz_target!(|data: &[u8]| {
    if let Some((name, content)) = evidence::choose(NAMES, data) {
        evidence::examine(name, content);
    }
});
