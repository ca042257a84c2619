//! From a payload to the plan: the skip decision with its rule, tags by event, the job graph.
#![expect(
    clippy::unwrap_used,
    clippy::type_complexity,
    reason = "tests fail by panicking, and their tables speak for themselves"
)]

use barge_ci::{Changes, Environment, Event, Facts, JobState, Plan, Rule, Settings, Switches};

const SHA: &str = "9b3e34350aba9a6814c74223bb3cad1aa29e6ed2";
const HEAD: &str = "de361ad261631d9c3610fd0347bc456f2033b483";

fn push(reference: &str, message: &str) -> String {
    format!(
        r#"{{"ref":"{reference}","after":"{SHA}","commits":[],"head_commit":{{"id":"{SHA}","message":"{message}"}},
            "repository":{{"full_name":"Wikid82/Charon","default_branch":"main"}},"sender":{{"login":"ann"}}}}"#
    )
}

fn pull_request(number: u32, branch: &str, title: &str) -> String {
    format!(
        r#"{{"number":{number},"pull_request":{{"number":{number},"title":"{title}","merge_commit_sha":"{SHA}",
            "head":{{"ref":"{branch}","sha":"{HEAD}","repo":{{"full_name":"Wikid82/Charon"}}}},
            "base":{{"ref":"development","repo":{{"full_name":"Wikid82/Charon"}}}}}},
            "repository":{{"full_name":"Wikid82/Charon","default_branch":"main"}},"sender":{{"login":"ann"}}}}"#
    )
}

fn plan_with(
    payload: &str,
    variables: &[(&str, &str)],
    settings: &Settings,
    head_message: Option<&str>,
) -> Plan {
    let environment: Environment = variables.iter().copied().collect();
    let event = Event::from_github(&environment, "event.json", payload).unwrap();
    let facts = Facts {
        now: "2026-03-04T05:06:07Z".parse().unwrap(),
        commit_time: None,
        changes: Changes::default(),
        head_message,
        switches: &Switches::default(),
        tags: &[],
    };
    Plan::new(event, settings, &facts).unwrap()
}

fn plan(payload: &str, variables: &[(&str, &str)]) -> Plan {
    plan_with(payload, variables, &Settings::default(), None)
}

