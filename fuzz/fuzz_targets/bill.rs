//! Bills of materials of any bytes, and what is written of those that can be read.
#![no_main]

use barge_sbom::bom;
use barge_sbom::format::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(sbom) = bom::read(data) {
        let written = text::write_json(&sbom);
        assert!(bom::read(&written).is_ok(), "barge reads what it wrote");
    }
});
