//! ignore-comment: a comment that is meant to silence a rule does not.
//!
//! ```yaml
//! - run: docker save app:1 -o app.tar   # barge: ignore[not-loaded
//! ```

use crate::finding::{Finding, Severity};
use crate::ignore::{Comment, Ignores, Silences};

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ignore-comment",
    severity: Severity::Warning,
    summary: "a comment that is meant to silence a rule cannot be read, or silences nothing",
    explanation: "`# barge: ignore[RULE] reason` silences a rule on its line, or on the line below it when it stands alone; several \
        rules stand between commas. One that names no rule that there is silences nothing, and one that nothing is found for \
        is a leftover that would hide the next defect.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let ignores = Ignores::read(&context.workflow.source);
    findings.extend(ignores.broken.iter().map(|(place, reason)| {
        RULE.finding(place, format!("the comment is not followed: {reason}"))
            .advised("# barge: ignore[RULE] reason")
    }));
}

/// The comments that silence none of the findings of their file.
pub(crate) fn unused(ignores: &Ignores, findings: &[Finding]) -> Vec<Finding> {
    let is_unused = |comment: &&Comment| !findings.iter().any(|one| comment.covers(one));
    let unused = ignores.comments.iter().filter(is_unused);
    unused
        .map(|comment| {
            let what = match &comment.silences {
                Silences::All => "nothing".to_owned(),
                Silences::Rules(rules) => format!("no {}", rules.join(" and no ")),
            };
            let message = format!("the comment silences nothing: {what} is found here");
            let finding = RULE.finding(&comment.place, message);
            Finding {
                severity: Severity::Note,
                ..finding.advised("take the comment out")
            }
        })
        .collect()
}
