//! load-bad-syntax: a `docker load` that cannot work as it is written.
//!
//! ```yaml
//! - run: docker load image.tar
//! - run: docker load < gzip -cd image.tar.gz
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Place};

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-bad-syntax",
    severity: Severity::Error,
    summary: "`docker load` is called in a way that cannot work",
    explanation: "`docker load` reads its standard input or the file of `-i`; it takes no arguments.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        if let FactKind::BadLoad(reason) = &site.fact.kind
            && let Some(case) = site.case()
        {
            let finding = RULE
                .finding(&site.fact.place, reason)
                .in_case(case)
                .then("the command fails")
                .mended_by(fix(&site.fact.place));
            findings.push(finding);
        }
    }
}

fn fix(place: &Place) -> Fix {
    const COMMAND: &str = "docker load ";
    let file = place.text().strip_prefix(COMMAND);
    match file.filter(|file| !file.contains(['<', '|', '-', ' '])) {
        Some(_) => {
            let before = place.part(COMMAND.len(), COMMAND.len());
            Fix::edit("docker load -i", &before, "-i ")
        }
        None => Fix::advice("`docker load -i FILE`, or `gzip -cd FILE | docker load`"),
    }
}
