//! A scanner that is given a tag the run does not make, though it makes others of that repository.

use std::sync::Arc;

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Origin};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Condition, Shape, Symbol, Text};

use super::context::{Context, ImageUse, Site, guard_words, shown, step_name};
use super::ref_mismatch::RULE;

/// A fact that gives a name, with its leg, the name and when it happens.
struct Made<'a> {
    job: &'a JobTrace,
    fact: &'a Fact,
    name: &'a Text,
    condition: Condition,
}

/// Looks for a case in which the run makes images of the scanned repository and none of this tag.
///
/// A scanner pulls what the daemon does not hold: it fails, or reads what an earlier run left there.
pub(super) fn other_tag(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    let by_engine = [
        "docker ",
        "podman ",
        "the job's container",
        "the deployment",
    ]
    .iter()
    .any(|engine| usage.program.starts_with(engine));
    let wanted_of_run = if by_engine {
        pulls(usage) && is_of_commit(usage.name)
    } else {
        usage.need == Need::LocalOrRemote
    };
    if !wanted_of_run || reference::empty_part(usage.name).is_some() || usage.name.contains("@") {
        return None;
    }
    let wanted = usage.name.lower();
    let all = made(usage);
    let repository = Name::of(&wanted).repository;
    let handed_on = || {
        all.iter().filter(|made| {
            is_handed_on(usage, made) && Name::of(&made.name.lower()).repository == repository
        })
    };
    let own = handed_on()
        .find(|made| is_of_one_origin(made.name, usage.name))
        .or_else(|| handed_on().next_back())?;
    let mut available = opaque(usage);
    for made in &all {
        let available_here = match reference::compare(&made.name.lower(), &wanted) {
            Comparison::Equal => true,
            Comparison::Maybe if bare(made.name) == bare(usage.name) => true,
            Comparison::Maybe => !gives_exactly(context, made, usage.name),
            Comparison::Different => false,
        };
        if available_here {
            available = available.or(&made.condition);
        }
    }
    let case = usage
        .site
        .case_when(&available.negate().and(&own.condition))?;
    let place = &usage.site.fact.place;
    let message = format!(
        "{} is given a tag that this run does not make",
        usage.program
    );
    let consequence = if by_engine {
        "the registry answers \"manifest unknown\", or gives what another workflow left under this tag"
    } else {
        "the scan fails, or reads what an earlier run left under this tag"
    };
    let gives = format!(
        "{} of job {} gives {}{}",
        step_name(own.job, own.fact),
        own.job.id,
        shown(own.name),
        guard_words(own.job, own.fact)
    );
    let mut finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(&own.fact.place, gives)
        .in_case(case)
        .then(consequence)
        .advised(format!("name {}", shown(own.name)));
    finding.severity = Severity::Warning;
    Some(finding)
}

/// A signature, or a look at the registry, of a name that is like what the job has pushed and was pushed by nobody.
pub(super) fn unpushed(site: &Site<'_>) -> Option<Finding> {
    let (name, by) = match &site.fact.kind {
        FactKind::Attested(name) => (name, "the signature"),
        FactKind::Named(name, Need::Remote, by) if by.ends_with("imagetools inspect") => {
            (name, by.as_str())
        }
        _ => return None,
    };
    let parts = Name::of(&name.lower());
    if !parts.explicit || name.contains("@") || name.contains("\n") || name.as_symbol().is_some() {
        return None;
    }
    let before = site.before().iter();
    if before
        .clone()
        .any(|fact| matches!(fact.kind, FactKind::DaemonOpaque(_)))
    {
        return None;
    }
    let wanted = parts.repository.describe();
    let is_like = |pushed: &Text| {
        let own = Name::of(&pushed.lower()).repository.describe();
        own.starts_with(&wanted) || wanted.starts_with(&own)
    };
    let (own, pushed) = before
        .rev()
        .filter_map(pushed_name)
        .find(|(_, pushed)| is_like(pushed))?;
    let lower = name.lower();
    let mut all = site.trace.jobs.iter().flat_map(|job| &job.facts);
    let is_pushed = all.any(|fact| {
        pushed_name(fact).is_some_and(|(_, pushed)| {
            reference::compare(&pushed.lower(), &lower) != Comparison::Different
        })
    });
    if is_pushed {
        return None;
    }
    let place = &site.fact.place;
    let finding = RULE
        .finding(place, format!("{by} names an image that this run does not push"))
        .with_evidence(place, format!("names {}", shown(name)))
        .with_evidence(
            &own.place,
            format!("{} pushes {}", step_name(site.job, own), shown(pushed)),
        )
        .in_case(site.case_when(&own.condition)?)
        .then("the registry answers \"manifest unknown\", or gives what an earlier run left under this name")
        .advised(format!("name {}", shown(pushed)));
    Some(finding)
}

