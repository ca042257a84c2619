//! The rules on files: `rules/<rule>/bad*.yml` shows the defect, `good*.yml` its absence, `fixed*.yml` what `--fix` makes
//! of the bad one. What is said stands beside each bad file. `BLESS=1` writes what is expected anew.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read their files and fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use barge_workflow::finding::apply_edits;
use barge_workflow::mend::mend;
use barge_workflow::rule::RULES;
use barge_workflow::{Finding, Source, check, render};

fn files(folder: &Path, start: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(start) && name.ends_with(".yml")
        })
        .collect();
    files.sort();
    files
}

fn findings(path: &Path) -> (Source, Vec<Finding>) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let source = Source::new(&name, &fs::read_to_string(path).unwrap());
    let checked = check(&source, &(), None).unwrap();
    (source, checked.findings)
}

fn compare(path: &Path, actual: &str, failures: &mut Vec<String>) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        failures.push(format!("{} differs, it is now:\n{actual}", path.display()));
    }
}

#[test]
fn every_rule_has_files_and_keeps_its_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut failures = Vec::new();
    let folders: BTreeSet<String> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(folders, ids, "a folder for each rule, and none else");
    for rule in RULES {
        let folder = root.join(rule.id);
        let (bad, good) = (files(&folder, "bad"), files(&folder, "good"));
        if bad.is_empty() || good.is_empty() {
            failures.push(format!("{} needs a bad and a good file", rule.id));
        }
        for path in &bad {
            check_bad(rule.id, path, &mut failures);
        }
        for path in &good {
            let (_, found) = findings(path);
            for finding in found {
                failures.push(format!(
                    "{}: nothing is wrong here, but:\n{}",
                    path.display(),
                    plain(&finding)
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn fixes_leave_nothing_for_a_second_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    for rule in RULES {
        for path in files(&root.join(rule.id), "bad") {
            let (source, _) = findings(&path);
            let once = mend(&source, &(), None, &|all| all.iter().collect()).unwrap();
            let twice = mend(&once.source, &(), None, &|all| all.iter().collect()).unwrap();
            assert_eq!(twice.count, 0, "{}", path.display());
            assert_eq!(
                twice.source.text(),
                once.source.text(),
                "{}",
                path.display()
            );
        }
    }
}

fn plain(finding: &Finding) -> String {
    render::human(finding, &|_, text| text.to_owned())
}

fn check_bad(rule: &str, path: &Path, failures: &mut Vec<String>) {
    let (source, found) = findings(path);
    if !found.iter().any(|finding| finding.rule == rule) {
        failures.push(format!("{}: {rule} says nothing", path.display()));
    }
    let said: Vec<String> = found.iter().map(plain).collect();
    compare(&path.with_extension("txt"), &said.join("\n"), failures);
    let edits: Vec<_> = found
        .iter()
        .filter(|finding| finding.rule == rule)
        .filter_map(|finding| finding.fix.as_ref())
        .flat_map(|fix| fix.edits.clone())
        .collect();
    let fixed = path.with_file_name(
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .replacen("bad", "fixed", 1),
    );
    if edits.is_empty() {
        if fixed.exists() {
            failures.push(format!(
                "{} is there, but nothing was fixed",
                fixed.display()
            ));
        }
        return;
    }
    let text = apply_edits(source.text(), &edits);
    compare(&fixed, &text, failures);
    // What the fix brings to light is another finding: only those that were fixed must be gone.
    let mended: BTreeSet<&str> = found
        .iter()
        .filter(|finding| {
            finding
                .fix
                .as_ref()
                .is_some_and(|fix| !fix.edits.is_empty())
        })
        .map(|finding| finding.message.as_str())
        .collect();
    let again = check(&Source::new("fixed.yml", &text), &(), None).unwrap();
    for finding in again
        .findings
        .iter()
        .filter(|finding| finding.rule == rule && mended.contains(finding.message.as_str()))
    {
        failures.push(format!(
            "{}: still wrong after the fix:\n{}",
            path.display(),
            plain(finding)
        ));
    }
}
