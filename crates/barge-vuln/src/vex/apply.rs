//! Which statements clear which matches.

use barge_sbom::package::Subject;

use super::product::is_meant;
use super::statement::{Statement, Status};
use crate::matching::{Advisory, Match, SuppressedBy, Suppression};

/// Takes matches out of the count that statements clear.
pub fn apply(matches: &mut [Match<'_>], subject: &Subject, statements: &[Statement]) {
    if statements.is_empty() {
        return;
    }
    for found in matches
        .iter_mut()
        .filter(|found| found.suppressed.is_none())
    {
        if let Some(statement) = clearing(found, subject, statements) {
            found.suppressed = Some(Suppression {
                by: SuppressedBy::Vex,
                reason: describe(statement),
                is_fixed: statement.status == Status::Fixed,
            });
        }
    }
}

/// The statement by which a match is cleared: the flaw itself is, or each of the flaws that an erratum fixes.
fn clearing<'s>(
    found: &Match<'_>,
    subject: &Subject,
    statements: &'s [Statement],
) -> Option<&'s Statement> {
    let relevant: Vec<&'s Statement> = statements
        .iter()
        .filter(|statement| {
            let mut products = statement.products.iter();
            products.any(|product| is_meant(product, &found.package, subject))
        })
        .collect();
    let latest = |wanted: &dyn Fn(&str) -> bool| {
        let about = relevant
            .iter()
            .filter(|statement| statement.ids.iter().any(|id| wanted(id)));
        about.max_by_key(|statement| statement.timestamp).copied()
    };
    let Advisory { upstream, .. } = &*found.advisory;
    if let Some(statement) = latest(&|id| found.advisory.ids().any(|own| own == id)) {
        return statement.status.clears().then_some(statement);
    }
    if upstream.is_empty() {
        return None;
    }
    let each: Option<Vec<&'s Statement>> = upstream
        .iter()
        .map(|flaw| latest(&|id| id == *flaw))
        .collect();
    let each = each.filter(|each| each.iter().all(|statement| statement.status.clears()))?;
    each.first().copied()
}

fn describe(statement: &Statement) -> String {
    let status = statement.status.words();
    if statement.reason.is_empty() {
        status.to_owned()
    } else {
        format!("{status}: {}", statement.reason)
    }
}
