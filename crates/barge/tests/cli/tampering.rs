//! What is in the store is not trusted for being there: each change and each mix-up is refused in its own words.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Checkout, Ran, pull_request};

/// A pull request's image in a store, and the files that make it up.
struct Saved {
    checkout: Checkout,
    advisories: String,
    digest: String,
    record: PathBuf,
    manifest: PathBuf,
    config: PathBuf,
    layers: Vec<PathBuf>,
}

const RUN: u64 = 4711;

fn saved() -> Saved {
    saved_by(RUN, "someone's work\n")
}

fn saved_by(run: u64, content: &str) -> Saved {
    let mut checkout = Checkout::new();
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app/node_modules /app/node_modules\nCOPY app/run /app/run\n",
    );
    checkout.write("app/run", content);
    occasion(
        &mut checkout,
        run,
        1,
        &pull_request("wikid82", 7, "feat: x"),
    );
    let advisories = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let saved = checkout.barge(&["save", "--format", "json"]).exits(0);
    let saved = saved.json()["saved"].clone();
    let image = &saved["record"]["image"];
    let blob = |digest: &Value| blob(&checkout, digest.as_str().unwrap());
    let manifest = blob(&image["manifest"]["digest"]);
    let parsed: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let layers = parsed["layers"].as_array().unwrap();
    Saved {
        advisories,
        digest: saved["digest"].as_str().unwrap().to_owned(),
        record: blob(&saved["digest"]),
        config: blob(&image["config"]),
        layers: layers.iter().map(|layer| blob(&layer["digest"])).collect(),
        manifest,
        checkout,
    }
}

fn blob(checkout: &Checkout, digest: &str) -> PathBuf {
    let folder = checkout.file(".barge/store/blobs/sha256");
    folder.join(digest.trim_start_matches("sha256:"))
}

/// Makes all later runs jobs of this run for this event.
fn occasion(checkout: &mut Checkout, run: u64, attempt: u32, event: &Value) {
    let payload = checkout.write("pr.json", &event.to_string());
    checkout.set("GITHUB_ACTIONS", "true");
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.set("GITHUB_EVENT_PATH", payload.to_str().unwrap());
    checkout.set("GITHUB_RUN_ID", &run.to_string());
    checkout.set("GITHUB_RUN_ATTEMPT", &attempt.to_string());
}

impl Saved {
    /// What the next job does, with nothing but the record's digest.
    fn verify(&self) -> Ran {
        let arguments = ["verify", "--db", &self.advisories, "--record", &self.digest];
        self.checkout.barge(&arguments)
    }
}

/// Changes one byte in the middle.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_untouched_store_passes() {
    saved().verify().exits(0);
}

#[test]
fn one_flipped_byte_is_found_and_named_wherever_it_is() {
    type Choice = fn(&Saved) -> &Path;
    let cases: [(&str, Choice); 5] = [
        ("layer sha256:", |saved| &saved.layers[0]),
        ("layer sha256:", |saved| &saved.layers[1]),
        ("the config has the digest", |saved| &saved.config),
        ("the manifest has the digest", |saved| &saved.manifest),
        ("the hand-off record has the digest", |saved| &saved.record),
    ];
    for (says, file) in cases {
        let saved = saved();
        flip(file(&saved));
        saved.verify().exits(4).says(says).says("barge store fsck");
        saved.checkout.barge(&["store", "fsck"]).exits(4);
    }
}

#[test]
fn a_cut_layer_is_found() {
    let saved = saved();
    let bytes = fs::read(&saved.layers[0]).unwrap();
    fs::write(&saved.layers[0], &bytes[..bytes.len() - 1]).unwrap();
    saved.verify().exits(4).says("it was cut or changed");
    let repair = saved.checkout.barge(&["store", "fsck", "--repair"]);
    let name = saved.layers[0].file_name().unwrap().to_str().unwrap();
    let removed = format!("removed blobs/sha256/{name}\n");
    assert!(repair.exits(4).stdout.contains(&removed));
    assert!(!saved.layers[0].exists());
}

#[test]
fn a_missing_blob_is_a_store_failure() {
    let saved = saved();
    let files = [
        &saved.layers[0],
        &saved.config,
        &saved.manifest,
        &saved.record,
    ];
    for file in files {
        let whole = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        saved.verify().exits(4);
        fs::write(file, whole).unwrap();
    }
    saved.verify().exits(0);
}

#[test]
fn swapped_blobs_are_found() {
    let saved = saved();
    let (first, second) = (&saved.layers[0], &saved.layers[1]);
    let bytes = fs::read(first).unwrap();
    fs::copy(second, first).unwrap();
    fs::write(second, bytes).unwrap();
    saved.verify().exits(4).says("layer sha256:");
}

#[test]
fn an_image_in_the_place_of_another_is_found() {
    let (saved, other) = (saved(), saved_by(RUN, "somebody else's work\n"));
    fs::copy(&other.manifest, &saved.manifest).unwrap();
    for file in other.layers.iter().chain([&other.config]) {
        let name = file.file_name().unwrap();
        fs::copy(file, saved.manifest.with_file_name(name)).unwrap();
    }
    saved.verify().exits(4).says("the manifest has the digest");
}

