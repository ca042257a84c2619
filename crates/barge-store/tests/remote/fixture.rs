//! Images to move, options that do not wait long, and the programs that check.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use barge_image::pack::LayerPacker;
use barge_image::{Compression, Digest, Image, Layout, RawConfig};
use barge_store::http::{HttpOptions, Retry, Timeouts};
use barge_store::registry::{Registry, RegistryOptions};
pub(crate) use barge_testing::{Folder, folder, noise};

/// An image with layers of these lengths, in a layout.
pub(crate) fn image(layout: &Layout, seed: u64, lengths: &[usize]) -> Image {
    let compressions = [Compression::Gzip, Compression::Zstd, Compression::None];
    let layers = lengths.iter().enumerate().map(|(index, length)| {
        let blobs = layout.blobs();
        let mut packer = LayerPacker::new(blobs, compressions[index % 3]).unwrap();
        packer
            .write_all(&noise(seed + index as u64, *length))
            .unwrap();
        packer.finish(blobs).unwrap()
    });
    let layers: Vec<_> = layers.collect();
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("\"{}\"", layer.diff_id))
        .collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","unknown":[{seed}],"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    );
    let config = RawConfig::parse(config.into_bytes()).unwrap();
    let manifest = layout.put_image(&config, &layers).unwrap();
    layout.image(&manifest.digest, Vec::new()).unwrap()
}

pub(crate) fn manifest_digest(image: &Image) -> Digest {
    image.manifest.as_ref().unwrap().descriptor().digest
}

/// Options for tests: failures come fast.
pub(crate) fn http_options() -> HttpOptions {
    HttpOptions {
        retry: Retry {
            attempts: 4,
            pause: Duration::from_millis(20),
            longest: Duration::from_secs(3),
            seed: 1,
        },
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            stall: Duration::from_millis(400),
            digest: Duration::from_secs(20),
            document: Duration::from_secs(5),
        },
        ..HttpOptions::default()
    }
}

/// Options for tests of registries.
pub(crate) fn options() -> RegistryOptions {
    RegistryOptions {
        http: http_options(),
        ..RegistryOptions::default()
    }
}

/// A client that speaks plain HTTP to a host without asking how first.
pub(crate) fn plain(host: &str) -> Registry {
    Registry::new(RegistryOptions {
        plain_http: BTreeSet::from([host.to_owned()]),
        ..options()
    })
    .unwrap()
}

/// Whether programs are here. In CI they must be.
#[expect(
    clippy::disallowed_methods,
    reason = "tests ask whether they run in CI"
)]
pub(crate) fn have(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| Command::new(program).arg("--version").output().is_err())
        .collect();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!is_ci || missing.is_empty(), "missing: {missing:?}");
    missing.is_empty()
}

/// Runs a program that must succeed, and returns what it wrote.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    output.stdout
}
