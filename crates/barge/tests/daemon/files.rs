//! Archives and layouts that others wrote, straight into each engine.

use std::fs;
use std::process::Command;

use barge_image::blobs::Blobs;
use barge_image::{Descriptor, Digest, Index, MediaType, Platform};
use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::Docker;
use super::engines::{build_other, content, point_at, two_layers};
use super::support::Checkout;

/// Archives and layouts that docker and skopeo wrote go straight into the engine, and pass without a digest changed.
pub(crate) fn load(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 210);
    point_at(&mut checkout, builder);
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let config = builder.id(&names[0]).unwrap();
    let file = |name: &str| checkout.file(name).to_str().unwrap().to_owned();
    builder.run(&["save", "--output", &file("docker.tar"), &names[0]]);
    builder.run(&["rmi", &names[0]]);
    let from = format!("docker-archive:{}", file("docker.tar"));
    for (kind, path, named) in [
        ("oci", "layout", &*names[0]),
        ("oci-archive", "oci.tar", &names[0]),
        ("oci-archive", "tag-only.tar", "pr-210"),
    ] {
        skopeo(&["copy", &from, &format!("{kind}:{}:{named}", file(path))]);
    }
    let layout = format!("oci:{}:{}", file("layout"), names[0]);
    let manifest = skopeo(&["inspect", "--format", "{{.Digest}}", &layout]);
    // Its config is skopeo's own: it leaves out what only docker knows.
    let converted = skopeo(&["inspect", "--raw", &layout]);
    let converted: Value = serde_json::from_str(&converted).unwrap();
    // The same through a store.
    let save = [
        "save",
        "docker.tar",
        "--store",
        "dir:other",
        "--format",
        "json",
    ];
    let saved = checkout.barge(&save).exits(0).json();
    assert_eq!(saved["saved"]["record"]["image"]["config"], config);
    point_at(&mut checkout, engine);
    for word in ["docker.tar", "oci:layout", "oci.tar"] {
        let loaded = checkout.barge(&["load", word, "--format", "json"]);
        let loaded = loaded.exits(0).json();
        let expected = if word == "docker.tar" {
            json!(config)
        } else {
            converted["config"]["digest"].clone()
        };
        assert_eq!(loaded["config"], expected, "{word}");
        assert_eq!(engine.id(&names[0]).as_deref(), loaded["id"].as_str());
        assert_eq!(content(engine, &checkout, &names[0]), "hello\n");
        if word == "oci:layout" {
            let saved = checkout.barge(&["save", &names[0], "--format", "json"]);
            let image = saved.exits(0).json()["saved"]["record"]["image"].clone();
            let kept = engine.has_containerd_store().then_some(&*manifest);
            assert_eq!(image["config"], expected);
            assert!(kept.is_none_or(|kept| image["manifest"]["digest"] == kept));
        }
        engine.run(&["rmi", &names[0]]);
    }
    let renamed = ["load", "docker.tar", "--tag", &names[1]];
    checkout.barge(&renamed).exits(0);
    assert_eq!(engine.id(&names[0]), None);
    build_other(builder, engine, &checkout, &names[0]);
    checkout
        .barge(&["load", "docker.tar"])
        .exits(0)
        .says("moves here");
    engine.run(&["rmi", &names[0], &names[1]]);
    // A tag is no name, and a short name is one of Docker Hub, whatever an engine makes of it.
    checkout
        .barge(&["load", "tag-only.tar"])
        .exits(2)
        .says("--tag");
    let short = names[0].rsplit('/').next().unwrap();
    let renamed = ["load", "tag-only.tar", "--tag", short];
    checkout.barge(&renamed).exits(0);
    let full = format!("docker.io/library/{short}");
    assert!(engine.id(&full).is_some(), "{full}");
    engine.run(&["rmi", &full]);
    let whole = fs::read(checkout.file("docker.tar")).unwrap();
    fs::write(checkout.file("cut.tar"), &whole[..whole.len() / 2]).unwrap();
    checkout.barge(&["load", "cut.tar"]).exits(1);
    checkout.barge(&["load", "barge.toml"]).exits(1);
    assert_eq!(engine.id(&names[0]), None);
}

/// Loads of two commits that share layers, side by side with the removal of what they share, over and over.
pub(crate) fn two_loads(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 211);
    point_at(&mut checkout, builder);
    for (commit, name) in names.iter().enumerate() {
        checkout.write("app/run", &format!("commit {commit}\n"));
        checkout.barge(&["build", "--event", "pr.json"]).exits(0);
        if commit == 1 {
            builder.run(&["tag", &names[0], name]);
        }
        checkout
            .barge(&["save", "-o", &format!("{commit}.tar"), name])
            .exits(0);
    }
    builder.run(&["rmi", &names[0], &names[1]]);
    point_at(&mut checkout, engine);
    let load = |commit: usize| {
        let archive = format!("{commit}.tar");
        checkout.barge(&["load", &archive]).exits(0);
    };
    for _ in 0..8 {
        std::thread::scope(|scope| {
            scope.spawn(|| load(0));
            // What the other load counts on may be gone before its archive arrives: it is sent whole, then.
            scope.spawn(|| {
                load(1);
                engine.run(&["rmi", &names[1]]);
            });
        });
        assert_eq!(content(engine, &checkout, &names[0]), "commit 0\n");
        load(1);
        assert_eq!(content(engine, &checkout, &names[1]), "commit 1\n");
        engine.run(&["rmi", &names[0]]);
    }
    engine.run(&["rmi", &names[1]]);
}

