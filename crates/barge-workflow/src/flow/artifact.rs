//! Artifacts: what an upload takes, under which root, and where a download puts it.
//!
//! Follows actions/upload-artifact and actions/download-artifact (v1 to v4 and later).

use crate::symbolic::{Comparison, Condition, Text};

use super::facts::{Content, Place};
use super::path;

/// An artifact that was uploaded.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Its name.
    pub name: Text,
    /// The job's key.
    pub job: String,
    /// The number of the leg among the trace's jobs.
    pub leg: usize,
    /// When it is uploaded, the job's own condition included.
    pub condition: Condition,
    /// When its step runs, given that the job does.
    pub step_condition: Condition,
    /// Known files.
    pub files: Vec<ArtifactFile>,
    /// It can hold more than the known files.
    pub open: bool,
    /// The upload.
    pub place: Place,
    /// The title of the step.
    pub step: String,
    /// `retention-days` is set.
    pub retention: bool,
    /// `overwrite: true`
    pub overwrite: bool,
    /// The action's major version, when known.
    pub major: Option<u32>,
    /// The paths as given.
    pub paths: Vec<Text>,
    /// The value of `with.name` as written, for fixes.
    pub name_field: Option<crate::source::Span>,
}

/// A file in an artifact.
#[derive(Debug, Clone)]
pub struct ArtifactFile {
    /// Its path in the artifact.
    pub path: Text,
    /// What it holds.
    pub content: Content,
    /// When it was written, given that the job runs.
    pub condition: Condition,
    /// The program that wrote it is known.
    pub known: bool,
    /// Where it was written.
    pub place: Place,
}

/// The directory that becomes the artifact's root.
///
/// One plain file: its directory. One directory: itself. Several paths: their least common ancestor.
#[must_use]
pub(super) fn root(paths: &[Text], is_file: impl Fn(&Text) -> bool) -> Text {
    match paths {
        [only] if path::is_glob(only) => path::fixed_part(only),
        [only] if is_file(only) => path::parent(only),
        [only] => only.clone(),
        several => {
            let mut fixed = several.iter().map(|one| {
                let fixed = path::fixed_part(one);
                if !path::is_glob(one) && is_file(&fixed) {
                    path::parent(&fixed)
                } else {
                    fixed
                }
            });
            let first = fixed.next().unwrap_or_default();
            fixed.fold(first, |common, next| common_directory(&common, &next))
        }
    }
}

fn common_directory(left: &Text, right: &Text) -> Text {
    let (left_parts, right_parts) = (left.split(|c| c == '/'), right.split(|c| c == '/'));
    let shared: Vec<&Text> = left_parts
        .iter()
        .zip(&right_parts)
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a)
        .collect();
    let mut common = Text::new();
    for (at, part) in shared.iter().enumerate() {
        if at > 0 {
            common.push_str("/");
        }
        common.append(part);
    }
    if common.is_empty() && left.literal_start().starts_with('/') {
        Text::literal("/")
    } else {
        common
    }
}

/// A path below a directory.
#[must_use]
pub(super) fn below(directory: &Text, file: &Text) -> Text {
    if directory.is_empty() {
        return file.clone();
    }
    let mut path = directory.clone();
    if !path.literal_end().ends_with('/') {
        path.push_str("/");
    }
    path.append(file);
    path
}

impl Artifact {
    /// Whether a download of this name gets this artifact.
    #[must_use]
    pub fn answers(&self, name: &Text) -> Comparison {
        self.name.compare(name)
    }
}
