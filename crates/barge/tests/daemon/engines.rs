//! What barge hands over must be the same image in every engine: every form that it writes and reads, both ways.
//!
//! `BARGE_ENGINES` lists further engines as `NAME=ADDRESS` words (`.ci/engines` starts them); the daemon of the other
//! cases is always one of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use barge_image::archive::{LayerForm, write, written_manifest};
use barge_image::blobs::Blobs;
use barge_image::compression::Compression;
use barge_image::config::RawConfig;
use barge_image::pack::LayerPacker;
use barge_image::{Digest, Image, Layout, Selection, open};
use camino::{Utf8Path, Utf8PathBuf};

use barge_testing::noise;

use super::Docker;
use super::cases::{checkout, name};
use super::files;
use super::platforms;
use super::support::Checkout;

/// A case is a function of the daemon that builds and the engine that is tried.
type Case = fn(&Docker, &Docker);

pub(crate) const ALL: &[(&str, Case)] = &[
    ("an_image_arrives_whole_under_all_its_names", arrives),
    ("a_second_commit_sends_one_layer", second_commit),
    (
        "a_base_under_another_blob_digest_is_sent_again",
        other_digest,
    ),
    ("a_layer_that_cannot_be_unpacked_is_undone", broken_layer),
    ("what_it_exports_is_read_as_the_same_image", exported),
    ("what_it_exports_is_saved_and_comes_back", saved_from_it),
    ("an_archive_of_barge_loads_with_all_names", archive),
    ("it_builds_what_barge_hands_over", builds),
    ("files_of_other_tools_are_loaded", files::load),
    (
        "an_index_whose_other_platforms_are_absent_passes",
        files::absent_platforms,
    ),
    ("two_loads_at_once_leave_each_other_alone", files::two_loads),
    ("two_images_cannot_have_one_name", files::one_name),
];

/// Cases of engines whose builder can leave a layout, where the plugin is at hand.
pub(crate) const BUILDX: &[(&str, Case)] = &[
    ("buildx_leaves_a_layout_that_loads", builds_by_buildx),
    (
        "one_platform_of_several_is_saved_by_name",
        platforms::several,
    ),
];

/// Runs barge against an engine.
pub(crate) fn point_at(checkout: &mut Checkout, engine: &Docker) {
    let (docker, podman) = if engine.is_podman() {
        ("unix:///nowhere/docker.sock", &*engine.host)
    } else {
        (&*engine.host, "unix:///nowhere/podman.sock")
    };
    checkout.set("DOCKER_HOST", docker);
    checkout.set("CONTAINER_HOST", podman);
    let product = if engine.is_podman() {
        "podman"
    } else {
        "docker"
    };
    let settings = fs::read_to_string(checkout.file("barge.toml")).unwrap();
    let settings = settings.split("[build]").next().unwrap().to_owned();
    checkout.write(
        "barge.toml",
        &format!("{settings}[build]\nengine = \"{product}\"\n"),
    );
}

/// A checkout with two layers, of which commits change the second.
pub(crate) fn two_layers(builder: &Docker, number: u64) -> (Checkout, Vec<String>) {
    let checkout = checkout(builder, "wikid82", number);
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app/node_modules /app/node_modules\nCOPY app/run /app/run\nCMD [\"/app/run\"]\n",
    );
    fs::write(checkout.file("app/node_modules/noise"), noise(1, 200_000)).unwrap();
    let names = [format!("pr-{number}"), "second".into()];
    let names = names.map(|tag| name(&checkout, "wikid82", &tag));
    // Cases run side by side and must not find each other's layers.
    checkout.write("app/node_modules/name", &names[0]);
    (checkout, names.to_vec())
}

/// Builds in the daemon that builds, and saves under two names from there.
fn build_and_save(checkout: &mut Checkout, builder: &Docker, names: &[String]) -> Digest {
    point_at(checkout, builder);
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    builder.run(&["tag", &names[0], &names[1]]);
    let saved = checkout.barge(&["save", &names[0], &names[1], "--format", "json"]);
    let saved = saved.exits(0).json();
    builder.run(&["rmi", &names[0], &names[1]]);
    let config = saved["saved"]["record"]["image"]["config"].as_str();
    config.unwrap().parse().unwrap()
}

fn load(checkout: &Checkout) -> serde_json::Value {
    checkout
        .barge(&["load", "--format", "json"])
        .exits(0)
        .json()
}

/// The image as the engine exports it, opened.
fn export(engine: &Docker, checkout: &Checkout, reference: &str) -> (Utf8PathBuf, Image) {
    let path = Utf8PathBuf::from_path_buf(checkout.file("export.tar")).unwrap();
    engine.run(&["save", "--output", path.as_str(), reference]);
    let image = open(&path, &Selection::default()).unwrap();
    (path, image)
}

