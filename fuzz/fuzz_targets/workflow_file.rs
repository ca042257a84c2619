//! Workflow files that use themselves: what is found lies in the file, and fixes keep it a workflow.
#![no_main]

use barge_workflow::mend::mend;
use barge_workflow::{Repository, Source, check};
use libfuzzer_sys::fuzz_target;

/// Calls multiply: a longer file that calls itself takes seconds with coverage counted, and finds nothing more.
const CALLED_LIMIT: usize = 2_000;

/// A repository in which every file is this one.
struct Same<'a>(&'a str);

impl Repository for Same<'_> {
    fn read(&self, path: &str) -> Option<Source> {
        (self.0.len() <= CALLED_LIMIT).then(|| Source::new(path, self.0))
    }
}

fuzz_target!(|text: &str| {
    let (source, files) = (Source::new("w.yml", text), Same(text));
    let Ok(checked) = check(&source, &files, Some("Owner/name")) else {
        return;
    };
    for finding in &checked.findings {
        let _shown = barge_workflow::render::human(finding, &|_, text| text.to_owned());
        let span = finding.place.span;
        assert!(
            finding
                .place
                .source
                .text()
                .get(span.start..span.end)
                .is_some()
        );
    }
    let mended = mend(&source, &files, None, &|all| all.iter().collect()).unwrap();
    assert!(check(&mended.source, &files, None).is_ok());
});
