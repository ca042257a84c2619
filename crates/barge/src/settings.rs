//! `barge.toml`: where it is looked for, and its sections. Each section's meaning belongs to the room that owns it.

use std::fs;
use std::io;

use barge_ci::meta::MetaSettings;
use barge_ci::publish::PublishSettings;
use barge_ci::skip::SkipSettings;
use barge_pipeline::{BuildSettings, StoreSettings};
use barge_vuln::Policy;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::error::Error;

/// The name of the settings file, looked for in the working directory.
pub(crate) const FILE: &str = "barge.toml";

/// The whole of a settings file; every section may be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) skip: SkipSettings,
    pub(crate) meta: MetaSettings,
    pub(crate) publish: PublishSettings,
    pub(crate) build: BuildSettings,
    pub(crate) store: StoreSettings,
    pub(crate) db: DatabaseSettings,
    pub(crate) scan: Policy,
}

/// The section `[db]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseSettings {
    /// An index file, or a folder of OSV records or archives.
    pub(crate) path: Option<Utf8PathBuf>,
}

impl Settings {
    /// Reads the file that was named, or `barge.toml` in the folder if it is there.
    pub(crate) fn read(named: Option<&Utf8Path>, folder: &Utf8Path) -> Result<Self, Error> {
        let path = named.map_or_else(|| folder.join(FILE), Utf8Path::to_owned);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => Err(Error::File {
                action: "read",
                path,
                source,
            }),
        }
    }

    fn parse(text: &str, path: Utf8PathBuf) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::Settings {
            path,
            source: Box::new(error),
        })
    }

    /// The sections that planning needs.
    pub(crate) fn planning(&self) -> barge_ci::Settings {
        barge_ci::Settings {
            skip: self.skip.clone(),
            meta: self.meta.clone(),
            publish: self.publish.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("barge.toml");

    /// The template with the `#` taken away from what it shows; without what follows "for example", if so wanted.
    fn shown(with_examples: bool) -> String {
        let (mut text, mut is_example) = (String::new(), false);
        for line in TEMPLATE.lines() {
            match line
                .strip_prefix("# ")
                .filter(|prose| !prose.starts_with(' '))
            {
                Some(prose) => is_example = prose.ends_with("for example"),
                None if is_example && !with_examples => {}
                None => {
                    text.push_str(line.strip_prefix('#').unwrap_or(line));
                    text.push('\n');
                }
            }
            is_example &= !line.is_empty();
        }
        text
    }

    fn parse(text: &str) -> Settings {
        Settings::parse(text, FILE.into()).unwrap_or_else(|error| panic!("{error:?} in\n{text}"))
    }

    #[test]
    fn the_template_shows_the_defaults() {
        let (shown, own) = (parse(&shown(false)), Settings::default());
        assert_eq!(format!("{shown:?}"), format!("{own:?}"));
    }

    #[test]
    fn the_examples_of_the_template_are_settings() {
        let settings = parse(&shown(true));
        assert_eq!(settings.scan.max_age, Some(7));
        assert_eq!(settings.build.network.as_deref(), Some("none"));
    }

    #[test]
    fn underscores_are_read_as_hyphens() {
        let text = "[build]\nno_cache = true\n[skip]\nread_head_commit = true\n";
        let settings = parse(text);
        assert!(settings.build.no_cache && settings.skip.read_head_commit);
        assert!(parse(&text.replace('_', "-")).build.no_cache);
    }
}
