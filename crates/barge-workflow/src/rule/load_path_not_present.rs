//! load-path-not-present: `docker load` reads a file that nothing puts there.
//!
//! ```yaml
//! - uses: actions/download-artifact@v4
//!   with: {name: image, path: /tmp}
//! - run: docker load -i image.tar       # it is in /tmp
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, FileUse, Resolution, file_name};

use super::Rule;
use super::context::{Context, FileRead, shown};
use super::edit;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-path-not-present",
    severity: Severity::Error,
    summary: "`docker load` reads a file that no step or artifact puts there",
    explanation: "upload-artifact keeps paths relative to the least common directory of what it uploads (one file: just its name), and \
        download-artifact puts them below `path`, or below a directory of the artifact's name when no name is given.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let loads = context
        .reads()
        .filter(|read| matches!(read.usage, FileUse::Load | FileUse::Copy));
    for read in loads {
        let message = format!("nothing puts {} there", shown(read.file));
        let (finding, consequence) = if read.usage == FileUse::Copy {
            let finding = absent(&RULE, &read, message, "take");
            (finding, "the copy fails: no such file or directory")
        } else {
            let finding = nameless(&RULE, &read);
            let finding = finding.or_else(|| absent(&RULE, &read, message, "load"));
            (finding, "docker load fails: no such file or directory")
        };
        let finding = finding.map(|finding| with_downloads(finding, &read).then(consequence));
        findings.extend(finding);
    }
}

/// The finding that of a file's name only the suffix is left: the expression before it is empty.
pub(super) fn nameless(rule: &Rule, read: &FileRead<'_>) -> Option<Finding> {
    let name = file_name(read.file);
    let name = name.as_literal()?;
    let suffix = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".oci"].contains(&name);
    let place = &read.site.fact.place;
    if !suffix || matches!(read.resolution, Resolution::Written(_)) {
        return None;
    }
    let message = format!(
        "{} has no name before its suffix: the expression is empty",
        shown(read.file)
    );
    Some(rule.finding(place, message).in_case(read.site.case()?))
}

/// The finding that a file is read which nothing wrote; mended by the only one that is like it.
pub(super) fn absent(
    rule: &Rule,
    read: &FileRead<'_>,
    message: String,
    verb: &str,
) -> Option<Finding> {
    let Resolution::Absent(near) = read.resolution else {
        return None;
    };
    let place = &read.site.fact.place;
    let mut finding = rule.finding(place, message).in_case(read.site.case()?);
    if !near.is_empty() {
        let there: Vec<String> = near.iter().map(shown).collect();
        finding = finding.with_evidence(place, format!("there are: {}", there.join(", ")));
    }
    if let [only] = near.as_slice() {
        let fix = edit::renamed(verb, place, read.file, only);
        let script = read.site.step().map_or(place, |step| &step.place);
        finding = finding.mended_by(edit::with_removals(fix, script, read.file, only));
    }
    Some(finding)
}

fn with_downloads(finding: Finding, read: &FileRead<'_>) -> Finding {
    let downloads = read
        .site
        .before()
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Downloaded(name, _) => Some((name, &fact.place)),
            _ => None,
        });
    downloads.take(3).fold(finding, |finding, (name, place)| {
        let what = match name {
            Some(name) => format!("{} downloaded here", shown(name)),
            None => "artifacts downloaded here, each below its name unless merged".to_owned(),
        };
        finding.with_evidence(place, what)
    })
}
