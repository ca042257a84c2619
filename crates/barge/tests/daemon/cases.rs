//! The cases, each named for what it shows.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use barge_testing::noise;

use super::Docker;
use super::addresses;
use super::proxy::{Fault, faulty};
use super::store;
use super::support::{Checkout, pull_request};

/// A case is a function of the daemon.
type Case = fn(&Docker);

pub(crate) const ALL: &[(&str, Case)] = &[
    (
        "a_pull_request_is_built_saved_removed_and_loaded_again",
        five_steps,
    ),
    ("owners_are_lower_cased_once", owners),
    ("a_removed_image_is_diagnosed", removed),
    ("a_moved_tag_is_diagnosed", retagged),
    (
        "every_way_to_miss_an_image_is_told_from_the_others",
        diagnosis,
    ),
    ("a_dirty_daemon_is_told_before_a_tag_moves", dirty),
    ("every_tag_is_saved_and_loaded", every_tag),
    (
        "the_embedded_builder_and_the_daemon_agree_on_the_image",
        embedded,
    ),
    ("a_second_load_sends_nothing", present),
    ("only_missing_layers_are_sent", partial),
    ("programs_hear_of_each_layer", progress),
    ("a_failing_step_is_named_and_leaves_nothing", failing_build),
    ("a_build_beyond_its_deadline_is_stopped", deadline),
    ("a_build_that_stalls_is_stopped_in_time", stalled),
    (
        "contexts_of_the_docker_client_are_followed",
        addresses::contexts,
    ),
    (
        "an_address_of_podman_that_was_set_is_meant",
        addresses::container_host,
    ),
    (
        "a_daemon_behind_tls_is_reached_by_certificates",
        addresses::tls,
    ),
    ("a_full_disk_leaves_nothing_under_the_final_name", full_disk),
    ("an_export_that_breaks_off_leaves_nothing", cut_export),
    ("the_whole_way_ends_with_a_verdict", whole_way),
    ("what_the_store_knows_is_not_packed_again", store::known),
    (
        "an_export_brings_no_layer_that_the_store_knows",
        store::known_of_an_export,
    ),
    (
        "layers_read_in_place_are_those_of_an_export",
        store::in_place,
    ),
    (
        "an_image_in_a_registry_is_pulled_by_the_engine_itself",
        store::pulled,
    ),
    ("a_killed_save_leaves_a_whole_store", store::killed_saves),
    ("a_killed_load_can_be_run_again", store::killed_loads),
];

/// A checkout that speaks to the daemon, for a pull request.
pub(crate) fn checkout(docker: &Docker, owner: &str, number: u64) -> Checkout {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", &docker.host);
    checkout.set("GITHUB_EVENT_NAME", "pull_request");
    checkout.write(
        "pr.json",
        &pull_request(owner, number, "feat: carry images").to_string(),
    );
    // Runs side by side must not share an image: the name of the repository is the test's own.
    let unique = checkout
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .trim_start_matches('.')
        .to_lowercase();
    checkout.write(
        "barge.toml",
        &format!(
            "[meta]\nimages = [\"ghcr.io/{}/{unique}\"]\n",
            owner.to_lowercase()
        ),
    );
    checkout
}

/// Keeps barge from reading layers in the daemon's data folder.
pub(crate) fn always_export(checkout: &Checkout) {
    let settings = fs::read_to_string(checkout.file("barge.toml")).unwrap();
    checkout.write(
        "barge.toml",
        &format!("{settings}[build]\nalways_export = true\n"),
    );
}

pub(crate) fn name(checkout: &Checkout, owner: &str, tag: &str) -> String {
    let unique = checkout
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .trim_start_matches('.')
        .to_lowercase();
    format!("ghcr.io/{}/{unique}:{tag}", owner.to_lowercase())
}

