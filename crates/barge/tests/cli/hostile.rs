//! Archives that mean harm: each is refused in clear words, in bounded time and memory, and reaches nothing outside itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use barge_image::Digest;
use barge_image::tar::{Entry, Writer};
use serde_json::{Value, json};

/// The address space of a run, in KiB: far below what a bomb asks for.
const MEMORY: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(240);

/// A folder with one archive in it.
struct Trap {
    folder: tempfile::TempDir,
}

struct Ran {
    code: i32,
    stderr: String,
}

impl Trap {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "a secret").unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("work/image.tar")
    }

    fn write(&self, members: &[(&str, &[u8])]) -> Vec<u8> {
        let bytes = archive(members);
        fs::write(self.archive(), &bytes).unwrap();
        bytes
    }

    /// Looks into the archive with bounded memory, and sees that nothing was left beside it.
    fn look(&self) -> Ran {
        let started = Instant::now();
        let output = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_barge"))
            .args(["sbom", "image.tar", "--no-cache", "-o", "json=sbom.json"])
            .current_dir(self.archive().parent().unwrap())
            .env_clear()
            .env("TMPDIR", self.folder.path())
            .output()
            .unwrap();
        assert!(started.elapsed() < PATIENCE, "took {:?}", started.elapsed());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(!stderr.contains("a secret"), "{stderr}");
        let left: Vec<_> = names(self.folder.path());
        assert_eq!(left, ["secret", "work"], "{stderr}");
        let code = output.status.code().unwrap_or(-1);
        Ran { code, stderr }
    }

    #[track_caller]
    fn refuses(&self, words: &str) {
        self.ends(1, words);
    }

    #[track_caller]
    fn ends(&self, expected: i32, words: &str) {
        let Ran { code, stderr } = self.look();
        assert_eq!(code, expected, "{stderr}");
        assert!(stderr.contains(words), "no `{words}` in: {stderr}");
        if expected != 5 {
            assert_eq!(names(self.archive().parent().unwrap()), ["image.tar"]);
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (path, content) in members {
        let entry = Entry::file(*path, content.len() as u64);
        writer.file(&entry, *content).unwrap();
    }
    writer.finish().unwrap()
}

fn layer() -> Vec<u8> {
    let package = br#"{"name": "left", "version": "1.2.0"}"#;
    archive(&[("app/node_modules/left/package.json", package)])
}

fn config(diff_id: &Digest) -> Vec<u8> {
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    config.to_string().into_bytes()
}

fn docker_manifest(config: &str, layer: &str) -> Vec<u8> {
    let manifest = json!([{"Config": config, "RepoTags": ["a/b:1"], "Layers": [layer]}]);
    manifest.to_string().into_bytes()
}

/// The members of a layout over one layer blob, whose descriptor may be bent.
fn layout(blob: &[u8], diff_id: &Digest, bend: impl Fn(&mut Value)) -> Vec<(String, Vec<u8>)> {
    let config = config(diff_id);
    let describe = |kind: &str, bytes: &[u8]| {
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": Digest::of(bytes), "size": bytes.len(),
        })
    };
    let mut layer = describe("layer.v1.tar", blob);
    bend(&mut layer);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe("config.v1+json", &config), "layers": [layer],
    });
    let manifest = manifest.to_string().into_bytes();
    let index = json!({"schemaVersion": 2, "manifests": [describe("manifest.v1+json", &manifest)]});
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    vec![
        (
            "oci-layout".into(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ),
        (path(&config), config.clone()),
        (path(blob), blob.to_vec()),
        (path(&manifest), manifest.clone()),
        ("index.json".into(), index.to_string().into_bytes()),
    ]
}

fn borrowed(members: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    let pairs = members.iter();
    pairs.map(|(path, bytes)| (&**path, &**bytes)).collect()
}

