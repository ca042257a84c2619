//! Registries that misbehave: what is endured, what is refused, and that nothing hangs.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use barge_image::{Descriptor, Digest, Layout, MediaType, Reference, RepositoryName};
use barge_store::http::{Error as HttpError, HttpOptions, Proxies};
use barge_store::registry::{Error, Registry, RegistryOptions, Resolved};

use super::fixture::{folder, http_options, image, manifest_digest, noise, options, plain};
use super::proxy::Tunnel;
use super::server::{Asked, Reply, Server};

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;

fn name(server: &Server) -> RepositoryName {
    format!("{}/app", server.host).parse().unwrap()
}

fn reference(server: &Server) -> Reference {
    format!("{}/app:one", server.host).parse().unwrap()
}

/// An error is of a kind.
macro_rules! is {
    ($error:expr, $kind:pat) => {
        assert!(matches!($error, $kind), "{:?}", $error)
    };
}

/// Asks for the image.
fn resolve(server: &Server) -> Result<Resolved, Error> {
    plain(&server.host).resolve(&reference(server), None)
}

/// Answers the first questions one way and the others another.
fn first(count: u32, odd: Reply, then: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    let asked = Arc::new(AtomicU32::new(0));
    Server::start(move |question, _| {
        if asked.fetch_add(1, Ordering::SeqCst) < count {
            odd.clone()
        } else {
            then(question)
        }
    })
}

fn read(server: &Server, blob: &Descriptor) -> Result<Vec<u8>, Error> {
    let client = plain(&server.host);
    let mut bytes = Vec::new();
    let mut stream = client.blob(&name(server), blob)?;
    match stream.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.downcast().unwrap()),
    }
}

#[test]
fn a_moment_of_failure_is_endured() {
    let good = |_: &Asked| Reply::ok(MANIFEST);
    let server = first(2, Reply::status(500), good);
    resolve(&server).unwrap();
    assert_eq!(server.asked().len(), 3);
    let busy = Reply::status(429).header("retry-after", 1);
    let server = first(1, busy, good);
    let started = Instant::now();
    resolve(&server).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    for broken in [Reply::ok("").cut(b"{", 100), Reply::hung_up()] {
        resolve(&first(2, broken, good)).unwrap();
    }
}

#[test]
fn a_lasting_failure_is_told() {
    let server = Server::start(|_, _| Reply::status(503).whole("down for work"));
    let error = resolve(&server).unwrap_err();
    assert!(matches!(
        error,
        Error::Http(HttpError::Status { status: 503, .. })
    ));
    assert!(error.to_string().ends_with("down for work"), "{error}");
    assert_eq!(server.asked().len(), 4);
    let server = Server::start(|_, _| {
        Reply::status(429)
            .header("retry-after", 3600)
            .whole(r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}"#)
    });
    let error = resolve(&server).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("docker login") && hint.contains("3600 s"),
        "{hint}"
    );
    // It would have to wait too long: it is not asked again.
    assert_eq!(server.asked().len(), 1);
    let server =
        Server::start(|_, _| Reply::status(403).whole(r#"{"errors":[{"code":"DENIED"}]}"#));
    let error = resolve(&server).unwrap_err();
    is!(error, Error::Denied { .. });
}

#[test]
fn a_host_that_is_not_there_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = free.local_addr().unwrap().to_string();
    drop(free);
    let error = plain(&host).ping(&host).unwrap_err();
    is!(error, Error::Http(HttpError::Unreachable { .. }));
}

