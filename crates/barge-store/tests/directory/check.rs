//! Damage of every kind is found, named, and told from what is only untidy.

use std::fs;

use barge_store::Error;
use barge_store::directory::{Check, Report};
use barge_store::remote::Wanted;
use camino::Utf8PathBuf;

use super::in_front::{image, noise};
use super::{Home, home};

/// A store with two artifacts that share a layer, and the paths of the files of the first one.
fn filled() -> (Home, Files) {
    let home = home();
    let first = image(&home.store, "one", "1", &[b"shared", &noise(1, 10_000)]);
    let kept = home.store.put_record(&first, &|_| ()).unwrap();
    let second = image(&home.store, "two", "2", &[b"shared"]);
    home.store.put_record(&second, &|_| ()).unwrap();
    let opened = home.store.image(&kept.digest, &first).unwrap();
    let blob = |digest: &barge_image::Digest| home.path.join("blobs/sha256").join(digest.hex());
    let layer = |index: usize| blob(&opened.layers[index].blob.as_ref().unwrap().digest);
    let files = Files {
        record: blob(&kept.digest),
        manifest: blob(&first.image.manifest.digest),
        config: blob(&first.image.config),
        shared: layer(0),
        layer: layer(1),
        note: home
            .path
            .join("layers")
            .join(opened.layers[1].diff_id.hex()),
        pointer: home.path.join("artifacts/one/1-1"),
    };
    (home, files)
}

struct Files {
    record: Utf8PathBuf,
    manifest: Utf8PathBuf,
    config: Utf8PathBuf,
    shared: Utf8PathBuf,
    layer: Utf8PathBuf,
    note: Utf8PathBuf,
    pointer: Utf8PathBuf,
}

fn check(home: &Home, how: Check) -> Report {
    home.store.folder().unwrap().check(how).unwrap()
}

/// Word, whether it is damage, and who is hit, of all findings.
fn findings(home: &Home) -> Vec<(&'static str, bool, String)> {
    let findings = check(home, Check::Whole).findings;
    let told = findings.iter().map(|finding| {
        let artifacts = finding.artifacts.join(", ");
        (
            finding.trouble.word(),
            finding.trouble.is_damage(),
            artifacts,
        )
    });
    told.collect()
}

fn flip(path: &Utf8PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

const ONE: &str = "one of run 1 attempt 1";
const BOTH: &str = "one of run 1 attempt 1, two of run 2 attempt 1";

#[test]
fn a_whole_store_has_no_findings() {
    let (home, _) = filled();
    let report = check(&home, Check::Whole);
    assert_eq!(
        (report.artifacts, report.unused, report.findings),
        (2, 0, vec![])
    );
}

#[test]
fn changed_bytes_are_found_wherever_they_are() {
    let (home, files) = filled();
    for (path, hit) in [
        (&files.record, ONE),
        (&files.manifest, ONE),
        (&files.config, ONE),
        (&files.shared, BOTH),
        (&files.layer, ONE),
    ] {
        let whole = fs::read(path).unwrap();
        flip(path);
        let found = findings(&home);
        assert!(
            found.contains(&("digest", true, hit.to_owned())),
            "{path}: {found:?}"
        );
        fs::write(path, whole).unwrap();
    }
}

#[test]
fn what_is_missing_is_named_with_what_needs_it() {
    for (index, what) in [
        "the hand-off record is missing",
        "the manifest is missing",
        "the config is missing",
        "the layer is missing",
    ]
    .into_iter()
    .enumerate()
    {
        let (home, files) = filled();
        let paths = [&files.record, &files.manifest, &files.config, &files.layer];
        fs::remove_file(paths[index]).unwrap();
        let found = check(&home, Check::Quick).findings;
        let missing = found
            .iter()
            .find(|finding| finding.path == *paths[index])
            .unwrap();
        assert_eq!(
            (missing.trouble.to_string().as_str(), &*missing.artifacts),
            (what, &[ONE.to_owned()][..])
        );
    }
}

#[test]
fn a_cut_layer_is_found_without_reading_it() {
    let (home, files) = filled();
    let bytes = fs::read(&files.layer).unwrap();
    fs::write(&files.layer, &bytes[1..]).unwrap();
    let found = check(&home, Check::Quick).findings;
    assert_eq!(found.len(), 1);
    let cut = format!(
        "it has {} bytes instead of {}",
        bytes.len() - 1,
        bytes.len()
    );
    assert_eq!(found[0].trouble.to_string(), cut);
}

#[test]
fn a_note_of_another_layer_is_damage_and_one_without_blob_is_untidy() {
    let (home, files) = filled();
    let shared = fs::read_dir(home.path.join("layers")).unwrap();
    let shared = shared.map(|entry| entry.unwrap().path());
    let shared = shared
        .into_iter()
        .find(|path| *path != *files.note)
        .unwrap();
    // The note of one layer now leads to the blob of the other.
    let mut note: serde_json::Value = serde_json::from_slice(&fs::read(&shared).unwrap()).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&fs::read(&files.note).unwrap()).unwrap();
    note["blob"] = other["blob"].clone();
    let right = fs::read(&shared).unwrap();
    fs::write(&shared, note.to_string()).unwrap();
    assert_eq!(findings(&home), [("layer", true, ONE.to_owned())]);
    fs::write(&shared, right).unwrap();
    fs::write(&files.note, "{}").unwrap();
    assert_eq!(findings(&home), [("malformed", true, String::new())]);
    fs::remove_file(&files.note).unwrap();
    assert_eq!(findings(&home), []);
}

