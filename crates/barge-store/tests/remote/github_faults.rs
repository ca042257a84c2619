//! The artifact service and its storage when they misbehave: what is endured, what is refused, and that nothing hangs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use barge_image::Digest;
use barge_store::github::{
    Error as GitHubError, GitHubOptions, GitHubStore, RunAccess, ServiceRetry, Upload,
};
use barge_store::http::Error as HttpError;
use barge_store::remote::Wanted;
use barge_store::{Error, Remote as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::conformance::{Local, conforms, fetch, pointer, publish, run};
use super::fixture::http_options;
use super::server::{Asked, Reply, Server};

/// What the service holds.
#[derive(Default)]
struct Held {
    names: Vec<String>,
    finished: BTreeMap<String, (String, String)>,
    blocks: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// How many bytes of each blob go missing.
    lost: usize,
}

/// The service and the storage in one, as small as the protocol lets them be. A fault is an answer instead of theirs.
fn server(fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    with(Held::default(), fault)
}

/// Storage that drops this many bytes of each blob.
fn losing(lost: usize) -> Server {
    let held = Held {
        lost,
        ..Held::default()
    };
    with(held, |_| None)
}

fn with(held: Held, fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let held = Mutex::new(held);
    Server::start(move |asked, host| {
        if let Some(reply) = fault(asked) {
            return reply;
        }
        let mut held = held.lock().unwrap();
        match asked.path.strip_prefix("/blobs/") {
            Some(path) => storage(&mut held, asked, path),
            None => service(&mut held, asked, host),
        }
    })
}

fn service(held: &mut Held, asked: &Asked, host: &str) -> Reply {
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let url = format!("http://{host}/blobs/{name}?sig=s");
    let method = asked.path.rsplit('/').next().unwrap();
    let reply = match method {
        "CreateArtifact" if held.names.contains(&name) => return Reply::status(409),
        "CreateArtifact" => {
            held.names.push(name);
            // Other servers of the protocol answer in this spelling.
            json!({"ok": true, "signedUploadUrl": url})
        }
        "FinalizeArtifact" => {
            let text = |key: &str| body[key].as_str().unwrap().to_owned();
            held.finished.insert(name, (text("size"), text("hash")));
            json!({"ok": true, "artifactId": "1"})
        }
        "ListArtifacts" => {
            let wanted = body["name_filter"].as_str();
            let listed = held.finished.iter();
            let listed = listed.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
            let listed = listed.map(|(name, (size, hash))| {
                let id = held.names.iter().position(|known| known == name).unwrap();
                json!({
                    "workflowRunBackendId": "r", "workflowJobRunBackendId": "j",
                    "databaseId": id.to_string(), "name": name, "size": size, "digest": {"value": hash},
                })
            });
            json!({"artifacts": listed.collect::<Vec<_>>()})
        }
        "GetSignedArtifactURL" => json!({"signedUrl": url}),
        _ => {
            held.finished.remove(&name);
            json!({"ok": true})
        }
    };
    Reply::ok(reply.to_string())
}

fn storage(held: &mut Held, asked: &Asked, path: &str) -> Reply {
    let (name, query) = path.split_once('?').unwrap();
    if asked.method == "GET" {
        let bytes = &held.blobs[name];
        let range = asked.header("range").unwrap().strip_prefix("bytes=");
        let (first, last) = range.unwrap().split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let Some(part) = bytes.get(first..=last) else {
            return Reply::status(416);
        };
        let range = format!("bytes {first}-{last}/{}", bytes.len());
        return Reply::status(206)
            .header("content-range", range)
            .whole(part);
    }
    if query.contains("comp=blocklist") {
        let list = String::from_utf8(asked.body.clone()).unwrap();
        let ids = list.split("<Latest>").skip(1);
        let ids = ids.map(|id| id.split('<').next().unwrap());
        let whole = ids.flat_map(|id| held.blocks[&format!("{name} {id}")].clone());
        let whole = whole.skip(held.lost).collect();
        held.blobs.insert(name.to_owned(), whole);
    } else {
        let id = query.rsplit("blockid=").next().unwrap();
        let id = id.replace("%3D", "=").replace("%2B", "+");
        held.blocks
            .insert(format!("{name} {id}"), asked.body.clone());
    }
    Reply::status(201)
}

fn store(server: &Server) -> GitHubStore {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"scp":"Actions.Results:r:j"}"#);
    let address = format!("http://{}/", server.host);
    let http = http_options();
    let options = GitHubOptions {
        retry: ServiceRetry(http.retry),
        http,
        run: Some(RunAccess::new(&format!("x.{claims}.x"), &address).unwrap()),
        upload: Upload {
            block: 60_000,
            stall: Duration::from_millis(400),
            ..Upload::default()
        },
        ..GitHubOptions::default()
    };
    GitHubStore::new(None, Ok(options)).unwrap()
}

