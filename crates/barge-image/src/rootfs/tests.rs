//! What the view answers. The rules by which it is made are in `tests/squash`, beside a daemon.

use super::*;
use crate::layer::{Content, FileHead, Interest, Options, Source};
use crate::tar::{Entry, Writer};

/// Keeps the content of every file.
struct Everything;

impl Interest for Everything {
    type Role = ();
    type Finding = String;

    fn role(&self, _: &FileHead<'_>) -> Option<()> {
        Some(())
    }

    fn examine(&self, (): (), _: &[u8], content: &dyn Content) -> Option<String> {
        let bytes = content.bytes(1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// One line an entry: `path` and content, `path -> target`, `path => hard link`, `path/`, or a marker.
fn layer(lines: &[&str]) -> LayerIndex<String> {
    let mut writer = Writer::new(Vec::new());
    for line in lines {
        if let Some((path, target)) = line.split_once(" -> ") {
            writer.member(&Entry::symlink(path, target)).unwrap();
        } else if let Some((path, target)) = line.split_once(" => ") {
            writer.member(&Entry::hard_link(path, target)).unwrap();
        } else if line.ends_with('/') {
            writer.member(&Entry::directory(*line)).unwrap();
        } else {
            let (path, content) = line.split_once('=').unwrap_or((line, ""));
            let entry = Entry::file(path, content.len() as u64);
            writer.file(&entry, content.as_bytes()).unwrap();
        }
    }
    let bytes = writer.finish().unwrap();
    let stream = Source::Stream(Box::new(std::io::Cursor::new(bytes)));
    crate::layer::read(stream, &Everything, Options::default()).unwrap()
}

#[test]
fn looks_up_through_links() {
    let layers = [layer(&[
        "usr/lib/os=1",
        "lib -> usr/lib",
        "abs -> /usr",
        "up -> ../../../usr/lib",
        "loop -> loop",
        "chain -> abs/../lib",
        "deep/er/back -> ../../lib/os",
    ])];
    let tree = RootFs::squash(&[&layers[0]]);
    let real = |path: &str| {
        let node = tree.resolve(path.as_bytes())?;
        Some(String::from_utf8(tree.path(node)).unwrap())
    };
    for path in [
        "lib/os",
        "abs/lib/os",
        "up/os",
        "chain/os",
        "deep/er/back",
        "/../lib/./os",
    ] {
        assert_eq!(real(path).as_deref(), Some("usr/lib/os"), "{path}");
    }
    assert_eq!(real("loop"), None);
    assert_eq!(real("lib/none"), None);
    assert_eq!(real(""), Some(String::new()));
    assert!(tree.lookup(b"lib/os").is_none());
}

#[test]
fn remembers_overwritten_versions_but_not_removed_ones() {
    let layers = [
        layer(&["a=1", "b=1"]),
        layer(&["a=2", ".wh.b"]),
        layer(&["a=3", "b=3"]),
    ];
    let tree = RootFs::squash(&layers.iter().collect::<Vec<_>>());
    let history = |path: &[u8]| {
        let node = tree.lookup(path).unwrap();
        tree.history(node)
            .map(|origin| origin.layer)
            .collect::<Vec<_>>()
    };
    assert_eq!(history(b"a"), [1, 0]);
    assert_eq!(history(b"b"), [0u16; 0]);
}

#[test]
fn names_are_bytes() {
    let mut writer = Writer::new(Vec::new());
    writer
        .file(&Entry::file(b"d/\xff\xfe".to_vec(), 1), &b"x"[..])
        .unwrap();
    writer
        .file(&Entry::file(b"d/\xff".to_vec(), 1), &b"y"[..])
        .unwrap();
    let bytes = writer.finish().unwrap();
    let source = Source::Stream(Box::new(std::io::Cursor::new(bytes)));
    let index = crate::layer::read(source, &Everything, Options::default()).unwrap();
    let tree = RootFs::squash(&[&index]);
    assert!(tree.lookup(b"d/\xff\xfe").is_some());
    assert!(tree.lookup("d/\u{fffd}".as_bytes()).is_none());
    assert_eq!(tree.children(tree.lookup(b"d").unwrap()).count(), 2);
}

#[test]
fn a_deep_tree_costs_no_stack() {
    let deep = format!("{}f=1", "d/".repeat(30_000));
    let layers = [layer(&[&deep, "x=1"]), layer(&[".wh.d"])];
    let tree = RootFs::squash(&layers.iter().collect::<Vec<_>>());
    assert!(tree.lookup(b"x").is_some());
    assert!(tree.lookup(b"d").is_none());
}
