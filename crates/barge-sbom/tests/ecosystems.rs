//! One small root file system for each ecosystem, trimmed from what its own tools wrote, and beside it the list of what
//! they say is installed: `tests/ecosystems/NAME/{root,expected}`. Those called `declared-*` are looked at with lock files.
//!
//! `BLESS=1` writes the lists anew; compare them with the native tools before you commit them.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests ask the environment, and their helpers fail as tests do"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use barge_sbom::{Options, Package, Sbom, catalog_directory};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecosystems");
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn catalog(root: &Path, declared: bool) -> Sbom {
    let options = Options {
        declared,
        ..Options::default()
    };
    catalog_directory(root, &options).unwrap()
}

/// Package URL, licences, the owner's name, and the package around it.
fn line(package: &Package) -> String {
    let mut line = package.purl.clone();
    if !package.licenses.is_empty() {
        line += &format!(" [{}]", package.licenses.join("; "));
    }
    if let Some(source) = &package.source {
        line += &format!(" from {} {}", source.name, source.version);
    }
    if let Some(owner) = &package.owned_by {
        line += &format!(" owned by {owner}");
    }
    if let Some(container) = &package.part_of {
        line += &format!(" in {container}");
    }
    line
}

#[test]
fn lists_what_the_native_tools_list() {
    let cases = cases();
    assert!(cases.len() > 30);
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let sbom = catalog(&case.join("root"), name.starts_with("declared-"));
        let mut lines: Vec<_> = sbom.packages.iter().map(line).collect();
        lines.extend(
            sbom.unknowns
                .iter()
                .map(|unknown| format!("unknown: {}", unknown.path)),
        );
        let found = lines.join("\n") + "\n";
        let list = case.join("expected");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&list, &found).unwrap();
        }
        let expected = fs::read_to_string(&list).unwrap_or_default();
        assert_eq!(found, expected, "{name}");
        for package in &sbom.packages {
            assert!(!package.evidence.is_empty(), "{name}: {}", package.purl);
            assert!(!package.version.is_empty(), "{name}: {}", package.purl);
        }
    }
}

/// Programs of this machine, copied to where no package manager knows them, with the version that they print.
#[test]
fn recognises_programs_without_a_package() {
    let programs: [(&str, &str, &[&str]); 6] = [
        ("bash", "/bin/bash", &["--version"]),
        ("git", "/usr/bin/git", &["--version"]),
        ("gzip", "/bin/gzip", &["--version"]),
        ("openssl", "/usr/bin/openssl", &["version"]),
        ("perl", "/usr/bin/perl", &["-e", "print $^V"]),
        ("xz", "/usr/bin/xz", &["--version"]),
    ];
    let root = tempfile::tempdir().unwrap();
    let mut printed = BTreeSet::new();
    for (package, program, arguments) in programs {
        let Ok(program) = fs::canonicalize(program) else {
            continue;
        };
        let output = Command::new(&program).args(arguments).output().unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let folder = root.path().join("opt").join(package);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&program, folder.join(package)).unwrap();
        printed.insert((package, output));
    }
    assert!(!printed.is_empty());
    let sbom = catalog(root.path(), false);
    for (name, output) in printed {
        let package = sbom.packages.iter().find(|package| package.name == name);
        let version = package.map_or("nothing", |package| &package.version);
        assert!(
            output.contains(version),
            "{name}: found {version}, it prints {output}"
        );
    }
}