fn five_steps(docker: &Docker) {
    for number in [5, 42, 123] {
        let checkout = checkout(docker, "Wikid82", number);
        let tag = name(&checkout, "Wikid82", &format!("pr-{number}"));
        checkout.barge(&["build", "--event", "pr.json"]).exits(0);
        let built = docker.id(&tag).expect("the image is there after the build");
        checkout.barge(&["save", "-o", "image.tar"]).exits(0);
        checkout.barge(&["save"]).exits(0);
        docker.run(&["rmi", &tag]);
        assert_eq!(docker.id(&tag), None);
        docker.run(&[
            "load",
            "--input",
            checkout.file("image.tar").to_str().unwrap(),
        ]);
        assert_eq!(
            docker.id(&tag).as_deref(),
            Some(&*built),
            "docker loads barge's archive"
        );
        docker.run(&["rmi", &tag]);
        checkout.barge(&["load"]).exits(0);
        assert_eq!(docker.id(&tag), Some(built), "barge loads from its store");
        docker.run(&["rmi", &tag]);
    }
}

fn owners(docker: &Docker) {
    for owner in ["Wikid82", "TestUser", "UPPERCASE"] {
        let checkout = checkout(docker, owner, 7);
        fs::remove_file(checkout.file("barge.toml")).unwrap();
        let built = checkout
            .barge(&["build", "--event", "pr.json", "--format", "json"])
            .exits(0)
            .json();
        let expected = format!("ghcr.io/{}/charon:pr-7", owner.to_lowercase());
        assert_eq!(built["built"]["references"], serde_json::json!([expected]));
        let saved = checkout
            .barge(&["save", "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(
            saved["saved"]["record"]["references"],
            serde_json::json!([expected])
        );
        docker.run(&["rmi", &expected]);
    }
}

fn removed(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 7);
    let tag = name(&checkout, "wikid82", "pr-7");
    let other = name(&checkout, "wikid82", "pr-70");
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    docker.run(&["tag", &tag, &other]);
    docker.run(&["rmi", &tag]);
    let ran = checkout.barge(&["save", "-o", "image.tar"]).exits(3);
    let ran = ran
        .says(&format!("holds no image `{tag}`"))
        .says(&format!("{tag}` gives it back"));
    assert!(ran.stdout.is_empty() && !checkout.file("image.tar").exists());
    checkout.barge(&["save"]).exits(3);
    assert!(!checkout.file(".barge/saved.json").exists());
    docker.run(&["rmi", &other]);
}

fn retagged(docker: &Docker) {
    let first = checkout(docker, "wikid82", 7);
    let tag = name(&first, "wikid82", "pr-7");
    first.barge(&["build", "--event", "pr.json"]).exits(0);
    let second = checkout(docker, "wikid82", 8);
    second.write("app/run", "something else\n");
    second.barge(&["build", "--event", "pr.json"]).exits(0);
    let other = name(&second, "wikid82", "pr-8");
    docker.run(&["tag", &other, &tag]);
    first
        .barge(&["save"])
        .exits(3)
        .says(&format!("`{tag}` names another image now"));
    docker.run(&["rmi", &tag, &other]);
}

