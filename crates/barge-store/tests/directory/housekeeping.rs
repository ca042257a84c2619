//! Collection takes what nothing leads to, and nothing else, whoever writes meanwhile.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use barge_image::Digest;
use barge_image::record::Record;
use barge_store::directory::Check;
use barge_store::gc::{Budget, Collect, Collected, collect};
use barge_store::remote::Housekeeping as _;
use barge_store::{Error, Pointer, Remote as _};
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};

use super::in_front::{image, noise};
use super::{Home, home};

const DAY: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    // The files' times are the disk's.
    let file = tempfile::NamedTempFile::new().unwrap();
    let modified = file.as_file().metadata().unwrap().modified().unwrap();
    Timestamp::try_from(modified).unwrap()
}

fn collected(home: &Home, dry_run: bool) -> Collected {
    let what = Collect {
        now: now(),
        grace: SignedDuration::from_hours(24),
        budget: Budget::default(),
        dry_run,
    };
    collect(home.store.home(), &what).unwrap()
}

/// Makes every file look as if it was put two days ago.
fn grow_old(folder: &Utf8Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            grow_old(Utf8Path::from_path(&path).unwrap());
        } else {
            let long_ago = SystemTime::from(now()) - 2 * DAY;
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(long_ago).unwrap();
        }
    }
}

fn blobs(home: &Home) -> usize {
    home.store.folder().unwrap().blobs().unwrap().len()
}

#[test]
fn blobs_go_when_their_last_artifact_is_gone_and_they_are_old() {
    let home = home();
    let shared = noise(7, 5000);
    let one = image(&home.store, "one", "1", &[&shared, b"one"]);
    home.store.put_record(&one, &|_| ()).unwrap();
    let two = image(&home.store, "two", "2", &[&shared, b"two"]);
    home.store.put_record(&two, &|_| ()).unwrap();
    assert_eq!(blobs(&home), 9);
    let pointer = home.store.find(&one.artifact, None).unwrap();
    home.store.home().remove(&pointer).unwrap();
    let early = collected(&home, false);
    assert_eq!(
        (early.blobs.len(), early.young),
        (0, 4),
        "they are young yet"
    );
    grow_old(&home.path);
    assert_eq!(collected(&home, true).blobs.len(), 4);
    assert_eq!(blobs(&home), 9, "a dry run removes nothing");
    assert_eq!(collected(&home, false).blobs.len(), 4);
    assert_eq!(blobs(&home), 5);
    let report = home.store.folder().unwrap().check(Check::Whole).unwrap();
    assert_eq!((report.unused, report.findings), (0, vec![]));
    assert!(collected(&home, false).blobs.is_empty());
}

#[test]
fn artifacts_go_when_their_time_is_over() {
    let home = home();
    let keep = |days: i64| {
        now()
            .checked_add(SignedDuration::from_hours(24 * days))
            .ok()
    };
    for (name, expires) in [("old", keep(-1)), ("new", keep(1)), ("release", None)] {
        let record = Record {
            expires,
            ..image(&home.store, name, "1", &[name.as_bytes()])
        };
        home.store.put_record(&record, &|_| ()).unwrap();
    }
    let expired = collected(&home, true).expired;
    assert_eq!(expired.len(), 1);
    assert_eq!(collected(&home, false).expired, expired);
    let left = home
        .store
        .list(&barge_store::remote::Wanted::default())
        .unwrap()
        .pointers;
    let left: Vec<_> = left
        .iter()
        .map(|pointer| pointer.artifact.as_str())
        .collect();
    assert_eq!(left, ["new", "release"]);
    let index = fs::read_to_string(home.path.join("index.json")).unwrap();
    assert!(
        index.contains("app:new") && !index.contains("app:old"),
        "{index}"
    );
}

/// What goes when no more may stay than this.
fn beyond(home: &Home, budget: Budget, dry_run: bool) -> Vec<String> {
    let what = Collect {
        now: now(),
        grace: SignedDuration::from_hours(24),
        budget,
        dry_run,
    };
    let over = collect(home.store.home(), &what).unwrap().over_budget;
    over.iter().map(|pointer| pointer.run.id.clone()).collect()
}

