//! upload-path-not-produced: an archive is uploaded or cached that no step writes.
//!
//! ```yaml
//! - run: docker save app:1 -o /tmp/image.tar
//! - uses: actions/upload-artifact@v4
//!   with: {name: image, path: /tmp/images.tar}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Content, Fact, FactKind, FileUse, JobTrace, Resolution, covers};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

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
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Read(file, FileUse::Upload, resolution) = &fact.kind else {
                continue;
            };
            let archives = match resolution {
                Resolution::Absent(_) => written_archives(job, number),
                // Something unknown ran before; but what this job saved last is left lying beside the path.
                Resolution::Unknown(_) => orphans(job, number, file),
                Resolution::Written(_) => continue,
            };
            if archives.is_empty() || !is_about_images(file, &archives) || fact.tolerated {
                continue;
            }
            let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
                continue;
            };
            let uploaded_too = job.facts.iter().any(|other| matches!(&other.kind, FactKind::Read(_, FileUse::Upload, Resolution::Written(_)) if other.step == fact.step));
            if uploaded_too {
                continue;
            }
            let message = format!("no step writes {}", shown(file));
            let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message);
            for (written, path) in &archives {
                finding = finding.with_evidence(
                    &written.place.source,
                    written.place.span,
                    format!("{} is written here", shown(path)),
                );
            }
            finding.case = Some(case_words(trace, &case));
            finding.consequence =
                Some("nothing is uploaded; the job stays green and its consumers fail".into());
            if let [(_, only)] = archives.as_slice() {
                finding.fix = Some(fix(fact, file, only));
            }
            findings.push(finding);
        }
    }
}

fn written_archives(job: &JobTrace, before: usize) -> Vec<(&Fact, &Text)> {
    let written = job
        .facts
        .iter()
        .take(before)
        .filter_map(|fact| match &fact.kind {
            FactKind::Written(path, Content::Images(_)) => Some((fact, path)),
            _ => None,
        });
    written.collect()
}

/// Archives in the directory of an uploaded path that nothing reads, with nothing unknown since they were written.
fn orphans<'a>(job: &'a JobTrace, number: usize, file: &Text) -> Vec<(&'a Fact, &'a Text)> {
    let extension = |text: &Text| {
        text.literal_end()
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let directory = |text: &Text| text.split_last('/').map(|(directory, _)| directory);
    let Some((own, _)) = file.as_literal().and(file.split_last('/')) else {
        return Vec::new();
    };
    let is_read = |path: &Text| {
        job.facts.iter().any(|fact| matches!(&fact.kind, FactKind::Read(read, _, _) if covers(read, path) != Comparison::Different))
    };
    let mut found = written_archives(job, number);
    found.retain(|(written, path)| {
        let since = job
            .facts
            .iter()
            .skip_while(|fact| fact.place.span != written.place.span || fact.step != written.step);
        let quiet = !since
            .take_while(|fact| fact.step <= job.facts.get(number).map_or(0, |own| own.step))
            .any(|fact| matches!(fact.kind, FactKind::FilesOpaque(_)) && fact.step != written.step);
        quiet
            && directory(path) == Some(own.clone())
            && extension(path) == extension(file)
            && !is_read(path)
    });
    found
}

/// A path that names an archive, or the directory or name of one that was written.
fn is_about_images(file: &Text, archives: &[(&Fact, &Text)]) -> bool {
    let end = file.literal_end();
    if [".tar", ".tar.gz", ".tgz", ".tar.zst", ".gz"]
        .iter()
        .any(|suffix| end.ends_with(suffix))
    {
        return true;
    }
    // Without a suffix: a directory beside the written file, or its name spelled otherwise.
    let name = |text: &Text| {
        text.split_last('/')
            .map_or_else(|| text.clone(), |(_, name)| name)
            .describe()
    };
    let wanted = name(file);
    archives
        .iter()
        .any(|(_, path)| name(path).starts_with(&wanted) && !wanted.is_empty())
}

fn fix(fact: &Fact, file: &Text, only: &Text) -> Fix {
    let written = fact.place.source.slice(fact.place.span);
    match (file.as_literal(), only.as_literal()) {
        (Some(old), Some(new)) if written.trim() == old => Fix::edit(
            format!("upload `{new}`"),
            &fact.place.source,
            fact.place.span,
            new,
        ),
        _ => Fix::advice(format!("upload {}", shown(only))),
    }
}
