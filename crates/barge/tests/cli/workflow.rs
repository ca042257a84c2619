//! `barge check` and `barge plan --workflow` as people call them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::Checkout;

const BEFORE: &str =
    include_str!("../../../barge-workflow/tests/rules/condition-mismatch/bad-pipeline-before.yml");
const AFTER: &str = include_str!(
    "../../../barge-workflow/tests/rules/condition-mismatch/bad-pipeline-after-concise.yml"
);
const WORKFLOW: &str = ".github/workflows/docker-build.yml";

fn with(workflow: &str) -> Checkout {
    let checkout = Checkout::new();
    checkout.write(WORKFLOW, workflow);
    checkout
}

fn rules(json: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["schema"], "barge/check/v1");
    let findings = json["findings"].as_array().unwrap().iter();
    let rules = findings.map(|finding| finding["rule"].as_str().unwrap().to_owned());
    rules.collect()
}

#[test]
fn the_pipeline_before_retypes_a_reference_and_lacks_a_guard() {
    let ran = with(BEFORE).barge(&["check", "--format", "json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    assert_eq!(rules(&ran.stdout), ["condition-mismatch", "ref-retyped"]);
    assert!(ran.stdout.contains("skip_build = 'true'"));
}

#[test]
fn the_pipeline_after_still_lacks_the_guard() {
    let ran = with(AFTER).barge(&["check", "--format", "json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    assert_eq!(rules(&ran.stdout), ["condition-mismatch"]);
}

#[test]
fn fixes_keep_what_they_do_not_change() {
    let checkout = with(BEFORE);
    let diff = checkout.barge(&["check", "--diff"]);
    let added = "+        if: github.event_name == 'pull_request' && steps.skip.outputs.skip_build != 'true'\n";
    assert!(diff.stdout.contains(added), "{}", diff.stdout);
    let read = || fs::read_to_string(checkout.file(WORKFLOW)).unwrap();
    assert_eq!(read(), BEFORE);
    checkout.barge(&["check", "--fix"]);
    let text = read();
    let apart = text
        .lines()
        .zip(BEFORE.lines())
        .filter(|(new, old)| new != old);
    assert_eq!(apart.count(), 1);
}

#[test]
fn results_are_kept_by_content_and_never_trusted_blindly() {
    let checkout = with(BEFORE);
    let cache = checkout.file(".cache/barge/check");
    let first = checkout.barge(&["check"]);
    let entries = || {
        let builds = listed(&cache);
        let files = builds.iter().flat_map(|build| listed(build));
        files.collect::<Vec<_>>()
    };
    let [entry] = entries().try_into().unwrap();
    assert_eq!(checkout.barge(&["check"]).stdout, first.stdout);
    // A torn entry, one of another key, and one that speaks of a file that is not there.
    let text = fs::read_to_string(&entry).unwrap();
    for broken in [
        text[..text.len() / 2].to_owned(),
        text.replace("\"key\":\"", "\"key\":\"0"),
        text.replace("docker-build.yml", "nothing.yml"),
    ] {
        fs::write(&entry, broken).unwrap();
        assert_eq!(checkout.barge(&["check"]).stdout, first.stdout);
    }
    checkout.write(WORKFLOW, AFTER);
    assert_ne!(checkout.barge(&["check"]).stdout, first.stdout);
    assert_eq!(entries().len(), 2);
}

#[test]
fn a_local_action_that_changes_is_checked_again() {
    let checkout = with(
        "on: [push]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./.github/actions/build\n      - run: docker save app:1 -o app.tar\n",
    );
    let action = |tag: &str| {
        let text = format!(
            "runs:\n  using: composite\n  steps:\n    - run: docker build -t {tag} .\n      shell: bash\n"
        );
        checkout.write(".github/actions/build/action.yml", &text);
    };
    action("app:1");
    assert_eq!(checkout.barge(&["check"]).code, 0);
    action("app:2");
    let ran = checkout.barge(&["check", "--format", "json"]);
    assert_eq!(rules(&ran.stdout), ["ref-mismatch"]);
}

#[test]
fn broken_files_are_named_and_stop_nothing() {
    let checkout = with(BEFORE);
    checkout.write(".github/workflows/a-broken.yml", "on: push\n  jobs: {}\n");
    let ran = checkout.barge(&["check", "--format", "json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let unreadable = &json["unreadable"][0];
    assert_eq!(unreadable["path"], ".github/workflows/a-broken.yml");
    assert_eq!(unreadable["line"], 2);
    assert_eq!(rules(&ran.stdout).len(), 2);
}

#[test]
fn many_checkouts_are_summed_up() {
    let folder = Checkout::new();
    for (name, text) in [("one", BEFORE), ("two", "on: push\njobs: {}\n")] {
        folder.write(&format!("org/{name}/{WORKFLOW}"), text);
    }
    let ran = folder.barge(&["check", "org", "--fail-on", "never"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let end = "1 of 2 repositories are clean\n2 workflows: 1 error, 0 warnings, 1 note\n";
    assert!(ran.stdout.ends_with(end), "{}", ran.stdout);
}

#[test]
fn files_that_are_followed_are_named_once_by_the_path_people_see() {
    let folder = Checkout::new();
    let file =
        |name: &str, text: &str| folder.write(&format!("org/one/.github/workflows/{name}"), text);
    file(
        "caller.yml",
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n",
    );
    file(
        "called.yml",
        "on: workflow_call\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t app:1 .\n      - run: docker save app:2 -o app.tar\n",
    );
    // The second run takes the findings from where the first one kept them.
    for _ in 0..2 {
        let ran = folder.barge(&["check", "org", "--format", "json"]);
        assert_eq!(rules(&ran.stdout), ["ref-mismatch"]);
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        let path = &json["findings"][0]["path"];
        assert_eq!(path, "org/one/.github/workflows/called.yml");
    }
}

#[test]
fn baselines_sarif_and_annotations() {
    let mut checkout = with(BEFORE);
    let written = checkout.barge(&["check", "--write-baseline", "known.json"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let ran = checkout.barge(&["check", "--baseline", "known.json", "--format", "json"]);
    assert_eq!((ran.code, rules(&ran.stdout).len()), (0, 0));
    checkout.set("GITHUB_ACTIONS", "true");
    let ran = checkout.barge(&["check", "--sarif", "out.sarif"]);
    let annotation = "::error title=barge condition-mismatch,file=.github/workflows/docker-build.yml,line=96::docker save needs";
    assert!(ran.stderr.contains(annotation), "{}", ran.stderr);
    let sarif = fs::read_to_string(checkout.file("out.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "condition-mismatch");
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["startLine"], 96);
}

/// A workflow that saves in each of some jobs what it did not build.
fn saves(jobs: usize) -> String {
    let job = |number| {
        format!(
            "  j{number}:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t app:{number} .\n      - run: docker save app:x -o app.tar\n"
        )
    };
    let jobs: String = (0..jobs).map(job).collect();
    format!("on: push\njobs:\n{jobs}")
}

#[test]
fn equal_lines_are_known_by_their_number() {
    let checkout = with(&saves(2));
    checkout.barge(&["check", "--write-baseline", "known.json"]);
    let left = |jobs| {
        checkout.write(WORKFLOW, &saves(jobs));
        let ran = checkout.barge(&["check", "--baseline", "known.json", "--format", "json"]);
        rules(&ran.stdout).len()
    };
    assert_eq!((left(1), left(2), left(4)), (0, 0, 2));
    checkout.barge(&["check", "--sarif", "out.sarif"]);
    let sarif = fs::read_to_string(checkout.file("out.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let prints = results.map(|result| &result["partialFingerprints"]["primaryLocationLineHash"]);
    let mut prints: Vec<&str> = prints.map(|print| print.as_str().unwrap()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 4);
}

#[test]
fn what_would_be_left_undone_is_refused() {
    let checkout = with(BEFORE);
    for other in [
        &["--fix"][..],
        &["--diff"],
        &["--sarif", "x"],
        &["--baseline", "x"],
    ] {
        let ran = checkout.barge(&[&["check", "--write-baseline", "known.json"], other].concat());
        assert_eq!(ran.code, 2, "{other:?}");
    }
    let ran = checkout.barge(&["plan", "--workflow", WORKFLOW, "--event", "event.json"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("--payload"), "{}", ran.stderr);
    let ran = checkout.barge(&["check", "--explain", WORKFLOW, "--fail-on", "never"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("condition-mismatch"), "{}", ran.stdout);
}

#[test]
fn results_are_not_kept_for_ever() {
    let checkout = with(BEFORE);
    checkout.write(".cache/barge/check/0.0.1-1-1/entry.json", "{}");
    checkout.write(".cache/barge/other", "kept");
    checkout.barge(&["check"]);
    // Those of other builds.
    assert!(!checkout.file(".cache/barge/check/0.0.1-1-1").exists());
    assert!(checkout.file(".cache/barge/other").exists());
    // Those that were not used for longest, once there are too many; the one that is used now is younger again.
    let [folder] = listed(&checkout.file(".cache/barge/check"))
        .try_into()
        .unwrap();
    let [entry] = listed(&folder).try_into().unwrap();
    let aged = |path: &Path, days: u64| {
        let file = fs::File::options().append(true).open(path).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - Duration::from_secs(days * 24 * 60 * 60))
            .unwrap();
    };
    let other = folder.join("other.json");
    fs::File::create(&other)
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    aged(&other, 1);
    aged(&entry, 2);
    checkout.barge(&["check"]);
    assert_eq!(listed(&folder).len(), 2, "there is room for both");
    let third = folder.join("third.json");
    fs::File::create(&third).unwrap().set_len(60 << 20).unwrap();
    checkout.barge(&["check"]);
    let left: BTreeSet<_> = listed(&folder).into_iter().collect();
    assert_eq!(left, BTreeSet::from([entry, third]));
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[cfg(unix)]
#[test]
fn files_that_are_no_workflows_are_named_and_not_read() {
    use std::os::unix::fs::symlink;

    let folder = Checkout::new();
    folder.write("secret.yml", "on: push\njobs: {s3cret: [\n");
    folder.write("secret/action.yml", "runs: {using: composite, steps: []}\n");
    folder.write(&format!("org/one/{WORKFLOW}"), "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t app:1 .\n      - uses: ./secret\n      - run: docker save app:2 -o app.tar\n");
    let workflows = folder.file("org/one/.github/workflows");
    let pipe = std::process::Command::new("mkfifo")
        .arg(workflows.join("pipe.yml"))
        .status();
    assert!(pipe.unwrap().success());
    symlink("/dev/zero", workflows.join("zero.yml")).unwrap();
    symlink(folder.file("secret.yml"), workflows.join("link.yml")).unwrap();
    symlink("docker-build.yml", workflows.join("same.yml")).unwrap();
    symlink(folder.file("secret"), folder.file("org/one/secret")).unwrap();
    folder.write(
        "org/one/.github/workflows/large.yml",
        &"#\n".repeat(3 << 20),
    );
    let ran = folder.barge(&["check", "org", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let unreadable = json["unreadable"].as_array().unwrap().iter();
    let named = unreadable.map(|one| one["path"].as_str().unwrap().rsplit('/').next().unwrap());
    assert_eq!(
        named.collect::<Vec<_>>(),
        ["large.yml", "link.yml", "pipe.yml", "zero.yml"]
    );
    assert!(!ran.stdout.contains("s3cret"));
    // What the action outside does is not known, so nothing is claimed of what follows it.
    assert_eq!(rules(&ran.stdout), Vec::<String>::new());
    // A link that somebody names is meant.
    let ran = folder.barge(&["check", "org/one/.github/workflows/link.yml"]);
    assert_eq!(ran.code, 5, "{}", ran.stdout);
}

#[test]
fn words_of_a_daemon_and_rules_are_explained() {
    let checkout = Checkout::new();
    let words = "Error response from daemon: reference does not exist";
    let ran = checkout.barge(&["check", "--explain-error", words]);
    assert!(
        ran.stdout.contains("a skipped step is green"),
        "{}",
        ran.stdout
    );
    let rule = checkout.barge(&["check", "--explain", "condition-mismatch"]);
    assert!(
        rule.stdout.starts_with("condition-mismatch (error)"),
        "{}",
        rule.stdout
    );
}

#[test]
fn the_plan_shows_the_case_that_breaks() {
    let ran = with(BEFORE).barge(&["plan", "--workflow", WORKFLOW, "--all-events"]);
    let breaking: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.contains("  breaks"))
        .filter_map(|line| Some(line.split_once("  ")?.0))
        .collect();
    assert_eq!(
        breaking,
        ["pull_request, steps.skip.outputs.skip_build = 'true'"]
    );
}

#[test]
fn a_payload_decides_what_its_title_says() {
    let checkout = with(BEFORE);
    let payload = |title: &str| {
        let json = serde_json::json!({
            "number": 7,
            "pull_request": {
                "number": 7,
                "title": title,
                "merge_commit_sha": "b".repeat(40),
                "head": {"ref": "x", "sha": "c".repeat(40), "repo": {"fork": false}},
                "base": {"ref": "main"},
            },
            "sender": {"login": "octocat"},
            "repository": {"full_name": "Wikid82/Charon", "name": "Charon", "default_branch": "main",
                "owner": {"login": "Wikid82"}},
        });
        checkout.write("event.json", &json.to_string());
        let arguments = [
            "plan",
            "--workflow",
            WORKFLOW,
            "--event",
            "pull_request",
            "--payload",
            "event.json",
        ];
        checkout.barge(&arguments).stdout
    };
    let skipped = payload("chore: bump deps");
    assert!(skipped.contains("skip_build = true\n"), "{skipped}");
    assert!(skipped.contains("FAIL     build-and-push"), "{skipped}");
    let built = payload("Add a page");
    assert!(built.contains("skip_build = false\n"), "{built}");
    assert!(
        built.contains("image    ghcr.io/wikid82/charon:pr-7  in the daemon"),
        "{built}"
    );
    assert!(!built.contains("break "), "{built}");
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let checkout = with(BEFORE);
    let mut arguments = vec!["plan", "--workflow", WORKFLOW, "--event", "pull_request"];
    arguments.extend(["--assume", "skip_build=true", "--html", "plan.html"]);
    let ran = checkout.barge(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let page = fs::read_to_string(checkout.file("plan.html")).unwrap();
    for absent in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("<path class=\"broken\""));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("Content-Security-Policy"));
}
