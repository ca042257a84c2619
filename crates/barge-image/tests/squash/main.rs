//! The root file system view, rule by rule: beside what must be there, and beside what a real daemon makes of the same
//! layers. Both hold for every rule of `rules.txt`; where the daemon refuses an image or shows something else, it says so.
//!
//! Where no Docker daemon answers, its half is counted as ignored; in CI (`CI=true`) it fails instead.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests ask the environment and fail by panicking"
)]

mod encode;
mod listing;
mod rules;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use listing::{Way, docker, ours, theirs};
use rules::Rule;

fn main() -> ExitCode {
    let answers = docker(&["version"], &[]);
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let ignored = answers.is_err() && !in_ci;
    let rules: &'static [Rule] = Box::leak(Rule::all().into_boxed_slice());
    let trials = rules.iter().enumerate().flat_map(|(number, rule)| {
        let view = Trial::test(format!("view::{}", rule.name), || view(rule));
        let daemon = Trial::test(format!("daemon::{}", rule.name), move || {
            daemon(number, rule)
        });
        [view, daemon.with_ignored_flag(ignored)]
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// The view holds what the rule says, whichever way the layers are read.
fn view(rule: &Rule) -> Result<(), Failed> {
    let layers = rule.layers();
    for way in [Way::Extent, Way::Stream] {
        equal(&format!("{way:?}"), &ours(&layers, way), &rule.files)?;
    }
    Ok(())
}

/// The daemon shows the same, or what the rule says it does instead.
fn daemon(number: usize, rule: &Rule) -> Result<(), Failed> {
    let name = format!("barge-test/squash:{}-{number}", std::process::id());
    match (theirs(&name, &rule.layers()), &rule.refusal) {
        (Ok(files), None) => equal("daemon", &files, rule.shown.as_ref().unwrap_or(&rule.files)),
        (Err(words), Some(refusal)) if words.contains(refusal) => Ok(()),
        (result, refusal) => Err(format!("expected refusal {refusal:?}, found {result:?}").into()),
    }
}

fn equal(whose: &str, found: &[String], expected: &[String]) -> Result<(), Failed> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{whose} has {found:#?} instead of {expected:#?}").into())
    }
}
