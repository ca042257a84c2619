//! load-multi-platform: several platforms are built into a daemon that holds one.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {platforms: "linux/amd64,linux/arm64", load: true}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::{Context, case_of, case_words};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-multi-platform",
    severity: Severity::Warning,
    summary: "a build for several platforms is loaded into the daemon",
    explanation: "The classic image store holds one platform a tag: \"docker exporter does not currently support exporting manifest lists\". \
        It works on the containerd store only. Build one platform where the image is loaded.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Built(delivery) = &fact.kind else {
                continue;
            };
            for (when, count) in &delivery.platforms {
                let Some(count) = count.filter(|count| *count > 1) else {
                    continue;
                };
                let loads = delivery.loads.and(when).and(&fact.condition);
                let Some(case) = case_of(&job.condition.and(&loads)) else {
                    continue;
                };
                let place = job.steps.get(fact.step).map_or(&fact.place, |step| {
                    if step.kind == "run" {
                        &fact.place
                    } else {
                        &step.place
                    }
                });
                let mut shown = place.clone();
                let text = place.source.slice(place.span);
                if let Some(at) = ["load:", "--load", "type=docker"]
                    .iter()
                    .find_map(|word| text.find(word))
                {
                    shown.span =
                        crate::source::Span::new(place.span.start + at, place.span.start + at + 4);
                }
                let mut finding = Context::finding(
                    RULE.id,
                    Severity::Warning,
                    &shown,
                    format!("{count} platforms are loaded into the daemon"),
                );
                finding.case = Some(case_words(trace, &case));
                finding.consequence = Some("the build fails on the classic image store".into());
                finding.fix = Some(Fix::advice("build one platform when the image is loaded"));
                findings.push(finding);
            }
        }
    }
}
