//! A repository of Debian's `docker-registry` as a store; skopeo pulls what was stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use barge_image::{Digest, RepositoryName};
use barge_store::registry::{Registry, RegistryOptions, RegistryStore};
use barge_store::remote::Wanted;
use barge_store::{Error, Remote as _};
use barge_testing::Debian;

use super::conformance::{Local, conforms, knows_layers, pointer, publish, run};
use super::fixture::{folder, have, options, run as run_program};
use super::in_front;
use super::server::{Reply, Server};

fn repository(host: &str) -> RepositoryName {
    format!("{host}/team/ci").parse().unwrap()
}

fn store(host: &str) -> RegistryStore {
    let options = RegistryOptions {
        plain_http: [host.to_owned()].into(),
        ..options()
    };
    RegistryStore::new(repository(host), options).unwrap()
}

#[test]
fn conforms_as_a_store() {
    if !have(&["docker-registry"]) {
        return;
    }
    let registry = Debian::start();
    conforms(&store(&registry.host), ["100", "101"]);
}

#[test]
fn jobs_on_several_machines_hand_over_through_it() {
    if !have(&["docker-registry"]) {
        return;
    }
    let (registry, scratch) = (Debian::start(), folder());
    let store: Arc<dyn barge_store::Remote> = Arc::new(store(&registry.host));
    let lose = |digest: &Digest| {
        let blob = format!("http://{}/v2/team/ci/blobs/{digest}", registry.host);
        run_program("curl", &["-sSf", "-X", "DELETE", &blob]);
    };
    in_front::works(&store, &scratch.path, Some(&lose));
}

#[test]
fn layers_of_recent_artifacts_are_known() {
    if !have(&["docker-registry"]) {
        return;
    }
    let registry = Debian::start();
    // Each command opens the store anew.
    knows_layers(&store(&registry.host), ["1", "2"]);
    let local = Local::new(&[(23, 1_000)]);
    let diff_id = local.layers[0].diff_id;
    assert!(
        store(&registry.host)
            .layers(&[diff_id], None)
            .unwrap()
            .contains_key(&diff_id)
    );
}

#[test]
fn artifacts_are_images_and_records_refer_to_them() {
    if !have(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Debian::start();
    let local = Local::new(&[(1, 100_000), (2, 10)]);
    let one = pointer("image-pr-7", run("12345", 2), b"{\"a\":1}");
    publish(&store(&registry.host), &local, &one, b"{\"a\":1}").unwrap();

    let to = folder();
    let image = format!("docker://{}/team/ci:image-pr-7.12345-2", registry.host);
    let target = format!("oci:{}:x", to.path);
    run_program(
        "skopeo",
        &["copy", "--src-tls-verify=false", &image, &target],
    );
    let said = run_program(
        "skopeo",
        &["inspect", "--raw", "--tls-verify=false", &image],
    );
    assert_eq!(said, local.manifest().bytes);

    let client = Registry::new(options()).unwrap();
    let name = repository(&registry.host);
    let subject = local.manifest().descriptor().digest;
    let kind = Some("application/vnd.barge.record.v1+json");
    let referrers = client.referrers(&name, &subject, kind).unwrap();
    assert_eq!(referrers.len(), 1);
    let tags = client.tags(&name).unwrap();
    let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
    let list = format!("sha256-{}", subject.hex());
    assert_eq!(
        tags,
        ["image-pr-7.12345-2", "image-pr-7.12345-2.record", &list]
    );

    store(&registry.host).remove(&one).unwrap();
    assert_eq!(client.referrers(&name, &subject, kind).unwrap(), []);
}

#[test]
fn a_layer_that_vanished_stops_the_pointer() {
    if !have(&["docker-registry"]) {
        return;
    }
    let registry = Debian::start();
    let store = store(&registry.host);
    let local = Local::new(&[(5, 1000)]);
    let one = pointer("x", run("1", 1), b"r");
    let known = [(local.layers[0].diff_id, local.layers[0].clone())].into();
    let artifact = local.artifact(one, b"r".to_vec(), &known);
    let error = store.publish(&artifact, &|_| ()).unwrap_err();
    assert!(matches!(error, Error::Vanished { .. }), "{error:?}");
    assert_eq!(store.pointers(&Wanted::default()).unwrap().pointers, []);
}

#[test]
fn a_pointer_that_is_not_given_back_is_no_success() {
    let server = Server::start(|asked, host| match &*asked.method {
        "POST" => Reply::status(202).header("location", format!("http://{host}/v2/up")),
        "PUT" => Reply::status(201).header("docker-content-digest", Digest::of(&asked.body)),
        _ => Reply::status(404),
    });
    let local = Local::new(&[(5, 1000)]);
    let one = pointer("x", run("1", 1), b"r");
    let error = publish(&store(&server.host), &local, &one, b"r").unwrap_err();
    assert!(matches!(error, Error::Unconfirmed { .. }), "{error:?}");
}

#[test]
fn a_registry_that_fails_twice_is_endured() {
    let failures = Arc::new(AtomicU32::new(0));
    let server = Server::start(move |_, _| {
        if failures.fetch_add(1, Ordering::SeqCst) < 2 {
            Reply::status(503)
        } else {
            Reply::ok("{\"tags\":[]}")
        }
    });
    let found = store(&server.host)
        .pointers(&Wanted::default())
        .unwrap()
        .pointers;
    assert_eq!(found, []);
}

#[test]
fn a_registry_that_keeps_everything_says_so() {
    let record = r#"{"schemaVersion":2,"artifactType":"application/vnd.barge.record.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.barge.record.v1+json","digest":"RECORD","size":1}]}"#;
    let one = pointer("x", run("1", 1), b"r");
    let record = record.replace("RECORD", &one.record.to_string());
    let server = Server::start(move |asked, _| match &*asked.method {
        "DELETE" => Reply::status(405),
        _ => Reply::ok(record.clone()),
    });
    let error = store(&server.host).remove(&one).unwrap_err();
    assert!(error.hint().unwrap().contains("switched off"), "{error:?}");
}
