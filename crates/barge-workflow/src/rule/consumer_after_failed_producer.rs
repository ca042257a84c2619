//! consumer-after-failed-producer: a job runs although the job whose artifact it downloads failed.
//!
//! ```yaml
//! test:
//!   needs: build
//!   if: always()
//!   steps: [{uses: actions/download-artifact@v4, with: {name: image}}]
//! ```

use crate::finding::{Case, Finding, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Place, Trace};
use crate::model::Guard;

use super::Rule;
use super::context::{Context, Site, shown};
use super::edit;
use super::other_tag::is_of_commit;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "consumer-after-failed-producer",
    severity: Severity::Warning,
    summary: "a job runs after the job that makes its artifact failed, and downloads it",
    explanation: "`always()` and `!cancelled()` replace the rule that all needs succeeded. The download then fails with \"Artifact not \
        found\", which hides the first error. Add `needs.JOB.result == 'success'`.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    findings.extend(context.jobs().filter_map(|(trace, job)| report(trace, job)));
}

fn report(trace: &Trace, job: &JobTrace) -> Option<Finding> {
    let guard = job
        .guard
        .as_deref()
        .filter(|guard| guard.holds_after_failure())?;
    let artifact = needed_artifact(trace, job).map(|(producer, name)| Taken {
        producer,
        what: format!("downloads its artifact {name}"),
        consequence: "the download fails and hides the first error",
    });
    let image = || {
        needed_image(trace, job).map(|(producer, output)| Taken {
            producer,
            what: format!("takes its image from `{output}`"),
            consequence: "the output is empty, and the image has no name",
        })
    };
    let pull = || {
        pulled_image(trace, job).map(|(producer, name)| Taken {
            producer,
            what: format!("pulls its image {name}"),
            consequence: "the pull fails and hides the first error",
        })
    };
    let said = |taken: Taken| said(trace, job, guard, &taken);
    artifact
        .and_then(said)
        .or_else(|| image().and_then(said))
        .or_else(|| pull().and_then(said))
}

/// What a job takes from one that it needs.
struct Taken {
    producer: String,
    what: String,
    /// What comes of it when the producer failed.
    consequence: &'static str,
}

fn said(trace: &Trace, job: &JobTrace, guard: &Guard, taken: &Taken) -> Option<Finding> {
    let Taken {
        producer,
        what,
        consequence,
    } = taken;
    let key = producer.rsplit(" / ").next().unwrap_or(producer);
    if asks_for(guard, key) {
        return None;
    }
    let place = Place::new(&job.place.source, guard.field.span);
    let message = format!(
        "job {} runs also when job {producer} failed, and {what}",
        job.id
    );
    let wanted = format!("needs.{key}.result == 'success'");
    let finding = RULE
        .finding(&place, message)
        .in_case(Case::of_event(&trace.scenario.label).when(format!("job {producer} fails")))
        .then(*consequence)
        .mended_by(edit::guarded(&place, guard, &wanted));
    Some(finding)
}

/// The condition looks at the result or an output of the job itself.
fn asks_for(guard: &Guard, job: &str) -> bool {
    let text = guard.text().to_lowercase().replace(' ', "");
    let id = job.to_lowercase();
    let after_success_alone = text.contains("success()") && !text.contains("failure()");
    after_success_alone
        || [
            format!("needs.{id}.result"),
            format!("needs['{id}']"),
            format!("needs.{id}.outputs"),
            "needs.*.result".to_owned(),
        ]
        .iter()
        .any(|asked| text.contains(asked))
}

/// A needed job whose artifact this one downloads, and the artifact's name.
fn needed_artifact(trace: &Trace, job: &JobTrace) -> Option<(String, String)> {
    let sites = Site::all(trace, job).filter(|site| !site.fact.tolerated);
    // A download under its own condition may have thought of it.
    let mut plain = sites.filter(|site| site.step().is_some_and(|step| step.guard.is_none()));
    plain.find_map(|site| {
        let FactKind::Downloaded(Some(name), candidates) = &site.fact.kind else {
            return None;
        };
        let mut artifacts = candidates
            .iter()
            .filter_map(|number| trace.artifacts.get(*number));
        let artifact = artifacts.find(|artifact| job.needs.contains(&artifact.job))?;
        Some((artifact.job.clone(), shown(name)))
    })
}

/// A needed job that pushes the image of this very run which a step of this job pulls, and the image's name.
fn pulled_image(trace: &Trace, job: &JobTrace) -> Option<(String, String)> {
    let needed = || {
        trace
            .jobs
            .iter()
            .filter(|other| job.needs.contains(&other.id))
    };
    let sites = Site::all(trace, job).filter(|site| !site.fact.tolerated);
    let mut plain = sites.filter(|site| site.step().is_some_and(|step| step.guard.is_none()));
    plain.find_map(|site| {
        let FactKind::Named(name, Need::Remote | Need::LocalOrRemote, _) = &site.fact.kind else {
            return None;
        };
        let pushes = |fact: &Fact| matches!(&fact.kind, FactKind::Pushed(pushed) if pushed == name);
        let producer = needed().find(|other| other.facts.iter().any(pushes));
        let producer = producer.filter(|_| is_of_commit(name))?;
        Some((producer.id.clone(), shown(name)))
    })
}

/// A needed job whose output names an image that a step of this job takes, and that output.
fn needed_image(trace: &Trace, job: &JobTrace) -> Option<(String, String)> {
    let takes_image = |fact: &FactKind| {
        matches!(
            fact,
            FactKind::Named(..) | FactKind::Attested(_) | FactKind::DigestRead(_)
        )
    };
    let sites = Site::all(trace, job).filter(|site| takes_image(&site.fact.kind));
    let mut plain = sites.filter(|site| site.step().is_some_and(|step| step.guard.is_none()));
    plain.find_map(|site| {
        let text = site.fact.place.text();
        job.needs.iter().find_map(|producer| {
            let key = producer.rsplit(" / ").next()?;
            let start = format!("needs.{key}.outputs.");
            let at = text.find(&start)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let rest = text.get(at + start.len()..)?;
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            Some((producer.clone(), format!("{start}{}", rest.get(..end)?)))
        })
    })
}
