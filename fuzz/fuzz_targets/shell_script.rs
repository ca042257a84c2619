//! Shell scripts, read and run over unknowns as the step of a job.
#![no_main]

use barge_workflow::shell::parser::parse;
use barge_workflow::{Source, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &str| {
    let read = parse(script);
    assert!(read.error.is_none_or(|(at, _)| at <= script.len()));
    let quoted = serde_json::to_string(script).unwrap();
    let text = format!(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {quoted}\n      - run: docker save app:1 -o app.tar\n"
    );
    // JSON's quoted texts are YAML's, but for what YAML takes for no text at all.
    let _checked = check(&Source::new("w.yml", &text), &(), None);
});
