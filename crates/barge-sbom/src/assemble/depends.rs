//! What depends on what, within the reach that each ecosystem looks into: the whole image for distribution packages, one
//! site directory for Python, the nested `node_modules` for npm, one program or archive for what is compiled in.

use std::collections::HashMap;

use super::Candidate;
use crate::catalog::normalize_python;
use crate::package::PackageKind;

/// Fills `depends_on` of every package.
pub(super) fn link(candidates: &mut [Candidate<'_>]) {
    let mut index: HashMap<(PackageKind, String, String), Vec<usize>> = HashMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let found = candidate.found;
        let reach = reach(candidate);
        let names = std::iter::once(&found.name).chain(&found.provides);
        for name in names {
            let key = (found.kind, reach.clone(), comparable(found.kind, name));
            index.entry(key).or_default().push(at);
        }
        // Distribution packages may need files, such as `/bin/sh`.
        if found.kind == PackageKind::Rpm {
            for file in &found.files {
                let key = (
                    found.kind,
                    reach.clone(),
                    format!("/{}", file.trim_start_matches('/')),
                );
                index.entry(key).or_default().push(at);
            }
        }
    }
    let links: Vec<Vec<String>> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| {
            let mut purls: Vec<String> = candidate
                .found
                .requires
                .iter()
                .flatten()
                .flat_map(|need| providers(&index, candidate, need))
                .filter(|provider| *provider != at)
                .filter_map(|provider| candidates.get(provider))
                .map(|provider| provider.purl.clone())
                .filter(|purl| *purl != candidate.purl)
                .collect();
            purls.sort();
            purls.dedup();
            purls
        })
        .collect();
    for (candidate, purls) in candidates.iter_mut().zip(links) {
        candidate.depends_on = purls;
    }
}

fn providers(
    index: &HashMap<(PackageKind, String, String), Vec<usize>>,
    candidate: &Candidate<'_>,
    need: &str,
) -> Vec<usize> {
    let kind = candidate.found.kind;
    let look = |reach: &str| index.get(&(kind, reach.to_owned(), comparable(kind, need)));
    if kind != PackageKind::Npm {
        return look(&reach(candidate)).cloned().unwrap_or_default();
    }
    // Node looks into `node_modules` beside the package and beside every directory above it.
    let mut directory = candidate.path.as_str();
    while let Some((above, _)) = directory.rsplit_once('/') {
        let modules = match above {
            "" => "node_modules".to_owned(),
            _ => format!("{above}/node_modules"),
        };
        if let Some(found) = look(&modules) {
            return found.clone();
        }
        directory = above;
    }
    look("node_modules").cloned().unwrap_or_default()
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
            before
                .rsplit_once('/')
                .map_or(String::new(), |(site, _)| site.to_owned())
        }
        PackageKind::Npm => {
            let end = path.rfind("node_modules/");
            let modules = end.and_then(|end| path.get(..end + "node_modules".len()));
            modules.unwrap_or("usr/share/nodejs").to_owned()
        }
        PackageKind::Gem | PackageKind::Composer | PackageKind::Cran => path
            .rsplit_once('/')
            .map_or(String::new(), |(directory, _)| directory.to_owned()),
        _ => path.clone(),
    }
}

fn comparable(kind: PackageKind, name: &str) -> String {
    match kind {
        PackageKind::Pypi => normalize_python(name),
        _ => name.to_owned(),
    }
}
