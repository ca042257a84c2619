//! save-dir-missing: an archive is written into a directory that nobody makes.
//!
//! ```yaml
//! - run: docker save app:1 -o /tmp/images/app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Fact, FactKind, JobTrace};
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "save-dir-missing",
    severity: Severity::Error,
    summary: "an archive is saved into a directory that no step makes",
    explanation: "`docker save -o` does not make directories: \"invalid output path\". Make it first with `mkdir -p`.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Saved(references, Some(path)) = &fact.kind else {
                continue;
            };
            let Some(directory) =
                missing_directory(job, number, path).filter(|_| !references.is_empty())
            else {
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
                format!("no step makes the directory {}", shown(&directory)),
            );
            finding.case = Some(case_words(trace, &case));
            finding.consequence = Some("docker save fails: \"invalid output path\"".into());
            finding.fix = Some(Fix::advice(format!("mkdir -p {}", directory.describe())));
            findings.push(finding);
        }
    }
}

/// Only directories below /tmp are judged: anything else can come with the runner or the checkout.
fn missing_directory(job: &JobTrace, number: usize, path: &Text) -> Option<Text> {
    let (directory, _) = path.split_last('/')?;
    let literal = directory.as_literal()?;
    let below = literal
        .strip_prefix("/tmp/")
        .filter(|below| !below.is_empty())?;
    let top = Text::literal(format!("/tmp/{}", below.split('/').next().unwrap_or(below)));
    let made = |fact: &Fact| match &fact.kind {
        FactKind::Directory(made) => {
            made.compare(&directory) != Comparison::Different
                || made
                    .literal_start()
                    .starts_with(top.as_literal().unwrap_or_default())
        }
        FactKind::Written(file, _) => file.literal_start().starts_with(&format!("{literal}/")),
        FactKind::FilesOpaque(_) => fact.condition == Condition::Always,
        FactKind::Downloaded(..) => true,
        _ => false,
    };
    let earlier = job
        .facts
        .iter()
        .take(number)
        .any(|fact| fact.step <= job.facts.get(number).map_or(0, |own| own.step) && made(fact));
    (!earlier).then_some(directory)
}
