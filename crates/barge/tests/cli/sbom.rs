//! `barge sbom` of archives that this test writes: every kind of source, the cache of layers, and evidence that is broken.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use barge_image::Digest;
use barge_image::tar::{Entry, Writer};
use barge_testing::Debian;
use serde_json::json;

use crate::support::{Checkout, Ran};

/// A layer of files.
fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (path, content) in files {
        let entry = Entry::file(*path, content.len() as u64);
        writer.file(&entry, *content).unwrap();
    }
    writer.finish().unwrap()
}

/// A layer with one npm package.
fn package(name: &str) -> Vec<u8> {
    let path = format!("app/node_modules/{name}/package.json");
    let content = json!({"name": name, "version": "1.0.0"}).to_string();
    layer(&[(&path, content.as_bytes())])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A docker archive of layers as they lie in it; `claimed` are the plain layers that the config names.
fn archive(claimed: &[Vec<u8>], layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids = claimed.iter().map(|layer| Digest::of(layer).to_string());
    let diff_ids: Vec<_> = diff_ids.collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let names: Vec<_> = (0..layers.len())
        .map(|at| format!("{at}/layer.tar"))
        .collect();
    let manifest =
        json!([{"Config": "config.json", "RepoTags": ["example/app:1"], "Layers": names}]);
    let config = config.to_string();
    let manifest = manifest.to_string();
    let mut files: Vec<(&str, &[u8])> = vec![("config.json", config.as_bytes())];
    for (name, layer) in names.iter().zip(layers) {
        files.push((name, layer));
    }
    files.push(("manifest.json", manifest.as_bytes()));
    layer(&files)
}

fn put(checkout: &Checkout, name: &str, bytes: &[u8]) {
    fs::write(checkout.file(name), bytes).unwrap();
}

/// The package URLs of a source.
fn purls(checkout: &Checkout, arguments: &[&str]) -> Vec<String> {
    let ran = checkout
        .barge(&[&["sbom", "-o", "purls"], arguments].concat())
        .exits(0);
    ran.stdout.lines().map(str::to_owned).collect()
}

fn cache(checkout: &Checkout) -> Vec<std::path::PathBuf> {
    let listing = fs::read_dir(checkout.file(".cache/barge/layers"));
    let files = listing.into_iter().flatten();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn archives_are_read_however_they_are_packed() {
    let checkout = Checkout::new();
    let layers = [package("a"), package("b"), package("c")];
    let plain = archive(&layers, &layers);
    let mixed = [
        layers[0].clone(),
        gzip(&layers[1]),
        zstd::encode_all(&layers[2][..], 1).unwrap(),
    ];
    let expected = ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0", "pkg:npm/c@1.0.0"];
    for (name, bytes) in [
        ("plain.tar", plain.clone()),
        ("mixed.tar", archive(&layers, &mixed)),
        ("whole.tar.gz", gzip(&plain)),
        ("whole.tar.zst", zstd::encode_all(&plain[..], 1).unwrap()),
    ] {
        put(&checkout, name, &bytes);
        assert_eq!(purls(&checkout, &[name]), expected, "{name}");
        let prefixed = format!("docker-archive:{name}");
        assert_eq!(purls(&checkout, &[&prefixed]), expected, "{name}");
    }
    assert_eq!(
        purls(&checkout, &["dir:app"]),
        ["pkg:npm/left@1.2.0"],
        "a folder"
    );
    let file = "file:app/node_modules/left/package.json";
    checkout.barge(&["sbom", file]).exits(5);
}

#[test]
fn archives_and_bills_can_be_piped_in() {
    let checkout = Checkout::new();
    let layers = [package("a")];
    let archive = archive(&layers, &[gzip(&layers[0])]);
    put(&checkout, "image.tar", &archive);
    let bill = checkout
        .barge(&["sbom", "image.tar", "-o", "spdx-json"])
        .exits(0);
    for piped in [&archive, bill.stdout.as_bytes()] {
        let mut command = checkout.command(&["sbom", "-", "-o", "purls"]);
        let mut running = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        running.stdin.take().unwrap().write_all(piped).unwrap();
        let output = running.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"pkg:npm/a@1.0.0\n");
    }
    checkout
        .barge(&["sbom", "-"])
        .exits(1)
        .says("is not an image");
}

#[test]
fn what_a_folder_does_not_let_be_read_costs_an_unknown() {
    let checkout = Checkout::new();
    let locked = ["app/node_modules/file/package.json", "app/folder"];
    checkout.write(locked[0], "{}");
    checkout.write("app/folder/node_modules/b/package.json", "{}");
    for path in locked {
        fs::set_permissions(checkout.file(path), Permissions::from_mode(0o000)).unwrap();
    }
    // Root may read everything, so the run must not be root's.
    fs::set_permissions(checkout.path(), Permissions::from_mode(0o755)).unwrap();
    let program = checkout.file("barge");
    fs::copy(env!("CARGO_BIN_EXE_barge"), &program).unwrap();
    let mut command = Command::new(program);
    if fs::metadata(checkout.path()).unwrap().uid() == 0 {
        command.uid(65534);
    }
    command.args(["sbom", "dir:app", "--format", "json"]);
    let ran = Ran::of(command.current_dir(checkout.path()).env_clear()).exits(0);
    let bill = ran.json();
    assert_eq!(bill["packages"][0]["purl"], "pkg:npm/left@1.2.0");
    let unknowns = json!([
        {"path": "folder", "reason": "Permission denied (os error 13)"},
        {"path": "node_modules/file/package.json", "reason": "Permission denied (os error 13)"},
    ]);
    assert_eq!(bill["unknowns"], unknowns);
    fs::set_permissions(checkout.file(locked[1]), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_path_restricts_and_must_be_there() {
    let checkout = Checkout::new();
    let layers = [package("a"), package("b")];
    put(&checkout, "image.tar", &archive(&layers, &layers));
    let within = ["image.tar", "--path", "/app/node_modules/a"];
    assert_eq!(purls(&checkout, &within), ["pkg:npm/a@1.0.0"]);
    checkout
        .barge(&["sbom", "image.tar", "--path", "/app/none"])
        .exits(2)
        .says("there is no `/app/none`");
}

#[test]
fn what_cannot_be_read_elsewhere_does_not_count_within_a_path() {
    let checkout = Checkout::new();
    let text = json!({"name": "x", "version": "1.0.0"}).to_string();
    let beside = "srv/node_modules/y/package.json";
    let mut upper = Writer::new(Vec::new());
    let link = "srv/node_modules/x/package.json";
    upper.member(&Entry::hard_link(link, "srv/text")).unwrap();
    let layers = [
        package("a"),
        layer(&[("srv/text", text.as_bytes()), (beside, text.as_bytes())]),
        upper.finish().unwrap(),
    ];
    // What a packed layer held cannot be had when a higher one gives it a name that means something.
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    put(&checkout, "image.tar", &archive(&layers, &packed));
    let unknowns = |arguments: &[&str]| {
        let all = [&["sbom", "image.tar", "--format", "json"], arguments].concat();
        checkout.barge(&all).exits(0).json()["unknowns"].clone()
    };
    assert_eq!(unknowns(&[])[0]["path"], link);
    assert_eq!(unknowns(&["--path", "/srv"])[0]["path"], link);
    assert_eq!(unknowns(&["--path", "/app"]), json!([]));
}

#[test]
fn an_image_without_packages_is_no_evidence() {
    let checkout = Checkout::new();
    let layers = [layer(&[("a", b"x")])];
    put(&checkout, "image.tar", &archive(&layers, &layers));
    checkout
        .barge(&["sbom", "image.tar"])
        .exits(5)
        .says("an empty bill is no evidence");
}

#[test]
fn equal_images_give_equal_bytes() {
    let mut checkout = Checkout::new();
    checkout.set("SOURCE_DATE_EPOCH", "1700000000");
    let layers = [package("a"), package("b")];
    put(&checkout, "plain.tar", &archive(&layers, &layers));
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    put(&checkout, "packed.tar", &archive(&layers, &packed));
    for format in ["cyclonedx-json", "cyclonedx-xml", "spdx-json", "json"] {
        let of = |name: &str| {
            checkout
                .barge(&["sbom", name, "-o", format])
                .exits(0)
                .stdout
        };
        let first = of("plain.tar");
        assert_eq!(first, of("packed.tar"), "{format}, packed");
        assert_eq!(first, of("packed.tar"), "{format}, from the cache");
        assert!(format == "json" || first.contains("2023-11-14T22:13:20Z"));
    }
}

#[test]
fn several_formats_come_of_one_reading() {
    let checkout = Checkout::new();
    let layers = [package("a")];
    put(&checkout, "image.tar", &archive(&layers, &layers));
    let ran = checkout.barge(&[
        "sbom",
        "image.tar",
        "-o",
        "cyclonedx-json=a.json",
        "-o",
        "spdx-json=a.spdx.json",
        "-o",
        "purls",
    ]);
    assert_eq!(ran.exits(0).stdout, "pkg:npm/a@1.0.0\n");
    for file in ["a.json", "a.spdx.json"] {
        let read = checkout.barge(&["sbom", file, "-o", "purls"]).exits(0);
        assert_eq!(read.stdout, "pkg:npm/a@1.0.0\n", "{file}");
    }
}

#[test]
fn a_known_layer_is_not_read_again_and_damage_is_found() {
    let checkout = Checkout::new();
    let layers = [package("a"), package("b")];
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    put(&checkout, "image.tar", &archive(&layers, &packed));
    let expected = ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"];
    assert_eq!(purls(&checkout, &["image.tar"]), expected);
    let kept = cache(&checkout);
    assert_eq!(kept.len(), 2);
    // The layers' bytes are gone: only what is known of them is left.
    let broken = vec![b"\x1f\x8b\x08 nothing".to_vec(); 2];
    put(&checkout, "known.tar", &archive(&layers, &broken));
    assert_eq!(purls(&checkout, &["known.tar"]), expected);
    checkout
        .barge(&["sbom", "known.tar", "--verify"])
        .exits(1)
        .says("cannot catalogue layer");
    // Whatever is wrong with a file of the cache, the layer is read again and the file made anew.
    let sound = fs::read(&kept[0]).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for damage in [
        &b""[..],
        b"barge layer index 1\n",
        &sound[..sound.len() - 1],
        &flipped,
        &fs::read(&kept[1]).unwrap(),
    ] {
        fs::write(&kept[0], damage).unwrap();
        assert_eq!(purls(&checkout, &["image.tar"]), expected);
        assert_eq!(fs::read(&kept[0]).unwrap(), sound);
    }
    checkout
        .barge(&["sbom", "image.tar", "--no-cache"])
        .exits(0);
}

#[test]
fn the_next_commit_reads_only_its_own_layers() {
    let checkout = Checkout::new();
    let mut layers = vec![package("a"), package("b")];
    put(&checkout, "first.tar", &archive(&layers, &layers));
    purls(&checkout, &["first.tar"]);
    let kept = cache(&checkout);
    assert_eq!(kept.len(), 2, "plain layers are kept as well");
    // What is known of the first layer is told from what it says now.
    let other = layer(&[("app/node_modules/a/package.json", b"{}")]);
    layers.push(package("c"));
    let lying = [other, layers[1].clone(), layers[2].clone()];
    put(&checkout, "second.tar", &archive(&layers, &lying));
    let expected = ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0", "pkg:npm/c@1.0.0"];
    assert_eq!(purls(&checkout, &["second.tar"]), expected);
    assert_eq!(cache(&checkout).len(), 3);
    checkout
        .barge(&["sbom", "second.tar", "--verify"])
        .exits(1)
        .says("was changed or damaged");
}

#[test]
fn a_layer_that_was_not_hashed_is_known_by_its_unchanged_file() {
    let checkout = Checkout::new();
    let image = |name: &str| {
        // Its files are too large for it to be hashed.
        let path = format!("app/node_modules/{name}/package.json");
        let manifest = json!({"name": name, "version": "1.0.0"}).to_string();
        let large = vec![0; 1 << 20];
        let layer = layer(&[(&path, manifest.as_bytes()), ("data", &large)]);
        archive(std::slice::from_ref(&layer), std::slice::from_ref(&layer))
    };
    put(&checkout, "image.tar", &image("a"));
    purls(&checkout, &["image.tar"]);
    assert!(cache(&checkout).is_empty(), "it was changed just now");
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let first = purls(&checkout, &["image.tar"]);
    assert_eq!(first, ["pkg:npm/a@1.0.0"]);
    assert_eq!(cache(&checkout).len(), 1);
    assert_eq!(purls(&checkout, &["image.tar"]), first);
    assert_eq!(cache(&checkout).len(), 1);

    let file = fs::File::open(checkout.file("image.tar")).unwrap();
    let then = file.metadata().unwrap().modified().unwrap();
    put(&checkout, "image.tar", &image("b"));
    fs::File::options()
        .write(true)
        .open(checkout.file("image.tar"))
        .unwrap()
        .set_modified(then)
        .unwrap();
    assert_eq!(purls(&checkout, &["image.tar"]), ["pkg:npm/b@1.0.0"]);
}

#[test]
fn bytes_that_only_claim_to_be_a_layer_do_not_speak_for_it() {
    let checkout = Checkout::new();
    let (real, forged) = ([package("vulnerable")], [package("harmless")]);
    let packed = [gzip(&forged[0])];
    put(&checkout, "plain.tar", &archive(&real, &forged));
    put(&checkout, "packed.tar", &archive(&real, &packed));
    for name in ["plain.tar", "packed.tar"] {
        checkout
            .barge(&["sbom", name])
            .exits(1)
            .says("the image config says");
    }
    assert_eq!(
        purls(&checkout, &["plain.tar", "--no-cache"]),
        ["pkg:npm/harmless@1.0.0"]
    );
    assert_eq!(cache(&checkout).len(), 0);
    put(&checkout, "real.tar", &archive(&real, &real));
    assert_eq!(
        purls(&checkout, &["real.tar"]),
        ["pkg:npm/vulnerable@1.0.0"]
    );
    checkout
        .barge(&["sbom", "plain.tar", "--verify"])
        .exits(1)
        .says("was changed or damaged");
}

/// What a bill says of the image, not of where it came from.
fn content(checkout: &Checkout, input: &str) -> String {
    let ran = checkout.barge(&["sbom", input, "--format", "json"]);
    let mut bill = ran.exits(0).json();
    bill.as_object_mut().unwrap().remove("subject").unwrap();
    serde_json::to_string_pretty(&bill).unwrap()
}

#[test]
fn every_source_gives_the_same_bill() {
    let checkout = Checkout::new();
    checkout.write(
        "app/node_modules/b/package.json",
        r#"{"name": "b", "version": "2.0.0"}"#,
    );
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app/node_modules/left /app/node_modules/left\nCOPY app/node_modules/b /app/node_modules/b\n",
    );
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout.barge(&["save", "-o", "image.tar"]).exits(0);
    checkout.barge(&["save"]).exits(0);
    let saved = content(&checkout, "image.tar");
    assert!(saved.contains("pkg:npm/left@1.2.0") && saved.contains("COPY app/node_modules/b"));
    let stored = checkout.barge(&["sbom", "--format", "json"]).exits(0);
    assert!(stored.stdout.contains("pkg:npm/b@2.0.0"));
    let mut sources = vec!["store:charon-latest".to_owned()];
    let registry = (have("skopeo") && have("docker-registry")).then(Debian::start);
    if let Some(registry) = &registry {
        let reference = format!("{}/app:1", registry.host);
        for copy in [
            "oci:layout",
            "oci-archive:oci.tar",
            "docker-archive:docker.tar:example/app:1",
            &format!("docker://{reference}"),
        ] {
            let mut skopeo = Command::new("skopeo");
            skopeo.args(["--insecure-policy", "copy", "--quiet"]);
            skopeo.args(["--dest-tls-verify=false", "docker-archive:image.tar", copy]);
            let output = skopeo.current_dir(checkout.path()).output().unwrap();
            assert!(output.status.success(), "{copy}: {output:?}");
        }
        sources.extend(
            ["oci:layout", "layout", "oci-archive:oci.tar", "docker.tar"].map(str::to_owned),
        );
        sources.push(format!("registry:{reference}"));
    }
    for source in &sources {
        assert_eq!(content(&checkout, source), saved, "{source}");
    }
}

/// Whether a program is here; in CI it must be.
fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!is_ci || found, "{program} is missing");
    found
}

