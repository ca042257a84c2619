//! Images into a real registry: what skopeo reads back, what is not sent twice, what breaks off.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use barge_image::{Layout, MediaType, RawManifest, Reference};
use barge_store::http::{Error as HttpError, HttpOptions, Timeouts};
use barge_store::registry::{Arrival, Error, Registry, RegistryOptions, Transfer};
use barge_testing::Debian;

use super::fixture::{folder, have, http_options, image, manifest_digest, options, plain, run};
use super::proxy::{Cutter, Way};
use super::server::{Reply, Server};

fn reference(text: impl AsRef<str>) -> Reference {
    text.as_ref().parse().unwrap()
}

/// What a name stands for.
fn named(digest: barge_image::Digest) -> Reply {
    Reply::ok("{}").header("docker-content-digest", digest)
}

#[test]
fn skopeo_reads_back_what_was_pushed() {
    if !have(&["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let host = &registry.host;
    let image = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        1,
        &[300_000, 200_000, 0],
    );
    let names = ["team/app:one", "team/app:two", "team/other:one"];
    let names: Vec<_> = names
        .iter()
        .map(|name| reference(format!("{host}/{name}")))
        .collect();
    let arrivals = Mutex::new(Vec::new());
    let progress = |event| {
        if let Transfer::Arrived { how, .. } = event {
            arrivals.lock().unwrap().push(how);
        }
    };
    let client = Registry::new(options()).unwrap();
    let pushed = client.push(&image, &names, &[], &progress).unwrap();
    // The second repository takes everything from the first: three layers and the config.
    let arrivals = arrivals.into_inner().unwrap();
    assert_eq!(
        arrivals,
        [[Arrival::Moved; 4], [Arrival::Mounted; 4]].concat()
    );
    for name in &names {
        let raw = run(
            "skopeo",
            &[
                "inspect",
                "--tls-verify=false",
                "--raw",
                &format!("docker://{name}"),
            ],
        );
        assert_eq!(raw, image.manifest.as_ref().unwrap().bytes);
        assert_eq!(client.head(name).unwrap().unwrap(), pushed);
    }
    let back = home.path.join("back");
    let (from, to) = (format!("docker://{}", names[2]), format!("oci:{back}:x"));
    run(
        "skopeo",
        &[
            "copy",
            "-q",
            "--preserve-digests",
            "--src-tls-verify=false",
            &from,
            &to,
        ],
    );
    let found = Layout::at(&back).index().unwrap();
    assert_eq!(found[0].digest, manifest_digest(&image));
    let tags = client.tags(names[0].name()).unwrap();
    assert_eq!(
        tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["one", "two"]
    );
    let again = Mutex::new(Vec::new());
    let progress = |event| {
        if let Transfer::Arrived { how, .. } = event {
            again.lock().unwrap().push(how);
        }
    };
    client.push(&image, &names[..1], &[], &progress).unwrap();
    assert_eq!(again.into_inner().unwrap(), [Arrival::Present; 4]);
}

#[test]
fn pieces_make_the_same_blob() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let image = image(&layout, 2, &[300_000, 65_536]);
    let name = reference(format!("{}/app:pieces", registry.host));
    let client = Registry::new(RegistryOptions {
        chunk: Some(65_536),
        ..options()
    })
    .unwrap();
    client
        .push(&image, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap();
    let back = Layout::create(&home.path.join("back")).unwrap();
    let pulled = client.pull(&name, None, &back, &|_| ()).unwrap();
    pulled.verify().unwrap();
    assert_eq!(manifest_digest(&pulled), manifest_digest(&image));
}

#[test]
fn an_upload_that_breaks_off_ends_well() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let length = 6_000_000;
    let image = image(&layout, 3, &[length]);
    for chunk in [None, Some(1_000_000)] {
        let cutter = Cutter::start(&registry.host, Way::Up, 3_500_000, 1);
        let name = reference(format!("{}/app-{}:cut", cutter.host, chunk.is_some()));
        let client = Registry::new(RegistryOptions { chunk, ..options() }).unwrap();
        client
            .push(&image, std::slice::from_ref(&name), &[], &|_| ())
            .unwrap();
        assert_eq!(cutter.cuts.load(Ordering::SeqCst), 0, "it was cut");
        // This registry forgets an upload whose piece broke off: it goes once more, and not more often.
        let sent = cutter.up.load(Ordering::SeqCst);
        assert!(sent < 2 * length as u64, "{sent}");
        let direct = reference(format!("{}/app-{}:cut", registry.host, chunk.is_some()));
        let back = Layout::create(&home.path.join(format!("back-{}", chunk.is_some()))).unwrap();
        let pulled = Registry::new(options())
            .unwrap()
            .pull(&direct, None, &back, &|_| ())
            .unwrap();
        pulled.verify().unwrap();
    }
}

