//! Taking away what is beyond use.

use std::collections::BTreeSet;

use barge_image::Digest;
use camino::{Utf8Path, Utf8PathBuf};

use super::finding::{Finding, Report, Trouble};
use crate::directory::{DirectoryStore, entries, remove};
use crate::error::Error;

impl DirectoryStore {
    /// Removes what a report found and nobody can use: changed blobs, what lies among the pointers and is none, and notes
    /// that lead nowhere or to something else; then renews `index.json`. The layers are packed again by the next save;
    /// artifacts that need them stay broken until then. Gives what was removed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn repair(&self, report: &Report) -> Result<BTreeSet<Utf8PathBuf>, Error> {
        let mut useless = BTreeSet::new();
        for Finding { trouble, path, .. } in &report.findings {
            let is_useless = match trouble {
                Trouble::Digest { .. } | Trouble::OrphanNote => true,
                Trouble::Malformed { .. } => {
                    path.starts_with(self.layers()) || path.starts_with(self.artifacts())
                }
                _ => false,
            };
            useless.extend(is_useless.then(|| path.clone()));
            // Where the bytes are those of the name, it is a note that says something else of them.
            if let Trouble::Digest { .. } | Trouble::Layer { .. } | Trouble::Size { .. } = trouble {
                useless.extend(self.notes_of(path)?);
            }
        }
        for path in &useless {
            if path.starts_with(self.artifacts()) {
                self.remove_pointer(path)?;
            } else {
                remove(path)?;
            }
        }
        self.renew_index()?;
        Ok(useless)
    }

    /// The notes that lead to a blob.
    fn notes_of(&self, blob: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
        let mut notes = entries(&self.layers())?;
        let leads = |path: &Utf8PathBuf| {
            let diff_id = Digest::from_hex(path.file_name()?).ok()?;
            let noted = self.noted(&diff_id).ok()??;
            Some(self.layout().blobs().path(&noted.blob.digest) == blob)
        };
        notes.retain(|path| leads(path) == Some(true));
        Ok(notes)
    }
}
