//! One pass over the members of a layer: indexes them, and examines those of interest or notes what is to be examined.

use std::collections::HashMap;
use std::io::Read;

use super::content::{Expanded, Held, JumpingReader};
use super::index::{Backing, Builder, EntryId, EntryKind, NewEntry};
use super::read::{Hashing, Options};
use super::{Content, Error, FileHead, Interest, path};
use crate::digest::Digest;
use crate::extent::Extent;
use crate::tar::{self, Kind, Skip, SparseMap, Streaming};

/// How many first bytes of a file [`Interest::role`] sees.
const HEAD: usize = 512;

/// One reading of a layer.
pub(super) struct Pass<'a, I: Interest> {
    pub(super) interest: &'a I,
    pub(super) options: Options,
    pub(super) builder: Builder<I::Finding>,
    /// Where each path was last written in this layer: filled only when there are hard links.
    pub(super) paths: Option<HashMap<Vec<u8>, EntryId>>,
    /// How far `paths` has been filled.
    pub(super) known: EntryId,
    /// First bytes and role of what was examined in a stream.
    pub(super) examined: HashMap<EntryId, (Vec<u8>, I::Role)>,
    /// Hard links of interest to files that were not examined in their role, with that role.
    pub(super) missed: Vec<(EntryId, I::Role)>,
}

impl<'a, I: Interest> Pass<'a, I> {
    pub(super) fn new(interest: &'a I, backing: Backing, options: Options) -> Self {
        Self {
            interest,
            options,
            builder: Builder::new(backing),
            paths: None,
            known: 0,
            examined: HashMap::new(),
            missed: Vec::new(),
        }
    }

    /// Indexes a plain layer by its headers, and collects what is to be examined.
    pub(super) fn index(
        &mut self,
        extent: &Extent,
        jobs: &mut Vec<(EntryId, I::Role)>,
    ) -> Result<(), Error> {
        let mut reader = tar::Reader::new(JumpingReader::new(extent));
        let mut head = Vec::with_capacity(HEAD);
        while let Some(entry) = reader.next()? {
            let Some(id) = self.add(&entry, reader.sparse())? else {
                continue;
            };
            if entry.kind == Kind::HardLink {
                self.bind(id, &entry.link);
            }
            head.clear();
            if entry.kind == Kind::File && !entry.sparse {
                (&mut reader).take(HEAD as u64).read_to_end(&mut head)?;
            } else if let Some(content) = self.builder.index.content(id) {
                head.resize(HEAD, 0);
                let read = content.read_at(0, &mut head)?;
                head.truncate(read);
            } else {
                continue;
            }
            jobs.extend(self.role(id, &head).map(|role| (id, role)));
        }
        Ok(())
    }

    /// Reads a whole stream and checks its digest.
    pub(super) fn stream(&mut self, source: impl Read) -> Result<(), Error> {
        let hashing = Hashing::new(source, self.options.diff_id.is_some());
        let mut reader = tar::Reader::new(Streaming(hashing));
        let examined = self
            .examine_passing(&mut reader)
            .and_then(|()| Ok(reader.drain()?));
        self.tolerate(examined)?;
        if self.builder.index.broken.is_none() && self.options.diff_id.is_some() {
            self.check(reader.into_inner().0.finish())?;
        }
        Ok(())
    }

    /// Notes the digest that was found, which must be the one that was asked for, if one was.
    pub(super) fn check(&mut self, found: Digest) -> Result<(), Error> {
        self.builder.index.diff_id = Some(found);
        match self.options.diff_id {
            Some(expected) if expected != found => Err(Error::DiffId { expected, found }),
            _ => Ok(()),
        }
    }

