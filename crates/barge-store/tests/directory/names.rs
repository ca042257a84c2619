//! The names that other tools see in `index.json`.

use std::fs;

use super::in_front::image;
use super::{Home, home};
use barge_image::record::Record;

/// Which manifest the layout gives for the name of all these images.
fn holder(home: &Home) -> Option<String> {
    let bytes = fs::read(home.path.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    assert!(manifests.len() <= 1, "{index}");
    manifests
        .first()
        .map(|entry| entry["digest"].as_str().unwrap().to_owned())
}

fn save(home: &Home, run: &str, content: &[u8]) -> Record {
    let record = image(&home.store, "app", run, &[content]);
    home.store.put_record(&record, &|_| ()).unwrap();
    record
}

#[test]
fn a_name_belongs_to_the_latest_run_in_whatever_order_they_end() {
    let home = home();
    let manifest = |record: &Record| Some(record.image.manifest.digest.to_string());
    let second = save(&home, "1002", b"second");
    assert_eq!(holder(&home), manifest(&second));
    let first = save(&home, "999", b"first");
    assert_eq!(
        holder(&home),
        manifest(&second),
        "999 ended late and is older"
    );
    let third = save(&home, "1003", b"third");
    assert_eq!(holder(&home), manifest(&third));
    // When an artifact goes, its name goes back to the latest that is left.
    for (gone, left) in [
        (&third, Some(&second)),
        (&first, Some(&second)),
        (&second, None),
    ] {
        let run = &gone.source.run;
        let pointer = home.store.find(&gone.artifact, Some(run)).unwrap();
        home.store.home().remove(&pointer).unwrap();
        assert_eq!(holder(&home), left.and_then(manifest));
    }
}
