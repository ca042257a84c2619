//! What is typed, what variables say, and from where paths are meant.

use crate::support::Checkout;

fn saved() -> Checkout {
    let checkout = Checkout::new();
    checkout.barge(&["build", "--engine", "embedded"]).exits(0);
    checkout.barge(&["save"]).exits(0);
    checkout
}

#[test]
fn git_leaves_the_folder_of_barge_alone() {
    let checkout = saved();
    checkout.git(&["add", "."]);
    checkout.git(&["diff", "--cached", "--quiet", "--", ".barge"]);
}

/// What `${{ vars.X }}` gives where nobody set X.
#[test]
fn a_variable_that_is_empty_is_not_set() {
    let mut checkout = saved();
    let advisories = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    for name in ["BARGE_STORE", "BARGE_SETTINGS", "BARGE_DB", "BARGE_COLOR"] {
        checkout.set(name, "");
    }
    checkout.barge(&["verify", "--db", &advisories]).exits(10);
    checkout.barge(&["store", "ls"]).exits(0);
    checkout
        .barge(&["verify"])
        .exits(5)
        .says("no advisory data");
}

#[test]
fn variables_are_heard() {
    let mut checkout = saved();
    let advisories = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    checkout.set("BARGE_DB", &advisories);
    checkout.barge(&["verify"]).exits(10);
    checkout.set("BARGE_STORE", "dir:elsewhere");
    checkout.barge(&["store", "ls"]).exits(0);
    checkout
        .barge(&[
            "db",
            "update",
            "--from",
            "advisories",
            "--for",
            "store:charon-latest",
        ])
        .exits(4)
        .says("elsewhere");
    // The variable is for all commands; an archive goes into no store.
    checkout.barge(&["save", "-o", "image.tar"]).exits(0);
    checkout
        .barge(&["save", "-o", "image.tar", "--store", "dir:elsewhere"])
        .exits(2);
    checkout.set("BARGE_STORE", "elsewhere");
    checkout.barge(&["store", "ls"]).exits(2);
    checkout.set("BARGE_COLOR", "blue");
    checkout
        .barge(&["store", "ls"])
        .exits(2)
        .says("`blue`, which is not `auto`, `always` or `never`");
}

#[test]
fn errors_have_the_colours_that_are_wanted() {
    let mut checkout = Checkout::new();
    let is_coloured = |checkout: &Checkout, arguments: &[&str]| {
        let ran = checkout.barge(arguments).exits(2);
        ran.stderr.contains('\u{1b}')
    };
    assert!(!is_coloured(&checkout, &["save"]));
    assert!(is_coloured(&checkout, &["save", "--color", "always"]));
    checkout.set("BARGE_COLOR", "always");
    assert!(is_coloured(&checkout, &["save"]));
    assert!(!is_coloured(&checkout, &["save", "--color", "never"]));
}

#[test]
fn every_path_is_meant_from_the_folder_that_is_named() {
    let checkout = Checkout::new();
    checkout.write("inner/Dockerfile", "FROM scratch\nCOPY file /\n");
    checkout.write("inner/file", "content");
    checkout.write(
        "inner/other.toml",
        "[meta]\nimages = [\"ghcr.io/example/inner\"]\n",
    );
    let inner = ["-C", "inner", "--settings", "other.toml"];
    let barge = |arguments: &[&str]| checkout.barge(&[&inner, arguments].concat());
    barge(&["build", "--engine", "embedded"]).exits(0);
    barge(&["save", "-o", "image.tar"]).exits(0);
    barge(&["sbom", "image.tar", "-o", "table=bill.txt"]).exits(5);
    assert!(checkout.file("inner/image.tar").exists());
    assert!(checkout.file("inner/bill.txt").exists());
    checkout
        .barge(&["-C", "nowhere", "plan"])
        .exits(1)
        .says("cannot work in `nowhere`");
}

#[test]
fn an_engine_may_be_named_before_what_it_is_to_save() {
    let mut checkout = Checkout::new();
    checkout.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    checkout.set("CONTAINER_HOST", "unix:///nowhere/podman.sock");
    for product in ["docker", "podman"] {
        let image = format!("{product}:ghcr.io/example/app:pr-7");
        checkout
            .barge(&["save", &image])
            .exits(1)
            .says(&format!("/nowhere/{product}.sock"));
    }
    checkout
        .barge(&["save", "docker:alpine", "podman:alpine"])
        .exits(2)
        .says("from one engine");
}

/// One error has one exit code, whichever command meets it.
#[test]
fn a_wrong_package_url_is_wrong_usage_everywhere() {
    let checkout = Checkout::new();
    let advisories = checkout.advisories("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    checkout.barge(&["sbom", "purl:foo"]).exits(2);
    checkout
        .barge(&["scan", "purl:foo", "--db", &advisories])
        .exits(2);
}

#[test]
fn a_run_that_stored_nothing_has_nothing_removed() {
    let checkout = saved();
    let remove = ["store", "rm", "charon-latest", "--run", "999"];
    checkout
        .barge(&remove)
        .exits(4)
        .says("`charon-latest of run 999`");
    let listed = checkout.barge(&["store", "ls", "--format", "json"]);
    let listed = listed.exits(0).json()["artifacts"].clone();
    let run = listed[0]["run"].as_str().unwrap();
    let attempt = [
        "store",
        "rm",
        "charon-latest",
        "--run",
        run,
        "--attempt",
        "2",
    ];
    checkout.barge(&attempt).exits(4);
    checkout.barge(&attempt[..5]).exits(0);
}
