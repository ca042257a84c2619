use barge_sbom::package::Subject;

use super::*;
use crate::matching::Class;
use crate::matching::Match;

fn found(purl: &str, ids: &[&'static str], upstream: &[&'static str]) -> Match<'static> {
    Match::for_tests(purl, ids, upstream, Class::Vulnerability)
}

fn subject(name: &str) -> Subject {
    Subject {
        name: name.to_owned(),
        references: Vec::new(),
        image: None,
        manifest: None,
        architecture: None,
    }
}

fn openvex(product: &str, part: &str, id: &str, status: &str, time: &str) -> String {
    let parts = if part.is_empty() {
        String::new()
    } else {
        format!(r#","subcomponents":[{{"@id":"{part}"}}]"#)
    };
    format!(
        r#"{{"vulnerability":{{"name":"{id}"}},"products":[{{"@id":"{product}"{parts}}}],"status":"{status}","timestamp":"{time}","justification":"code_not_present"}}"#
    )
}

fn is_cleared(found: Match<'_>, image: &str, statements: &[String]) -> bool {
    let document = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{}]}}"#,
        statements.join(",")
    );
    let mut matches = [found];
    apply(
        &mut matches,
        &subject(image),
        &parse("test", document.as_bytes()).unwrap(),
    );
    matches[0].suppressed.is_some()
}

#[test]
fn products_are_packages_or_the_image_that_holds_them() {
    let purl = "pkg:golang/k8s.io/apiserver@v0.34.0";
    let cases = [
        ("pkg:golang/k8s.io/apiserver@0.34.0", "", "x", true),
        ("pkg:golang/k8s.io/apiserver", "", "x", true),
        ("pkg:golang/k8s.io/apiserver@0.35.0", "", "x", false),
        ("pkg:golang/k8s.io/other@0.34.0", "", "x", false),
        (
            "pkg:docker/dhi/trivy",
            "pkg:golang/k8s.io/apiserver@0.34.0",
            "docker.io/dhi/trivy:1",
            true,
        ),
        (
            "pkg:docker/dhi/trivy",
            "pkg:golang/k8s.io/apiserver@0.33.0",
            "docker.io/dhi/trivy:1",
            false,
        ),
        ("pkg:docker/dhi/trivy", "", "docker.io/dhi/trivy:1", true),
        ("pkg:docker/dhi/trivy@2", "", "docker.io/dhi/trivy:1", false),
        // Of an image that is named without a tag nobody knows which one it is.
        ("pkg:docker/dhi/trivy@1", "", "docker.io/dhi/trivy", false),
        ("pkg:docker/dhi/trivy", "", "docker.io/dhi/trivy", true),
        ("pkg:docker/dhi/trivy", "", "docker.io/other/trivy:1", false),
        (
            "pkg:oci/trivy?repository_url=ghcr.io/a/trivy",
            "",
            "ghcr.io/a/trivy:1",
            true,
        ),
        ("ghcr.io/a/trivy:1", "", "ghcr.io/a/trivy:1", true),
    ];
    for (product, part, image, wanted) in cases {
        let statement = openvex(product, part, "CVE-1", "not_affected", "2025");
        assert_eq!(
            is_cleared(found(purl, &["CVE-1"], &[]), image, &[statement]),
            wanted,
            "{product} {part} {image}"
        );
    }
}

