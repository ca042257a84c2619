//! save-untagged: `docker save NAME` keeps every tag of the name.
//!
//! ```yaml
//! - run: docker build -t app:1 . && docker save app -o app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Origin, Place};
use crate::reference::Name;
use crate::symbolic::Text;

use super::Rule;
use super::context::{Context, Site, shown};
use super::edit::sole_occurrence;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "save-untagged",
    severity: Severity::Note,
    summary: "an image is saved without a tag, and was built with one",
    explanation: "Without a tag `docker save` exports all tags of the name that the daemon holds, others' included.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        if let FactKind::Saved(references, _) = &site.fact.kind {
            let reports = references.iter().map(|reference| report(&site, reference));
            findings.extend(reports.flatten());
        }
    }
}

fn report(site: &Site<'_>, reference: &Text) -> Option<Finding> {
    let name = Name::of(reference);
    let text = reference.as_literal()?;
    let is_id = text.len() >= 12 && text.chars().all(|c| c.is_ascii_hexdigit());
    if name.explicit || name.tag.is_none() || is_id {
        return None;
    }
    let made = tags_made(site, &name);
    if made.is_empty() {
        return None;
    }
    let message = format!("{} is saved with all its tags", shown(reference));
    let finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .mended_by(fix(&site.fact.place, text, &made));
    Some(finding)
}

/// The tags that this job gave to the repository.
fn tags_made(site: &Site<'_>, name: &Name) -> Vec<Text> {
    let made = site.before().iter().filter_map(|fact| match &fact.kind {
        FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => Some(Name::of(made)),
        _ => None,
    });
    made.filter(|made| made.repository == name.repository && made.explicit)
        .filter_map(|made| made.tag)
        .collect()
}

fn fix(place: &Place, name: &str, made: &[Text]) -> Option<Fix> {
    let [only] = made else { return None };
    let (tag, at) = (only.as_literal()?, sole_occurrence(place.text(), name)?);
    let end = at + name.len();
    Some(Fix::edit(
        format!("save `{name}:{tag}`"),
        &place.part(end, end),
        format!(":{tag}"),
    ))
}
