//! scan-input-not-produced: a scanner reads a file that no step writes.
//!
//! ```yaml
//! - run: docker save app:1 -o image.tar
//!   working-directory: build
//! - uses: aquasecurity/trivy-action@0.28.0
//!   with: {input: image.tar}            # it is build/image.tar
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::FileUse;

use super::Rule;
use super::context::{Context, Site, shown};
use super::load_path_not_present::{absent, nameless};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "scan-input-not-produced",
    severity: Severity::Error,
    summary: "a scanner reads an archive or SBOM that no step writes",
    explanation: "Paths of an action's inputs are relative to the workspace; `working-directory` moves only `run` steps.",
    check,
};

/// A scan that may fail fails unseen.
fn said(site: &Site<'_>, finding: Finding) -> Finding {
    if site.is_silent_scan() {
        return site
            .weighed(finding)
            .then("nothing is scanned, and the step may fail: nobody sees it");
    }
    finding.then("the scanner fails, or scans nothing")
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let scans = context.reads().filter(|read| read.usage == FileUse::Scan);
    for read in scans {
        let message = format!("no step writes {}, which is scanned", shown(read.file));
        let finding = nameless(&RULE, &read).or_else(|| absent(&RULE, &read, message, "scan"));
        findings.extend(finding.map(|finding| said(&read.site, finding)));
    }
}