#[test]
fn a_word_that_is_no_status_is_refused() {
    let mistyped = openvex("pkg:npm/a", "", "CVE-1", "not-affected", "2025");
    let cyclonedx = r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","affects":[{"ref":"pkg:npm/a"}],"analysis":{"state":"not-affected"}}]}"#;
    for document in [&format!(r#"{{"statements":[{mistyped}]}}"#), cyclonedx] {
        let error = parse("a.json", document.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`not-affected`"), "{error}");
    }
    let silent = cyclonedx.replace(r#""state":"not-affected""#, "");
    assert!(parse("a.json", silent.as_bytes()).unwrap().is_empty());
}

#[test]
fn the_latest_statement_holds_and_any_id_of_the_flaw_is_meant() {
    let purl = "pkg:npm/a@1.0.0";
    let early = openvex("pkg:npm/a", "", "GHSA-1", "not_affected", "2025-01-01");
    let late = openvex("pkg:npm/a", "", "CVE-1", "affected", "2025-02-01");
    let flaw = || found(purl, &["CVE-1", "GHSA-1"], &[]);
    assert!(is_cleared(flaw(), "x", std::slice::from_ref(&early)));
    assert!(!is_cleared(flaw(), "x", &[early, late]));
}

#[test]
fn an_erratum_is_cleared_only_with_all_its_flaws() {
    let purl = "pkg:deb/debian/openssl@1.0?distro=debian-12";
    let one = openvex(
        "pkg:deb/debian/openssl",
        "",
        "CVE-1",
        "not_affected",
        "2025",
    );
    let two = openvex("pkg:deb/debian/openssl", "", "CVE-2", "fixed", "2025");
    let erratum = || found(purl, &["DSA-1-1"], &["CVE-1", "CVE-2"]);
    assert!(!is_cleared(erratum(), "x", std::slice::from_ref(&one)));
    assert!(is_cleared(erratum(), "x", &[one, two]));
}

#[test]
fn cyclonedx_analyses_are_read() {
    let document = r#"{"bomFormat":"CycloneDX","components":[{"bom-ref":"r","purl":"pkg:npm/a@1.0.0"}],
        "vulnerabilities":[{"id":"CVE-1","analysis":{"state":"not_affected","detail":"unused"},"affects":[{"ref":"r"}]},
        {"id":"CVE-2","analysis":{"state":"exploitable"},"affects":[{"ref":"r"}]}]}"#;
    let statements = parse("test", document.as_bytes()).unwrap();
    let mut matches = [
        found("pkg:npm/a@1.0.0", &["CVE-1"], &[]),
        found("pkg:npm/a@1.0.0", &["CVE-2"], &[]),
    ];
    apply(&mut matches, &subject("x"), &statements);
    assert_eq!(
        matches[0]
            .suppressed
            .as_ref()
            .map(|suppressed| suppressed.reason.as_str()),
        Some("not affected: unused")
    );
    assert!(matches[1].suppressed.is_none());
}

#[test]
fn other_documents_are_refused() {
    for text in ["", "[]", "{}", r#"{"statements":1}"#] {
        assert!(parse("test", text.as_bytes()).is_err(), "{text}");
    }
}

/// A local time that reads later and is earlier: writers of VEX note the offset of where they are.
#[test]
fn of_two_statements_the_later_holds_wherever_it_was_made() {
    let purl = "pkg:npm/a@1";
    let earlier = openvex(
        purl,
        "",
        "CVE-1",
        "not_affected",
        "2026-01-01T00:30:00+02:00",
    );
    let later = openvex(purl, "", "CVE-1", "affected", "2025-12-31T23:30:00.5Z");
    let without = openvex(purl, "", "CVE-1", "not_affected", "yesterday");
    for statements in [[&earlier, &later], [&later, &earlier], [&later, &without]] {
        let statements = statements.map(Clone::clone);
        assert!(!is_cleared(found(purl, &["CVE-1"], &[]), "x", &statements));
    }
}

/// What is said of a package in one image says nothing of the same package in another.
#[test]
fn an_exported_statement_is_about_the_image() {
    let statement = openvex(
        "pkg:oci/app?repository_url=ghcr.io/example/app",
        "pkg:npm/a@1",
        "CVE-1",
        "not_affected",
        "2026-01-01T00:00:00Z",
    );
    for (image, cleared) in [
        ("ghcr.io/example/app:2", true),
        ("ghcr.io/example/other:2", false),
    ] {
        let found = found("pkg:npm/a@1", &["CVE-1"], &[]);
        assert_eq!(
            is_cleared(found, image, std::slice::from_ref(&statement)),
            cleared
        );
    }
}
