//! Reports as files, each written whole or not at all.

use std::fs;

use barge_image::blobs::write_file;
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;

/// A folder of reports, `.barge/out` by default.
#[derive(Debug, Clone)]
pub struct ReportFolder {
    path: Utf8PathBuf,
}

impl ReportFolder {
    /// A folder that is made when the first report is written.
    #[must_use]
    pub fn at(path: &Utf8Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Writes a report and returns where it is.
    ///
    /// # Errors
    /// When the disk refuses; nothing is left under the name then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<Utf8PathBuf, Error> {
        fs::create_dir_all(&self.path).map_err(|source| Error::Write {
            path: self.path.clone(),
            source,
        })?;
        let path = self.path.join(name);
        write_file(&path, bytes)?;
        Ok(path)
    }
}
