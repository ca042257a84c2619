//! save-dir-missing: an archive is written into a directory that nobody makes.
//!
//! ```yaml
//! - run: docker save app:1 -o /tmp/images/app.tar
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Content, Fact, FactKind};
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
    let path = match &site.fact.kind {
        FactKind::Saved(references, Some(path)) if !references.is_empty() => path,
        FactKind::Written(path, Content::Images(_)) if !is_saved(site, path) => path,
        _ => return None,
    };
    let directory = missing_directory(site, path)?;
    let message = format!("no step makes the directory {}", shown(&directory));
    let finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("the archive cannot be written: docker save says \"invalid output path\"")
        .advised(format!("mkdir -p {}", directory.describe()));
    Some(finding)
}

/// The file is that of `docker save -o`, which has been looked at.
fn is_saved(site: &Site<'_>, path: &Text) -> bool {
    site.before().iter().any(|fact| {
        fact.step == site.fact.step
            && matches!(&fact.kind, FactKind::Saved(_, Some(saved)) if saved == path)
    })
}

/// Directories below /tmp are judged, and those below one that the job made itself: anything else can come with the
/// runner or the checkout.
fn missing_directory(site: &Site<'_>, path: &Text) -> Option<Text> {
    let (directory, _) = path.split_last('/')?;
    let literal = directory.as_literal()?;
    if is_below_own(site, literal) {
        return Some(directory);
    }
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

/// A directory below one that the job made, with nothing unknown since, and that was not made itself.
fn is_below_own(site: &Site<'_>, directory: &str) -> bool {
    let mut inside = false;
    for fact in site.before() {
        match &fact.kind {
            FactKind::Directory(made) => match made.as_literal() {
                Some(made) if directory == made || made.starts_with(&format!("{directory}/")) => {
                    return false;
                }
                Some(made) if directory.starts_with(&format!("{made}/")) => inside = true,
                Some(_) => {}
                None => return false,
            },
            FactKind::FilesOpaque(_) | FactKind::Downloaded(..) => inside = false,
            FactKind::Written(file, _)
                if file.literal_start().starts_with(&format!("{directory}/")) =>
            {
                return false;
            }
            _ => {}
        }
    }
    inside
}
