//! The hand-off through a store elsewhere: jobs on machines that share nothing but its address.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use barge_testing::Debian;

use crate::support::Checkout;

pub(crate) fn has_registry() -> bool {
    let found = Command::new("docker-registry").arg("--version").output();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!is_ci || found.is_ok(), "docker-registry is missing");
    found.is_ok()
}

fn job(store: &str) -> Checkout {
    let mut checkout = Checkout::new();
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app/node_modules /app/node_modules\nCOPY app/run /app/run\n",
    );
    checkout.set("BARGE_STORE", store);
    checkout
}

fn saved(checkout: &Checkout) -> String {
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let saved = checkout.barge(&["save", "--format", "json"]).exits(0);
    saved.json()["saved"]["digest"].as_str().unwrap().to_owned()
}

fn cached(checkout: &Checkout) -> usize {
    fs::read_dir(checkout.file(".barge/cache/blobs/sha256"))
        .unwrap()
        .count()
}

#[test]
fn an_image_is_handed_over_through_a_registry() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let store = format!("registry:{}/team/ci", registry.host);
    let digest = saved(&job(&store));

    // Another machine verifies what it never saw, by the digest alone.
    let other = job(&store);
    let advisories = other.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    let verify = ["verify", "--db", &advisories, "--record", &digest];
    other.barge(&verify).exits(0);
    assert_eq!(cached(&other), 2 + 2, "manifest, config and two layers");
    other.barge(&["store", "fsck"]).exits(0);
    other.barge(&["store", "fsck", "--repair"]).exits(2);
    let shown = other
        .barge(&["store", "show", "--record", &digest])
        .exits(0);
    assert!(shown.stdout.contains("2 layers"), "{}", shown.stdout);

    // A second commit on a third machine: the layer that the registry has is neither packed nor sent.
    let mut third = job(&store);
    third.set("BARGE_NOW", "2026-03-04T06:00:00Z");
    third.write("app/run", "the second commit\n");
    let second = saved(&third);
    assert_eq!(cached(&third), 4, "one layer, config, manifest, record");
    let verify = ["verify", "--db", &advisories, "--record", &second];
    other.barge(&verify).exits(0);

    let listed = other
        .barge(&["store", "ls", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 2);
    other
        .barge(&["store", "rm", "charon-latest", "--all-runs"])
        .exits(0);
    other.barge(&["store", "gc"]).exits(0);
    let left = other.barge(&["store", "ls"]).exits(0);
    assert!(left.stdout.contains("holds nothing"), "{}", left.stdout);
}

#[test]
fn a_registry_that_is_not_there_is_a_store_failure() {
    let checkout = job("registry:127.0.0.1:9/team/ci");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout
        .barge(&["save"])
        .exits(4)
        .says("cannot reach `127.0.0.1:9`");
    checkout.barge(&["store", "ls"]).exits(4);
}

/// What other tools pushed or wrote can be handed over as if it had been built here.
#[test]
fn an_image_of_a_registry_or_an_archive_is_saved() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let checkout = Checkout::new();
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    let archive = ["save", "-o", "image.tar", "--format", "json"];
    let archived = checkout.barge(&archive).exits(0).json()["archive"].clone();
    let pushed = format!("{}/team/app:1", registry.host);
    let path = checkout.file("image.tar");
    let copied = Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
        .arg(format!("docker-archive:{}", path.display()))
        .arg(format!("docker://{pushed}"))
        .status();
    assert!(copied.unwrap().success());
    let from_registry = format!("registry:{pushed}");
    let own = archived["references"].clone();
    let cases: [(&[&str], serde_json::Value); 3] = [
        (&["image.tar"], own.clone()),
        (
            &["image.tar", "--tag", "example.com/a:1"],
            serde_json::json!(["example.com/a:1"]),
        ),
        (&[&from_registry], serde_json::json!([pushed])),
    ];
    for (number, (words, names)) in cases.into_iter().enumerate() {
        let store = format!("dir:store-{number}");
        let save = [&["save", "--store", &store, "--format", "json"], words].concat();
        let saved = checkout.barge(&save).exits(0).json()["saved"]["record"].clone();
        assert_eq!(saved["image"]["config"], archived["config"]);
        assert_eq!(saved["references"], names);
        checkout
            .barge(&["store", "fsck", "--store", &store])
            .exits(0);
    }
    checkout.barge(&["save", "--tag", "a:1"]).exits(2);
    let own = own[0].as_str().unwrap();
    checkout.barge(&["save", own, "--tag", "a:1"]).exits(2);
}

/// A server on this machine that lets nobody do anything.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            let no = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(no.as_bytes()).ok();
        }
    });
    host
}

#[test]
fn every_store_that_refuses_is_a_store_failure() {
    let host = refusing();
    let address = format!("http://{host}");
    let stores: [(&str, &[(&str, &str)]); 4] = [
        (&format!("registry:{host}/team/ci"), &[]),
        (
            "s3://bucket/ci",
            &[
                ("AWS_ENDPOINT_URL", &address),
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "us-east-1"),
            ],
        ),
        (
            "az://container/ci",
            &[
                ("AZURE_STORAGE_ENDPOINT", &address),
                ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
                ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"),
            ],
        ),
        (
            "github:",
            &[
                ("ACTIONS_RESULTS_URL", &address),
                (
                    "ACTIONS_RUNTIME_TOKEN",
                    "e30.eyJzY3AiOiJBY3Rpb25zLlJlc3VsdHM6YTpiIn0.x",
                ),
            ],
        ),
    ];
    let mut checkout = job("dir:unused");
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    for (store, variables) in stores {
        for (name, value) in variables {
            checkout.set(name, value);
        }
        let save = checkout.barge(&["save", "--store", store]);
        save.exits(4)
            .says(&format!("the store at `{store}` failed"));
        checkout.barge(&["store", "ls", "--store", store]).exits(4);
    }
}
