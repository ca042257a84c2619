//! Reading a layer: see [`super`].

use std::collections::HashMap;
use std::io::{self, Read};

use rayon::prelude::*;

use super::content::{Held, JumpingReader};
use super::index::{Backing, Builder, EntryId, EntryKind, LayerIndex, NewEntry};
use super::{Error, FileHead, Interest, path};
use crate::compression::{Compression, Decoder};
use crate::digest::{Digest, Hasher};
use crate::extent::Extent;
use crate::tar::{self, Kind, Skip, Streaming};

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

/// How to read a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The digest that the unpacked bytes must have. Given, every byte is read and hashed.
    pub verify: Option<Digest>,
}

/// Reads a layer: indexes all of its files and examines those of interest.
///
/// # Errors
/// When the bytes cannot be read or unpacked, are no tar archive, or are not those that `options` asks for.
pub fn read<I: Interest>(
    source: Source,
    interest: &I,
    options: Options,
) -> Result<LayerIndex<I::Finding>, Error> {
    match source {
        Source::Extent(extent) => {
            let mut magic = [0; Compression::MAGIC_LENGTH];
            let read = extent.read_at(0, &mut magic)?;
            let compression = Compression::sniff(&magic[..read]);
            if compression != Compression::None {
                return read_packed(&extent, compression, interest, options);
            }
            if let Some(expected) = options.verify {
                verify(hash(&extent)?, expected)?;
            }
            let mut index = read_plain(&extent, interest)?;
            index.diff_id = options.verify;
            Ok(index)
        }
        Source::Stream(reader) => {
            let (_, decoder) = Decoder::sniffing(reader)?;
            let mut pass = Pass::new(interest, Backing::Nowhere);
            pass.stream(decoder, options)?;
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
fn read_plain<I: Interest>(extent: &Extent, interest: &I) -> Result<LayerIndex<I::Finding>, Error> {
    let mut pass = Pass::new(interest, Backing::Extent(extent.clone()));
    let mut reader = tar::Reader::new(JumpingReader::new(extent));
    let mut jobs = Vec::new();
    let mut head = Vec::with_capacity(HEAD);
    while let Some(entry) = reader.next()? {
        let Some(id) = pass.add(&entry)? else {
            continue;
        };
        let wants_role = entry.kind == Kind::File && !entry.sparse;
        if entry.kind == Kind::HardLink {
            pass.bind(id, &entry.link);
            if let Some(content) = pass.builder.index.content(id) {
                head.resize(HEAD, 0);
                let read = content.read_at(0, &mut head)?;
                head.truncate(read);
                jobs.extend(pass.role(id, &head).map(|role| (id, role)));
            }
        } else if wants_role {
            head.clear();
            (&mut reader).take(HEAD as u64).read_to_end(&mut head)?;
            jobs.extend(pass.role(id, &head).map(|role| (id, role)));
        }
    }
    let index = &pass.builder.index;
    let findings: Vec<_> = jobs
        .into_par_iter()
        .filter_map(|(id, role)| {
            let view = index.entry(id)?;
            let path = path::join(view.directory, view.name);
            let finding = interest.examine(role, &path, &index.content(id)?)?;
            Some((id, finding))
        })
        .collect();
    pass.builder.index.findings = findings;
    Ok(pass.builder.finish())
}

/// Reads a packed layer through; once more if a hard link of interest names a file that had passed unexamined.
fn read_packed<I: Interest>(
    extent: &Extent,
    compression: Compression,
    interest: &I,
    options: Options,
) -> Result<LayerIndex<I::Finding>, Error> {
    let mut pass = Pass::new(interest, Backing::Nowhere);
    pass.stream(compression.decoder(extent.reader())?, options)?;
    if !pass.missed.is_empty() {
        pass.examine_missed(compression.decoder(extent.reader())?)?;
    }
    Ok(pass.builder.finish())
}

fn hash(extent: &Extent) -> io::Result<Digest> {
    let mut hashing = Hashing::new(extent.reader(), true);
    let mut buffer = vec![0; 256 << 10];
    while hashing.read(&mut buffer)? > 0 {}
    Ok(hashing.finish())
}

fn verify(found: Digest, expected: Digest) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::DiffId { expected, found })
    }
}

/// One reading of a layer.
struct Pass<'a, I: Interest> {
    interest: &'a I,
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
    fn new(interest: &'a I, backing: Backing) -> Self {
        Self {
            interest,
            builder: Builder::new(backing),
            paths: None,
            known: 0,
            examined: HashMap::new(),
            missed: Vec::new(),
        }
    }

    /// Reads a whole stream and checks its digest.
    fn stream(&mut self, source: impl Read, options: Options) -> Result<(), Error> {
        let hashing = Hashing::new(source, options.verify.is_some());
        let mut reader = tar::Reader::new(Streaming(hashing));
        self.examine_passing(&mut reader)?;
        if let Some(expected) = options.verify {
            reader.drain()?;
            let found = reader.into_inner().0.finish();
            verify(found, expected)?;
            self.builder.index.diff_id = Some(found);
        }
        Ok(())
    }

    fn examine_passing(&mut self, reader: &mut tar::Reader<impl Skip>) -> Result<(), Error> {
        let mut head = Vec::with_capacity(HEAD);
        while let Some(entry) = reader.next()? {
            let Some(id) = self.add(&entry)? else {
                continue;
            };
            if entry.kind == Kind::HardLink {
                if let Some(target) = self.bind(id, &entry.link) {
                    self.share_finding(id, target);
                }
            } else if entry.kind == Kind::File && !entry.sparse {
                head.clear();
                reader.take(HEAD as u64).read_to_end(&mut head)?;
                if let Some(role) = self.role(id, &head) {
                    let held = Held::take(&head, reader, entry.size)?;
                    self.examine(id, role, &held);
                    self.examined.insert(id, (head.clone(), role));
                }
            }
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
                let held = Held::take(&[], &mut reader, entry.size)?;
                for (id, role) in links {
                    self.examine(id, role, &held);
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn examine(&mut self, id: EntryId, role: I::Role, held: &Held) {
        let path = self.path(id);
        let finding = self.interest.examine(role, &path, held.content());
        self.builder
            .index
            .findings
            .extend(finding.map(|finding| (id, finding)));
    }

    fn add(&mut self, entry: &tar::Entry) -> Result<Option<EntryId>, Error> {
        let path = path::clean(&entry.path);
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
            size: entry.size,
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
        let target = paths.get(path::clean(target).as_ref()).copied();
        self.paths = Some(paths);
        let entries = &mut self.builder.index.entries;
        let bound = *entries.get(target? as usize)?;
        let link = entries.get_mut(id as usize)?;
        (link.kind, link.sparse) = (bound.kind, bound.sparse);
        (link.size, link.offset, link.mode) = (bound.size, bound.offset, bound.mode);
        target.filter(|_| bound.kind == EntryKind::File)
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