#[test]
fn redirects_without_end_end() {
    let server =
        Server::start(|asked, _| Reply::status(307).header("location", format!("{}x", asked.path)));
    let error = resolve(&server).unwrap_err();
    is!(error, Error::Http(HttpError::Redirects { .. }));
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_body_that_stalls_or_trickles_is_given_up() {
    let bytes = noise(1, 100_000);
    let blob = Descriptor::of(MediaType::LAYER, &bytes);
    let half = bytes[..50_000].to_vec();
    let length = bytes.len();
    let server = Server::start(move |_, _| Reply::status(200).stalled(&half, length));
    let started = Instant::now();
    let error = read(&server, &blob).unwrap_err();
    is!(error, Error::Http(HttpError::Timeout { .. }));
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    let slow = bytes.clone();
    let server = Server::start(move |_, _| Reply::status(200).trickling(&slow));
    let started = Instant::now();
    let error = read(&server, &blob).unwrap_err();
    is!(error, Error::Http(HttpError::Timeout { .. }));
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

/// Ranges are optional: a server that starts anew is read over.
#[test]
fn a_server_without_ranges_is_endured() {
    let bytes = noise(2, 100_000);
    let blob = Descriptor::of(MediaType::LAYER, &bytes);
    let (half, length, all) = (bytes[..50_000].to_vec(), bytes.len(), bytes.clone());
    let server = first(1, Reply::status(200).cut(&half, length), move |_| {
        Reply::ok(all.clone())
    });
    assert_eq!(read(&server, &blob).unwrap(), bytes);
    assert_eq!(server.asked()[1].header("range"), Some("bytes=50000-"));
    let (half, all) = (bytes[..50_000].to_vec(), bytes.clone());
    let server = first(1, Reply::status(200).cut(&half, length), move |_| {
        Reply::status(206)
            .whole(&all[60_000..])
            .header("content-range", "bytes 60000-99999/100000")
    });
    let error = read(&server, &blob).unwrap_err();
    is!(error, Error::Http(HttpError::Protocol { .. }));
}

#[test]
fn wrong_bytes_are_refused_and_not_kept() {
    let bytes = noise(3, 1000);
    let blob = Descriptor::of(MediaType::LAYER, &bytes);
    let mut wrong = bytes.clone();
    wrong[500] ^= 1;
    let server = Server::start(move |_, _| Reply::ok(wrong.clone()));
    let error = read(&server, &blob).unwrap_err();
    assert!(
        matches!(&error, Error::Http(HttpError::Digest { expected, .. }) if *expected == blob.digest),
        "{error:?}"
    );
    for length in [999, 1001] {
        let server = Server::start(move |_, _| Reply::ok(noise(3, length)));
        let error = read(&server, &blob).unwrap_err();
        is!(error, Error::Http(HttpError::Size { .. }));
    }
    let server = Server::start(|_, _| Reply::status(200).endless());
    let error = read(&server, &blob).unwrap_err();
    is!(error, Error::Http(HttpError::Size { .. }));
}

#[test]
fn a_pull_of_changed_layers_leaves_no_layer() {
    let home = folder();
    let layout = Layout::create(&home.path.join("a")).unwrap();
    let made = image(&layout, 61, &[1000, 2000]);
    let server = Server::start(move |asked, _| {
        let last = asked.path.rsplit('/').next().unwrap();
        let digest = last.parse().unwrap_or_else(|_| manifest_digest(&made));
        let mut bytes = layout
            .blobs()
            .open(&digest)
            .unwrap()
            .unwrap()
            .read_all(1 << 20)
            .unwrap();
        if made.layers[1].blob.as_ref().unwrap().digest == digest {
            bytes[7] ^= 1;
        }
        Reply::ok(bytes)
    });
    let back = Layout::create(&home.path.join("back")).unwrap();
    let error = plain(&server.host)
        .pull(&reference(&server), None, &back, &|_| ())
        .unwrap_err();
    let Error::Http(HttpError::Digest {
        expected, found, ..
    }) = error
    else {
        panic!("{error:?}");
    };
    assert!(back.blobs().size(&expected).is_none() && back.blobs().size(&found).is_none());
}

#[test]
fn manifests_are_what_their_names_and_headers_say() {
    let other = Digest::of(b"other");
    let server =
        Server::start(move |_, _| Reply::ok(MANIFEST).header("docker-content-digest", other));
    let error = resolve(&server).unwrap_err();
    is!(error, Error::Http(HttpError::Digest { .. }));
    let server = Server::start(|_, _| Reply::ok(MANIFEST));
    let pinned: Reference = format!("{}@{other}", name(&server)).parse().unwrap();
    let error = plain(&server.host).resolve(&pinned, None).unwrap_err();
    is!(error, Error::Http(HttpError::Digest { .. }));
    for reply in [Reply::status(200).endless(), Reply::ok(vec![b' '; 9 << 20])] {
        let server = Server::start(move |_, _| reply.clone());
        let error = resolve(&server).unwrap_err();
        is!(error, Error::Http(HttpError::TooLarge { .. }));
    }
    let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    for (kind, text) in [
        (old, MANIFEST),
        ("application/json", "[]"),
        ("text/html", "<html>"),
    ] {
        let server = Server::start(move |_, _| Reply::ok(text).header("content-type", kind));
        let error = resolve(&server).unwrap_err();
        is!(error, Error::Unsupported { .. });
    }
    // An index that holds itself cannot be made; one that is called by a tag within itself neither: depth is bounded.
    let server = Server::start(|asked, _| {
        let number = asked.path.len();
        Reply::ok(format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{}","size":{number}}}]}}"#,
            MediaType::INDEX,
            Digest::of(b"x")
        ))
    });
    resolve(&server).unwrap_err();
    assert!(server.asked().len() <= 5);
}

#[test]
fn mirrors_come_first_and_are_given_up() {
    let good = Server::start(|_, _| Reply::ok(MANIFEST));
    let dead = Server::start(|_, _| Reply::status(500));
    let empty = Server::start(|_, _| Reply::status(404));
    let full = Server::start(|_, _| Reply::ok(MANIFEST));
    let client = |mirrors: &[&Server]| {
        let mirrors = mirrors
            .iter()
            .map(|mirror| format!("http://{}/m", mirror.host).parse().unwrap());
        Registry::new(RegistryOptions {
            plain_http: [good.host.clone()].into(),
            mirrors: [(good.host.clone(), mirrors.collect())].into(),
            ..options()
        })
        .unwrap()
    };
    let falls = client(&[&dead, &empty]);
    falls.resolve(&reference(&good), None).unwrap();
    falls.resolve(&reference(&good), None).unwrap();
    // A dead one is asked once, one that only lacks an image each time.
    assert_eq!(
        (dead.asked().len(), empty.asked().len(), good.asked().len()),
        (1, 2, 2)
    );
    assert!(empty.asked()[0].path.starts_with("/m/v2/app/manifests/"));
    client(&[&full]).resolve(&reference(&good), None).unwrap();
    assert_eq!((full.asked().len(), good.asked().len()), (1, 2));
}

#[test]
fn lists_are_read_page_by_page_and_end() {
    let server = Server::start(|asked, _| {
        let page = |tags: &str| Reply::ok(format!(r#"{{"name":"app","tags":[{tags}]}}"#));
        if asked.path.contains("last=b") {
            return page("\"c\",\"-bad\"");
        }
        page("\"b\",\"a\"").header("link", "</v2/app/tags/list?last=b&n=1000>; rel=\"next\"")
    });
    let tags = plain(&server.host).tags(&name(&server)).unwrap();
    assert_eq!(
        tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    let circle = Server::start(|asked, _| {
        Reply::ok(r#"{"tags":["a"]}"#).header("link", format!("<{}>; rel=\"next\"", asked.path))
    });
    let error = plain(&circle.host).tags(&name(&circle)).unwrap_err();
    assert_eq!(circle.asked().len(), 1);
    is!(error, Error::Http(HttpError::Protocol { .. }));
}

#[test]
fn the_proxy_is_the_way_out() {
    let server = Server::start(|_, _| Reply::ok("{\"tags\":[]}"));
    let tunnel = Tunnel::start(&server.host);
    let client = Registry::new(RegistryOptions {
        plain_http: ["registry.example:5000".to_owned()].into(),
        http: HttpOptions {
            proxies: Proxies {
                http: Some(format!("http://{}", tunnel.host)),
                ..Proxies::default()
            },
            ..http_options()
        },
        ..options()
    })
    .unwrap();
    client
        .tags(&"registry.example:5000/app".parse().unwrap())
        .unwrap();
    let named = tunnel.named.lock().unwrap().clone();
    assert_eq!(named, ["CONNECT registry.example:5000 HTTP/1.1"]);
    // This machine is reached without.
    let client = plain(&server.host);
    client.tags(&name(&server)).unwrap();
    assert_eq!(tunnel.named.lock().unwrap().len(), 1);
}
