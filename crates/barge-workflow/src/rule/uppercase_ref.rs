//! uppercase-ref: the repository's name reaches an image client as it is spelled, and references are lower case.
//!
//! ```yaml
//! - run: docker push ghcr.io/${{ github.repository_owner }}/app:1   # fails for owner `Wikid82`
//! ```

use std::collections::BTreeMap;

use crate::finding::{Edit, Evidence, Finding, Fix, Severity};
use crate::flow::{CALLED, FactKind, Origin, Place};
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
    let capitals = Capitals::known(context);
    let mut parts: BTreeMap<(String, Option<usize>), Option<Finding>> = BTreeMap::new();
    for site in context.sites() {
        let found = report_literal(&site).or_else(|| report(context, &site, capitals));
        if let Some((part, finding)) = found {
            let place = &site.fact.place;
            let spelled = spells_out(place.text()).then(|| place.line());
            merge(parts.entry((part, spelled)).or_default(), finding);
        }
    }
    findings.extend(parts.into_values().flatten());
}

/// The place writes the repository's name itself, and is mended by itself.
fn spells_out(text: &str) -> bool {
    [
        "github.repository",
        "github.event.repository.name",
        "GITHUB_REPOSITORY",
    ]
    .iter()
    .any(|name| text.contains(name))
}

/// Which parts of `github.repository` have capitals.
#[derive(Debug, Clone, Copy, Default)]
struct Capitals {
    owner: bool,
    name: bool,
}

impl Capitals {
    /// By the repository's name, or by what the file says of it.
    fn known(context: &Context<'_>) -> Self {
        match context.repository.or_else(|| spelled(context)) {
            Some(repository) => {
                let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
                Self {
                    owner: owner.chars().any(char::is_uppercase),
                    name: name.chars().any(char::is_uppercase),
                }
            }
            None => {
                // Whoever lower-cases thinks of the owner first: a name alone is no sign.
                Self {
                    owner: lowered_somewhere(context),
                    name: false,
                }
            }
        }
    }

    /// The part of `github.repository` that brings them into a repository's name.
    fn reach(self, repository: &Text) -> Option<String> {
        let mut symbols = repository.symbols();
        let symbol = symbols.find(|symbol| match symbol.name() {
            "github.repository_owner" => self.owner,
            "github.event.repository.name" => self.name,
            _ => false,
        });
        symbol.map(|symbol| symbol.name().to_owned())
    }
}

/// One finding for each part with capitals that comes from elsewhere; further places are evidence, and are mended with it.
fn merge(known: &mut Option<Finding>, finding: Finding) {
    const SHOWN: usize = 5;
    match known {
        None => *known = Some(finding),
        Some(first) => {
            if let (Some(fix), Some(more)) = (&mut first.fix, &finding.fix)
                && !fix.edits.is_empty()
            {
                let new = more.edits.iter().filter(|edit| !fix.edits.contains(edit));
                let new: Vec<Edit> = new.cloned().collect();
                fix.edits.extend(new);
            }
            let line = finding.place.line();
            let mut lines = first.evidence.iter().map(|evidence| evidence.place.line());
            if line != first.place.line()
                && !lines.any(|known| known == line)
                && first.evidence.len() < SHOWN
            {
                first.evidence.push(Evidence {
                    place: finding.place,
                    message: "and here".into(),
                });
            }
        }
    }
}

/// Capitals that are written out fail for everybody.
fn report_literal(site: &Site<'_>) -> Option<(String, Finding)> {
    let (name, part) = named(site).into_iter().find_map(|name| {
        let part = capital_part(&Name::of(name).repository)?;
        Some((name, part))
    })?;
    let message = format!("{} has capitals", shown(name));
    let mut finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("\"invalid reference format: repository name must be lowercase\"")
        .mended_by(lowered(&site.fact.place, &part));
    finding.severity = Severity::Error;
    Some((part, finding))
}

/// The part in lower case, wherever it is written out in the command.
fn lowered(place: &Place, part: &str) -> Fix {
    let lower = part.to_lowercase();
    let fix = Fix::advice(format!("write `{lower}`"));
    let written = place.text().match_indices(part);
    written.fold(fix, |fix, (at, _)| {
        fix.and(&place.part(at, at + part.len()), lower.as_str())
    })
}

/// The part of a repository's path that has capitals; a registry's host name may have them.
fn capital_part(repository: &Text) -> Option<String> {
    let path = match repository.split_first('/') {
        Some((_, path)) => path,
        None if repository.as_literal().is_some() => repository.clone(),
        None => return None,
    };
    path.split(|c| c == '/').iter().find_map(|part| {
        let mut pieces = part.pieces().iter();
        let capital = pieces.any(|piece| {
            matches!(piece, Piece::Literal(text) if text.chars().any(|c| c.is_ascii_uppercase()))
        });
        capital.then(|| part.describe())
    })
}

fn report(context: &Context<'_>, site: &Site<'_>, capitals: Capitals) -> Option<(String, Finding)> {
    // A called workflow can lower-case what it is given.
    if matches!(&site.fact.kind, FactKind::Named(_, _, by) if by == CALLED) {
        return None;
    }
    let mut names = named(site).into_iter();
    let (raw, part) =
        names.find_map(|name| Some((name, capitals.reach(&Name::of(name).repository)?)))?;
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
    Some((part, finding))
}

/// The names that a fact hands to an image client.
pub(super) fn named<'a>(site: &Site<'a>) -> Vec<&'a Text> {
    match &site.fact.kind {
        FactKind::Named(name, _, _)
        | FactKind::Attested(name)
        | FactKind::DigestRead(name)
        | FactKind::Pushed(name)
        | FactKind::Cached(name)
        | FactKind::Removed(Some(name))
        | FactKind::Present(name, Origin::Tagged(_)) => vec![name],
        FactKind::Built(delivery) => delivery.references.iter().collect(),
        _ => Vec::new(),
    }
}

/// The file says how the repository is spelled: `github.repository == 'Owner/Name'`, or the label that names its source.
fn spelled<'a>(context: &Context<'a>) -> Option<&'a str> {
    const NAMES: [&str; 4] = [
        "github.repository",
        "github.repository_owner",
        "head.repo.full_name",
        "github.event.repository.full_name",
    ];
    const LABELS: [&str; 2] = [
        "image.source=https://github.com/",
        "image.url=https://github.com/",
    ];
    let text = context.workflow.source.text();
    let compared = NAMES.iter().flat_map(|name| text.match_indices(name));
    let compared = compared.filter_map(|(at, name)| {
        let rest = text.get(at + name.len()..)?.trim_start();
        let behind = rest.strip_prefix("==").or_else(|| rest.strip_prefix("!="));
        let behind = behind.or_else(|| rest.strip_prefix(','))?.trim_start();
        behind.strip_prefix('\'')?.split('\'').next()
    });
    let labelled = LABELS.iter().flat_map(|label| text.match_indices(label));
    let labelled = labelled.filter_map(|(at, label)| {
        let rest = text.get(at + label.len()..)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        rest.split(|c| !is_name(c)).next()
    });
    let mut spellings = compared.chain(labelled);
    spellings.find(|name| name.chars().any(char::is_uppercase))
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
