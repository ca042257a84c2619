//! Decisions to live with a flaw.

use barge_sbom::PackageUrl;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::glob::matches_glob;
use crate::matching::Match;

/// One decision to live with a flaw. All selectors that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct IgnoreRule {
    /// Any id of the flaw.
    pub id: Option<String>,
    /// The package's name or its package URL; `*` stands for any text.
    pub package: Option<String>,
    /// A path in the image; `*` stands for any text.
    pub path: Option<String>,
    /// Why: must not be empty.
    pub reason: String,
    /// The last day on which the rule holds, `YYYY-MM-DD`.
    pub expires: Option<Date>,
}

impl IgnoreRule {
    pub(super) fn fits(&self, found: &Match<'_>) -> bool {
        let package = &found.package;
        let id_fits = |id: &String| found.advisory.ids().any(|own| own.eq_ignore_ascii_case(id));
        let package_fits = |pattern: &String| {
            let bare = PackageUrl::parse(&package.purl)
                .map(|purl| purl.without_version())
                .unwrap_or_default();
            [&package.name, &package.purl, &bare]
                .iter()
                .any(|text| matches_glob(pattern, text))
        };
        let path_fits = |pattern: &String| {
            let pattern = pattern.trim_start_matches('/');
            package
                .evidence
                .iter()
                .any(|evidence| matches_glob(pattern, &evidence.path))
        };
        self.id.as_ref().is_none_or(id_fits)
            && self.package.as_ref().is_none_or(package_fits)
            && self.path.as_ref().is_none_or(path_fits)
    }

    /// The rule as one line, for reports about the rule.
    #[must_use]
    pub fn describe(&self) -> String {
        let parts = [
            ("id", &self.id),
            ("package", &self.package),
            ("path", &self.path),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)))
            .collect();
        parts.join(", ")
    }
}
