//! A skipped event touches no engine, stays green and leaves the feedback report.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::{Checkout, pull_request};

/// A socket that counts who comes.
fn counting_socket(checkout: &Checkout) -> (String, Arc<AtomicUsize>) {
    let path = checkout.file("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let refusal = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            drop(stream.and_then(|mut stream| stream.write_all(refusal)));
        }
    });
    (format!("unix://{}", path.display()), count)
}

#[test]
fn a_chore_asks_no_engine_for_anything() {
    for title in [
        "chore: bump deps",
        "Chore: tidy",
        "chore(deps): bump x from 1 to 2",
    ] {
        let mut checkout = Checkout::new();
        let (host, count) = counting_socket(&checkout);
        let (output, summary) = (checkout.write("output", ""), checkout.write("summary", ""));
        checkout.set("DOCKER_HOST", &host);
        checkout.set("GITHUB_EVENT_NAME", "pull_request");
        checkout.set("GITHUB_OUTPUT", output.to_str().unwrap());
        checkout.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
        checkout.write("pr.json", &pull_request("Wikid82", 7, title).to_string());

        let ran = checkout.barge(&["run", "--event", "pr.json"]).exits(0);
        assert!(
            ran.last_line()
                .starts_with("verdict: skipped: as planned by rule `title`"),
            "{}",
            ran.stdout
        );
        checkout.barge(&["build", "--event", "pr.json"]).exits(0);
        assert_eq!(count.load(Ordering::SeqCst), 0, "no engine was asked");

        let outputs = fs::read_to_string(output).unwrap();
        assert!(
            outputs.starts_with("skip_build<<") && outputs.lines().nth(1) == Some("true"),
            "{outputs}"
        );
        let report = fs::read_to_string(checkout.file(".barge/out/skipped.md")).unwrap();
        assert_eq!(fs::read_to_string(summary).unwrap(), report);
        assert!(
            report.contains(&"a".repeat(40)),
            "the head commit, not the merge commit: {report}"
        );
    }
}

#[test]
fn the_control_does_ask() {
    let mut checkout = Checkout::new();
    let (host, count) = counting_socket(&checkout);
    checkout.set("DOCKER_HOST", &host);
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.write(
        "pr.json",
        &pull_request("Wikid82", 7, "feat: build me").to_string(),
    );
    checkout.barge(&["run", "--event", "pr.json"]).exits(1);
    assert_ne!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn renovate_is_skipped_by_its_name() {
    let mut checkout = Checkout::new();
    checkout
        .set("GITHUB_EVENT_NAME", "pull_request")
        .set("GITHUB_ACTOR", "renovate[bot]");
    checkout.write(
        "pr.json",
        &pull_request("Wikid82", 7, "fix(deps): update x").to_string(),
    );
    let plan = checkout
        .barge(&["plan", "--event", "pr.json", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(
        (&plan["decision"]["action"], &plan["decision"]["rule"]),
        (&"skip".into(), &"actor".into())
    );
}

#[test]
fn a_skipped_build_leaves_nothing_to_save() {
    let mut checkout = Checkout::new();
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.write("Dockerfile", "FROM scratch\nCOPY pr.json /\n");
    for skipping in ["build", "run"] {
        let title = |title: &str| pull_request("Wikid82", 7, title).to_string();
        checkout.write("pr.json", &title("feat: a feature"));
        let built = ["build", "--event", "pr.json", "--engine", "embedded"];
        checkout.barge(&built).exits(0);
        checkout.barge(&["save"]).exits(0);
        checkout.write("pr.json", &title("chore: bump"));
        checkout.barge(&[skipping, "--event", "pr.json"]).exits(0);
        for command in ["save", "load"] {
            let ran = checkout.barge(&[command]);
            assert_ne!(
                ran.code, 0,
                "{command} after a skipped {skipping}: {}",
                ran.stdout
            );
        }
    }
}

/// A pull request whose trial merge is checked out, as GitHub does it; it changes this file.
fn proposal(file: &str) -> Checkout {
    let mut checkout = Checkout::new();
    checkout.write("barge.toml", "[skip]\npaths = [\"docs/**\", \"*.md\"]\n");
    checkout.git(&["checkout", "--quiet", "-b", "topic"]);
    checkout.write(file, "new\n");
    checkout.git(&["add", file]);
    checkout.git(&["commit", "--quiet", "--message", "Change"]);
    checkout.git(&["checkout", "--quiet", "main"]);
    checkout.git(&["merge", "--quiet", "--no-ff", "--no-edit", "topic"]);
    let mut payload = pull_request("Wikid82", 7, "feat: a change");
    payload["pull_request"]["head"]["sha"] = commit(&checkout, "topic").into();
    checkout.write("pr.json", &payload.to_string());
    checkout.set("GITHUB_SHA", &commit(&checkout, "HEAD"));
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout
}

fn commit(checkout: &Checkout, name: &str) -> String {
    let output = Command::new("git")
        .args(["rev-parse", name])
        .current_dir(checkout.path())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn decision(checkout: &Checkout) -> (String, String) {
    let plan = ["plan", "--event", "pr.json", "--format", "json"];
    let decision = &checkout.barge(&plan).exits(0).json()["decision"];
    let text = |key: &str| decision[key].as_str().unwrap().to_owned();
    (
        format!("{} {}", text("action"), text("rule")),
        text("reason"),
    )
}

#[test]
fn a_pull_request_is_skipped_by_the_files_that_git_knows() {
    assert_eq!(decision(&proposal("docs/guide.txt")).0, "skip paths");
    let (decision, reason) = decision(&proposal("app/run"));
    assert_eq!(
        (&*decision, &*reason),
        ("build default", "no skip rule matches")
    );
}

#[test]
fn a_shallow_checkout_builds_and_says_why() {
    let checkout = proposal("docs/guide.txt");
    let grafted = format!("{}\n", commit(&checkout, "HEAD"));
    checkout.write(".git/shallow", &grafted);
    let (decision, reason) = decision(&checkout);
    assert_eq!(decision, "build default");
    assert!(
        reason.contains("`skip.paths` was not applied: the checkout lacks"),
        "{reason}"
    );
}

#[test]
fn a_pattern_of_another_grammar_is_refused() {
    let checkout = Checkout::new();
    checkout.write("barge.toml", "[skip]\npaths = [\"!docs/**\"]\n");
    let ran = checkout.barge(&["plan"]).exits(2);
    ran.says("`!` does not negate here");
}