    /// A layer that breaks off keeps what it showed, unless all of it must be seen.
    pub(super) fn tolerate(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Err(error @ (Error::Read(_) | Error::Tar(_))) if !self.options.verify => {
                self.builder.index.broken = Some(chain(&error));
                Ok(())
            }
            other => other,
        }
    }

    fn examine_passing(&mut self, reader: &mut tar::Reader<impl Skip>) -> Result<(), Error> {
        while let Some(entry) = reader.next()? {
            let Some(id) = self.add(&entry, reader.sparse())? else {
                continue;
            };
            match entry.kind {
                Kind::HardLink => {
                    if let Some(target) = self.bind(id, &entry.link) {
                        self.share_finding(id, target);
                    }
                }
                Kind::File if entry.sparse => self.examine_sparse(id, &entry, reader)?,
                Kind::File => {
                    let mut head = Vec::with_capacity(HEAD);
                    reader.take(HEAD as u64).read_to_end(&mut head)?;
                    if let Some(role) = self.role(id, &head) {
                        let held = Held::take(&head, reader, entry.size)?;
                        self.examine(id, role, &held);
                        self.examined.insert(id, (head, role));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first bytes of a sparse file are known only when its pieces are.
    fn examine_sparse(
        &mut self,
        id: EntryId,
        entry: &tar::Entry,
        reader: &mut tar::Reader<impl Skip>,
    ) -> Result<(), Error> {
        let Some(map) = reader.sparse().cloned() else {
            return Ok(());
        };
        let pieces = Held::take(&[], reader, entry.size)?;
        let content = Expanded { pieces, map: &map };
        let mut head = vec![0; HEAD];
        let read = content.read_at(0, &mut head)?;
        head.truncate(read);
        if let Some(role) = self.role(id, &head) {
            self.examine(id, role, &content);
            self.examined.insert(id, (head, role));
        }
        Ok(())
    }

    /// Reads a layer again for the files that [`Self::missed`] names.
    pub(super) fn examine_missed(&mut self, source: impl Read) -> Result<(), Error> {
        let mut wanted: HashMap<u64, Vec<(EntryId, I::Role)>> = HashMap::new();
        for (id, role) in std::mem::take(&mut self.missed) {
            let offset = self
                .builder
                .index
                .entries
                .get(id as usize)
                .map(|entry| entry.offset);
            wanted
                .entry(offset.unwrap_or_default())
                .or_default()
                .push((id, role));
        }
        let mut reader = tar::Reader::new(Streaming(source));
        while let Some(entry) = reader.next()? {
            let links = wanted
                .remove(&entry.offset)
                .filter(|_| entry.kind == Kind::File);
            if let Some(links) = links {
                let map = reader.sparse().cloned();
                let held = Held::take(&[], &mut reader, entry.size)?;
                for (id, role) in links {
                    match &map {
                        Some(map) => self.examine(id, role, &Expanded { pieces: &held, map }),
                        None => self.examine(id, role, &held),
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn examine(&mut self, id: EntryId, role: I::Role, content: &dyn Content) {
        let path = self.path(id);
        let finding = self.interest.examine(role, &path, content);
        self.builder
            .index
            .findings
            .extend(finding.map(|finding| (id, finding)));
    }

    fn add(
        &mut self,
        entry: &tar::Entry,
        map: Option<&SparseMap>,
    ) -> Result<Option<EntryId>, Error> {
        let path = path::clean(&entry.path);
        match map {
            Some(map) => {
                let maps = &mut self.builder.index.sparse;
                maps.insert(entry.offset, map.clone());
            }
            None if entry.sparse => self
                .builder
                .unreadable(&path, "its sparse map is malformed"),
            None => {}
        }
        let kind = match entry.kind {
            Kind::File => EntryKind::File,
            Kind::HardLink => EntryKind::HardLink,
            Kind::Symlink => EntryKind::Symlink,
            Kind::Directory => EntryKind::Directory,
            Kind::CharacterDevice | Kind::BlockDevice | Kind::Fifo => EntryKind::Special,
        };
        let has_link = matches!(entry.kind, Kind::HardLink | Kind::Symlink);
        self.builder.push(&NewEntry {
            path: &path,
            link: if has_link { &entry.link } else { &[] },
            kind,
            mode: u16::try_from(entry.mode & 0o7777).unwrap_or_default(),
            sparse: entry.sparse,
            size: map.map_or(entry.size, SparseMap::size),
            offset: entry.offset,
        })
    }

    pub(super) fn role(&self, id: EntryId, head: &[u8]) -> Option<I::Role> {
        let view = self.builder.index.entry(id)?;
        if matches!(path::marker(view.name), path::Marker::Ordinary) {
            let (directory, name, size, mode) = (view.directory, view.name, view.size, view.mode);
            self.interest.role(&FileHead {
                directory,
                name,
                size,
                mode,
                head,
            })
        } else {
            None
        }
    }

    pub(super) fn path(&self, id: EntryId) -> Vec<u8> {
        let view = self.builder.index.entry(id);
        view.map_or_else(Vec::new, |view| path::join(view.directory, view.name))
    }
}

/// An error with all its causes.
fn chain(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
