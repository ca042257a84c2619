//! Buckets: S3 by moto, Azure by azurite, Google's by moto with its own words translated.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use barge_image::Digest;
use barge_store::bucket::BucketStore;
use barge_store::remote::Wanted;
use barge_store::{Error, Provider, Remote};
use jiff::Timestamp;

use super::Case;
use super::conformance::{Local, conforms, fetch, knows_layers, pointer, publish, run};
use super::faults::patient;
use super::fixture::{folder, http_options};
use super::forward::google;
use super::server::Server;
use super::servers::{curl, front, modules, python, s3};

pub(crate) const CASES: &[Case] = &[
    s3_case("bucket::s3_conforms_as_a_store", || {
        conforms(&*s3_store("a"), ["1", "2"]);
    }),
    s3_case("bucket::s3_knows_layers", || {
        knows_layers(&*s3_store("b"), ["1", "2"]);
    }),
    s3_case("bucket::s3_long_blobs_go_in_parts", || {
        long_blobs(&*s3_store("c"));
    }),
    s3_case("bucket::s3_stands_behind_a_folder", || {
        stands_behind_a_folder(s3_store("e"));
    }),
    azure_case("bucket::azure_stands_behind_a_folder", || {
        stands_behind_a_folder(azure_store("e"));
    }),
    s3_case("bucket::google_conforms_as_a_store", || {
        conforms(&*google_store("a"), ["1", "2"]);
    }),
    s3_case("bucket::google_knows_layers", || {
        knows_layers(&*google_store("b"), ["1", "2"]);
    }),
    s3_case("bucket::google_long_blobs_go_in_parts", || {
        long_blobs(&*google_store("c"));
    }),
    s3_case("bucket::google_is_collected", || {
        is_collected(&*google_store("d"));
    }),
    s3_case("bucket::google_stands_behind_a_folder", || {
        stands_behind_a_folder(google_store("e"));
    }),
    s3_case("bucket::s3_is_collected", || is_collected(&*s3_store("d"))),
    s3_case("bucket::s3_makes_pointers_once", pointers_once),
    s3_case("bucket::s3_damage_is_found", damage),
    s3_case("bucket::s3_without_its_bucket", no_bucket),
    azure_case("bucket::azure_conforms_as_a_store", || {
        conforms(&*azure_store("a"), ["1", "2"]);
    }),
    azure_case("bucket::azure_knows_layers", || {
        knows_layers(&*azure_store("b"), ["1", "2"]);
    }),
    azure_case("bucket::azure_long_blobs_go_in_parts", || {
        long_blobs(&*azure_store("c"));
    }),
    azure_case("bucket::azure_is_collected", || {
        is_collected(&*azure_store("d"));
    }),
];

pub(crate) const fn s3_case(name: &'static str, run: fn()) -> Case {
    let needs = || python().is_some();
    Case { name, needs, run }
}

