//! digest-from-mutable-tag and mutable-tag-across-jobs: a tag can move between write and read.
//!
//! ```yaml
//! - run: docker push app:latest
//! - run: cosign sign $(crane digest app:latest)    # perhaps another run's image
//! ```

use std::sync::Arc;

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Trace};
use crate::reference::{self, Name};
use crate::scenario::RefKind;
use crate::symbolic::{Comparison, Condition, Piece, Symbol, Text};

use super::Rule;
use super::context::{Context, ImageUse, Site, shown};

/// The rule on digests.
pub(super) const DIGEST_RULE: Rule = Rule {
    id: "digest-from-mutable-tag",
    severity: Severity::Warning,
    summary: "what is signed or attested is named by a tag that was just pushed",
    explanation: "Between push and signature the tag can be moved by another run, and the wrong image is signed. The build step's `digest` \
        output names what was built.",
    check: check_digest,
};

/// The rule on hand-offs.
pub(super) const ACROSS_JOBS_RULE: Rule = Rule {
    id: "mutable-tag-across-jobs",
    severity: Severity::Warning,
    summary: "an image is passed to another job by a tag that every run writes",
    explanation: "Two runs that overlap exchange their images. Pass the digest as a job output.",
    check: check_across_jobs,
};

fn check_digest(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        match &site.fact.kind {
            FactKind::Attested(name) if is_tagged(name) && !site.fact.tolerated => {
                findings.extend(signed_by_tag(&site, name));
            }
            FactKind::DigestRead(name) if is_tagged(name) && !is_of_this_run(name) => {
                findings.extend(looked_up(&site, name));
            }
            _ => {}
        }
    }
}

/// No other run writes a tag with this run's number in it.
fn is_of_this_run(name: &Text) -> bool {
    name.symbols()
        .any(|symbol| matches!(symbol.name(), "github.run_id" | "github.run_number"))
}

fn is_tagged(name: &Text) -> bool {
    Name::of(name).explicit && name.contains("/") && !holds_digest(name)
}

/// A digest is looked up by tag, and something is signed or attested later in the job.
fn looked_up(site: &Site<'_>, name: &Text) -> Option<Finding> {
    let (signed, when) = signed_later(site)?;
    let message = format!(
        "the digest that is signed is read from the tag of {}",
        shown(name)
    );
    let finding = DIGEST_RULE
        .finding(&site.fact.place, message)
        .with_evidence(&signed.place, "signed or attested here")
        .in_case(site.case_when(&when)?)
        .then("when another run moves the tag in between, its image is signed")
        .advised("take the digest from the step that pushed it");
    Some(finding)
}

/// A signature after the look-up, in the job itself or in one that takes its outputs, and when it is made.
fn signed_later<'a>(site: &Site<'a>) -> Option<(&'a Fact, Condition)> {
    let is_signature = |fact: &&Fact| matches!(fact.kind, FactKind::Attested(_));
    let mut later = site.job.facts.iter().skip(site.number);
    if let Some(signed) = later.find(is_signature) {
        return Some((signed, signed.condition.clone()));
    }
    let key = site.job.id.rsplit(" / ").next().unwrap_or_default();
    let handed_on = format!("needs.{key}.outputs.");
    let jobs = site.trace.jobs.iter();
    let takers = jobs.filter(|job| job.needs.contains(&site.job.id));
    takers.into_iter().find_map(|job| {
        let takes = |fact: &&Fact| {
            let step = job.steps.get(fact.step);
            step.is_some_and(|step| step.place.text().contains(&handed_on))
        };
        let signed = job.facts.iter().filter(is_signature).find(takes)?;
        Some((signed, job.condition.and(&signed.condition)))
    })
}

fn signed_by_tag(site: &Site<'_>, name: &Text) -> Option<Finding> {
    let pushed = pushed(site.before(), name)?;
    let message = format!("{} is signed by its tag, not by its digest", shown(name));
    let finding = DIGEST_RULE
        .finding(&site.fact.place, message)
        .with_evidence(&pushed.place, "pushed here")
        .in_case(site.case()?)
        .advised("use `NAME@${{ steps.BUILD.outputs.digest }}`");
    Some(finding)
}

fn holds_digest(name: &Text) -> bool {
    name.contains("@")
        || name
            .symbols()
            .any(|symbol| symbol.name().contains("digest"))
}

/// The fact that pushes exactly this name.
fn pushed<'a>(facts: &'a [Fact], name: &Text) -> Option<&'a Fact> {
    // A registry has no capitals: names that differ in them only are one.
    let name = name.lower();
    facts.iter().find(|fact| {
        matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(&pushed.lower(), &name) == Comparison::Equal)
    })
}

/// One finding a leg: the hand-off is mended once.
fn check_across_jobs(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut said: Option<(*const Trace, *const JobTrace)> = None;
    for usage in context.images() {
        let leg = (
            std::ptr::from_ref(usage.site.trace),
            std::ptr::from_ref(usage.site.job),
        );
        if said == Some(leg) || usage.need == Need::Local || !is_mutable(usage) {
            continue;
        }
        if let Some(finding) = passed_by_tag(usage) {
            said = Some(leg);
            findings.push(finding);
        }
    }
}

fn passed_by_tag(usage: &ImageUse<'_>) -> Option<Finding> {
    let site = &usage.site;
    let jobs = site.trace.jobs.iter();
    let mut needed = jobs.filter(|other| site.job.needs.contains(&other.id));
    let (other, pushed) =
        needed.find_map(|other| Some((other, pushed(&other.facts, usage.name)?)))?;
    let case = site.case_when(&pushed.condition)?;
    let message = format!(
        "{} takes {} from job {} by a tag that every run writes",
        usage.program,
        shown(usage.name),
        other.id
    );
    let finding = ACROSS_JOBS_RULE
        .finding(&site.fact.place, message)
        .with_evidence(&pushed.place, "pushed here")
        .in_case(case)
        .advised("pass the build's digest as a job output");
    Some(finding)
}

/// A tag without anything of this run in it: a word, or what every run of the branch writes.
fn is_mutable(usage: &ImageUse<'_>) -> bool {
    let Some(tag) = Name::of(usage.name).tag else {
        return false;
    };
    let of_tag = usage.site.trace.scenario.reference == RefKind::Tag;
    let is_branch = |symbol: &Arc<Symbol>| {
        let name = symbol.name();
        let name = name.strip_prefix("tag of ").unwrap_or(name);
        !of_tag && ["github.ref_name", "github.head_ref"].contains(&name)
    };
    let mut literals = tag.pieces().iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(without_platform(text)),
        Piece::Symbol(_) => None,
    });
    tag.symbols().all(is_branch)
        && !tag.literal_start().starts_with("sha256")
        && literals.all(|text| !text.contains(|c: char| c.is_ascii_digit()))
}

/// The tag without the platform's name, whose digits are no version.
fn without_platform(tag: &str) -> String {
    [
        "x86_64", "x86-64", "amd64", "arm64", "aarch64", "armv7", "armv6", "386", "s390x",
        "ppc64le", "riscv64",
    ]
    .iter()
    .fold(tag.to_owned(), |tag, platform| tag.replace(platform, ""))
}
