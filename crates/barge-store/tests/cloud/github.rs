//! Artifacts of GitHub Actions: what barge stores, GitHub's own client reads, and the other way.

use std::io::Read as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use barge_image::{Digest, Layout};
use barge_store::github::{
    ApiAccess, Error as GitHubError, GitHubOptions, GitHubStore, MAGIC, Origin, RunAccess,
    ServiceRetry, Upload,
};
use barge_store::registry::Secret;
use barge_store::remote::Wanted;
use barge_store::{Error, OtherRuns, Remote as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Case;
use super::conformance::{Local, conforms, fetch, pointer, publish, run};
use super::fixture::{folder, http_options};
use super::servers::{curl, file, front, modules};

pub(crate) const CASES: &[Case] = &[
    case("github::conforms_as_a_store", conforms_as_a_store),
    case(
        "github::its_own_client_reads_what_barge_stored",
        own_client_reads,
    ),
    case(
        "github::what_its_own_client_stored_is_read",
        own_client_writes,
    ),
    case("github::other_runs_are_read_through_the_api", other_runs),
    case("github::forks_are_not_taken_for_the_repository", forks),
    case(
        "github::addresses_that_ended_are_asked_for_anew",
        expired_addresses,
    ),
    case("github::a_name_whose_upload_broke_off_says_so", unfinished),
    case("github::layers_move_in_blocks", blocks),
];

pub(crate) const fn case(name: &'static str, run: fn()) -> Case {
    let needs = || modules().is_some();
    Case { name, needs, run }
}

fn token(run: &str) -> String {
    let claims = format!(r#"{{"scp":"Actions.Example Actions.Results:run-{run}:job-1"}}"#);
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
}

pub(crate) fn options(run: &str) -> GitHubOptions {
    let http = http_options();
    GitHubOptions {
        retry: ServiceRetry(http.retry),
        http,
        run: Some(RunAccess::new(&token(run), &front().address).unwrap()),
        upload: Upload {
            block: 100_000,
            ..Upload::default()
        },
        ..GitHubOptions::default()
    }
}

/// The store of a run.
pub(crate) fn store(run: &str) -> GitHubStore {
    GitHubStore::new(None, Ok(options(run))).unwrap()
}

/// The store of other runs, as the REST API has it.
fn others(run: Option<u64>, origin: Origin) -> GitHubStore {
    let secret = Secret::new("token");
    let options = GitHubOptions {
        api: Some(ApiAccess::new(&front().address, secret, "").unwrap()),
        run: None,
        origin,
        ..options("none")
    };
    let others = OtherRuns {
        repository: "acme/app".into(),
        run,
    };
    GitHubStore::new(Some(&others), Ok(options)).unwrap()
}

pub(crate) fn control(wanted: &Value) {
    let address = format!("{}/control", front().address);
    curl(&["-d", &wanted.to_string(), &address]);
}

/// Runs GitHub's own client inside a run.
pub(crate) fn client(run: &str, arguments: &[&str]) -> Value {
    let mut node = Command::new("node");
    node.arg(file("client.mjs")).arg(modules().unwrap());
    node.args(arguments)
        .env("ACTIONS_RUNTIME_TOKEN", token(run))
        .env("ACTIONS_RESULTS_URL", &front().address)
        .env("GITHUB_SERVER_URL", "https://github.com");
    let output = node.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn conforms_as_a_store() {
    conforms(&store("1"), ["100", "101"]);
}

fn own_client_reads() {
    let local = Local::new(&[(1, 400_000), (2, 10)]);
    let one = pointer("image-pr-7", run("77", 2), b"record");
    publish(&store("2"), &local, &one, b"record").unwrap();
    let name = "image-pr-7.77-2.barge";
    let listed = client("2", &["list"]);
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 1, "{listed}");
    let digest = listed["artifacts"][0]["digest"]
        .as_str()
        .unwrap()
        .to_owned();

    let to = folder();
    let answer = client("2", &["download", name, to.path.as_str()]);
    assert_eq!(answer["digestMismatch"], false, "{answer}");
    let bytes = std::fs::read(to.path.join(name)).unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), digest);
    assert_eq!(listed["artifacts"][0]["size"], bytes.len());
    assert!(bytes.starts_with(&MAGIC) && bytes.ends_with(&MAGIC));
}

fn own_client_writes() {
    let local = Local::new(&[(3, 250_000)]);
    let one = pointer("image", run("5", 1), b"record");
    publish(&store("3"), &local, &one, b"record").unwrap();
    let to = folder();
    let name = "image.5-1.barge";
    client("3", &["download", name, to.path.as_str()]);

    // Another run gets the same file from GitHub's own client.
    client("4", &["upload", to.path.join(name).as_str()]);
    let store = store("4");
    assert_eq!(
        store.pointers(&Wanted::default()).unwrap().pointers,
        std::slice::from_ref(&one)
    );
    fetch(&store, &one, &local, b"record");

    // What is no pack is passed over, unless it was asked for.
    let odd = to.path.join("odd.1-1.barge");
    std::fs::write(&odd, "no pack, but as long as one must be ".repeat(10)).unwrap();
    client("4", &["upload", odd.as_str()]);
    assert_eq!(
        store.pointers(&Wanted::default()).unwrap().pointers,
        std::slice::from_ref(&one)
    );
    let error = store
        .pointers(&super::conformance::wanted("odd"))
        .unwrap_err();
    let Error::GitHub { source, .. } = error else {
        panic!("{error:?}");
    };
    assert!(matches!(*source, GitHubError::Pack { .. }), "{source:?}");

    // A pack under another name is not what it is called.
    let renamed = to.path.join("other.5-1.barge");
    std::fs::rename(to.path.join(name), &renamed).unwrap();
    client("4", &["upload", renamed.as_str()]);
    let error = store
        .pointers(&super::conformance::wanted("other"))
        .unwrap_err();
    assert!(
        format!("{error:?}").contains("image.5-1.barge"),
        "{error:?}"
    );
}

