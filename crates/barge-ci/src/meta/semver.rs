//! Semantic versions as the npm library semver 7 reads them: SemVer 2.0.0 with an optional leading `v`.

use super::ecmascript::{length, trim};

const LENGTH_LIMIT: usize = 256;
const SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A version; the parts are texts without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SemanticVersion {
    pub(crate) raw: String,
    pub(crate) numbers: [u64; 3],
    pub(crate) prerelease: Vec<String>,
    pub(crate) build: Vec<String>,
}

impl SemanticVersion {
    /// Reads a version; nothing when the text is none.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        if length(raw) > LENGTH_LIMIT {
            return None;
        }
        let text = trim(raw);
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, identifiers(build, |_| true)?),
            None => (text, Vec::new()),
        };
        let (core, prerelease) = match text.split_once('-') {
            Some((core, prerelease)) => (core, identifiers(prerelease, is_prerelease_identifier)?),
            None => (text, Vec::new()),
        };
        let mut parts = core.split('.').map(numeric);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then(|| Self {
            raw: raw.to_owned(),
            numbers,
            prerelease,
            build,
        })
    }

    /// The version without build metadata.
    pub(crate) fn version(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let mut text = format!("{major}.{minor}.{patch}");
        if !self.prerelease.is_empty() {
            text.push('-');
            text.push_str(&self.prerelease.join("."));
        }
        text
    }
}

fn identifiers(text: &str, accept: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let alphabet = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    text.split('.')
        .map(|part| (alphabet(part) && accept(part)).then(|| part.to_owned()))
        .collect()
}

fn is_prerelease_identifier(part: &str) -> bool {
    let digits = part.bytes().all(|c| c.is_ascii_digit());
    !digits || part == "0" || !part.starts_with('0')
}

fn numeric(part: &str) -> Option<u64> {
    let canonical = part == "0" || !part.starts_with('0');
    if !canonical || part.is_empty() || !part.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    part.parse().ok().filter(|number| *number <= SAFE_INTEGER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_strict() {
        for (text, expected) in [
            ("1.2.3", Some("1.2.3")),
            ("v1.2.3-rc.1+b.5", Some("1.2.3-rc.1")),
            (" v1.2.3 ", Some("1.2.3")),
            ("1.2.3-0a.-", Some("1.2.3-0a.-")),
            ("1.2.3-01", None),
            ("1.2.3+01", Some("1.2.3")),
            ("V1.2.3", None),
            ("=1.2.3", None),
            ("vv1.2.3", None),
            ("1.2", None),
            ("1.2.3.4", None),
            ("01.2.3", None),
            ("1.2.3-", None),
            ("1.2.3+", None),
            ("1.2.3-a..b", None),
            ("9007199254740991.0.0", Some("9007199254740991.0.0")),
            ("9007199254740992.0.0", None),
            ("1.2.3-é", None),
        ] {
            assert_eq!(
                SemanticVersion::parse(text).map(|v| v.version()).as_deref(),
                expected,
                "{text}"
            );
        }
        assert!(SemanticVersion::parse(&format!("1.2.3-{}", "a".repeat(251))).is_none());
    }
}
