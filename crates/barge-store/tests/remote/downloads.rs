//! Images out of a real registry: what skopeo put there, in every form; what breaks off.

use std::io::Read as _;
use std::sync::atomic::Ordering;

use barge_image::{Digest, Layout, MediaType, Platform, RawManifest, Reference};
use barge_store::http::{Error as HttpError, HttpOptions};
use barge_store::registry::{Error, Registry, RegistryOptions};
use barge_testing::{Debian, Settings};

use super::fixture::{folder, have, http_options, image, manifest_digest, options, run};
use super::proxy::{Cutter, Way};

fn reference(text: impl AsRef<str>) -> Reference {
    text.as_ref().parse().unwrap()
}

/// skopeo writes both forms of manifest; what comes is what lies there, byte for byte.
#[test]
fn pulls_what_skopeo_pushed() {
    if !have(&["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let made = image(&layout, 11, &[300_000]);
    let named = layout.index().unwrap();
    assert!(named.is_empty());
    let descriptor = made.manifest.as_ref().unwrap().descriptor();
    layout
        .name(&descriptor, &[reference("example.com/a:b")])
        .unwrap();
    let from = format!("oci:{}:example.com/a:b", layout.root());
    for (format, kind) in [
        ("oci", "application/vnd.oci.image.manifest.v1+json"),
        (
            "v2s2",
            "application/vnd.docker.distribution.manifest.v2+json",
        ),
    ] {
        let name = reference(format!("{}/team/{format}:one", registry.host));
        let to = format!("docker://{name}");
        run(
            "skopeo",
            &[
                "copy",
                "-q",
                "--dest-tls-verify=false",
                "--format",
                format,
                &from,
                &to,
            ],
        );
        let raw = run("skopeo", &["inspect", "--tls-verify=false", "--raw", &to]);
        let back = Layout::create(&home.path.join(format)).unwrap();
        let client = Registry::new(options()).unwrap();
        let pulled = client.pull(&name, None, &back, &|_| ()).unwrap();
        pulled.verify().unwrap();
        let manifest = pulled.manifest.as_ref().unwrap();
        assert_eq!(
            (manifest.media_type.as_str(), &manifest.bytes),
            (kind, &raw)
        );
        assert_eq!(pulled.identity(), made.identity());
        assert_eq!(pulled.references, std::slice::from_ref(&name));
        // What is there is not fetched again, and by digest it is the same.
        let pinned = reference(format!("{}@{}", name.name(), Digest::of(&raw)));
        let again = client.pull(&pinned, None, &back, &|_| ()).unwrap();
        assert_eq!(again.manifest, pulled.manifest);
    }
}

#[test]
fn an_index_gives_the_image_of_a_platform() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let client = Registry::new(options()).unwrap();
    let name = reference(format!("{}/app:all", registry.host));
    let entries: Vec<_> = [("amd64", 21), ("arm64", 22)]
        .map(|(architecture, seed)| {
            let image = image(&layout, seed, &[1000]);
            let one = name.name().with_tag(architecture.parse().unwrap());
            let mut descriptor = client.push(&image, &[one], &[], &|_| ()).unwrap();
            descriptor.platform = format!("linux/{architecture}").parse().ok();
            descriptor
        })
        .to_vec();
    let bytes = serde_json::to_vec(&barge_image::Index::new(entries.clone())).unwrap();
    let media_type = MediaType::INDEX;
    let index = client
        .put_manifest(&name, &RawManifest { media_type, bytes })
        .unwrap();
    let resolve =
        |platform: &str| client.resolve(&name, Some(&platform.parse::<Platform>().unwrap()));
    let arm = resolve("linux/arm64/v8").unwrap();
    assert_eq!(
        (arm.named.digest, arm.descriptor.digest),
        (index.digest, entries[1].digest)
    );
    assert_eq!(arm.index.unwrap().descriptor().digest, index.digest);
    let error = resolve("linux/s390x").unwrap_err();
    assert_eq!(error.hint().unwrap(), "it has linux/amd64, linux/arm64");
}

#[test]
fn a_download_that_breaks_off_continues() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let length = 6_000_000;
    let made = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        31,
        &[length],
    );
    let client = Registry::new(options()).unwrap();
    let name = reference(format!("{}/app:one", registry.host));
    client
        .push(&made, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap();
    let cutter = Cutter::start(&registry.host, Way::Down, 2_000_000, 2);
    let cut = reference(format!("{}/app:one", cutter.host));
    let back = Layout::create(&home.path.join("back")).unwrap();
    let pulled = client.pull(&cut, None, &back, &|_| ()).unwrap();
    pulled.verify().unwrap();
    assert_eq!(manifest_digest(&pulled), manifest_digest(&made));
    assert_eq!(cutter.cuts.load(Ordering::SeqCst), 0, "it was cut");
    let came = cutter.down.load(Ordering::SeqCst);
    assert!(
        came < length as u64 + 1_000_000,
        "{came} bytes: it began anew"
    );
    let blob = made.layers[0].blob.as_ref().unwrap();
    let mut bytes = Vec::new();
    client
        .blob(name.name(), blob)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    assert_eq!(Digest::of(&bytes), blob.digest);
}

#[test]
fn what_is_not_there_is_named() {
    if !have(&["docker-registry"]) {
        return;
    }
    let registry = Debian::start();
    let client = Registry::new(options()).unwrap();
    let name = reference(format!("{}/no/such:image", registry.host));
    assert!(client.head(&name).unwrap().is_none());
    let error = client.resolve(&name, None).unwrap_err();
    assert!(error.is_not_found());
    let text = error.to_string();
    assert!(
        text.contains("no/such:image") && text.contains("MANIFEST_UNKNOWN"),
        "{text}"
    );
    assert!(client.tags(name.name()).unwrap_err().is_not_found());
}

/// A certificate that the system does not know, and then the file that says to trust it.
#[test]
fn trusts_whom_it_is_told_to() {
    if !have(&["docker-registry", "openssl"]) {
        return;
    }
    let home = folder();
    let (certificate, key) = (home.path.join("c.pem"), home.path.join("k.pem"));
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            key.as_str(),
            "-out",
            certificate.as_str(),
        ],
    );
    let registry = Debian::with(&Settings {
        certificate: Some((certificate.as_str(), key.as_str())),
        ..Settings::default()
    });
    let stranger = Registry::new(options()).unwrap();
    let error = stranger.ping(&registry.host).unwrap_err();
    assert!(
        matches!(error, Error::Http(HttpError::Unreachable { .. })),
        "{error:?}"
    );
    assert!(error.hint().unwrap().contains("authority"), "{error:?}");
    let friend = Registry::new(RegistryOptions {
        http: HttpOptions {
            authorities: vec![certificate],
            ..http_options()
        },
        ..options()
    })
    .unwrap();
    let home = folder();
    let made = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        41,
        &[100_000],
    );
    let name = reference(format!("{}/app:tls", registry.host));
    friend
        .push(&made, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap();
    let back = Layout::create(&home.path.join("back")).unwrap();
    friend
        .pull(&name, None, &back, &|_| ())
        .unwrap()
        .verify()
        .unwrap();
}
