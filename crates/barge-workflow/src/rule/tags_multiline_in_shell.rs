//! tags-multiline-in-shell: a list of several tags is put into one command line.
//!
//! ```yaml
//! - run: docker push ${{ steps.meta.outputs.tags }}      # the second tag becomes a command
//! ```

use crate::expression::Template;
use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;
use crate::source::Span;

use super::Rule;
use super::context::{Context, case_of, case_words};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "tags-multiline-in-shell",
    severity: Severity::Error,
    summary: "an output of several lines is put into a command line",
    explanation: "`${{ }}` is replaced before the shell reads the script: each further line becomes a command of its own. Pass the list \
        through `env:` and loop over it.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Named(name, _, program) = &fact.kind else {
                continue;
            };
            if !program.starts_with("docker ") || !name.has_literal() {
                continue;
            }
            let text = fact.place.source.slice(fact.place.span);
            let Some(step) = job.steps.get(fact.step) else {
                continue;
            };
            for part in &Template::parse(text).parts {
                let crate::expression::Part::Expression(range, expression) = part else {
                    continue;
                };
                let path = expression.path().unwrap_or_default();
                let ["steps", id, "outputs", output] = path.as_slice() else {
                    continue;
                };
                let source = job.steps.iter().find(|other| {
                    other
                        .id
                        .as_deref()
                        .is_some_and(|own| own.eq_ignore_ascii_case(id))
                });
                let Some(value) = source.and_then(|source| source.outputs.get(*output)) else {
                    continue;
                };
                for (when, value) in value.texts() {
                    if !value.contains("\n") {
                        continue;
                    }
                    let Some(case) = case_of(&job.condition.and(&step.condition).and(&when)) else {
                        continue;
                    };
                    let mut place = fact.place.clone();
                    place.span = Span::new(
                        fact.place.span.start + range.start,
                        fact.place.span.start + range.end,
                    );
                    let mut finding = Context::finding(
                        RULE.id,
                        Severity::Error,
                        &place,
                        "several tags are put into one command line",
                    );
                    finding.case = Some(case_words(trace, &case));
                    finding.consequence = Some("the shell runs the second tag as a command".into());
                    finding.fix = Some(Fix::advice(
                        "env: TAGS, then `for tag in $TAGS; do ... done`",
                    ));
                    findings.push(finding);
                    break;
                }
            }
        }
    }
}
