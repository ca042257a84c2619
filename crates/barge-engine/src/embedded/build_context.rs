//! The build context as a tar, for builders that are a daemon: what the embedded builder would see, sent along.

use std::fs;
use std::io::{self, Write};

use barge_image::tar::{Entry, Writer};
use camino::Utf8Path;

use super::context::{Context, ignore_file};
use super::error::Error;
use super::tree::{Node, NodeKind};

/// What a Dockerfile outside the context is called inside.
const OUTSIDE: &str = ".dockerfile.barge";

/// A folder, without what its ignore file takes away, and the Dockerfile.
#[derive(Debug)]
pub struct BuildContext {
    context: Context,
    dockerfile_name: String,
    dockerfile: Vec<u8>,
}

impl BuildContext {
    /// Looks through a folder; what is hidden is left out whatever the ignore file says.
    ///
    /// # Errors
    /// When the folder, the Dockerfile or the ignore file cannot be read.
    pub fn read(
        folder: &Utf8Path,
        dockerfile: &Utf8Path,
        hidden: Option<&Utf8Path>,
    ) -> Result<Self, Error> {
        let bytes = fs::read(dockerfile).map_err(Error::file("read", dockerfile))?;
        let context = Context::read(folder, ignore_file(folder, dockerfile, hidden)?)?;
        let inside = dockerfile.strip_prefix(folder).ok().map(Utf8Path::as_str);
        let dockerfile_name = inside.unwrap_or(OUTSIDE).to_owned();
        Ok(Self {
            context,
            dockerfile_name,
            dockerfile: bytes,
        })
    }

    /// The Dockerfile's path inside the archive.
    #[must_use]
    pub fn dockerfile_name(&self) -> &str {
        &self.dockerfile_name
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// When a file cannot be read or the sink fails.
    pub fn write(&self, sink: impl Write) -> io::Result<()> {
        let mut writer = Writer::new(sink);
        // The Dockerfile goes along even if the ignore file takes it away; what it copies must not see it then.
        let name = self.dockerfile_name.as_bytes();
        writer.file(
            &Entry::file(name, self.dockerfile.len() as u64),
            &self.dockerfile[..],
        )?;
        for (path, node) in self.context.tree.iter().filter(|(path, _)| *path != name) {
            write_node(&mut writer, path, node)?;
        }
        writer.finish()?.flush()
    }
}

fn write_node(writer: &mut Writer<impl Write>, path: &[u8], node: &Node) -> io::Result<()> {
    let (mode, mtime) = (node.mode, node.mtime);
    match &node.kind {
        NodeKind::Directory => writer.member(&Entry {
            mode,
            mtime,
            ..Entry::directory(path)
        }),
        NodeKind::Symlink(target) => writer.member(&Entry {
            mtime,
            ..Entry::symlink(path, target.clone())
        }),
        NodeKind::File { size, content } => writer.file(
            &Entry {
                mode,
                mtime,
                ..Entry::file(path, *size)
            },
            content.open(*size)?,
        ),
        NodeKind::Special(_) => Ok(()),
    }
}
