//! Build contexts on disk, written from a few words, and as the tar that a daemon takes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use barge_image::tar::{Entry, Writer};

/// Writes files: `path` or `MODE:path`, a trailing slash for a folder; `-> target` for a link, `@tar`, `@tgz`
/// and `@gz` for archives and a packed text.
pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    let mut modes = BTreeMap::new();
    for (name, content) in files {
        let (mode, name) = match name.split_once(':') {
            Some((mode, name)) => (u32::from_str_radix(mode, 8).unwrap(), name),
            None => (if name.ends_with('/') { 0o755 } else { 0o644 }, *name),
        };
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some(target) = content.strip_prefix("-> ") {
            symlink(target, &path).unwrap();
            continue;
        }
        if name.ends_with('/') {
            fs::create_dir_all(&path).unwrap();
        } else {
            fs::write(&path, bytes(content)).unwrap();
        }
        modes.insert(path, mode);
    }
    for (path, mode) in modes.into_iter().rev() {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn bytes(content: &str) -> Vec<u8> {
    match content {
        "@tar" => archive(),
        "@tgz" => packed(&archive()),
        "@gz" => packed(b"just text, no archive at all"),
        text => text.as_bytes().to_vec(),
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    // Without name and time, so that equal text makes equal bytes.
    let output = Command::new("gzip")
        .arg("-nc")
        .arg(file.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

fn archive() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let owned = |entry: Entry, mode, uid, gid| Entry {
        mode,
        uid,
        gid,
        mtime: 1_000_000_000,
        ..entry
    };
    writer
        .member(&owned(Entry::directory("./d/"), 0o750, 7, 8))
        .unwrap();
    writer
        .file(&owned(Entry::file("d/f", 5), 0o4711, 7, 8), &b"inner"[..])
        .unwrap();
    writer
        .member(&owned(Entry::symlink("d/l", "../x"), 0o777, 0, 0))
        .unwrap();
    writer
        .member(&owned(Entry::hard_link("d/h", "d/f"), 0o4711, 7, 8))
        .unwrap();
    writer
        .file(&owned(Entry::file("p/q/r", 1), 0o600, 1, 2), &b"r"[..])
        .unwrap();
    writer.finish().unwrap()
}

/// The context as the daemon takes it.
pub(crate) fn tar(folder: &Path) -> Vec<u8> {
    let output = Command::new("tar")
        .args(["-c", "--owner=0", "--group=0", "--sort=name", "-C"])
        .arg(folder)
        .arg(".")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
