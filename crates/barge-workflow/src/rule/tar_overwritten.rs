//! tar-overwritten: a second image replaces or hides the first in one archive.
//!
//! ```yaml
//! - run: |
//!     docker save a:1 -o images.tar
//!     docker save b:1 -o images.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Content, Fact, FactKind, FileUse, JobTrace, Resolution};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "tar-overwritten",
    severity: Severity::Error,
    summary: "two images are saved to one file, and only one of them is loaded from it",
    explanation: "A second `docker save` to the same file replaces the first, and two archives joined with `>>` load as the first only, \
        silently. One `docker save` takes several names.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Written(path, Content::Images(archive)) = &fact.kind else {
                continue;
            };
            for earlier in same_path(job, number, path) {
                let FactKind::Written(_, Content::Images(first)) = &earlier.kind else {
                    continue;
                };
                if first.references == archive.references {
                    continue;
                }
                let Some(case) =
                    case_of(&job.condition.and(&fact.condition).and(&earlier.condition))
                else {
                    continue;
                };
                let message = format!(
                    "{} takes a second image, and the first is lost",
                    shown(path)
                );
                let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
                    .with_evidence(
                        &earlier.place.source,
                        earlier.place.span,
                        "the first image is saved here",
                    );
                finding.case = Some(case_words(trace, &case));
                finding.consequence =
                    Some("docker load restores one image only, with exit code 0".into());
                finding.fix = Some(Fix::advice("save both with one `docker save A B -o FILE`"));
                findings.push(finding);
                break;
            }
        }
    }
}

/// Earlier writes of images to the same file that nothing read in between.
fn same_path<'a>(job: &'a JobTrace, number: usize, path: &Text) -> Vec<&'a Fact> {
    let mut found = Vec::new();
    for fact in job.facts.iter().take(number).rev() {
        match &fact.kind {
            FactKind::Written(other, Content::Images(_))
                if other.compare(path) == Comparison::Equal =>
            {
                found.push(fact);
            }
            FactKind::Read(_, FileUse::Upload | FileUse::Load, Resolution::Written(_))
                if found.is_empty() =>
            {
                return found;
            }
            _ => {}
        }
    }
    found
}
