//! The JSON of each command: its schema, and its shape as a snapshot.

use serde_json::Value;

use crate::support::Checkout;

/// The shape of a value: keys and types, with one element of each list.
fn shape(value: &Value) -> Value {
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
    let commands: [(&str, &[&str]); 9] = [
        ("plan", &["plan"]),
        ("build", &["build", "--engine", "embedded"]),
        ("save", &["save"]),
        ("store-ls", &["store", "ls"]),
        (
            "scan",
            &["scan", "--db", &database, "purl:pkg:npm/left@1.2.0"],
        ),
        ("meta", &["meta"]),
        ("gate", &["gate", "--results", "needs.json"]),
        ("verify", &["verify", "--db", &database]),
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