/// Stores one artifact.
fn put(server: &Server) -> Result<Local, GitHubError> {
    let local = Local::new(&[(1, 200_000), (2, 10)]);
    let one = pointer("image", run("1", 1), b"record");
    match publish(&store(server), &local, &one, b"record") {
        Ok(()) => Ok(local),
        Err(Error::GitHub { source, .. }) => Err(*source),
        Err(error) => panic!("{error:?}"),
    }
}

/// Answers the first requests for a part of the path otherwise.
fn first(count: u32, part: &'static str, reply: Reply) -> impl Fn(&Asked) -> Option<Reply> {
    let left = Mutex::new(count);
    move |asked| {
        let mut left = left.lock().unwrap();
        let is_odd = *left > 0 && asked.path.contains(part);
        *left -= u32::from(is_odd);
        is_odd.then(|| reply.clone())
    }
}

#[test]
fn other_spellings_and_wrappings_are_understood() {
    conforms(&store(&server(|_| None)), ["1", "2"]);
}

#[test]
fn what_fails_for_a_moment_is_asked_again() {
    for (part, reply) in [
        ("CreateArtifact", Reply::status(503)),
        ("FinalizeArtifact", Reply::status(500)),
        ("ListArtifacts", Reply::ok("<html>a proxy's page</html>")),
        ("comp=block&", Reply::status(500)),
        ("comp=blocklist", Reply::status(503)),
    ] {
        let server = server(first(2, part, reply));
        let local = put(&server).unwrap_or_else(|error| panic!("{part}: {error:?}"));
        let one = pointer("image", run("1", 1), b"record");
        fetch(&store(&server), &one, &local, b"record");
    }
}