#[test]
fn what_is_not_hostile_is_read() {
    let trap = Trap::new();
    let layer = layer();
    trap.write(&borrowed(&layout(&layer, &Digest::of(&layer), |_| ())));
    let ran = trap.look();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn paths_that_lead_out_reach_nothing() {
    for path in ["../secret", "../../secret", "/etc/hostname"] {
        let trap = Trap::new();
        trap.write(&[("manifest.json", &docker_manifest(path, "layer.tar"))]);
        trap.refuses(&format!("names `{path}` and does not hold it"));
    }
}

#[test]
fn links_that_lead_out_reach_nothing() {
    for target in ["../secret", "/etc/hostname"] {
        let trap = Trap::new();
        let mut writer = Writer::new(Vec::new());
        let manifest = docker_manifest("config.json", "layer.tar");
        let entry = Entry::file("manifest.json", manifest.len() as u64);
        writer.file(&entry, &manifest[..]).unwrap();
        for name in ["config.json", "layer.tar"] {
            writer.member(&Entry::symlink(name, target)).unwrap();
        }
        fs::write(trap.archive(), writer.finish().unwrap()).unwrap();
        trap.refuses("names `config.json` and does not hold it");
    }
}

#[test]
fn links_in_a_circle_end() {
    let trap = Trap::new();
    let mut writer = Writer::new(Vec::new());
    let manifest = docker_manifest("a", "b");
    let entry = Entry::file("manifest.json", manifest.len() as u64);
    writer.file(&entry, &manifest[..]).unwrap();
    writer.member(&Entry::symlink("a", "b")).unwrap();
    writer.member(&Entry::symlink("b", "a")).unwrap();
    fs::write(trap.archive(), writer.finish().unwrap()).unwrap();
    trap.refuses("names `a` and does not hold it");
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    let layer = layer();
    let good = layout(&layer, &Digest::of(&layer), |_| ());
    for (path, spelled) in [(4, "index.json"), (2, "./"), (1, "x/../")] {
        let trap = Trap::new();
        let mut members = good.clone();
        let (name, content) = members[path].clone();
        let name = if spelled == name {
            name
        } else {
            format!("{spelled}{name}")
        };
        members.push((name, content));
        trap.write(&borrowed(&members));
        trap.refuses(" twice");
    }
}

#[test]
fn names_that_state_a_digest_are_compared_with_the_bytes() {
    let layer = layer();
    let bent = |position: usize| {
        let mut members = layout(&layer, &Digest::of(&layer), |_| ());
        *members[position].1.last_mut().unwrap() ^= 1;
        members
    };
    for (position, what) in [(1, "the config"), (3, "the manifest")] {
        let trap = Trap::new();
        trap.write(&borrowed(&bent(position)));
        trap.ends(3, what);
    }
    // A layer is compared when it is read for its bytes.
    let trap = Trap::new();
    trap.write(&borrowed(&bent(2)));
    let path = camino::Utf8PathBuf::from_path_buf(trap.archive()).unwrap();
    let image = barge_image::open(&path, &barge_image::Selection::default()).unwrap();
    image.verify().unwrap_err();
}

#[test]
fn sizes_that_lie_are_told() {
    let layer = layer();
    for size in [0u64, 5, u64::MAX >> 1] {
        let trap = Trap::new();
        let bend = |descriptor: &mut Value| descriptor["size"] = size.into();
        trap.write(&borrowed(&layout(&layer, &Digest::of(&layer), bend)));
        trap.refuses(&format!("bytes, not {size}"));
    }
    // A header that promises more than there is.
    let trap = Trap::new();
    let mut bytes = trap.write(&[("manifest.json", b"[]")]);
    bytes[124..136].copy_from_slice(b"77777777777\0");
    seal(&mut bytes[..512]);
    fs::write(trap.archive(), &bytes).unwrap();
    trap.refuses("truncated");
    // A document of which nothing is there, and that would be read into memory.
    let trap = Trap::new();
    let large = vec![b' '; 9 << 20];
    trap.write(&[("manifest.json", &large)]);
    trap.refuses("more than the 8388608 that barge reads");
}

/// Makes the checksum of a tar header right again.
fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn indexes_that_nest_without_end_are_given_up() {
    let layer = layer();
    let mut members = layout(&layer, &Digest::of(&layer), |_| ());
    for _ in 0..12 {
        let (_, index) = members.pop().unwrap();
        members.push((
            format!("blobs/sha256/{}", Digest::of(&index).hex()),
            index.clone(),
        ));
        let outer = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": Digest::of(&index), "size": index.len(),
            "platform": {"architecture": "amd64", "os": "linux"},
        }]});
        members.push(("index.json".into(), outer.to_string().into_bytes()));
    }
    let trap = Trap::new();
    trap.write(&borrowed(&members));
    trap.refuses("its indexes lead through more than 4 others");
}