/// Both tags come from the commit, or both from the pushed tag: the one is what the other was meant to be.
fn is_of_one_origin(made: &Text, wanted: &Text) -> bool {
    let origin = |symbol: &Arc<Symbol>| {
        let name = symbol.name();
        name.split('[').next().unwrap_or(name).to_owned()
    };
    let of_tag = |name: &Text| -> Vec<String> {
        let tag = Name::of(name).tag.unwrap_or_default();
        tag.symbols().map(origin).collect()
    };
    let wanted = of_tag(wanted);
    of_tag(made).iter().any(|origin| wanted.contains(origin))
}

fn pushed_name(fact: &Fact) -> Option<(&Fact, &Text)> {
    match &fact.kind {
        FactKind::Pushed(pushed) => Some((fact, pushed)),
        _ => None,
    }
}

/// An engine that takes the image from a registry when it has none.
fn pulls(usage: &ImageUse<'_>) -> bool {
    let pulls = ["pull", "run", "create", "container"]
        .iter()
        .any(|verb| usage.program.ends_with(verb));
    (pulls || usage.program.starts_with("the deployment")) && !Name::of(usage.name).is_bare()
}

/// A tag that names the commit or the pushed tag: who asks for it wants the image of this very run.
pub(super) fn is_of_commit(name: &Text) -> bool {
    let Some(tag) = Name::of(name).tag else {
        return false;
    };
    tag.symbols().any(|symbol| {
        let name = symbol.name();
        [
            "github.sha",
            "github.run_id",
            "github.run_number",
            "github.ref_name[",
        ]
        .iter()
        .any(|start| name.starts_with(start))
    })
}

/// What the job has made before the use, and what any other job pushes.
fn made<'a>(usage: &ImageUse<'a>) -> Vec<Made<'a>> {
    let site = &usage.site;
    let same_store = |fact: &&Fact| fact.store == site.fact.store;
    let before = site
        .before()
        .iter()
        .filter(same_store)
        .map(|fact| (site.job, fact));
    let others = site.trace.jobs.iter().filter(|job| job.id != site.job.id);
    let pushed = others.flat_map(|job| job.facts.iter().map(move |fact| (job, fact)));
    let pushed = pushed.filter(|(_, fact)| matches!(fact.kind, FactKind::Pushed(_)));
    before
        .chain(pushed)
        .filter_map(|(job, fact)| {
            let (FactKind::Present(name, _) | FactKind::Pushed(name)) = &fact.kind else {
                return None;
            };
            let condition = if job.id == site.job.id {
                fact.condition.clone()
            } else {
                job.condition.and(&fact.condition)
            };
            Some(Made {
                job,
                fact,
                name,
                condition,
            })
        })
        .collect()
}

/// The job's own image, or one that a job it needs has pushed for it.
fn is_handed_on(usage: &ImageUse<'_>, made: &Made<'_>) -> bool {
    match &made.fact.kind {
        FactKind::Present(_, Origin::Pulled) => false,
        FactKind::Present(..) => true,
        _ => made.job.id == usage.site.job.id || usage.site.job.needs.contains(&made.job.id),
    }
}

/// When something unknown can have made or pushed the tag.
fn opaque(usage: &ImageUse<'_>) -> Condition {
    let site = &usage.site;
    let others = site.trace.jobs.iter().filter(|job| job.id != site.job.id);
    let publishers = others.filter(|job| logs_in(job));
    // A deployment asks the registry: what the job's own engine holds does not matter.
    let own = if usage.program.starts_with("the deployment") && !logs_in(site.job) {
        Condition::Never
    } else {
        usage.presence.opaque.clone()
    };
    let facts = publishers.flat_map(|job| job.facts.iter().map(move |fact| (job, fact)));
    facts
        .filter(|(_, fact)| matches!(fact.kind, FactKind::DaemonOpaque(_)))
        .fold(own, |any, (job, fact)| {
            any.or(&job.condition.and(&fact.condition))
        })
}

/// Without credentials nothing is pushed.
fn logs_in(job: &JobTrace) -> bool {
    let mut steps = job.steps.iter();
    steps.any(|step| {
        ["login", "auth"]
            .iter()
            .any(|word| step.kind.contains(word) || step.script.contains(word))
    })
}

/// Its step gives the very name in some event: then its other names are not meant to be it.
fn gives_exactly(context: &Context<'_>, made: &Made<'_>, wanted: &Text) -> bool {
    let twins = context.jobs().filter(|(_, job)| job.id == made.job.id);
    twins.flat_map(|(_, job)| &job.facts).any(|fact| {
        let (FactKind::Present(name, _) | FactKind::Pushed(name)) = &fact.kind else {
            return false;
        };
        fact.place.span == made.fact.place.span && bare(name) == bare(wanted)
    })
}

/// The name without what metadata-action does to a value that becomes a tag.
fn bare(name: &Text) -> Text {
    let unknown = |symbol: &Arc<Symbol>| {
        let name = symbol.name();
        let name = name.strip_prefix("tag of ").unwrap_or(name);
        Symbol::new(name, Shape::Text)
    };
    name.map(str::to_owned, unknown).lower()
}
