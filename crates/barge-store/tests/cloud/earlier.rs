//! A second run on GitHub: only what no earlier run stored is sent, and nothing that is relied on goes.

use std::sync::Arc;

use barge_store::github::{ApiAccess, Error as GitHubError, GitHubOptions, GitHubStore};
use barge_store::registry::Secret;
use barge_store::remote::Wanted;
use barge_store::{Error, OtherRuns, Pointer, Remote};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Case;
use super::conformance::{Local, fetch, pointer, run};
use super::fixture::folder;
use super::github::{case, client, control, options};
use super::servers::front;

pub(crate) const CASES: &[Case] = &[
    case("earlier::a_second_run_sends_only_what_changed", delta),
    case("earlier::what_others_lean_on_stays", leaning),
    case(
        "earlier::layers_of_forks_and_of_what_ends_sooner_are_sent",
        not_leant_on,
    ),
    case("earlier::stands_behind_a_folder", behind_a_folder),
];

const DAY: i64 = 24;

fn now() -> Timestamp {
    Timestamp::now()
}

/// A store of a run that may use the REST API of its repository, too.
fn with_api(run: &str, repository: &str) -> GitHubStore {
    control(&json!({"run": format!("run-{run}"), "repository": repository}));
    let secret = Secret::new("token");
    let options = GitHubOptions {
        api: Some(ApiAccess::new(&front().address, secret, repository).unwrap()),
        now: Some(now()),
        ..options(run)
    };
    GitHubStore::new(None, Ok(options)).unwrap()
}

/// All runs of a repository.
fn all_of(repository: &str) -> GitHubStore {
    let secret = Secret::new("token");
    let options = GitHubOptions {
        api: Some(ApiAccess::new(&front().address, secret, "").unwrap()),
        ..options("none")
    };
    let others = OtherRuns {
        repository: repository.into(),
        run: None,
    };
    GitHubStore::new(Some(&others), Ok(options)).unwrap()
}

/// Stores an artifact that is wanted for so many hours, and says which layers were known.
fn put(store: &GitHubStore, local: &Local, run: &str, hours: i64) -> (Pointer, usize) {
    let record = format!("record of {run}").into_bytes();
    let expires = now()
        .checked_add(SignedDuration::from_hours(hours))
        .unwrap();
    let one = Pointer {
        expires: Some(expires),
        ..pointer("app-pr-7", self::run(run, 1), &record)
    };
    let diff_ids: Vec<_> = local.layers.iter().map(|layer| layer.diff_id).collect();
    let known = store.layers(&diff_ids, one.expires).unwrap();
    let artifact = local.artifact(one.clone(), record, &known);
    store.publish(&artifact, &|_| ()).unwrap();
    (one, known.len())
}

fn read_all(store: &GitHubStore, one: &Pointer, local: &Local) {
    let record = format!("record of {}", one.run.id).into_bytes();
    fetch(store, one, local, &record);
}

/// The length of a run's artifact as GitHub stores it.
fn stored(run: &str) -> u64 {
    let listed = client(run, &["list"]);
    listed["artifacts"][0]["size"].as_u64().unwrap()
}

fn delta() {
    let repository = "acme/delta";
    let first = Local::new(&[(31, 300_000), (32, 1_000)]);
    let (one, _) = put(&with_api("20", repository), &first, "20", 7 * DAY);
    let second = Local::new(&[(31, 300_000), (33, 1_000)]);
    let store = with_api("21", repository);
    let (two, known) = put(&store, &second, "21", 7 * DAY + 2);
    assert_eq!(known, 1);
    assert!(
        stored("20") > 300_000 && stored("21") < 10_000,
        "{}",
        stored("21")
    );
    // A third one leans on both, each at first hand.
    let third = Local::new(&[(31, 300_000), (33, 1_000), (34, 500)]);
    let (three, known) = put(&with_api("22", repository), &third, "22", 7 * DAY + 4);
    assert_eq!(known, 2);
    for (pointer, local) in [(&one, &first), (&two, &second), (&three, &third)] {
        read_all(&with_api(&pointer.run.id, repository), pointer, local);
        read_all(&all_of(repository), pointer, local);
    }
    // A job of the same run that has no token sees what it lacks.
    let bare = super::github::store("21");
    let error = bare
        .blob(&two.record, &second.layers[0].blob)
        .err()
        .unwrap();
    assert!(error.hint().unwrap().contains("actions: read"), "{error:?}");
    let top = bare.blob(&two.record, &second.layers[1].blob).unwrap();
    assert!(top.is_some());
}

fn leaning() {
    let repository = "acme/leaning";
    let first = Local::new(&[(41, 100_000)]);
    let second = Local::new(&[(41, 100_000), (42, 10)]);
    let (one, _) = put(&with_api("30", repository), &first, "30", 7 * DAY);
    let (two, known) = put(&with_api("31", repository), &second, "31", 7 * DAY);
    assert_eq!(known, 1);
    let all = all_of(repository);
    let error = all.remove(&one).unwrap_err();
    let Error::GitHub { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(&**source, GitHubError::Needed { by, .. } if *by == ["app-pr-7.31-1.barge"]),
        "{source:?}"
    );
    read_all(&all, &two, &second);
    all.remove(&two).unwrap();
    all.remove(&one).unwrap();
    assert_eq!(all.pointers(&Wanted::default()).unwrap().pointers, []);
    // What is gone is not leant on, although this store saw it a moment ago.
    let store = with_api("32", repository);
    let (three, _) = put(&with_api("33", repository), &first, "33", 7 * DAY);
    let diff_ids = [first.layers[0].diff_id];
    let known = store.layers(&diff_ids, three.expires).unwrap();
    assert_eq!(known.len(), 1);
    all_of(repository).remove(&three).unwrap();
    let four = pointer("app-pr-7", run("32", 1), b"record");
    let artifact = first.artifact(four, b"record".to_vec(), &known);
    let error = store.publish(&artifact, &|_| ()).unwrap_err();
    assert!(matches!(error, Error::Vanished { .. }), "{error:?}");
    // Nothing was begun: the next try sends it.
    let (_, known) = put(&with_api("32", repository), &first, "32", 7 * DAY);
    assert_eq!(known, 0);
}

fn not_leant_on() {
    let repository = "acme/short";
    let local = Local::new(&[(51, 100_000)]);
    put(&with_api("40", repository), &local, "40", DAY);
    // Twice as long as it is wanted is how long GitHub keeps it, and no longer.
    let (_, known) = put(&with_api("41", repository), &local, "41", DAY);
    assert_eq!(known, 1);
    let (_, known) = put(&with_api("42", repository), &local, "42", 3 * DAY);
    assert_eq!(known, 0);
    let diff_ids = [local.layers[0].diff_id];
    let known = with_api("43", repository).layers(&diff_ids, None).unwrap();
    assert_eq!(known.len(), 0, "what is for ever is whole");

    let repository = "acme/forked";
    let fork = json!({"repository_id": 1, "head_repository_id": 66, "head_sha": "b".repeat(40)});
    let store = with_api("50", repository);
    control(&json!({"run": "run-50", "head": fork}));
    put(&store, &local, "50", 7 * DAY);
    let (_, known) = put(&with_api("51", repository), &local, "51", DAY);
    assert_eq!(known, 0);
}

fn behind_a_folder() {
    let remote: Arc<dyn Remote> = Arc::new(with_api("60", "acme/folder"));
    super::in_front::hands_over(&remote, &folder().path);
}
