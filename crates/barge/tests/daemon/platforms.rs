//! An image of several platforms with attestations, as buildx leaves it in a containerd store.

use super::Docker;
use super::engines::{build_by_plugin, content, point_at, two_layers};

/// One platform is saved and the others are told of; and it is saved by a name, whichever digest says which image is meant.
pub(crate) fn several(_: &Docker, engine: &Docker) {
    let (mut checkout, names) = two_layers(engine, 214);
    point_at(&mut checkout, engine);
    let [first, second] = &names[..] else {
        unreachable!("there are two names")
    };
    build_by_plugin(
        engine,
        &checkout,
        &["--platform", "linux/amd64,linux/arm64", "--provenance=true"],
        &[first, second],
    );
    let id = engine.id(first).unwrap();
    let (repository, _) = first.rsplit_once(':').unwrap();
    let by_digest = format!("{repository}@{id}");
    let ran = checkout.barge(&["save", &by_digest]).exits(2);
    assert!(
        names.iter().any(|name| ran
            .stderr
            .contains(&format!("the engine has it as `{name}`"))),
        "{}",
        ran.stderr
    );
    let ran = checkout.barge(&["save", &format!("{first}@{id}"), second, "--format", "json"]);
    let mut ran = ran.exits(0);
    // Before API 1.48 the engine does not tell.
    if engine.tells_manifests() {
        ran = ran.says("linux/amd64, linux/arm64: only linux/");
    }
    let record = &ran.json()["saved"]["record"];
    assert_eq!(record["references"], serde_json::json!(names));
    // An archive is the engine's own export, with all of it.
    let archive = ["save", "-o", "both.tar", first, second];
    checkout.barge(&archive).exits(0);
    engine.run(&["rmi", first, second]);
    assert_eq!(engine.id(first), None);
    let both = checkout.file("both.tar");
    engine.run(&["load", "--quiet", "--input", both.to_str().unwrap()]);
    assert_eq!(engine.id(second), Some(id));
    engine.run(&["rmi", first, second]);
    checkout.barge(&["load"]).exits(0);
    assert_eq!(engine.id(first), engine.id(second));
    assert_eq!(content(engine, &checkout, first), "hello\n");
    engine.run(&["rmi", first, second]);
}