const fn azure_case(name: &'static str, run: fn()) -> Case {
    let needs = || modules().is_some();
    Case { name, needs, run }
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn s3_variables() -> BTreeMap<String, String> {
    variables(&[
        ("AWS_ENDPOINT_URL", s3()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
        ("HOME", "/"),
    ])
}

fn store(
    provider: Provider,
    bucket: &str,
    prefix: &str,
    variables: &BTreeMap<String, String>,
) -> Box<BucketStore> {
    Box::new(BucketStore::new(provider, bucket, prefix, http_options(), variables).unwrap())
}

/// A store below a prefix of its own.
pub(crate) fn s3_store(prefix: &str) -> Box<BucketStore> {
    store(Provider::S3, "barge", prefix, &s3_variables())
}

/// Google's words, to moto. Its objects are apart from those of the other tests by their prefix alone.
fn google_store(prefix: &str) -> Box<BucketStore> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let host = &SERVER.get_or_init(google).host;
    let account = folder();
    let path = account.path.join("account.json");
    let key = serde_json::json!({
        "gcs_base_url": format!("http://{host}"),
        "disable_oauth": true,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    });
    std::fs::write(&path, key.to_string()).unwrap();
    let variables = variables(&[("GOOGLE_SERVICE_ACCOUNT", path.as_str())]);
    let prefix = format!("google/{prefix}");
    let store = BucketStore::new(Provider::Gcs, "barge", &prefix, patient(), &variables);
    Box::new(store.unwrap())
}

fn azure_store(prefix: &str) -> Box<BucketStore> {
    let front = front();
    let variables = variables(&[
        ("AZURE_STORAGE_ACCOUNT_NAME", &front.account),
        ("AZURE_STORAGE_ACCOUNT_KEY", &front.key),
        ("AZURE_STORAGE_ENDPOINT", &front.blobs),
    ]);
    store(Provider::Azure, "barge", prefix, &variables)
}

fn stands_behind_a_folder(store: Box<BucketStore>) {
    let remote: Arc<dyn Remote> = Arc::from(store as Box<dyn Remote>);
    super::in_front::works(&remote, &folder().path, None);
}

fn long_blobs(store: &dyn Remote) {
    let local = Local::new(&[(1, 21_000_000), (2, 8 << 20)]);
    let one = pointer("long", run("1", 1), b"record");
    let told = std::sync::Mutex::new(0);
    let artifact = local.artifact(one.clone(), b"record".to_vec(), &BTreeMap::new());
    let count = |transfer| {
        if let barge_store::registry::Transfer::Reached { .. } = transfer {
            *told.lock().unwrap() += 1;
        }
    };
    store.publish(&artifact, &count).unwrap();
    fetch(store, &one, &local, b"record");
    assert!(*told.lock().unwrap() >= 3);
}

/// What no pointer leads to is found and goes; what was relied on since it was looked at stays.
fn is_collected(store: &dyn Remote) {
    let local = Local::new(&[(31, 1000), (32, 2000)]);
    let one = pointer("gone", run("1", 1), b"record");
    publish(store, &local, &one, b"record").unwrap();
    store.remove(&one).unwrap();
    let house = store.housekeeping().unwrap();
    let seen = house.blobs().unwrap();
    assert_eq!(seen.len(), 5, "{seen:?}");
    // Times of buckets are of whole seconds, of some at least.
    thread::sleep(Duration::from_millis(1100));
    let relied = local.layers[0].diff_id;
    assert_eq!(store.layers(&[relied], None).unwrap().len(), 1);
    let kept = local.layers[0].blob.digest;
    for held in &seen {
        assert_eq!(
            house.discard(held).unwrap(),
            held.digest != kept,
            "{held:?}"
        );
    }
    let left: Vec<Digest> = house
        .blobs()
        .unwrap()
        .iter()
        .map(|held| held.digest)
        .collect();
    assert_eq!(left, [kept]);
    let lost = local.layers[1].diff_id;
    assert!(store.layers(&[lost], None).unwrap().is_empty());
    house.tidy(Timestamp::MAX).unwrap();
    assert_eq!(store.layers(&[relied, lost], None).unwrap().len(), 1);
}

fn pointers_once() {
    let stores: Vec<_> = (0..4).map(|_| s3_store("race")).collect();
    let done: Vec<_> = thread::scope(|scope| {
        let threads = stores.iter().enumerate().map(|(number, store)| {
            scope.spawn(move || {
                let local = Local::new(&[(40 + number as u64, 500)]);
                let record = format!("record {number}").into_bytes();
                let one = pointer("raced", run("1", 1), &record);
                (publish(&**store, &local, &one, &record), one)
            })
        });
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let held = s3_store("race")
        .pointers(&Wanted::default())
        .unwrap()
        .pointers;
    let won = done.iter().filter(|(done, _)| done.is_ok());
    let won: Vec<_> = won.map(|(_, pointer)| pointer.clone()).collect();
    assert_eq!(won, held);
    for (done, _) in done.iter().filter(|(done, _)| done.is_err()) {
        assert!(matches!(done, Err(Error::Taken { .. })), "{done:?}");
    }
}

fn damage() {
    let store = s3_store("damage");
    let local = Local::new(&[(50, 3000)]);
    let one = pointer("x", run("1", 1), b"record");
    publish(&*store, &local, &one, b"record").unwrap();
    let blob = &local.layers[0].blob;
    let object = format!("{}/barge/damage/blobs/sha256/{}", s3(), blob.digest.hex());
    curl(&[
        "-H",
        "authorization: Bearer x",
        "-X",
        "PUT",
        "--data-binary",
        "short",
        &object,
    ]);
    let error = store.blob(&one.record, blob).err().unwrap();
    assert!(
        error.hint().unwrap().contains("changed the bytes"),
        "{error:?}"
    );
    curl(&["-H", "authorization: Bearer x", "-X", "DELETE", &object]);
    assert!(store.blob(&one.record, blob).unwrap().is_none());
    let held = format!("{}/barge/damage/artifacts/x/1-1", s3());
    curl(&[
        "-H",
        "authorization: Bearer x",
        "-X",
        "PUT",
        "--data-binary",
        "no pointer",
        &held,
    ]);
    let listed = store.pointers(&Wanted::default()).unwrap();
    let error = listed.whole().unwrap_err();
    let Error::Bucket { source, .. } = error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(*source, barge_store::bucket::Error::Pointer { .. }),
        "{source:?}"
    );
}

fn no_bucket() {
    let store = store(Provider::S3, "absent", "", &s3_variables());
    let local = Local::new(&[(60, 3000)]);
    let one = pointer("x", run("1", 1), b"record");
    let error = publish(&*store, &local, &one, b"record").unwrap_err();
    assert!(error.hint().unwrap().contains("bucket"), "{error:?}");
}