#[test]
fn a_used_up_quota_is_final() {
    let said = r#"{"code":"resource_exhausted","msg":"insufficient usage to create artifact"}"#;
    let server = server(first(9, "CreateArtifact", Reply::status(429).whole(said)));
    let error = put(&server).err().unwrap();
    assert!(matches!(error, GitHubError::Quota { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn every_block_says_what_it_is() {
    let server = server(|_| None);
    put(&server).unwrap();
    let blocks = server.asked_for("comp=block&");
    assert!(blocks.len() > 2);
    for block in blocks {
        let sum = block.header("content-md5").unwrap();
        assert_eq!(STANDARD.decode(sum).unwrap().len(), 16);
        assert!(
            block.header("authorization").is_none(),
            "the token went to the storage"
        );
    }
}

#[test]
fn storage_that_loses_bytes_makes_no_artifact() {
    // A block is taken, and lies there one byte short.
    let server = losing(1);
    let error = put(&server).err().unwrap();
    assert!(matches!(error, GitHubError::Changed { .. }), "{error:?}");
    assert_eq!(
        store(&server)
            .pointers(&Wanted::default())
            .unwrap()
            .pointers,
        []
    );
}

#[test]
fn a_changed_end_is_found_before_anybody_relies_on_it() {
    let server = server(move |asked| {
        // What is read back is not what was sent.
        let is_read = asked.method == "GET" && asked.path.starts_with("/blobs/");
        let range = asked
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let (start, end): (usize, usize) = (range.0.parse().ok()?, range.1.parse().ok()?);
        let bytes = vec![7; end + 1 - start];
        let range = format!("bytes {start}-{end}/*");
        is_read.then(|| {
            Reply::status(206)
                .header("content-range", range)
                .whole(bytes)
        })
    });
    let error = put(&server).err().unwrap();
    assert!(matches!(error, GitHubError::Changed { .. }), "{error:?}");
    assert!(!server.asked_for("DeleteArtifact").is_empty());
    assert_eq!(
        store(&server)
            .pointers(&Wanted::default())
            .unwrap()
            .pointers,
        []
    );
}

#[test]
fn storage_that_says_nothing_is_given_up() {
    for part in ["comp=block&", "comp=blocklist"] {
        let server = server(move |asked| {
            if asked.path.contains(part) {
                std::thread::sleep(Duration::from_secs(3));
            }
            None
        });
        let started = Instant::now();
        let error = put(&server).err().unwrap();
        assert!(
            matches!(error, GitHubError::Http(HttpError::Timeout { .. })),
            "{error:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    let server = server(|asked| {
        let is_read = asked.method == "GET" && asked.path.starts_with("/blobs/");
        is_read.then(|| {
            Reply::status(206)
                .header("content-range", "bytes 0-99/100")
                .stalled(b"x", 100)
        })
    });
    let started = Instant::now();
    put(&server).err().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_flipped_byte_of_a_layer_is_for_the_reader_to_find() {
    let flipped = Arc::new(Mutex::new(false));
    let flips = Arc::clone(&flipped);
    let server = server(move |asked| {
        let is_flipped = *flips.lock().unwrap() && asked.path.starts_with("/blobs/");
        let range = asked
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let (start, end): (usize, usize) = (range.0.parse().ok()?, range.1.parse().ok()?);
        // Only layers begin so early.
        let is_flipped = is_flipped && start == 8;
        let range = format!("bytes {start}-{end}/*");
        is_flipped.then(|| {
            Reply::status(206)
                .header("content-range", range)
                .whole(vec![0; end + 1 - start])
        })
    });
    let local = put(&server).unwrap();
    *flipped.lock().unwrap() = true;
    let store = store(&server);
    let blob = &local.layers[0].blob;
    let mut bytes = Vec::new();
    let mut reader = store.blob(&Digest::of(b"record"), blob).unwrap().unwrap();
    std::io::Read::read_to_end(&mut reader, &mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, blob.size);
    assert_ne!(Digest::of(&bytes), blob.digest);
}

#[test]
fn without_the_runners_variables_it_says_where_they_come_from() {
    let options = GitHubOptions::from_variables(|_| None, None);
    let error = GitHubStore::new(None, options).unwrap_err();
    assert!(
        error.hint().unwrap().contains("let an action export"),
        "{error:?}"
    );
}

#[test]
fn what_is_not_asked_for_is_neither_opened_nor_in_the_way() {
    // The oldest of four goes after it was listed.
    let all_are_put = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&all_are_put);
    let gone = move |asked: &Asked| {
        let is_url = asked.path.contains("GetSignedArtifactURL");
        let body = String::from_utf8_lossy(&asked.body);
        let is_gone = is_over.load(Ordering::Relaxed) && is_url && body.contains("other-0.1-1");
        is_gone.then(|| Reply::status(404))
    };
    let server = server(gone);
    let local = Local::new(&[(1, 1000)]);
    let names = ["other-0", "other-1", "other-2", "image"];
    for name in names {
        let one = pointer(name, run("1", 1), name.as_bytes());
        publish(&store(&server), &local, &one, name.as_bytes()).unwrap();
    }
    all_are_put.store(true, Ordering::Relaxed);
    let listed = store(&server).pointers(&Wanted::default()).unwrap();
    assert_eq!(listed.pointers.len(), 3);
    let opened = || server.asked_for("GetSignedArtifactURL").len();
    let before = opened();
    let found = store(&server).pointers(&super::conformance::wanted("image"));
    assert_eq!(found.unwrap().pointers.len(), 1);
    assert_eq!(opened() - before, 1, "only what may be it by its name");
    let before = opened();
    assert_eq!(store(&server).names().unwrap().len(), 4);
    assert_eq!(opened(), before, "names cost nothing");
}

#[test]
fn a_storage_that_refuses_says_why() {
    let said = "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Signature did not match</Message></Error>";
    let server = server(first(99, "comp=block&", Reply::status(403).whole(said)));
    let error = put(&server).err().unwrap();
    assert!(
        matches!(&error, GitHubError::Http(HttpError::Status { status: 403, said, .. }) if said.contains("Signature")),
        "{error:?}"
    );
}
