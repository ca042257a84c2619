//! Reads advisory data as it is published: folders of OSV records, `<Ecosystem>/all.zip` archives, side files beside them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use flate2::{Decompress, FlushDecompress, Status};
use jiff::civil::Date;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipArchive};

use crate::ecosystem;
use crate::error::Error;
use crate::index::{Builder, Bytes, Database, Problem, Source};
use crate::osv::Record;
use crate::side::SideData;

/// Records that are read ahead of being compiled: bounds the memory.
const CHUNK: usize = 256;
/// No record is longer.
const LARGEST_RECORD: usize = 64 * 1024 * 1024;
/// Folders below the given one that are looked into.
const DEPTH: usize = 3;

/// The index that stands beside the archives it was compiled from.
pub const INDEX: &str = "advisories.index";

/// Opens advisory data: an index file, or a folder. Of a folder its [`INDEX`] is opened if nothing in it is newer, else it
/// is compiled in memory.
pub fn open(path: &Path) -> Result<Database, Error> {
    let is_folder = std::fs::metadata(path)
        .map_err(Error::io("read", path))?
        .is_dir();
    if !is_folder {
        return Database::open(path);
    }
    match compiled(path)? {
        Some(index) => Database::open(&index),
        None => Database::from_bytes(compile(path)?.finish()?),
    }
}

/// The index of a folder, if there is one that nothing else in the folder is newer than.
fn compiled(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|facts| facts.modified());
    let index = folder.join(INDEX);
    let Ok(made) = modified(&index) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    walk(folder, DEPTH, &mut files)?;
    let is_newer = |path: &PathBuf| modified(path).is_ok_and(|time| time > made);
    let outdated = files.iter().filter(|path| is_data(path)).any(is_newer);
    Ok((!outdated).then_some(index))
}

fn is_data(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    SideData::knows(&name) || name.ends_with(".zip") || name.ends_with(".json")
}

/// Checks that a file is an archive whose list of members is whole, and that it holds records.
pub fn check_archive(path: &Path) -> Result<(), Error> {
    let bytes = Bytes::open(path)?;
    let failed = |reason: String| Error::Archive {
        path: path.to_owned(),
        reason,
    };
    let members = members(&bytes).map_err(failed)?;
    let mut inflate = Decompress::new(false);
    for member in &members {
        member
            .read(&bytes, &mut inflate)
            .map_err(|reason| failed(format!("{}: {reason}", member.name)))?;
    }
    if members.is_empty() {
        return Err(failed("it holds no records".to_owned()));
    }
    Ok(())
}

/// Checks that a file of side data, known by its name, can be read.
pub fn check_side_data(path: &Path) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A file that is still being fetched has a further ending.
    SideData::parse(name.trim_end_matches(".part"), &Bytes::open(path)?).map(drop)
}

/// Reads all advisory data below a folder.
pub fn compile(folder: &Path) -> Result<Builder, Error> {
    compile_ecosystems(folder, &BTreeSet::new())
}

/// Reads the advisory data of ecosystems, each of which has a folder of its name below the given one, and what lies beside
/// these folders. All of it if none is named.
pub fn compile_ecosystems(folder: &Path, names: &BTreeSet<String>) -> Result<Builder, Error> {
    if let Some(missing) = names.iter().find(|name| !folder.join(name).is_dir()) {
        return Err(Error::NoRecords(folder.join(missing)));
    }
    let mut files = Vec::new();
    walk(folder, DEPTH, &mut files)?;
    files.sort();
    let mut builder = Builder::new();
    let mut loose = Vec::new();
    for path in files {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let ecosystem = name.split_once('/').map(|(ecosystem, _)| ecosystem);
        if ecosystem.is_some_and(|own| !names.is_empty() && !names.contains(own)) {
            continue;
        }
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
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

/// A member of an archive: where its bytes lie in it.
struct Member {
    name: String,
    start: usize,
    length: usize,
    size: usize,
    is_packed: bool,
    crc32: u32,
}

/// Adds the records of an archive, in the order of their names.
fn add_archive(builder: &mut Builder, path: &Path, name: &str) -> Result<(), Error> {
    let bytes = Bytes::open(path)?;
    let members = members(&bytes).map_err(|reason| Error::Archive {
        path: path.to_owned(),
        reason,
    })?;
    let mut source = SourceCount::default();
    for chunk in members.chunks(CHUNK) {
        let read = |inflate: &mut Decompress, member: &Member| {
            member
                .read(&bytes, inflate)
                .and_then(|bytes| Record::parse(&bytes))
        };
        let records: Vec<_> = chunk
            .par_iter()
            .map_init(|| Decompress::new(false), read)
            .collect();
        for (member, record) in chunk.iter().zip(records) {
            source.add(builder, &format!("{name}/{}", member.name), record)?;
        }
    }
    let mut source = source.finish(name, &Sha256::digest(&bytes[..]));
    source.checked = checked(path);
    builder.add_source(source);
    Ok(())
}

/// Notes beside a file that was fetched that it is what the server has on this day.
///
/// # Errors
/// When the note cannot be written.
pub fn note_checked(path: &Path, day: Date) -> Result<(), Error> {
    let note = beside(path);
    std::fs::write(&note, day.to_string()).map_err(Error::io("write", note))
}

/// What [`note_checked`] noted. Anything else is as good as no note.
fn checked(path: &Path) -> Option<Date> {
    std::fs::read_to_string(beside(path))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("checked")
}

/// The records of an archive, sorted by name.
fn members(bytes: &[u8]) -> Result<Vec<Member>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut members = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let member = archive
            .by_index_raw(index)
            .map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if !name.ends_with(".json") {
            continue;
        }
        let is_packed = match member.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => return Err(format!("`{name}` is packed by {other:?}")),
        };
        let place = member
            .data_start()
            .and_then(|start| usize::try_from(start).ok());
        let length = usize::try_from(member.compressed_size()).ok();
        let (start, length) = place.zip(length).ok_or("a member lies outside of it")?;
        let size = usize::try_from(member.size()).unwrap_or(usize::MAX);
        members.push(Member {
            name,
            start,
            length,
            size,
            is_packed,
            crc32: member.crc32(),
        });
    }
    members.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(members)
}

