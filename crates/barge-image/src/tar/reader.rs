//! A streaming reader.
//!
//! Rules that bite: a PAX header or GNU long name belongs to the next file
//! only; sizes may lie, so nothing is allocated by them except extension records up to 1 MiB; an archive may end
//! without its two zero blocks.

use std::io::{self, Read};

use super::BLOCK;
use super::entry::{Entry, Kind};
use super::extension::Extensions;
use super::header::{self, Block};
use super::source::Skip;
use super::sparse::{LeadingMap, OldMap, Records, SparseMap};

/// The largest PAX or GNU extension record that is read, in bytes.
const EXTENSION_LIMIT: u64 = 1 << 20;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source failed.
    #[error("cannot read the archive at byte {offset}")]
    Read {
        /// Where in the stream.
        offset: u64,
        /// What the source said.
        source: io::Error,
    },
    /// The archive ends in the middle of a member.
    #[error("the archive is truncated: it ends at byte {offset}, inside `{path}`")]
    Truncated {
        /// Where the member's content or header began.
        offset: u64,
        /// The member, or `a header`.
        path: String,
    },
    /// A block that should be a header is none.
    #[error("not a tar archive: no valid header at byte {offset}")]
    Header {
        /// Where in the stream.
        offset: u64,
    },
    /// An extension record that is malformed or larger than barge reads.
    #[error("the {what} record at byte {offset} is malformed or larger than 1 MiB")]
    Extension {
        /// Which kind of record.
        what: &'static str,
        /// Where in the stream.
        offset: u64,
    },
}

/// Reads members one after the other from a source.
#[derive(Debug)]
pub struct Reader<S> {
    source: S,
    /// Bytes consumed so far.
    offset: u64,
    /// Content of the present member not yet read, and its padding.
    left: u64,
    padding: u64,
    /// The present member, for messages.
    path: Vec<u8>,
    /// The map of the present member, if it is sparse and its map is sound.
    sparse: Option<SparseMap>,
}

impl<S: Skip> Reader<S> {
    /// Starts at the source's present position, which becomes offset 0.
    pub fn new(source: S) -> Self {
        Self {
            source,
            offset: 0,
            left: 0,
            padding: 0,
            path: Vec::new(),
            sparse: None,
        }
    }

