//! Errata: records of distributions that are about flaws of other ids.

/// How the ids of errata begin whose feeds put the flaws they fix under `related`.
const ERRATA: [&str; 13] = [
    "ALSA-",
    "ALBA-",
    "ALEA-",
    "PHSA-",
    "RLSA-",
    "RLBA-",
    "RLEA-",
    "RXSA-",
    "RHSA-",
    "RHBA-",
    "RHEA-",
    "SUSE-",
    "openSUSE-",
];

/// The flaws that a record is about without being an alias of them.
pub(crate) fn fixed_flaws<'a>(
    id: &str,
    upstream: &[&'a str],
    related: &[&'a str],
) -> impl Iterator<Item = &'a str> {
    let is_erratum = ERRATA.iter().any(|prefix| id.starts_with(prefix));
    let related = related
        .iter()
        .copied()
        .filter(move |id| is_erratum && id.starts_with("CVE-"));
    upstream.iter().copied().chain(related)
}
