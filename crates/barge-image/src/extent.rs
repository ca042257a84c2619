//! A run of bytes in a file: a blob of a layout, or a member of an archive that is read in place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;

use crate::digest::Digest;
use crate::error::Error;

/// A file that was changed so shortly ago may be changed again without another time being noted: file systems keep times in
/// steps of up to two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// The largest manifest, index or config that is read into memory, in bytes. Registries accept 4 MiB.
pub const DOCUMENT_LIMIT: u64 = 8 << 20;

/// Bytes of a file that several threads may read at once.
#[derive(Debug, Clone)]
pub struct Extent {
    file: Arc<Source>,
    offset: u64,
    length: u64,
}

/// Brings a file when it is first read, such as a blob that lies elsewhere.
pub type Bring = Box<dyn Fn() -> io::Result<File> + Send + Sync>;

/// A file that is open, or opened when it is first read.
struct Source {
    open: OnceLock<Arc<File>>,
    // Held while the file is brought, so that it is brought once.
    bring: Mutex<Option<Bring>>,
}

impl Source {
    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.open.get() {
            return Ok(file);
        }
        let bring = self.bring.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.open.get(), &*bring) {
            (Some(file), _) => Ok(file),
            (None, Some(bring)) => {
                let file = bring()?;
                Ok(self.open.get_or_init(|| Arc::new(file)))
            }
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Source").field(&self.open.get()).finish()
    }
}

impl Extent {
    /// The whole of a file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Utf8Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::file("open", path))?;
        let length = file.metadata().map_err(Error::file("open", path))?.len();
        Ok(Self::whole(Arc::new(file), length))
    }

    /// The whole of an open file of known length, in bytes.
    #[must_use]
    pub fn whole(file: Arc<File>, length: u64) -> Self {
        let source = Source {
            open: OnceLock::from(file),
            bring: Mutex::new(None),
        };
        Self {
            file: Arc::new(source),
            offset: 0,
            length,
        }
    }

    /// The whole of a file of known length, in bytes, that is brought when it is first read.
    #[must_use]
    pub fn deferred(length: u64, bring: Bring) -> Self {
        let source = Source {
            open: OnceLock::new(),
            bring: Mutex::new(Some(bring)),
        };
        Self {
            file: Arc::new(source),
            offset: 0,
            length,
        }
    }

    /// Brings the file, if it is not open yet.
    ///
    /// # Errors
    /// When it cannot be brought.
    pub fn bring(&self) -> io::Result<()> {
        self.file.file().map(drop)
    }

    /// Where in its file it begins, in bytes.
    pub(crate) fn start(&self) -> u64 {
        self.offset
    }

    /// The file, if this is all of it.
    #[must_use]
    pub fn whole_file(&self) -> Option<&File> {
        let file = self.file.file().ok()?;
        let length = file.metadata().ok()?.len();
        (self.offset == 0 && self.length == length).then_some(file)
    }

    /// A name of these bytes that costs no reading: which file they lie in, where, and when it was changed last. `None` when
    /// that is too short before `now` to tell. As with the index of git, who sets the machine's clock can deceive it.
    #[must_use]
    pub fn stamp(&self, now: SystemTime) -> Option<Digest> {
        let metadata = self.file.file().ok()?.metadata().ok()?;
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let settled = i64::try_from(since_epoch.checked_sub(SETTLED)?.as_secs()).ok()?;
        if metadata.mtime().max(metadata.ctime()) >= settled {
            return None;
        }
        let facts = [
            metadata.dev(),
            metadata.ino(),
            metadata.len(),
            metadata.mtime().cast_unsigned(),
            metadata.mtime_nsec().cast_unsigned(),
            metadata.ctime().cast_unsigned(),
            metadata.ctime_nsec().cast_unsigned(),
            self.offset,
            self.length,
        ];
        Some(Digest::of(facts.map(u64::to_le_bytes).as_flattened()))
    }

    /// A part of this extent; what lies beyond its end is left out.
    #[must_use]
    pub fn part(&self, offset: u64, length: u64) -> Self {
        let offset = offset.min(self.length);
        let length = length.min(self.length - offset);
        Self {
            file: Arc::clone(&self.file),
            offset: self.offset + offset,
            length,
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Reads from the start.
    #[must_use]
    pub fn reader(&self) -> ExtentReader {
        ExtentReader {
            extent: self.clone(),
            position: 0,
        }
    }

    /// Reads from a position of the extent; fewer bytes than asked only at its end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(offset);
        let want = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let mut filled = 0;
        while filled < want {
            let at = self.offset + offset + filled as u64;
            match self.file.file()?.read_at(&mut buffer[filled..want], at) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Reads all bytes, if there are at most `limit`.
    ///
    /// # Errors
    /// When there are more, or the file cannot be read.
    pub fn read_all(&self, limit: u64) -> io::Result<Vec<u8>> {
        if self.length > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("more than {limit} bytes"),
            ));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.length).unwrap_or(0));
        self.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a document of an image; `what` and `path` name it in errors.
    pub(crate) fn document(&self, what: &str, path: &Utf8Path) -> Result<Vec<u8>, Error> {
        if self.length > DOCUMENT_LIMIT {
            return Err(Error::TooLarge {
                what: what.to_owned(),
                path: path.to_owned(),
                size: self.length,
                limit: DOCUMENT_LIMIT,
            });
        }
        self.read_all(DOCUMENT_LIMIT)
            .map_err(Error::file("read", path))
    }
}

/// Reads an extent without moving the file's own position.
#[derive(Debug)]
pub struct ExtentReader {
    extent: Extent,
    position: u64,
}

impl Read for ExtentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.extent.length.saturating_sub(self.position);
        let want = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self
            .extent
            .file
            .file()?
            .read_at(&mut buffer[..want], self.extent.offset + self.position)?;
        if read == 0 && want > 0 {
            // The file was longer when the extent was made.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ExtentReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
            SeekFrom::End(step) => self.extent.length.checked_add_signed(step),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_of_one_range_of_an_unchanged_file() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let extent = || Extent::open(Utf8Path::from_path(&path).unwrap()).unwrap();
        write("one two");
        let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(extent().stamp(changed), None);
        assert_eq!(extent().stamp(SystemTime::UNIX_EPOCH), None);

        let later = changed + Duration::from_secs(60);
        let stamp = extent().stamp(later);
        assert!(stamp.is_some());
        assert_eq!(extent().stamp(later + SETTLED), stamp);
        assert_ne!(extent().part(0, 3).stamp(later), stamp);
        assert_ne!(
            extent().part(1, 3).stamp(later),
            extent().part(0, 3).stamp(later)
        );
        // The time of writing can be set back, that of the change of the file not.
        write("one six");
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(changed).unwrap();
        assert_ne!(extent().stamp(later), stamp);
    }
}