/// An image out of a docker archive has no manifest: its layers go as they lie.
#[test]
fn an_image_without_manifest_gets_one() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let mut image = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        4,
        &[1000, 2000, 3000],
    );
    image.manifest = None;
    image.layers.iter_mut().for_each(|layer| layer.blob = None);
    let name = reference(format!("{}/app:bare", registry.host));
    let client = Registry::new(options()).unwrap();
    let pushed = client
        .push(&image, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap();
    let back = Layout::create(&home.path.join("back")).unwrap();
    let pulled = client.pull(&name, None, &back, &|_| ()).unwrap();
    pulled.verify().unwrap();
    assert_eq!(pulled.identity(), image.identity());
    assert_eq!(manifest_digest(&pulled), pushed.digest);
}

#[test]
fn a_pinned_name_takes_only_its_own_manifest() {
    let home = folder();
    let image = image(&Layout::create(&home.path.join("a")).unwrap(), 5, &[10]);
    let other = barge_image::Digest::of(b"other");
    let server = Server::start(|_, _| Reply::status(500));
    let name = reference(format!("{}/app@{other}", server.host));
    let manifest = image.manifest.unwrap();
    let error = plain(&server.host)
        .put_manifest(&name, &manifest)
        .unwrap_err();
    assert!(
        error.to_string().starts_with("cannot push sha256:"),
        "{error}"
    );
    assert!(server.asked().is_empty());
}

#[test]
fn referrers_are_found_by_their_tag() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, home) = (Debian::start(), folder());
    let image = image(&Layout::create(&home.path.join("a")).unwrap(), 6, &[1000]);
    let name = reference(format!("{}/app:one", registry.host));
    let client = Registry::new(options()).unwrap();
    let pushed = client
        .push(&image, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap();
    let subject = &pushed.digest;
    assert!(
        client
            .referrers(name.name(), subject, None)
            .unwrap()
            .is_empty()
    );
    let config = client
        .put_blob(
            name.name(),
            MediaType::from("application/vnd.oci.empty.v1+json".to_owned()),
            b"{}",
        )
        .unwrap();
    let manifest = |text: String| RawManifest {
        media_type: MediaType::MANIFEST,
        bytes: text.into_bytes(),
    };
    let config = serde_json::to_string(&config).unwrap();
    let record = manifest(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"a/record","config":{config},"layers":[{config}]}}"#,
        MediaType::MANIFEST
    ));
    let tag = |text: String| name.name().with_tag(text.parse().unwrap());
    let held = client.put_manifest(&tag("record".into()), &record).unwrap();
    let index = RawManifest {
        media_type: MediaType::INDEX,
        bytes: format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}","size":{},"artifactType":"a/record"}}]}}"#,
            MediaType::INDEX, MediaType::MANIFEST, held.digest, held.size
        )
        .into_bytes(),
    };
    client
        .put_manifest(&tag(format!("sha256-{}", subject.hex())), &index)
        .unwrap();
    let found = client
        .referrers(name.name(), subject, Some("a/record"))
        .unwrap();
    assert_eq!(found[0].descriptor.digest, held.digest);
    assert!(
        client
            .referrers(name.name(), subject, Some("a/other"))
            .unwrap()
            .is_empty()
    );
}

