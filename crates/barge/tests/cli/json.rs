//! The JSON of each command: its schema, and its shape as a snapshot.

use serde_json::Value;

use crate::support::Checkout;

/// The shape of a value: keys and types, with one element of each list.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
    }
}

#[test]
fn shapes_are_stable() {
    let checkout = Checkout::new();
    let database = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    checkout.write(
        "needs.json",
        r#"{"build": "success", "save": "success", "verify": "success", "report": "success"}"#,
    );
    let commands: [(&str, &[&str]); 13] = [
        ("plan", &["plan"]),
        ("build", &["build", "--engine", "embedded"]),
        ("save", &["save"]),
        ("store-ls", &["store", "ls"]),
        ("store-show", &["store", "show"]),
        ("store-fsck", &["store", "fsck"]),
        ("store-gc", &["store", "gc", "--dry-run"]),
        (
            "scan",
            &["scan", "--db", &database, "purl:pkg:npm/left@1.2.0"],
        ),
        ("meta", &["meta"]),
        ("gate", &["gate", "--results", "needs.json"]),
        ("verify", &["verify", "--db", &database]),
        ("store-rm", &["store", "rm", "charon-latest"]),
        (
            "run",
            &[
                "run",
                "--engine",
                "embedded",
                "--db",
                &database,
                "--store",
                "dir:other",
            ],
        ),
    ];
    for (name, arguments) in commands {
        let json = checkout
            .barge(&[arguments, &["--format", "json"]].concat())
            .exits(0)
            .json();
        assert_eq!(json["schema"], format!("barge/{name}/v1"));
        insta::assert_json_snapshot!(name, shape(&json));
    }
}

#[test]
fn a_scan_reads_the_store_that_was_named() {
    let checkout = Checkout::new();
    let database = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let saved = checkout
        .barge(&["save", "--store", "dir:other", "--format", "json"])
        .exits(0)
        .json();
    let input = format!(
        "store:{}",
        saved["saved"]["record"]["artifact"].as_str().unwrap()
    );
    checkout
        .barge(&["scan", "--db", &database, &input])
        .exits(4);
    checkout
        .barge(&["scan", "--db", &database, "--store", "dir:other", &input])
        .exits(0);
    checkout.write("barge.toml", "[store]\naddress = \"dir:other\"\n");
    checkout
        .barge(&["scan", "--db", &database, &input])
        .exits(0);
}
