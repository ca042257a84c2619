//! Every order of versions: no panic, and swapping two versions swaps their order.
#![no_main]

use barge_vuln::version::{Scheme, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (String, String)| {
    for scheme in Scheme::all() {
        let (left, right) = (
            Version::parse(scheme, &texts.0),
            Version::parse(scheme, &texts.1),
        );
        let (Ok(left), Ok(right)) = (left, right) else {
            continue;
        };
        let order = left.compare(&right).expect("both are of one scheme");
        assert_eq!(
            right.compare(&left),
            Some(order.reverse()),
            "{scheme} {texts:?}"
        );
    }
});
