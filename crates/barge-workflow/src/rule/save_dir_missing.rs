//! save-dir-missing: an archive is written into a directory that nobody makes.
//!
//! ```yaml
//! - run: docker save app:1 -o /tmp/images/app.tar
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, FactKind};
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, Site, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "save-dir-missing",
    severity: Severity::Error,
    summary: "an archive is saved into a directory that no step makes",
    explanation: "`docker save -o` does not make directories: \"invalid output path\". Make it first with `mkdir -p`.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let sites = context.sites().filter(|site| !site.fact.tolerated);
    findings.extend(sites.filter_map(|site| report(&site)));
}

fn report(site: &Site<'_>) -> Option<Finding> {
    let FactKind::Saved(references, Some(path)) = &site.fact.kind else {
        return None;
    };
    let directory = missing_directory(site, path).filter(|_| !references.is_empty())?;
    let message = format!("no step makes the directory {}", shown(&directory));
    let finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("docker save fails: \"invalid output path\"")
        .advised(format!("mkdir -p {}", directory.describe()));
    Some(finding)
}

/// Only directories below /tmp are judged: anything else can come with the runner or the checkout.
fn missing_directory(site: &Site<'_>, path: &Text) -> Option<Text> {
    let (directory, _) = path.split_last('/')?;
    let literal = directory.as_literal()?;
    let below = literal
        .strip_prefix("/tmp/")
        .filter(|below| !below.is_empty())?;
    let top = format!("/tmp/{}", below.split('/').next().unwrap_or(below));
    let made = |fact: &Fact| match &fact.kind {
        FactKind::Directory(made) => {
            made.compare(&directory) != Comparison::Different
                || made.literal_start().starts_with(&top)
        }
        FactKind::Written(file, _) => file.literal_start().starts_with(&format!("{literal}/")),
        FactKind::FilesOpaque(_) => fact.condition == Condition::Always,
        FactKind::Downloaded(..) => true,
        _ => false,
    };
    (!site.before().iter().any(made)).then_some(directory)
}