#[test]
fn the_oldest_go_when_the_budget_is_used_up() {
    let home = home();
    let hours = |hours: i64| now().checked_sub(SignedDuration::from_hours(hours));
    let later = now().checked_add(SignedDuration::from_hours(99)).ok();
    // One base of 100 kB for all, 10 kB of each; the release is the oldest, the last one of this day.
    for (run, age, expires) in [
        ("1", 500, None),
        ("2", 100, later),
        ("3", 90, later),
        ("4", 80, later),
        ("5", 1, later),
    ] {
        let own = noise(run.parse().unwrap(), 10_000);
        let record = Record {
            created: hours(age).unwrap(),
            expires,
            ..image(&home.store, "app", run, &[&noise(99, 100_000), &own])
        };
        home.store.put_record(&record, &|_| ()).unwrap();
    }
    let count = |artifacts| Budget {
        artifacts: Some(artifacts),
        bytes: None,
    };
    let size = |bytes| Budget {
        artifacts: None,
        bytes: Some(bytes),
    };
    assert_eq!(beyond(&home, count(5), true), [""; 0]);
    assert_eq!(beyond(&home, count(3), true), ["3", "2"]);
    // What is for ever and what is young stay, and count.
    assert_eq!(beyond(&home, count(0), true), ["4", "3", "2"]);
    // Shared layers count once: 100 + 4 * 10 kB and some documents.
    assert_eq!(beyond(&home, size(160_000), true), [""; 0]);
    assert_eq!(beyond(&home, size(145_000), true), ["2"]);
    assert_eq!(beyond(&home, size(1), false), ["4", "3", "2"]);
    let left = home.store.list(&barge_store::remote::Wanted::default());
    let left = left
        .unwrap()
        .pointers
        .into_iter()
        .map(|pointer| pointer.run.id);
    assert_eq!(left.collect::<Vec<_>>(), ["1", "5"]);
    let folder = home.store.folder().unwrap();
    assert_eq!(folder.check(Check::Whole).unwrap().findings, []);
}

#[test]
fn a_blob_that_a_save_relies_on_is_young_again() {
    let home = home();
    let base = noise(3, 5000);
    let old = image(&home.store, "old", "1", &[&base]);
    home.store.put_record(&old, &|_| ()).unwrap();
    let pointer = home.store.find(&old.artifact, None).unwrap();
    home.store.home().remove(&pointer).unwrap();
    grow_old(&home.path);
    let folder = home.store.folder().unwrap();
    let seen = folder.blobs().unwrap();
    // A save begins after the sweep looked, and relies on the layer; then the sweep goes on.
    let new = image(&home.store, "new", "2", &[&base]);
    let swept: Vec<bool> = seen
        .iter()
        .map(|blob| folder.discard(blob).unwrap())
        .collect();
    assert_eq!(
        swept.iter().filter(|gone| !**gone).count(),
        3,
        "layer, config, manifest"
    );
    home.store.put_record(&new, &|_| ()).unwrap();
    assert_eq!(folder.check(Check::Whole).unwrap().findings, []);
}

#[test]
fn a_sweep_without_mercy_beside_saves_breaks_none() {
    let home = home();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Everything is old at once: only what is marked while a save relies on it may stay.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let what = Collect {
                    now: now(),
                    grace: SignedDuration::from_secs(1),
                    budget: Budget::default(),
                    dry_run: false,
                };
                collect(home.store.home(), &what).unwrap();
            }
        });
        let saving = Instant::now();
        for run in 0.. {
            let record = image(
                &home.store,
                "app",
                &run.to_string(),
                &[b"base", &noise(run, 900)],
            );
            home.store.put_record(&record, &|_| ()).unwrap();
            let pointer = home
                .store
                .find(&record.artifact, Some(&record.source.run))
                .unwrap();
            if run % 3 == 0 {
                home.store.home().remove(&pointer).unwrap();
            }
            // A busy machine saves few in the time.
            if run > 15 && saving.elapsed() > Duration::from_millis(2500) {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    let report = home.store.folder().unwrap().check(Check::Whole).unwrap();
    let damage: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.trouble.is_damage())
        .collect();
    assert!(damage.is_empty() && report.artifacts > 10, "{damage:?}");
}

