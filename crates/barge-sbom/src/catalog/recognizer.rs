//! What a cataloger asks for: which files, where they count, and how they are read.

use barge_image::layer::FileHead;

use crate::finding::{Examined, File};

/// Says which files are evidence of something, and reads them.
pub(crate) struct Recognizer {
    /// The names that such files have.
    pub(crate) names: &'static [Name],
    /// What else must be true of the directory or the first bytes.
    pub(crate) accepts: fn(&FileHead<'_>) -> bool,
    /// Where the file counts.
    pub(crate) place: Place,
    /// A file that must lie beside it, by its path from the same directory; empty when none must.
    pub(crate) beside: &'static str,
    /// Whether it tells what is installed, or what a project asks for.
    pub(crate) stage: Stage,
    /// Whether a file without content says something by its name.
    pub(crate) empty: bool,
    pub(crate) read: fn(&File<'_>) -> Examined,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Name {
    Is(&'static str),
    /// The part after the last dot, in lower case.
    Extension(&'static str),
    Begins(&'static str),
    /// Any name in a directory that is called so.
    In(&'static str),
    /// Files that begin with the magic number of a program.
    Program,
}

/// Where a file must lie in the squashed image to count; checked when links are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    /// Paths that end so, and the file that `/`, `/var/` or `/usr/` before it leads to through links.
    Files(&'static [&'static str]),
    /// Any file in a directory whose path ends so, or that such a path leads to.
    In(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Installed,
    Declared,
}

impl Recognizer {
    /// Files of these names, wherever they lie.
    pub(super) const fn new(names: &'static [Name], read: fn(&File<'_>) -> Examined) -> Self {
        Self {
            names,
            accepts: |_| true,
            place: Place::Anywhere,
            beside: "",
            stage: Stage::Installed,
            empty: false,
            read,
        }
    }

    pub(super) const fn accepts(mut self, accepts: fn(&FileHead<'_>) -> bool) -> Self {
        self.accepts = accepts;
        self
    }

    pub(super) const fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    pub(super) const fn beside(mut self, path: &'static str) -> Self {
        self.beside = path;
        self
    }

    pub(super) const fn declared(mut self) -> Self {
        self.stage = Stage::Declared;
        self
    }

    pub(super) const fn even_empty(mut self) -> Self {
        self.empty = true;
        self
    }
}

/// Whether the innermost directories of a file are called so, outermost first.
pub(crate) fn directory_ends_with(file: &FileHead<'_>, suffix: &str) -> bool {
    path_ends_with(file.directory, suffix.as_bytes())
}

/// Whether a path ends with whole components.
pub(crate) fn path_ends_with(path: &[u8], suffix: &[u8]) -> bool {
    path.strip_suffix(suffix)
        .is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}