#[test]
fn pointers_that_mislead_are_damage() {
    let (home, files) = filled();
    fs::copy(home.path.join("artifacts/two/2-1"), &files.pointer).unwrap();
    let found = check(&home, Check::Whole).findings;
    assert_eq!(
        found[0].trouble.to_string(),
        "it leads to a record of two of run 2 attempt 1"
    );
    fs::write(&files.pointer, "no pointer").unwrap();
    let found = check(&home, Check::Whole).findings;
    assert!(
        found[0].trouble.is_damage() && found[0].path == files.pointer,
        "{found:?}"
    );
}

#[test]
fn what_is_no_pointer_hides_no_other_and_can_be_removed() {
    let (home, files) = filled();
    fs::write(&files.pointer, "no pointer").unwrap();
    fs::write(home.path.join("artifacts/two/notes.txt"), "mind the gap").unwrap();
    fs::create_dir(home.path.join("artifacts/two/folder")).unwrap();
    fs::write(home.path.join("artifacts/README"), "no folder").unwrap();
    let listing = home.store.list(&Wanted::default()).unwrap();
    assert_eq!((listing.pointers.len(), listing.broken.len()), (1, 2));
    // Whoever says which run is meant gets it; else a run may be missing from the choice.
    let two = listing.pointers[0].clone();
    let found = home.store.find(&two.artifact, Some(&two.run)).unwrap();
    assert_eq!(found, two);
    for name in ["one", "two"] {
        let unsure = home.store.find(&name.parse().unwrap(), None).unwrap_err();
        assert!(matches!(unsure, Error::Pointer { .. }), "{unsure}");
        assert!(unsure.hint().unwrap().contains("fsck --repair"));
    }
    // Another artifact is saved as ever.
    let three = image(&home.store, "three", "3", &[b"shared"]);
    home.store.put_record(&three, &|_| ()).unwrap();
    // What the broken ones led to must not be taken for what nobody needs.
    let everything = barge_store::gc::Collect {
        now: "2100-01-01T00:00:00Z".parse().unwrap(),
        grace: jiff::SignedDuration::ZERO,
        budget: barge_store::gc::Budget::default(),
        dry_run: false,
    };
    let stopped = barge_store::gc::collect(home.store.home(), &everything).unwrap_err();
    assert!(matches!(stopped, Error::Pointer { .. }), "{stopped}");
    let folder = home.store.folder().unwrap();
    let removed = folder.repair(&check(&home, Check::Whole)).unwrap();
    assert_eq!(removed.len(), 2, "{removed:?}");
    assert!(!home.path.join("artifacts/one").exists());
    assert_eq!(findings(&home), []);
    barge_store::gc::collect(home.store.home(), &everything).unwrap();
    home.store.find(&two.artifact, None).unwrap();
}