    /// The next member. What is left of the present one is passed over.
    ///
    /// # Errors
    /// When the source fails or does not hold a tar archive.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not lend the reader for the content"
    )]
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        self.finish_entry()?;
        let mut extensions = Extensions::default();
        let mut expects_a_member = false;
        loop {
            let at = self.offset;
            let Some(block) = self.header()? else {
                let path = "an extended header".into();
                let truncated = Error::Truncated { offset: at, path };
                return if expects_a_member {
                    Err(truncated)
                } else {
                    Ok(None)
                };
            };
            expects_a_member = matches!(block[header::TYPE], b'L' | b'K' | b'x');
            let size = u64::try_from(header::number(&block[header::SIZE]).unwrap_or(-1))
                .map_err(|_| Error::Header { offset: at })?;
            match block[header::TYPE] {
                b'L' => extensions.path = Some(c_string(self.extension("GNU long name", size)?)),
                b'K' => extensions.link = Some(c_string(self.extension("GNU long link", size)?)),
                b'x' => {
                    let records = self.extension("PAX", size)?;
                    extensions.apply(&records).ok_or(Error::Extension {
                        what: "PAX",
                        offset: at,
                    })?;
                }
                // A global header says nothing that an image reader may rely on (comments, commit ids).
                b'g' => drop(self.extension("global PAX", size)?),
                _ => return self.member(&block, size, extensions).map(Some),
            }
        }
    }

    /// Reads all remaining bytes, so that the source's own hash or length is complete.
    ///
    /// # Errors
    /// When the source fails.
    pub fn drain(&mut self) -> Result<(), Error> {
        self.finish_entry()?;
        let rest = io::copy(&mut self.source, &mut io::sink());
        self.offset += rest.map_err(|source| Error::Read {
            offset: self.offset,
            source,
        })?;
        Ok(())
    }

    /// Bytes consumed so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The source, positioned wherever reading stopped.
    pub fn into_inner(self) -> S {
        self.source
    }

    fn member(&mut self, block: &Block, size: u64, extensions: Extensions) -> Result<Entry, Error> {
        let field = |range: std::ops::Range<usize>| header::number(&block[range]).unwrap_or(0);
        let path = extensions.path.unwrap_or_else(|| header_path(block));
        let kind = kind(block[header::TYPE], &path);
        let old_map = if block[header::TYPE] == b'S' {
            Some(self.old_sparse_map(block)?)
        } else {
            None
        };
        let size = if kind == Kind::File {
            extensions.size.unwrap_or(size)
        } else {
            0
        };
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK) - size;
        self.path.clone_from(&path);
        self.sparse = match (&old_map, &extensions.sparse) {
            (Some(map), _) => map.finish(size),
            (None, Some(records)) if records.before_content => self.map_before_content(records)?,
            (None, Some(records)) => records.map(size),
            (None, None) => None,
        };
        Ok(Entry {
            link: extensions
                .link
                .unwrap_or_else(|| header::text(&block[header::LINK]).to_vec()),
            path,
            kind,
            size: self.left,
            offset: self.offset,
            mode: u32::try_from(field(header::MODE) & 0o7777).unwrap_or(0),
            uid: extensions
                .uid
                .unwrap_or_else(|| u64::try_from(field(header::UID)).unwrap_or(0)),
            gid: extensions
                .gid
                .unwrap_or_else(|| u64::try_from(field(header::GID)).unwrap_or(0)),
            mtime: extensions.mtime.unwrap_or_else(|| field(header::MTIME)),
            sparse: extensions.sparse.is_some() || old_map.is_some(),
        })
    }

    /// The map of the present member, if it is sparse; `None` when it is not, or its map is malformed.
    #[must_use]
    pub fn sparse(&self) -> Option<&SparseMap> {
        self.sparse.as_ref()
    }

    /// Old GNU sparse members may carry more map blocks between header and content.
    fn old_sparse_map(&mut self, block: &Block) -> Result<OldMap, Error> {
        let mut map = OldMap::new(block);
        let mut more = block[header::GNU_SPARSE_EXTENDED] != 0;
        while more {
            let mut block = [0; 512];
            self.read_exact(&mut block, "a sparse map")?;
            more = map.extend(&block);
        }
        Ok(map)
    }

    /// Reads the map that is the first part of a content; what is left of the content is the pieces.
    fn map_before_content(&mut self, records: &Records) -> Result<Option<SparseMap>, Error> {
        let mut map = LeadingMap::default();
        while self.left >= BLOCK {
            let mut block = [0; 512];
            self.read_exact(&mut block, "a sparse map")?;
            self.left -= BLOCK;
            match map.extend(&block) {
                Some(true) => return Ok(records.leading(&map, self.left)),
                Some(false) => {}
                None => break,
            }
        }
        Ok(None)
    }

    /// The next header block, or `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Block>, Error> {
        let at = self.offset;
        let mut block = [0; 512];
        let read = self.fill(&mut block)?;
        if read == 0 || block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if read < block.len() {
            return Err(Error::Truncated {
                offset: self.offset,
                path: "a header".into(),
            });
        }
        if header::checksum_is_right(&block) {
            Ok(Some(block))
        } else {
            Err(Error::Header { offset: at })
        }
    }

    fn extension(&mut self, what: &'static str, size: u64) -> Result<Vec<u8>, Error> {
        let offset = self.offset;
        let length = usize::try_from(size)
            .ok()
            .filter(|_| size <= EXTENSION_LIMIT);
        let mut bytes = vec![0; length.ok_or(Error::Extension { what, offset })?];
        self.read_exact(&mut bytes, what)?;
        let padding = size.next_multiple_of(BLOCK) - size;
        self.skip(padding)?;
        Ok(bytes)
    }

    fn finish_entry(&mut self) -> Result<(), Error> {
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        self.skip(rest)
    }

    fn skip(&mut self, count: u64) -> Result<(), Error> {
        if count == 0 {
            return Ok(());
        }
        self.source
            .skip(count)
            .map_err(|source| self.failure(source))?;
        self.offset += count;
        Ok(())
    }

    fn read_exact(&mut self, buffer: &mut [u8], what: &str) -> Result<(), Error> {
        if self.fill(buffer)? == buffer.len() {
            Ok(())
        } else {
            Err(Error::Truncated {
                offset: self.offset,
                path: what.to_owned(),
            })
        }
    }

    /// Reads until the buffer is full or the source ends.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failure(source)),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    fn failure(&self, source: io::Error) -> Error {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            let path = String::from_utf8_lossy(&self.path).into_owned();
            return Error::Truncated {
                offset: self.offset,
                path,
            };
        }
        Error::Read {
            offset: self.offset,
            source,
        }
    }
}