#[test]
fn edited_tags_change_the_record_and_are_found() {
    let saved = saved();
    let record = fs::read_to_string(&saved.record).unwrap();
    let edited = record.replace(":pr-7\"", ":latest\"");
    assert_ne!(record, edited);
    fs::write(&saved.record, &edited).unwrap();
    saved
        .verify()
        .exits(4)
        .says("the hand-off record has the digest");
    // Nor does it help to store the edited record under a digest of its own, and to lead the artifact's name there.
    let put = saved.checkout.write("edited.json", &edited);
    let digest = sha256(&put);
    fs::copy(&put, blob(&saved.checkout, &digest)).unwrap();
    fs::write(&saved.record, &record).unwrap();
    let pointer = saved
        .checkout
        .file(&format!(".barge/store/artifacts/charon-pr-7/{RUN}-1"));
    let text = fs::read_to_string(&pointer).unwrap();
    fs::write(&pointer, text.replace(&saved.digest, &digest)).unwrap();
    saved.verify().exits(0);
    let names = saved
        .checkout
        .barge(&["store", "show", "--record", &saved.digest])
        .exits(0);
    assert!(names.stdout.contains("charon:pr-7\n"), "{}", names.stdout);
}

#[test]
fn a_pointer_to_the_record_of_another_artifact_is_found() {
    let (saved, other) = (saved(), saved_by(RUN + 1, "somebody else's work\n"));
    fs::copy(&other.record, blob(&saved.checkout, &other.digest)).unwrap();
    let pointer = saved
        .checkout
        .file(&format!(".barge/store/artifacts/charon-pr-7/{RUN}-1"));
    let text = fs::read_to_string(&pointer).unwrap();
    fs::write(&pointer, text.replace(&saved.digest, &other.digest)).unwrap();
    let by_name = [
        "verify",
        "--db",
        &saved.advisories,
        "charon-pr-7",
        "--run",
        "4711",
    ];
    let says = "leads to the record of charon-pr-7 of run 4712 attempt 1";
    saved.checkout.barge(&by_name).exits(4).says(says);
    saved.checkout.barge(&["store", "fsck"]).exits(4);
}

#[test]
fn what_is_no_pointer_is_told_and_hides_no_other() {
    let saved = saved();
    let foreign = ".barge/store/artifacts/other/notes.txt";
    saved.checkout.write(foreign, "mind the gap");
    let listed = saved.checkout.barge(&["store", "ls"]);
    let listed = listed.exits(0).says("notes.txt` is not a pointer");
    assert!(listed.stdout.contains("charon-pr-7"), "{}", listed.stdout);
    let gc = saved.checkout.barge(&["store", "gc"]);
    gc.exits(4).says("barge store fsck --repair");
    saved
        .checkout
        .barge(&["store", "fsck", "--repair"])
        .exits(4);
    saved.checkout.barge(&["store", "gc"]).exits(0);
}

#[test]
fn a_record_of_another_occasion_is_refused_in_its_own_words() {
    let mut saved = saved();
    let change = |edit: fn(&mut Value)| {
        let mut event = pull_request("wikid82", 7, "feat: x");
        edit(&mut event);
        event
    };
    let same = change(|_| ());
    let head = change(|event| event["pull_request"]["head"]["sha"] = "e".repeat(40).into());
    let number = change(|event| {
        event["number"] = 8.into();
        event["pull_request"]["number"] = 8.into();
    });
    for (run, event, says) in [
        (RUN + 1, &same, "of another run: 4711, and this is 4712"),
        (RUN, &head, "of another commit: aaaa"),
        (RUN, &number, "of another pull request: #7, and this is #8"),
        (
            RUN,
            &pull_request("other", 7, "feat: x"),
            "of another repository: wikid82/Charon",
        ),
    ] {
        occasion(&mut saved.checkout, run, 1, event);
        saved.verify().exits(3).says(says);
    }
    occasion(&mut saved.checkout, RUN, 2, &same);
    saved.verify().exits(0);
}

#[test]
fn an_earlier_attempt_does_not_take_what_a_later_one_made() {
    let mut saved = saved();
    let event = pull_request("wikid82", 7, "feat: x");
    occasion(&mut saved.checkout, RUN, 3, &event);
    saved
        .checkout
        .barge(&["build", "--engine", "embedded"])
        .exits(0);
    let later = saved.checkout.barge(&["save", "--format", "json"]).exits(0);
    let later = later.json()["saved"]["digest"].as_str().unwrap().to_owned();
    occasion(&mut saved.checkout, RUN, 2, &event);
    let verify = ["verify", "--db", &saved.advisories, "--record", &later];
    saved
        .checkout
        .barge(&verify)
        .exits(3)
        .says("of another attempt: 3, and this is 2");
}

#[test]
fn another_event_of_the_same_commit_is_refused() {
    let mut saved = saved();
    let event = pull_request("wikid82", 7, "feat: x");
    occasion(&mut saved.checkout, RUN, 1, &event);
    saved
        .checkout
        .set("GITHUB_EVENT_NAME", "pull_request_target");
    saved
        .verify()
        .exits(3)
        .says("of another event: pull_request, and this is pull_request_target");
}

fn sha256(file: &Path) -> String {
    let output = std::process::Command::new("sha256sum")
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    format!("sha256:{}", text.split_whitespace().next().unwrap())
}
