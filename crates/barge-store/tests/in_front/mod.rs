//! A folder in front of a store elsewhere: what jobs on several machines see of it, whatever backend is behind.

use std::io::Read as _;
use std::sync::Arc;

use barge_image::archive::Received;
use barge_image::record::{BuildFacts, Record, RecordedImage, Run, SCHEMA, Source};
use barge_image::{Digest, Layout, RawConfig};
use barge_store::remote::Wanted;
use barge_store::{Error, Kept, Remote, Store, fetch_ahead};
pub(crate) use barge_testing::noise;
use camino::Utf8Path;
use jiff::Timestamp;

/// Puts and takes through an empty store as jobs do. `scratch` is an empty folder.
pub(crate) fn hands_over(remote: &Arc<dyn Remote>, scratch: &Utf8Path) -> Kept {
    holds_nothing_at_first(&**remote);
    let first = publishes_and_gives_back(remote, scratch);
    pointers_are_made_once(remote, scratch, &first);
    known_layers_are_not_sent_again(remote, scratch, &first);
    finds_what_is_wanted(remote, scratch, &first);
    first
}

/// The same, and what goes wrong. `lose` makes the store lose a blob; by itself, this is done as it would be collected.
pub(crate) fn works(remote: &Arc<dyn Remote>, scratch: &Utf8Path, lose: Option<&dyn Fn(&Digest)>) {
    let first = hands_over(remote, scratch);
    what_was_lost_is_put_again(remote, scratch, &first, lose);
    removes_one_artifact_only(remote, scratch, &first);
}

/// A machine's folder in front of the store, to hold images that are wanted for a while.
fn front(remote: &Arc<dyn Remote>, cache: &Utf8Path) -> Store {
    Store::in_front_of(Arc::clone(remote), cache).until(Some(Timestamp::UNIX_EPOCH))
}

fn holds_nothing_at_first(remote: &dyn Remote) {
    assert_eq!(remote.pointers(&Wanted::default()).unwrap().pointers, []);
    let nothing = Digest::of(b"nothing");
    assert!(remote.layers(&[nothing], None).unwrap().is_empty());
    assert!(remote.record(&nothing).unwrap().is_none());
}

fn publishes_and_gives_back(remote: &Arc<dyn Remote>, scratch: &Utf8Path) -> Kept {
    let here = front(remote, &scratch.join("first"));
    let record = image(
        &here,
        "app-pr-1",
        "100",
        &[b"base", &noise(1, 300_000), b"top"],
    );
    let kept = here.put_record(&record, &|_| ()).unwrap();
    assert_eq!(kept.record, record);
    // Another machine, which has nothing but the digest.
    let there = front(remote, &scratch.join("second"));
    let found = there.record(&kept.digest).unwrap();
    assert_eq!(found, record);
    let image = there.image(&kept.digest, &found).unwrap();
    fetch_ahead(&image.layers);
    image.verify().unwrap();
    assert_eq!(image.config.digest(), record.image.config);
    let mut plain = Vec::new();
    let mut middle = image.layers[1].plain().unwrap();
    middle.read_to_end(&mut plain).unwrap();
    assert_eq!(plain, noise(1, 300_000));
    kept
}

fn pointers_are_made_once(remote: &Arc<dyn Remote>, scratch: &Utf8Path, first: &Kept) {
    let here = front(remote, &scratch.join("first"));
    // The same run once more, later: what it kept the first time is the answer.
    let again = Record {
        created: Timestamp::from_second(1).unwrap(),
        ..first.record.clone()
    };
    assert_eq!(here.put_record(&again, &|_| ()).unwrap(), *first);
    let other = image(&here, "app-pr-1", "100", &[b"something else"]);
    let refused = here.put_record(&other, &|_| ()).unwrap_err();
    assert!(
        matches!(refused, Error::Taken { held, .. } if held == first.digest),
        "{refused}"
    );
    assert_eq!(here.record(&first.digest).unwrap(), first.record);
}

fn known_layers_are_not_sent_again(remote: &Arc<dyn Remote>, scratch: &Utf8Path, first: &Kept) {
    let before = front(remote, &scratch.join("first"));
    let shared = before.image(&first.digest, &first.record).unwrap().layers;
    // A fresh machine packs nothing that the other side knows.
    let fresh = scratch.join("third");
    let here = front(remote, &fresh);
    let record = image(
        &here,
        "app-pr-1",
        "101",
        &[b"base", &noise(1, 300_000), b"new top"],
    );
    let kept = here.put_record(&record, &|_| ()).unwrap();
    let blobs = Layout::at(&fresh);
    for layer in &shared[..2] {
        let blob = layer.blob.as_ref().unwrap();
        assert_eq!(
            blobs.blobs().size(&blob.digest),
            None,
            "{} was packed",
            layer.diff_id
        );
    }
    let there = front(remote, &scratch.join("fourth"));
    there
        .image(&kept.digest, &record)
        .unwrap()
        .verify()
        .unwrap();
}

