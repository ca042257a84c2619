//! What is known of the machine's files: which were written, and what can be there besides.

use crate::symbolic::{Comparison, Condition, Piece, Text};

use super::facts::{Content, FileUse, Place, Resolution};
use super::path;
use super::run::Repository;

/// A file that is known to be there.
#[derive(Debug, Clone)]
pub(super) struct FileEntry {
    pub(super) path: Text,
    pub(super) content: Content,
    pub(super) condition: Condition,
    pub(super) place: Place,
}

/// The files of a leg.
#[derive(Debug, Default)]
pub(super) struct Files {
    entries: Vec<FileEntry>,
    /// Why there can be more than is known, if there can.
    opaque: Option<String>,
    /// How many files were known when something unknown last ran.
    settled: usize,
    /// Directories that can hold more than is known.
    open: Vec<Text>,
    /// Directories that artifacts were unpacked into.
    unpacked: Vec<Text>,
}

/// How many files were known when something unknown last ran.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled(usize);

impl Files {
    /// The files that are known, in the order in which they were written.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &FileEntry> {
        self.entries.iter()
    }

    /// Says whether a file of this very path is known.
    pub(super) fn has(&self, file: &Text) -> bool {
        self.iter().any(|entry| entry.path == *file)
    }

    /// What the file of this very path holds.
    pub(super) fn content(&self, file: &Text) -> Content {
        let found = self.iter().rev().find(|entry| entry.path == *file);
        found.map_or(Content::Other, |entry| entry.content.clone())
    }

    /// Adds a file.
    pub(super) fn add(&mut self, entry: FileEntry) {
        self.entries.push(entry);
    }

    /// Takes a file away.
    pub(super) fn remove(&mut self, file: &Text) {
        self.entries.retain(|entry| entry.path != *file);
    }

    /// Adds what an artifact holds, below a directory.
    pub(super) fn unpack(&mut self, directory: &Text, entries: Vec<FileEntry>) {
        self.unpacked.push(directory.clone());
        self.entries.extend(entries);
    }

    /// Says that a directory can hold more than is known.
    pub(super) fn open_directory(&mut self, directory: Text) {
        self.open.push(directory);
    }

    /// Says whether a path can lie in a directory that can hold more than is known.
    pub(super) fn is_in_open_directory(&self, file: &Text) -> bool {
        let mut open = self.open.iter();
        open.any(|open| path::covers(open, file) != Comparison::Different)
    }

    /// Says that any file can have been written.
    pub(super) fn mark_opaque(&mut self, reason: &str) {
        self.opaque.get_or_insert_with(|| reason.to_owned());
        self.settled = self.entries.len();
    }

    /// Says whether any file can have been written.
    pub(super) fn is_opaque(&self) -> bool {
        self.opaque.is_some()
    }

    /// Where something unknown last ran.
    pub(super) fn settled(&self) -> Settled {
        Settled(self.settled)
    }

    /// Leaves it there: what ran since lets archives lie where they are.
    pub(super) fn settle(&mut self, settled: Settled) {
        self.settled = settled.0;
    }

    /// Finds what a path that is read can be.
    pub(super) fn resolve(
        &self,
        wanted: &Text,
        usage: FileUse,
        repository: &dyn Repository,
    ) -> Resolution {
        let (found, perhaps) = match self.written(wanted, usage) {
            Ok(candidates) => candidates,
            Err(reason) => return Resolution::Unknown(reason),
        };
        if !found.is_empty() {
            return Resolution::Written(found);
        }
        let namesakes = self.namesakes(wanted, usage);
        if !namesakes.is_empty() {
            return Resolution::Absent(namesakes);
        }
        let unknown = perhaps
            .map(|path| format!("it may be {}", path.describe()))
            .or_else(|| self.elsewhere(wanted, usage, repository));
        if let Some(reason) = unknown {
            return Resolution::Unknown(reason);
        }
        match self.near(wanted, usage) {
            Some(near) => Resolution::Absent(near),
            None => Resolution::Unknown("it can be a file of the repository".into()),
        }
    }

    /// The files that a path means, and one that it may mean. Which archive it may be is not guessed: that is an error.
    fn written(&self, wanted: &Text, usage: FileUse) -> Result<(Written, Option<&Text>), String> {
        let fits = |file: &FileEntry| match usage {
            // What lies below a directory of this name is no archive.
            FileUse::Load if !path::is_glob(wanted) => wanted.compare(&file.path),
            _ => path::covers(wanted, &file.path),
        };
        let mut found = Vec::new();
        let mut perhaps: Option<&Text> = None;
        for file in self.iter().rev() {
            match fits(file) {
                Comparison::Equal => found.push((
                    file.condition.clone(),
                    file.content.clone(),
                    file.place.clone(),
                )),
                Comparison::Maybe if matches!(file.content, Content::Images(_)) => {
                    return Err(format!("it may be {}", file.path.describe()));
                }
                Comparison::Maybe => perhaps = perhaps.or(Some(&file.path)),
                Comparison::Different => {}
            }
        }
        Ok((found, perhaps))
    }

    /// Why a file that nothing wrote can be there, if it can.
    fn elsewhere(
        &self,
        wanted: &Text,
        usage: FileUse,
        repository: &dyn Repository,
    ) -> Option<String> {
        let mut open = self.open.iter();
        let open = open.find(|open| {
            path::covers(open, wanted) != Comparison::Different
                // A directory takes in what lies below it.
                || usage == FileUse::Upload && path::covers(wanted, open) != Comparison::Different
        });
        if let Some(open) = open {
            return Some(format!("`{}` can hold more than is known", open.describe()));
        }
        if self.opaque.is_some() {
            return self.opaque.clone();
        }
        if !is_rooted(wanted) || !wanted.has_literal() {
            return Some("the path is not known".into());
        }
        let relative = wanted.as_literal().filter(|path| !path.starts_with('/'));
        relative
            .is_some_and(|path| repository.exists(path))
            .then(|| "the file is in the repository".into())
    }

    /// The archives that can have been meant by a path at which there is nothing; none when that is not certain.
    fn near(&self, wanted: &Text, usage: FileUse) -> Option<Vec<Text>> {
        let paths = self.iter().map(|file| file.path.clone());
        let mut near: Vec<Text> = paths.filter(path::is_archive).collect();
        if usage == FileUse::Copy {
            near.retain(|near| path::directory(near) == path::directory(wanted));
            if near.is_empty() || path::is_glob(wanted) || !self.is_unpacked(wanted) {
                return None;
            }
        }
        near.sort();
        near.dedup();
        Some(near)
    }

    /// What was put elsewhere under the very name that is wanted, with nothing unknown since: that is what was meant.
    fn namesakes(&self, wanted: &Text, usage: FileUse) -> Vec<Text> {
        if usage == FileUse::Copy {
            return Vec::new();
        }
        let name = path::file_name(wanted);
        let globbed = usage == FileUse::Load && path::is_glob(&name) && path::is_archive(&name);
        let is_meant = |file: &Text| {
            *file == name || globbed && path::covers(&name, file) != Comparison::Different
        };
        let since = self.entries.get(self.settled..).unwrap_or_default();
        let mut found: Vec<Text> = since
            .iter()
            .map(|file| &file.path)
            .filter(|file| is_meant(&path::file_name(file)) && path::is_archive(file))
            .cloned()
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Any file of the machine can be copied: what a directory holds is known only where artifacts are unpacked.
    fn is_unpacked(&self, wanted: &Text) -> bool {
        let beside = path::directory(wanted);
        let shared = ["", "/tmp"].map(Text::literal).contains(&beside);
        !shared && self.unpacked.contains(&beside)
    }
}

/// The files that a path means: when each was written, what it holds, and where the workflow says so.
type Written = Vec<(Condition, Content, Place)>;

/// A path that starts with an unknown is anywhere, unless the unknown is one of the runner's own directories.
fn is_rooted(path: &Text) -> bool {
    path.pieces().first().is_some_and(|piece| match piece {
        Piece::Literal(_) => true,
        Piece::Symbol(symbol) => {
            matches!(symbol.name(), "runner.temp" | "~" | "github.workspace")
        }
    })
}
