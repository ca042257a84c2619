//! The store between two daemons' worth of work: what is known is not packed again, and kill -9 loses nothing.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use barge_testing::{Debian, noise};

use super::Docker;
use super::cases::{always_export, checkout, name};
use super::support::Checkout;

const KILLS: u32 = 50;

/// How long a command takes, and what it writes into the store's blobs while it runs.
fn timed(checkout: &Checkout, arguments: &[&str]) -> Duration {
    let started = Instant::now();
    checkout.barge(arguments).exits(0);
    started.elapsed()
}

/// Starts barge, kills it after a while, and says whether it was done by then.
fn killed(checkout: &Checkout, arguments: &[&str], delay: Duration) -> bool {
    let mut command = checkout.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    thread::sleep(delay);
    let done = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    done
}

fn blobs(checkout: &Checkout) -> usize {
    fs::read_dir(checkout.file(".barge/store/blobs/sha256"))
        .unwrap()
        .count()
}

fn built(docker: &Docker, number: u64) -> (Checkout, String) {
    let checkout = checkout(docker, "wikid82", number);
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app/noise /noise\nCOPY app/node_modules /app\nCOPY app/run /run\nCMD [\"x\"]\n",
    );
    fs::write(checkout.file("app/noise"), noise(1, 3 << 20)).unwrap();
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "docker"])
        .exits(0);
    let tag = name(&checkout, "wikid82", &format!("pr-{number}"));
    (checkout, tag)
}

/// A layer that the store knows is hashed and dropped; an image that it knows is not even exported.
pub(crate) fn known(docker: &Docker) {
    known_of(docker, built(docker, 31));
}

pub(crate) fn known_of_an_export(docker: &Docker) {
    let (checkout, tag) = built(docker, 34);
    always_export(&checkout);
    known_of(docker, (checkout, tag));
}

fn known_of(docker: &Docker, (mut checkout, tag): (Checkout, String)) {
    checkout.barge(&["save"]).exits(0);
    let before = blobs(&checkout);
    // The same image once more, for another run: no byte of it is asked for.
    checkout.set("BARGE_NOW", "2026-03-04T06:00:00Z");
    checkout.barge(&["save", "-v", &tag]).exits(0).says("known");
    assert_eq!(blobs(&checkout), before + 1, "only a record is new");
    // A second commit: its top layer is new, the two below are known under the names of this daemon.
    checkout.set("BARGE_NOW", "2026-03-04T07:00:00Z");
    checkout.write("app/run", "the second commit\n");
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "docker"])
        .exits(0);
    checkout.barge(&["save"]).exits(0);
    assert_eq!(
        blobs(&checkout),
        before + 1 + 4,
        "a layer, a config, a manifest and a record"
    );
    checkout.barge(&["store", "fsck"]).exits(0);
    docker.run(&["rmi", &tag]);
}

/// Whatever way the layers take, the record and every byte behind it are the same.
pub(crate) fn in_place(docker: &Docker) {
    let (checkout, tag) = built(docker, 35);
    let save = ["save", "--format", "json", "-v", "--store"];
    let saved = checkout.barge(&[&save[..], &["dir:in-place"]].concat());
    let is_local = docker.data_is_here();
    assert_eq!(
        saved.stderr.contains("where the daemon keeps them"),
        is_local,
        "{}",
        saved.stderr
    );
    let in_place = saved.exits(0).json();
    always_export(&checkout);
    let exported = checkout.barge(&[&save[..], &["dir:exported"]].concat());
    assert!(exported.stderr.contains("/images/get"));
    let exported = exported.exits(0).json();
    assert_eq!(in_place["saved"]["digest"], exported["saved"]["digest"]);
    checkout
        .barge(&["store", "fsck", "--store", "dir:in-place"])
        .exits(0);
    docker.run(&["rmi", &tag]);
}

pub(crate) fn killed_saves(docker: &Docker) {
    let (checkout, tag) = built(docker, 32);
    let full = timed(&checkout, &["save", "--store", "dir:full"]);
    let save = ["save", "--store", "dir:store"];
    for kill in 0..KILLS {
        killed(&checkout, &save, full * kill / KILLS);
        checkout
            .barge(&["store", "fsck", "--store", "dir:store"])
            .exits(0);
        checkout.barge(&save).exits(0);
        checkout
            .barge(&["store", "fsck", "--store", "dir:store"])
            .exits(0);
        fs::remove_dir_all(checkout.file("store")).unwrap();
    }
    docker.run(&["rmi", &tag]);
}

pub(crate) fn killed_loads(docker: &Docker) {
    let (checkout, tag) = built(docker, 33);
    let built = docker.id(&tag);
    checkout.barge(&["save"]).exits(0);
    docker.run(&["rmi", &tag]);
    let full = timed(&checkout, &["load"]);
    let mut done = 0;
    for kill in 0..KILLS {
        docker.run(&["rmi", &tag]);
        done += u32::from(killed(
            &checkout,
            &["load"],
            full * (kill * 11) / (KILLS * 10),
        ));
        checkout.barge(&["store", "fsck", "--quick"]).exits(0);
        checkout.barge(&["load"]).exits(0);
        assert_eq!(docker.id(&tag), built);
    }
    assert!(
        done <= KILLS * 3 / 4,
        "{done} of {KILLS} were done before they were killed"
    );
    checkout.barge(&["store", "fsck"]).exits(0);
    docker.run(&["rmi", &tag]);
}

/// An image in a registry is pulled by the engine itself: where layers are gzip, by one of any age.
pub(crate) fn pulled(docker: &Docker) {
    let registry = Debian::start();
    let (mut checkout, tag) = built(docker, 36);
    let id = docker.id(&tag);
    checkout.set(
        "BARGE_STORE",
        &format!("registry:{}/team/ci", registry.host),
    );
    // What the cache knows as zstd is packed anew.
    checkout.barge(&["save"]).exits(0);
    let settings = fs::read_to_string(checkout.file("barge.toml")).unwrap();
    let settings = format!("{settings}[store]\ncompression = \"gzip\"\n");
    checkout.write("barge.toml", &settings);
    checkout.set("BARGE_NOW", "2026-03-04T08:00:00Z");
    let save = ["save", &tag, "--format", "json"];
    let saved = checkout.barge(&save).exits(0).json();
    let record = &saved["saved"]["record"];
    let run = &record["source"]["run"];
    let pushed = format!(
        "{}/team/ci:{}.{}-{}",
        registry.host,
        record["artifact"].as_str().unwrap(),
        run["id"].as_str().unwrap(),
        run["attempt"]
    );
    docker.run(&["rmi", &tag]);
    docker.run(&["pull", &pushed]);
    assert_eq!(docker.id(&pushed), id);
    docker.run(&["rmi", &pushed]);
    // And barge loads it under its own name.
    checkout.barge(&["load"]).exits(0);
    assert_eq!(docker.id(&tag), id);
    docker.run(&["rmi", &tag]);
}
