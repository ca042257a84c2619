//! Removing blobs that nothing leads to, beside writers who may be about to name them.

use std::fs;
use std::time::SystemTime;

use barge_image::Digest;
use barge_image::blobs::PARTIAL_PREFIX;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::{DirectoryStore, entries, file, remove};
use crate::error::Error;
use crate::remote::{HeldBlob, Housekeeping};

/// A file that a writer left behind, or has not finished yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) path: Utf8PathBuf,
    pub(crate) touched: Timestamp,
    pub(crate) size: u64,
}

impl Housekeeping for DirectoryStore {
    fn blobs(&self) -> Result<Vec<HeldBlob>, Error> {
        let mut held = Vec::new();
        for path in entries(self.layout().blobs().folder())? {
            let digest = path
                .file_name()
                .and_then(|name| Digest::from_hex(name).ok());
            let Some((digest, (touched, size))) = digest.zip(facts(&path)?) else {
                continue;
            };
            held.push(HeldBlob {
                digest,
                size,
                touched,
            });
        }
        Ok(held)
    }

    fn roots(&self) -> Result<Vec<Digest>, Error> {
        let entries = self.foreign_entries();
        Ok(entries.into_iter().map(|entry| entry.digest).collect())
    }

    fn discard(&self, seen: &HeldBlob) -> Result<bool, Error> {
        let since = SystemTime::from(seen.touched);
        let swept = self.layout().blobs().sweep(&seen.digest, since);
        swept.map_err(self.failed())
    }

    fn tidy(&self, before: Timestamp) -> Result<(), Error> {
        for stray in self.strays()? {
            if stray.touched < before {
                remove(&stray.path)?;
            }
        }
        for path in entries(&self.layers())? {
            let diff_id = path
                .file_name()
                .and_then(|name| Digest::from_hex(name).ok());
            let noted = diff_id.map(|diff_id| self.noted(&diff_id)).transpose()?;
            let Some(noted) = noted else { continue };
            let blob = noted.map(|layer| layer.blob.digest);
            if blob.is_none_or(|blob| self.layout().blobs().size(&blob).is_none()) {
                remove(&path)?;
            }
        }
        self.renew_index()
    }
}

impl DirectoryStore {
    /// Temporary files, of dead writers and of living ones.
    pub(crate) fn strays(&self) -> Result<Vec<Stray>, Error> {
        let mut folders = vec![
            self.layout().blobs().folder().to_owned(),
            self.layers(),
            self.root().to_owned(),
        ];
        folders.extend(
            entries(&self.artifacts())?
                .into_iter()
                .filter(|path| path.is_dir()),
        );
        let mut strays = Vec::new();
        for folder in folders {
            for path in entries(&folder)? {
                let is_partial = |name: &str| name.starts_with(PARTIAL_PREFIX);
                if !path.file_name().is_some_and(is_partial) {
                    continue;
                }
                if let Some((touched, size)) = facts(&path)? {
                    strays.push(Stray {
                        path,
                        touched,
                        size,
                    });
                }
            }
        }
        Ok(strays)
    }
}

/// When a file was last written or marked, and its length in bytes; `None` when it is gone or no file.
fn facts(path: &Utf8Path) -> Result<Option<(Timestamp, u64)>, Error> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(file("read", path))?,
    };
    let modified = metadata.modified().map_err(file("read", path))?;
    let touched = Timestamp::try_from(modified).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(metadata.is_file().then_some((touched, metadata.len())))
}
