//! Every output of one scan: as it is kept in `snapshots/`, and as the validators of the formats see it.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p barge-vuln --test outputs` writes the snapshots anew.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use barge_report::{Tool, junit, sarif};
use barge_sbom::bom::of_package_urls as bill;
use barge_vuln::output::{self, ReportOptions, ScanJson};
use barge_vuln::{Database, IgnoreRule, Options, Policy, Scan, compile, details, scan};
use serde_json::Value;

/// Records of every kind that outputs tell apart.
const RECORDS: [&str; 6] = [
    r#"{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-02T03:04:05Z","published":"2026-01-01T00:00:00Z","aliases":["CVE-2026-0001"],
        "summary":"Prototype <pollution> | in `left`","details":"Long text.\n\nMore.","references":[{"type":"WEB","url":"https://example.org/left"}],
        "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected":[{"package":{"ecosystem":"npm","name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}"#,
    r#"{"id":"GHSA-dddd-eeee-ffff","modified":"2026-01-02T03:04:05Z","summary":"Slow regular expression",
        "database_specific":{"severity":"MODERATE"},
        "affected":[{"package":{"ecosystem":"npm","name":"@scope/right"},"ranges":[{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"last_affected":"2.5.0"}]}]}]}"#,
    r#"{"id":"PYSEC-2026-1","modified":"2026-01-02T03:04:05Z","aliases":["CVE-2026-0002"],"details":"No summary.",
        "affected":[{"package":{"ecosystem":"PyPI","name":"requests"},"versions":["2.28.1"]}]}"#,
    r#"{"id":"RUSTSEC-2026-0001","modified":"2026-01-02T03:04:05Z","summary":"`old` is unmaintained",
        "affected":[{"package":{"ecosystem":"crates.io","name":"old"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}],
        "database_specific":{"informational":"unmaintained"}}]}"#,
    r#"{"id":"DSA-1-1","modified":"2026-01-02T03:04:05Z","summary":"openssl - security update","upstream":["CVE-2026-0003"],
        "affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.17-1~deb12u2"}]}]}]}"#,
    r#"{"id":"MAL-2026-1","modified":"2026-01-02T03:04:05Z","summary":"Malicious code in evil",
        "affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["6.6.6"]}]}"#,
];

const PACKAGES: [&str; 6] = [
    "pkg:npm/left@1.0.0",
    "pkg:npm/%40scope/right@2.1.0",
    "pkg:pypi/requests@2.28.1",
    "pkg:cargo/old@0.3.0",
    "pkg:deb/debian/openssl@3.0.15-1?arch=amd64&distro=debian-12",
    "pkg:npm/evil@6.6.6",
];

fn database() -> Database {
    let folder = tempfile::tempdir().unwrap();
    for (number, record) in RECORDS.iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.json")), record).unwrap();
    }
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2026-0003","dateAdded":"2026-02-03","knownRansomwareCampaignUse":"Known"}]}"#;
    fs::write(folder.path().join("kev.json"), kev).unwrap();
    Database::from_bytes(compile(folder.path()).unwrap().finish().unwrap()).unwrap()
}

fn scan_all(database: &Database) -> Scan<'_> {
    let policy = Policy {
        ignore: vec![IgnoreRule {
            id: Some("CVE-2026-0002".to_owned()),
            reason: "never called".to_owned(),
            ..IgnoreRule::default()
        }],
        ..Policy::default()
    };
    let options = Options {
        policy,
        statements: Vec::new(),
        baseline: None,
        distro: None,
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        created: "2026-03-01T00:00:00Z".parse().unwrap(),
    };
    scan(
        database,
        &bill(&PACKAGES.map(str::to_owned)).unwrap(),
        &options,
    )
    .unwrap()
}

/// All outputs, by the names of their files.
fn outputs() -> Vec<(&'static str, String)> {
    let database = database();
    let scan = scan_all(&database);
    let tool = Tool {
        name: "barge".into(),
        version: "0.0.0".into(),
        url: "https://example.org/barge".into(),
    };
    let options = ReportOptions {
        tool: tool.clone(),
        image: "registry.example.org/team/app".to_owned(),
        platform: "linux/amd64".to_owned(),
        texts: details(&database, &scan.findings.matches).unwrap(),
        ..ReportOptions::default()
    };
    let report = output::report(&scan, &options);
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap() + "\n";
    vec![
        (
            "scan.txt",
            output::table(&scan, false).render(Some(100), false),
        ),
        (
            "scan.json",
            pretty(serde_json::to_value(ScanJson::from(&scan)).unwrap()),
        ),
        (
            "scan.sarif",
            sarif::render(&report, &sarif::Options::default()).unwrap(),
        ),
        ("scan.cdx.json", pretty(output::cyclonedx(&scan, &tool))),
        ("scan.openvex.json", pretty(output::openvex(&scan, "barge"))),
        ("scan.gitlab.json", pretty(output::gitlab(&scan, &tool))),
        ("scan.junit.xml", junit::render(&report)),
        ("scan.md", output::markdown(&scan).render(60_000)),
        ("scan.html", shown(&output::page(&scan, &[]))),
    ]
}

/// A page without its style and script, which have files of their own.
fn shown(page: &str) -> String {
    let mut page = page.to_owned();
    for name in ["style", "script"] {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let start = page.find(&open).unwrap() + open.len();
        let end = page.find(&close).unwrap();
        page.replace_range(start..end, "");
    }
    page
}

fn output(name: &str) -> String {
    let found = outputs().into_iter().find(|(own, _)| *own == name);
    found.unwrap().1
}

#[test]
fn outputs_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for (name, text) in outputs() {
        let path = folder.join(name);
        if option_env!("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap();
        assert!(
            text == kept,
            "{name} differs from {}:\n{text}",
            path.display()
        );
    }
}

#[test]
fn two_scans_give_equal_bytes() {
    assert_eq!(outputs(), outputs());
}

/// What GitHub refuses or misreads (docs: "SARIF support for code scanning").
#[test]
fn sarif_keeps_to_the_rules_of_code_scanning() {
    let document: Value = serde_json::from_str(&output("scan.sarif")).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
        assert!(rule["help"]["text"].is_string(), "{rule}");
        let severity = &rule["properties"]["security-severity"];
        let score = severity.as_str().map(|score| score.parse::<f64>().unwrap());
        assert!(
            severity.is_null() || score.is_some_and(|score| score > 0.0),
            "{rule}"
        );
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), PACKAGES.len());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(':'), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
    }
    let suppressed = results
        .iter()
        .filter(|result| result["suppressions"].is_array());
    let suppressed = suppressed.filter(|result| result["suppressions"][0].is_object());
    assert_eq!(suppressed.count(), 1);
}

/// Runs where Python has the validator; in CI its absence is a failure.
#[test]
fn the_validator_of_cyclonedx_accepts_the_vulnerabilities() {
    let python = option_env!("BARGE_PYTHON").unwrap_or("python3");
    let script = "import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error)[:2000] if error else 0)";
    let has_validator = Command::new(python)
        .args(["-c", "import cyclonedx"])
        .output();
    if !has_validator.is_ok_and(|output| output.status.success()) {
        assert!(
            option_env!("CI").is_none(),
            "`{python}` has no cyclonedx-python-lib"
        );
        println!("`{python}` has no cyclonedx-python-lib, nothing validated");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan.cdx.json");
    fs::write(&path, output("scan.cdx.json")).unwrap();
    let result = Command::new(python)
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        result.status.success(),
        "{}",
        String::from_utf8_lossy(&result.stderr)
    );
}
