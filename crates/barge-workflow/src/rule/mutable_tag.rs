//! digest-from-mutable-tag and mutable-tag-across-jobs: a tag can move between write and read.
//!
//! ```yaml
//! - run: docker push app:latest
//! - run: cosign sign $(crane digest app:latest)    # perhaps another run's image
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Need};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule on digests.
pub(super) const DIGEST_RULE: Rule = Rule {
    id: "digest-from-mutable-tag",
    severity: Severity::Warning,
    summary: "what is signed or attested is named by a tag that was just pushed",
    explanation: "Between push and signature the tag can be moved by another run, and the wrong image is signed. The build step's `digest` \
        output names what was built.",
    check: check_digest,
};

/// The rule on hand-offs.
pub(super) const ACROSS_JOBS_RULE: Rule = Rule {
    id: "mutable-tag-across-jobs",
    severity: Severity::Warning,
    summary: "an image is passed to another job by a tag that every run writes",
    explanation: "Two runs that overlap exchange their images. Pass the digest as a job output.",
    check: check_across_jobs,
};

fn check_digest(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Attested(name) = &fact.kind else {
                continue;
            };
            if name.contains("@")
                || !name.contains("/")
                || name
                    .symbols()
                    .any(|symbol| symbol.name().contains("digest"))
                || !Name::of(name).explicit
            {
                continue;
            }
            let pushed = job.facts.iter().take(number).find(|earlier| {
                matches!(&earlier.kind, FactKind::Pushed(pushed) if reference::compare(pushed, name) == Comparison::Equal)
            });
            let Some(pushed) = pushed else { continue };
            let Some(case) =
                case_of(&job.condition.and(&fact.condition)).filter(|_| !fact.tolerated)
            else {
                continue;
            };
            let mut finding = Context::finding(
                DIGEST_RULE.id,
                Severity::Warning,
                &fact.place,
                format!("{} is signed by its tag, not by its digest", shown(name)),
            )
            .with_evidence(&pushed.place.source, pushed.place.span, "pushed here");
            finding.case = Some(case_words(trace, &case));
            finding.fix = Some(Fix::advice("use `NAME@${{ steps.BUILD.outputs.digest }}`"));
            findings.push(finding);
        }
    }
}

fn check_across_jobs(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Named(name, need, program) = &fact.kind else {
                continue;
            };
            if *need == Need::Local || fact.tolerated || !is_mutable(name) {
                continue;
            }
            let produced = trace.jobs.iter().filter(|other| job.needs.contains(&other.id)).find_map(|other| {
                let pushed = other.facts.iter().find(|fact| matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, name) == Comparison::Equal))?;
                Some((other, pushed))
            });
            let Some((other, pushed)) = produced else {
                continue;
            };
            let Some(case) = case_of(&job.condition.and(&fact.condition).and(&pushed.condition))
            else {
                continue;
            };
            let message = format!(
                "{program} takes {} from job {} by a tag that every run writes",
                shown(name),
                other.id
            );
            let mut finding =
                Context::finding(ACROSS_JOBS_RULE.id, Severity::Warning, &fact.place, message)
                    .with_evidence(&pushed.place.source, pushed.place.span, "pushed here");
            finding.case = Some(case_words(trace, &case));
            finding.fix = Some(Fix::advice("pass the build's digest as a job output"));
            findings.push(finding);
            break;
        }
    }
}

/// A tag without anything of this run in it.
fn is_mutable(name: &Text) -> bool {
    let parts = Name::of(name);
    parts.tag.is_some_and(|tag| {
        tag.as_literal().is_some_and(|tag| {
            !tag.starts_with("sha256") && !tag.chars().any(|c| c.is_ascii_digit())
        })
    })
}