fn assert_holds(engine: &Docker, checkout: &Checkout, names: &[String], config: &Digest) {
    let ids: Vec<_> = names.iter().map(|name| engine.id(name)).collect();
    assert!(
        ids.iter().all(|id| id.is_some() && *id == ids[0]),
        "{ids:?}"
    );
    let (_, image) = export(engine, checkout, &names[0]);
    assert_eq!(image.config.digest(), *config);
    image.verify().unwrap();
}

pub(crate) fn content(engine: &Docker, checkout: &Checkout, reference: &str) -> String {
    let container = engine.run(&["create", reference, "/app/run"]);
    let copied = checkout.file("copied");
    let from = format!("{container}:/app/run");
    engine.run(&["cp", &from, copied.to_str().unwrap()]);
    engine.run(&["rm", &container]);
    fs::read_to_string(copied).unwrap()
}

fn arrives(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 201);
    let config = build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    let loaded = load(&checkout);
    assert_eq!(loaded["sent_layers"], 2);
    assert_eq!(engine.id(&names[0]).as_deref(), loaded["id"].as_str());
    assert_holds(engine, &checkout, &names, &config);
    assert_eq!(content(engine, &checkout, &names[1]), "hello\n");
    let again = load(&checkout);
    assert_eq!(
        (&again["sent_layers"], &again["id"]),
        (&0.into(), &loaded["id"])
    );
    // A name that is missing is given back without sending anything.
    engine.run(&["rmi", &names[1]]);
    assert_eq!(load(&checkout)["sent_layers"], 0);
    assert_holds(engine, &checkout, &names, &config);
    engine.run(&["rmi", &names[0], &names[1]]);
}

fn second_commit(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 202);
    build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    assert_eq!(load(&checkout)["sent_layers"], 2);
    checkout.write("app/run", "the second commit\n");
    checkout.set("BARGE_NOW", "2026-03-04T05:06:08Z");
    let config = build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    let ran = checkout.barge(&["load", "--format", "json"]).exits(0);
    let loaded = ran.json();
    // The daemon that builds has lost both names in between, and with them the first commit.
    if engine.host != builder.host {
        assert_eq!(loaded["sent_layers"], 1, "{}", ran.stderr);
        ran.says(&format!("`{}` moves here from image", names[0]));
    }
    assert_holds(engine, &checkout, &names, &config);
    assert_eq!(content(engine, &checkout, &names[0]), "the second commit\n");
    engine.run(&["rmi", &names[0], &names[1]]);
}

/// A containerd store holds a layer under the digest in which it came, and takes an archive without it in any other.
fn other_digest(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 203);
    point_at(&mut checkout, builder);
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    checkout.barge(&["save", "-o", "base.tar"]).exits(0);
    let base = checkout.file("base.tar");
    engine.run(&["load", "--quiet", "--input", base.to_str().unwrap()]);
    checkout.write("app/run", "the second commit\n");
    checkout.set("BARGE_NOW", "2026-03-04T05:06:08Z");
    let config = build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    let sent = if engine.has_containerd_store() { 2 } else { 1 };
    let loaded = load(&checkout);
    if engine.host != builder.host {
        assert_eq!(loaded["sent_layers"], sent);
    }
    assert_holds(engine, &checkout, &names, &config);
    engine.run(&["rmi", &names[0], &names[1]]);
}

/// A layer that has its digest and is no tar: the engine can load it, in some stores even quietly, and never use it.
fn broken_layer(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 204);
    point_at(&mut checkout, builder);
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "embedded"])
        .exits(0);
    let before = build_other(builder, engine, &checkout, &names[0]);
    break_the_build(&checkout, b"no tar at all".repeat(100).as_slice());
    checkout.barge(&["save"]).exits(0);
    point_at(&mut checkout, engine);
    let ran = checkout.barge(&["load"]);
    // The daemon refuses, or calls it done and cannot make a container of it.
    assert!([1, 3].contains(&ran.code), "{}", ran.stderr);
    let left = engine.id(&names[0]);
    assert_eq!(left, Some(before), "the name is where it was");
    engine.run(&["rmi", &names[0]]);
    let ran = checkout.barge(&["load"]);
    assert!([1, 3].contains(&ran.code), "{}", ran.stderr);
    assert_eq!(engine.id(&names[0]), None, "{}", ran.stderr);
}

