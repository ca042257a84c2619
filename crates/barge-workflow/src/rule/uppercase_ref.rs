//! uppercase-ref: the repository's name reaches an image client as it is spelled, and references are lower case.
//!
//! ```yaml
//! - run: docker push ghcr.io/${{ github.repository_owner }}/app:1   # fails for owner `Wikid82`
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, Origin};
use crate::reference::Name;
use crate::symbolic::{Piece, Text};

use super::Rule;
use super::context::{Context, Site, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "uppercase-ref",
    severity: Severity::Warning,
    summary: "an owner or repository name with capitals reaches an image reference",
    explanation: "GitHub keeps capitals in `github.repository`, image references may have none. metadata-action lower-cases, a shell does it \
        with `${NAME,,}`. Reported when the repository's name has capitals (`--repo`), or when the file lower-cases it in one place \
        and not in another.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let capitals = match context.repository {
        Some(repository) => repository.chars().any(char::is_uppercase),
        None => spelled_with_capitals(context) || lowered_somewhere(context),
    };
    if capitals {
        findings.extend(context.sites().filter_map(|site| report(context, &site)));
    }
}

fn report(context: &Context<'_>, site: &Site<'_>) -> Option<Finding> {
    let raw = named(site)
        .into_iter()
        .find(|name| has_raw_name(&Name::of(name).repository))?;
    let message = format!("{} is not lower-cased", shown(raw));
    let mut finding = RULE
        .finding(&site.fact.place, message)
        .then("for an owner with capitals: \"repository name must be lowercase\"")
        .advised(
            "lower-case the name once, `${NAME,,}` into GITHUB_ENV or metadata-action, and use that",
        );
    if context.repository.is_some() {
        finding.severity = Severity::Error;
    }
    Some(finding)
}

/// The names that a fact hands to an image client.
pub(super) fn named<'a>(site: &Site<'a>) -> Vec<&'a Text> {
    match &site.fact.kind {
        FactKind::Named(name, _, _)
        | FactKind::Attested(name)
        | FactKind::Present(name, Origin::Tagged(_)) => vec![name],
        FactKind::Built(delivery) => delivery.references.iter().collect(),
        _ => Vec::new(),
    }
}

fn has_raw_name(repository: &Text) -> bool {
    let pieces = repository.pieces();
    pieces.iter().any(|piece| match piece {
        Piece::Symbol(symbol) => matches!(
            symbol.name(),
            "github.repository_owner" | "github.event.repository.name"
        ),
        Piece::Literal(_) => false,
    })
}

/// The file says how the repository is spelled: `github.repository == 'Owner/Name'`.
fn spelled_with_capitals(context: &Context<'_>) -> bool {
    let text = context.workflow.source.text();
    [
        "github.repository == '",
        "github.repository_owner == '",
        "github.repository=='",
    ]
    .iter()
    .any(|start| {
        text.match_indices(start).any(|(at, _)| {
            let rest = text.get(at + start.len()..).unwrap_or_default();
            rest.split('\'')
                .next()
                .is_some_and(|name| name.chars().any(char::is_uppercase))
        })
    })
}

/// Some reference of the file went through lower-casing by hand: then the name has capitals, or may have.
fn lowered_somewhere(context: &Context<'_>) -> bool {
    let text = context.workflow.source.text();
    let by_hand = text.contains(",,}")
        || text.contains("[:upper:]")
        || text.contains("A-Z") && text.contains("a-z")
        || text.contains("toLowerCase()");
    let lowered = |text: &Text| {
        text.symbols()
            .any(|symbol| symbol.is_lower() && symbol.name().contains("github."))
    };
    let in_output = || {
        let steps = context.jobs().flat_map(|(_, job)| {
            let outputs = job.steps.iter().flat_map(|step| step.outputs.values());
            outputs.chain(job.outputs.values())
        });
        steps
            .into_iter()
            .any(|value| value.texts().iter().any(|(_, text)| lowered(text)))
    };
    let in_use = || {
        context.sites().any(|site| match &site.fact.kind {
            FactKind::Present(_, Origin::Built) => false,
            FactKind::Named(name, _, _) | FactKind::Present(name, _) => lowered(name),
            _ => false,
        })
    };
    by_hand && (in_output() || in_use())
}
