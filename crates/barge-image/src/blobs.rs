//! A folder of blobs named by digest, `blobs/sha256/<hex>` (OCI image-layout).
//!
//! A blob appears under its name only when it is whole and on disk: it is written to a temporary name in the same
//! folder, synced and renamed. A crash leaves temporary files, never a broken blob.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{
    AtFlags, CWD, FlockOperation, Timespec, Timestamps, UTIME_NOW, flock, linkat, utimensat,
};

use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::extent::Extent;

/// What temporary files in a blob folder begin with.
pub const PARTIAL_PREFIX: &str = ".partial-";
/// The file beside `blobs/` by which sweeps and writers keep out of each other's way. Layouts that nobody sweeps have none.
pub const SWEEP_LOCK: &str = "sweep.lock";

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: Utf8PathBuf,
}

impl Blobs {
    /// The blobs of a layout, without touching the disk.
    #[must_use]
    pub fn of_layout(root: &Utf8Path) -> Self {
        Self {
            folder: root.join("blobs").join("sha256"),
        }
    }

    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(Error::file("create", &self.folder))
    }

    /// Where the blobs are.
    #[must_use]
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Where a blob is, or would be.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> Utf8PathBuf {
        self.folder.join(digest.hex())
    }

    /// The length of a blob in bytes, if it is there.
    #[must_use]
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest))
            .ok()
            .filter(fs::Metadata::is_file)
            .map(|metadata| metadata.len())
    }

    /// Relies on a blob: whether it is there with this length, in bytes, and marked as used now, so that no sweep takes
    /// it away from who is about to name it.
    #[must_use]
    pub fn keep(&self, digest: &Digest, size: u64) -> bool {
        let path = self.path(digest);
        let lock = self.lock(FlockOperation::LockShared);
        // Where the mark cannot be set the blob counts as absent: it is put again, and new for that.
        let kept = lock.is_ok() && touch(&path) && self.size(digest) == Some(size);
        drop(lock);
        kept
    }

    /// Removes a blob, unless it was put or relied on after `since`. One that is gone already counts as removed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sweep(&self, digest: &Digest, since: SystemTime) -> Result<bool, Error> {
        let path = self.path(digest);
        let _lock = self
            .lock(FlockOperation::LockExclusive)
            .map_err(Error::file("lock", &path))?;
        let used = fs::metadata(&path).and_then(|metadata| metadata.modified());
        match used {
            Ok(used) if used > since => return Ok(false),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("read", path)(error));
            }
            _ => {}
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::file("remove", path)(error))
            }
            _ => Ok(true),
        }
    }

    /// Keeps sweeps and those who rely on blobs apart, for an instant. Without the file nobody sweeps here.
    fn lock(&self, how: FlockOperation) -> io::Result<Option<fs::File>> {
        let root = self.folder.ancestors().nth(2);
        let Some(path) = root.map(|root| root.join(SWEEP_LOCK)) else {
            return Ok(None);
        };
        let file = match how {
            // Network file systems want a file that can be written for this one.
            FlockOperation::LockExclusive => fs::File::options().write(true).open(path),
            _ => fs::File::open(path),
        };
        match file {
            Ok(file) => flock(&file, how).map(|()| Some(file)).map_err(Into::into),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A blob's bytes; `None` when it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub fn open(&self, digest: &Digest) -> Result<Option<Extent>, Error> {
        match Extent::open(&self.path(digest)) {
            Ok(extent) => Ok(Some(extent)),
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores bytes in memory.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let held = || fs::read(self.path(&digest)).is_ok_and(|held| held == bytes);
        if self.keep(&digest, bytes.len() as u64) && held() {
            return Ok(digest);
        }
        let mut writer = self.writer()?;
        writer
            .write_all(bytes)
            .map_err(Error::file("write", self.path(&digest)))?;
        Ok(writer.finish()?.digest)
    }

    /// Starts a blob whose digest is not known yet.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn writer(&self) -> Result<BlobWriter, Error> {
        // The process id lets a later sweep tell abandoned files from those of a living writer.
        let prefix = format!("{PARTIAL_PREFIX}{}-", std::process::id());
        let file =
            partial(&self.folder, &prefix).map_err(Error::file("write into", &self.folder))?;
        Ok(self.writer_to(Bytes::Written(file)))
    }

    /// Starts a blob whose bytes lie in a file already, of which it becomes another name: what is written is only hashed,
    /// and must be what is in the file. `None` where the file cannot have a name here, as on another disk.
    #[must_use]
    pub fn writer_over(&self, file: &fs::File) -> Option<BlobWriter> {
        let file = file.try_clone().ok()?;
        let name = link(&file, &self.folder).ok()?;
        // A sweep goes by the time of the last use, which is that of the other name so far.
        let marked = touch(Utf8Path::from_path(&name)?);
        marked.then(|| self.writer_to(Bytes::Shared(file, name)))
    }

    fn writer_to(&self, bytes: Bytes) -> BlobWriter {
        BlobWriter {
            blobs: self.clone(),
            bytes,
            hasher: Hasher::new(),
            size: 0,
        }
    }
}

/// A blob that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its length, in bytes.
    pub size: u64,
}

/// A blob being written. Dropped before [`Self::finish`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    bytes: Bytes,
    hasher: Hasher,
    size: u64,
}

/// Where the bytes of a blob are until it has its name.
#[derive(Debug)]
enum Bytes {
    /// In a file of its own.
    Written(tempfile::NamedTempFile),
    /// In a file that somebody else named first.
    Shared(fs::File, tempfile::TempPath),
}

