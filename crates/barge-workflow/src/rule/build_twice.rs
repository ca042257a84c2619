//! image-built-twice: what is tested and what is shipped come from two builds.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {load: true, tags: "app:test"}
//! - run: docker run app:test
//! - uses: docker/build-push-action@v6
//!   with: {push: true, tags: "ghcr.io/o/app:1"}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Delivery, Fact, FactKind, FileUse, JobTrace, Place, Resolution};
use crate::reference;
use crate::source::Span;
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, Site, case_of, step_name};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "image-built-twice",
    severity: Severity::Warning,
    summary: "the image that is tested or scanned and the one that is pushed come from two builds",
    explanation: "Two builds of one context need not give the same bytes: base images move, packages are updated, the cache may miss. Test \
        by digest what was pushed, or push what was tested (`barge save`, `barge verify`).",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        if let FactKind::Built(shipped) = &site.fact.kind
            && let Some(ships) = ships(&site, shipped)
        {
            let finding = tested_build(&site, shipped)
                .and_then(|tested| tested_apart(&site, &ships, &tested))
                .or_else(|| handed_on_apart(&site, shipped, &ships));
            findings.extend(finding);
        }
    }
}

/// When a build's result leaves the job: it is pushed, or its archive is uploaded.
fn ships(site: &Site<'_>, build: &Delivery) -> Option<Condition> {
    let pushed = if build.references.is_empty() {
        &Condition::Never
    } else {
        &build.to_registry
    };
    let uploaded = if is_uploaded(site) {
        &build.to_file
    } else {
        &Condition::Never
    };
    let ships = pushed.or(uploaded);
    case_of(&ships).is_some().then_some(ships)
}

/// The archive that the build's own step writes is uploaded later.
fn is_uploaded(site: &Site<'_>) -> bool {
    let own =
        |place: &Place| written_by(site.job, site.fact).any(|written| written.span == place.span);
    site.job.facts.iter().any(|fact| match &fact.kind {
        FactKind::Read(_, FileUse::Upload, Resolution::Written(found)) => {
            found.iter().any(|(_, _, place)| own(place))
        }
        _ => false,
    })
}

/// A build of the same recipe that was tested or scanned: its leg, itself, and the place where it was used.
struct Tested<'a> {
    job: &'a JobTrace,
    build: &'a Fact,
    used: &'a Fact,
}

/// An earlier build of this job, or one of a job that must pass first.
fn tested_build<'a>(site: &Site<'a>, shipped: &Delivery) -> Option<Tested<'a>> {
    let here = site
        .job
        .facts
        .iter()
        .filter(|fact| fact.step != site.fact.step);
    let here = here.map(|fact| (site.job, fact));
    let mut gates = gates(site);
    if gates.is_empty() {
        // Jobs that nothing orders test and ship side by side.
        gates = site
            .trace
            .jobs
            .iter()
            .filter(|job| job.id != site.job.id)
            .collect();
    }
    let there = gates
        .iter()
        .flat_map(|job| job.facts.iter().map(|fact| (*job, fact)));
    here.chain(there).find_map(|(job, build)| {
        let used = test_of(site, job, build, shipped)?;
        Some(Tested { job, build, used })
    })
}

/// The jobs that this one needs, directly or not, and those that are needed together with it.
fn gates<'a>(site: &Site<'a>) -> Vec<&'a JobTrace> {
    let jobs = &site.trace.jobs;
    let mut wanted: Vec<&str> = site.job.needs.iter().map(String::as_str).collect();
    let beside = jobs.iter().filter(|job| job.needs.contains(&site.job.id));
    wanted.extend(beside.flat_map(|job| &job.needs).map(String::as_str));
    let mut found: Vec<&JobTrace> = Vec::new();
    while let Some(id) = wanted.pop() {
        let known = id == site.job.id || found.iter().any(|job| job.id == id);
        if known {
            continue;
        }
        for job in jobs.iter().filter(|job| job.id == id) {
            wanted.extend(job.needs.iter().map(String::as_str));
            found.push(job);
        }
    }
    found
}

