//! The folder `.barge` of a checkout: where steps leave what later steps need.

use std::fs::{self, File};
use std::io::{self, Write as _};

use barge_image::blobs::write_file;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The folder of a checkout in which barge works.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: Utf8PathBuf,
}

impl Workspace {
    /// The workspace of a folder; made when something is first written.
    #[must_use]
    pub fn of(folder: &Utf8Path) -> Self {
        Self {
            root: folder.join(".barge"),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The store, where no other is configured.
    #[must_use]
    pub fn store(&self) -> Utf8PathBuf {
        self.root.join("store")
    }

    /// What was fetched from a store elsewhere, or is on its way there.
    #[must_use]
    pub fn cache(&self) -> Utf8PathBuf {
        self.root.join("cache")
    }

    /// Reports.
    #[must_use]
    pub fn out(&self) -> Utf8PathBuf {
        self.root.join("out")
    }

    /// What the embedded builder built last.
    #[must_use]
    pub fn layout(&self) -> Utf8PathBuf {
        self.root.join("build")
    }

    /// What was built last, for `barge save`.
    #[must_use]
    pub fn built(&self) -> Utf8PathBuf {
        self.root.join("build.json")
    }

    /// What was saved last, for `barge load` and `barge verify`.
    #[must_use]
    pub fn saved(&self) -> Utf8PathBuf {
        self.root.join("saved.json")
    }

    /// What was pushed last.
    #[must_use]
    pub fn pushed(&self) -> Utf8PathBuf {
        self.root.join("pushed.json")
    }

    /// Makes the folder, which git is told to leave alone: a store is nothing to commit, and every `git add .` would.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn make(&self) -> Result<(), Error> {
        let ignore = self.root.join(".gitignore");
        let failed = |path: &Utf8Path| {
            let path = path.to_owned();
            |source| Error::File {
                action: "write",
                path,
                source,
            }
        };
        fs::create_dir_all(&self.root).map_err(failed(&self.root))?;
        match File::create_new(&ignore) {
            Ok(mut file) => file.write_all(b"*\n").map_err(failed(&ignore)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(source) => Err(failed(&ignore)(source)),
        }
    }

    /// Forgets what a file says: a step that fails must not leave an earlier one's facts behind.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget(&self, path: &Utf8Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::File {
                action: "remove",
                path: path.to_owned(),
                source,
            }),
            _ => Ok(()),
        }
    }

    /// Leaves a value for a later step.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn leave(&self, path: &Utf8Path, value: &impl Serialize) -> Result<(), Error> {
        let failed = |source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        self.make()?;
        let bytes = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
        write_file(path, &bytes).map_err(Error::Image)
    }

    /// Takes what an earlier step left; `None` when there was none.
    ///
    /// # Errors
    /// When the file cannot be read or is not what barge wrote.
    pub fn take<T: DeserializeOwned>(&self, path: &Utf8Path) -> Result<Option<T>, Error> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(Error::File {
                    action: "read",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| Error::File {
                action: "understand",
                path: path.to_owned(),
                source: source.into(),
            })
    }
}
