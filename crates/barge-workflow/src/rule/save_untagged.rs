//! save-untagged: `docker save NAME` keeps every tag of the name.
//!
//! ```yaml
//! - run: docker build -t app:1 . && docker save app -o app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Origin};
use crate::reference::Name;
use crate::source::Span;

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "save-untagged",
    severity: Severity::Note,
    summary: "an image is saved without a tag, and was built with one",
    explanation: "Without a tag `docker save` exports all tags of the name that the daemon holds, others' included.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Saved(references, _) = &fact.kind else {
                continue;
            };
            for reference in references {
                let name = Name::of(reference);
                if name.explicit
                    || name.tag.is_none()
                    || reference.as_literal().is_none_or(|text| {
                        text.len() >= 12 && text.chars().all(|c| c.is_ascii_hexdigit())
                    })
                {
                    continue;
                }
                let made: Vec<Name> = job
                    .facts
                    .iter()
                    .take(number)
                    .filter_map(|made| match &made.kind {
                        FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => {
                            Some(Name::of(made))
                        }
                        _ => None,
                    })
                    .filter(|made| made.repository == name.repository && made.explicit)
                    .collect();
                let Some(first) = made.first() else { continue };
                let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
                    continue;
                };
                let mut finding = Context::finding(
                    RULE.id,
                    Severity::Note,
                    &fact.place,
                    format!("{} is saved with all its tags", shown(reference)),
                );
                finding.case = Some(case_words(trace, &case));
                if let (Some(tag), Some(old), [_]) = (
                    first.tag.as_ref().and_then(|tag| tag.as_literal()),
                    reference.as_literal(),
                    made.as_slice(),
                ) {
                    let text = fact.place.source.slice(fact.place.span);
                    if text.matches(old).count() == 1 {
                        let at = fact.place.span.start + text.find(old).unwrap_or(0) + old.len();
                        finding.fix = Some(Fix::edit(
                            format!("save `{old}:{tag}`"),
                            &fact.place.source,
                            Span::new(at, at),
                            format!(":{tag}"),
                        ));
                    }
                }
                findings.push(finding);
            }
        }
    }
}