/// The causes of a failed hand-off that show when a reference is looked up, with the words that tell each.
fn diagnosis(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 77);
    let tag = name(&checkout, "wikid82", "pr-77");
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let (repository, _) = tag.rsplit_once(':').unwrap();
    let bare = repository.rsplit('/').next().unwrap();
    let short = format!("{bare}:pr-77");
    let id = docker.id(&tag).unwrap();
    docker.run(&["tag", &tag, &short]);
    let cases = [
        // 3: the owner as it is typed, which no registry has.
        (
            tag.replace("wikid82", "Wikid82"),
            2,
            format!("did you mean `{tag}`?"),
        ),
        // 4: the registry was left out, or is another one.
        (
            format!("wikid82/{short}"),
            3,
            format!("`{tag}` (another registry)"),
        ),
        (
            format!("quay.io/wikid82/{short}"),
            3,
            format!("`{tag}` (another registry)"),
        ),
        // 5: what has no registry is Docker Hub's.
        (
            format!("localhost/{short}"),
            3,
            format!("`{short}` (another registry)"),
        ),
        // 6: the tag was made by other rules; 10: no tag is `latest`, not every tag.
        (
            format!("{repository}:sha-1234567"),
            3,
            format!("`{tag}` (another tag)"),
        ),
        (repository.to_owned(), 3, format!("`{tag}` (another tag)")),
        (
            format!("{repository}:PR-77"),
            3,
            format!("`{tag}` (the tag in other case)"),
        ),
        // 7: no pull request in this event.
        (format!("{repository}:pr-"), 3, "lacks its end".into()),
        // 8: a branch for a tag.
        (format!("{repository}:feature/x"), 2, "feature/x".into()),
        // 9: a list for a name.
        (
            format!("{tag}\n{short}"),
            2,
            "is not an image reference".into(),
        ),
        // 11: an ID, short or whole.
        (id[7..19].to_owned(), 3, "an image ID".into()),
        (id.clone(), 3, "an image ID".into()),
        // 15 and 1: nothing like it.
        (
            "ghcr.io/nobody/nothing-alike:1".into(),
            3,
            "was skipped, failed".into(),
        ),
        (String::new(), 2, "was skipped or wrote nothing".into()),
    ];
    for (asked, code, words) in &cases {
        let ran = checkout.barge(&["save", asked]);
        assert_eq!(ran.code, *code, "{asked:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{asked:?}: {}", ran.stderr);
        assert!(!checkout.file(".barge/saved.json").exists());
    }
    // 16: the daemon that was asked is named.
    let ran = checkout
        .barge(&["save", "ghcr.io/nobody/nothing:1"])
        .exits(3);
    ran.says(&docker.host);
    // 1 and 2: a builder in a container has it in its cache. The test's own stands for it.
    let node = format!("buildx_buildkit_{bare}0");
    docker.run(&["create", "--name", &node, &tag, "none"]);
    let ran = checkout
        .barge(&["save", "ghcr.io/nobody/nothing:1"])
        .exits(3);
    docker.run(&["rm", &node]);
    ran.says("beside it keeps what it builds in a cache of its own");
    docker.run(&["rmi", &tag, &short]);
}

fn dirty(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 9);
    let tag = name(&checkout, "wikid82", "pr-9");
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let built = docker.id(&tag);
    checkout.barge(&["save"]).exits(0);
    docker.run(&["rmi", &tag]);
    checkout.write("app/run", "an image of somebody else\n");
    docker.run(&[
        "build",
        "--quiet",
        "--tag",
        &tag,
        checkout.path().to_str().unwrap(),
    ]);
    assert_ne!(docker.id(&tag), built);
    checkout
        .barge(&["load"])
        .exits(0)
        .says(&format!("`{tag}` moves here from image"));
    assert_eq!(docker.id(&tag), built);
    docker.run(&["rmi", &tag]);
}

fn every_tag(docker: &Docker) {
    let mut checkout = checkout(docker, "wikid82", 1);
    checkout.set("GITHUB_EVENT_NAME", "");
    let built = checkout
        .barge(&["build", "--format", "json"])
        .exits(0)
        .json();
    let tags: Vec<String> = serde_json::from_value(built["built"]["references"].clone()).unwrap();
    assert_eq!(tags.len(), 2, "latest and sha: {tags:?}");
    let ids: Vec<_> = tags.iter().map(|tag| docker.id(tag)).collect();
    assert!(ids[0].is_some() && ids[0] == ids[1]);
    checkout.barge(&["save"]).exits(0);
    tags.iter().for_each(|tag| drop(docker.run(&["rmi", tag])));
    checkout.barge(&["load"]).exits(0);
    assert_eq!(
        tags.iter().map(|tag| docker.id(tag)).collect::<Vec<_>>(),
        ids
    );
    tags.iter().for_each(|tag| drop(docker.run(&["rmi", tag])));
}

