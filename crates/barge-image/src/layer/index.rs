//! What a layer contains: its entries in archive order, with interned directories and names (about 40 bytes a file).

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::content::Expanded;
use super::{Content, Error, path};
use crate::Digest;
use crate::compression::Compression;
use crate::extent::Extent;
use crate::tar::SparseMap;

/// The number of an entry in its layer, in archive order.
pub type EntryId = u32;

/// What an entry is, as far as a root file system cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EntryKind {
    /// A regular file, or a hard link that was bound to one.
    File,
    /// A hard link whose target is not in this layer.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
    /// A device, pipe or socket: has no content.
    Special,
}

/// A file that could not be examined, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unreadable {
    /// Its path.
    pub path: Vec<u8>,
    /// The reason.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Entry {
    pub(super) directory: u32,
    pub(super) name_start: u32,
    pub(super) name_length: u16,
    pub(super) mode: u16,
    pub(super) kind: EntryKind,
    pub(super) sparse: bool,
    /// The number of the link target, or [`NONE`].
    pub(super) link: u32,
    pub(super) size: u64,
    pub(super) offset: u64,
}

const NONE: u32 = u32::MAX;

/// Where contents can still be had after the pass.
#[derive(Debug, Clone)]
pub(super) enum Backing {
    Nowhere,
    Extent(Extent),
    Directory(PathBuf),
}

/// The entries of one layer and what examining them gave.
#[derive(Debug, Clone)]
pub struct LayerIndex<F> {
    /// The sha256 of the unpacked layer, if the pass hashed it.
    pub diff_id: Option<Digest>,
    /// Findings by entry, in entry order.
    pub findings: Vec<(EntryId, F)>,
    /// Files that should have been examined and could not.
    pub unreadable: Vec<Unreadable>,
    /// Why the layer could be read only so far: what it holds beyond is not here.
    pub broken: Option<String>,
    pub(crate) names: Vec<u8>,
    pub(crate) directories: Vec<Span>,
    pub(crate) entries: Vec<Entry>,
    pub(super) links: Vec<Span>,
    /// The maps of sparse files, by where their content begins.
    pub(super) sparse: BTreeMap<u64, SparseMap>,
    pub(super) backing: Backing,
}

/// One entry of a layer.
#[derive(Debug, Clone, Copy)]
pub struct EntryView<'a> {
    /// The directory, clean; empty for the root.
    pub directory: &'a [u8],
    /// The name in the directory.
    pub name: &'a [u8],
    /// What it is.
    pub kind: EntryKind,
    /// The length of its content.
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
    /// The target of a symbolic link or unbound hard link, as written.
    pub link: Option<&'a [u8]>,
}

impl<F> LayerIndex<F> {
    /// The same index over the layer's bytes, so that contents can be had where those are plain.
    #[must_use]
    pub fn over(mut self, layer: &Extent) -> Self {
        let mut magic = [0; Compression::MAGIC_LENGTH];
        let read = layer.read_at(0, &mut magic).unwrap_or_default();
        if Compression::sniff(&magic[..read]) == Compression::None {
            self.backing = Backing::Extent(layer.clone());
        }
        self
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the layer has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One entry.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<EntryView<'_>> {
        let entry = self.entries.get(id as usize)?;
        Some(EntryView {
            directory: self.directory(entry.directory),
            name: self.name(entry),
            kind: entry.kind,
            size: entry.size,
            mode: entry.mode,
            link: self
                .links
                .get(entry.link as usize)
                .map(|link| self.text(*link)),
        })
    }

    /// What an entry is.
    #[must_use]
    pub fn kind(&self, id: EntryId) -> Option<EntryKind> {
        self.entries.get(id as usize).map(|entry| entry.kind)
    }

    /// All entries in archive order.
    pub fn entries(&self) -> impl Iterator<Item = (EntryId, EntryView<'_>)> {
        (0..).map_while(|id| Some((id, self.entry(id)?)))
    }

    /// What examining an entry gave.
    #[must_use]
    pub fn finding(&self, id: EntryId) -> Option<&F> {
        let at = self
            .findings
            .binary_search_by_key(&id, |(entry, _)| *entry)
            .ok()?;
        self.findings.get(at).map(|(_, finding)| finding)
    }