impl BlobWriter {
    /// Puts the blob under its name, durably, if its bytes have the expected digest.
    ///
    /// # Errors
    /// When they have another one, and nothing is left then; or when the disk refuses.
    pub fn finish_as(self, expected: &Digest) -> Result<Stored, Error> {
        let found = self.hasher.clone().finish();
        if found == *expected {
            return self.finish();
        }
        Err(Error::Digest {
            what: "the blob".into(),
            expected: *expected,
            found,
        })
    }

    /// Puts the blob under its name, durably.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self) -> Result<Stored, Error> {
        let stored = Stored {
            digest: self.hasher.finish(),
            size: self.size,
        };
        let path = self.blobs.path(&stored.digest);
        // What lies there may have been changed since; these bytes were hashed just now.
        self.bytes
            .persist(&path)
            .map_err(Error::file("write", &path))?;
        sync_folder(&self.blobs.folder)?;
        Ok(stored)
    }
}

impl Bytes {
    /// Syncs them and gives them their name.
    fn persist(self, path: &Utf8Path) -> io::Result<()> {
        match self {
            Self::Written(file) => {
                file.as_file().sync_all()?;
                file.persist(path).map(drop).map_err(|error| error.error)
            }
            Self::Shared(file, name) => {
                file.sync_all()?;
                let temporary = name.to_path_buf();
                name.persist(path).map_err(|error| error.error)?;
                // Two names of one file stay both when one is renamed to the other.
                match fs::remove_file(temporary) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.bytes {
            Bytes::Written(file) => file.write(bytes)?,
            Bytes::Shared(..) => bytes.len(),
        };
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.bytes {
            Bytes::Written(file) => file.flush(),
            Bytes::Shared(..) => Ok(()),
        }
    }
}

/// Gives an open file a temporary name in a folder of the same disk.
fn link(file: &fs::File, folder: &Utf8Path) -> io::Result<tempfile::TempPath> {
    use std::os::fd::AsRawFd as _;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let name = tempfile::Builder::new()
        .prefix(&format!("{PARTIAL_PREFIX}{}-", std::process::id()))
        .make_in(folder, |name| {
            linkat(CWD, &open, CWD, name, AtFlags::SYMLINK_FOLLOW).map_err(Into::into)
        })?;
    Ok(name.into_temp_path())
}

/// A temporary file that becomes a shared one: readable as the user's mask allows, not for its maker alone.
///
/// # Errors
/// When the disk refuses.
pub fn partial(folder: &Utf8Path, prefix: &str) -> io::Result<tempfile::NamedTempFile> {
    let readable = fs::Permissions::from_mode(0o644);
    tempfile::Builder::new()
        .prefix(prefix)
        .permissions(readable)
        .tempfile_in(folder)
}

/// Marks a file as used now, by the clock of the disk it is on.
fn touch(path: &Utf8Path) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    utimensat(CWD, path.as_std_path(), &times, AtFlags::empty()).is_ok()
}

/// Makes a rename durable.
///
/// # Errors
/// When the disk refuses.
pub fn sync_folder(folder: &Utf8Path) -> Result<(), Error> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::file("sync", folder))
}

/// Writes a file whole or not at all: under a temporary name, synced, renamed.
///
/// # Errors
/// When the disk refuses; nothing is left under the final name then.
pub fn write_file(path: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    let write = || {
        let mut file = partial(folder, PARTIAL_PREFIX)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map_err(Error::file("write", path))?;
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of_layout(Utf8Path::from_path(folder.path()).unwrap());
        blobs.create().unwrap();
        let digest = blobs.put(b"hello").unwrap();
        assert_eq!(
            blobs.open(&digest).unwrap().unwrap().read_all(10).unwrap(),
            b"hello"
        );
        blobs.writer().unwrap().write_all(b"half").unwrap();
        let mut wrong = blobs.writer().unwrap();
        wrong.write_all(b"wrong").unwrap();
        assert!(wrong.finish_as(&Digest::of(b"right")).is_err());
        assert_eq!(fs::read_dir(blobs.folder()).unwrap().count(), 1);
        assert!(blobs.open(&Digest::of(b"other")).unwrap().is_none());
    }

    #[test]
    fn a_blob_that_was_changed_is_replaced_when_it_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of_layout(Utf8Path::from_path(folder.path()).unwrap());
        blobs.create().unwrap();
        let stream = |bytes: &[u8]| {
            let mut writer = blobs.writer().unwrap();
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().digest
        };
        let path = blobs.path(&stream(b"hello"));
        let whole = || fs::read(&path).unwrap() == b"hello";
        fs::write(&path, b"hellx").unwrap();
        stream(b"hello");
        assert!(whole());
        fs::write(&path, b"hellx").unwrap();
        blobs.put(b"hello").unwrap();
        assert!(whole());
        // A blob that comes as another name of itself.
        let file = fs::File::open(blobs.path(&Digest::of(b"hello"))).unwrap();
        let mut writer = blobs.writer_over(&file).unwrap();
        writer.write_all(b"hello").unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_dir(blobs.folder()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_holds_the_bytes_becomes_the_blob() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let blobs = Blobs::of_layout(root);
        blobs.create().unwrap();
        let (path, text) = (root.join("built"), b"a layer");
        fs::write(&path, text).unwrap();
        let file = fs::File::open(&path).unwrap();
        let mut writer = blobs.writer_over(&file).unwrap();
        writer.write_all(text).unwrap();
        assert!(writer.finish_as(&Digest::of(b"another")).is_err());
        assert_eq!(fs::read_dir(blobs.folder()).unwrap().count(), 0);
        let mut writer = blobs.writer_over(&file).unwrap();
        writer.write_all(text).unwrap();
        let stored = writer.finish_as(&Digest::of(text)).unwrap();
        fs::remove_file(path).unwrap();
        let blob = blobs.open(&stored.digest).unwrap().unwrap();
        assert_eq!(blob.read_all(10).unwrap(), text);
    }
}
