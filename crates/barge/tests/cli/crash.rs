//! Kill -9 at any point, and several processes at once: nothing that was kept is lost, nothing half done is believed.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use barge_testing::noise;
use serde_json::Value;

use crate::support::{Checkout, pull_request};

const KILLS: u32 = 50;

fn built() -> Checkout {
    let checkout = Checkout::new();
    fs::write(checkout.file("app/noise"), noise(1, 4 << 20)).unwrap();
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout
}

/// Starts barge and does not wait for it.
fn start(checkout: &Checkout, arguments: &[&str]) -> Child {
    let mut command = checkout.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn a_save_that_is_killed_anywhere_leaves_a_whole_store_and_can_be_run_again() {
    let mut checkout = built();
    // The quickest of some: a machine that is busy for a moment must not spread the kills beyond the end.
    let full = (0..5).map(|_| {
        let started = Instant::now();
        checkout.barge(&["save", "--store", "dir:full"]).exits(0);
        let took = started.elapsed();
        fs::remove_dir_all(checkout.file("full")).unwrap();
        took
    });
    let full = full.min().unwrap();
    let (mut finished, mut pointed) = (0, 0);
    for kill in 0..KILLS {
        // A little beyond the end, so that the last steps are met, too.
        let delay = full * (kill * 11) / (KILLS * 10);
        checkout.set("BARGE_NOW", "2026-03-04T05:06:07Z");
        let mut save = start(&checkout, &["save", "--store", "dir:store"]);
        thread::sleep(delay);
        finished += u32::from(save.try_wait().unwrap().is_some());
        save.kill().unwrap();
        save.wait().unwrap();
        checkout
            .barge(&["store", "fsck", "--store", "dir:store"])
            .exits(0);
        pointed += u32::from(artifacts(&checkout) > 0);
        // The second try comes later and still is the same hand-off.
        checkout.set("BARGE_NOW", "2026-03-04T06:00:00Z");
        checkout.barge(&["save", "--store", "dir:store"]).exits(0);
        assert_eq!(artifacts(&checkout), 1);
        checkout
            .barge(&["store", "fsck", "--store", "dir:store"])
            .exits(0);
        fs::remove_dir_all(checkout.file("store")).unwrap();
    }
    assert!(
        finished <= KILLS * 3 / 4 && pointed >= finished,
        "{finished} of {KILLS} were done before, {pointed} pointed"
    );
}

/// Pointers that are made.
fn artifacts(checkout: &Checkout) -> usize {
    let names = fs::read_dir(checkout.file("store/artifacts"))
        .into_iter()
        .flatten();
    let pointers = names.flat_map(|name| fs::read_dir(name.unwrap().path()).unwrap());
    let is_made = |name: &std::ffi::OsStr| !name.as_encoded_bytes().starts_with(b".");
    pointers
        .filter(|pointer| is_made(&pointer.as_ref().unwrap().file_name()))
        .count()
}

#[test]
fn a_collection_that_is_killed_leaves_what_is_needed() {
    let mut checkout = built();
    checkout.barge(&["save", "--store", "dir:store"]).exits(0);
    for run in 0..40 {
        checkout.set("BARGE_NOW", &format!("2026-03-04T05:10:{run:02}Z"));
        checkout.write("app/run", &format!("commit {run}"));
        checkout.barge(&["build", "--engine", "embedded"]).exits(0);
        checkout
            .barge(&["save", "--store", "dir:store", "--retention", "1m"])
            .exits(0);
    }
    checkout.set("BARGE_NOW", "2026-03-05T05:06:07Z");
    let gc = ["store", "gc", "--grace", "0m", "--store", "dir:store"];
    for delay in [0, 4, 8, 16, 24, 32] {
        let mut collection = start(&checkout, &gc);
        thread::sleep(Duration::from_millis(delay));
        collection.kill().unwrap();
        collection.wait().unwrap();
        checkout
            .barge(&["store", "fsck", "--store", "dir:store"])
            .exits(0);
    }
    checkout.barge(&gc).exits(0);
    assert_eq!(artifacts(&checkout), 1);
    let whole = checkout
        .barge(&["store", "fsck", "--store", "dir:store"])
        .exits(0);
    assert!(whole.stdout.contains("0 unused"), "{}", whole.stdout);
}

#[test]
fn a_full_disk_can_be_collected() {
    let mut checkout = Checkout::new();
    fs::write(checkout.file("app/noise"), noise(2, 600 << 10)).unwrap();
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let small = checkout.file("small");
    fs::create_dir(&small).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
    let mounted = Command::new("mount").args(mount).arg(&small).status();
    if !mounted.is_ok_and(|status| status.success()) {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !is_ci,
            "this test mounts a small tmpfs and needs root for it"
        );
        return;
    }
    let store = ["--store", "dir:small/store"];
    let run =
        |checkout: &Checkout, arguments: &[&str]| checkout.barge(&[arguments, &store].concat());
    let saved = run(&checkout, &["save", "--retention", "1m"]);
    // What is left of the disk is filled, too.
    let filled = fs::write(small.join("rest"), noise(3, 1 << 20));
    checkout.set("BARGE_NOW", "2026-03-05T05:06:07Z");
    checkout.write("app/run", "the second commit\n");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let refused = run(&checkout, &["save"]);
    checkout.set("BARGE_NOW", "2127-03-05T05:06:07Z");
    let collected = run(&checkout, &["store", "gc", "--grace", "0m"]);
    let whole = run(&checkout, &["store", "fsck"]);
    fs::remove_file(small.join("rest")).unwrap();
    let again = run(&checkout, &["save"]);
    Command::new("umount").arg(&small).status().unwrap();
    saved.exits(0);
    assert!(filled.is_err());
    refused.exits(4).says("No space left on device");
    collected.exits(0);
    let whole = whole.exits(0);
    assert!(
        whole.stdout.contains("looked at 0 artifacts, 0 blobs"),
        "{}",
        whole.stdout
    );
    again.exits(0);
}