/// The place where a build of the same recipe is run or scanned, if it stayed with its job for that.
fn test_of<'a>(
    site: &Site<'a>,
    job: &'a JobTrace,
    build: &Fact,
    shipped: &Delivery,
) -> Option<&'a Fact> {
    let FactKind::Built(tested) = &build.kind else {
        return None;
    };
    let alone = tested.recipe == shipped.recipe && case_of(&tested.to_registry).is_none();
    if !alone {
        return None;
    }
    let in_daemon = case_of(&tested.to_daemon).is_some();
    let mut own = job.facts.iter();
    if let Some(used) = own.find(|fact| in_daemon && tests(fact, tested)) {
        return Some(used);
    }
    // An archive can be scanned, or loaded by another job.
    let archives: Vec<Span> = written_by(job, build).map(|place| place.span).collect();
    let reads_it = |fact: &&Fact| match &fact.kind {
        FactKind::Read(_, FileUse::Scan | FileUse::Load, Resolution::Written(found)) => found
            .iter()
            .any(|(_, _, place)| archives.contains(&place.span)),
        _ => false,
    };
    let others = site
        .trace
        .jobs
        .iter()
        .filter(|other| other.id != site.job.id || other.id == job.id);
    let mut facts = others.flat_map(|other| &other.facts);
    facts.find(reads_it)
}

/// The places where a build's step writes files.
fn written_by<'a>(job: &'a JobTrace, build: &Fact) -> impl Iterator<Item = &'a Place> {
    let step = build.step;
    let written = job.facts.iter().filter(move |fact| fact.step == step);
    written.filter_map(|fact| matches!(fact.kind, FactKind::Written(..)).then_some(&fact.place))
}

fn tested_apart(site: &Site<'_>, ships: &Condition, tested: &Tested<'_>) -> Option<Finding> {
    let there = tested.job.condition.and(&tested.build.condition);
    let case = site.case_when(&ships.and(&there))?;
    let message =
        "what is shipped here was not what was tested: it is a second build of the same context";
    let built = format!(
        "the tested image was built by {} of job {}",
        step_name(tested.job, tested.build),
        tested.job.id
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&tested.build.place, built)
        .with_evidence(&tested.used.place, "and used here")
        .in_case(case)
        .advised("ship the tested image, or test the shipped digest");
    Some(finding)
}

/// Two builds of the job leave it, one by push and one as an archive: whoever tests the archive tests another image.
fn handed_on_apart(site: &Site<'_>, shipped: &Delivery, ships: &Condition) -> Option<Finding> {
    let earlier = site
        .before()
        .iter()
        .filter(|fact| fact.step < site.fact.step);
    let mut pushed = earlier.filter(|fact| {
        matches!(&fact.kind, FactKind::Built(other) if other.recipe == shipped.recipe
            && case_of(&other.to_registry).is_some()
            && case_of(&shipped.to_registry).is_none())
    });
    let pushed = pushed.next()?;
    let case = site.case_when(&ships.and(&pushed.condition))?;
    let message = "the image that is handed on here is not the one that is pushed: both are built, from one context";
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&pushed.place, "the pushed image is built here")
        .in_case(case)
        .advised("build once, and hand on what was pushed, by its digest");
    Some(finding)
}

fn tests(used: &Fact, build: &Delivery) -> bool {
    let FactKind::Named(name, _, program) = &used.kind else {
        return false;
    };
    if !is_test(program) {
        return false;
    }
    let names = name.lines();
    let is_own = |own: &Text| {
        let mut names = names.iter();
        names.any(|name| reference::compare(own, name) == Comparison::Equal)
    };
    build.references.iter().any(is_own)
}

fn is_test(program: &str) -> bool {
    [
        "docker run",
        "docker create",
        "trivy",
        "anchore",
        "scout",
        "snyk",
        "dockle",
        "scan",
        "kind load",
        "minikube",
        "k3d",
    ]
    .iter()
    .any(|test| program.contains(test))
}