#[test]
fn an_index_that_names_itself_has_another_digest() {
    let name = Digest::of(b"itself");
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": name, "size": 10,
    }]});
    let index = index.to_string().into_bytes();
    let trap = Trap::new();
    trap.write(&[
        ("index.json", &index),
        (&format!("blobs/sha256/{}", name.hex()), &index),
    ]);
    trap.ends(3, "the bytes were changed");
}

#[test]
fn a_million_members_are_too_many() {
    let trap = Trap::new();
    let mut writer = Writer::new(std::io::BufWriter::new(
        fs::File::create(trap.archive()).unwrap(),
    ));
    for number in 0..1_000_000 {
        let entry = Entry::file(format!("{number}"), 0);
        writer.file(&entry, &b""[..]).unwrap();
    }
    writer.finish().unwrap().flush().unwrap();
    trap.refuses("list of members");
}

#[test]
fn a_layer_of_many_files_is_read() {
    let mut writer = Writer::new(zstd_encoder(Vec::new()));
    for number in 0..100_000 {
        let entry = Entry::file(format!("{}/{number}", number % 1000), 0);
        writer.file(&entry, &b""[..]).unwrap();
    }
    let package = br#"{"name": "left", "version": "1.2.0"}"#;
    let entry = Entry::file("node_modules/left/package.json", package.len() as u64);
    writer.file(&entry, &package[..]).unwrap();
    let blob = writer.finish().unwrap().finish().unwrap();
    let plain = zstd::decode_all(&blob[..]).unwrap();
    let trap = Trap::new();
    trap.write(&borrowed(&layout(&blob, &Digest::of(&plain), |_| ())));
    let ran = trap.look();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

fn zstd_encoder<W: std::io::Write>(sink: W) -> zstd::Encoder<'static, W> {
    zstd::Encoder::new(sink, 1).unwrap()
}

#[test]
fn bombs_are_given_up() {
    let diff_id = Digest::of(b"nobody ever hashed this");
    let zeros = vec![0; 64 << 20];
    // 13 GB of zeros.
    let frame = zstd::encode_all(&zeros[..], 1).unwrap();
    let zstd = frame.repeat(200);
    let trap = Trap::new();
    trap.write(&borrowed(&layout(&zstd, &diff_id, |_| ())));
    // What could be read of it is no evidence.
    trap.ends(5, "bytes inflate to more than 8 GiB");
    // The archive itself may not inflate to much either, since it is kept on disk meanwhile.
    let trap = Trap::new();
    fs::write(trap.archive(), &zstd).unwrap();
    trap.refuses("it inflates to more than");
}

#[test]
fn every_cut_is_an_error() {
    let layer = layer();
    let members = layout(&layer, &Digest::of(&layer), |_| ());
    let whole = archive(&borrowed(&members));
    let path = tempfile::NamedTempFile::new().unwrap();
    let path = camino::Utf8Path::from_path(path.path()).unwrap().to_owned();
    let image = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let image = barge_image::open(&path, &barge_image::Selection::default())?;
        image.verify()
    };
    image(&whole).unwrap();
    // The two blocks of zeros at the end may be missing: `index.json` is there.
    let end = whole.len() - 1024;
    for cut in (0..end).step_by(512).chain((1..end).step_by(977)) {
        image(&whole[..cut]).unwrap_err();
    }
    let trap = Trap::new();
    fs::write(trap.archive(), &whole[..end / 2]).unwrap();
    assert_eq!(trap.look().code, 1);
}
