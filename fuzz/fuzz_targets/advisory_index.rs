//! Index files: damage is an error, never a panic.
#![no_main]

use barge_sbom::bom::of_package_urls as bill;
use barge_vuln::{Database, find};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(database) = Database::from_bytes(bytes.to_vec()) else {
        return;
    };
    let purls = [
        "pkg:npm/a@1.0.0",
        "pkg:pypi/a@1.0.0",
        "pkg:deb/debian/a@1?distro=debian-12",
    ]
    .map(str::to_owned);
    let sbom = bill(&purls).expect("these are package URLs");
    drop(find(&database, &sbom, None));
    drop(database.find("CVE-2026-0001"));
});