#[test]
fn neither_order_nor_time_of_files_matters() {
    let (one, other) = (Checkout::new(), Checkout::new());
    let mut packages: Vec<_> = ["c", "a", "b"]
        .map(|name| {
            (
                format!("app/node_modules/{name}/package.json"),
                json!({"name": name, "version": "1"}),
            )
        })
        .into();
    for checkout in [&one, &other] {
        for (path, package) in &packages {
            let path = checkout.write(path, &package.to_string());
            let age = std::time::Duration::from_secs(path.as_os_str().len() as u64 * 1000);
            let file = fs::File::options().write(true).open(&path).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - age).unwrap();
        }
        packages.reverse();
    }
    assert_eq!(content(&one, "dir:app"), content(&other, "dir:app"));
}

/// Runs over one layer of evidence beside a sound package; what is left is that package, and unknowns.
fn beside(evidence: &[(&str, &[u8])]) -> (Ran, Vec<String>) {
    let checkout = Checkout::new();
    let layers = [package("a"), layer(evidence)];
    put(&checkout, "image.tar", &archive(&layers, &layers));
    let ran = checkout
        .barge(&["sbom", "image.tar", "--format", "json"])
        .exits(0);
    let json = ran.json();
    assert_eq!(json["packages"][0]["purl"], "pkg:npm/a@1.0.0");
    let unknowns = json["unknowns"].as_array().unwrap().iter();
    let unknowns = unknowns.map(|unknown| unknown["path"].as_str().unwrap().to_owned());
    (ran, unknowns.collect())
}

