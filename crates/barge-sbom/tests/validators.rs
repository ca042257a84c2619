//! The validators of the specifications, on the bill of every kind of image.
//!
//! They are Python programs: `BARGE_PYTHON` names an interpreter that has cyclonedx-python-lib and spdx-tools. In CI their
//! absence is a failure; elsewhere nothing is validated then.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests ask the environment, and their helpers fail as tests do"
)]

use std::fs;
use std::process::Command;

use barge_image::Digest;
use barge_sbom::format::{Provenance, cyclonedx, spdx};
use barge_sbom::{
    Distro, Evidence, LayerFact, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown, bom,
};

fn empty(name: &str) -> Sbom {
    Sbom {
        subject: Subject {
            name: name.to_owned(),
            ..Subject::default()
        },
        distro: None,
        layers: Vec::new(),
        packages: Vec::new(),
        unknowns: Vec::new(),
    }
}

fn image(name: &str) -> Sbom {
    let mut sbom = empty(name);
    sbom.subject = Subject {
        references: vec![name.parse().unwrap()],
        image: Some(Digest::of(b"config")),
        manifest: Some(Digest::of(b"manifest")),
        architecture: Some("amd64".into()),
        ..sbom.subject
    };
    sbom.layers = vec![
        LayerFact {
            diff_id: Digest::of(b"layer"),
            instruction: Some("RUN /bin/sh -c echo \"a\t<b>\" && \\\n true # \u{1b}[1m".into()),
        },
        LayerFact {
            diff_id: Digest::of(b"other layer"),
            instruction: None,
        },
    ];
    sbom
}

fn debian() -> Distro {
    Distro {
        id: "debian".into(),
        version_id: Some("13".into()),
        pretty_name: Some("Debian & <13>".into()),
        ..Distro::default()
    }
}

fn at(path: &str) -> Evidence {
    Evidence {
        path: path.to_owned(),
        layer: Some(Digest::of(b"layer")),
        layer_index: Some(0),
    }
}

fn package(kind: PackageKind, name: &str, version: &str, purl: &str) -> Package {
    Package {
        evidence: vec![at("a/file")],
        ..Package::new(kind, name, version, purl)
    }
}

