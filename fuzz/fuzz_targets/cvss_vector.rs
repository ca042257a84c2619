//! CVSS vectors of all versions: a score from 0 to 10, or none.
#![no_main]

use barge_vuln::vector_score;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|vector: &str| {
    if let Some(score) = vector_score(vector) {
        assert!((0.0..=10.0).contains(&score), "{vector} {score}");
    }
});
