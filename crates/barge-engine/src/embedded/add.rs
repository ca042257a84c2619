//! What `ADD` does with a local tar archive: its contents go into the destination.
//!
//! Plain, gzip and zstd archives are told by their content, never by their name. What the tar reader cannot carry over
//! exactly (devices, sparse files) is refused.

use std::io::Read as _;
use std::sync::Arc;

use barge_image::Extent;
use barge_image::compression::{Compression, Decoder};
use barge_image::tar::{Entry, Kind, Reader, Seekable};

use super::base;
use super::content::Content;
use super::copy::{Failure, Target};
use super::path;
use super::tree::{Node, NodeKind};

/// bzip2 and xz, which docker unpacks too.
const OTHER_MAGIC: [&[u8]; 2] = [b"BZh", b"\xfd7zXZ\0"];

/// The plain tar in a file of the context, if it is an archive.
pub(super) fn archive(name: &str, content: &Content, size: u64) -> Result<Option<Extent>, Failure> {
    let unreadable = |error: std::io::Error| format!("cannot read `{name}`: {error}");
    let mut first = Vec::new();
    let reader = content.open(size).map_err(unreadable)?;
    reader.take(6).read_to_end(&mut first).map_err(unreadable)?;
    if OTHER_MAGIC.iter().any(|magic| first.starts_with(magic)) {
        return Err(format!(
            "`{name}` is packed with bzip2 or xz, which the embedded builder does not unpack"
        )
        .into());
    }
    if Compression::sniff(&first) == Compression::None {
        if !base::is_tar(content.open(size).map_err(unreadable)?) {
            return Ok(None);
        }
    } else {
        let (_, decoder) =
            Decoder::sniffing(content.open(size).map_err(unreadable)?).map_err(unreadable)?;
        if !base::is_tar(decoder) {
            return Ok(None);
        }
    }
    let plain = base::spool(content.open(size).map_err(unreadable)?).map_err(unreadable)?;
    Ok(Some(plain))
}

impl Target<'_> {
    /// Unpacks an archive into a directory, which is made if it is not there.
    pub(super) fn unpack(
        &mut self,
        name: &str,
        plain: &Extent,
        destination: &[u8],
    ) -> Result<(), Failure> {
        let directory = self.tree.resolve(destination)?;
        self.make_directories(&directory, None)?;
        let mut reader = Reader::new(Seekable::new(plain.reader(), plain.len()));
        loop {
            let entry = reader
                .next()
                .map_err(|error| format!("`{name}`: {error}"))?;
            let Some(entry) = entry else {
                return Ok(());
            };
            self.unpack_entry(name, plain, &directory, entry)?;
        }
    }

    fn unpack_entry(
        &mut self,
        name: &str,
        plain: &Extent,
        directory: &[u8],
        entry: Entry,
    ) -> Result<(), Failure> {
        let shown = String::from_utf8_lossy(&entry.path).into_owned();
        if path::escapes(&entry.path) {
            return Err(
                format!("`{name}` holds `{shown}`, which leads out of the destination").into(),
            );
        }
        let relative = path::clean(&entry.path);
        if relative.is_empty() {
            return Ok(());
        }
        let to = self
            .tree
            .resolve_parent(&path::join(directory, &relative))?;
        self.make_directories(path::split(&to).0, None)?;
        let refused = |what: &str| {
            format!("`{name}` holds `{shown}`, {what}, which the embedded builder does not unpack")
        };
        let kind = match entry.kind {
            Kind::Directory => NodeKind::Directory,
            Kind::Symlink => NodeKind::Symlink(entry.link),
            Kind::File if entry.sparse => return Err(refused("a sparse file").into()),
            Kind::File => NodeKind::File {
                size: entry.size,
                content: Content::Extent(plain.part(entry.offset, entry.size)),
            },
            Kind::HardLink => return self.unpack_hard_link(name, directory, &entry.link, to),
            Kind::CharacterDevice | Kind::BlockDevice => return Err(refused("a device").into()),
            Kind::Fifo => return Err(refused("a named pipe").into()),
        };
        let node = Node {
            kind,
            mode: entry.mode & 0o7777,
            uid: entry.uid,
            gid: entry.gid,
            mtime: entry.mtime,
        };
        if node.is_directory() && self.tree.has(&to) && !self.tree.is_directory(&to) {
            self.tree.remove(&to);
        }
        self.put(to, node)
    }

    fn unpack_hard_link(
        &mut self,
        name: &str,
        directory: &[u8],
        link: &[u8],
        to: Vec<u8>,
    ) -> Result<(), Failure> {
        let source = path::join(directory, &path::clean(link));
        let found = self.tree.get(&source).cloned();
        match found {
            Some(node) if !node.is_directory() && !path::escapes(link) => self.put(to, node),
            _ => Err(format!(
                "`{name}` holds a hard link to `{}`, which is not in it",
                String::from_utf8_lossy(link)
            )
            .into()),
        }
    }
}

/// A file written in the Dockerfile.
pub(super) fn inline(content: String, created: i64) -> Node {
    Node {
        kind: NodeKind::File {
            size: content.len() as u64,
            content: Content::Memory(Arc::from(content.into_bytes())),
        },
        mode: 0o644,
        ..Node::directory(created)
    }
}
