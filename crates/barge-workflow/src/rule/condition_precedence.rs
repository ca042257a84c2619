//! condition-precedence: `always() && a || b && c` holds its status function for the first half only.
//!
//! ```yaml
//! if: always() && github.event_name == 'push' || github.event_name == 'workflow_dispatch' && inputs.publish
//! ```

use crate::expression::{Expression, Kind, Operator};
use crate::finding::{Finding, Severity};
use crate::flow::Place;
use crate::model::Guard;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "condition-precedence",
    severity: Severity::Warning,
    summary: "a status function stands in one half of an `||` whose halves are joined by `&&`",
    explanation: "`&&` binds tighter than `||`. With a status function anywhere in a condition no `success()` is implied, so the half \
        without one runs after failures too, or the other way round. Put parentheses where they are meant.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for job in &context.workflow.jobs {
        let steps = job.steps.iter().filter_map(|step| step.guard.as_deref());
        let guards = job.guard.as_deref().into_iter().chain(steps);
        findings.extend(guards.filter_map(|guard| report(context, guard)));
    }
}

fn report(context: &Context<'_>, guard: &Guard) -> Option<Finding> {
    let expression = guard.template.sole_expression()?;
    let mut halves = Vec::new();
    collect_halves(expression, &mut halves);
    // Places are counted from behind the braces, if there are any.
    let text = guard
        .text()
        .strip_prefix("${{")
        .unwrap_or(&guard.field.text);
    let in_parentheses = |half: &Expression| {
        let written = text.get(half.span.start..half.span.end);
        written.is_some_and(|written| written.trim_start().starts_with('('))
    };
    let bare = halves.iter().filter(|half| !in_parentheses(half));
    let conjunctions = bare.filter(|half| is_conjunction(half)).count();
    let with_status = halves.iter().filter(|half| half.has_status_function());
    // Each half has thought of it, or none has: then it is as it reads.
    let with_status = with_status.count();
    if conjunctions < 2 || with_status == 0 || with_status == halves.len() {
        return None;
    }
    let place = Place::new(&context.workflow.source, guard.field.span);
    let message = "a status function belongs to one half of this `||` only";
    Some(
        RULE.finding(&place, message)
            .then("the other half runs whatever failed before")
            .advised("put the status function before parentheses: `always() && (a || b)`"),
    )
}

/// The operands of a chain of `||`; one that stands in parentheses keeps its place in the tree and is one operand.
fn collect_halves<'a>(expression: &'a Expression, into: &mut Vec<&'a Expression>) {
    match &expression.kind {
        Kind::Binary(Operator::Or, left, right) => {
            collect_halves(left, into);
            collect_halves(right, into);
        }
        _ => into.push(expression),
    }
}

fn is_conjunction(expression: &Expression) -> bool {
    matches!(expression.kind, Kind::Binary(Operator::And, ..))
}
