//! load-path-not-present: `docker load` reads a file that nothing puts there.
//!
//! ```yaml
//! - uses: actions/download-artifact@v4
//!   with: {name: image, path: /tmp}
//! - run: docker load -i image.tar       # it is in /tmp
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, FileUse, Resolution};
use crate::source::Span;

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-path-not-present",
    severity: Severity::Error,
    summary: "`docker load` reads a file that no step or artifact puts there",
    explanation: "upload-artifact keeps paths relative to the least common directory of what it uploads (one file: just its name), and \
        download-artifact puts them below `path`, or below a directory of the artifact's name when no name is given.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Read(file, FileUse::Load, Resolution::Absent(near)) = &fact.kind else {
                continue;
            };
            let Some(case) =
                case_of(&job.condition.and(&fact.condition)).filter(|_| !fact.tolerated)
            else {
                continue;
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Error,
                &fact.place,
                format!("nothing puts {} there", shown(file)),
            );
            let downloads = job
                .facts
                .iter()
                .filter(|other| matches!(other.kind, FactKind::Downloaded(..)));
            for download in downloads.take(3) {
                let FactKind::Downloaded(name, _) = &download.kind else {
                    continue;
                };
                let what = name
                    .as_ref()
                    .map_or_else(|| "all artifacts".to_owned(), shown);
                finding = finding.with_evidence(
                    &download.place.source,
                    download.place.span,
                    format!("{what} downloaded here"),
                );
            }
            if !near.is_empty() {
                let there: Vec<String> = near.iter().map(shown).collect();
                finding = finding.with_evidence(
                    &fact.place.source,
                    fact.place.span,
                    format!("there are: {}", there.join(", ")),
                );
            }
            finding.case = Some(case_words(trace, &case));
            finding.consequence = Some("docker load fails: no such file or directory".into());
            if let [only] = near.as_slice() {
                finding.fix = Some(Fix::advice(format!("load {}", shown(only))));
                if let (Some(old), Some(new)) = (file.as_literal(), only.as_literal()) {
                    let text = fact.place.source.slice(fact.place.span);
                    if let Some(at) = text.find(old).filter(|at| {
                        text.get(at + old.len()..)
                            .is_some_and(|rest| !rest.contains(old))
                    }) {
                        let start = fact.place.span.start + at;
                        let span = Span::new(start, start + old.len());
                        finding.fix = Some(Fix::edit(
                            format!("load `{new}`"),
                            &fact.place.source,
                            span,
                            new,
                        ));
                    }
                }
            }
            findings.push(finding);
        }
    }
}
