//! What to build, and what came out.

use std::collections::BTreeMap;
use std::str::FromStr;

use barge_image::compression::Compression;
use barge_image::image::RawManifest;
use barge_image::manifest::Descriptor;
use barge_image::{PackedLayer, Platform, RawConfig};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

/// What to build.
#[derive(Debug, Clone)]
pub struct Build {
    /// The folder that `COPY` and `ADD` read.
    pub context: Utf8PathBuf,
    /// The Dockerfile; need not be in the context.
    pub dockerfile: Utf8PathBuf,
    /// The stage to build, by name or number; `None` is the last.
    pub target: Option<String>,
    /// Values for `ARG`.
    pub build_args: BTreeMap<String, String>,
    /// Values for `ARG` that the Dockerfile need not declare; `build_args` win over them.
    pub default_args: BTreeMap<String, String>,
    /// Labels that win over those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// What the image runs on.
    pub platform: Platform,
    /// The time of the image, of all that is made, and the latest time of files: `SOURCE_DATE_EPOCH`.
    pub created: Timestamp,
    /// Where the names in `FROM` and `--from` lie.
    pub contexts: BTreeMap<String, NamedContext>,
    /// A folder that the build does not see although it may lie in the context: where the caller keeps its own files.
    pub hidden: Option<Utf8PathBuf>,
    /// How new layers are packed. Base layers keep their bytes where a manifest names them.
    pub compression: Compression,
}

/// Where a name in `FROM` or `--from` lies: `[build] contexts` of barge.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// `oci-layout:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE[:REFERENCE]`
    Image {
        /// The folder or file.
        path: Utf8PathBuf,
        /// Which of several images.
        name: Option<String>,
    },
    /// A folder, for `--from` alone.
    Folder(Utf8PathBuf),
}

/// Why a text is not a named context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a build context of the embedded builder: expected `oci-layout:DIR[:TAG]`, `oci-archive:FILE`, \
     `docker-archive:FILE[:REFERENCE]` or a folder"
)]
pub struct ParseNamedContextError(String);

/// What a build tells while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// An instruction begins.
    Instruction {
        /// Its first line, from 1.
        line: usize,
        /// It as written.
        text: &'a str,
    },
    /// A layer is stored.
    Layer {
        /// Its place from the bottom, from 1.
        number: usize,
        /// How many there are.
        count: usize,
        /// What was stored.
        layer: &'a PackedLayer,
    },
}

/// An image that was built, in the layout that was given.
#[derive(Debug, Clone)]
pub struct Built {
    /// The config, whose digest is the image's identity.
    pub config: RawConfig,
    /// The manifest as stored.
    pub manifest: RawManifest,
    /// Names the manifest, with the platform.
    pub descriptor: Descriptor,
    /// The layers, base first.
    pub layers: Vec<PackedLayer>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Build {
    pub(super) fn argument(&self, name: &str) -> Option<String> {
        self.build_args
            .get(name)
            .or_else(|| self.default_args.get(name))
            .cloned()
    }
}

impl NamedContext {
    /// The same, with its path taken from this folder if it is relative.
    #[must_use]
    pub fn in_folder(self, folder: &Utf8Path) -> Self {
        match self {
            Self::Image { path, name } => Self::Image {
                path: folder.join(path),
                name,
            },
            Self::Folder(path) => Self::Folder(folder.join(path)),
        }
    }
}

impl FromStr for NamedContext {
    type Err = ParseNamedContextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let image = |rest: &str| {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            let (path, name) = match rest.split_once(':') {
                Some((path, name)) if !name.is_empty() => (path, Some(name.to_owned())),
                _ => (rest, None),
            };
            (!path.is_empty()).then(|| Self::Image {
                path: path.into(),
                name,
            })
        };
        let parsed = match text.split_once(':') {
            Some(("oci-layout" | "oci-archive" | "docker-archive", rest)) => image(rest),
            // `docker-image://`, `target:`, `https://` and the like are for other builders.
            Some((scheme, _)) if !scheme.contains('/') && scheme.len() > 1 => None,
            _ if text.is_empty() => None,
            _ => Some(Self::Folder(text.into())),
        };
        parsed.ok_or_else(|| ParseNamedContextError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_contexts() {
        let image = |path: &str, name: Option<&str>| {
            Ok(NamedContext::Image {
                path: path.into(),
                name: name.map(str::to_owned),
            })
        };
        assert_eq!("oci-layout:a/b".parse(), image("a/b", None));
        assert_eq!("oci-layout:///a/b:tag".parse(), image("/a/b", Some("tag")));
        assert_eq!(
            "docker-archive:x.tar:r.io/a:1".parse(),
            image("x.tar", Some("r.io/a:1"))
        );
        assert_eq!(
            "./assets".parse(),
            Ok(NamedContext::Folder("./assets".into()))
        );
        for text in [
            "",
            "docker-image://alpine",
            "https://x",
            "oci-layout:",
            "target:x",
        ] {
            assert!(text.parse::<NamedContext>().is_err(), "{text}");
        }
    }
}
