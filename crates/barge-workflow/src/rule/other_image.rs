//! Part of ref-mismatch: the digest that a build gave stands behind another repository's name.
//!
//! ```yaml
//! - id: bundle
//!   uses: docker/build-push-action@v6
//!   with: {push: true, tags: "ghcr.io/o/app-bundle:1"}
//! - run: cosign sign ghcr.io/o/app@${{ steps.bundle.outputs.digest }}
//! ```

use crate::finding::Finding;
use crate::flow::{Fact, FactKind, JobTrace};
use crate::reference::Name;
use crate::symbolic::{Comparison, Text};

use super::context::{Site, shown, step_name};
use super::ref_mismatch::RULE;

/// Looks for the build whose digest is named, and says so when it has given other repositories only.
pub(super) fn other_image(site: &Site<'_>) -> Option<Finding> {
    let (FactKind::Attested(name) | FactKind::Named(name, ..)) = &site.fact.kind else {
        return None;
    };
    let (before, digest) = name.split_first('@')?;
    let symbol = digest.as_symbol()?.name();
    if before.contains("\n") || before.contains(" ") || before.is_empty() {
        return None;
    }
    let id = symbol
        .strip_prefix("steps.")?
        .strip_suffix(".outputs.digest")?;
    let (job, built, made) = build_of(site, id)?;
    let wanted = Name::of(&before.lower()).repository;
    let is_other =
        |made: &&Text| Name::of(&made.lower()).repository.compare(&wanted) == Comparison::Different;
    if !made.iter().all(|made| is_other(&made)) {
        return None;
    }
    let place = &site.fact.place;
    let gives = format!(
        "{} of job {} gives it to {}",
        step_name(job, built),
        job.id,
        shown(made.first()?)
    );
    let finding = RULE
        .finding(place, "a digest stands behind the name of another image")
        .with_evidence(place, format!("names {}", shown(name)))
        .with_evidence(&built.place, gives)
        .in_case(site.case()?)
        .then("the registry answers \"manifest unknown\": no such digest in that repository")
        .advised("write the repository that the build pushes to before `@`");
    Some(finding)
}

/// The build of a step, in this job or in one that it needs, with the names it gave.
fn build_of<'a>(site: &Site<'a>, id: &str) -> Option<(&'a JobTrace, &'a Fact, &'a [Text])> {
    let needed = site
        .trace
        .jobs
        .iter()
        .filter(|job| site.job.needs.contains(&job.id));
    let mut jobs = std::iter::once(site.job).chain(needed);
    let has = |job: &&JobTrace| job.steps.iter().any(|step| step.id.as_deref() == Some(id));
    let job = jobs.find(has)?;
    job.facts.iter().find_map(|fact| {
        let FactKind::Built(delivery) = &fact.kind else {
            return None;
        };
        let own = job.steps.get(fact.step)?.id.as_deref() == Some(id);
        (own && !delivery.references.is_empty()).then_some((
            job,
            fact,
            delivery.references.as_slice(),
        ))
    })
}
