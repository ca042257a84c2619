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

/// Time of outputs, which builds set for reproducible bytes, must not be the clock of the policy.
#[test]
fn the_clock_judges_and_source_date_epoch_does_not() {
    let mut checkout = Checkout::new();
    let database = checkout.advisories(HARMLESS);
    let scan = [
        "scan",
        "--db",
        &database,
        "purl:pkg:npm/left@1.2.0",
        "--max-age",
        "3",
    ];
    checkout.barge(&scan).exits(5).says("days old");
    checkout.set("SOURCE_DATE_EPOCH", "1767225600");
    checkout.barge(&scan).exits(5).says("days old");
    let report = ["-o", "cyclonedx"];
    let ran = checkout.barge(&[&scan[..4], &report].concat()).exits(0);
    assert!(
        ran.stdout.contains("2026-01-01T00:00:00Z"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_release_that_nobody_knows_or_that_fits_no_package_is_refused() {
    let checkout = Checkout::new();
    let database = checkout.advisories(HARMLESS);
    let scan = |purl: &str, release: &str| {
        let purl = format!("purl:{purl}");
        checkout.barge(&["scan", "--db", &database, &purl, "--distro", release])
    };
    let package = "pkg:deb/debian/openssl@3.0.17-1?distro=debian-12";
    scan(package, "debain-11")
        .exits(2)
        .says("`debain-11` is no release of a distribution");
    scan(package, "debian").exits(2);
    scan(package, "alpine-3.19")
        .exits(2)
        .says("is of alpine, the packages are of Debian");
    scan("pkg:npm/left@1.2.0", "alpine-3.19").exits(0);
}

#[test]
fn a_report_that_cannot_be_written_is_told_beside_the_scan() {
    let checkout = Checkout::new();
    let database = checkout.advisories(HARMLESS);
    let scan = ["scan", "--db", &database, "purl:pkg:npm/left@1.2.0"];
    let reports = ["-o", "json=no/such/scan.json", "-o", "html=scan.html"];
    let ran = checkout.barge(&[&scan[..], &reports].concat()).exits(1);
    let ran = ran
        .says("cannot write the report")
        .says("no/such/scan.json");
    let ran = ran.says("the scan itself was finished");
    assert!(ran.stdout.contains("verdict"), "{}", ran.stdout);
    let page = std::fs::read_to_string(checkout.file("scan.html")).unwrap();
    assert!(page.contains("</html>"));
}

#[test]
fn a_format_that_nobody_knows_is_refused_with_those_that_there_are() {
    let checkout = Checkout::new();
    let input = "purl:pkg:npm/left@1.2.0";
    for (command, known) in [("scan", "openvex"), ("sbom", "cyclonedx-xml")] {
        let unknown = checkout.barge(&[command, input, "-o", "pdf"]).exits(2);
        unknown.says("`pdf` is no format").says(known);
        let nameless = checkout.barge(&[command, input, "-o", "json="]).exits(2);
        nameless.says("no file is named");
    }
}

/// Reviewers ask where a package lies; on narrow terminals there is no room for it unless they do.
#[test]
fn the_table_tells_places_when_asked_to_tell_more() {
    let checkout = Checkout::new();
    let database = checkout.advisories(HARMLESS);
    checkout.write("bom.json", r#"{"bomFormat":"CycloneDX","components":[{"name":"left","version":"1.0.0","purl":"pkg:npm/left@1.0.0",
        "evidence":{"occurrences":[{"location":"/app/package-lock.json"}]}}]}"#);
    let scan = ["scan", "--db", &database, "bom.json"];
    let ran = checkout.barge(&[&scan[..], &["-v"]].concat());
    assert!(
        ran.stdout.contains("app/package-lock.json"),
        "{}",
        ran.stdout
    );
    let ran = checkout.barge(&scan);
    assert!(!ran.stdout.contains("package-lock"), "{}", ran.stdout);
}
