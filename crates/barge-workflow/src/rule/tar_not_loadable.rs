//! tar-not-loadable: `docker load` gets an archive it does not take.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {outputs: "type=tar,dest=app.tar"}      # a root file system
//! - run: docker load -i app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Archive, Content, FileUse, Format, Place, Resolution};
use crate::symbolic::Condition;

use super::Rule;
use super::context::{Context, FileRead, shown};

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
    let loads = context.reads().filter(|read| read.usage == FileUse::Load);
    for read in loads {
        if let Resolution::Written(found) = read.resolution {
            findings.extend(found.iter().find_map(|written| report(&read, written)));
        }
    }
}

fn report(
    read: &FileRead<'_>,
    (condition, content, place): &(Condition, Content, Place),
) -> Option<Finding> {
    let Content::Images(Archive { format, .. }) = content else {
        return None;
    };
    let (what, kind) = match format {
        Format::Oci => ("an OCI layout", "type=oci"),
        Format::RootFilesystem => ("a root file system", "type=tar"),
        Format::Docker | Format::Unknown => return None,
    };
    let case = read.site.case_when(condition)?;
    let message = format!(
        "{} is {what}, not what `docker save` writes",
        shown(read.file)
    );
    let fix = place.text().find(kind).map(|at| {
        let kind = place.part(at, at + kind.len());
        Fix::edit("write it with type=docker", &kind, "type=docker")
    });
    let finding = RULE
        .finding(&read.site.fact.place, message)
        .with_evidence(place, format!("written here with {kind}"))
        .in_case(case)
        .then("docker load fails: \"repositories: no such file or directory\"")
        .mended_by(fix);
    Some(finding)
}