/// A server that takes a request and never says what became of it.
#[test]
fn a_silent_registry_is_given_up() {
    let home = folder();
    let image = image(&Layout::create(&home.path.join("a")).unwrap(), 7, &[1000]);
    let server = Server::start(|asked, host| match &*asked.method {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("location", format!("http://{host}/up/1")),
        _ => Reply::status(201).stalled(b"", 10).header("x", "y"),
    });
    let client = Registry::new(RegistryOptions {
        plain_http: [server.host.clone()].into(),
        http: HttpOptions {
            timeouts: Timeouts {
                digest: Duration::from_millis(300),
                ..http_options().timeouts
            },
            ..http_options()
        },
        ..options()
    })
    .unwrap();
    // A blob's answer has no body that matters; the manifest's must say its digest.
    let name = reference(format!("{}/app:silent", server.host));
    let started = std::time::Instant::now();
    client
        .push(&image, std::slice::from_ref(&name), &[], &|_| ())
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// A registry that keeps what came of a piece, as the specification has it: each byte goes once.
#[test]
fn an_upload_continues_where_the_registry_says() {
    let home = folder();
    let made = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        8,
        &[300_000],
    );
    let blob = made.layers[0].blob.clone().unwrap();
    let held = Arc::new(Mutex::new(Vec::new()));
    let (kept, digest) = (Arc::clone(&held), blob.digest);
    let (config, manifest) = (made.config.bytes().to_vec(), manifest_digest(&made));
    let server = Server::start(move |asked, _| {
        let mut held = kept.lock().unwrap();
        let session = |status: u16, held: &[u8]| {
            Reply::status(status)
                .header(
                    "location",
                    format!("/v2/app/blobs/uploads/1?at={}", held.len()),
                )
                .header("range", format!("0-{}", held.len().saturating_sub(1)))
        };
        match &*asked.method {
            "HEAD" if asked.path.contains("manifests") => named(manifest),
            "GET" if asked.path.contains("manifests") => Reply::status(404),
            "HEAD" if asked.path.ends_with(&digest.to_string()) => Reply::status(404),
            "HEAD" => Reply::ok(config.clone()),
            "POST" => session(202, &held),
            "GET" => session(204, &held),
            // The first attempt goes whole: half of it is kept, and the answer is a failure.
            "PUT" if asked.path.contains("blobs") && held.is_empty() => {
                held.extend_from_slice(&asked.body[..150_000]);
                Reply::status(502)
            }
            "PATCH" => {
                let from = format!("{}-", held.len());
                assert!(asked.header("content-range").unwrap().starts_with(&from));
                held.extend_from_slice(&asked.body);
                session(202, &held)
            }
            "PUT" if asked.path.contains("manifests") => {
                Reply::status(201).header("docker-content-digest", manifest)
            }
            _ => Reply::status(201),
        }
    });
    let name = reference(format!("{}/app:one", server.host));
    let client = plain(&server.host);
    client.push(&made, &[name], &[], &|_| ()).unwrap();
    let held = held.lock().unwrap();
    assert_eq!(barge_image::Digest::of(&held), blob.digest);
    let patches: Vec<_> = server
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "PATCH")
        .collect();
    assert_eq!(patches.len(), 1);
    assert_eq!(patches[0].body.len() as u64, blob.size - 150_000);
}

/// Opens an upload where it was asked to mount; that upload is used.
#[test]
fn a_registry_that_does_not_mount_gets_the_bytes() {
    let home = folder();
    let mut made = image(&Layout::create(&home.path.join("a")).unwrap(), 9, &[1000]);
    let manifest = manifest_digest(&made);
    let server = Server::start(move |asked, _| match &*asked.method {
        "HEAD" if asked.path.contains("manifests") => named(manifest),
        "GET" => Reply::status(404),
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("location", "/v2/app/blobs/uploads/1"),
        _ => Reply::status(201).header("docker-content-digest", last(&asked.path, manifest)),
    });
    made.references = vec![reference(format!("{}/source:one", server.host))];
    let name = reference(format!("{}/app:one", server.host));
    plain(&server.host)
        .push(&made, &[name], &[], &|_| ())
        .unwrap();
    let started: Vec<_> = server.asked_for("/uploads/?");
    assert_eq!(started.len(), 2);
    assert!(
        started
            .iter()
            .all(|asked| asked.path.ends_with("&from=source"))
    );
    assert_eq!(server.asked_for("/uploads/").len(), 4, "no second start");
}

