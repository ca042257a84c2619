//! tar-overwritten: a second image replaces or hides the first in one archive.
//!
//! ```yaml
//! - run: |
//!     docker save a:1 -o images.tar
//!     docker save b:1 -o images.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Archive, Content, Fact, FactKind, FileUse, Place, Resolution};
use crate::source::Span;
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, Site, shown};
use super::edit::sole_occurrence;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "tar-overwritten",
    severity: Severity::Error,
    summary: "two images are saved to one file, and only one of them is loaded from it",
    explanation: "A second `docker save` to the same file replaces the first, and two archives joined with `>>` load as the first only, \
        silently. One `docker save` takes several names.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        if let FactKind::Written(path, Content::Images(archive)) = &site.fact.kind {
            let mut earlier = unread_writes(&site, path).into_iter();
            findings.extend(earlier.find_map(|earlier| report(&site, path, archive, earlier)));
        }
    }
}

fn report(site: &Site<'_>, path: &Text, archive: &Archive, earlier: &Fact) -> Option<Finding> {
    let FactKind::Written(_, Content::Images(first)) = &earlier.kind else {
        return None;
    };
    if first.references == archive.references {
        return None;
    }
    let case = site.case_when(&earlier.condition)?;
    let message = format!(
        "{} takes a second image, and the first is lost",
        shown(path)
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&earlier.place, "the first image is saved here")
        .in_case(case)
        .then("docker load restores one image only, with exit code 0")
        .mended_by(joined(site, archive, first, earlier));
    Some(finding)
}

/// The second image's name behind the first's, and its own command gone, where both stand in one script, line by line.
fn joined(site: &Site<'_>, archive: &Archive, first: &Archive, earlier: &Fact) -> Fix {
    let fix = || {
        let ([old], [new]) = (first.references.as_slice(), archive.references.as_slice()) else {
            return None;
        };
        let (old, new) = (old.as_literal()?, new.as_literal()?);
        let (place, source) = (&site.fact.place, &site.fact.place.source);
        let line = place.line();
        let alone = source.line(line).trim() == place.text().trim();
        let together = site.fact.step == earlier.step
            && site.fact.condition == earlier.condition
            && line != earlier.place.line()
            && place.shares_file(&earlier.place);
        if !alone || !together {
            return None;
        }
        let at = sole_occurrence(earlier.place.text(), old)? + old.len();
        let gone = Span::new(source.line_start(line), source.line_end(line) + 1);
        let message = "save both with one `docker save`";
        let added = Fix::edit(message, &earlier.place.part(at, at), format!(" {new}"));
        Some(added.and(&Place::new(source, gone), ""))
    };
    fix().unwrap_or_else(|| Fix::advice("save both with one `docker save A B -o FILE`"))
}

/// Earlier writes of images to the same file that nothing read in between.
fn unread_writes<'a>(site: &Site<'a>, path: &Text) -> Vec<&'a Fact> {
    let mut found = Vec::new();
    for fact in site.before().iter().rev() {
        match &fact.kind {
            FactKind::Written(other, Content::Images(_))
                if other.compare(path) == Comparison::Equal =>
            {
                found.push(fact);
            }
            FactKind::Read(_, FileUse::Upload | FileUse::Load, Resolution::Written(_))
                if found.is_empty() =>
            {
                return found;
            }
            _ => {}
        }
    }
    found
}
