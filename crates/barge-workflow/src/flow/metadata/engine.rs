//! The tags of a concrete event, by the tag engine of barge-ci.
//!
//! Nothing is answered when the rules ask for something that the event does not tell: then unknowns stay unknowns.

use barge_ci::git::{Git, GitError};
use barge_ci::meta::compat::{Api, OutputValue, Payload, Sources, run};
use serde_json::Value as Json;

use crate::scenario::Scenario;

use super::tags::Inputs;

/// What the action sets, as texts by their names; nothing when the inputs or the event are not known that far.
pub(super) fn outputs(inputs: &Inputs, scenario: &Scenario) -> Option<Vec<(&'static str, String)>> {
    let payload = scenario.payload_json()?;
    let known = |path: &[&str]| {
        scenario
            .github(path)
            .literal()
            .filter(|text| !text.is_empty())
    };
    let texts = [&inputs.images, &inputs.tags, &inputs.flavor].map(|text| text.as_literal());
    let [Some(images), Some(tags), Some(flavor)] = texts else {
        return None;
    };
    let commit = known(&["sha"]);
    let branch = payload.pointer("/repository/default_branch");
    if asks_for_time(tags)
        || asks_for_commit(tags) && commit.is_none()
        || asks_for_branch(tags) && branch.is_none()
    {
        return None;
    }
    let variables = [
        ("INPUT_IMAGES", Some(images.to_owned())),
        ("INPUT_TAGS", Some(tags.to_owned())),
        ("INPUT_FLAVOR", Some(flavor.to_owned())),
        ("GITHUB_EVENT_NAME", Some(scenario.event.clone()?)),
        ("GITHUB_REF", Some(known(&["ref"])?)),
        ("GITHUB_SHA", commit),
        ("GITHUB_REPOSITORY", Some(known(&["repository"])?)),
    ];
    let set = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let environment = set.collect();
    let text = payload.to_string();
    let run = run(&Sources {
        environment: &environment,
        payload: Payload::Text(&text),
        git: &Nobody,
        api: &Recorded(payload),
        now: 0,
    });
    if run.error.is_some() {
        return None;
    }
    let texts = run
        .outputs
        .into_iter()
        .filter_map(|output| match output.value {
            OutputValue::Text(text) if is_timeless(output.name) => Some((output.name, text)),
            _ => None,
        });
    Some(texts.collect())
}

/// Labels and annotations hold the time at which they were made.
fn is_timeless(output: &str) -> bool {
    matches!(output, "tags" | "version" | "tag-names")
}

fn asks_for_time(tags: &str) -> bool {
    tags.contains("date") || tags.contains("type=schedule") && tags.contains("{{")
}

fn asks_for_commit(tags: &str) -> bool {
    tags.contains("sha")
}

fn asks_for_branch(tags: &str) -> bool {
    tags.contains("default_branch") || tags.contains("edge")
}

/// There is no checkout: a workflow that asks git for its tags gets no answer.
struct Nobody;

impl Git for Nobody {
    fn run(&self, arguments: &[&str]) -> Result<String, GitError> {
        Err(GitError {
            command: arguments.join(" "),
            message: "there is no checkout".into(),
        })
    }
}

/// What the payload tells of the repository stands for the forge's answer.
struct Recorded<'a>(&'a Json);

