//! artifact-name-collision: two uploads of one run take the same name.
//!
//! ```yaml
//! strategy: {matrix: {arch: [amd64, arm64]}}
//! steps:
//!   - uses: actions/upload-artifact@v4
//!     with: {name: image, path: image.tar}     # every leg
//! ```

use std::collections::BTreeSet;

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Artifact, FactKind, JobTrace, Place, Trace};
use crate::symbolic::Comparison;

use super::Rule;
use super::context::{Context, case, case_of, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "artifact-name-collision",
    severity: Severity::Error,
    summary: "two legs or jobs upload an artifact of the same name",
    explanation: "From version 4 on an artifact is written once: the second upload fails with a conflict, or replaces the first with \
        `overwrite: true`. Put the varying matrix values into the name.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for trace in context.traces {
        for (number, artifact) in trace.artifacts.iter().enumerate() {
            let earlier = trace.artifacts.get(..number).unwrap_or_default();
            findings.extend(report(trace, artifact, earlier));
        }
    }
}

fn report(trace: &Trace, artifact: &Artifact, earlier: &[Artifact]) -> Option<Finding> {
    // Before version 4 uploads of one name were merged; a bare commit tells no version.
    if artifact.major.is_none_or(|major| major < 4) {
        return None;
    }
    let job = trace.jobs.get(artifact.leg)?;
    let every_leg = job.symbolic_leg && is_same_for_all(artifact) && !asks_for_leg(artifact);
    let twin = earlier
        .iter()
        .find(|earlier| collide(earlier, artifact))
        .filter(|_| !every_leg);
    if twin.is_none() && !every_leg {
        return None;
    }
    let other =
        twin.filter(|twin| twin.job != artifact.job || twin.place.span != artifact.place.span);
    let message = match other {
        None => format!(
            "every leg of job {} uploads the artifact {}",
            job.id,
            shown(&artifact.name)
        ),
        Some(_) => format!("the artifact {} is uploaded twice", shown(&artifact.name)),
    };
    let consequence = if artifact.overwrite {
        "the last upload wins"
    } else {
        "the second upload fails with a conflict"
    };
    let mut finding = RULE
        .finding(&name_place(artifact), message)
        .in_case(case(trace, &artifact.condition)?)
        .then(consequence);
    if let Some(other) = other {
        let uploaded = format!("uploaded by job {} here", other.job);
        return Some(finding.with_evidence(&other.place, uploaded));
    }
    finding.fix = fix(trace, job, artifact);
    Some(finding)
}

fn collide(earlier: &Artifact, artifact: &Artifact) -> bool {
    let same_job = earlier.job == artifact.job;
    let another = earlier.leg != artifact.leg || earlier.place.span != artifact.place.span;
    let replaces = earlier.overwrite || artifact.overwrite;
    // Legs that overwrite each other lose all but one; two jobs that do so may mean it.
    let harmful = !replaces || (same_job && earlier.leg != artifact.leg);
    // An unknown that may hang on the leg has another value in each.
    let certain = earlier.leg == artifact.leg || is_same_for_all(artifact);
    another
        && harmful
        && certain
        && earlier.answers(&artifact.name) == Comparison::Equal
        && case_of(&earlier.condition.and(&artifact.condition)).is_some()
}

/// The unknowns in the name are decided outside the job: all its legs have the same.
fn is_same_for_all(artifact: &Artifact) -> bool {
    const OUTSIDE: [&str; 5] = ["github.", "inputs.", "needs.", "vars.", "secrets."];
    artifact.name.symbols().all(|symbol| {
        let name = symbol.name();
        let name = name.strip_prefix("lower(").unwrap_or(name);
        OUTSIDE.iter().any(|context| name.starts_with(context))
    })
}

/// The step's condition picks legs.
fn asks_for_leg(artifact: &Artifact) -> bool {
    let symbols = artifact.step_condition.symbols();
    symbols
        .iter()
        .any(|symbol| symbol.name().contains("matrix."))
}

fn name_place(artifact: &Artifact) -> Place {
    let span = artifact.name_field.unwrap_or(artifact.place.span);
    Place::new(&artifact.place.source, span)
}

/// The matrix values that tell the legs apart, at the end of the name.
fn fix(trace: &Trace, job: &JobTrace, artifact: &Artifact) -> Option<Fix> {
    artifact.name_field?;
    let legs: Vec<&JobTrace> = trace.jobs.iter().filter(|leg| leg.id == job.id).collect();
    let name = name_place(artifact);
    let keys = telling_keys(&legs, name.text())?;
    let expressions = keys.iter().map(|key| format!("${{{{ matrix.{key} }}}}"));
    let suffix = format!("-{}", expressions.collect::<Vec<_>>().join("-"));
    // Who takes the artifact by this very name would find it no more.
    if is_taken_by_name(trace, artifact) {
        let advice = format!("add {suffix} to the name here and where it is downloaded");
        return Some(Fix::advice(advice));
    }
    let values = legs.iter().flat_map(|leg| &leg.leg);
    let mut values = values.filter(|(key, _)| keys.contains(&key.as_str()));
    // What an artifact's name may not hold.
    if values.any(|(_, value)| value.contains(['/', ':', '"', '<', '>', '|', '*', '?'])) {
        let advice = format!("add {suffix} to the name, without what a name may not hold");
        return Some(Fix::advice(advice));
    }
    let quoted = name.text().starts_with(['\'', '"']);
    let end = name.text().len() - usize::from(quoted);
    let at = name.part(end, end);
    Some(Fix::edit(format!("add {suffix} to the name"), &at, suffix))
}

/// The fewest matrix keys, beside those in the name, whose values differ from leg to leg.
fn telling_keys<'a>(legs: &[&'a JobTrace], name: &str) -> Option<Vec<&'a str>> {
    let first = legs.first()?;
    let all: Vec<&str> = first.leg.iter().map(|(key, _)| key.as_str()).collect();
    let (named, rest): (Vec<&str>, Vec<&str>) = all
        .into_iter()
        .partition(|key| name.contains(&format!("matrix.{key}")));
    let tells = |keys: &[&str]| {
        let values = |leg: &&JobTrace| -> Vec<Option<String>> {
            let keys = named.iter().chain(keys);
            keys.map(|key| {
                leg.leg
                    .iter()
                    .find(|(own, _)| own == key)
                    .map(|(_, value)| value.clone())
            })
            .collect()
        };
        let distinct: BTreeSet<_> = legs.iter().map(values).collect();
        distinct.len() == legs.len()
    };
    let singles = rest.iter().map(|key| vec![*key]);
    let pairs = rest.iter().enumerate().flat_map(|(at, one)| {
        let others = rest.iter().skip(at + 1);
        others.map(|other| vec![*one, *other])
    });
    let mut candidates = singles.chain(pairs).chain([rest.clone()]);
    candidates.find(|keys| (1..=3).contains(&keys.len()) && tells(keys))
}

fn is_taken_by_name(trace: &Trace, artifact: &Artifact) -> bool {
    let mut facts = trace.jobs.iter().flat_map(|job| &job.facts);
    facts.any(|fact| {
        matches!(&fact.kind, FactKind::Downloaded(Some(name), _) if artifact.answers(name) == Comparison::Equal)
    })
}