/// Removes a blob as if nobody needed it.
fn discard(remote: &dyn Remote, digest: &Digest) {
    let house = remote.housekeeping().unwrap();
    let mut held = house.blobs().unwrap().into_iter();
    let held = held.find(|held| held.digest == *digest).unwrap();
    assert!(house.discard(&held).unwrap());
}

fn what_was_lost_is_put_again(
    remote: &Arc<dyn Remote>,
    scratch: &Utf8Path,
    first: &Kept,
    lose: Option<&dyn Fn(&Digest)>,
) {
    let there = front(remote, &scratch.join("third"));
    let layers = there.image(&first.digest, &first.record).unwrap().layers;
    let lost = layers[1].blob.as_ref().unwrap().digest;
    match lose {
        Some(lose) => lose(&lost),
        None => discard(&**remote, &lost),
    }
    let before = front(remote, &scratch.join("before"));
    let broken = before.image(&first.digest, &first.record).unwrap().verify();
    broken.unwrap_err();
    // The job that saved it saves it again, on a machine that has nothing but the image.
    let here = front(remote, &scratch.join("healing"));
    let again = image(
        &here,
        "app-pr-1",
        "100",
        &[b"base", &noise(1, 300_000), b"top"],
    );
    assert_eq!(here.put_record(&again, &|_| ()).unwrap(), *first);
    let after = front(remote, &scratch.join("after"));
    let healed = after.image(&first.digest, &first.record).unwrap();
    healed.verify().unwrap();
}

fn finds_what_is_wanted(remote: &Arc<dyn Remote>, scratch: &Utf8Path, first: &Kept) {
    let here = front(remote, &scratch.join("first"));
    let other = image(&here, "app-pr-2", "100", &[b"base"]);
    here.put_record(&other, &|_| ()).unwrap();
    let name = &first.record.artifact;
    let ambiguous = here.find(name, None).unwrap_err();
    assert!(
        matches!(&ambiguous, Error::Ambiguous { runs, .. } if runs.len() == 2),
        "{ambiguous}"
    );
    let run = &first.record.source.run;
    assert_eq!(here.find(name, Some(run)).unwrap().record, first.digest);
    let listed = here.list(&Wanted::default()).unwrap().pointers;
    let listed: Vec<_> = listed.iter().map(ToString::to_string).collect();
    assert_eq!(
        listed,
        [
            "app-pr-1 of run 100 attempt 1",
            "app-pr-1 of run 101 attempt 1",
            "app-pr-2 of run 100 attempt 1"
        ]
    );
}

fn removes_one_artifact_only(remote: &Arc<dyn Remote>, scratch: &Utf8Path, first: &Kept) {
    let here = front(remote, &scratch.join("fifth"));
    let name = &first.record.artifact;
    let pointer = here.find(name, Some(&first.record.source.run)).unwrap();
    remote.remove(&pointer).unwrap();
    remote.remove(&pointer).unwrap();
    let left = here.find(name, None).unwrap();
    assert_eq!(left.run.id, "101");
    let record = here.record(&left.record).unwrap();
    here.image(&left.record, &record).unwrap().verify().unwrap();
}

/// Puts an image of these plain layers, as an engine would export it, and gives its record.
pub(crate) fn image(store: &Store, artifact: &str, run: &str, layers: &[&[u8]]) -> Record {
    use barge_image::archive::LayerSink as _;
    let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let mut sink = store.sink(&diff_ids).unwrap();
    let packed = layers.iter().zip(&diff_ids).map(|(layer, diff_id)| {
        let name = format!("blobs/sha256/{}", diff_id.hex());
        sink.layer(&name, &mut &layer[..]).unwrap()
    });
    let layers: Vec<_> = packed.collect();
    let quoted: Vec<_> = diff_ids.iter().map(|id| format!("\"{id}\"")).collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        quoted.join(",")
    );
    let received = Received {
        references: Vec::new(),
        config: RawConfig::parse(config.into_bytes()).unwrap(),
        layers,
        manifest: None,
        ids: Vec::new(),
    };
    let manifest = store.put_received(&received).unwrap();
    Record {
        schema: SCHEMA.into(),
        artifact: artifact.parse().unwrap(),
        references: vec![format!("ghcr.io/example/app:{artifact}").parse().unwrap()],
        image: RecordedImage {
            config: received.config.digest(),
            manifest,
            engine_id: None,
            platform: received.config.parsed().platform(),
            layers: received.layers.len(),
            size: received.layers.iter().map(|layer| layer.plain_size).sum(),
        },
        source: Source {
            event: "pull_request".into(),
            repository: "example/app".into(),
            pull_request: Some(1),
            run: Run {
                id: run.into(),
                attempt: 1,
            },
            ..Source::default()
        },
        build: BuildFacts {
            engine: "test".into(),
            ..BuildFacts::default()
        },
        publish: false,
        tool: "test".into(),
        created: Timestamp::UNIX_EPOCH,
        expires: None,
    }
}
