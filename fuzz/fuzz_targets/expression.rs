//! Expressions: the canonical text of one reads as the same expression again.
#![no_main]

use barge_workflow::expression::{Template, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let template = Template::parse(text);
    let parsed = parse(text).ok();
    for expression in template.expressions().chain(&parsed) {
        let canonical = expression.to_string();
        let again = parse(&canonical).map(|expression| expression.to_string());
        assert_eq!(again.as_deref(), Ok(canonical.as_str()), "{text}");
    }
});
