//! Reading a layer: see [`super`].

use std::collections::HashMap;
use std::io::{self, Read};

use rayon::prelude::*;

use super::content::{Expanded, Held, JumpingReader};
use super::index::{Backing, Builder, EntryId, EntryKind, LayerIndex, NewEntry};
use super::{Content, Error, FileHead, Interest, path};
use crate::compression::{Compression, Decoder};
use crate::digest::{Digest, Hasher};
use crate::extent::Extent;
use crate::tar::{self, Kind, Skip, SparseMap, Streaming};

/// How many first bytes of a file [`Interest::role`] sees.
const HEAD: usize = 512;

/// Where a layer's bytes, packed or not, come from.
pub enum Source {
    /// A range of a file, which can be read at any position and again.
    Extent(Extent),
    /// Something that can be read once.
    Stream(Box<dyn Read + Send>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Extent(extent) => extent.fmt(f),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// So many bytes for each entry, or less, make a plain layer dense. To walk through such a layer costs at least a third of
/// hashing it (2 µs an entry, 0.8 ns a byte), so that hashing it once pays when it is met again and then is known.
const DENSE: u64 = 8 << 10;

/// How to read a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The digest that the unpacked bytes must have. Checked wherever all bytes pass anyway: in packed layers and streams.
    pub diff_id: Option<Digest>,
    /// Whether it is checked of plain layers of many small files, too, of which else only what is of interest is read.
    pub check_dense: bool,
    /// Whether all bytes must pass and be those of `diff_id`; else a layer that breaks off tells what it holds so far.
    pub verify: bool,
}

/// Reads a layer: indexes all of its files and examines those of interest.
///
/// # Errors
/// When the bytes are not those that `options` asks for, or need too much memory; and when they must be verified and cannot
/// be read, unpacked or understood.
pub fn read<I: Interest>(
    source: Source,
    interest: &I,
    options: Options,
) -> Result<LayerIndex<I::Finding>, Error> {
    match source {
        Source::Extent(extent) => {
            let mut magic = [0; Compression::MAGIC_LENGTH];
            let read = extent.read_at(0, &mut magic)?;
            match Compression::sniff(&magic[..read]) {
                Compression::None => read_plain(&extent, interest, options),
                packed => read_packed(&extent, packed, interest, options),
            }
        }
        Source::Stream(reader) => {
            let (_, decoder) = Decoder::sniffing(reader)?;
            let mut pass = Pass::new(interest, Backing::Nowhere, options);
            pass.stream(decoder)?;
            for (link, _) in std::mem::take(&mut pass.missed) {
                let path = pass.path(link);
                let reason = "a hard link to a file that had already passed in the stream";
                pass.builder.unreadable(&path, reason);
            }
            Ok(pass.builder.finish())
        }
    }
}

/// Jumps from header to header, then examines what is of interest at its position, in parallel.
fn read_plain<I: Interest>(
    extent: &Extent,
    interest: &I,
    options: Options,
) -> Result<LayerIndex<I::Finding>, Error> {
    let mut pass = Pass::new(interest, Backing::Extent(extent.clone()), options);
    let mut jobs = Vec::new();
    let indexed = pass.index(extent, &mut jobs);
    let index = &pass.builder.index;
    let is_hashed = options.verify || (options.check_dense && is_dense(index, extent));
    let (hashed, findings) = rayon::join(
        || is_hashed.then(|| hash(extent.reader())).transpose(),
        || examine(interest, index, jobs),
    );
    pass.builder.index.findings = findings;
    let checked = match hashed {
        // A layer that breaks off is another one for sure.
        Ok(Some(found)) if options.verify || indexed.is_ok() => pass.check(found),
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    };
    pass.tolerate(checked.and(indexed))?;
    Ok(pass.builder.finish())
}

fn is_dense<F>(index: &LayerIndex<F>, extent: &Extent) -> bool {
    (index.len() as u64).saturating_mul(DENSE) >= extent.len()
}

fn examine<I: Interest>(
    interest: &I,
    index: &LayerIndex<I::Finding>,
    jobs: Vec<(EntryId, I::Role)>,
) -> Vec<(EntryId, I::Finding)> {
    let findings = jobs.into_par_iter().filter_map(|(id, role)| {
        let view = index.entry(id)?;
        let path = path::join(view.directory, view.name);
        let finding = interest.examine(role, &path, &*index.content(id)?)?;
        Some((id, finding))
    });
    findings.collect()
}

/// Reads a packed layer through; once more if a hard link of interest names a file that had passed unexamined.
fn read_packed<I: Interest>(
    extent: &Extent,
    compression: Compression,
    interest: &I,
    options: Options,
) -> Result<LayerIndex<I::Finding>, Error> {
    let mut pass = Pass::new(interest, Backing::Nowhere, options);
    pass.stream(compression.decoder(extent.reader())?)?;
    if !pass.missed.is_empty() {
        let examined = pass.examine_missed(compression.decoder(extent.reader())?);
        pass.tolerate(examined)?;
    }
    Ok(pass.builder.finish())
}

/// Reads all bytes of a layer and compares them with its digest.
///
/// # Errors
/// When they cannot be read or unpacked, or are others.
pub fn verify(layer: &Extent, expected: Digest) -> Result<(), Error> {
    let (_, decoder) = Decoder::sniffing(layer.reader())?;
    let found = hash(decoder)?;
    if found == expected {
        Ok(())
    } else {
        Err(Error::DiffId { expected, found })
    }
}

fn hash(source: impl Read) -> io::Result<Digest> {
    let mut hashing = Hashing::new(source, true);
    let mut buffer = vec![0; 256 << 10];
    while hashing.read(&mut buffer)? > 0 {}
    Ok(hashing.finish())
}

/// An error with all its causes.
fn chain(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// One reading of a layer.
struct Pass<'a, I: Interest> {
    interest: &'a I,
    options: Options,
    builder: Builder<I::Finding>,
    /// Where each path was last written in this layer: filled only when there are hard links.
    paths: Option<HashMap<Vec<u8>, EntryId>>,
    /// How far `paths` has been filled.
    known: EntryId,
    /// First bytes and role of what was examined in a stream.
    examined: HashMap<EntryId, (Vec<u8>, I::Role)>,
    /// Hard links of interest to files that were not examined in their role, with that role.
    missed: Vec<(EntryId, I::Role)>,
}

impl<'a, I: Interest> Pass<'a, I> {
    fn new(interest: &'a I, backing: Backing, options: Options) -> Self {
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
    fn index(&mut self, extent: &Extent, jobs: &mut Vec<(EntryId, I::Role)>) -> Result<(), Error> {
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
    fn stream(&mut self, source: impl Read) -> Result<(), Error> {
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
    fn check(&mut self, found: Digest) -> Result<(), Error> {
        self.builder.index.diff_id = Some(found);
        match self.options.diff_id {
            Some(expected) if expected != found => Err(Error::DiffId { expected, found }),
            _ => Ok(()),
        }
    }

    /// A layer that breaks off keeps what it showed, unless all of it must be seen.
    fn tolerate(&mut self, result: Result<(), Error>) -> Result<(), Error> {
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
    fn examine_missed(&mut self, source: impl Read) -> Result<(), Error> {
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

    /// Binds a hard link to the content that its target has at this point of the layer.
    fn bind(&mut self, id: EntryId, target: &[u8]) -> Option<EntryId> {
        let mut paths = self.paths.take().unwrap_or_default();
        while self.known < id {
            paths.insert(self.path(self.known), self.known);
            self.known += 1;
        }
        let target = path::clean(target);
        let known = paths.get(target.as_ref()).copied();
        let target = known.or_else(|| self.follow(&paths, &target));
        self.paths = Some(paths);
        let entries = &mut self.builder.index.entries;
        let bound = *entries.get(target? as usize)?;
        let link = entries.get_mut(id as usize)?;
        (link.kind, link.sparse) = (bound.kind, bound.sparse);
        (link.size, link.offset, link.mode) = (bound.size, bound.offset, bound.mode);
        if bound.kind == EntryKind::Symlink {
            link.link = bound.link;
        }
        target.filter(|_| bound.kind == EntryKind::File)
    }

    /// Where a path leads through links of this layer, as when it is unpacked; a link at its end is not followed.
    fn follow(&self, paths: &HashMap<Vec<u8>, EntryId>, path: &[u8]) -> Option<EntryId> {
        let mut links = 0;
        let mut at = Vec::new();
        let mut pending = path::reversed(path);
        while let Some(part) = pending.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = path::split(&at).0.to_vec();
                    continue;
                }
                _ => at = path::join(&at, &part),
            }
            let view = paths.get(&at).and_then(|id| self.builder.index.entry(*id));
            let target = view
                .filter(|view| view.kind == EntryKind::Symlink && !pending.is_empty())
                .and_then(|view| view.link);
            if let Some(target) = target {
                links += 1;
                if links > path::LINK_LIMIT || pending.len() > path::PENDING_LIMIT {
                    return None;
                }
                at = if target.starts_with(b"/") {
                    Vec::new()
                } else {
                    path::split(&at).0.to_vec()
                };
                pending.extend(path::reversed(target));
            }
        }
        paths.get(&at).copied()
    }

    /// Gives a hard link the finding of its target, or notes that it has to be looked for.
    fn share_finding(&mut self, link: EntryId, target: EntryId) {
        let examined = self.examined.get(&target).cloned();
        let head = examined.as_ref().map_or(&[][..], |(head, _)| head);
        let Some(role) = self.role(link, head) else {
            return;
        };
        if examined.as_ref().is_some_and(|(_, done)| *done == role) {
            let findings = &mut self.builder.index.findings;
            let shared = findings.iter().rev().find(|(id, _)| *id == target).cloned();
            findings.extend(shared.map(|(_, finding)| (link, finding)));
            self.examined
                .extend(examined.map(|examined| (link, examined)));
        } else {
            self.missed.push((link, role));
        }
    }

    fn role(&self, id: EntryId, head: &[u8]) -> Option<I::Role> {
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

    fn path(&self, id: EntryId) -> Vec<u8> {
        let view = self.builder.index.entry(id);
        view.map_or_else(Vec::new, |view| path::join(view.directory, view.name))
    }
}

/// Hashes what passes, if asked.
struct Hashing<R> {
    source: R,
    hasher: Option<Hasher>,
}

impl<R: Read> Hashing<R> {
    fn new(source: R, wanted: bool) -> Self {
        Self {
            source,
            hasher: wanted.then(Hasher::new),
        }
    }

    fn finish(self) -> Digest {
        self.hasher.unwrap_or_default().finish()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        Ok(read)
    }
}