/// An image of several platforms with an attestation, of which only this machine's manifest is at hand: what builders leave,
/// and what an engine keeps that pulled one platform.
pub(crate) fn absent_platforms(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 212);
    point_at(&mut checkout, builder);
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "embedded"])
        .exits(0);
    let config = index_over(&checkout, &names[0], &Platform::host().architecture);
    point_at(&mut checkout, engine);
    let load = ["load", "oci:.barge/build", "--format", "json"];
    let loaded = checkout.barge(&load).exits(0).json();
    assert_eq!(loaded["config"], config);
    assert_eq!(content(engine, &checkout, &names[0]), "hello\n");
    engine.run(&["rmi", &names[0]]);
    if engine.has_containerd_store() {
        let archive = checkout.file("index.tar");
        let build = checkout.file(".barge/build");
        let packed = Command::new("tar")
            .arg("-C")
            .arg(build)
            .arg("-cf")
            .arg(&archive)
            .arg(".")
            .status();
        assert!(packed.unwrap().success());
        engine.run(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
        let saved = checkout.barge(&["save", &names[0], "--format", "json"]);
        let record = saved.exits(0).json()["saved"]["record"].clone();
        assert_eq!(record["image"]["config"], config);
        engine.run(&["rmi", &names[0]]);
        assert_eq!(load_again(&checkout)["config"], config);
        engine.run(&["rmi", &names[0]]);
    }
    index_over(&checkout, &names[0], "riscv64");
    checkout.barge(&load).exits(3).says("linux/riscv64");
}

fn load_again(checkout: &Checkout) -> Value {
    checkout
        .barge(&["load", "--format", "json"])
        .exits(0)
        .json()
}

/// Puts an index over the manifest of a layout, which it says is for this architecture, beside others that are not there.
/// Gives the digest of the config.
fn index_over(checkout: &Checkout, name: &str, architecture: &str) -> String {
    let layout = Utf8PathBuf::from_path_buf(checkout.file(".barge/build")).unwrap();
    let blobs = Blobs::of_layout(&layout);
    let built = fs::read(checkout.file(".barge/build.json")).unwrap();
    let built: Value = serde_json::from_slice(&built).unwrap();
    let manifest = built["home"]["manifest"].clone();
    let absent = |text: &str, platform: Value| {
        json!({
            "mediaType": manifest["mediaType"], "digest": Digest::of(text.as_bytes()), "size": 500, "platform": platform,
        })
    };
    let mut present = manifest.clone();
    present["platform"] = json!({"os": "linux", "architecture": architecture});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::INDEX,
        "manifests": [
            absent("other", json!({"os": "linux", "architecture": "s390x"})),
            present,
            absent("attestation", json!({"os": "unknown", "architecture": "unknown"})),
        ],
    });
    let bytes = index.to_string().into_bytes();
    blobs.put(&bytes).unwrap();
    let mut listed = Descriptor::of(MediaType::INDEX, &bytes);
    listed
        .annotations
        .insert("io.containerd.image.name".into(), name.into());
    let index = serde_json::to_vec(&Index::new(vec![listed])).unwrap();
    fs::write(layout.join("index.json"), index).unwrap();
    let digest: Digest = manifest["digest"].as_str().unwrap().parse().unwrap();
    let bytes = fs::read(blobs.path(&digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    manifest["config"]["digest"].as_str().unwrap().to_owned()
}

/// Two images want one name at the same time: whoever loses is told, and takes nothing from who wins.
pub(crate) fn one_name(builder: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(builder, 213);
    point_at(&mut checkout, builder);
    for commit in ["one", "two"] {
        checkout.write("app/run", commit);
        checkout.barge(&["build", "--event", "pr.json"]).exits(0);
        checkout
            .barge(&["save", "-o", &format!("{commit}.tar")])
            .exits(0);
    }
    builder.run(&["rmi", &names[0]]);
    point_at(&mut checkout, engine);
    for _ in 0..4 {
        let load = |commit: &str| {
            let ran = checkout.barge(&["load", &format!("{commit}.tar")]);
            assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
            ran.code
        };
        let codes = std::thread::scope(|scope| {
            let other = scope.spawn(|| load("two"));
            [load("one"), other.join().unwrap()]
        });
        assert!(codes.contains(&0));
        let found = content(engine, &checkout, &names[0]);
        assert!(["one", "two"].contains(&&*found), "{found}");
        engine.run(&["rmi", &names[0]]);
    }
}

#[track_caller]
fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo")
        .args(["--insecure-policy"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "skopeo {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
