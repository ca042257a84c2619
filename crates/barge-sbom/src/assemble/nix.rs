//! Nix: the folders of the store, `nix/store/HASH-NAME-VERSION[-OUTPUT]`, are packages (Nix manual, "Store path"). They
//! are folders, so no file's content is asked; derivations and sources are no packages.

use barge_image::layer::EntryKind;
use barge_image::rootfs::{NodeId, RootFs};

use crate::finding::{Finding, Found};
use crate::package::PackageKind;

/// Outputs of a package that the folder's name ends with.
const OUTPUTS: [&str; 8] = ["bin", "dev", "doc", "info", "lib", "man", "out", "static"];

/// The packages of the store.
pub(super) fn packages(tree: &RootFs<'_, Finding>) -> Vec<(NodeId, Found)> {
    let Some(store) = tree.resolve(b"nix/store") else {
        return Vec::new();
    };
    let folders = tree
        .children(store)
        .filter(|node| tree.kind(*node) == EntryKind::Directory);
    folders
        .filter_map(|node| {
            let name = std::str::from_utf8(tree.file_name(node)).ok()?;
            Some((node, package(name)?))
        })
        .collect()
}

fn package(folder: &str) -> Option<Found> {
    let (hash, rest) = folder.split_once('-')?;
    let is_hash = hash.len() == 32
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_hash || rest.ends_with(".drv") {
        return None;
    }
    // The version begins at the first hyphen that no letter follows (Nix manual, `builtins.parseDrvName`).
    let mut hyphens = rest.match_indices('-').map(|(at, _)| at);
    let at = hyphens.find(|at| rest[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
    let (name, version) = (&rest[..at], &rest[at + 1..]);
    let (version, output) = match version.rsplit_once('-') {
        Some((version, output)) if OUTPUTS.contains(&output) => (version, output),
        _ => (version, ""),
    };
    let mut found = Found::new(PackageKind::Nix, name, version);
    found.fact("output", output);
    found.fact("store-hash", hash);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_of_folders() {
        let hash = "0123456789abcdfghijklmnpqrsvwxyz";
        let read = |rest: &str| {
            let found = package(&format!("{hash}-{rest}"))?;
            Some(format!("{}@{}", found.name, found.version))
        };
        assert_eq!(read("glibc-2.39-52").as_deref(), Some("glibc@2.39-52"));
        assert_eq!(
            read("openssl-3.0.13-bin").as_deref(),
            Some("openssl@3.0.13")
        );
        assert_eq!(
            read("python3.11-setuptools-69.1").as_deref(),
            Some("python3.11-setuptools@69.1")
        );
        assert_eq!(read("bash-5.2.drv"), None);
        assert_eq!(read("source"), None);
        assert!(package("short-name-1.0").is_none());
    }
}