    /// The content of a regular file, if the layer can still be read at its position.
    #[must_use]
    pub fn content(&self, id: EntryId) -> Option<Box<dyn Content + '_>> {
        let entry = self.entries.get(id as usize)?;
        if entry.kind != EntryKind::File {
            return None;
        }
        match &self.backing {
            Backing::Nowhere => None,
            Backing::Extent(extent) if entry.sparse => {
                let map = self.sparse.get(&entry.offset)?;
                let pieces = extent.part(entry.offset, map.stored_size());
                Some(Box::new(Expanded { pieces, map }))
            }
            Backing::Extent(extent) => Some(Box::new(extent.part(entry.offset, entry.size))),
            Backing::Directory(root) => {
                let path = path::join(self.directory(entry.directory), self.name(entry));
                let file = std::fs::File::open(root.join(as_path(&path))).ok()?;
                let length = file.metadata().ok()?.len();
                Some(Box::new(Extent::whole(std::sync::Arc::new(file), length)))
            }
        }
    }

    pub(super) fn directory(&self, id: u32) -> &[u8] {
        self.directories
            .get(id as usize)
            .map_or(b"", |span| self.text(*span))
    }

    /// Where the text of a directory's path lies among the names.
    pub(crate) fn name_bytes(&self, start: u32, length: u16) -> &[u8] {
        self.text(Span {
            start,
            length: u32::from(length),
        })
    }

    /// Directory number, and where the name lies, for the root file system view.
    pub(crate) fn location(&self, id: EntryId) -> Option<(u32, u32, u16)> {
        let entry = self.entries.get(id as usize)?;
        Some((entry.directory, entry.name_start, entry.name_length))
    }

    /// Where the path of a directory lies among the names.
    pub(crate) fn directory_span(&self, id: u32) -> Option<(u32, u32)> {
        self.directories
            .get(id as usize)
            .map(|span| (span.start, span.length))
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        self.name_bytes(entry.name_start, entry.name_length)
    }

    fn text(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.names
            .get(start..start + span.length as usize)
            .unwrap_or_default()
    }
}

pub(super) fn as_path(bytes: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// What the builder is told of an entry.
pub(super) struct NewEntry<'a> {
    pub(super) path: &'a [u8],
    pub(super) link: &'a [u8],
    pub(super) kind: EntryKind,
    pub(super) mode: u16,
    pub(super) sparse: bool,
    pub(super) size: u64,
    pub(super) offset: u64,
}

/// Collects entries.
pub(super) struct Builder<F> {
    pub(super) index: LayerIndex<F>,
    directories: HashMap<Vec<u8>, u32>,
    /// Archives list a directory's files together.
    last_directory: Option<u32>,
}

impl<F> Builder<F> {
    pub(super) fn new(backing: Backing) -> Self {
        Self {
            index: LayerIndex {
                diff_id: None,
                findings: Vec::new(),
                unreadable: Vec::new(),
                broken: None,
                names: Vec::new(),
                directories: Vec::new(),
                entries: Vec::new(),
                links: Vec::new(),
                sparse: BTreeMap::new(),
                backing,
            },
            directories: HashMap::new(),
            last_directory: None,
        }
    }

    /// Adds an entry under its clean path; `None` when the name is longer than any file system allows.
    pub(super) fn push(&mut self, new: &NewEntry<'_>) -> Result<Option<EntryId>, Error> {
        let (directory, name) = path::split(new.path);
        let Ok(name_length) = u16::try_from(name.len()) else {
            self.unreadable(new.path, "the name is longer than 65,535 bytes");
            return Ok(None);
        };
        let directory = self.directory(directory)?;
        let name_start = self.intern(name)?.start;
        let link = if new.link.is_empty() {
            NONE
        } else {
            let span = self.intern(new.link)?;
            self.index.links.push(span);
            number(self.index.links.len() - 1)?
        };
        self.index.entries.push(Entry {
            directory,
            name_start,
            name_length,
            mode: new.mode,
            kind: new.kind,
            sparse: new.sparse,
            link,
            size: new.size,
            offset: new.offset,
        });
        number(self.index.entries.len() - 1).map(Some)
    }

    pub(super) fn unreadable(&mut self, path: &[u8], reason: impl Into<String>) {
        self.index.unreadable.push(Unreadable {
            path: path.to_vec(),
            reason: reason.into(),
        });
    }

    pub(super) fn finish(mut self) -> LayerIndex<F> {
        self.index.findings.sort_by_key(|(entry, _)| *entry);
        self.index
    }

    fn directory(&mut self, path: &[u8]) -> Result<u32, Error> {
        if let Some(last) = self.last_directory
            && self.index.directory(last) == path
        {
            return Ok(last);
        }
        let id = match self.directories.get(path) {
            Some(id) => *id,
            None => {
                let span = self.intern(path)?;
                let id = number(self.index.directories.len())?;
                self.index.directories.push(span);
                self.directories.insert(path.to_vec(), id);
                id
            }
        };
        self.last_directory = Some(id);
        Ok(id)
    }

    fn intern(&mut self, bytes: &[u8]) -> Result<Span, Error> {
        let start = number(self.index.names.len())?;
        let length = number(bytes.len())?;
        number(self.index.names.len() + bytes.len())?;
        self.index.names.extend_from_slice(bytes);
        Ok(Span { start, length })
    }
}

fn number(count: usize) -> Result<u32, Error> {
    u32::try_from(count).map_err(|_| Error::TooManyNames)
}
