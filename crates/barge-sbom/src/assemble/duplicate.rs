//! Packages that are found twice because two kinds of evidence tell of them: the one that says less is dropped.

use std::collections::HashSet;

use super::candidate::Candidate;
use crate::finding::Found;
use crate::package::PackageKind;

/// Drops what other evidence in the image says better.
pub(super) fn drop_said_better(candidates: &mut Vec<Candidate<'_>>) {
    drop_modules_of_distributions(candidates);
    drop_states_of_controls(candidates);
    drop_programs_of_runtimes(candidates);
}

/// A program that a classifier or a note in it recognised, and that a distribution package owns, is that package, said
/// twice.
pub(super) fn is_copy_of_owner(candidate: &Candidate<'_>) -> bool {
    let facts = &candidate.found.facts;
    candidate.owned_by.is_some() && (facts.contains_key("classifier") || facts.contains_key("note"))
}

/// A module of Perl that a distribution with its author was installed for is the same, said with less.
fn drop_modules_of_distributions(candidates: &mut Vec<Candidate<'_>>) {
    let is_module =
        |found: &Found| found.kind == PackageKind::Cpan && !found.facts.contains_key("namespace");
    let distributions: HashSet<(String, String)> = candidates
        .iter()
        .map(|candidate| candidate.found)
        .filter(|found| found.kind == PackageKind::Cpan && !is_module(found))
        .map(|found| (found.name.clone(), found.version.clone()))
        .collect();
    candidates.retain(|candidate| {
        let found = candidate.found;
        let distribution = (found.name.replace("::", "-"), found.version.clone());
        !is_module(found) || !distributions.contains(&distribution)
    });
}

/// opkg notes the state of a package in one file and what it is in another, which says more.
fn drop_states_of_controls(candidates: &mut Vec<Candidate<'_>>) {
    let is_control = |candidate: &Candidate<'_>| candidate.path.ends_with(".control");
    let known: HashSet<(&str, &str)> = candidates
        .iter()
        .filter(|candidate| candidate.found.kind == PackageKind::Opkg && is_control(candidate))
        .map(|candidate| {
            (
                candidate.found.name.as_str(),
                candidate.found.version.as_str(),
            )
        })
        .collect();
    candidates.retain(|candidate| {
        let found = candidate.found;
        found.kind != PackageKind::Opkg
            || is_control(candidate)
            || !known.contains(&(found.name.as_str(), found.version.as_str()))
    });
}

/// The programs of a Java runtime are that runtime, of which the file `release` at its root says more.
fn drop_programs_of_runtimes(candidates: &mut Vec<Candidate<'_>>) {
    let is = |candidate: &Candidate<'_>, classifier: &str| {
        candidate.found.facts.get("classifier").map(String::as_str) == Some(classifier)
    };
    let roots: HashSet<String> = candidates
        .iter()
        .filter(|candidate| is(candidate, "java-release"))
        .filter_map(|candidate| candidate.path.strip_suffix("release").map(str::to_owned))
        .collect();
    let has_root = |path: &str| {
        let mut ends = path.match_indices('/');
        ends.any(|(end, _)| path.get(..=end).is_some_and(|above| roots.contains(above)))
    };
    candidates.retain(|candidate| !is(candidate, "openjdk") || !has_root(&candidate.path));
}
