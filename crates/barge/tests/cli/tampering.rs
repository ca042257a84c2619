//! What is in the store is not trusted for being there (R26, R37).

use std::fs;
use std::path::PathBuf;

use crate::support::Checkout;

fn saved() -> (Checkout, String, Vec<PathBuf>) {
    let checkout = Checkout::new();
    let database = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let saved = checkout
        .barge(&["save", "--format", "json"])
        .exits(0)
        .json();
    let record = &saved["saved"]["record"]["image"];
    let blob = |digest: &str| {
        checkout
            .file(".barge/store/blobs/sha256")
            .join(digest.trim_start_matches("sha256:"))
    };
    let manifest = blob(record["manifest"]["digest"].as_str().unwrap());
    let parsed: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let layer = blob(parsed["layers"][0]["digest"].as_str().unwrap());
    let config = blob(record["config"].as_str().unwrap());
    let hand_over = blob(saved["saved"]["digest"].as_str().unwrap());
    (checkout, database, vec![layer, config, manifest, hand_over])
}

/// Changes one byte in the middle.
fn flip(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_untouched_store_passes() {
    let (checkout, database, _) = saved();
    checkout.barge(&["verify", "--db", &database]).exits(0);
}

#[test]
fn one_flipped_byte_is_found_wherever_it_is() {
    for index in 0..4 {
        let (checkout, database, blobs) = saved();
        flip(&blobs[index]);
        let ran = checkout.barge(&["verify", "--db", &database]);
        assert!(
            matches!(ran.code, 1 | 3 | 4),
            "blob {index}: {}\n{}",
            ran.code,
            ran.stderr
        );
    }
}

#[test]
fn a_cut_layer_is_found() {
    let (checkout, database, blobs) = saved();
    let bytes = fs::read(&blobs[0]).unwrap();
    fs::write(&blobs[0], &bytes[..bytes.len() - 1]).unwrap();
    checkout
        .barge(&["verify", "--db", &database])
        .exits(4)
        .says("it was cut or changed");
}

#[test]
fn a_missing_blob_is_a_store_failure() {
    for index in 0..4 {
        let (checkout, database, blobs) = saved();
        fs::remove_file(&blobs[index]).unwrap();
        checkout.barge(&["verify", "--db", &database]).exits(4);
    }
}