fn embedded(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 11);
    let tag = name(&checkout, "wikid82", "pr-11");
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "embedded"])
        .exits(0);
    assert_eq!(docker.id(&tag), None, "the embedded builder asks no daemon");
    let saved = checkout
        .barge(&["save", "--format", "json"])
        .exits(0)
        .json();
    checkout.barge(&["load"]).exits(0);
    assert_eq!(
        docker.id(&tag).as_deref(),
        saved["saved"]["record"]["image"]["config"].as_str()
    );
    let container = docker.run(&["create", &tag]);
    docker.run(&[
        "cp",
        &format!("{container}:/app/run"),
        checkout.file("copied").to_str().unwrap(),
    ]);
    assert_eq!(
        fs::read_to_string(checkout.file("copied")).unwrap(),
        "hello\n"
    );
    docker.run(&["rm", &container]);
    docker.run(&["rmi", &tag]);
}

fn present(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 12);
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    checkout.barge(&["save"]).exits(0);
    let loaded = checkout
        .barge(&["load", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(loaded["sent_layers"], 0);
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-12")]);
}

fn partial(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 13);
    let tag = name(&checkout, "wikid82", "pr-13");
    checkout.write("Dockerfile", "FROM scratch\nCOPY app/node_modules /app/node_modules\nCOPY app/run /app/run\nCMD [\"x\"]\n");
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let base = name(&checkout, "wikid82", "base");
    docker.run(&["tag", &tag, &base]);
    checkout.write("app/run", "the second commit\n");
    checkout
        .barge(&["build", "--event", "pr.json", "--engine", "docker"])
        .exits(0);
    checkout.barge(&["save"]).exits(0);
    let built = docker.id(&tag);
    docker.run(&["rmi", &tag]);
    let loaded = checkout
        .barge(&["load", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(
        (&loaded["sent_layers"], &loaded["layers"]),
        (&1.into(), &2.into())
    );
    assert_eq!(docker.id(&tag), built);
    docker.run(&["rmi", &tag, &base]);
}

fn progress(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 19);
    let tag = name(&checkout, "wikid82", "pr-19");
    // A layer that another test has too would not be sent.
    checkout.write("app/own", &tag);
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let saved = checkout.barge(&["save", "--log", "json"]).exits(0);
    docker.run(&["rmi", &tag]);
    let loaded = checkout.barge(&["load", "--log", "json"]).exits(0);
    for ran in [saved, loaded] {
        let events = ran.stderr.lines().map(serde_json::from_str);
        let events: Vec<serde_json::Value> = events.collect::<Result<_, _>>().unwrap();
        let last = events.iter().rfind(|event| event["layer"].is_number());
        let last = last.unwrap_or_else(|| panic!("no transfer in {}", ran.stderr));
        assert_eq!((&last["layer"], &last["layers"]), (&1.into(), &1.into()));
        assert_eq!(last["layer_bytes"], last["layer_size"], "{last}");
    }
    let quiet = checkout
        .barge(&["load", "--log", "json", "--quiet"])
        .exits(0);
    assert_eq!(quiet.stderr, "");
    docker.run(&["rmi", &tag]);
}

fn failing_build(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 14);
    checkout.write("Dockerfile", "FROM scratch\nCOPY missing /\n");
    checkout
        .barge(&["build", "--event", "pr.json"])
        .exits(1)
        .says("missing");
    assert!(!checkout.file(".barge/build.json").exists());
    checkout.barge(&["save"]).exits(2).says("nothing to save");
}

fn deadline(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 15);
    let busybox = Path::new("/bin/busybox");
    let shell = if busybox.exists() {
        busybox
    } else {
        Path::new("/bin/sh")
    };
    fs::copy(shell, checkout.file("app/sh")).unwrap();
    checkout.write(
        "Dockerfile",
        "FROM scratch\nCOPY app /bin\nADD https://127.0.0.1:9/never /\n",
    );
    let settings = fs::read_to_string(checkout.file("barge.toml")).unwrap();
    checkout.write("barge.toml", &format!("{settings}[build]\ntimeout = 0\n"));
    checkout
        .barge(&["build", "--event", "pr.json"])
        .exits(1)
        .says("stopped after 0 s");
    assert!(!checkout.file(".barge/build.json").exists());
}

