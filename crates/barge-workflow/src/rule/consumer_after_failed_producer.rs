//! consumer-after-failed-producer: a job runs although the job whose artifact it downloads failed.
//!
//! ```yaml
//! test:
//!   needs: build
//!   if: always()
//!   steps: [{uses: actions/download-artifact@v4, with: {name: image}}]
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, JobTrace, Trace};

use super::Rule;
use super::context::{Context, shown};

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
    for (trace, job) in context.jobs() {
        let Some((guard, span)) = &job.guard else {
            continue;
        };
        let lower = guard.to_lowercase().replace(' ', "");
        let runs_after_failure = ["always()", "!cancelled()", "failure()"]
            .iter()
            .any(|function| lower.contains(function));
        if !runs_after_failure || lower.contains("success()") {
            continue;
        }
        let Some((producer, name)) = needed_artifact(trace, job) else {
            continue;
        };
        let id = producer
            .rsplit(" / ")
            .next()
            .unwrap_or(&producer)
            .to_lowercase();
        let asks = [
            format!("needs.{id}.result"),
            format!("needs['{id}']"),
            format!("needs.{id}.outputs"),
            "needs.*.result".to_owned(),
        ];
        if asks.iter().any(|asked| lower.contains(asked)) {
            continue;
        }
        let place = crate::flow::Place {
            source: job.place.source.clone(),
            span: *span,
        };
        let message = format!(
            "job {} runs also when job {producer} failed, and downloads its artifact {name}",
            job.id
        );
        let mut finding = Context::finding(RULE.id, Severity::Warning, &place, message);
        finding.case = Some(format!("{}: job {producer} fails", trace.scenario.label));
        finding.consequence = Some("the download fails and hides the first error".into());
        let bare = guard
            .trim()
            .trim_start_matches("${{")
            .trim_end_matches("}}")
            .trim()
            .to_owned();
        let left = if bare.contains("||") {
            format!("({bare})")
        } else {
            bare
        };
        let condition = format!(
            "${{{{ {left} && needs.{}.result == 'success' }}}}",
            producer.rsplit(" / ").next().unwrap_or(&producer)
        );
        finding.fix = Some(if guard.contains('\n') {
            Fix::advice(condition)
        } else {
            Fix::edit(
                format!("if: {condition}"),
                &job.place.source,
                *span,
                condition,
            )
        });
        findings.push(finding);
    }
}

fn needed_artifact(trace: &Trace, job: &JobTrace) -> Option<(String, String)> {
    job.facts
        .iter()
        .filter(|fact| !fact.tolerated)
        .find_map(|fact| {
            let FactKind::Downloaded(Some(name), candidates) = &fact.kind else {
                return None;
            };
            // A download under its own condition may have thought of it.
            let step = job.steps.get(fact.step)?;
            if step.guard.is_some() {
                return None;
            }
            let artifact = candidates
                .iter()
                .filter_map(|number| trace.artifacts.get(*number))
                .find(|artifact| job.needs.contains(&artifact.job))?;
            Some((artifact.job.clone(), shown(name)))
        })
}
