//! Module builds of rpm distributions: which stream a fix belongs to is only told by the release of its build.

use crate::index;
use crate::osv::EventKind;
use crate::range::Hit;
use crate::version::{Scheme, compare};

/// Module builds of AlmaLinux: a record lists one entry for each build and says nothing of streams. A module build and a
/// plain one are different packages, and the fix of the installed build's own stream decides.
pub(super) fn module_doubt(
    version: &str,
    hit: &Hit,
    record: u32,
    package: &index::Package<'_>,
) -> Option<String> {
    let fixed = hit.fixed.as_deref()?;
    let (own, other) = (module_tag(version), module_tag(fixed));
    match (own, other) {
        (None, None) => None,
        (Some(_), None) => Some(format!(
            "a module build was compared with the plain build {fixed}"
        )),
        (None, Some(_)) => Some(format!(
            "a plain build was compared with the module build {fixed}"
        )),
        (Some(own), Some(_)) => {
            let same_record = package
                .entries
                .iter()
                .filter(|entry| entry.record == record);
            let events = same_record
                .flat_map(|entry| &entry.ranges)
                .flat_map(|range| &range.events);
            let fixes = events.filter(|(kind, _)| *kind == EventKind::Fixed);
            let texts =
                fixes.filter_map(|(_, number)| package.texts.get(*number as usize).copied());
            let met = texts
                .filter(|text| module_tag(text) == Some(own))
                .find(|text| {
                    compare(Scheme::Rpm, version, text).is_ok_and(std::cmp::Ordering::is_ge)
                });
            met.map(|text| format!("the fix {text} of the same module build is installed"))
        }
    }
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