/// A zip file of one deflated entry of zeros.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    let mut checksum = flate2::Crc::new();
    for _ in 0..megabytes {
        encoder.write_all(&zeros).unwrap();
        checksum.update(&zeros);
    }
    let packed = encoder.finish().unwrap();
    let name = b"META-INF/MANIFEST.MF";
    let size = u32::try_from(megabytes << 20).unwrap();
    let mut fields = Vec::new();
    fields.extend(20u16.to_le_bytes());
    fields.extend([0, 0, 8, 0, 0, 0, 0, 0]);
    fields.extend(checksum.sum().to_le_bytes());
    fields.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
    fields.extend(size.to_le_bytes());
    fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    fields.extend([0, 0]);
    let local = [b"PK\x03\x04", &fields[..], name, &packed].concat();
    let central = [b"PK\x01\x02\x14\x00", &fields[..], &[0; 14], name].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
    end.extend(u32::try_from(local.len()).unwrap().to_le_bytes());
    end.extend([0, 0]);
    [local, central, end].concat()
}

#[test]
fn broken_evidence_costs_an_unknown() {
    let deep = "[".repeat(100_000).into_bytes();
    let object = "{\"a\":".repeat(100_000).into_bytes();
    let bomb = bomb(1000);
    assert!(bomb.len() < 2 << 20);
    let noise: Vec<u8> = (0..20_000u32)
        .map(|at| (at * 7919).to_le_bytes()[1])
        .collect();
    let sqlite = [b"SQLite format 3\0", &noise[..]].concat();
    let evidence: [(&str, &[u8]); 8] = [
        ("app/bomb.jar", &bomb),
        ("app/cut.jar", b"PK\x03\x04 cut"),
        ("app/node_modules/deep/package.json", &deep),
        ("app/vendor/composer/installed.json", &object),
        ("usr/lib/sysimage/rpm/Packages.db", &noise),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", &sqlite),
        ("usr/share/php/.registry/x.reg", &noise),
        ("var/lib/rpm/Packages", &noise),
    ];
    let (_, unknowns) = beside(&evidence);
    let expected: Vec<_> = evidence.iter().map(|(path, _)| *path).collect();
    assert_eq!(unknowns, expected);
}

