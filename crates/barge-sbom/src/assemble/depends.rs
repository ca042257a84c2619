//! What depends on what, within the reach that each ecosystem looks into: the whole image for distribution packages, one
//! site directory for Python, the nested `node_modules` for npm, one program or archive for what is compiled in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::candidate::Candidate;
use crate::package::PackageKind;
use crate::purl::pypi_name;

/// The names by which packages are needed within one place, and who has them.
type Names<'a> = HashMap<Cow<'a, str>, Vec<usize>>;
/// The names of each kind and place.
type Index<'a> = HashMap<(PackageKind, String), Names<'a>>;

/// Fills `depends_on` of every package.
pub(super) fn link(candidates: &mut [Candidate<'_>]) {
    let index = index(candidates);
    let links: Vec<_> = (0..candidates.len())
        .map(|at| purls(&index, candidates, at))
        .collect();
    for (candidate, purls) in candidates.iter_mut().zip(links) {
        candidate.depends_on = purls;
    }
}

fn index<'a>(candidates: &[Candidate<'a>]) -> Index<'a> {
    let mut index = Index::new();
    let files = needed_files(candidates);
    for (at, candidate) in candidates.iter().enumerate() {
        let found = candidate.found;
        let names = index.entry((found.kind, reach(candidate))).or_default();
        for name in std::iter::once(&found.name).chain(&found.provides) {
            let name = comparable(found.kind, name);
            names.entry(name).or_default().push(at);
        }
        for file in found.files.iter().map(|file| file.trim_start_matches('/')) {
            if found.kind == PackageKind::Rpm && files.contains(file) {
                let name = Cow::Owned(format!("/{file}"));
                names.entry(name).or_default().push(at);
            }
        }
    }
    index
}

/// Packages of rpm may need files, such as `/bin/sh`.
fn needed_files<'a>(candidates: &[Candidate<'a>]) -> HashSet<&'a str> {
    let rpms = candidates
        .iter()
        .filter(|candidate| candidate.found.kind == PackageKind::Rpm);
    rpms.flat_map(|candidate| candidate.found.requires.iter().flatten())
        .filter_map(|need| need.strip_prefix('/'))
        .collect()
}

/// The package URLs of what one package needs, sorted.
fn purls(index: &Index<'_>, candidates: &[Candidate<'_>], at: usize) -> Vec<String> {
    let Some(candidate) = candidates.get(at) else {
        return Vec::new();
    };
    let places = places(index, candidate);
    let kind = candidate.found.kind;
    let needs = candidate.found.requires.iter().flatten();
    let mut purls: Vec<&str> = needs
        .filter_map(|need| {
            let need = comparable(kind, need);
            places.iter().find_map(|names| names.get(&need))
        })
        .flatten()
        .filter(|provider| **provider != at)
        .filter_map(|provider| candidates.get(*provider))
        .map(|provider| provider.purl.as_str())
        .filter(|purl| *purl != candidate.purl)
        .collect();
    purls.sort_unstable();
    purls.dedup();
    purls.into_iter().map(str::to_owned).collect()
}

/// Where a package looks for what it needs, nearest first.
fn places<'i, 'a>(index: &'i Index<'a>, candidate: &Candidate<'_>) -> Vec<&'i Names<'a>> {
    let kind = candidate.found.kind;
    if candidate.found.requires.is_empty() {
        return Vec::new();
    }
    let look = |place: String| index.get(&(kind, place));
    if kind != PackageKind::Npm {
        return look(reach(candidate)).into_iter().collect();
    }
    // Node looks into `node_modules` beside the package and beside every directory above it.
    let directories = std::iter::successors(directory(&candidate.path), |path| directory(path));
    directories
        .filter(|directory| !directory.is_empty())
        .map(|directory| format!("{directory}/node_modules"))
        .chain(["node_modules".to_owned()])
        .filter_map(look)
        .collect()
}

/// What lies before the last slash.
fn directory(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(directory, _)| directory)
}

/// The place within which a package finds what it needs.
fn reach(candidate: &Candidate<'_>) -> String {
    let path = &candidate.path;
    match candidate.found.kind {
        kind if kind.is_distribution() => String::new(),
        PackageKind::Pypi => {
            let lower = path.to_ascii_lowercase();
            let ends = [".dist-info", ".egg-info", ".egg/"];
            let end = ends.iter().filter_map(|mark| lower.find(mark)).min();
            let before = end.and_then(|end| path.get(..end)).unwrap_or(path);
            directory(before).unwrap_or_default().to_owned()
        }
        PackageKind::Npm => {
            let end = path.rfind("node_modules/");
            let modules = end.and_then(|end| path.get(..end + "node_modules".len()));
            modules.unwrap_or("usr/share/nodejs").to_owned()
        }
        PackageKind::Gem | PackageKind::Composer | PackageKind::Cran => {
            directory(path).unwrap_or_default().to_owned()
        }
        _ => path.clone(),
    }
}

fn comparable(kind: PackageKind, name: &str) -> Cow<'_, str> {
    match kind {
        PackageKind::Pypi => Cow::Owned(pypi_name(name)),
        _ => Cow::Borrowed(name),
    }
}