fn other_runs() {
    // Other tests store in the same repository: a record of its own.
    const RECORD: &[u8] = b"record of run 900";
    let local = Local::new(&[(4, 200_000), (5, 300)]);
    let one = pointer("image-pr-8", run("900", 1), RECORD);
    publish(&store("900"), &local, &one, RECORD).unwrap();
    let other = others(Some(900), Origin::default());
    assert_eq!(
        other.pointers(&Wanted::default()).unwrap().pointers,
        std::slice::from_ref(&one)
    );
    fetch(&other, &one, &local, RECORD);
    // By the record alone, as a later job has it.
    fetch(&others(None, Origin::default()), &one, &local, RECORD);
    assert_eq!(
        others(Some(901), Origin::default())
            .pointers(&Wanted::default())
            .unwrap()
            .pointers,
        []
    );

    let error = publish(&other, &local, &one, RECORD).unwrap_err();
    let Error::GitHub { source, .. } = error else {
        panic!("{error:?}");
    };
    assert!(matches!(*source, GitHubError::ReadOnly), "{source:?}");
    other.remove(&one).unwrap();
    assert_eq!(other.pointers(&Wanted::default()).unwrap().pointers, []);
}

fn forks() {
    let local = Local::new(&[(6, 100)]);
    let one = pointer("from-a-fork", run("910", 1), b"record");
    let fork = json!({"repository_id": 1, "head_repository_id": 66, "head_sha": "b".repeat(40)});
    control(&json!({"run": "run-910", "head": fork}));
    publish(&store("910"), &local, &one, b"record").unwrap();
    let found = |run, origin| {
        let named = super::conformance::wanted("from-a-fork");
        others(run, origin).pointers(&named).unwrap().pointers.len()
    };
    let from = |sha: &str, repository| Origin {
        head_sha: Some(sha.repeat(40)),
        head_repository: repository,
    };
    assert_eq!(found(None, Origin::default()), 0);
    assert_eq!(found(Some(910), Origin::default()), 1);
    assert_eq!(found(Some(910), from("b", Some(66))), 1);
    assert_eq!(found(Some(910), from("a", Some(66))), 0);
    assert_eq!(found(Some(910), from("b", Some(1))), 0);
}

fn expired_addresses() {
    let local = Local::new(&[(7, 900_000)]);
    let one = pointer("slow", run("1", 1), b"record");
    let store = store("5");
    publish(&store, &local, &one, b"record").unwrap();
    control(&json!({"run": "run-5", "signed_for": 1, "failures": 2}));
    let blob = &local.layers[0].blob;
    let mut reader = store.blob(&one.record, blob).unwrap().unwrap();
    let mut bytes = vec![0; 1000];
    reader.read_exact(&mut bytes).unwrap();
    drop(reader);
    thread::sleep(Duration::from_millis(2100));
    fetch(&store, &one, &local, b"record");
}

fn unfinished() {
    // A name that was claimed, and no more.
    let body = json!({
        "workflow_run_backend_id": "run-6", "workflow_job_run_backend_id": "job-1",
        "name": "image.1-1.barge", "version": 7, "mime_type": "x",
    });
    let address = format!(
        "{}/twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact",
        front().address
    );
    let body = body.to_string();
    curl(&["-H", "authorization: Bearer x", "-d", &body, &address]);
    let local = Local::new(&[(8, 100)]);
    let one = pointer("image", run("1", 1), b"record");
    let error = publish(&store("6"), &local, &one, b"record").unwrap_err();
    assert!(error.hint().unwrap().contains("attempt"), "{error:?}");
}

fn blocks() {
    let local = Local::new(&[(9, 1_050_000), (10, 5)]);
    let one = pointer("image", run("1", 1), b"record");
    let told = std::sync::Mutex::new(Vec::new());
    let artifact = local.artifact(one.clone(), b"record".to_vec(), &Default::default());
    let store = store("7");
    store
        .publish(&artifact, &|transfer| told.lock().unwrap().push(transfer))
        .unwrap();
    fetch(&store, &one, &local, b"record");
    let told = told.into_inner().unwrap();
    let arrived =
        |transfer: &&_| matches!(transfer, barge_store::registry::Transfer::Arrived { .. });
    assert_eq!(told.iter().filter(arrived).count(), 2);
    // The whole image comes out as it went in.
    let home = folder();
    let back = Layout::create(&home.path).unwrap();
    let mut reader = store
        .blob(&one.record, &local.layers[0].blob)
        .unwrap()
        .unwrap();
    let mut writer = back.blobs().writer().unwrap();
    std::io::copy(&mut reader, &mut writer).unwrap();
    writer.finish_as(&local.layers[0].blob.digest).unwrap();
}
