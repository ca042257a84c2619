//! Buckets that stall, break off, refuse or lie: each ends soon and in words, and what was there stays.

use std::io::Read as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use barge_image::Digest;
use barge_store::bucket::BucketStore;
use barge_store::http::HttpOptions;
use barge_store::remote::Wanted;
use barge_store::{Error, Provider, Remote, Store};

use super::Case;
use super::bucket::{s3_case, s3_store, s3_variables};
use super::conformance::{Local, fetch, pointer, publish, run};
use super::fixture::{folder, http_options, noise};
use super::forward::faulty;
use super::in_front::image;
use super::server::{Asked, Reply};

pub(crate) const CASES: &[Case] = &[
    s3_case("faults::what_passes_is_endured", passing),
    s3_case("faults::what_lasts_is_told_soon_and_loses_nothing", lasting),
    s3_case("faults::a_body_that_breaks_off_is_continued", broken_off),
    s3_case("faults::wrong_bytes_are_found_and_not_kept", wrong_bytes),
    s3_case(
        "faults::four_runs_of_one_pull_request_save_at_once",
        four_at_once,
    ),
];

/// A store below a prefix, reached by way of a fault.
fn store(
    prefix: &str,
    fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> BucketStore {
    let server = faulty(fault);
    let mut variables = s3_variables();
    variables.insert("AWS_ENDPOINT_URL".into(), format!("http://{}", server.host));
    BucketStore::new(Provider::S3, "barge", prefix, patient(), &variables).unwrap()
}

/// Two servers take turns, on a machine that may be busy.
pub(crate) fn patient() -> HttpOptions {
    let mut http = http_options();
    http.timeouts.stall = Duration::from_secs(2);
    http.timeouts.digest = http.timeouts.stall;
    http
}

fn is_layer(asked: &Asked, method: &str) -> bool {
    asked.method == method && asked.path.contains("/blobs/")
}

/// Answers the first of some requests otherwise.
fn first(count: u32, method: &'static str, reply: Reply) -> impl Fn(&Asked) -> Option<Reply> {
    let seen = AtomicU32::new(0);
    move |asked| {
        let is_odd = is_layer(asked, method) && seen.fetch_add(1, Ordering::SeqCst) < count;
        is_odd.then(|| reply.clone())
    }
}

fn passing() {
    let local = Local::new(&[(71, 40_000), (72, 10)]);
    for (number, method, reply, seconds) in [
        (1, "PUT", Reply::status(500), 0),
        (2, "PUT", Reply::status(503).header("retry-after", 1), 1),
        (3, "PUT", Reply::status(429), 0),
        (4, "PUT", Reply::hung_up(), 0),
        (5, "GET", Reply::status(503), 0),
        (6, "HEAD", Reply::status(500), 0),
    ] {
        let one = pointer("passing", run(&number.to_string(), 1), b"record");
        // Each has a folder of its own: what lies there is not put again.
        let store = store(&format!("passing-{number}"), first(2, method, reply));
        let started = Instant::now();
        publish(&store, &local, &one, b"record")
            .unwrap_or_else(|error| panic!("{number}: {error:?}"));
        // A wait that is asked for is granted; both layers wait at the same time.
        let took = started.elapsed();
        assert!(took >= Duration::from_secs(seconds), "{number}: {took:?}");
        fetch(&store, &one, &local, b"record");
    }
}

fn lasting() {
    let before = Local::new(&[(73, 5_000)]);
    let kept = pointer("lasting", run("1", 1), b"before");
    publish(&*s3_store("lasting"), &before, &kept, b"before").unwrap();
    let local = Local::new(&[(74, 40_000)]);
    let one = pointer("lasting", run("2", 1), b"record");
    type Fault = fn(&Asked) -> Option<Reply>;
    let faults: [(&str, Fault); 4] = [
        ("503", |asked| {
            is_layer(asked, "PUT")
                .then(|| Reply::status(503).whole("<Error><Code>SlowDown</Code></Error>"))
        }),
        ("429", |asked| {
            is_layer(asked, "PUT").then(|| Reply::status(429).header("retry-after", 3600))
        }),
        ("timeout", |asked| {
            if is_layer(asked, "PUT") {
                // Not a byte of an answer.
                thread::sleep(Duration::from_secs(5));
            }
            None
        }),
        ("timeout", |asked| {
            is_layer(asked, "HEAD").then(|| {
                thread::sleep(Duration::from_secs(5));
                Reply::status(200)
            })
        }),
    ];
    for (words, fault) in faults {
        let started = Instant::now();
        let error = publish(&store("lasting", fault), &local, &one, b"record").unwrap_err();
        let took = started.elapsed();
        assert!(took < Duration::from_secs(30), "{words}: {took:?}");
        assert!(matches!(error, Error::Bucket { .. }), "{error:?}");
        let said = chain(&error);
        assert!(said.contains(words), "{words}: {said}");
        let held = s3_store("lasting")
            .pointers(&Wanted::default())
            .unwrap()
            .pointers;
        assert_eq!(held, std::slice::from_ref(&kept), "{words}");
    }
    fetch(&*s3_store("lasting"), &kept, &before, b"before");
    publish(&*s3_store("lasting"), &local, &one, b"record").unwrap();
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn broken_off() {
    let local = Local::new(&[(75, 300_000)]);
    let one = pointer("broken", run("1", 1), b"record");
    publish(&*s3_store("broken"), &local, &one, b"record").unwrap();
    let blob = &local.layers[0].blob;
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let mut reader = local.image.layers[0].content.reader();
    reader.read_to_end(&mut bytes.lock().unwrap()).unwrap();
    for is_stalled in [false, true] {
        let (bytes, seen) = (Arc::clone(&bytes), AtomicU32::new(0));
        let store = store("broken", move |asked| {
            let is_odd = is_layer(asked, "GET") && seen.fetch_add(1, Ordering::SeqCst) == 0;
            let bytes = bytes.lock().unwrap();
            let reply = Reply::status(200)
                .header("etag", "\"x\"")
                .header("last-modified", "Wed, 25 Nov 2026 12:00:00 GMT");
            let half = &bytes[..bytes.len() / 2];
            is_odd.then(|| match is_stalled {
                true => reply.stalled(half, bytes.len()),
                false => reply.cut(half, bytes.len()),
            })
        });
        let started = Instant::now();
        let mut found = Vec::new();
        let mut reader = store.blob(&one.record, blob).unwrap().unwrap();
        // Continued where the object is the same, else told: never a part for the whole.
        match reader.read_to_end(&mut found) {
            Ok(_) => assert_eq!(Digest::of(&found), blob.digest),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}

fn wrong_bytes() {
    let remote: Arc<dyn Remote> = Arc::from(s3_store("wrong") as Box<dyn Remote>);
    let scratch = folder();
    let here = Store::in_front_of(Arc::clone(&remote), &scratch.path.join("here"));
    let record = image(&here, "app", "1", &[&noise(76, 50_000)]);
    let kept = here.put_record(&record, &|_| ()).unwrap();
    let layer = here.image(&kept.digest, &record).unwrap().layers[0].clone();
    let blob = layer.blob.unwrap();
    let hex = blob.digest.hex().to_string();
    let size = usize::try_from(blob.size).unwrap();
    let lying: Arc<dyn Remote> = Arc::new(store("wrong", move |asked| {
        (is_layer(asked, "GET") && asked.path.contains(&hex)).then(|| {
            Reply::ok(noise(77, size))
                .header("etag", "\"x\"")
                .header("last-modified", "Wed, 25 Nov 2026 12:00:00 GMT")
        })
    }));
    let cache = scratch.path.join("there");
    let there = Store::in_front_of(Arc::clone(&lying), &cache);
    let found = there.image(&kept.digest, &record).unwrap();
    let error = chain(&found.verify().unwrap_err());
    assert!(error.contains("sha256:"), "{error}");
    assert_eq!(there.layout().blobs().size(&blob.digest), None);
    // The same machine, when the bucket is well again.
    let again = Store::in_front_of(remote, &cache);
    again
        .image(&kept.digest, &record)
        .unwrap()
        .verify()
        .unwrap();
}

/// As jobs of four pushes to one pull request do: one base, a top of each, one bucket.
fn four_at_once() {
    let remote: Arc<dyn Remote> = Arc::from(s3_store("four") as Box<dyn Remote>);
    let scratch = folder();
    let base = noise(78, 200_000);
    let saved: Vec<_> = thread::scope(|scope| {
        let jobs = (0..4).map(|number: u32| {
            let (remote, base) = (Arc::clone(&remote), &base);
            let cache = scratch.path.join(number.to_string());
            scope.spawn(move || {
                let here = Store::in_front_of(remote, &cache);
                let top = format!("commit {number}");
                let run = format!("50{number}");
                let record = image(&here, "app-pr-7", &run, &[base, top.as_bytes()]);
                here.put_record(&record, &|_| ()).unwrap()
            })
        });
        let jobs: Vec<_> = jobs.collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    let there = Store::in_front_of(Arc::clone(&remote), &scratch.path.join("verify"));
    assert_eq!(there.list(&Wanted::default()).unwrap().pointers.len(), 4);
    for kept in &saved {
        let image = there.image(&kept.digest, &kept.record).unwrap();
        image.verify().unwrap();
        assert_eq!(image.config.digest(), kept.record.image.config);
    }
    let blobs = remote.housekeeping().unwrap().blobs().unwrap();
    let long = blobs.iter().filter(|blob| blob.size > 100_000).count();
    assert_eq!(long, 1, "the base lies there once");
}
