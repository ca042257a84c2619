//! scan-input-not-produced: a scanner reads a file that no step writes.
//!
//! ```yaml
//! - run: docker save app:1 -o image.tar
//!   working-directory: build
//! - uses: aquasecurity/trivy-action@0.28.0
//!   with: {input: image.tar}            # it is build/image.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, FileUse, Resolution};
use crate::source::Span;

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "scan-input-not-produced",
    severity: Severity::Error,
    summary: "a scanner reads an archive or SBOM that no step writes",
    explanation: "Paths of an action's inputs are relative to the workspace; `working-directory` moves only `run` steps.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Read(file, FileUse::Scan, Resolution::Absent(near)) = &fact.kind else {
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
                format!("no step writes {}, which is scanned", shown(file)),
            );
            if !near.is_empty() {
                let there: Vec<String> = near.iter().map(shown).collect();
                finding = finding.with_evidence(
                    &fact.place.source,
                    fact.place.span,
                    format!("written were: {}", there.join(", ")),
                );
            }
            finding.case = Some(case_words(trace, &case));
            finding.consequence = Some("the scanner fails, or scans nothing".into());
            if let [only] = near.as_slice() {
                finding.fix = Some(Fix::advice(format!("scan {}", shown(only))));
                let text = fact.place.source.slice(fact.place.span);
                if let (Some(old), Some(new)) = (file.as_literal(), only.as_literal())
                    && text.trim() == old
                {
                    let span = Span::new(
                        fact.place.span.start,
                        fact.place.span.start + text.trim_end().len(),
                    );
                    finding.fix = Some(Fix::edit(
                        format!("scan `{new}`"),
                        &fact.place.source,
                        span,
                        new,
                    ));
                }
            }
            findings.push(finding);
        }
    }
}
