use barge_report::Level;
use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::*;
use crate::error::Error;
use crate::index::{Meta, Source};
use crate::matching::{Class, Findings, Fix, Match, SuppressedBy};
use crate::severity::{Assessment, Severity};
use crate::side::Exploited;

const TODAY: Date = date(2026, 3, 1);

/// A vulnerability `CVE-1`, also known as `GHSA-1`, of a package without a fix.
fn flaw(purl: &str, level: Severity) -> Match<'static> {
    let mut found = Match::for_tests(purl, &["CVE-1", "GHSA-1"], &[], Class::Vulnerability);
    found.advisory.severity = Assessment {
        level,
        ..Assessment::default()
    };
    found
}

fn of_level(level: Severity) -> Match<'static> {
    flaw("pkg:npm/left@1.0.0", level)
}

fn with(change: impl FnOnce(&mut Match<'static>)) -> Match<'static> {
    let mut found = of_level(Severity::Low);
    change(&mut found);
    found
}

fn judge(policy: &Policy, matches: Vec<Match<'_>>, baseline: Option<&Baseline>) -> Verdict {
    judged(policy, matches, baseline).0
}

/// The verdict, and the level of each match.
fn judged(
    policy: &Policy,
    matches: Vec<Match<'_>>,
    baseline: Option<&Baseline>,
) -> (Verdict, Vec<Level>) {
    let mut findings = Findings {
        matches,
        ..Findings::default()
    };
    let verdict = policy.judge(&mut findings, baseline, TODAY);
    let levels = findings.matches.iter().map(|found| found.level);
    (verdict, levels.collect())
}

fn level(policy: &Policy, found: Match<'_>) -> Level {
    judged(policy, vec![found], None).1[0]
}

fn policy(json: &str) -> Policy {
    serde_json::from_str(json).unwrap()
}

fn exploited(found: &mut Match<'_>) {
    found.advisory.exploited = Some(Exploited {
        added: "2026-01-02".to_owned(),
        ransomware: false,
    });
}

#[test]
fn thresholds_decide() {
    use Severity::{Critical, High, Low, Medium, Negligible, Unknown};
    let cases = [
        ("{}", Critical, Level::Error),
        ("{}", High, Level::Warning),
        ("{}", Medium, Level::Note),
        ("{}", Unknown, Level::Note),
        (r#"{"fail-on":"high"}"#, High, Level::Error),
        (r#"{"fail-on":"high"}"#, Medium, Level::Note),
        (r#"{"fail-on":"never"}"#, Critical, Level::Warning),
        (
            r#"{"fail-on":"never","warn-on":"never"}"#,
            Critical,
            Level::Note,
        ),
        (r#"{"warn-on":"low"}"#, Low, Level::Warning),
        (r#"{"warn-on":"low"}"#, Negligible, Level::Note),
        (
            r#"{"fail-on":"negligible","warn-on":"negligible"}"#,
            Unknown,
            Level::Note,
        ),
        (r#"{"fail-on-unknown":true}"#, Unknown, Level::Error),
        (r#"{"fail-on-unknown":true}"#, Low, Level::Note),
    ];
    for (settings, severity, wanted) in cases {
        assert_eq!(
            level(&policy(settings), of_level(severity)),
            wanted,
            "{settings} {severity}"
        );
    }
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for settings in [
        r#"{"fail-onn":"high"}"#,
        r#"{"fail-on":"terrible"}"#,
        r#"{"fail-on":"unknown"}"#,
        r#"{"max-age":-1}"#,
        r#"{"ignore":[{"cve":"CVE-1","reason":"x"}]}"#,
        r#"{"ignore":[{"id":"CVE-1","reason":"x","expires":"soon"}]}"#,
    ] {
        assert!(
            serde_json::from_str::<Policy>(settings).is_err(),
            "{settings}"
        );
    }
    for (settings, wanted) in [
        (r#"{"ignore":[{"reason":"x"}]}"#, "selects nothing"),
        (
            r#"{"ignore":[{"id":"CVE-1","reason":" "}]}"#,
            "has no reason",
        ),
    ] {
        let error = policy(settings).check().unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn only_fixed_lets_pass_what_nobody_can_install() {
    let strict = policy(r#"{"only-fixed":true}"#);
    let fixed_by = |fix: Fix<'static>| {
        let mut found = of_level(Severity::Critical);
        found.fix = fix;
        found
    };
    let cases = [
        (Fix::Version("2"), Level::Error),
        (Fix::Subscription("2"), Level::Note),
        (Fix::None, Level::Note),
    ];
    for (fix, wanted) in cases {
        assert_eq!(level(&Policy::default(), fixed_by(fix)), Level::Error);
        assert_eq!(level(&strict, fixed_by(fix)), wanted, "{fix:?}");
    }
}

#[test]
fn only_new_compares_by_package_and_any_id() {
    let mut baseline = Baseline::default();
    baseline.add("pkg:npm/left@0.9.0", ["GHSA-1".to_owned()].into_iter());
    baseline.add("pkg:npm/right@1.0.0", ["CVE-9".to_owned()].into_iter());
    let matches = || {
        vec![
            flaw("pkg:npm/left@1.0.0", Severity::Critical),
            flaw("pkg:npm/right@1.0.0", Severity::Critical),
        ]
    };
    let new = policy(r#"{"only-new":true}"#);
    let (verdict, levels) = judged(&new, matches(), Some(&baseline));
    assert_eq!(levels, [Level::Note, Level::Error]);
    assert_eq!((verdict.known, verdict.failing), (Some(1), 1));
    let (_, levels) = judged(&Policy::default(), matches(), Some(&baseline));
    assert_eq!(levels, [Level::Error, Level::Error]);
    assert_eq!(judge(&new, matches(), None).failing, 2);
}

#[test]
fn what_is_exploited_or_malware_fails_whatever_the_switches() {
    let lax = policy(r#"{"fail-on":"never","warn-on":"never","only-fixed":true,"only-new":true}"#);
    let mut baseline = Baseline::default();
    baseline.add("pkg:npm/left@1.0.0", ["CVE-1".to_owned()].into_iter());
    for found in [with(exploited), with(|found| found.class = Class::Malware)] {
        let verdict = judge(&lax, vec![found], Some(&baseline));
        assert_eq!(verdict.status, Status::Failed);
    }
}

#[test]
fn informational_and_doubtful_matches_never_fail() {
    for class in [
        Class::Unmaintained,
        Class::Unsound,
        Class::Notice,
        Class::Bugfix,
    ] {
        let mut found = of_level(Severity::Critical);
        found.class = class;
        let verdict = judge(&Policy::default(), vec![found], None);
        assert_eq!(verdict.status, Status::Passed, "{class:?}");
        assert_eq!((verdict.informational, verdict.counts.len()), (1, 0));
    }
    let mut found = of_level(Severity::Critical);
    found.doubt = Some("another module".to_owned());
    assert_eq!(level(&Policy::default(), found), Level::Note);
}

#[test]
fn ignore_rules_select_by_id_package_and_path() {
    let found = |path: &str| {
        let mut found = flaw("pkg:npm/%40scope/left@1.0.0", Severity::Critical);
        let mut package = (*found.package).clone();
        package.evidence.push(barge_sbom::Evidence {
            path: path.to_owned(),
            layer: None,
            layer_index: None,
        });
        found.package = package.into();
        found
    };
    let cases = [
        (r#""id":"CVE-1""#, true),
        (r#""id":"ghsa-1""#, true),
        (r#""id":"CVE-2""#, false),
        (r#""package":"@scope/left""#, true),
        (r#""package":"@scope/*""#, true),
        (r#""package":"pkg:npm/*""#, true),
        (r#""package":"left""#, false),
        (r#""path":"/app/*""#, true),
        (r#""path":"usr/*""#, false),
        (r#""id":"CVE-1","path":"usr/*""#, false),
        (r#""id":"CVE-1","path":"app/*","package":"*left""#, true),
    ];
    for (selectors, wanted) in cases {
        let rules = policy(&format!(
            r#"{{"ignore":[{{{selectors},"reason":"accepted"}}]}}"#
        ));
        let verdict = judge(&rules, vec![found("app/node_modules/left")], None);
        assert_eq!(verdict.suppressed == 1, wanted, "{selectors}");
        assert_eq!(verdict.unused_rules.is_empty(), wanted, "{selectors}");
        let status = if wanted {
            Status::Passed
        } else {
            Status::Failed
        };
        assert_eq!(verdict.status, status, "{selectors}");
    }
}

#[test]
fn an_ignored_flaw_keeps_the_reason_of_the_first_rule() {
    let rules = policy(
        r#"{"ignore":[{"id":"CVE-1","reason":"first"},{"package":"left","reason":"second"}]}"#,
    );
    let mut findings = Findings {
        matches: vec![with(exploited)],
        ..Findings::default()
    };
    let verdict = rules.judge(&mut findings, None, TODAY);
    let suppressed = findings.matches[0].suppressed.clone().unwrap();
    assert_eq!(
        (suppressed.by, suppressed.reason.as_str()),
        (SuppressedBy::Rule, "first")
    );
    assert_eq!(verdict.status, Status::Passed);
    assert!(verdict.unused_rules.is_empty());
}

#[test]
fn a_rule_holds_to_its_last_day() {
    for (expires, holds) in [
        ("2026-02-28", false),
        ("2026-03-01", true),
        ("2026-03-02", true),
    ] {
        let rules = policy(&format!(
            r#"{{"ignore":[{{"id":"CVE-1","reason":"until the fix","expires":"{expires}"}}]}}"#
        ));
        let verdict = judge(&rules, vec![of_level(Severity::Critical)], None);
        assert_eq!(verdict.suppressed == 1, holds, "{expires}");
        let told: &[&str] = if holds { &[] } else { &["id CVE-1"] };
        assert_eq!(verdict.expired_rules, told, "{expires}");
        assert!(verdict.unused_rules.is_empty(), "{expires}");
    }
}

#[test]
fn the_reasons_count_by_severity() {
    let mut matches: Vec<Match<'_>> = [Severity::High, Severity::Critical, Severity::Critical]
        .into_iter()
        .map(of_level)
        .collect();
    matches.push(with(exploited));
    let verdict = judge(&Policy::default(), matches, None);
    assert_eq!(
        verdict.reasons,
        [
            "2 critical vulnerabilities fail the gate",
            "1 exploited low vulnerability fails the gate",
            "1 high vulnerability is worth a warning"
        ]
    );
    assert_eq!((verdict.failing, verdict.warning), (3, 1));
}

#[test]
fn old_data_is_refused_when_a_limit_is_set() {
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let meta = |newest: &[&str]| Meta {
        sources: newest
            .iter()
            .map(|newest| Source {
                name: "npm/all.zip".to_owned(),
                sha256: String::new(),
                records: 1,
                newest: (*newest).to_owned(),
                checked: None,
            })
            .collect(),
        ..Meta::default()
    };
    let limit = |days| Policy {
        max_age: days,
        ..Policy::default()
    };
    let check = |policy: Policy, meta: &Meta| policy.check_age(meta, ["npm"].into_iter(), now);
    let ten_days = meta(&["2026-02-19T00:00:00Z", "2026-01-01T00:00:00Z"]);
    assert_eq!(check(limit(None), &ten_days).unwrap(), Some(10));
    assert_eq!(check(limit(Some(10)), &ten_days).unwrap(), Some(10));
    assert!(matches!(
        check(limit(Some(9)), &ten_days),
        Err(Error::TooOld {
            ecosystem: None,
            days: Some(10),
            limit: 9
        })
    ));
    // A date of the future says nothing about the age; without any other date the age is unknown.
    let future = meta(&["2999-01-01T00:00:00Z"]);
    assert_eq!(check(limit(None), &future).unwrap(), None);
    assert!(check(limit(Some(9999)), &future).is_err());
}

#[test]
fn what_was_not_fetched_for_long_is_old_beside_what_was() {
    let source = |name: &str, newest: &str, checked| Source {
        name: format!("{name}/all.zip"),
        sha256: String::new(),
        records: 1,
        newest: newest.to_owned(),
        checked,
    };
    let meta = Meta {
        sources: vec![
            source("Debian", "2026-02-01T00:00:00Z", Some(date(2026, 2, 1))),
            source("npm", "2026-03-01T00:00:00Z", Some(TODAY)),
            // Nobody said anything new for months, and today that was still so.
            source("Hex", "2025-10-01T00:00:00Z", Some(TODAY)),
            source("Go", "2025-10-01T00:00:00Z", None),
        ],
        ..Meta::default()
    };
    let policy = Policy {
        max_age: Some(3),
        ..Policy::default()
    };
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    for (ecosystem, days) in [("npm", 0), ("Hex", 0), ("Go", 0), ("Debian", 28)] {
        let asked = ["npm", ecosystem].into_iter();
        match policy.check_age(&meta, asked, now) {
            Ok(found) => assert_eq!(found, Some(days), "{ecosystem}"),
            Err(error) => assert_eq!(
                error.to_string(),
                "the advisory data about Debian is 28 days old, the policy takes at most 3 days"
            ),
        }
    }
}
