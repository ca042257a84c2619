//! `barge scan` of images whose evidence cannot all be read: nothing passes as if it had been looked at.

use crate::support::Checkout;

const HARMLESS: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";

/// A checkout whose image holds a readable npm package and one file more, saved as an archive.
fn image_with(path: &str, content: &str) -> (Checkout, String) {
    let checkout = Checkout::new();
    let database = checkout.advisories(HARMLESS);
    checkout.write(path, content);
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app /app\nCOPY root /\nCMD [\"/app/run\"]\n",
    );
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout.barge(&["save", "--output", "image.tar"]).exits(0);
    (checkout, database)
}

#[test]
fn a_package_database_that_cannot_be_read_is_missing_evidence() {
    let (checkout, database) = image_with("root/var/lib/rpm/rpmdb.sqlite", "SQLite format 3\0cut");
    let scan = ["scan", "--db", &database, "image.tar"];
    checkout
        .barge(&scan)
        .exits(5)
        .says("`var/lib/rpm/rpmdb.sqlite`")
        .says("fail-on-unread");
    checkout
        .barge(&["sbom", "image.tar", "-o", "cyclonedx-json=bom.json"])
        .exits(0);
    checkout
        .barge(&["scan", "--db", &database, "sbom:bom.json"])
        .exits(5);
    let ran = checkout
        .barge(&[&scan[..], &["--fail-on-unread", "never"]].concat())
        .exits(0)
        .says("could not be read: `var/lib/rpm/rpmdb.sqlite`");
    assert!(
        ran.stdout.contains("passed with warnings"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_in_every_report() {
    let (checkout, database) = image_with("root/opt/broken.jar", "PK\u{3}\u{4}cut");
    let formats = [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "openvex",
        "gitlab",
        "junit",
        "markdown",
        "html",
    ];
    let mut arguments = vec!["scan", "--db", &database, "image.tar"];
    let outputs: Vec<String> = formats
        .iter()
        .map(|format| format!("{format}={format}.out"))
        .collect();
    for output in &outputs {
        arguments.extend(["--output", output]);
    }
    checkout
        .barge(&arguments)
        .exits(0)
        .says("could not be read: `opt/broken.jar`");
    for format in &formats[1..] {
        let text = std::fs::read_to_string(checkout.file(&format!("{format}.out"))).unwrap();
        assert!(text.contains("opt/broken.jar"), "{format}:\n{text}");
    }
    arguments.extend(["--fail-on-unread", "any"]);
    checkout.barge(&arguments).exits(5).says("`opt/broken.jar`");
    checkout.write("barge.toml", "[scan]\nfail-on-unread = \"any\"\n");
    checkout
        .barge(&["scan", "--db", &database, "image.tar"])
        .exits(5);
}