/// Puts another image of this name into an engine and gives its ID.
pub(crate) fn build_other(
    builder: &Docker,
    engine: &Docker,
    checkout: &Checkout,
    reference: &str,
) -> String {
    let archive = checkout.file("other.tar");
    let folder = checkout.path().to_str().unwrap();
    builder.run(&["build", "--quiet", "--tag", reference, folder]);
    builder.run(&["save", "--output", archive.to_str().unwrap(), reference]);
    builder.run(&["rmi", reference]);
    engine.run(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
    engine.id(reference).unwrap()
}

/// Replaces what was built by an image whose one layer is these bytes.
fn break_the_build(checkout: &Checkout, layer: &[u8]) {
    use std::io::Write as _;
    let root = Utf8PathBuf::from_path_buf(checkout.file("crafted")).unwrap();
    let layout = Layout::create(&root).unwrap();
    let mut packer = LayerPacker::new(&Blobs::of_layout(&root), Compression::Zstd).unwrap();
    packer.write_all(layer).unwrap();
    let packed = packer.finish(layout.blobs()).unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["x"]},
        "rootfs": {"type": "layers", "diff_ids": [packed.diff_id]},
    });
    let config = RawConfig::parse(config.to_string().into_bytes()).unwrap();
    let manifest = layout.put_image(&config, &[packed]).unwrap();
    let path = checkout.file(".barge/build.json");
    let mut built: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    built["home"]["path"] = root.as_str().into();
    built["home"]["manifest"] = serde_json::to_value(manifest).unwrap();
    fs::write(path, built.to_string()).unwrap();
}

fn exported(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 205);
    let config = build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    load(&checkout);
    let (path, image) = export(engine, &checkout, &names[0]);
    assert_eq!(image.config.digest(), config);
    for program in ["gzip", "zstd"] {
        let packed = format!("{path}.{program}");
        let mut pack = Command::new(program);
        pack.args(["--quiet", "--stdout", path.as_str()]);
        pack.stdout(fs::File::create(&packed).unwrap());
        assert!(pack.status().unwrap().success());
        let image = open(Utf8Path::new(&packed), &Selection::default()).unwrap();
        assert_eq!(image.config.digest(), config);
    }
    let prefix = if engine.is_podman() {
        "podman"
    } else {
        "docker"
    };
    let input = format!("{prefix}:{}", names[0]);
    let bills = [path.as_str(), &input].map(|input| {
        let ran = checkout.barge(&["sbom", input, "--format", "json"]);
        let mut bill = ran.exits(0).json();
        bill.as_object_mut().unwrap().remove("subject");
        bill.to_string()
    });
    assert!(bills[0].contains("pkg:npm/left@1.2.0"), "{}", bills[0]);
    assert_eq!(bills[0], bills[1]);
    engine.run(&["rmi", &names[0], &names[1]]);
}

fn saved_from_it(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 206);
    let config = build_and_save(&mut checkout, builder, &names);
    point_at(&mut checkout, engine);
    load(&checkout);
    let id = engine.id(&names[0]);
    let saved = checkout.barge(&[
        "save",
        &names[0],
        &names[1],
        "--store",
        "dir:again",
        "--format",
        "json",
    ]);
    let saved = saved.exits(0).json();
    let image = &saved["saved"]["record"]["image"];
    assert_eq!(image["config"], config.to_string());
    if engine.has_containerd_store() {
        assert_eq!(
            image["manifest"]["digest"].as_str(),
            id.as_deref(),
            "the manifest is kept"
        );
    }
    let load_again = ["load", "--store", "dir:again", "--format", "json"];
    let loaded = checkout.barge(&load_again).exits(0).json();
    assert_eq!(loaded["sent_layers"], 0, "it is there already");
    engine.run(&["rmi", &names[0], &names[1]]);
    checkout.barge(&load_again).exits(0);
    assert_eq!(engine.id(&names[1]), id);
    assert_holds(engine, &checkout, &names, &config);
    engine.run(&["rmi", &names[0], &names[1]]);
}

fn archive(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 207);
    let config = build_and_save(&mut checkout, builder, &names);
    let root = Utf8PathBuf::from_path_buf(checkout.file(".barge/store")).unwrap();
    let saved: serde_json::Value =
        serde_json::from_slice(&fs::read(checkout.file(".barge/saved.json")).unwrap()).unwrap();
    let manifest = saved["record"]["image"]["manifest"]["digest"].as_str();
    let references = names.iter().map(|name| name.parse().unwrap()).collect();
    let image = Layout::at(&root)
        .image(&manifest.unwrap().parse().unwrap(), references)
        .unwrap();
    let path = checkout.file("barge.tar");
    let forms = if engine.takes_zstd() {
        &[LayerForm::Plain, LayerForm::AsStored][..]
    } else {
        &[LayerForm::Plain]
    };
    for form in forms {
        write_whole(&image, *form, &path);
        engine.run(&["load", "--quiet", "--input", path.to_str().unwrap()]);
        assert_holds(engine, &checkout, &names, &config);
        if engine.has_containerd_store() {
            let id = written_manifest(&image, *form).unwrap().digest;
            assert_eq!(engine.id(&names[0]), Some(id.to_string()));
        }
        engine.run(&["rmi", &names[0], &names[1]]);
        skopeo_agrees(&path, &config);
    }
}