/// Reads the content of the present member.
impl<S: Skip> Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let want = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self.source.read(&mut buffer[..want])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        self.offset += read as u64;
        Ok(read)
    }
}

fn c_string(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn header_path(block: &Block) -> Vec<u8> {
    let name = header::text(&block[header::NAME]);
    // Only POSIX headers have a prefix; old GNU ones keep other things there.
    let posix = &block[header::MAGIC] == b"ustar\x0000";
    match header::text(&block[header::PREFIX]) {
        prefix if posix && !prefix.is_empty() => [prefix, b"/", name].concat(),
        _ => name.to_vec(),
    }
}

fn kind(flag: u8, path: &[u8]) -> Kind {
    match flag {
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharacterDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        // Before ustar, a trailing slash was the only sign of a directory.
        0 | b'0' if path.ends_with(b"/") => Kind::Directory,
        _ => Kind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Seekable, Streaming, Writer};
    use super::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut reader = Reader::new(Streaming(bytes));
        let mut members = Vec::new();
        while let Some(entry) = reader.next()? {
            let mut content = Vec::new();
            reader
                .read_to_end(&mut content)
                .map_err(|source| Error::Read { offset: 0, source })?;
            members.push((String::from_utf8_lossy(&entry.path).into_owned(), content));
        }
        Ok(members)
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (path, content) in files {
            writer
                .file(&Entry::file(*path, content.len() as u64), *content)
                .unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn reads_what_the_writer_wrote() {
        let long = "d/".repeat(150) + "file";
        let bytes = archive(&[("a", b"hello"), (&long, b""), ("b", &[7; 513])]);
        let members = read_all(&bytes).unwrap();
        assert_eq!(members[0], ("a".into(), b"hello".to_vec()));
        assert_eq!(members[1].0, long);
        assert_eq!(members[2].1, vec![7; 513]);
    }

    #[test]
    fn seeking_and_streaming_agree() {
        let bytes = archive(&[("a", &[1; 5000]), ("b", b"x")]);
        let mut reader = Reader::new(Seekable::new(io::Cursor::new(&bytes), bytes.len() as u64));
        let paths: Vec<_> = std::iter::from_fn(|| reader.next().unwrap())
            .map(|entry| (entry.path, entry.offset))
            .collect();
        assert_eq!(
            paths,
            [(b"a".to_vec(), 512), (b"b".to_vec(), 512 + 5120 + 512)]
        );
    }

    #[test]
    fn an_archive_may_end_without_zero_blocks() {
        let bytes = archive(&[("a", b"x")]);
        assert_eq!(read_all(&bytes[..1024]).unwrap().len(), 1);
        assert_eq!(read_all(b"").unwrap().len(), 0);
    }

    #[test]
    fn every_truncation_is_an_error_or_a_clean_end() {
        let bytes = archive(&[("a", b"hello"), (&"n".repeat(200), b"y")]);
        for end in 0..bytes.len() {
            let whole_members = matches!(end, 0 | 1024);
            let result = read_all(&bytes[..end]);
            assert_eq!(
                result.is_ok(),
                whole_members || end >= 3072,
                "cut at {end}: {result:?}"
            );
        }
    }

    #[test]
    fn a_pax_header_speaks_of_the_next_file_only() {
        let mut bytes = archive(&[(&"p".repeat(150), b"1")]);
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(archive(&[("short", b"2")]));
        let members = read_all(&bytes).unwrap();
        assert_eq!(members[1], ("short".into(), b"2".to_vec()));
    }

    #[test]
    fn refuses_noise_and_oversized_records() {
        assert!(matches!(
            read_all(&[1; 1024]),
            Err(Error::Header { offset: 0 })
        ));
        let mut huge = archive(&[(&"p".repeat(150), b"1")]);
        huge[header::SIZE].copy_from_slice(b"77777777777\0");
        let mut block: Block = huge[..512].try_into().unwrap();
        let sum = format!("{:06o}\0 ", header::checksum(&block));
        block[header::CHECKSUM].copy_from_slice(sum.as_bytes());
        huge[..512].copy_from_slice(&block);
        assert!(matches!(
            read_all(&huge),
            Err(Error::Extension { what: "PAX", .. })
        ));
    }
}