/// The daemon takes no more of the context, before or after it began to answer.
fn stalled(docker: &Docker) {
    const BEGUN: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut checkout = checkout(docker, "wikid82", 19);
    fs::write(checkout.file("app/noise"), noise(1, 8 << 20)).unwrap();
    let settings = fs::read_to_string(checkout.file("barge.toml")).unwrap();
    let settings = format!("{settings}[build]\nengine = \"docker\"\ntimeout = 2\n");
    checkout.write("barge.toml", &settings);
    for (name, answer) in [("silent", ""), ("begun", BEGUN)] {
        let socket = checkout.file(&format!("{name}.sock"));
        let fault = Fault::StallBuilds(answer);
        checkout.set("DOCKER_HOST", &faulty(&socket, &docker.host, fault));
        let mut build = checkout.command(&["build", "--event", "pr.json"]);
        let mut build = build.stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while build.try_wait().unwrap().is_none() {
            let waited = begun.elapsed();
            if waited > Duration::from_secs(30) {
                build.kill().unwrap();
                panic!("{name}: it still runs after {waited:?}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        let mut said = String::new();
        build.stderr.unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("stopped after 2 s"), "{name}: {said}");
    }
}

fn full_disk(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 16);
    // Noise does not compress, so neither form of the image fits.
    fs::write(checkout.file("app/noise"), noise(1, 3 << 20)).unwrap();
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    let small = checkout.file("small");
    fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&small)
        .status();
    assert!(
        mounted.unwrap().success(),
        "this test mounts a small tmpfs and needs root for it"
    );
    let archive = small.join("image.tar");
    let to_archive = checkout.barge(&["save", "-o", archive.to_str().unwrap()]);
    let left: Vec<_> = fs::read_dir(&small)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let to_store = checkout.barge(&[
        "save",
        "--store",
        &format!("dir:{}", small.join("store").display()),
    ]);
    let pointers = fs::read_dir(small.join("store/artifacts"))
        .map(Iterator::count)
        .unwrap_or_default();
    Command::new("umount").arg(&small).status().unwrap();
    to_archive.exits(1).says("No space left on device");
    to_store.exits(4).says("No space left on device");
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(pointers, 0);
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-16")]);
}

fn cut_export(docker: &Docker) {
    let mut checkout = checkout(docker, "wikid82", 18);
    always_export(&checkout);
    fs::write(checkout.file("app/noise"), noise(1, 1 << 20)).unwrap();
    checkout.barge(&["build", "--event", "pr.json"]).exits(0);
    for limit in [2_000, 300_000, 1_000_000] {
        let socket = checkout.file(&format!("cut-{limit}.sock"));
        let fault = Fault::CutExports(limit);
        checkout.set("DOCKER_HOST", &faulty(&socket, &docker.host, fault));
        let ran = checkout.barge(&["save", "-o", "image.tar"]);
        assert_eq!(
            (ran.code, checkout.file("image.tar").exists()),
            (1, false),
            "{limit}: {}",
            ran.stderr
        );
        let ran = checkout.barge(&["save"]);
        let pointers = fs::read_dir(checkout.file(".barge/store/artifacts")).map(Iterator::count);
        assert_eq!(
            (ran.code, pointers.unwrap_or_default()),
            (1, 0),
            "{limit}: {}",
            ran.stderr
        );
    }
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-18")]);
}

fn whole_way(docker: &Docker) {
    let checkout = checkout(docker, "wikid82", 17);
    let tag = name(&checkout, "wikid82", "pr-17");
    let critical = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    let ran = checkout
        .barge(&["run", "--event", "pr.json", "--db", &critical])
        .exits(10);
    assert!(
        ran.last_line().starts_with("verdict: failed"),
        "{}",
        ran.stdout
    );
    let high = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    let ran = checkout
        .barge(&[
            "run",
            "--event",
            "pr.json",
            "--db",
            &high,
            "--store",
            "dir:other",
        ])
        .exits(0);
    assert!(
        ran.last_line().starts_with("verdict: passed with warnings"),
        "{}",
        ran.stdout
    );
    assert!(docker.id(&tag).is_some(), "the image is loaded again");
    docker.run(&["rmi", &tag]);
}