impl Member {
    fn read<'a>(
        &self,
        archive: &'a [u8],
        inflate: &mut Decompress,
    ) -> Result<Cow<'a, [u8]>, String> {
        let end = self.start.checked_add(self.length);
        let raw = end
            .and_then(|end| archive.get(self.start..end))
            .ok_or("it is cut short")?;
        if self.size > LARGEST_RECORD {
            return Err("it is too long".to_owned());
        }
        let bytes = if self.is_packed {
            let mut bytes = Vec::with_capacity(self.size);
            inflate.reset(false);
            let status = inflate.decompress_vec(raw, &mut bytes, FlushDecompress::Finish);
            if !matches!(status, Ok(Status::StreamEnd)) {
                return Err("it cannot be unpacked".to_owned());
            }
            Cow::Owned(bytes)
        } else {
            Cow::Borrowed(raw)
        };
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        if crc.sum() == self.crc32 {
            Ok(bytes)
        } else {
            Err("it does not have its checksum".to_owned())
        }
    }
}

/// Adds records that lie in files of their own; together they are one source.
fn add_loose(builder: &mut Builder, files: &[(String, PathBuf)]) -> Result<(), Error> {
    let mut source = SourceCount::default();
    let mut digest = Sha256::new();
    for chunk in files.chunks(CHUNK) {
        let read = |(name, path): &(String, PathBuf)| {
            let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
            let record = Record::parse(&bytes);
            if record.is_err() && is_side_file(name, &bytes) {
                return Ok(None);
            }
            Ok(Some((Sha256::digest(&bytes), record)))
        };
        let records: Vec<_> = chunk.par_iter().map(read).collect::<Result<_, Error>>()?;
        for ((name, _), record) in chunk.iter().zip(records) {
            let Some((file_digest, record)) = record else {
                builder.pass_over(name.clone());
                continue;
            };
            digest.update(name.as_bytes());
            digest.update(file_digest);
            source.add(builder, name, record)?;
        }
    }
    if source.records > 0 {
        builder.add_source(source.finish("records", &digest.finalize()));
    }
    Ok(())
}

/// Whether a file that is no record is none by intention: JSON without the one field that every record must have, outside
/// of the folders of ecosystems.
fn is_side_file(name: &str, bytes: &[u8]) -> bool {
    let folder = Path::new(name)
        .parent()
        .and_then(Path::file_name)
        .map(|folder| folder.to_string_lossy());
    if folder.is_some_and(|folder| ecosystem::scheme(&folder).is_some()) {
        return false;
    }
    // What cannot be read at all may be a damaged record: that is told.
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|value| value.get("id").is_none())
}

/// Counts what a source gives.
#[derive(Default)]
struct SourceCount {
    records: u64,
    newest: String,
}

impl SourceCount {
    fn add(
        &mut self,
        builder: &mut Builder,
        name: &str,
        record: Result<Record, String>,
    ) -> Result<(), Error> {
        match record {
            Ok(record) => {
                self.records += 1;
                if record.modified > self.newest {
                    self.newest.clone_from(&record.modified);
                }
                builder.add(&record)
            }
            Err(reason) => {
                builder.add_problem(Problem {
                    name: name.to_owned(),
                    reason,
                });
                Ok(())
            }
        }
    }

    fn finish(self, name: &str, digest: &[u8]) -> Source {
        let sha256 = barge_image::digest::hex(digest);
        Source {
            name: name.to_owned(),
            sha256,
            records: self.records,
            newest: self.newest,
            checked: None,
        }
    }
}
