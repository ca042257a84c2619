//! Evaluation, rule by rule.

use smallvec::{SmallVec, smallvec};

use super::*;
use crate::index::{Entry, EntryRange, Versions};
use crate::osv::EventKind::{self, Fixed, Introduced, LastAffected, Limit};
use crate::version::Scheme;

type Events<'a> = &'a [(EventKind, &'static str)];

fn hit(events: Events<'_>, version: &str) -> Option<(String, Option<String>)> {
    let texts: Vec<&str> = events.iter().map(|(_, text)| *text).collect();
    let events = events
        .iter()
        .zip(0..)
        .map(|((kind, _), number)| (*kind, number))
        .collect();
    let ranges = smallvec![EntryRange {
        semver: true,
        events,
    }];
    let entry = Entry {
        record: 0,
        ratings: Vec::new(),
        informational: "",
        ranges,
        versions: Versions::default(),
    };
    let installed = Installed::new(version, Some(Scheme::Semver), false, &texts);
    let hit = installed.test(&entry).unwrap()?;
    let unread = hit.unread.map(|text| format!(" but for {text}"));
    let by = format!("{}{}", hit.by, unread.unwrap_or_default());
    Some((by, hit.fixed.map(str::to_owned)))
}

/// A typing error in a record clears nobody: what the rest of the range holds is hit, and said to be doubtful.
#[test]
fn an_event_that_cannot_be_compared_is_passed_over_and_told() {
    let events = [
        (Introduced, "1.0.0"),
        (Fixed, "not a version"),
        (Fixed, "2.0.0"),
    ];
    let found = hit(&events, "1.5.0").unwrap();
    assert_eq!(found.0, ">= 1.0.0, < 2.0.0 but for not a version");
    assert_eq!(hit(&events, "2.0.0"), None);
    assert_eq!(hit(&events, "0.9.0"), None);
    assert_eq!(hit(&events, "also none"), None);
}

#[test]
fn ranges_follow_the_osv_rules() {
    let zero_to_two = [(Introduced, "0"), (Fixed, "2.0.0")];
    let unsorted = [
        (Fixed, "3.0.0"),
        (Introduced, "2.0.0"),
        (Fixed, "1.5.0"),
        (Introduced, "1.0.0"),
    ];
    let last = [(Introduced, "1.0.0"), (LastAffected, "1.2.0")];
    let limited = [(Introduced, "1.0.0"), (Limit, "2.0.0")];
    let seam = [
        (Introduced, "0"),
        (Fixed, "1.0.0"),
        (Introduced, "1.0.0"),
        (Fixed, "2.0.0"),
    ];
    let cases: [(Events<'_>, &str, bool); 16] = [
        (&zero_to_two, "0.0.0-0", true),
        (&zero_to_two, "2.0.0-rc.1", true),
        (&zero_to_two, "2.0.0", false),
        (&unsorted, "0.9.0", false),
        (&unsorted, "1.0.0", true),
        (&unsorted, "1.5.0", false),
        (&unsorted, "2.5.0", true),
        (&unsorted, "3.0.0", false),
        (&last, "1.2.0", true),
        (&last, "1.2.1", false),
        (&limited, "1.9.9", true),
        (&limited, "2.0.0", false),
        (&seam, "1.5.0", true),
        (&[(Introduced, "1.0.0"), (Fixed, "1.0.0")], "1.0.0", false),
        (&[(Introduced, "0"), (Fixed, "0")], "1.0.0", false),
        (&[(Introduced, "1.0.0"), (Limit, "*")], "9.0.0", true),
    ];
    for (events, version, wanted) in cases {
        assert_eq!(
            hit(events, version).is_some(),
            wanted,
            "{events:?} {version}"
        );
    }
}

#[test]
fn the_fix_is_the_least_above_the_installed_version() {
    let events = [
        (Introduced, "0"),
        (Fixed, "1.1.0"),
        (Introduced, "2.0.0"),
        (Fixed, "2.1.0"),
    ];
    let found = hit(&events, "2.0.5");
    let wanted = (">= 2.0.0, < 2.1.0".to_owned(), Some("2.1.0".to_owned()));
    assert_eq!(found, Some(wanted));
}

#[test]
fn listed_versions_hit_by_text_and_by_order() {
    let list = |versions: Vec<&'static str>, version: &str| {
        let entry = Entry {
            record: 0,
            ratings: Vec::new(),
            informational: "",
            ranges: SmallVec::new(),
            versions: Versions::of(&[0], 1),
        };
        Installed::new(version, Some(Scheme::Pep440), false, &versions)
            .test(&entry)
            .unwrap()
            .is_some()
    };
    assert!(list(vec!["1.3"], "1.3.0"));
    assert!(list(vec!["2004d"], "2004d"));
    assert!(!list(vec!["1.3"], "1.3.1"));
}

#[test]
fn listed_versions_that_a_range_holds_are_not_kept() {
    let beyond = |ecosystem: &str, kind: &str, versions: &str| {
        let text = format!(
            r#"{{"id":"A-1","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"a"}},"versions":{versions},
            "ranges":[{{"type":"{kind}","events":[{{"introduced":"1.0"}},{{"fixed":"2.0"}}]}}]}}]}}"#
        );
        let record = crate::Record::parse(text.as_bytes()).unwrap();
        beyond_ranges(&record.affected[0]).join(" ")
    };
    let versions = r#"["1.0", "1.5.0", "2.0", "2004d", "0.9"]"#;
    assert_eq!(beyond("PyPI", "ECOSYSTEM", versions), "2.0 2004d 0.9");
    // Orders that may differ from each other, or that epochs are left out of.
    let all = "1.0 1.5.0 2.0 2004d 0.9";
    assert_eq!(beyond("PyPI", "SEMVER", versions), all);
    assert_eq!(beyond("AlmaLinux:9", "ECOSYSTEM", versions), all);
    assert_eq!(beyond("npm", "SEMVER", r#"["1.5.0", "2.0.0"]"#), "2.0.0");
}
