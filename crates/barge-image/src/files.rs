//! The files of an image, whether they lie in a folder or in a tar archive that is read in place.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compression::{Compression, Decoder};
use crate::digest::Digest;
use crate::error::Error;
use crate::extent::Extent;
use crate::layer::path;
use crate::tar::{self, Kind, Reader, Seekable};

/// More members than any image archive has: forty times the layers that engines allow, in the old form with four each.
const MEMBER_LIMIT: usize = 65_536;
/// How many times its own length a compressed archive may inflate to on disk, beyond the first gigabyte: layers shrink to a
/// third, or to a tenth.
const ARCHIVE_RATIO: u64 = 50;
/// Old docker archives link equal layers to each other; chains longer than this are loops.
const LINK_LIMIT: usize = 8;

/// The files of one image archive or layout, by their path inside it.
#[derive(Debug)]
pub(crate) struct Files {
    path: Utf8PathBuf,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Folder,
    Archive(BTreeMap<String, Member>),
}

#[derive(Debug)]
enum Member {
    File(Extent),
    Link(String),
}

impl Files {
    /// Opens a folder or an archive. A compressed archive is inflated into an unnamed temporary file.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self, Error> {
        let metadata = fs::metadata(path).map_err(Error::file("open", path))?;
        let home = if metadata.is_dir() {
            Home::Folder
        } else {
            Home::Archive(members(path, &plain_archive(path)?)?)
        };
        Ok(Self {
            path: path.to_owned(),
            home,
        })
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A file's bytes; `None` when it is not there.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Extent>, Error> {
        let Home::Archive(members) = &self.home else {
            return self.in_folder(name);
        };
        let mut name = clean(name);
        for _ in 0..LINK_LIMIT {
            match members.get(&name) {
                Some(Member::File(extent)) => return Ok(Some(extent.clone())),
                Some(Member::Link(target)) => name.clone_from(target),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn in_folder(&self, name: &str) -> Result<Option<Extent>, Error> {
        match Extent::open(&self.path.join(clean(name))) {
            Ok(extent) => Ok(Some(extent)),
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A small document that must be there. If its name states a digest, its bytes must have it.
    pub(crate) fn document(&self, what: &'static str, name: &str) -> Result<Vec<u8>, Error> {
        let extent = self.get(name)?.ok_or_else(|| self.missing(name))?;
        let bytes = extent.document(what, &self.path)?;
        let stem = name
            .rsplit('/')
            .next()
            .unwrap_or(name)
            .trim_end_matches(".json");
        match Digest::from_hex(stem) {
            Ok(expected) if Digest::of(&bytes) != expected => Err(Error::Digest {
                what: format!("the {what}"),
                expected,
                found: Digest::of(&bytes),
            }),
            _ => Ok(bytes),
        }
    }

    pub(crate) fn missing(&self, what: &str) -> Error {
        Error::Missing {
            path: self.path.clone(),
            what: format!("`{what}`"),
        }
    }
}

/// The path of a blob in a layout.
pub(crate) fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Opens an archive for random access.
fn plain_archive(path: &Utf8Path) -> Result<Extent, Error> {
    let extent = Extent::open(path)?;
    if extent.is_empty() {
        return Err(Error::NotAnImage {
            path: path.to_owned(),
            found: "an empty file".into(),
        });
    }
    let (compression, mut decoder) =
        Decoder::sniffing(extent.reader()).map_err(Error::file("read", path))?;
    if compression == Compression::None {
        return Ok(extent);
    }
    let mut inflate = || -> io::Result<Extent> {
        let mut file = tempfile::tempfile()?;
        let limit = (1 << 30) + extent.len().saturating_mul(ARCHIVE_RATIO);
        let length = io::copy(&mut decoder.by_ref().take(limit), &mut file)?;
        if length == limit {
            let text = format!("it inflates to more than {limit} bytes, as no image does");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Extent::whole(Arc::new(file), length))
    };
    inflate().map_err(Error::file("inflate", path))
}

fn members(path: &Utf8Path, archive: &Extent) -> Result<BTreeMap<String, Member>, Error> {
    let mut reader = Reader::new(Seekable::new(archive.reader(), archive.len()));
    let mut members = BTreeMap::new();
    while let Some(entry) = reader
        .next()
        .map_err(|source| not_tar(path, archive, source))?
    {
        // Names that are no text name nothing that an image document could ask for.
        let Ok(name) = String::from_utf8(entry.path) else {
            continue;
        };
        let name = clean(&name);
        let member = match entry.kind {
            Kind::File => Member::File(archive.part(entry.offset, entry.size)),
            Kind::HardLink => Member::Link(clean(&String::from_utf8_lossy(&entry.link))),
            Kind::Symlink => Member::Link(beside(&name, &String::from_utf8_lossy(&entry.link))),
            _ => continue,
        };
        // Engines differ in which of two members they read: an archive with two faces.
        if members.insert(name.clone(), member).is_some() {
            let (path, found) = (path.to_owned(), format!("it holds `{name}` twice"));
            return Err(Error::NotAnImage { path, found });
        }
        if members.len() > MEMBER_LIMIT {
            let (what, limit) = ("list of members".to_owned(), MEMBER_LIMIT as u64);
            return Err(Error::TooLarge {
                what,
                path: path.to_owned(),
                size: members.len() as u64,
                limit,
            });
        }
    }
    if archive.len() < reader.offset() {
        let source = tar::Error::Truncated {
            offset: archive.len(),
            path: "the last member".into(),
        };
        return Err(Error::Tar {
            path: path.to_owned(),
            source,
        });
    }
    Ok(members)
}

/// A file that does not begin like an archive is told apart from one that breaks off later.
fn not_tar(path: &Utf8Path, archive: &Extent, source: tar::Error) -> Error {
    let is_short = archive.len() < tar::BLOCK;
    if !is_short && !matches!(source, tar::Error::Header { offset: 0 }) {
        return Error::Tar {
            path: path.to_owned(),
            source,
        };
    }
    let mut first = [0; 4];
    let is_zip = archive.reader().read_exact(&mut first).is_ok() && first == *b"PK\x03\x04";
    let found = if is_zip {
        "a zip file; unpack it first"
    } else if is_short {
        "shorter than any archive"
    } else {
        "no tar archive"
    };
    Error::NotAnImage {
        path: path.to_owned(),
        found: found.into(),
    }
}

/// `./a//b/../c` as `a/c`; `..` never leads out.
fn clean(name: &str) -> String {
    let clean = path::clean(name.as_bytes());
    // Whole parts of a text are texts.
    String::from_utf8_lossy(&clean).into_owned()
}

/// The target of a symbolic link, seen from the root of the archive.
fn beside(link: &str, target: &str) -> String {
    match link.rsplit_once('/') {
        Some((folder, _)) if !target.starts_with('/') => clean(&format!("{folder}/{target}")),
        _ => clean(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_archive_is_told_from_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("file");
        let broken = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            Files::open(&path).map(|_| ()).unwrap_err().to_string()
        };
        for (content, expected) in [
            (&b""[..], "an empty file"),
            (b"a line of text", "shorter than any archive"),
            (&[b'x'; 600], "no tar archive"),
            (
                b"PK\x03\x04, and what follows",
                "a zip file; unpack it first",
            ),
        ] {
            let said = broken(content);
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn names_are_cleaned_and_never_lead_out() {
        assert_eq!(clean("./a//b/../c"), "a/c");
        assert_eq!(clean("../../etc/passwd"), "etc/passwd");
        assert_eq!(beside("x/layer.tar", "../y/layer.tar"), "y/layer.tar");
        assert_eq!(beside("layer.tar", "/y"), "y");
    }
}