/// A distribution's image: sources, owners, dependencies, a jar in a jar.
fn distribution() -> Sbom {
    let mut sbom = image("registry.example/team/app:1");
    sbom.distro = Some(debian());
    let libc = "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc";
    let six = "pkg:pypi/six@1.17.0";
    let mut deb = package(PackageKind::Deb, "libc6", "2.41-12", libc);
    deb.source = Some(SourcePackage {
        name: "glibc".into(),
        version: "2.41-12".into(),
    });
    deb.facts = [("maintainer", "GNU Libc <a@b.example>, Other <c@d.example>")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let mut owned = package(PackageKind::Pypi, "six", "1.17.0", six);
    owned.owned_by = Some(libc.into());
    owned.depends_on = vec![libc.into()];
    let mut jar = package(PackageKind::Maven, "a.b:c", "1", "pkg:maven/a.b/c@1");
    jar.hashes = [("SHA-1".to_owned(), "a".repeat(40))].into();
    let mut inner = package(PackageKind::Maven, "a.b:d", "2", "pkg:maven/a.b/d@2");
    inner.evidence = vec![at("app.war!/lib/c.jar!/d.jar"), at("other.jar!/d.jar")];
    inner.part_of = Some(jar.purl.clone());
    let managed = package(PackageKind::Pypi, "six", "1.17.0", six);
    sbom.packages = vec![deb, jar, inner, managed, owned];
    sbom
}

/// Names, versions and licences as hostile or careless packages state them.
fn hostile() -> Sbom {
    let mut sbom = image(
        "registry.example/hostile@sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0",
    );
    sbom.subject.name = "a\u{1b}[31m \u{202e}name\n<&>\"'\u{fffe}".into();
    let licenses: [&[&str]; 12] = [
        &[],
        &[""],
        &["MIT"],
        &["mit or apache-2.0"],
        &["MIT", "GPL-2.0+"],
        &["MIT OR", "BSD"],
        &["LicenseRef-own"],
        &["See LICENSE <file>\n\u{1}\ttext"],
        &["LGPL-2.1-or-later", "LicenseRef-a AND MIT"],
        &["GPL-2.0-with-classpath-exception"],
        &["(((("],
        &["\u{1f980}", "NONE", "NOASSERTION"],
    ];
    for (number, licenses) in licenses.into_iter().enumerate() {
        let name = format!("x\u{7}{number}\u{1f980} \"<y>\"&\r\n\\");
        let purl = format!("pkg:npm/x{number}@1.0.0%2B%3C%3E");
        let mut package = package(PackageKind::Npm, &name, "1.0.0+<>\u{0}", &purl);
        package.licenses = licenses.iter().map(|text| (*text).to_owned()).collect();
        package.evidence = vec![at("d/\u{fffd}\u{fffd}\n<x>/package.json")];
        let homepage = [
            "",
            "not an address",
            "https://a b",
            "http://[::1",
            "https://ok.example/?a=b&c=d",
            "javascript:alert(1)",
            "https://user:pass@x.example:99999/\u{e9}",
        ][number % 7];
        let author = [
            "",
            "A (b) <c@d.example>",
            "<only@mail.example>",
            "Name <not mail>",
            "((()))",
            "\n\u{1}",
        ][number % 6];
        package.facts = [
            ("homepage", homepage),
            ("author", author),
            ("description", "de\u{0}scr\u{1b}iption]]>"),
            (
                "cpe",
                ["cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", "no cpe"][number % 2],
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        package.hashes = [
            ("MD5".to_owned(), "0".repeat(32)),
            ("SHA-256".to_owned(), "0".repeat(64)),
            ("SHA-512".to_owned(), "short".to_owned()),
            ("BLAKE9".to_owned(), "0".repeat(64)),
        ]
        .into();
        package.depends_on = vec!["pkg:npm/not-there@1".into(), purl];
        sbom.packages.push(package);
    }
    sbom.unknowns = vec![Unknown {
        path: "bad\u{1}\n<jar>".into(),
        reason: "broken: \"x\" & <y>".into(),
    }];
    sbom
}

/// Every kind of image, by name.
fn kinds() -> Vec<(&'static str, Sbom)> {
    let mut distroless = image("distroless:latest");
    distroless.distro = Some(debian());
    let mut rolling = image("rolling:latest");
    rolling.distro = Some(Distro {
        id: "arch".into(),
        ..Distro::default()
    });
    rolling.packages = vec![package(
        PackageKind::Alpm,
        "pacman",
        "7.0.0-1",
        "pkg:alpm/arch/pacman@7.0.0-1?arch=x86_64&distro=arch",
    )];
    let mut program = image("program:1");
    program.packages = vec![package(
        PackageKind::Generic,
        "redis",
        "7.2.4",
        "pkg:generic/redis@7.2.4",
    )];
    program.packages[0].facts = [
        ("classifier", "redis"),
        ("cpe", "cpe:2.3:a:redis:redis:7.2.4:*:*:*:*:*:*:*"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    vec![
        ("scratch", image("scratch:1")),
        ("distroless", distroless),
        ("rolling", rolling),
        ("program", program),
        ("distribution", distribution()),
        ("hostile", hostile()),
        ("folder", empty("/some/folder with spaces")),
        ("nameless", empty("")),
    ]
}

fn provenance(author: Option<&str>) -> Provenance {
    Provenance {
        created: jiff::Timestamp::UNIX_EPOCH,
        tool_version: "1.2.3".into(),
        author: author.map(str::to_owned),
    }
}

/// What a bill is in each format that has a validator, by the end of its file's name.
fn formats(sbom: &Sbom) -> [(&'static str, Vec<u8>); 3] {
    let provenance = provenance(Some("Example \"& Sons\" (Ltd)"));
    [
        ("cdx.json", cyclonedx::write_json(sbom, &provenance)),
        ("cdx.xml", cyclonedx::write_xml(sbom, &provenance)),
        ("spdx.json", spdx::write_json(sbom, &provenance)),
    ]
}

#[test]
fn the_validators_of_the_specifications_accept_every_kind_of_image() {
    let python = std::env::var("BARGE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_validators = Command::new(&python)
        .args(["-c", "import cyclonedx, spdx_tools"])
        .output();
    if !has_validators.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "`{python}` has no cyclonedx-python-lib and spdx-tools"
        );
        println!("`{python}` has no cyclonedx-python-lib and spdx-tools, nothing validated");
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (kind, sbom) in kinds() {
        for (end, bytes) in formats(&sbom) {
            let path = out.path().join(format!("{kind}.{end}"));
            fs::write(&path, bytes).unwrap();
            paths.push(path);
        }
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/validate.py");
    let output = Command::new(&python)
        .arg(script)
        .args(paths)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_kind_of_image_is_read_back() {
    for (kind, sbom) in kinds() {
        for (end, bytes) in formats(&sbom) {
            let read = bom::read(&bytes).unwrap_or_else(|error| panic!("{kind}.{end}: {error}"));
            let purls = |sbom: &Sbom| {
                let purls = sbom.packages.iter().map(|package| package.purl.clone());
                purls.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(purls(&read), purls(&sbom), "{kind}.{end}");
            assert_eq!(
                read.unknowns.len(),
                sbom.unknowns.len(),
                "{kind}.{end} says what it could not read"
            );
            assert_eq!(
                read.distro.map(|distro| distro.id),
                sbom.distro.as_ref().map(|distro| distro.id.clone()),
                "{kind}.{end}"
            );
        }
    }
}
