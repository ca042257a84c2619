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

/// Language packages whose files a distribution package owns: the distribution backports fixes without changing the
/// version that the language sees. Where its feed lists unfixed flaws too, the distribution's word is the only one.
pub(super) fn apply_ownership(
    database: &Database,
    sbom: &Sbom,
    releases: Releases<'_>,
    matches: &mut [Match<'_>],
) -> Result<(), Error> {
    const COMPLETE_FEEDS: [&str; 6] = [
        "Debian",
        "Ubuntu",
        "Red Hat",
        "Arch Linux",
        "Azure Linux",
        "Echo",
    ];
    if matches.iter().all(|found| found.package.owned_by.is_none()) {
        return Ok(());
    }
    let by_purl: BTreeMap<&str, &Package> = sbom
        .packages
        .iter()
        .map(|package| (package.purl.as_str(), package))
        .collect();
    for found in matches.iter_mut() {
        let Some(purl) = found.package.owned_by.clone() else {
            continue;
        };
        let Some(owner) = by_purl.get(purl.as_str()) else {
            continue;
        };
        let Ok(queries) = queries(database, owner, releases) else {
            continue;
        };
        let covered: Vec<&Query> = queries
            .iter()
            .filter(|query| database.has_ecosystem(&query.ecosystem))
            .collect();
        let is_complete = covered
            .iter()
            .any(|query| COMPLETE_FEEDS.contains(&ecosystem::base(&query.ecosystem)));
        let reason = if is_complete && share_prefix(&found.package.version, &owner.version) {
            Some(format!(
                "its files belong to {} {}, whose distribution's advisories rule",
                owner.name, owner.version
            ))
        } else {
            let fixed_by = fixed_by_distribution(database, &covered, &found.advisory)?;
            fixed_by.map(|record| format!("{record} fixed it in {} {}", owner.name, owner.version))
        };
        match reason {
            Some(reason) => {
                found.suppressed = Some(Suppression {
                    by: SuppressedBy::Ownership,
                    reason,
                    is_fixed: false,
                });
            }
            None => {
                let note = format!(
                    "its files belong to {} {}: the fix may be backported",
                    owner.name, owner.version
                );
                found.note = Some(note);
            }
        }
    }
    Ok(())
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
mod tests;
