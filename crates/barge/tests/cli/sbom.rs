//! `barge sbom` of archives that this test writes: every kind of source, the cache of layers, and evidence that is broken.

use std::fs;
use std::io::Write as _;

use barge_image::Digest;
use barge_image::tar::{Entry, Writer};
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
fn bytes_that_only_claim_to_be_a_layer_do_not_speak_for_it() {
    let checkout = Checkout::new();
    let (real, forged) = ([package("vulnerable")], [package("harmless")]);
    put(&checkout, "forged.tar", &archive(&real, &forged));
    assert_eq!(
        purls(&checkout, &["forged.tar"]),
        ["pkg:npm/harmless@1.0.0"]
    );
    assert_eq!(cache(&checkout).len(), 0);
    put(
        &checkout,
        "packed.tar",
        &archive(&real, &[gzip(&forged[0])]),
    );
    checkout
        .barge(&["sbom", "packed.tar"])
        .exits(1)
        .says("the image config says");
    put(&checkout, "real.tar", &archive(&real, &real));
    assert_eq!(
        purls(&checkout, &["real.tar"]),
        ["pkg:npm/vulnerable@1.0.0"]
    );
    checkout
        .barge(&["sbom", "forged.tar", "--verify"])
        .exits(1)
        .says("was changed or damaged");
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
    let noise: Vec<u8> = (0..20_000u32).map(|at| ((at * 7919) >> 3).to_le_bytes()[0]).collect();
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
        assert!(kept.is_empty(), "{kept:?}");
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