impl Api for Recorded<'_> {
    fn repository(&self, _: &str, _: &str) -> Result<Json, String> {
        Ok(self.0.get("repository").cloned().unwrap_or_default())
    }

    fn commit(&self, _: &str, _: &str, _: &str) -> Result<Json, String> {
        Err("the event does not tell".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::metadata;
    use crate::scenario::RefKind;
    use crate::symbolic::{Comparison, Condition, Text};

    const RULES: [&str; 14] = [
        "",
        "type=ref,event=branch",
        "type=ref,event=tag",
        "type=ref,event=pr",
        "type=ref,event=pr,prefix=change-,suffix=-x",
        "type=sha",
        "type=sha,format=long,prefix=",
        "type=raw,value=latest,enable={{is_default_branch}}",
        "type=raw,value={{branch}}-{{sha}}",
        "type=edge",
        "type=edge,branch=develop",
        "type=semver,pattern={{version}}",
        "type=semver,pattern={{major}}.{{minor}}\ntype=sha\ntype=ref,event=branch,priority=650",
        "type=schedule\ntype=ref,event=branch\ntype=raw,value=a,enable=false",
    ];
    const FLAVORS: [&str; 4] = ["", "latest=false", "latest=true", "suffix=-alpine"];

    fn events() -> Vec<(&'static str, RefKind, Json)> {
        let repository = json!({"full_name": "Octo/App", "name": "App", "default_branch": "main",
            "owner": {"login": "Octo"}});
        let push = |name: &str| json!({"ref": name, "after": "a".repeat(40), "repository": repository.clone()});
        let pull = json!({"number": 7, "repository": repository, "pull_request": {"number": 7,
            "merge_commit_sha": "b".repeat(40),
            "head": {"ref": "Feature/X", "sha": "c".repeat(40)}, "base": {"ref": "main"}}});
        vec![
            ("push", RefKind::Branch, push("refs/heads/main")),
            ("push", RefKind::Branch, push("refs/heads/feature/Ä x")),
            ("push", RefKind::Branch, push("refs/heads/develop")),
            ("push", RefKind::Tag, push("refs/tags/v1.2.3")),
            ("push", RefKind::Tag, push("refs/tags/v1.2.3-rc.1")),
            ("push", RefKind::Tag, push("refs/tags/nightly")),
            ("schedule", RefKind::Branch, push("refs/heads/main")),
            ("pull_request", RefKind::Pull, pull),
        ]
    }

    /// Says whether the names are some of those that were made, in their order, with all that are certain.
    fn agrees(names: &[&str], made: &[(Condition, Text)]) -> bool {
        let Some(((when, text), rest)) = made.split_first() else {
            return names.is_empty();
        };
        let taken = names.split_first().is_some_and(|(name, names)| {
            text.compare(&Text::literal(*name)) != Comparison::Different && agrees(names, rest)
        });
        taken || *when != Condition::Always && agrees(names, rest)
    }

    /// The engine's names are among those that the rules over unknowns allow, in their order, and none of those that these
    /// call certain is missing.
    #[test]
    fn rules_over_unknowns_agree_with_the_engine() {
        let mut compared = 0;
        for tags in RULES {
            for flavor in FLAVORS {
                let inputs = Inputs {
                    images: Text::literal("ghcr.io/Octo/App"),
                    tags: Text::literal(tags),
                    flavor: Text::literal(flavor),
                };
                for (event, kind, payload) in events() {
                    let concrete = Scenario::concrete(event, &payload);
                    let Some(outputs) = outputs(&inputs, &concrete) else {
                        continue;
                    };
                    let listed = outputs.iter().find(|(name, _)| *name == "tags").unwrap();
                    // The action names one tag twice where two rules make it.
                    let mut engine: Vec<&str> = Vec::new();
                    for name in listed.1.lines() {
                        if !engine.contains(&name) {
                            engine.push(name);
                        }
                    }
                    let Some(unknown) =
                        metadata::tags::over_unknowns(&inputs, &Scenario::of_event(event, kind))
                    else {
                        continue;
                    };
                    compared += 1;
                    let said: Vec<String> = unknown
                        .references
                        .iter()
                        .map(|(when, name)| format!("{name:?} if {when}"))
                        .collect();
                    let context = format!(
                        "{tags:?} {flavor:?} {event} {}: {engine:?} against {said:?}",
                        payload["ref"]
                    );
                    assert!(agrees(&engine, &unknown.references), "{context}");
                }
            }
        }
        assert!(compared > 300, "{compared}");
    }

    #[test]
    fn what_the_event_does_not_tell_is_not_answered() {
        let inputs = |tags: &str| Inputs {
            images: Text::literal("app"),
            tags: Text::literal(tags),
            flavor: Text::new(),
        };
        let payload = json!({"ref": "refs/heads/x", "repository": {"full_name": "a/b"}});
        let scenario = Scenario::concrete("push", &payload);
        assert!(outputs(&inputs("type=sha"), &scenario).is_none());
        assert!(outputs(&inputs("type=raw,value={{date 'YYYY'}}"), &scenario).is_none());
        assert!(
            outputs(
                &inputs("type=ref,event=branch"),
                &Scenario::of_event("push", RefKind::Branch)
            )
            .is_none()
        );
        let known = outputs(&inputs("type=ref,event=branch"), &scenario).unwrap();
        assert!(known.contains(&("tags", "app:x".to_owned())), "{known:?}");
    }
}