/// The digest in an address, or the manifest's.
fn last(path: &str, manifest: barge_image::Digest) -> String {
    let digest = path.split_once("digest=").map(|(_, digest)| digest);
    digest.map_or(manifest.to_string(), str::to_owned)
}

/// Takes a piece, fails at the next, forgets all: that is no progress, however often it gets as far.
#[test]
fn a_registry_that_forgets_is_given_up() {
    let home = folder();
    let made = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        10,
        &[100_000],
    );
    let config = made.config.bytes().to_vec();
    let digest = made.layers[0].blob.as_ref().unwrap().digest.to_string();
    let server = Server::start(move |asked, _| match &*asked.method {
        "HEAD" if !asked.path.ends_with(&digest) => Reply::ok(config.clone()),
        "POST" => Reply::status(202).header("location", "/v2/app/blobs/uploads/1"),
        "PATCH" if asked.header("content-range").unwrap().starts_with("0-") => {
            Reply::status(202).header("location", "/v2/app/blobs/uploads/1")
        }
        "PATCH" => Reply::status(502),
        _ => Reply::status(404),
    });
    let client = Registry::new(RegistryOptions {
        plain_http: [server.host.clone()].into(),
        chunk: Some(40_000),
        ..options()
    })
    .unwrap();
    let name = reference(format!("{}/app:one", server.host));
    let error = client.push(&made, &[name], &[], &|_| ()).unwrap_err();
    let is_status = matches!(&error, Error::Push { source, .. }
        if matches!(**source, Error::Http(HttpError::Status { status: 502, .. })));
    assert!(is_status, "{error:?}");
    let sent = server
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "PATCH");
    assert!(sent.count() <= 10);
}

/// Names move together: the second is refused, so the first is given back, and one that was new is taken away.
#[test]
fn a_name_that_is_refused_moves_no_other() {
    let home = folder();
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let (old, new) = (image(&layout, 61, &[1000]), image(&layout, 62, &[1000]));
    let old = old.manifest.unwrap().bytes;
    let named = Arc::new(Mutex::new(BTreeMap::from([(
        "one".to_owned(),
        old.clone(),
    )])));
    let tags = Arc::clone(&named);
    let server = Server::start(move |asked, _| {
        let mut tags = tags.lock().unwrap();
        let name = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
        let manifest = |bytes: &Vec<u8>| {
            let reply = Reply::ok(bytes.clone()).header("content-type", MediaType::MANIFEST);
            reply.header("docker-content-digest", barge_image::Digest::of(bytes))
        };
        match (&*asked.method, asked.path.contains("/manifests/")) {
            ("GET" | "HEAD", true) => tags.get(&name).map_or(Reply::status(404), manifest),
            ("PUT", true) if name == "three" => Reply::status(403),
            ("PUT", true) => {
                tags.insert(name, asked.body.clone());
                manifest(&asked.body).into_status(201)
            }
            ("DELETE", true) => {
                tags.remove(&name);
                Reply::status(202)
            }
            ("HEAD", false) => Reply::status(404),
            ("POST", _) => Reply::status(202).header("location", "/v2/app/blobs/uploads/1"),
            _ => Reply::status(201),
        }
    });
    let names = ["one", "two", "three"].map(|tag| reference(format!("{}/app:{tag}", server.host)));
    let error = plain(&server.host)
        .push(&new, &names, &[], &|_| ())
        .unwrap_err();
    let text = error.to_string();
    assert_eq!(text, format!("cannot push `{}`", names[2]));
    let named = named.lock().unwrap();
    assert_eq!(named.get("one"), Some(&old));
    assert_eq!(named.get("two"), None);
}
