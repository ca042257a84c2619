//! tags-multiline-in-shell: a list of several tags is put into one command line.
//!
//! ```yaml
//! - run: docker push ${{ steps.meta.outputs.tags }}      # the second tag becomes a command
//! ```

use crate::expression::{Part, Template};
use crate::finding::{Finding, Severity};
use crate::flow::FactKind;
use crate::symbolic::Value;

use super::Rule;
use super::context::{Context, Site, case};

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
    for site in context.sites() {
        if let FactKind::Named(name, _, program) = &site.fact.kind
            && program.starts_with("docker ")
            && name.has_literal()
        {
            findings.extend(report(&site));
        }
    }
}

fn report(site: &Site<'_>) -> Option<Finding> {
    let place = &site.fact.place;
    let template = Template::parse(place.text());
    template.parts.iter().find_map(|part| {
        let Part::Expression(range, expression) = part else {
            return None;
        };
        let path = expression.path()?;
        let ["steps", id, "outputs", output] = path.as_slice() else {
            return None;
        };
        let case = case_of_several_lines(site, step_output(site, id, output)?)?;
        let place = place.part(range.start, range.end);
        let finding = RULE
            .finding(&place, "several tags are put into one command line")
            .in_case(case)
            .then("the shell runs the second tag as a command")
            .advised("env: TAGS, then `for tag in $TAGS; do ... done`");
        Some(finding)
    })
}

fn step_output<'a>(site: &Site<'a>, id: &str, output: &str) -> Option<&'a Value> {
    let mut steps = site.job.steps.iter();
    let step = steps.find(|step| {
        step.id
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    })?;
    step.outputs.get(output)
}

fn case_of_several_lines(site: &Site<'_>, value: &Value) -> Option<String> {
    let step = site.job.condition.and(&site.step()?.condition);
    let texts = value.texts();
    let mut several = texts.iter().filter(|(_, text)| text.contains("\n"));
    several.find_map(|(when, _)| case(site.trace, &step.and(when)))
}
