//! The files of an image, line by line: by barge's view of it, and as a daemon exports it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use barge_image::layer::{Content, EntryKind, FileHead, Interest, Options, Source, read};
use barge_image::rootfs::{NodeId, RootFs};
use barge_image::tar::{Entry, Kind, Reader, Streaming, Writer};
use barge_image::{Digest, Extent};

use super::rules::Layer;

/// Keeps the content of every file.
struct Everything;

impl Interest for Everything {
    type Role = ();
    type Finding = Vec<u8>;

    fn role(&self, _: &FileHead<'_>) -> Option<()> {
        Some(())
    }

    fn examine(&self, (): (), _: &[u8], content: &dyn Content) -> Option<Vec<u8>> {
        content
            .bytes(1 << 20)
            .ok()
            .map(std::borrow::Cow::into_owned)
    }
}

/// Bytes as text; the holes of sparse files as `_`.
pub(crate) fn text(bytes: &[u8]) -> String {
    let character = |byte: &u8| match byte {
        0 => "_".to_owned(),
        b'\\' => "\\x5c".to_owned(),
        0x20..=0x7e => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(character).collect()
}

/// How layers reach the pass: as files, at any position, or as streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Extent,
    Stream,
}

/// The files that barge sees, sorted.
pub(crate) fn ours(layers: &[Layer], way: Way) -> Vec<String> {
    let indexes = layers.iter().map(|layer| {
        let source = match way {
            Way::Stream => Source::Stream(Box::new(Cursor::new(layer.packed.clone()))),
            Way::Extent => {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&layer.packed).unwrap();
                Source::Extent(Extent::whole(Arc::new(file), layer.packed.len() as u64))
            }
        };
        let options = Options {
            diff_id: Some(Digest::of(&layer.plain)),
            verify: true,
            check_dense: false,
        };
        read(source, &Everything, options).unwrap()
    });
    let indexes: Vec<_> = indexes.collect();
    let tree = RootFs::squash(&indexes.iter().collect::<Vec<_>>());
    let mut files = Vec::new();
    let mut pending = vec![tree.lookup(b"").unwrap()];
    while let Some(directory) = pending.pop() {
        let children: Vec<_> = tree.children(directory).collect();
        if children.is_empty() {
            files.push(format!("{}/", text(&tree.path(directory))));
        }
        for child in children {
            if tree.kind(child) == EntryKind::Directory {
                pending.push(child);
            } else {
                files.push(line(&tree, child));
            }
        }
    }
    files.sort();
    files
}

fn line(tree: &RootFs<'_, Vec<u8>>, node: NodeId) -> String {
    let path = text(&tree.path(node));
    match (tree.kind(node), tree.link(node)) {
        (EntryKind::Symlink, target) => format!("{path} -> {}", text(target.unwrap_or_default())),
        (EntryKind::Special, _) => format!("{path}?"),
        _ => {
            let content = tree.content_of(node).and_then(|at| tree.finding(at));
            format!("{path}={}", content.map_or("?".into(), |bytes| text(bytes)))
        }
    }
}

/// The files that a daemon exports, sorted; or why it refuses the image.
pub(crate) fn theirs(name: &str, layers: &[Layer]) -> Result<Vec<String>, String> {
    docker(&["load"], &archive(name, layers))?;
    let container = docker(&["create", name], &[])?;
    let container = String::from_utf8_lossy(&container).trim().to_owned();
    let tar = docker(&["export", &container], &[]);
    docker(&["rm", &container], &[])?;
    docker(&["rmi", "-f", name], &[])?;
    Ok(exported(&tar?))
}

/// A docker archive of the old form.
fn archive(name: &str, layers: &[Layer]) -> Vec<u8> {
    let diff_ids = layers
        .iter()
        .map(|layer| Digest::of(&layer.plain).to_string());
    let diff_ids: Vec<_> = diff_ids.collect();
    let history = vec![serde_json::json!({"created_by": "test"}); layers.len()];
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
    });
    let names: Vec<_> = (0..layers.len())
        .map(|at| format!("{at}/layer.tar"))
        .collect();
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": [name], "Layers": names}]);
    let mut writer = Writer::new(Vec::new());
    let mut file = |name: &str, bytes: &[u8]| {
        let entry = Entry::file(name, bytes.len() as u64);
        writer.file(&entry, bytes).unwrap();
    };
    file("config.json", config.to_string().as_bytes());
    for (name, layer) in names.iter().zip(layers) {
        file(name, &layer.packed);
    }
    file("manifest.json", manifest.to_string().as_bytes());
    writer.finish().unwrap()
}

/// Runs docker; what it printed, or its complaint.
pub(crate) fn docker(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _fed = feeder.join();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Files of an exported container, without what the daemon puts into every one.
fn exported(tar: &[u8]) -> Vec<String> {
    let of_the_daemon = [
        ".dockerenv",
        "dev/console",
        "dev/pts/",
        "dev/shm/",
        "etc/hostname",
        "etc/hosts",
        "etc/mtab -> /proc/mounts",
        "etc/resolv.conf",
        "proc/",
        "sys/",
    ];
    let mut reader = Reader::new(Streaming(tar));
    let mut lines: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    while let Some(entry) = reader.next().unwrap() {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        let value = match entry.kind {
            Kind::Directory => "/".to_owned(),
            Kind::Symlink => format!(" -> {}", text(&entry.link)),
            // Names of one file are links to the first of them.
            Kind::HardLink => lines[&entry.link].clone(),
            Kind::File => format!("={}", text(&content)),
            _ => "?".to_owned(),
        };
        let path = entry.path.strip_suffix(b"/").unwrap_or(&entry.path);
        lines.insert(path.to_vec(), value);
    }
    let is_empty = |path: &[u8]| {
        let inside = [path, b"/"].concat();
        !lines.keys().any(|other| other.starts_with(&inside))
    };
    let files = lines
        .iter()
        .filter(|(path, value)| *value != "/" || is_empty(path))
        .map(|(path, value)| format!("{}{value}", text(path)))
        .filter(|line| {
            !of_the_daemon
                .iter()
                .any(|other| line.trim_end_matches('=') == *other)
        });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}
