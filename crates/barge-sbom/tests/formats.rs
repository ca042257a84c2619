//! A root file system with packages of many kinds, and evidence that is broken: what is found, that equal input gives
//! equal bytes, and that bills survive being read back.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;

use barge_sbom::format::{Provenance, cyclonedx, github, spdx, text};
use barge_sbom::{Error, Options, PackageKind, Sbom, bom, catalog_directory};

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = root.path();
    write(
        at,
        "usr/lib/os-release",
        "ID=debian\nVERSION_ID=\"13\"\nPRETTY_NAME=\"Debian & <13>\"\n",
    );
    std::os::unix::fs::symlink("usr/lib", at.join("lib")).unwrap();
    fs::create_dir_all(at.join("etc")).unwrap();
    std::os::unix::fs::symlink("../usr/lib/os-release", at.join("etc/os-release")).unwrap();
    // The database was moved and linked.
    write(
        at,
        "srv/dpkg/status",
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc (2.41-12)\nVersion: 2.41-12+b1\nMaintainer: A <a@b.example>\n\n\
Package: python3-six\nStatus: install ok installed\nArchitecture: all\nVersion: 1.17.0-1\nDepends: libc6\n\n\
Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
    );
    fs::create_dir_all(at.join("var/lib")).unwrap();
    std::os::unix::fs::symlink("../../srv/dpkg", at.join("var/lib/dpkg")).unwrap();
    write(
        at,
        "srv/dpkg/info/python3-six.list",
        "/.\n/lib/python3/dist-packages/six-1.17.0.dist-info/METADATA\n",
    );
    write(
        at,
        "usr/share/doc/libc6/copyright",
        "Format: x\nLicense: LGPL-2.1+\n\nLicense: weird text\n",
    );
    let six = "Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\nLicense: MIT\n\n";
    write(
        at,
        "usr/lib/python3/dist-packages/six-1.17.0.dist-info/METADATA",
        six,
    );
    write(
        at,
        "opt/venv/lib/site-packages/six-1.17.0.dist-info/METADATA",
        six,
    );
    write(
        at,
        "app/node_modules/@s/a/package.json",
        r#"{"name":"@s/a","version":"1.0.0","license":"(MIT OR Apache-2.0)","dependencies":{"b":"1"},"homepage":"https://a b"}"#,
    );
    write(
        at,
        "app/node_modules/b/package.json",
        r#"{"name":"b","version":"2.0.0","homepage":"https://b.example/"}"#,
    );
    write(
        at,
        "app/node_modules/b/dist/package.json",
        r#"{"name":"stub"}"#,
    );
    write(
        at,
        "app/node_modules/deep/package.json",
        "[".repeat(100_000),
    );
    write(at, "app/broken.jar", b"PK\x03\x04 but nothing more");
    write(
        at,
        "app/Cargo.lock",
        "[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n",
    );
    root
}

fn sbom(root: &Path, options: &Options) -> Sbom {
    let mut sbom = catalog_directory(root, options).unwrap();
    sbom.subject.name = "a name with spaces & <signs>".into();
    sbom
}

fn provenance() -> Provenance {
    Provenance {
        created: jiff::Timestamp::UNIX_EPOCH,
        tool_version: "1.2.3".into(),
        author: Some("Example".into()),
    }
}

#[test]
fn finds_what_is_there_and_says_what_it_could_not_read() {
    let root = root();
    let sbom = sbom(root.path(), &Options::default());
    let found: Vec<_> = sbom
        .packages
        .iter()
        .map(|package| {
            (
                package.name.as_str(),
                package.owned_by.is_some(),
                package.evidence.len(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("libc6", false, 1),
            ("python3-six", false, 1),
            ("@s/a", false, 1),
            ("b", false, 1),
            ("six", false, 1),
            ("six", true, 1),
        ]
    );
    let libc = &sbom.packages[0];
    assert_eq!(libc.evidence[0].path, "srv/dpkg/status");
    assert_eq!(libc.licenses, ["LGPL-2.1-or-later", "weird text"]);
    assert_eq!(
        sbom.packages[1].depends_on,
        std::slice::from_ref(&libc.purl)
    );
    assert_eq!(sbom.packages[2].depends_on, ["pkg:npm/b@2.0.0"]);
    let unread: Vec<_> = sbom
        .unknowns
        .iter()
        .map(|unknown| unknown.path.as_str())
        .collect();
    assert_eq!(
        unread,
        ["app/broken.jar", "app/node_modules/deep/package.json"]
    );
}

#[test]
fn lock_files_count_only_when_asked_for() {
    let root = root();
    let options = Options {
        declared: true,
        ..Options::default()
    };
    let declared = sbom(root.path(), &options);
    assert!(
        declared
            .packages
            .iter()
            .any(|package| package.kind == PackageKind::Cargo)
    );
}

#[test]
fn a_path_restricts_and_must_exist() {
    let root = root();
    let of = |path: &str| {
        let options = Options {
            path: Some(path.to_owned()),
            ..Options::default()
        };
        catalog_directory(root.path(), &options)
    };
    let names = |path: &str| {
        of(path)
            .unwrap()
            .packages
            .into_iter()
            .map(|package| package.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/app"), ["@s/a", "b"]);
    assert_eq!(names("var/lib/dpkg/status"), ["libc6", "python3-six"]);
    assert!(matches!(of("/app/none"), Err(Error::NoSuchPath { .. })));
}

#[test]
fn equal_input_gives_equal_bytes_and_survives_being_read_back() {
    let (first, second) = (root(), root());
    let (one, two) = (
        sbom(first.path(), &Options::default()),
        sbom(second.path(), &Options::default()),
    );
    let json = cyclonedx::write_json(&one, &provenance());
    assert_eq!(json, cyclonedx::write_json(&two, &provenance()));
    let names = |sbom: &Sbom| {
        let name = |package: &barge_sbom::Package| {
            (
                package.purl.clone(),
                package.name.clone(),
                package.version.clone(),
                package.source.clone(),
            )
        };
        sbom.packages.iter().map(name).collect::<Vec<_>>()
    };
    for bytes in [
        json,
        cyclonedx::write_xml(&one, &provenance()),
        spdx::write_json(&one, &provenance()),
        text::write_json(&one),
    ] {
        let read = bom::read(&bytes).unwrap();
        assert_eq!(names(&read), names(&one));
        assert_eq!(read.distro.unwrap().version_id.as_deref(), Some("13"));
    }
}

#[test]
fn a_snapshot_holds_every_package_once() {
    let root = root();
    let job = github::Job {
        sha: "0".repeat(40),
        reference: "refs/heads/main".into(),
        id: "1".into(),
        correlator: "ci_scan".into(),
        html_url: None,
    };
    let snapshot = github::write(&sbom(root.path(), &Options::default()), &provenance(), &job);
    let json: serde_json::Value = serde_json::from_slice(&snapshot).unwrap();
    let manifests = json["manifests"].as_object().unwrap();
    let resolved: usize = manifests
        .values()
        .map(|manifest| manifest["resolved"].as_object().unwrap().len())
        .sum();
    assert_eq!(resolved, 6);
}
