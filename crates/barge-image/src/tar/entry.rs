//! One member of a tar archive.

/// What kind of file a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file with content.
    File,
    /// Another name for the content of an earlier member.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
}

/// A member of a tar archive, with PAX and GNU extensions applied. Paths are bytes, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as written; not yet cleaned of `./`, `/` or `..`.
    pub path: Vec<u8>,
    /// The target of a hard or symbolic link, else empty.
    pub link: Vec<u8>,
    /// The kind of file.
    pub kind: Kind,
    /// The length of the content in the stream, in bytes.
    pub size: u64,
    /// Where the content begins in the stream, in bytes.
    pub offset: u64,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// The numeric owner.
    pub uid: u64,
    /// The numeric group.
    pub gid: u64,
    /// The time of last change, in seconds since 1970.
    pub mtime: i64,
    /// Whether the content is a sparse map and pieces rather than the file itself.
    pub sparse: bool,
}

impl Entry {
    /// A regular file of this size, owned by root.
    #[must_use]
    pub fn file(path: impl Into<Vec<u8>>, size: u64) -> Self {
        Self {
            size,
            mode: 0o644,
            ..Self::new(path, Kind::File)
        }
    }

    /// A directory, owned by root.
    #[must_use]
    pub fn directory(path: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: 0o755,
            ..Self::new(path, Kind::Directory)
        }
    }

    /// A symbolic link, owned by root.
    #[must_use]
    pub fn symlink(path: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            link: target.into(),
            mode: 0o777,
            ..Self::new(path, Kind::Symlink)
        }
    }

    /// A hard link to an earlier member.
    #[must_use]
    pub fn hard_link(path: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            link: target.into(),
            mode: 0o644,
            ..Self::new(path, Kind::HardLink)
        }
    }

    fn new(path: impl Into<Vec<u8>>, kind: Kind) -> Self {
        Self {
            path: path.into(),
            link: Vec::new(),
            kind,
            size: 0,
            offset: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
            sparse: false,
        }
    }
}
