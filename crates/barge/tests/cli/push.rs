//! Pushing to a real registry: after the gate, under all names or none, and never what is only proposed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use barge_testing::Debian;
use serde_json::{Value, json};

use crate::elsewhere::has_registry;
use crate::json::shape;
use crate::support::{Checkout, Ran, pull_request};

const HARMLESS: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";

/// A job in CI whose image goes to two repositories of a registry.
struct Job {
    checkout: Checkout,
    outputs: PathBuf,
    summary: PathBuf,
}

impl Job {
    fn new(registry: &str, event: &str, payload: &Value) -> Self {
        let mut checkout = Checkout::new();
        let names = format!("[\"{registry}/app\", \"{registry}/mirror/app\"]");
        checkout.write(
            "barge.toml",
            &format!(
                "[build]\nengine = \"embedded\"\n[meta]\nimages = {names}\ntags = [\"type=raw,value=one\", \"type=raw,value=two\"]\n"
            ),
        );
        let payload = checkout.write("event.json", &payload.to_string());
        let (outputs, summary) = (checkout.write("outputs", ""), checkout.write("summary", ""));
        checkout
            .set("GITHUB_ACTIONS", "true")
            .set("GITHUB_EVENT_NAME", event)
            .set("GITHUB_EVENT_PATH", payload.to_str().unwrap())
            .set("GITHUB_RUN_ID", "42")
            .set("GITHUB_OUTPUT", outputs.to_str().unwrap())
            .set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
        Self {
            checkout,
            outputs,
            summary,
        }
    }

    fn run(&self, impact: &str, more: &[&str]) -> Ran {
        let advisories = self.checkout.advisories(impact);
        let mut arguments = vec!["run", "--db", &advisories, "--format", "json"];
        arguments.extend(more);
        self.checkout.barge(&arguments)
    }
}

fn push() -> Value {
    json!({
        "ref": "refs/heads/main",
        "after": "a".repeat(40),
        "commits": [],
        "head_commit": {"message": "feat: ships"},
        "repository": {"full_name": "Wikid82/Charon", "default_branch": "main"},
    })
}

/// The digest that a name stands for, by another tool; nothing when it is not there.
fn digest_of(name: &str) -> Option<String> {
    let skopeo = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}"];
    let output = Command::new("skopeo")
        .args(skopeo)
        .arg(format!("docker://{name}"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim().to_owned())
}

fn names(registry: &str) -> [String; 4] {
    ["app:one", "app:two", "mirror/app:one", "mirror/app:two"]
        .map(|name| format!("{registry}/{name}"))
}

fn step<'a>(run: &'a Value, name: &str) -> &'a Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()
}

#[test]
fn a_push_to_main_is_pushed_under_every_name_after_the_gate() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let job = Job::new(&registry.host, "push", &push());
    let run = job.run(HARMLESS, &[]).exits(0).json();
    let order = run["steps"].as_array().unwrap().iter();
    let order: Vec<_> = order.map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(order, ["build", "save", "load", "verify", "push"]);
    assert_eq!(step(&run, "push")["state"], "done", "{run}");
    let digest = run["pushed"]["digest"].as_str().unwrap();
    for name in names(&registry.host) {
        assert_eq!(digest_of(&name).as_deref(), Some(digest), "{name}");
    }
    // The digest was known before: it is that of the record.
    let saved: Value =
        serde_json::from_slice(&fs::read(job.checkout.file(".barge/saved.json")).unwrap()).unwrap();
    assert_eq!(saved["record"]["image"]["manifest"]["digest"], *digest);
    let pinned = format!("{}@{digest}", names(&registry.host)[0]);
    for file in [
        &job.outputs,
        &job.summary,
        &job.checkout.file(".barge/pushed.json"),
    ] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(&pinned), "{}: {text}", file.display());
    }
    // Again: nothing is sent, and the names stay.
    let again = job.run(HARMLESS, &[]).exits(0).json();
    assert_eq!(again["pushed"]["sent_blobs"], 0, "{again}");
}