#[test]
fn four_runs_of_one_pull_request_save_at_once_and_each_verifies_its_own_image() {
    let shared = Checkout::new();
    let store = format!("dir:{}", shared.file("store").display());
    let checkouts: Vec<_> = (0..4).map(|index| commit(index, &store)).collect();
    let saves: Vec<_> = checkouts
        .iter()
        .map(|checkout| start(checkout, &["save", "--format", "json"]))
        .collect();
    let mut digests = Vec::new();
    for save in saves {
        let output = save.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        let saved: Value = serde_json::from_slice(&output.stdout).unwrap();
        digests.push(saved["saved"].clone());
    }
    let advisories = shared.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    for (checkout, saved) in checkouts.iter().zip(&digests) {
        let record = saved["digest"].as_str().unwrap();
        let verify = [
            "verify",
            "--db",
            &advisories,
            "--record",
            record,
            "--format",
            "json",
        ];
        let verified = checkout.barge(&verify).exits(0).json();
        assert_eq!(verified["image"], saved["record"]["image"]["config"]);
    }
    // Each takes its own only: that of its neighbour is of another run.
    for (checkout, saved) in checkouts.iter().zip(digests.iter().cycle().skip(1)) {
        let record = saved["digest"].as_str().unwrap();
        let verify = ["verify", "--db", &advisories, "--record", record];
        checkout.barge(&verify).exits(3).says("of another");
    }
    let fsck = ["store", "fsck", "--store", &store, "--format", "json"];
    let report = shared.barge(&fsck).exits(0).json();
    assert_eq!(
        (&report["artifacts"], &report["findings"]),
        (&4.into(), &Value::Array(vec![]))
    );
    let index: Value =
        serde_json::from_slice(&fs::read(shared.file("store/index.json")).unwrap()).unwrap();
    let named = index["manifests"].as_array().unwrap();
    assert_eq!(named.len(), 1, "one name for four runs");
    let latest = &digests[3]["record"]["image"]["manifest"]["digest"];
    assert_eq!(&named[0]["digest"], latest, "the latest run has the name");
}

/// A checkout whose job builds one commit of pull request 7, built.
fn commit(index: u64, store: &str) -> Checkout {
    let mut checkout = Checkout::new();
    checkout.write("app/run", &format!("commit {index}\n"));
    fs::write(checkout.file("app/noise"), noise(3, 1 << 20)).unwrap();
    let mut event = pull_request("wikid82", 7, "feat: four at once");
    event["pull_request"]["head"]["sha"] = index.to_string().repeat(40).into();
    let payload = checkout.write("pr.json", &event.to_string());
    checkout.set("GITHUB_ACTIONS", "true");
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.set("GITHUB_EVENT_PATH", payload.to_str().unwrap());
    checkout.set("GITHUB_RUN_ID", &(5000 + index).to_string());
    checkout.set("BARGE_STORE", store);
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout
}

/// What is piped in lies in a temporary folder, and reading it cannot be stopped.
#[test]
fn an_interrupted_command_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        let mut checkout = Checkout::new();
        let temporary = checkout.file("tmp");
        fs::create_dir(&temporary).unwrap();
        checkout.set("TMPDIR", temporary.to_str().unwrap());
        let mut command = checkout.command(&["sbom", "-"]);
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut sbom = command.spawn().unwrap();
        let mut pipe = sbom.stdin.take().unwrap();
        pipe.write_all(&noise(1, 1 << 20)).unwrap();
        let entries = || fs::read_dir(&temporary).unwrap().count();
        let deadline = Instant::now() + Duration::from_secs(30);
        while entries() == 0 {
            assert!(Instant::now() < deadline, "nothing was kept");
            thread::sleep(Duration::from_millis(10));
        }
        let id = sbom.id().to_string();
        Command::new("kill").args([signal, &id]).status().unwrap();
        assert_eq!(sbom.wait().unwrap().code(), Some(130), "{signal}");
        assert_eq!(entries(), 0, "{signal}");
        drop(pipe);
    }
}
