//! upload-path-not-produced: an archive is uploaded or cached that no step writes.
//!
//! ```yaml
//! - run: docker save app:1 -o /tmp/image.tar
//! - uses: actions/upload-artifact@v4
//!   with: {name: image, path: /tmp/images.tar}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Content, Fact, FactKind, FileUse, Resolution, covers, file_name, is_archive};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::build_without_output::goes_nowhere;
use super::context::{Context, FileRead, Site, shown};
use super::edit;
use super::load_path_not_present::nameless;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "upload-path-not-produced",
    severity: Severity::Error,
    summary: "an image archive is uploaded or cached under a path that no step writes",
    explanation: "upload-artifact warns and goes on when it finds nothing, so the failure shows in another job. Upload the path that was \
        written, and set `if-no-files-found: error`.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let uploads = context.reads().filter(|read| read.usage == FileUse::Upload);
    findings.extend(uploads.filter_map(|read| report(&read)));
}

fn report(read: &FileRead<'_>) -> Option<Finding> {
    let site = &read.site;
    if let Some(finding) = nameless(&RULE, read) {
        return Some(
            finding.then("nothing is uploaded; the job stays green and its consumers fail"),
        );
    }
    let archives = match read.resolution {
        Resolution::Absent(_) => written_archives(site),
        // Something unknown ran before; but what this job saved last is left lying beside the path.
        Resolution::Unknown(_) => orphans(read),
        Resolution::Written(_) => return None,
    };
    if archives.is_empty() {
        return unmade(read).filter(|_| !uploads_more(site));
    }
    if !is_about_images(read.file, &archives) || uploads_more(site) {
        return None;
    }
    let message = format!("no step writes {}", shown(read.file));
    let mut finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("nothing is uploaded; the job stays green and its consumers fail");
    for (written, path) in &archives {
        finding = finding.with_evidence(&written.place, format!("{} is written here", shown(path)));
    }
    if let [(_, only)] = archives.as_slice() {
        finding = finding.mended_by(edit::renamed("upload", &site.fact.place, read.file, only));
    }
    Some(finding)
}

/// An archive of a job that builds images, none of which goes to a file.
fn unmade(read: &FileRead<'_>) -> Option<Finding> {
    let site = &read.site;
    let absent = matches!(read.resolution, Resolution::Absent(_));
    let mut before = Site::all(site.trace, site.job).take(site.number);
    let built = before.find_map(|site| match &site.fact.kind {
        // Of a build that goes nowhere another rule speaks.
        FactKind::Built(delivery) => (!goes_nowhere(&site, delivery)).then_some(site.fact),
        _ => None,
    })?;
    let elsewhere = read.file.literal_start().starts_with('/');
    let speaks = ["image", "docker"]
        .iter()
        .any(|word| read.file.contains(word));
    if !absent || !is_archive(read.file) || !(elsewhere || speaks) {
        return None;
    }
    let finding = RULE
        .finding(
            &site.fact.place,
            format!("no step writes {}", shown(read.file)),
        )
        .with_evidence(&built.place, "built here, and saved to no file")
        .in_case(site.case()?)
        .then("nothing is uploaded; the job stays green and its consumers fail")
        .advised(
            "save the image first: `docker save NAME -o FILE`, or `outputs: type=docker,dest=FILE`",
        );
    Some(finding)
}

/// Another path of the same step is there: the upload is not empty.
fn uploads_more(site: &Site<'_>) -> bool {
    let own = site
        .job
        .facts
        .iter()
        .filter(|fact| fact.step == site.fact.step);
    own.into_iter().any(|fact| {
        matches!(
            &fact.kind,
            FactKind::Read(_, FileUse::Upload, Resolution::Written(_))
        )
    })
}

fn written_archives<'a>(site: &Site<'a>) -> Vec<(&'a Fact, &'a Text)> {
    let written = site.before().iter().filter_map(|fact| match &fact.kind {
        FactKind::Written(path, Content::Images(_)) => Some((fact, path)),
        _ => None,
    });
    written.collect()
}

/// Archives in the directory of an uploaded path that nothing reads, with nothing unknown since they were written.
fn orphans<'a>(read: &FileRead<'a>) -> Vec<(&'a Fact, &'a Text)> {
    let site = &read.site;
    let extension = |text: &Text| {
        text.literal_end()
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let directory = |text: &Text| text.split_last('/').map(|(directory, _)| directory);
    let Some((own, _)) = read.file.as_literal().and(read.file.split_last('/')) else {
        return Vec::new();
    };
    let is_read = |path: &Text| {
        site.job.facts.iter().any(|fact| matches!(&fact.kind, FactKind::Read(read, _, _) if covers(read, path) != Comparison::Different))
    };
    let mut found = written_archives(site);
    found.retain(|(written, path)| {
        let mut between = site.before().iter().filter(|fact| fact.step > written.step);
        let quiet = !between.any(|fact| matches!(fact.kind, FactKind::FilesOpaque(_)));
        quiet
            && directory(path) == Some(own.clone())
            && extension(path) == extension(read.file)
            && !is_read(path)
    });
    found
}

/// A path that names an archive, or the directory or name of one that was written.
fn is_about_images(file: &Text, archives: &[(&Fact, &Text)]) -> bool {
    if is_archive(file) || file.literal_end().ends_with(".gz") {
        return true;
    }
    // Without a suffix: a directory beside the written file, or its name spelled otherwise.
    let wanted = file_name(file).describe();
    archives
        .iter()
        .any(|(_, path)| file_name(path).describe().starts_with(&wanted) && !wanted.is_empty())
}
