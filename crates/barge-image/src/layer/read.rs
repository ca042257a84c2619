//! Reading a layer: see [`super`].

use std::io::{self, Read};

use rayon::prelude::*;

use super::index::{Backing, EntryId, LayerIndex};
use super::pass::Pass;
use super::{Error, Interest, path};
use crate::compression::{Compression, Decoder};
use crate::digest::{Digest, Hasher};
use crate::extent::Extent;

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

/// Hashes what passes, if asked.
pub(super) struct Hashing<R> {
    source: R,
    hasher: Option<Hasher>,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(source: R, wanted: bool) -> Self {
        Self {
            source,
            hasher: wanted.then(Hasher::new),
        }
    }

    pub(super) fn finish(self) -> Digest {
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