fn references(plan: &Plan) -> Vec<String> {
    plan.decision
        .build()
        .unwrap()
        .names
        .references
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_skip_decision_names_its_rule() {
    let actor = [("GITHUB_ACTOR", "renovate[bot]")];
    let table: &[(String, &[(&str, &str)], &str)] = &[
        (pull_request(7, "fix/x", "fix: a"), &[], "build default"),
        (pull_request(7, "fix/x", "chore: a"), &[], "skip title"),
        (
            pull_request(7, "fix/x", "CHORE(DEPS): a"),
            &[],
            "skip title",
        ),
        (
            pull_request(7, "fix/x", "chore(deps-dev): a"),
            &[],
            "skip title",
        ),
        (
            pull_request(7, "fix/x", "chore(ci): a"),
            &[],
            "build default",
        ),
        (
            pull_request(7, "fix/x", "fix: chore: a"),
            &[],
            "build default",
        ),
        (
            pull_request(7, "renovate/x", "fix: a"),
            &actor,
            "skip actor",
        ),
        (
            pull_request(7, "feature/x", "chore: a"),
            &[],
            "build force-branch",
        ),
        (
            pull_request(7, "feature/x/y", "fix: a"),
            &actor,
            "build force-branch",
        ),
        (push("refs/heads/main", "chore: a"), &[], "skip message"),
        (
            push("refs/heads/main", "fix: a\\n\\nchore: b"),
            &[],
            "build default",
        ),
        (
            push("refs/heads/feature/x", "chore: a"),
            &[],
            "build force-branch",
        ),
        (
            push("refs/heads/main", "Chore(deps): a"),
            &[],
            "skip message",
        ),
        (push("refs/heads/main", "fix: a"), &actor, "skip actor"),
    ];
    for (payload, variables, expected) in table {
        let plan = plan(payload, variables);
        let action = if plan.decision.build().is_some() {
            "build"
        } else {
            "skip"
        };
        assert_eq!(
            format!("{action} {}", plan.decision.cause().rule),
            *expected,
            "{payload}"
        );
    }
}

#[test]
fn a_pull_request_has_no_message_unless_git_is_asked() {
    let payload = pull_request(7, "fix/x", "fix: a");
    let mut settings = Settings::default();
    let rule = |settings: &Settings| {
        plan_with(&payload, &[], settings, Some("chore: b"))
            .decision
            .cause()
            .rule
            .to_string()
    };
    assert_eq!(rule(&settings), "default");
    settings.skip.read_head_commit = true;
    assert_eq!(rule(&settings), "message");
}

#[test]
fn tags_follow_the_event() {
    for (payload, expected) in [
        (pull_request(5, "fix/x", "fix: a"), vec!["pr-5"]),
        (pull_request(42, "fix/x", "fix: a"), vec!["pr-42"]),
        (
            pull_request(123, "feature/beta-release", "fix: a"),
            vec!["pr-123"],
        ),
        (pull_request(123_456, "main", "fix: a"), vec!["pr-123456"]),
        (
            push("refs/heads/main", "fix: a"),
            vec!["latest", "sha-9b3e343"],
        ),
        (
            push("refs/heads/development", "fix: a"),
            vec!["dev", "sha-9b3e343"],
        ),
        (
            push("refs/heads/feature/beta-release", "fix: a"),
            vec!["beta", "sha-9b3e343"],
        ),
        (push("refs/heads/feature/x", "fix: a"), vec!["sha-9b3e343"]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|tag| format!("ghcr.io/wikid82/charon:{tag}"))
            .collect();
        assert_eq!(references(&plan(&payload, &[])), expected, "{payload}");
    }
}

#[test]
fn a_skipped_event_has_nothing_to_consume() {
    let plan = plan(&pull_request(7, "fix/x", "chore: a"), &[]);
    assert!(plan.decision.build().is_none());
    let running: Vec<_> = plan
        .jobs
        .iter()
        .filter(|job| job.state == JobState::Run)
        .map(|job| job.id.as_str())
        .collect();
    assert_eq!(running, ["report", "gate"]);
}

#[test]
fn head_and_merge_commit_are_told_apart() {
    let plan = plan(&pull_request(7, "fix/x", "fix: a"), &[]);
    assert_eq!(
        (plan.event.commit.as_str(), plan.event.head.as_str()),
        (SHA, HEAD)
    );
    assert!(plan.event.is_merge_commit());
    assert!(!plan.event.is_fork());
}

#[test]
fn a_plan_survives_its_json_form() {
    for payload in [
        pull_request(7, "fix/x", "fix: a"),
        pull_request(7, "fix/x", "chore: a"),
    ] {
        let plan = plan(&payload, &[]);
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

#[test]
fn gitlab_variables_make_the_same_event() {
    let common = [
        ("GITLAB_CI", "true"),
        ("CI_PROJECT_PATH", "group/sub/App"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_COMMIT_SHA", SHA),
        ("CI_COMMIT_MESSAGE", "fix: a"),
        ("CI_REGISTRY_IMAGE", "registry.example/group/sub/app"),
        ("CI_PIPELINE_ID", "77"),
    ];
    let event = |own: &[(&str, &str)]| {
        let environment: Environment = common.into_iter().chain(own.iter().copied()).collect();
        Event::from_gitlab(&environment)
    };
    let push = event(&[("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", "main")]).unwrap();
    assert!(push.is_default_branch());
    assert_eq!(push.message.as_deref(), Some("fix: a"));
    assert_eq!(push.repository.owner, "group/sub");
    let request = event(&[
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_MERGE_REQUEST_TITLE", "chore: b"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "topic"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "someone/App"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD),
        ("CI_MERGE_REQUEST_LABELS", "a, b"),
    ])
    .unwrap();
    assert!(request.is_fork() && request.is_merge_commit());
    assert_eq!(
        (request.head.as_str(), request.branch()),
        (HEAD, Some("topic"))
    );
    assert_eq!(request.message, None);
    let facts = Facts {
        now: "2026-03-04T05:06:07Z".parse().unwrap(),
        commit_time: None,
        changes: Changes::default(),
        head_message: None,
        switches: &Switches::default(),
        tags: &[],
    };
    let mut settings = Settings::default();
    assert_eq!(
        Plan::new(request.clone(), &settings, &facts)
            .unwrap()
            .decision
            .cause()
            .rule,
        Rule::Title
    );
    settings.skip.titles.clear();
    let plan = Plan::new(request, &settings, &facts).unwrap();
    assert_eq!(references(&plan), ["registry.example/group/sub/app:pr-12"]);
    let message = event(&[("CI_COMMIT_BRANCH", "main")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "the environment variable `CI_PIPELINE_SOURCE` is not set"
    );
}

#[test]
fn forgejo_speaks_the_variables_of_github() {
    let variables = [
        ("FORGEJO_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://code.example"),
        ("GITHUB_REPOSITORY", "Ann/App"),
    ];
    let plan = plan(&push("refs/heads/main", "fix: a"), &variables);
    assert_eq!(plan.event.forge, barge_ci::event::Forge::Forgejo);
    assert_eq!(references(&plan)[0], "code.example/ann/app:latest");
}

#[test]
fn every_kind_of_event_is_told_apart() {
    let repository = r#""repository":{"full_name":"a/b","default_branch":"main"}"#;
    let sha = [("GITHUB_SHA", SHA)];
    for (name, payload, reference, number) in [
        (
            "merge_group",
            format!(
                r#"{{"merge_group":{{"head_sha":"{SHA}","head_ref":"refs/heads/q"}},{repository}}}"#
            ),
            Some("refs/heads/q"),
            None,
        ),
        (
            "schedule",
            format!(r#"{{"schedule":"0 0 * * *",{repository}}}"#),
            Some("refs/heads/main"),
            None,
        ),
        (
            "release",
            format!(r#"{{"release":{{"tag_name":"v1"}},{repository}}}"#),
            Some("refs/tags/v1"),
            None,
        ),
        (
            "create",
            format!(r#"{{"ref":"v2","ref_type":"tag",{repository}}}"#),
            Some("refs/tags/v2"),
            None,
        ),
        (
            "workflow_dispatch",
            format!(r#"{{"workflow":"x","inputs":{{"pr":"5"}},{repository}}}"#),
            Some("refs/heads/main"),
            None,
        ),
        (
            "repository_dispatch",
            format!(r#"{{"client_payload":{{}},{repository}}}"#),
            Some("refs/heads/main"),
            None,
        ),
        (
            "workflow_run",
            format!(
                r#"{{"workflow_run":{{"event":"pull_request","head_sha":"{HEAD}","pull_requests":[{{"number":8,"head":{{"ref":"t"}}}}]}},{repository}}}"#
            ),
            Some("refs/heads/main"),
            Some(8),
        ),
    ] {
        let environment: Environment = sha.into_iter().collect();
        let event = Event::from_github(&environment, "event.json", &payload).unwrap();
        assert_eq!(event.name, name);
        assert_eq!(
            event.reference.as_ref().map(ToString::to_string).as_deref(),
            reference,
            "{name}"
        );
        assert_eq!(
            event.pull_request.as_ref().map(|change| change.number),
            number,
            "{name}"
        );
    }
}

#[test]
fn a_run_without_its_pull_request_says_whose_to_ask_for() {
    let payload = format!(
        r#"{{"workflow_run":{{"event":"pull_request","head_sha":"{HEAD}","pull_requests":[]}},"repository":{{"full_name":"a/b"}}}}"#
    );
    let event = Event::from_github(
        &[("GITHUB_SHA", SHA)].into_iter().collect(),
        "event.json",
        &payload,
    )
    .unwrap();
    assert_eq!(
        event
            .missing_pull_request()
            .map(barge_ci::event::CommitId::as_str),
        Some(HEAD)
    );
}

#[test]
fn malformed_payloads_name_file_and_field() {
    let message = |payload: &str| {
        let environment = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_SHA", SHA)]
            .into_iter()
            .collect();
        Event::from_github(&environment, "event.json", payload)
            .unwrap_err()
            .to_string()
    };
    assert!(message("{").starts_with("the event payload `event.json` is not JSON: "));
    assert_eq!(
        message("{}"),
        "the event payload `event.json` has no usable `pull_request.number`: expected a number, found nothing"
    );
    assert_eq!(
        message(r#"{"pull_request":{"number":1,"head":{"ref":7}}}"#),
        "the event payload `event.json` has no usable `pull_request.head.ref`: expected text, found `7`"
    );
    assert_eq!(
        message("[]"),
        "the event payload `event.json` has no usable `(root)`: expected an object, found a list"
    );
}
