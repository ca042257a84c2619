//! Git, called as a program: the checkout's own git knows its configuration best.

use std::process::Command;

use barge_ci::{Git, GitError};
use camino::{Utf8Path, Utf8PathBuf};

/// The git of a working directory.
#[derive(Debug, Clone)]
pub struct GitProgram {
    folder: Utf8PathBuf,
}

impl GitProgram {
    /// Git in this folder.
    #[must_use]
    pub fn in_folder(folder: &Utf8Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

impl Git for GitProgram {
    fn run(&self, arguments: &[&str]) -> Result<String, GitError> {
        let failed = |message: String| GitError {
            command: arguments.join(" "),
            message,
        };
        let output = Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(
                String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }
}