#[test]
fn a_layer_that_breaks_off_costs_an_unknown() {
    let sound = [package("a"), layer(&[("b", &[7; 100_000]), ("c", b"x")])];
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 3000].to_vec();
    let gigantic = {
        // A PAX record of 2 MiB.
        let path = format!("{}/f", "d/".repeat(1 << 20));
        layer(&[(path.as_str(), b"x")])
    };
    let lie = {
        let mut bytes = layer(&[("f", b"x")]);
        bytes[124..136].copy_from_slice(b"77777777777\0");
        let sum: u32 = (0..512)
            .map(|at| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u32::from(bytes[at])
                }
            })
            .sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes
    };
    for second in [
        cut(&sound[1]),
        gzip(&sound[1])[..200].to_vec(),
        gigantic,
        lie,
    ] {
        let checkout = Checkout::new();
        let image = archive(&sound, &[sound[0].clone(), second]);
        put(&checkout, "image.tar", &image);
        let ran = checkout
            .barge(&["sbom", "image.tar", "--format", "json"])
            .exits(0)
            .says("only a part could be read");
        let unknown = ran.json()["unknowns"][0]["path"].clone();
        assert_eq!(unknown, format!("layer {}", Digest::of(&sound[1])));
        let kept = cache(&checkout);
        let is_sound = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(&Digest::of(&sound[0]).hex())
        };
        assert!(kept.len() == 1 && kept.iter().all(is_sound), "{kept:?}");
        checkout.barge(&["sbom", "image.tar", "--verify"]).exits(1);
    }
}

