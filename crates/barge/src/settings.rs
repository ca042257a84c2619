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