#[test]
fn what_other_tools_put_into_the_layout_stays() {
    let home = home();
    let record = image(&home.store, "one", "1", &[b"one"]);
    home.store.put_record(&record, &|_| ()).unwrap();
    let foreign = image(&home.store, "foreign", "1", &[b"foreign"]);
    let folder = home.store.folder().unwrap();
    let name = "docker.io/library/foreign:1".parse().unwrap();
    folder
        .layout()
        .name(&foreign.image.manifest, &[name])
        .unwrap();
    grow_old(&home.path);
    assert!(collected(&home, false).blobs.is_empty());
    let kept = Digest::of(b"foreign");
    assert!(folder.layers(&[kept], None).unwrap().contains_key(&kept));
    let index = fs::read_to_string(home.path.join("index.json")).unwrap();
    assert!(
        index.contains("library/foreign:1") && index.contains("app:one"),
        "{index}"
    );
}

#[test]
fn what_killed_writers_left_goes_when_it_is_old() {
    let home = home();
    let record = image(&home.store, "one", "1", &[b"one"]);
    home.store.put_record(&record, &|_| ()).unwrap();
    let stray = home.path.join("blobs/sha256/.partial-1-x");
    fs::write(&stray, "half").unwrap();
    collected(&home, false);
    assert!(stray.exists(), "its writer may be at work");
    grow_old(&home.path);
    collected(&home, false);
    assert!(!stray.exists());
}

#[test]
fn a_broken_artifact_is_told_and_harms_no_other() {
    let home = home();
    let one = image(&home.store, "one", "1", &[b"one"]);
    let kept = home.store.put_record(&one, &|_| ()).unwrap();
    let two = image(&home.store, "two", "2", &[b"two"]);
    home.store.put_record(&two, &|_| ()).unwrap();
    fs::remove_file(home.path.join("blobs/sha256").join(kept.digest.hex())).unwrap();
    grow_old(&home.path);
    let collected = collected(&home, false);
    assert_eq!((collected.broken.len(), collected.needed), (1, 4));
    let pointer = home.store.find(&two.artifact, None).unwrap();
    home.store
        .image(&pointer.record, &two)
        .unwrap()
        .verify()
        .unwrap();
}

/// The store holds this artifact as a newer version of barge would have saved it.
fn of_a_newer_version(home: &Home, record: &Record) {
    let folder = home.store.folder().unwrap();
    let bytes = String::from_utf8(record.to_bytes().unwrap()).unwrap();
    let newer = bytes.replace(barge_image::record::SCHEMA, "barge/record/v9");
    let pointer = Pointer {
        artifact: record.artifact.clone(),
        run: record.source.run.clone(),
        record: folder.layout().blobs().put(newer.as_bytes()).unwrap(),
        expires: record.expires,
    };
    let place = home.path.join("artifacts").join(record.artifact.as_str());
    fs::create_dir_all(&place).unwrap();
    fs::write(
        place.join(pointer.key()),
        serde_json::to_vec(&pointer).unwrap(),
    )
    .unwrap();
}

#[test]
fn what_a_newer_version_saved_stops_the_sweep() {
    let home = home();
    let old = image(&home.store, "old", "1", &[b"old"]);
    home.store.put_record(&old, &|_| ()).unwrap();
    let newer = image(&home.store, "newer", "2", &[b"newer"]);
    of_a_newer_version(&home, &newer);
    grow_old(&home.path);
    let before = blobs(&home);
    for budget in [
        Budget::default(),
        Budget {
            artifacts: Some(0),
            bytes: None,
        },
    ] {
        let what = Collect {
            now: now(),
            grace: SignedDuration::from_hours(24),
            budget,
            dry_run: false,
        };
        let refused = collect(home.store.home(), &what).unwrap_err();
        assert!(
            matches!(&refused, Error::OtherVersion { pointer, source, .. }
                if pointer == "newer of run 2 attempt 1" && source.to_string().contains("/v9")),
            "{refused}"
        );
        assert_eq!(blobs(&home), before);
    }
    // The way out that the hint gives.
    let pointer = home.store.find(&newer.artifact, None).unwrap();
    home.store.home().remove(&pointer).unwrap();
    assert_eq!(collected(&home, false).needed, 4);
}

#[test]
fn an_image_that_is_open_is_read_to_its_end_whatever_vanishes() {
    let home = home();
    let record = image(&home.store, "one", "1", &[&noise(5, 300_000), b"top"]);
    let kept = home.store.put_record(&record, &|_| ()).unwrap();
    let opened = home.store.image(&kept.digest, &record).unwrap();
    fs::remove_dir_all(&home.path).unwrap();
    opened.verify().unwrap();
    let gone = home.store.image(&kept.digest, &record).unwrap_err();
    assert!(matches!(gone, barge_store::Error::Damaged { .. }), "{gone}");
}