#[test]
fn links_lead_to_evidence_wherever_layers_put_them() {
    let checkout = Checkout::new();
    let manifest = |name: &str| json!({"name": name, "version": "1.0.0"}).to_string();
    let mut lower = Writer::new(Vec::new());
    for name in ["kept", "gone", "linked"] {
        let (path, text) = (
            format!("app/node_modules/{name}/package.json"),
            manifest(name),
        );
        let entry = Entry::file(path, text.len() as u64);
        lower.file(&entry, text.as_bytes()).unwrap();
    }
    // Under its first name it is no evidence.
    let text = manifest("hard");
    let entry = Entry::file("app/store/1", text.len() as u64);
    lower.file(&entry, text.as_bytes()).unwrap();
    let hard = "app/node_modules/hard/package.json";
    lower
        .member(&Entry::hard_link(hard, "app/store/1"))
        .unwrap();
    let upper = layer(&[
        ("app/node_modules/.wh.gone", b""),
        ("app/store/.wh.1", b""),
        ("app/node_modules/linked/.wh.", b""),
        ("app/.wh..wh..opqX", b""),
    ]);
    let layers = [lower.finish().unwrap(), upper];
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    for (name, bytes) in [
        ("plain.tar", archive(&layers, &layers)),
        ("packed.tar", archive(&layers, &packed)),
    ] {
        put(&checkout, name, &bytes);
        let expected = [
            "pkg:npm/hard@1.0.0",
            "pkg:npm/kept@1.0.0",
            "pkg:npm/linked@1.0.0",
        ];
        assert_eq!(purls(&checkout, &[name, "--no-cache"]), expected, "{name}");
    }
}

#[test]
fn bills_of_other_programs_are_inputs() {
    let checkout = Checkout::new();
    checkout.write(
        "bill.spdx",
        "SPDXVersion: SPDX-2.3\nDocumentName: image\n\nPackageName: left\nSPDXID: SPDXRef-1\nPackageVersion: 1.2.0\n\
         ExternalRef: PACKAGE-MANAGER purl pkg:npm/left@1.2.0\n",
    );
    for input in ["bill.spdx", "sbom:bill.spdx"] {
        assert_eq!(purls(&checkout, &[input]), ["pkg:npm/left@1.2.0"]);
    }
}
