//! artifact-name-collision: two uploads of one run take the same name.
//!
//! ```yaml
//! strategy: {matrix: {arch: [amd64, arm64]}}
//! steps:
//!   - uses: actions/upload-artifact@v4
//!     with: {name: image, path: image.tar}     # every leg
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Artifact, JobTrace, Trace};
use crate::source::Span;
use crate::symbolic::Comparison;

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

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
            // Before version 4 uploads of one name were merged; a bare commit tells no version.
            if artifact.major.is_none_or(|major| major < 4) {
                continue;
            }
            let Some(job) = trace.jobs.get(artifact.leg) else {
                continue;
            };
            if job.symbolic_leg && !names_the_leg(artifact) {
                report(trace, job, artifact, None, findings);
                continue;
            }
            let twin = trace.artifacts.iter().take(number).find(|earlier| {
                earlier.answers(&artifact.name) == Comparison::Equal
                    && case_of(&earlier.condition.and(&artifact.condition)).is_some()
                    && (earlier.leg != artifact.leg || earlier.place.span != artifact.place.span)
                    && !(earlier.overwrite || artifact.overwrite)
                        | (earlier.job == artifact.job && earlier.leg != artifact.leg)
            });
            if let Some(twin) = twin {
                report(trace, job, artifact, Some(twin), findings);
            }
        }
    }
}

fn names_the_leg(artifact: &Artifact) -> bool {
    artifact.name.symbols().any(|symbol| {
        let name = symbol.name();
        name.contains("matrix")
            || name.contains("strategy.")
            || name.contains("steps.")
            || name.starts_with('$')
            || name.contains("env.")
            || name.contains("<<<")
    })
}

fn report(
    trace: &Trace,
    job: &JobTrace,
    artifact: &Artifact,
    twin: Option<&Artifact>,
    findings: &mut Vec<Finding>,
) {
    let Some(case) = case_of(&artifact.condition) else {
        return;
    };
    let mut place = artifact.place.clone();
    if let Some(span) = artifact.name_field {
        place.span = span;
    }
    let legs =
        twin.is_none_or(|twin| twin.job == artifact.job && twin.place.span == artifact.place.span);
    let message = if legs {
        format!(
            "every leg of job {} uploads the artifact {}",
            job.id,
            shown(&artifact.name)
        )
    } else {
        format!("the artifact {} is uploaded twice", shown(&artifact.name))
    };
    let mut finding = Context::finding(RULE.id, Severity::Error, &place, message);
    if let Some(twin) = twin.filter(|_| !legs) {
        finding = finding.with_evidence(
            &twin.place.source,
            twin.place.span,
            format!("uploaded by job {} here", twin.job),
        );
    }
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some(if artifact.overwrite {
        "the last upload wins".into()
    } else {
        "the second upload fails with a conflict".into()
    });
    finding.fix = fix(job, artifact, legs);
    findings.push(finding);
}

/// The varying keys at the end of the name.
fn fix(job: &JobTrace, artifact: &Artifact, legs: bool) -> Option<Fix> {
    let keys: Vec<String> = job
        .leg
        .iter()
        .map(|(key, _)| format!("${{{{ matrix.{key} }}}}"))
        .collect();
    let span = artifact.name_field?;
    if !legs || keys.is_empty() || keys.len() > 3 {
        return None;
    }
    let text = artifact.place.source.slice(span);
    let quoted = text.starts_with(['\'', '"']);
    let end = if quoted { span.end - 1 } else { span.end };
    let suffix = format!("-{}", keys.join("-"));
    // A slash is not allowed in an artifact's name.
    if job
        .leg
        .iter()
        .any(|(_, value)| value.contains(['/', ':', '"', '<', '>', '|', '*', '?']))
    {
        return Some(Fix::advice(format!(
            "add {suffix} to the name, without its slashes"
        )));
    }
    Some(Fix::edit(
        format!("add {suffix} to the name"),
        &artifact.place.source,
        Span::new(end, end),
        suffix,
    ))
}
