//! Names that only the run itself can have published: they hold its number, or the merge commit of a pull request.

use crate::finding::Case;
use crate::flow::{Fact, FactKind, JobTrace};
use crate::reference;
use crate::symbolic::Comparison;

use super::context::{Context, ImageUse};

/// An image that would have to be pulled, and was not pushed in some case.
pub(super) struct Unpublished<'a> {
    pub(super) case: Case,
    /// The job and the fact that push the name in other cases.
    pub(super) job: &'a JobTrace,
    pub(super) push: &'a Fact,
}

/// Looks for a case in which a name of the run is wanted and neither in the daemon nor pushed by any job.
pub(super) fn unpublished<'a>(
    context: &Context<'a>,
    usage: &ImageUse<'a>,
) -> Option<Unpublished<'a>> {
    if usage.is_local() || !is_run_own(usage) {
        return None;
    }
    let mut available = usage.presence.possible();
    for job in &usage.site.trace.jobs {
        for fact in pushes(job, usage) {
            let when = if job.id == usage.site.job.id {
                fact.condition.clone()
            } else {
                job.condition.and(&fact.condition)
            };
            available = available.or(&when);
        }
    }
    let case = usage.site.case_when(&available.negate())?;
    let jobs = context.jobs().map(|(_, job)| job);
    let (job, push) = jobs.into_iter().find_map(|job| {
        let mut exact =
            pushes(job, usage).filter(|fact| compare(fact, usage) == Some(Comparison::Equal));
        Some((job, exact.next()?))
    })?;
    Some(Unpublished { case, job, push })
}

fn pushes<'a>(job: &'a JobTrace, usage: &ImageUse<'_>) -> impl Iterator<Item = &'a Fact> {
    job.facts.iter().filter(|fact| match &fact.kind {
        // What is not known can push as well.
        FactKind::DaemonOpaque(_) => job.id != usage.site.job.id,
        _ => compare(fact, usage).is_some_and(|comparison| comparison != Comparison::Different),
    })
}

/// How a pushed name compares with the wanted one; nothing for other facts.
fn compare(fact: &Fact, usage: &ImageUse<'_>) -> Option<Comparison> {
    match &fact.kind {
        FactKind::Pushed(pushed) => Some(reference::compare(&pushed.lower(), &usage.name.lower())),
        _ => None,
    }
}

fn is_run_own(usage: &ImageUse<'_>) -> bool {
    let pull_request = usage.site.trace.scenario.is_pull_request();
    usage.name.symbols().any(|symbol| {
        let name = symbol.name();
        ["github.run_id", "github.run_number"].contains(&name)
            || (pull_request && (name == "github.sha" || name.starts_with("github.sha[")))
    })
}
