//! tar-not-loadable: `docker load` gets an archive it does not take.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {outputs: "type=tar,dest=app.tar"}      # a root file system
//! - run: docker load -i app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Archive, Content, FactKind, FileUse, Format, Resolution};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "tar-not-loadable",
    severity: Severity::Error,
    summary: "an archive that `docker load` does not take is loaded",
    explanation: "`type=tar` writes a root file system, `type=oci` an OCI layout that daemons before 25 cannot load. `type=docker` is what \
        `docker load` takes.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Read(file, FileUse::Load, Resolution::Written(found)) = &fact.kind else {
                continue;
            };
            for (condition, content, place) in found {
                let Content::Images(Archive {
                    format: format @ (Format::RootFilesystem | Format::Oci),
                    ..
                }) = content
                else {
                    continue;
                };
                let Some(case) = case_of(&job.condition.and(&fact.condition).and(condition))
                    .filter(|_| !fact.tolerated)
                else {
                    continue;
                };
                let what = if *format == Format::Oci {
                    "an OCI layout"
                } else {
                    "a root file system"
                };
                let kind = if *format == Format::Oci {
                    "type=oci"
                } else {
                    "type=tar"
                };
                let mut finding = Context::finding(
                    RULE.id,
                    Severity::Error,
                    &fact.place,
                    format!("{} is {what}, not what `docker save` writes", shown(file)),
                )
                .with_evidence(
                    &place.source,
                    place.span,
                    format!("written here with {kind}"),
                );
                finding.case = Some(case_words(trace, &case));
                finding.consequence =
                    Some("docker load fails: \"repositories: no such file or directory\"".into());
                let text = place.source.slice(place.span);
                finding.fix = text.find(kind).map(|at| {
                    let span = crate::source::Span::new(
                        place.span.start + at,
                        place.span.start + at + kind.len(),
                    );
                    Fix::edit(
                        "write it with type=docker",
                        &place.source,
                        span,
                        "type=docker",
                    )
                });
                findings.push(finding);
                break;
            }
        }
    }
}
