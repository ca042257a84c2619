//! tags-multiline-in-shell: a list of several tags is put into one command line.
//!
//! ```yaml
//! - run: docker push ${{ steps.meta.outputs.tags }}      # the second tag becomes a command
//! ```

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::Context;

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
    // One finding a step in each walk: the list is taken out of the script once.
    let mut said = BTreeMap::new();
    for site in context.sites() {
        let (message, consequence) = match site.fact.kind {
            FactKind::SeveralLines => (
                "several tags are put into one command line",
                "the shell runs the second tag as a command",
            ),
            FactKind::SeveralInOne if !site.fact.tolerated => (
                "several tags are given as one argument",
                "the program takes them for one name with line breaks in it and fails",
            ),
            _ => continue,
        };
        let step = (site.fact.step, std::ptr::from_ref(site.job));
        if *said.entry(step).or_insert(site.fact.place.span) == site.fact.place.span
            && let Some(case) = site.case()
        {
            let finding = RULE
                .finding(&site.fact.place, message)
                .in_case(case)
                .then(consequence)
                .advised(
                    "env: TAGS: ${{ ... }}, then `for tag in $TAGS; do docker push \"$tag\"; done`",
                );
            findings.push(finding);
        }
    }
}