#[test]
fn an_index_that_is_wrong_is_put_right() {
    let (home, _) = filled();
    let index = home.path.join("index.json");
    let right = fs::read(&index).unwrap();
    fs::write(&index, r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
    assert_eq!(findings(&home), [("stale-index", false, String::new())]);
    fs::write(&index, "cut of").unwrap();
    assert_eq!(findings(&home), [("malformed", true, String::new())]);
    let folder = home.store.folder().unwrap();
    folder.repair(&check(&home, Check::Whole)).unwrap();
    assert_eq!(fs::read(&index).unwrap(), right);
}

#[test]
fn a_repaired_store_packs_the_layer_again() {
    let (home, files) = filled();
    flip(&files.layer);
    let folder = home.store.folder().unwrap();
    folder.repair(&check(&home, Check::Whole)).unwrap();
    assert!(!files.layer.exists());
    assert_eq!(findings(&home), [("missing", true, ONE.to_owned())]);
    let again = image(&home.store, "three", "3", &[b"shared", &noise(1, 10_000)]);
    home.store.put_record(&again, &|_| ()).unwrap();
    assert_eq!(
        findings(&home),
        [],
        "the first artifact is whole again, too"
    );
}

#[test]
fn a_cut_layer_is_in_the_way_and_removed() {
    let (home, files) = filled();
    let bytes = fs::read(&files.layer).unwrap();
    fs::write(&files.layer, &bytes[1..]).unwrap();
    let told = ["digest", "size"].map(|word| (word, true, ONE.to_owned()));
    let mut found = findings(&home);
    found.sort();
    assert_eq!(found, told);
    let folder = home.store.folder().unwrap();
    let removed = folder.repair(&check(&home, Check::Whole)).unwrap();
    assert_eq!(Vec::from_iter(&removed), [&files.layer, &files.note]);
    let again = image(&home.store, "three", "3", &[b"shared", &noise(1, 10_000)]);
    home.store.put_record(&again, &|_| ()).unwrap();
    assert_eq!(findings(&home), []);
}

#[test]
fn a_note_that_lies_goes_and_the_blob_stays() {
    let (home, files) = filled();
    let right: serde_json::Value = serde_json::from_slice(&fs::read(&files.note).unwrap()).unwrap();
    let (mut longer, mut other) = (right.clone(), right.clone());
    longer["blob"]["size"] = 7.into();
    other["blob"]["digest"] = format!("sha256:{}", files.shared.file_name().unwrap()).into();
    other["blob"]["size"] = fs::metadata(&files.shared).unwrap().len().into();
    for (lie, word) in [(longer, "size"), (other, "layer")] {
        fs::write(&files.note, lie.to_string()).unwrap();
        assert_eq!(findings(&home)[0].0, word);
        let folder = home.store.folder().unwrap();
        let removed = folder.repair(&check(&home, Check::Whole)).unwrap();
        assert!(removed.contains(&files.note), "{removed:?}");
        assert_eq!(findings(&home), [], "no artifact lost anything");
    }
}

#[test]
fn temporary_files_are_untidy() {
    let (home, _) = filled();
    fs::write(home.path.join("blobs/sha256/.partial-1-x"), "half").unwrap();
    fs::write(home.path.join("artifacts/one/.partial-y"), "half").unwrap();
    assert_eq!(
        findings(&home),
        [
            ("stray", false, String::new()),
            ("stray", false, String::new())
        ]
    );
}