fn write_whole(image: &Image, form: LayerForm, path: &Path) {
    let file = fs::File::create(path).unwrap();
    write(
        image,
        &image.references,
        form,
        &Default::default(),
        file,
        &|_| (),
    )
    .unwrap();
}

/// Another implementation reads the archive, by its docker half and by its OCI half, as the same image.
fn skopeo_agrees(archive: &Path, config: &Digest) {
    let path = archive.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    Command::new("tar")
        .args(["-xf", path, "-C"])
        .arg(folder.path())
        .status()
        .unwrap();
    let layout: PathBuf = folder.path().join("index.json");
    assert!(layout.exists());
    let raw = Command::new("skopeo")
        .args([
            "inspect",
            "--raw",
            "--config",
            &format!("docker-archive:{path}"),
        ])
        .output()
        .unwrap();
    assert!(
        raw.status.success(),
        "{}",
        String::from_utf8_lossy(&raw.stderr)
    );
    assert_eq!(Digest::of(&raw.stdout), *config);
}

fn builds(_: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(engine, 208);
    point_at(&mut checkout, engine);
    let built = checkout.barge(&["build", "--event", "pr.json", "--format", "json"]);
    let built = built.exits(0).json();
    let product = if engine.is_podman() {
        "podman"
    } else {
        "docker"
    };
    assert_eq!(built["built"]["home"]["in"], product);
    let id = engine.id(&names[0]);
    assert_eq!(built["built"]["home"]["id"].as_str(), id.as_deref());
    checkout.barge(&["save"]).exits(0);
    assert_eq!(load(&checkout)["sent_layers"], 0);
    engine.run(&["rmi", &names[0]]);
    load(&checkout);
    assert_eq!(content(engine, &checkout, &names[0]), "hello\n");
    engine.run(&["rmi", &names[0]]);
}

fn add_plugin(checkout: &Checkout) {
    let plugins = checkout.file(".docker/cli-plugins");
    fs::create_dir_all(&plugins).unwrap();
    std::os::unix::fs::symlink(super::buildx().unwrap(), plugins.join("docker-buildx")).unwrap();
    checkout.write(".dockerignore", ".barge\n.git\n.docker\n");
}

/// Lets buildx build the checkout into the engine, as a workflow does that knows nothing of barge.
pub(crate) fn build_by_plugin(
    engine: &Docker,
    checkout: &Checkout,
    options: &[&str],
    names: &[&str],
) {
    add_plugin(checkout);
    let mut build = engine.command(&["buildx", "build", "--quiet"]);
    build.args(options).env("HOME", checkout.path());
    for name in names {
        build.args(["--tag", name]);
    }
    let output = build.arg(checkout.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn builds_by_buildx(_: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(engine, 209);
    add_plugin(&checkout);
    checkout.set("DOCKER_HOST", &engine.host);
    let build = ["build", "--event", "pr.json", "--format", "json"];
    let built = checkout.barge(&build).exits(0).json();
    assert_eq!(built["built"]["home"]["in"], "layout");
    let by = built["built"]["facts"]["engine"].as_str().unwrap();
    assert!(by.starts_with("buildx "), "{by}");
    assert_eq!(engine.id(&names[0]), None, "it is in no engine yet");
    checkout.barge(&["save"]).exits(0);
    assert_eq!(load(&checkout)["sent_layers"], 2);
    assert_eq!(content(engine, &checkout, &names[0]), "hello\n");
    let blobs = || {
        fs::read_dir(checkout.file(".barge/build/blobs/sha256"))
            .unwrap()
            .count()
    };
    let before = blobs();
    checkout.write("app/run", "the second commit\n");
    checkout.barge(&build).exits(0);
    assert_eq!(blobs(), before + 3, "a layer, a config and a manifest");
    checkout.write("Dockerfile", "FROM scratch\nCOPY missing /\n");
    checkout.barge(&build).exits(1).says("missing");
    engine.run(&["rmi", &names[0]]);
}
