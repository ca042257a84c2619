//! A directory of the host read as if it were a layer: an unpacked root file system, or a project folder.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::index::{Backing, Builder, EntryKind, LayerIndex, NewEntry, as_path};
use super::{Error, FileHead, Interest, path};
use crate::extent::Extent;

/// Where the kernel's own file systems are mounted: what they show is no file of the root file system.
const KERNEL: [&[u8]; 3] = [b"dev", b"proc", b"sys"];

/// Indexes a directory, or a single file, and examines what is of interest. Links are recorded, never followed.
///
/// # Errors
/// When `root` cannot be read. What lies below and cannot be read is recorded as unreadable.
pub fn read_directory<I: Interest>(
    root: &Path,
    interest: &I,
) -> Result<LayerIndex<I::Finding>, Error> {
    let metadata = fs::metadata(root)?;
    let base = if metadata.is_dir() {
        root
    } else {
        root.parent().unwrap_or(root)
    };
    let mut builder = Builder::new(Backing::Directory(base.to_owned()));
    if metadata.is_dir() {
        let _root = fs::read_dir(root)?;
        walk(root, metadata.dev(), &mut builder)?;
    } else {
        let name = root.file_name().unwrap_or_default();
        add(root, name.as_bytes(), &metadata, &mut builder)?;
    }
    let index = &builder.index;
    let examined: Vec<_> = (0u32..)
        .take(index.len())
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|id| Some((id, examine(base, index, id, interest)?)))
        .collect();
    for (id, result) in examined {
        match result {
            Ok(Some(finding)) => builder.index.findings.push((id, finding)),
            Ok(None) => {}
            Err(error) => {
                let view = builder.index.entry(id);
                let path = view.map_or_else(Vec::new, |view| path::join(view.directory, view.name));
                builder.unreadable(&path, error.to_string());
            }
        }
    }
    Ok(builder.finish())
}

/// Walks with a stack of its own, so that the depth of the tree costs no stack.
fn walk<F>(root: &Path, device: u64, builder: &mut Builder<F>) -> Result<(), Error> {
    let mut pending = vec![Vec::new()];
    while let Some(directory) = pending.pop() {
        let listing = fs::read_dir(root.join(as_path(&directory)))
            .and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut listing = match listing {
            Ok(listing) => listing,
            Err(error) => {
                builder.unreadable(&directory, error.to_string());
                continue;
            }
        };
        listing.sort_by_key(fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in listing {
            let relative = path::join(&directory, entry.file_name().as_bytes());
            match entry.metadata() {
                Ok(metadata) => {
                    add(&entry.path(), &relative, &metadata, builder)?;
                    let is_kernels =
                        metadata.dev() != device && KERNEL.contains(&relative.as_slice());
                    below.extend((metadata.is_dir() && !is_kernels).then_some(relative));
                }
                Err(error) => builder.unreadable(&relative, error.to_string()),
            }
        }
        pending.extend(below.into_iter().rev());
    }
    Ok(())
}

fn add<F>(
    at: &Path,
    relative: &[u8],
    metadata: &fs::Metadata,
    builder: &mut Builder<F>,
) -> Result<(), Error> {
    let file_type = metadata.file_type();
    let kind = if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_dir() {
        EntryKind::Directory
    } else if file_type.is_symlink() {
        EntryKind::Symlink
    } else {
        EntryKind::Special
    };
    let link = if kind == EntryKind::Symlink {
        match fs::read_link(at) {
            Ok(target) => target.into_os_string().into_encoded_bytes(),
            Err(error) => {
                builder.unreadable(relative, error.to_string());
                return Ok(());
            }
        }
    } else {
        Vec::new()
    };
    let new = NewEntry {
        path: relative,
        link: &link,
        kind,
        mode: u16::try_from(metadata.mode() & 0o7777).unwrap_or_default(),
        sparse: false,
        size: if kind == EntryKind::File {
            metadata.len()
        } else {
            0
        },
        offset: 0,
    };
    builder.push(&new).map(drop)
}

fn examine<I: Interest>(
    root: &Path,
    index: &LayerIndex<I::Finding>,
    id: u32,
    interest: &I,
) -> Option<io::Result<Option<I::Finding>>> {
    let view = index.entry(id)?;
    if view.kind != EntryKind::File {
        return None;
    }
    let relative = path::join(view.directory, view.name);
    Some(
        fs::File::open(root.join(as_path(&relative))).and_then(|file| {
            let content = Extent::whole(Arc::new(file), view.size);
            let mut head = [0; 512];
            let read = content.read_at(0, &mut head)?;
            let file = FileHead {
                directory: view.directory,
                name: view.name,
                size: view.size,
                mode: view.mode,
                head: &head[..read],
            };
            let role = interest.role(&file);
            Ok(role.and_then(|role| interest.examine(role, &relative, &content)))
        }),
    )
}