#[test]
fn what_the_gate_refuses_is_not_pushed() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let mut job = Job::new(&registry.host, "push", &push());
    let run = job.run(CRITICAL, &[]).exits(10).json();
    assert_eq!(step(&run, "push")["reason"], "the gate is closed");
    let run = job.run(HARMLESS, &["--no-push"]).exits(0).json();
    assert_eq!(step(&run, "push")["state"], "skipped");
    job.checkout.set("BARGE_PUSH", "off");
    let run = job.run(HARMLESS, &[]).exits(0).json();
    let reason = "disabled by operator: BARGE_PUSH=off";
    assert_eq!(step(&run, "push")["reason"], reason);
    assert_eq!(digest_of(&names(&registry.host)[0]), None);
}

#[test]
fn proposals_checkouts_and_rehearsals_publish_nothing() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let request = pull_request("Wikid82", 7, "feat: a feature");
    let job = Job::new(&registry.host, "pull_request", &request);
    let run = job.run(HARMLESS, &["--push"]).exits(0).json();
    assert_eq!(
        step(&run, "push")["reason"],
        "a pull request publishes nothing"
    );
    job.checkout
        .barge(&["push"])
        .exits(2)
        .says("the plan for `pull_request` keeps it");

    let mut job = Job::new(&registry.host, "push", &push());
    job.checkout.set("GITHUB_ACTIONS", "false");
    job.checkout.set("GITHUB_EVENT_PATH", "");
    job.checkout.set("GITHUB_RUN_ID", "");
    let run = job.run(HARMLESS, &["--push"]).exits(0).json();
    assert_eq!(step(&run, "push")["reason"], "a checkout publishes nothing");
    job.checkout
        .barge(&["push"])
        .exits(2)
        .says("outside of any CI system");
    assert_eq!(digest_of(&names(&registry.host)[0]), None);

    // A person with a payload rehearses, unless it is said to be meant. Each run at its own time: it is what tells them apart.
    job.checkout.set("BARGE_NOW", "2026-03-04T06:00:00Z");
    let rehearsal = ["--event", "event.json"];
    let run = job.run(HARMLESS, &rehearsal).exits(0).json();
    assert_eq!(step(&run, "push")["state"], "skipped", "{run}");
    assert_eq!(digest_of(&names(&registry.host)[0]), None);
    let meant = [&rehearsal[..], &["--push"]].concat();
    job.run(HARMLESS, &meant).exits(0);
    assert!(digest_of(&names(&registry.host)[0]).is_some());
}

#[test]
fn a_job_of_its_own_pushes_what_another_built() {
    if !has_registry() {
        return;
    }
    let registry = Debian::start();
    let store = format!("registry:{}/ci/store", registry.host);
    let mut job = Job::new(&registry.host, "push", &push());
    job.checkout.set("BARGE_STORE", &store);
    job.checkout.barge(&["build"]).exits(0);
    assert_eq!(
        digest_of(&names(&registry.host)[0]),
        None,
        "a build pushes nothing"
    );
    let saved = job.checkout.barge(&["save", "--format", "json"]).exits(0);
    let record = saved.json()["saved"]["digest"].as_str().unwrap().to_owned();

    let mut other = Job::new(&registry.host, "push", &push());
    other.checkout.set("BARGE_STORE", &store);
    let pushed = other
        .checkout
        .barge(&["push", "--record", &record, "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(pushed["schema"], "barge/push/v1");
    insta::assert_json_snapshot!("push", shape(&pushed));
    // The store is in the same registry: it mounts every blob, and none passes here.
    assert_eq!(pushed["sent_blobs"], 0, "{pushed}");
    let blobs = other.checkout.file(".barge/cache/blobs/sha256");
    assert_eq!(
        fs::read_dir(blobs).unwrap().count(),
        2,
        "manifest and config"
    );
    for name in names(&registry.host) {
        assert_eq!(digest_of(&name).as_deref(), pushed["digest"].as_str());
    }
}

#[test]
fn a_registry_that_refuses_is_named_and_has_no_name_moved() {
    if !has_registry() {
        return;
    }
    let registry = Debian::with(&barge_testing::Settings {
        htpasswd: true,
        ..Default::default()
    });
    let job = Job::new(&registry.host, "push", &push());
    let ran = job.run(HARMLESS, &[]).exits(1);
    let error = ran.json();
    let text = error["error"].as_str().unwrap();
    assert_eq!(text, format!("cannot push `{}`", names(&registry.host)[0]));
    assert!(
        error["hint"].as_str().unwrap().contains("docker login"),
        "{error}"
    );
    assert!(!job.checkout.file(".barge/pushed.json").exists());
}
