//! A base image's layer on top of a tree.

use std::sync::Arc;

use barge_image::tar::{Entry, Kind, Reader, Streaming};

use super::base::BaseLayer;
use super::content::Content;
use super::path;
use super::tree::{Node, NodeKind, Tree};

/// What marks a deleted file in a layer (OCI image-spec, "layer", section "Whiteouts").
pub(super) const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Puts the layer on top of a tree.
pub(super) fn apply(base: &Arc<BaseLayer>, tree: &mut Tree) -> Result<(), barge_image::Error> {
    let mut plain = base.layer.plain()?;
    let mut reader = Reader::new(Streaming(&mut plain));
    let mut changes = Vec::new();
    let failed = |source| barge_image::Error::Tar {
        path: format!("layer {}", base.layer.diff_id).into(),
        source,
    };
    while let Some(entry) = reader.next().map_err(failed)? {
        changes.push(entry);
    }
    plain.finish()?;
    // Whiteouts speak of the layers below only, wherever they stand in the archive.
    for entry in &changes {
        white_out(tree, &entry.path);
    }
    for entry in changes {
        put(base, tree, entry);
    }
    Ok(())
}

fn put(base: &Arc<BaseLayer>, tree: &mut Tree, entry: Entry) {
    let path = path::clean(&entry.path);
    if path.is_empty() || path::split(&path).1.starts_with(WHITEOUT) {
        return;
    }
    let kind = match entry.kind {
        Kind::Directory => NodeKind::Directory,
        Kind::Symlink => NodeKind::Symlink(entry.link),
        Kind::File if entry.sparse => NodeKind::Special("a sparse file"),
        Kind::File => NodeKind::File {
            size: entry.size,
            content: Content::Layer {
                layer: Arc::clone(base),
                offset: entry.offset,
            },
        },
        Kind::HardLink => {
            if let Some(target) = tree.get(&path::clean(&entry.link)).cloned() {
                tree.put(path, target);
            }
            return;
        }
        Kind::CharacterDevice | Kind::BlockDevice => NodeKind::Special("a device"),
        Kind::Fifo => NodeKind::Special("a named pipe"),
    };
    let node = Node {
        kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        mtime: entry.mtime,
    };
    tree.put(path, node);
}

fn white_out(tree: &mut Tree, path: &[u8]) {
    let path = path::clean(path);
    let (directory, name) = path::split(&path);
    if name == OPAQUE {
        tree.remove_below(directory);
    } else if let Some(name) = name.strip_prefix(WHITEOUT) {
        tree.remove(&path::join(directory, name));
    }
}
