//! The build context: a folder as a tree, without what the ignore file takes away.

use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::content::Content;
use super::error::Error;
use super::ignore::{Ignore, Matched};
use super::path;
use super::tree::{Node, NodeKind, Tree};

/// A folder as far as a build may see it. Everything belongs to root, as docker does it.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) folder: Utf8PathBuf,
    pub(super) tree: Tree,
    pub(super) ignore: Ignore,
}

/// The ignore file of a build: the Dockerfile's own, else the context's. What is hidden is ignored whatever it says.
pub(super) fn ignore_file(
    context: &Utf8Path,
    dockerfile: &Utf8Path,
    hidden: Option<&Utf8Path>,
) -> Result<Ignore, Error> {
    let candidates = [
        Utf8PathBuf::from(format!("{dockerfile}.dockerignore")),
        context.join(".dockerignore"),
    ];
    let mut ignore = Ignore::default();
    for file in candidates {
        match fs::read_to_string(&file) {
            Ok(text) => {
                let parsed = Ignore::parse(&text);
                ignore = parsed.map_err(|(line, text)| Error::Ignore { file, line, text })?;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::file("read", file)(source)),
        }
    }
    if let Some(Ok(inside)) = hidden.map(|hidden| hidden.strip_prefix(context)) {
        ignore.hide(inside.as_str());
    }
    Ok(ignore)
}

impl Context {
    /// Looks through a folder.
    pub(super) fn read(folder: &Utf8Path, ignore: Ignore) -> Result<Self, Error> {
        let mut context = Self {
            folder: folder.to_owned(),
            tree: Tree::default(),
            ignore,
        };
        let mut pending = vec![Directory::default()];
        let mut ignored = Vec::new();
        while let Some(directory) = pending.pop() {
            context.directory(&directory, &mut pending)?;
            ignored.extend(directory.ignored.then_some(directory.path));
        }
        context.drop_if_empty(ignored);
        Ok(context)
    }

    /// Whether the ignore file takes away something that is there.
    pub(super) fn hides(&self, path: &[u8]) -> bool {
        self.ignore.matches(path) && self.host(path).symlink_metadata().is_ok()
    }

    fn host(&self, path: &[u8]) -> std::path::PathBuf {
        self.folder
            .as_std_path()
            .join(Path::new(std::ffi::OsStr::from_bytes(path)))
    }

    fn directory(
        &mut self,
        directory: &Directory,
        pending: &mut Vec<Directory>,
    ) -> Result<(), Error> {
        let host = self.host(&directory.path);
        let failed = |source| Error::Context {
            path: host.to_string_lossy().into_owned(),
            source,
        };
        for item in fs::read_dir(&host).map_err(failed)? {
            let item = item.map_err(failed)?;
            let path = path::join(&directory.path, &item.file_name().into_vec());
            let matched = self.ignore.below(&directory.matched, &path);
            let ignored = self.ignore.decides(&matched);
            let is_directory = item.file_type().map_err(failed)?.is_dir();
            // An ignored directory may hold what an exception brings back.
            if ignored && !(is_directory && self.ignore.has_exceptions()) {
                continue;
            }
            let metadata = item.metadata().map_err(failed)?;
            if let Some(node) = node(&item.path(), &metadata).map_err(failed)? {
                self.tree.put(path.clone(), node);
            }
            if is_directory {
                pending.push(Directory {
                    path,
                    matched,
                    ignored,
                });
            }
        }
        Ok(())
    }

    /// Ignored directories stay only for what an exception kept in them.
    fn drop_if_empty(&mut self, mut ignored: Vec<Vec<u8>>) {
        ignored.sort();
        // Inner ones come last in order, and go first.
        for path in ignored.into_iter().rev() {
            if self.tree.below(&path).next().is_none() {
                self.tree.remove(&path);
            }
        }
    }
}

/// A directory yet to be looked into.
#[derive(Default)]
struct Directory {
    path: Vec<u8>,
    matched: Matched,
    ignored: bool,
}

/// What stands at a path of the host. `None` for a socket, which no archive can hold and docker passes over.
fn node(host: &Path, metadata: &fs::Metadata) -> io::Result<Option<Node>> {
    let file_type = metadata.file_type();
    let kind = if file_type.is_dir() {
        NodeKind::Directory
    } else if file_type.is_symlink() {
        NodeKind::Symlink(fs::read_link(host)?.into_os_string().into_vec())
    } else if file_type.is_file() {
        NodeKind::File {
            size: metadata.len(),
            content: Content::Host(Arc::new(host.to_owned())),
        }
    } else if file_type.is_socket() {
        return Ok(None);
    } else if file_type.is_fifo() {
        NodeKind::Special("a named pipe")
    } else {
        NodeKind::Special("a device")
    };
    Ok(Some(Node {
        kind,
        mode: metadata.mode() & 0o7777,
        uid: 0,
        gid: 0,
        mtime: metadata.mtime(),
    }))
}
