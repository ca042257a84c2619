//! Which store is meant.

use std::fmt;
use std::str::FromStr;

use barge_image::RepositoryName;
use camino::Utf8PathBuf;
use serde::Deserialize;

use crate::error::Error;

/// The address of a store, as it stands in settings and on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreAddress {
    /// A folder: `dir:PATH`.
    Directory(Utf8PathBuf),
    /// A bucket, and perhaps a folder in it: `s3://BUCKET/PREFIX`, `gs://...`, `az://CONTAINER/PREFIX`.
    Bucket {
        /// Whose protocol it speaks.
        provider: Provider,
        /// The bucket; Azure says container.
        bucket: String,
        /// What every key begins with, without slashes at the ends; often empty.
        prefix: String,
    },
    /// A repository of an OCI registry: `registry:HOST/REPOSITORY`.
    Registry(RepositoryName),
    /// The artifacts of GitHub Actions: of the run at hand, `github:`, or of others.
    GitHub(Option<OtherRuns>),
}

/// Runs of GitHub Actions other than the one at hand: `github:OWNER/NAME`, or `github:OWNER/NAME/RUN` for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRuns {
    /// `OWNER/NAME`.
    pub repository: String,
    /// One run; without it, all runs of the repository itself, and none of its forks.
    pub run: Option<u64>,
}

/// The protocols of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, and all that speak its protocol.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

impl Provider {
    const ALL: [Self; 3] = [Self::S3, Self::Gcs, Self::Azure];

    /// The scheme of its addresses.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }
}

impl FromStr for StoreAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Address(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(refused)?;
        match scheme {
            "dir" if !rest.is_empty() => Ok(Self::Directory(rest.into())),
            "registry" => rest.parse().map(Self::Registry).map_err(|source| {
                let address = text.to_owned();
                Error::Repository { address, source }
            }),
            "github" if rest.is_empty() => Ok(Self::GitHub(None)),
            "github" => other_runs(rest)
                .map(Some)
                .map(Self::GitHub)
                .ok_or_else(refused),
            _ => bucket(scheme, rest).ok_or_else(refused),
        }
    }
}

fn other_runs(text: &str) -> Option<OtherRuns> {
    let mut parts = text.splitn(3, '/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let run = parts.next().map(str::parse);
    let is_name = |text: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !text.is_empty() && text.chars().all(is_allowed) && !text.starts_with('.')
    };
    (is_name(owner) && is_name(name)).then_some(())?;
    Some(OtherRuns {
        repository: format!("{owner}/{name}"),
        run: run.transpose().ok()?,
    })
}

fn bucket(scheme: &str, rest: &str) -> Option<StoreAddress> {
    let mut providers = Provider::ALL.into_iter();
    let provider = providers.find(|provider| provider.scheme() == scheme)?;
    let path = rest.strip_prefix("//")?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_allowed) {
        return None;
    }
    Some(StoreAddress::Bucket {
        provider,
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

impl TryFrom<String> for StoreAddress {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "dir:{path}"),
            Self::Bucket {
                provider,
                bucket,
                prefix,
            } => {
                write!(f, "{}://{bucket}", provider.scheme())?;
                if prefix.is_empty() {
                    return Ok(());
                }
                write!(f, "/{prefix}")
            }
            Self::Registry(name) => write!(f, "registry:{name}"),
            Self::GitHub(None) => f.write_str("github:"),
            Self::GitHub(Some(OtherRuns { repository, run })) => {
                write!(f, "github:{repository}")?;
                run.map_or(Ok(()), |run| write!(f, "/{run}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for (text, shown) in [
            ("dir:/a/b", "dir:/a/b"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("gs://my-bucket/ci/images/", "gs://my-bucket/ci/images"),
            ("az://container/x", "az://container/x"),
            ("registry:ghcr.io/a/ci", "registry:ghcr.io/a/ci"),
            ("registry:localhost:5000/ci", "registry:localhost:5000/ci"),
            ("github:", "github:"),
            ("github:acme/app", "github:acme/app"),
            ("github:acme/app/123", "github:acme/app/123"),
        ] {
            assert_eq!(text.parse::<StoreAddress>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "dir:",
            "/a/b",
            "s4://bucket",
            "s3:bucket",
            "s3:///x",
            "s3://a b",
            "registry:",
            "registry:ghcr.io/A",
            "registry:ghcr.io/a:tag",
            "github:x",
            "github:../x",
            "github:acme/app/x",
            "github:acme/app/1/2",
        ] {
            assert!(text.parse::<StoreAddress>().is_err(), "{text}");
        }
        let error = "registry:ghcr.io/Org/app"
            .parse::<StoreAddress>()
            .unwrap_err();
        assert!(
            error.hint().unwrap().contains("ghcr.io/org/app"),
            "{error:?}"
        );
    }
}
