//! Module builds of rpm distributions: which stream a fix belongs to is only told by the release of its build.

use crate::error::Error;
use crate::index;
use crate::osv::EventKind;
use crate::range::Hit;
use crate::version::{Scheme, compare};

/// Module builds of AlmaLinux: a record lists one entry for each build and says nothing of streams. A module build and a
/// plain one are different packages, and the fix of the installed build's own stream decides.
pub(super) fn module_doubt(
    version: &str,
    hit: &Hit<'_>,
    record: u32,
    package: &index::Package<'_>,
) -> Result<Option<String>, Error> {
    let Some(fixed) = hit.fixed else {
        return Ok(None);
    };
    let (own, other) = (module_tag(version), module_tag(fixed));
    Ok(match (own, other) {
        (None, None) => None,
        (Some(_), None) => Some(format!(
            "a module build was compared with the plain build {fixed}"
        )),
        (None, Some(_)) => Some(format!(
            "a plain build was compared with the module build {fixed}"
        )),
        (Some(own), Some(_)) => {
            let met = fix_met(version, own, record, package)?;
            met.map(|text| format!("the fix {text} of the same module build is installed"))
        }
    })
}

/// A fix of the record for the same module build that the installed version has.
fn fix_met<'a>(
    version: &str,
    module: &str,
    record: u32,
    package: &index::Package<'a>,
) -> Result<Option<&'a str>, Error> {
    for entry in package.entries() {
        let entry = entry?;
        if entry.record != record {
            continue;
        }
        let events = entry.ranges.iter().flat_map(|range| &range.events);
        let fixes = events.filter(|(kind, _)| *kind == EventKind::Fixed);
        let mut texts =
            fixes.filter_map(|(_, number)| package.texts.get(*number as usize).copied());
        let is_met = |text: &&str| {
            module_tag(text) == Some(module)
                && compare(Scheme::Rpm, version, text).is_ok_and(std::cmp::Ordering::is_ge)
        };
        if let Some(met) = texts.find(is_met) {
            return Ok(Some(met));
        }
    }
    Ok(None)
}

/// The part of a release that names the build of a module: `module_el8.3.0` in `1.module_el8.3.0+2044+12421f43`.
fn module_tag(version: &str) -> Option<&str> {
    let start = version
        .find("module_el")
        .or_else(|| version.find("module+el"))?;
    let tag = &version[start..];
    let end = tag[9..].find('+').map_or(tag.len(), |end| end + 9);
    Some(&tag[..end])
}

#[cfg(test)]
mod tests {
    use barge_sbom::bom::of_package_urls as bill;

    use super::*;
    use crate::index::Database;
    use crate::matching::find;

    #[test]
    fn tags_end_before_the_build() {
        let cases = [
            ("1.module_el8.3.0+2044+12421f43", Some("module_el8.3.0")),
            ("4.module+el8.9.0+1+2", Some("module+el8.9.0")),
            ("1.module_el8", Some("module_el8")),
            ("1.el8", None),
        ];
        for (version, wanted) in cases {
            assert_eq!(module_tag(version), wanted, "{version}");
        }
    }

    #[test]
    fn module_builds_are_compared_inside_their_stream() {
        let events = |fixed: &str| {
            format!(
                r#"{{"package":{{"ecosystem":"AlmaLinux:8","name":"nodejs"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}"#
            )
        };
        let text = format!(
            r#"{{"id":"ALSA-2026:1","modified":"2026-01-01T00:00:00Z","affected":[{},{}]}}"#,
            events("1:14.0-2.module_el8.3.0+1+a"),
            events("1:16.0-1.module_el8.5.0+2+b")
        );
        let database = Database::of_records(&[&text]);
        let cases = [
            // Below the fix of the own stream: hit without doubt.
            ("1:14.0-1.module_el8.3.0+1+a", None),
            // At the fix of the own stream, but below that of another.
            (
                "1:14.0-2.module_el8.3.0+1+a",
                Some("same module build is installed"),
            ),
            ("1:14.0-1.el8", Some("a plain build was compared")),
        ];
        for (version, doubt) in cases {
            let purl = format!("pkg:rpm/almalinux/nodejs@{version}?distro=almalinux-8.5");
            let findings = find(&database, &bill(&[purl]).unwrap(), None).unwrap();
            let found = findings.matches[0].doubt.as_deref();
            assert_eq!(found.is_some(), doubt.is_some(), "{version} {found:?}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(doubt.unwrap_or_default()),
                "{version} {found:?}"
            );
        }
    }
}
