//! Reads advisory data as it is published: folders of OSV records, `<Ecosystem>/all.zip` archives, side files beside them.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::error::Error;
use crate::index::{Builder, Bytes, Database, Problem, Source};
use crate::osv::Record;
use crate::side::SideData;

/// Records that are read ahead of being compiled: bounds the memory.
const CHUNK: usize = 32;
/// No record is longer.
const LARGEST_RECORD: u64 = 64 * 1024 * 1024;
/// Folders below the given one that are looked into.
const DEPTH: usize = 3;

/// Opens advisory data: an index file, or a folder, which is compiled in memory.
pub fn open(path: &Path) -> Result<Database, Error> {
    let is_folder = std::fs::metadata(path).map_err(Error::io("read", path))?.is_dir();
    if is_folder { Database::from_bytes(compile(path)?.finish()?) } else { Database::open(path) }
}

/// Reads all advisory data below a folder.
pub fn compile(folder: &Path) -> Result<Builder, Error> {
    let mut files = Vec::new();
    walk(folder, DEPTH, &mut files)?;
    files.sort();
    let mut builder = Builder::new();
    let mut loose = Vec::new();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if SideData::knows(&file) {
            builder.add_side_data(SideData::parse(&file, &Bytes::open(&path)?)?);
        } else if file.ends_with(".zip") {
            add_archive(&mut builder, &path, &name)?;
        } else if file.ends_with(".json") {
            loose.push((name, path));
        }
    }
    add_loose(&mut builder, &loose)?;
    if builder.is_empty() {
        return Err(Error::NoRecords(folder.to_owned()));
    }
    Ok(builder)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.is_dir() {
            if depth > 0 {
                walk(&path, depth - 1, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Adds the records of an archive, in the order of their names.
fn add_archive(builder: &mut Builder, path: &Path, name: &str) -> Result<(), Error> {
    let bytes = Bytes::open(path)?;
    let failed = |reason: String| Error::Archive { path: path.to_owned(), reason };
    let archive = ZipArchive::new(Cursor::new(&bytes[..])).map_err(|error| failed(error.to_string()))?;
    let mut members: Vec<(String, usize)> = (0..archive.len())
        .filter_map(|index| Some((archive.name_for_index(index)?.ok()?.into_owned(), index)))
        .filter(|(member, _)| member.ends_with(".json"))
        .collect();
    members.sort();
    let mut source = SourceCount::default();
    for chunk in members.chunks(CHUNK) {
        let read = |archive: &mut ZipArchive<_>, (member, index): &(String, usize)| {
            (member.clone(), read_member(archive, *index).and_then(|bytes| Record::parse(&bytes)))
        };
        let records: Vec<_> = chunk.par_iter().map_init(|| archive.clone(), read).collect();
        for (member, record) in records {
            source.add(builder, &format!("{name}/{member}"), record)?;
        }
    }
    builder.add_source(source.finish(name, &Sha256::digest(&bytes[..])));
    Ok(())
}

fn read_member(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> Result<Vec<u8>, String> {
    let member = archive.by_index(index).map_err(|error| error.to_string())?;
    let mut bytes = Vec::with_capacity(usize::try_from(member.size().min(1024 * 1024)).unwrap_or(0));
    member.take(LARGEST_RECORD + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_RECORD {
        return Err("it is too long".to_owned());
    }
    Ok(bytes)
}

/// Adds records that lie in files of their own; together they are one source.
fn add_loose(builder: &mut Builder, files: &[(String, PathBuf)]) -> Result<(), Error> {
    let mut source = SourceCount::default();
    let mut digest = Sha256::new();
    for chunk in files.chunks(CHUNK) {
        let read = |(name, path): &(String, PathBuf)| {
            let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
            Ok((name.clone(), Sha256::digest(&bytes), Record::parse(&bytes)))
        };
        let records: Vec<_> = chunk.par_iter().map(read).collect::<Result<_, Error>>()?;
        for (name, file_digest, record) in records {
            digest.update(name.as_bytes());
            digest.update(file_digest);
            source.add(builder, &name, record)?;
        }
    }
    if source.records > 0 {
        builder.add_source(source.finish("records", &digest.finalize()));
    }
    Ok(())
}

/// Counts what a source gives.
#[derive(Default)]
struct SourceCount {
    records: u64,
    newest: String,
}

impl SourceCount {
    fn add(&mut self, builder: &mut Builder, name: &str, record: Result<Record, String>) -> Result<(), Error> {
        match record {
            Ok(record) => {
                self.records += 1;
                if record.modified > self.newest {
                    self.newest.clone_from(&record.modified);
                }
                builder.add(&record)
            }
            Err(reason) => {
                builder.add_problem(Problem { name: name.to_owned(), reason });
                Ok(())
            }
        }
    }

    fn finish(self, name: &str, digest: &[u8]) -> Source {
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Source { name: name.to_owned(), sha256, records: self.records, newest: self.newest }
    }
}
