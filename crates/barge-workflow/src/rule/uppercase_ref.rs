//! uppercase-ref: the repository's name reaches an image client as it is spelled, and references are lower case.
//!
//! ```yaml
//! - run: docker push ghcr.io/${{ github.repository_owner }}/app:1   # fails for owner `Wikid82`
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;
use crate::reference::Name;
use crate::symbolic::{Piece, Text};

use super::Rule;
use super::context::{Context, shown};

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
        Some(repository) if repository.chars().any(char::is_uppercase) => true,
        Some(_) => return,
        None => spelled_with_capitals(context),
    };
    if !capitals && !lowered_somewhere(context) {
        return;
    }
    let severity = if context.repository.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    };
    for (_, job) in context.jobs() {
        for fact in &job.facts {
            let names: Vec<&Text> = match &fact.kind {
                FactKind::Named(name, _, _) | FactKind::Attested(name) => vec![name],
                FactKind::Built(delivery) => delivery.references.iter().collect(),
                FactKind::Present(name, crate::flow::Origin::Tagged(_)) => vec![name],
                _ => continue,
            };
            for name in names {
                if !has_raw_name(&Name::of(name).repository) {
                    continue;
                }
                let mut finding = Context::finding(
                    RULE.id,
                    severity,
                    &fact.place,
                    format!("{} is not lower-cased", shown(name)),
                );
                finding.consequence = Some(
                    "for an owner with capitals: \"repository name must be lowercase\"".into(),
                );
                finding.fix = Some(Fix::advice(
                    "lower-case the name once, `${NAME,,}` into GITHUB_ENV or metadata-action, and use that",
                ));
                findings.push(finding);
                break;
            }
        }
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

/// Some reference of the file went through lower-casing: then the name has capitals, or may have.
fn lowered_somewhere(context: &Context<'_>) -> bool {
    let explicit = context.workflow.source.text();
    let by_hand = explicit.contains(",,}")
        || explicit.contains("[:upper:]")
        || explicit.contains("A-Z") && explicit.contains("a-z")
        || explicit.contains("toLowerCase()");
    by_hand
        && context.jobs().any(|(_, job)| {
            job.steps
                .iter()
                .flat_map(|step| step.outputs.values())
                .chain(job.outputs.values())
                .any(|value| {
                    value.texts().iter().any(|(_, text)| {
                        text.symbols()
                            .any(|symbol| symbol.is_lower() && symbol.name().contains("github."))
                    })
                })
                || job.facts.iter().any(|fact| match &fact.kind {
                    FactKind::Named(name, _, _) | FactKind::Present(name, _) => {
                        name.symbols()
                            .any(|symbol| symbol.is_lower() && symbol.name().contains("github."))
                            && !matches!(
                                &fact.kind,
                                FactKind::Present(_, crate::flow::Origin::Built)
                            )
                    }
                    _ => false,
                })
        })
}
