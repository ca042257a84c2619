//! Language packages whose files a distribution package owns.

use std::collections::BTreeMap;

use barge_sbom::package::{Package, Sbom};

use super::finding::{Advisory, Match, SuppressedBy, Suppression};
use super::merge::flaws;
use crate::ecosystem;
use crate::error::Error;
use crate::index::Database;
use crate::lookup::{Query, Releases, queries};
use crate::range::Installed;

/// Distributions whose feeds list flaws without a fix, too.
const COMPLETE_FEEDS: [&str; 6] = [
    "Debian",
    "Ubuntu",
    "Red Hat",
    "Arch Linux",
    "Azure Linux",
    "Echo",
];

/// Language packages whose files a distribution package owns: the distribution backports fixes without changing the
/// version that the language sees. Where its feed lists unfixed flaws too, the distribution's word is the only one.
pub(super) fn apply_ownership(
    database: &Database,
    sbom: &Sbom,
    releases: Releases<'_>,
    matches: &mut [Match<'_>],
) -> Result<(), Error> {
    if matches.iter().all(|found| found.package.owned_by.is_none()) {
        return Ok(());
    }
    let packages = sbom.packages.iter();
    let by_purl: BTreeMap<&str, &Package> = packages
        .map(|package| (package.purl.as_str(), package))
        .collect();
    for found in matches.iter_mut() {
        let purl = found.package.owned_by.as_deref();
        let Some(owner) = purl.and_then(|purl| by_purl.get(purl)) else {
            continue;
        };
        let Ok(queries) = queries(database, owner, releases) else {
            continue;
        };
        match cleared_by_owner(database, owner, &queries, found)? {
            Some(reason) => {
                found.suppressed = Some(Suppression {
                    by: SuppressedBy::Ownership,
                    reason,
                    is_fixed: false,
                });
            }
            None => {
                found.note = Some(format!(
                    "its files belong to {} {}: the fix may be backported",
                    owner.name, owner.version
                ));
            }
        }
    }
    Ok(())
}

/// Why the distribution's word is the only one about a match, if it is.
fn cleared_by_owner(
    database: &Database,
    owner: &Package,
    queries: &[Query],
    found: &Match<'_>,
) -> Result<Option<String>, Error> {
    let covered = queries.iter();
    let covered: Vec<&Query> = covered
        .filter(|query| database.has_ecosystem(&query.ecosystem))
        .collect();
    let is_complete = covered
        .iter()
        .any(|query| COMPLETE_FEEDS.contains(&ecosystem::base(&query.ecosystem)));
    let (name, version) = (&owner.name, &owner.version);
    if is_complete && share_prefix(&found.package.version, version) {
        return Ok(Some(format!(
            "its files belong to {name} {version}, whose distribution's advisories rule"
        )));
    }
    let fixed_by = fixed_by_distribution(database, &covered, &found.advisory)?;
    Ok(fixed_by.map(|record| format!("{record} fixed it in {name} {version}")))
}

/// Whether the distribution packages this very version, epoch and revision aside.
fn share_prefix(language: &str, distribution: &str) -> bool {
    let upstream = distribution
        .split_once(':')
        .map_or(distribution, |(_, rest)| rest);
    let upstream = upstream
        .rsplit_once('-')
        .map_or(upstream, |(upstream, _)| upstream);
    upstream.starts_with(language) || language.starts_with(upstream)
}

/// A record of the distribution about the same flaw that does not hit the installed version any more.
fn fixed_by_distribution(
    database: &Database,
    queries: &[&Query],
    advisory: &Advisory<'_>,
) -> Result<Option<String>, Error> {
    for query in queries {
        let Some(package) = database.package(&query.ecosystem, &query.name)? else {
            continue;
        };
        let installed = Installed::new(
            &query.version,
            ecosystem::scheme(&query.ecosystem),
            query.source,
            &package.texts,
        );
        for entry in package.entries() {
            let entry = entry?;
            let record = database.record(entry.record)?;
            let same = std::iter::once(record.id)
                .chain(record.aliases.iter().copied())
                .chain(flaws(&record));
            let same = same
                .into_iter()
                .any(|id| advisory.ids().any(|own| own == id));
            if same && installed.test(&entry)?.is_none() {
                return Ok(Some(record.id.to_owned()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use barge_sbom::PackageUrl;
    use barge_sbom::bom::of_package_urls as bill;

    use super::*;
    use crate::matching::{Findings, find};

    fn record(id: &str, aliases: &str, ecosystem: &str, name: &str, fixed: &str) -> String {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":[{aliases}],"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},
            "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        )
    }

    /// A Python package whose files a distribution package owns.
    fn scan<'a>(database: &'a Database, python: &str, owner: &str) -> Findings<'a> {
        let mut sbom = bill(&[python.to_owned(), owner.to_owned()]).unwrap();
        let owner = PackageUrl::parse(owner).unwrap();
        sbom.packages[0].owned_by = Some(sbom.packages[1].purl.clone());
        assert_eq!(sbom.packages[1].version, owner.version);
        find(database, &sbom, None).unwrap()
    }

    const PYTHON: &str = "pkg:pypi/requests@2.28.1";

    #[test]
    fn a_complete_feed_rules_over_language_advisories() {
        let flaw = record("GHSA-1", r#""CVE-2026-1""#, "PyPI", "requests", "2.31.0");
        let other = record("DSA-1", "", "Debian:12", "unrelated", "1.0");
        let database = Database::of_records(&[&flaw, &other]);
        let findings = scan(
            &database,
            PYTHON,
            "pkg:deb/debian/requests@2.28.1-1?distro=debian-12",
        );
        let suppressed = findings.matches[0].suppressed.as_ref().unwrap();
        assert_eq!(suppressed.by, SuppressedBy::Ownership);
        // Another version than the distribution's is not what the distribution fixes.
        let findings = scan(
            &database,
            PYTHON,
            "pkg:deb/debian/requests@3.0-1?distro=debian-12",
        );
        assert_eq!(findings.matches[0].suppressed, None);
        assert!(findings.matches[0].note.is_some());
    }

    #[test]
    fn other_feeds_rule_only_where_they_name_a_fix() {
        let flaw = record("GHSA-1", r#""CVE-2026-1""#, "PyPI", "requests", "2.31.0");
        let fixed = record(
            "CVE-2026-1",
            "",
            "Alpine:v3.19",
            "py3-requests",
            "2.28.1-r2",
        );
        let database = Database::of_records(&[&flaw, &fixed]);
        let owner = |revision: &str| {
            format!("pkg:apk/alpine/py3-requests@2.28.1-{revision}?distro=alpine-3.19.1")
        };
        let python = |revision: &str| {
            let findings = scan(&database, PYTHON, &owner(revision));
            let mut matches = findings.matches.into_iter();
            matches.find(|found| found.package.purl == PYTHON).unwrap()
        };
        let patched = python("r2");
        let reason = patched.suppressed.unwrap().reason;
        assert_eq!(reason, "CVE-2026-1 fixed it in py3-requests 2.28.1-r2");
        let unpatched = python("r1");
        assert_eq!(unpatched.suppressed, None);
        assert!(unpatched.note.unwrap().contains("may be backported"));
    }

    #[test]
    fn versions_share_a_prefix_without_epoch_and_revision() {
        let cases = [
            ("2.28.1", "2.28.1-1", true),
            ("2.28.1", "1:2.28.1+dfsg-1", true),
            ("2.28.1", "2.28-1", true),
            ("2.28.1", "2.31.0-1", false),
        ];
        for (language, distribution, wanted) in cases {
            assert_eq!(
                share_prefix(language, distribution),
                wanted,
                "{language} {distribution}"
            );
        }
    }
}
