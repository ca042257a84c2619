//! What users read when something is wrong, with the exit code of each kind.

use std::fs;

use crate::support::{Checkout, Ran};

/// The error as a snapshot, with what differs from run to run replaced.
fn shown(checkout: &Checkout, ran: &Ran) -> String {
    let folder = fs::canonicalize(checkout.path()).unwrap();
    let text = ran
        .stderr
        .replace(folder.to_str().unwrap(), "@")
        .replace(checkout.path().to_str().unwrap(), "@");
    format!("exit code {}\n{text}", ran.code)
}

macro_rules! assert_error {
    ($checkout:expr, $arguments:expr, $code:expr) => {{
        let checkout = &$checkout;
        let ran = checkout.barge(&$arguments).exits($code);
        assert!(ran.stdout.is_empty(), "an error leaves stdout alone: {}", ran.stdout);
        insta::with_settings!({ filters => vec![(r"sha256:[0-9a-f]{64}", "DIGEST"), (r"[0-9a-f]{64}", "HEX"), (r"local-\d+", "RUN")] }, {
            insta::assert_snapshot!(shown(checkout, &ran));
        });
    }};
}

fn built() -> Checkout {
    let checkout = Checkout::new();
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout
}

fn saved() -> Checkout {
    let checkout = built();
    checkout.barge(&["save"]).exits(0);
    checkout
}

#[test]
fn a_dead_daemon_is_a_failure() {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    assert_error!(checkout, ["build"], 1);
    assert!(!checkout.file(".barge/build.json").exists());
}

#[test]
fn an_annotation_says_the_cause_too() {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    checkout.set("GITHUB_ACTIONS", "true");
    checkout.barge(&["build"]).exits(1).says(
        "::error title=barge::no daemon answers at unix:///nowhere/docker.sock%0Acaused by: ",
    );
}

#[test]
fn a_daemon_that_dies_in_between_is_a_failure_and_leaves_no_archive() {
    let mut checkout = saved();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    assert_error!(checkout, ["load"], 1);
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", "docker.sock");
    assert_error!(checkout, ["build"], 2);
}

#[test]
fn an_empty_record_comes_of_a_job_that_did_not_run() {
    let checkout = Checkout::new();
    assert_error!(checkout, ["load", "--record", ""], 2);
}

#[test]
fn a_file_that_is_not_there_is_not_looked_for_among_artifacts() {
    let checkout = Checkout::new();
    assert_error!(checkout, ["load", "image.tar"], 2);
}

#[test]
fn a_word_that_is_nothing_anywhere_says_where_it_was_looked_for() {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    assert_error!(checkout, ["sbom", "localhost:1/image.tar"], 1);
}

#[test]
fn settings_that_do_not_exist_are_wrong_usage() {
    let checkout = Checkout::new();
    checkout.write("barge.toml", "[build]\nengin = \"docker\"\n");
    assert_error!(checkout, ["plan"], 2);
}

#[test]
fn what_the_embedded_builder_cannot_do_is_refused_before_anything_is_done() {
    let checkout = Checkout::new();
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app /app\nRUN make\nADD https://example.com/x /x\n",
    );
    assert_error!(checkout, ["build", "--engine", "embedded"], 2);
}

#[test]
fn a_reference_that_is_not_canonical_is_refused_with_the_corrected_form() {
    assert_error!(Checkout::new(), ["save", "ghcr.io/Wikid82/charon:pr-1"], 2);
    for text in ["", " ", "ghcr.io/a/b:1\r", "a:1,b:2", "ghcr.io/a/b:"] {
        Checkout::new().barge(&["save", text]).exits(2);
    }
}

#[test]
fn saving_without_a_build_is_wrong_usage() {
    assert_error!(Checkout::new(), ["save"], 2);
}

#[test]
fn a_malformed_payload_names_file_and_field() {
    let mut checkout = Checkout::new();
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.write("pr.json", r#"{"pull_request": {"number": "seven"}}"#);
    assert_error!(checkout, ["plan", "--event", "pr.json"], 2);
}

#[test]
fn an_artifact_that_is_not_there_is_a_store_failure() {
    let checkout = saved();
    assert_error!(checkout, ["load", "other-artifact"], 4);
}

#[test]
fn a_truncated_archive_is_told_from_none() {
    let checkout = built();
    checkout.barge(&["save", "-o", "image.tar"]).exits(0);
    let bytes = fs::read(checkout.file("image.tar")).unwrap();
    fs::write(checkout.file("image.tar"), &bytes[..bytes.len() / 2]).unwrap();
    assert_error!(checkout, ["sbom", "image.tar"], 1);
    checkout.write("image.tar", &"no archive at all".repeat(100));
    checkout
        .barge(&["sbom", "image.tar"])
        .exits(1)
        .says("image.tar` is not an image");
}

#[test]
fn a_name_of_several_runs_is_never_guessed() {
    let mut checkout = saved();
    checkout.set("BARGE_NOW", "2026-03-04T05:06:08Z");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout.barge(&["save"]).exits(0);
    let artifact = checkout
        .barge(&["store", "ls", "--format", "json"])
        .exits(0)
        .json()["artifacts"][0]["artifact"]
        .clone();
    assert_error!(checkout, ["load", artifact.as_str().unwrap()], 4);
}

#[test]
fn a_record_of_another_run_is_refused() {
    let mut checkout = saved();
    checkout.set("GITHUB_RUN_ID", "4711");
    assert_error!(checkout, ["verify", "--db", "advisories"], 3);
}

#[test]
fn a_scan_without_advisory_data_lacks_evidence() {
    assert_error!(saved(), ["verify"], 5);
}

#[test]
fn an_empty_advisory_folder_lacks_evidence() {
    let checkout = saved();
    fs::create_dir(checkout.file("advisories")).unwrap();
    assert_error!(checkout, ["verify", "--db", "advisories"], 5);
}

#[test]
fn an_image_without_packages_lacks_evidence() {
    let checkout = Checkout::new();
    let database = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    checkout.write("Dockerfile", "FROM scratch\nCOPY app/run /run\n");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout.barge(&["save"]).exits(0);
    assert_error!(checkout, ["verify", "--db", &database], 5);
}

#[test]
fn a_path_that_is_not_in_the_image_is_wrong_usage() {
    let checkout = saved();
    let database = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    assert_error!(
        checkout,
        ["verify", "--db", &database, "--path", "/app/charon"],
        2
    );
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let json = Checkout::new()
        .barge(&["save", "--format", "json"])
        .exits(2)
        .json();
    assert_eq!(json["schema"], "barge/error/v1");
    assert_eq!(json["exit_code"], 2);
    assert!(json["hint"].as_str().unwrap().contains("barge build"));
}

#[test]
fn a_log_for_programs_ends_with_the_error() {
    let mut checkout = saved();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let ran = checkout.barge(&["load", "--log", "json"]).exits(1);
    let last = ran.stderr.lines().last().unwrap();
    let mut event: serde_json::Value = serde_json::from_str(last).unwrap();
    assert!(event["timestamp"].take().as_str().unwrap().ends_with('Z'));
    insta::assert_json_snapshot!(event);
}
