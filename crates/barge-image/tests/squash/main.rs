//! The root file system view beside a real daemon: the same layers, loaded and exported, hold the same files.
//!
//! Where no Docker daemon answers, every test is counted as ignored; in CI (`CI=true`) it fails instead.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests ask the environment and fail by panicking"
)]

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::process::{Command, ExitCode, Stdio};

use barge_image::Digest;
use barge_image::layer::{Content, EntryKind, FileHead, Interest, Options, Source, read};
use barge_image::rootfs::RootFs;
use barge_image::tar::{Entry, Kind, Reader, Streaming, Writer};
use libtest_mimic::{Arguments, Failed, Trial};

struct Nothing;

impl Interest for Nothing {
    type Role = ();
    type Finding = ();

    fn role(&self, _: &FileHead<'_>) -> Option<()> {
        None
    }

    fn examine(&self, (): (), _: &[u8], _: &dyn Content) -> Option<()> {
        None
    }
}

/// One line an entry: `path`, `path -> target`, `path => hard link`, `path/`, or a marker.
fn layer(lines: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for line in lines {
        if let Some((path, target)) = line.split_once(" -> ") {
            writer.member(&Entry::symlink(path, target)).unwrap();
        } else if let Some((path, target)) = line.split_once(" => ") {
            writer.member(&Entry::hard_link(path, target)).unwrap();
        } else if line.ends_with('/') {
            writer.member(&Entry::directory(*line)).unwrap();
        } else {
            writer.file(&Entry::file(*line, 1), &b"x"[..]).unwrap();
        }
    }
    writer.finish().unwrap()
}

fn archive(name: &str, layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<_> = layers
        .iter()
        .map(|bytes| Digest::of(bytes).to_string())
        .collect();
    let history: Vec<_> = diff_ids
        .iter()
        .map(|_| serde_json::json!({"created_by": "test"}))
        .collect();
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
        writer
            .file(&Entry::file(name, bytes.len() as u64), bytes)
            .unwrap();
    };
    file("config.json", config.to_string().as_bytes());
    for (name, bytes) in names.iter().zip(layers) {
        file(name, bytes);
    }
    file("manifest.json", manifest.to_string().as_bytes());
    writer.finish().unwrap()
}

fn docker(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
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
fn exported(tar: &[u8]) -> BTreeSet<String> {
    let of_the_daemon = [
        "dev/console",
        "etc/hostname",
        "etc/hosts",
        "etc/mtab",
        "etc/resolv.conf",
        ".dockerenv",
    ];
    let mut reader = Reader::new(Streaming(tar));
    let mut files = BTreeSet::new();
    while let Some(entry) = reader.next().unwrap() {
        let path = String::from_utf8(entry.path).unwrap();
        if entry.kind != Kind::Directory && !of_the_daemon.contains(&path.as_str()) {
            let arrow = if entry.kind == Kind::Symlink {
                " ->"
            } else {
                ""
            };
            files.insert(format!("{path}{arrow}"));
        }
    }
    files
}

fn squashed(layers: &[Vec<u8>]) -> BTreeSet<String> {
    let layers: Vec<_> = layers
        .iter()
        .map(|bytes| {
            let source = Source::Stream(Box::new(Cursor::new(bytes.clone())));
            read(source, &Nothing, Options::default()).unwrap()
        })
        .collect();
    let tree = RootFs::squash(&layers.iter().collect::<Vec<_>>());
    let line = |node| {
        let path = String::from_utf8(tree.path(node)).unwrap();
        match tree.kind(node) {
            EntryKind::Directory => None,
            EntryKind::Symlink => Some(format!("{path} ->")),
            _ => Some(path),
        }
    };
    tree.nodes().filter_map(line).collect()
}

/// Left out: a whiteout and the same name in one layer. The image specification lets the whiteout hide what is below;
/// daemons with overlay storage refuse the layer or show both.
const IMAGES: &[&[&[&str]]] = &[
    &[&["d/", "d/a", "d/b"], &["d/", "d/.wh.a"]],
    &[&["d/", "d/e/", "d/e/a", "x"], &[".wh.d"]],
    &[&["a", "x"], &[".wh.a"], &["a"]],
    &[
        &["d/", "d/a", "d/e/", "d/e/b"],
        &["d/", "d/new", "d/.wh..wh..opq"],
    ],
    &[
        &["d/", "d/a", "x"],
        &["d/", "d/.wh..wh..opq"],
        &["d/", "d/b"],
    ],
    &[&[".wh.x", "d/", "d/.wh..wh..opq", "a"]],
    &[&["dir/", "dir/f", "link -> dir"], &["link/", "link/g"]],
    &[&["dir/", "dir/f", "link -> dir"], &["link/g"]],
    &[
        &["dir/", "dir/f", "link -> dir"],
        &["link/", "link/.wh..wh..opq", "link/g"],
    ],
    &[&["dir/", "dir/f", "link -> dir"], &["link/.wh.f"]],
    &[&["d/", "d/a"], &["d"]],
    &[&["d/", "d/a"], &["d -> e"]],
    &[&["d", "x"], &["d/", "d/a"]],
    &[&["d/", "d/a"], &["d/"]],
    &[&["d/", "d/a", "x"], &["d"], &["d/"]],
    &[&["a", "b => a"], &[".wh.a"]],
    &[&["./a", "/b", "c/", "c/../e"], &["./.wh.a"]],
    &[
        &["usr/", "usr/lib/", "usr/lib/x", "lib -> usr/lib"],
        &["lib/", "lib/y"],
    ],
    &[&["dir/", "link -> dir", "link/f"]],
];

fn main() -> ExitCode {
    let answers = docker(&["version"], &[]);
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let ignored = answers.is_err() && !in_ci;
    let trials = IMAGES.iter().enumerate().map(|(number, image)| {
        let compare = move || compare(number, image).map_err(Failed::from);
        Trial::test(
            format!("a_daemon_exports_what_the_view_holds::{number}"),
            compare,
        )
        .with_ignored_flag(ignored)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn compare(number: usize, image: &[&[&str]]) -> Result<(), String> {
    let name = format!("barge-test/squash:{}-{number}", std::process::id());
    let layers: Vec<_> = image.iter().map(|lines| layer(lines)).collect();
    let (theirs, ours) = (daemon_view(&name, &layers)?, squashed(&layers));
    if theirs == ours {
        Ok(())
    } else {
        Err(format!("{image:?}: docker {theirs:?}, ours {ours:?}"))
    }
}

fn daemon_view(name: &str, layers: &[Vec<u8>]) -> Result<BTreeSet<String>, String> {
    docker(&["load"], &archive(name, layers))?;
    let container = docker(&["create", name], &[])?;
    let container = String::from_utf8_lossy(&container).trim().to_owned();
    let tar = docker(&["export", &container], &[]);
    docker(&["rm", &container], &[])?;
    docker(&["rmi", "-f", name], &[])?;
    Ok(exported(&tar?))
}
