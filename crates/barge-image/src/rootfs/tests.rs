//! Images that break one rule of sbom.md section 2 each, and one that breaks all at once.

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

/// The files of an image in the notation of [`layer`], sorted; directories left out.
fn squash(layers: &[&[&str]]) -> Vec<String> {
    let layers: Vec<_> = layers.iter().map(|lines| layer(lines)).collect();
    let layers: Vec<_> = layers.iter().collect();
    let tree = RootFs::squash(&layers);
    let mut files: Vec<_> = tree
        .nodes()
        .filter_map(|node| {
            let path = String::from_utf8_lossy(&tree.path(node)).into_owned();
            match tree.kind(node) {
                EntryKind::Directory => None,
                EntryKind::Symlink => {
                    let target = String::from_utf8_lossy(tree.link(node)?).into_owned();
                    Some(format!("{path} -> {target}"))
                }
                _ => {
                    let content = tree.content_of(node).and_then(|at| tree.finding(at));
                    Some(format!("{path}={}", content.map_or("?", |text| text)))
                }
            }
        })
        .collect();
    files.sort();
    files
}

/// A rule, the layers that break it when it is not kept, and the files that must be there.
type Case = (
    &'static str,
    &'static [&'static [&'static str]],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "a whiteout hides the name below",
        &[&["d/a=1", "d/b=1"], &["d/.wh.a"]],
        &["d/b=1"],
    ),
    (
        "a whiteout hides a tree",
        &[&["d/e/a=1", "x=1"], &[".wh.d"]],
        &["x=1"],
    ),
    (
        "the same layer may add the name again, after the whiteout",
        &[&["a=1"], &[".wh.a", "a=2"]],
        &["a=2"],
    ),
    (
        "the same layer may add the name again, before the whiteout",
        &[&["d/a=1", "d/z=1"], &["d/a=2", ".wh.d"]],
        &["d/a=2"],
    ),
    (
        "a whiteout does not reach up",
        &[&["a=1"], &[".wh.a"], &["a=3"]],
        &["a=3"],
    ),
    (
        "an opaque directory hides what is below only",
        &[&["d/a=1", "d/e/b=1"], &["d/new=2", "d/.wh..wh..opq"]],
        &["d/new=2"],
    ),
    (
        "opaque is an exact name",
        &[&["d/a=1"], &["d/.wh..wh..opqX"]],
        &["d/a=1"],
    ),
    (
        "whiteouts of nothing are nothing",
        &[&["d/a=1"], &["d/.wh.", "d/.wh..", "d/.wh...", "d/.wh.none"]],
        &["d/a=1"],
    ),
    (
        "markers of the lowest layer vanish",
        &[&[".wh.x", "d/.wh..wh..opq", "a=1"]],
        &["a=1"],
    ),
    (
        "bookkeeping of AUFS is ignored",
        &[&[".wh..wh.plnk/1.2=x", ".wh..wh.aufs=x", "a=1"]],
        &["a=1"],
    ),
    (
        "a lower link is not followed but replaced",
        &[&["dir/f=1", "link -> dir"], &["link/f=2"]],
        &["dir/f=1", "link/f=2"],
    ),
    (
        "a link of the same layer is followed",
        &[&["dir/", "link -> dir", "link/f=1"]],
        &["dir/f=1", "link -> dir"],
    ),
    (
        "an opaque marker under a lower link spares the link's target",
        &[
            &["dir/f=1", "link -> dir"],
            &["link/.wh..wh..opq", "link/g=2"],
        ],
        &["dir/f=1", "link/g=2"],
    ),
    (
        "a whiteout under a lower link spares the link's target",
        &[&["dir/f=1", "link -> dir"], &["link/.wh.f"]],
        &["dir/f=1"],
    ),
    (
        "a file replaces a directory",
        &[&["d/a=1"], &["d=2"]],
        &["d=2"],
    ),
    (
        "a link replaces a directory",
        &[&["d/a=1"], &["d -> e"]],
        &["d -> e"],
    ),
    (
        "a directory replaces a file",
        &[&["d=1"], &["d/", "d/a=2"]],
        &["d/a=2"],
    ),
    (
        "a directory keeps what a directory held",
        &[&["d/a=1"], &["d/"]],
        &["d/a=1"],
    ),
    (
        "a directory that came back is empty",
        &[&["d/a=1"], &["d=2"], &["d/"]],
        &[],
    ),
    (
        "a hard link outlives its first name",
        &[&["a=1", "b => a"], &[".wh.a"]],
        &["b=1"],
    ),
    (
        "a hard link binds to the content at that point",
        &[&["a=1", "b => a", "a=2"]],
        &["a=2", "b=1"],
    ),
    (
        "a hard link may name a file below",
        &[&["./a=1"], &["b => /a", ".wh.a"]],
        &["b=1"],
    ),
    (
        "a hard link of a hard link below",
        &[&["a=1"], &["b => a"], &["c => b", ".wh.a"]],
        &["b=1", "c=1"],
    ),
    (
        "a hard link to nothing has no content",
        &[&["b => gone"]],
        &["b=?"],
    ),
    (
        "paths are cleaned",
        &[
            &["./a=1", "/b=1", "x/../c=1", "d//e=1"],
            &[".//.wh.a", "x/./../.wh.b"],
        ],
        &["c=1", "d/e=1"],
    ),
    (
        "the last of two equal names wins",
        &[&["a=1", "a=2"]],
        &["a=2"],
    ),
];

#[test]
fn each_rule_on_its_own() {
    for (rule, layers, expected) in CASES {
        assert_eq!(squash(layers), *expected, "{rule}");
    }
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
    assert_eq!(squash(&[&[&deep, "x=1"], &[".wh.d"]]), ["x=1"]);
}
