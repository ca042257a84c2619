//! The scenarios of a workflow's triggers.

use crate::model::{Trigger, Workflow};

use super::kind::{RefKind, Scenario};

/// The scenarios of a workflow's triggers.
#[must_use]
pub fn scenarios(workflow: &Workflow) -> Vec<Scenario> {
    let mut all = Vec::new();
    for trigger in &workflow.triggers {
        match trigger.event.as_str() {
            "push" => all.extend(push(trigger)),
            "pull_request" | "pull_request_review" => {
                all.push(Scenario::new(trigger, RefKind::Pull));
            }
            "release" => all.push(Scenario::new(trigger, RefKind::Tag)),
            "workflow_dispatch" => all.push(Scenario::new(trigger, RefKind::Any)),
            "workflow_call" => {
                let mut called = Scenario::new(trigger, RefKind::Any);
                called.event = None;
                all.push(called);
            }
            _ => all.push(Scenario::new(trigger, RefKind::Branch)),
        }
    }
    if all.is_empty() {
        all.push(Scenario::of_event("push", RefKind::Branch));
    }
    all
}

fn push(trigger: &Trigger) -> Vec<Scenario> {
    let has = |name: &str| trigger.filters.contains_key(name);
    let branch_filter = has("branches") || has("branches-ignore");
    let tag_filter = has("tags") || has("tags-ignore");
    let mut all = Vec::new();
    if branch_filter || !tag_filter {
        let mut scenario = Scenario::new(trigger, RefKind::Branch);
        let listed = trigger.filters.get("branches").cloned().unwrap_or_default();
        if !listed
            .iter()
            .any(|pattern| pattern.contains(['*', '?', '!', '[', '+']))
        {
            scenario.branches = listed;
        }
        all.push(scenario);
    }
    if tag_filter || !branch_filter {
        let mut scenario = Scenario::new(trigger, RefKind::Tag);
        scenario.label = "push (tag)".into();
        let listed = trigger.filters.get("tags").map(Vec::as_slice);
        scenario.tag_start = shared_start(listed.unwrap_or_default());
        all.push(scenario);
    }
    all
}

/// The text that all patterns of a filter start with, if each of them goes on behind it.
fn shared_start(patterns: &[String]) -> String {
    let taken = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
    let starts = taken.map(|pattern| {
        let end = pattern.find(['*', '?', '+', '[', '!', '\\']);
        let start = end.and_then(|end| pattern.get(..end)).unwrap_or_default();
        // `?` and `+` are about the character before them.
        let last = start.char_indices().next_back().map_or(0, |(at, _)| at);
        match end.and_then(|end| pattern.get(end..)?.chars().next()) {
            Some('?' | '+') => start.get(..last).unwrap_or_default(),
            _ => start,
        }
    });
    let shared = |one: &str, other: &str| {
        let mut pairs = one.char_indices().zip(other.chars());
        let differ = pairs.find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        one.get(..differ.unwrap_or(one.len().min(other.len())))
            .unwrap_or_default()
            .to_owned()
    };
    starts
        .map(str::to_owned)
        .reduce(|one, other| shared(&one, &other))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn labels(on: &str) -> Vec<String> {
        let source = Source::new("w.yml", &format!("{on}\njobs: {{}}\n"));
        let workflow = Workflow::parse(&source).unwrap();
        scenarios(&workflow)
            .iter()
            .map(|scenario| {
                let full = scenario.full_ref().sole_text().unwrap_or_default();
                format!("{}={}", scenario.label, full.describe())
            })
            .collect()
    }

    #[test]
    fn triggers_become_scenarios() {
        assert_eq!(
            labels("on: push"),
            [
                "push=refs/heads/{ref_name}",
                "push (tag)=refs/tags/{ref_name}"
            ]
        );
        assert_eq!(
            labels("on: {push: {branches: [main]}}"),
            ["push=refs/heads/main"]
        );
        assert_eq!(
            labels("on: {push: {tags: ['v*']}}"),
            ["push (tag)=refs/tags/v{ref_name[1..]}"]
        );
        assert_eq!(
            labels("on: [pull_request]"),
            ["pull_request=refs/pull/{pull_request.number}/merge"]
        );
    }

    #[test]
    fn filters_say_how_tags_start() {
        for (patterns, start) in [
            (&["v*"][..], "v"),
            (&["v*.*.*", "v[0-9]+"], "v"),
            (&["v?1"], ""),
            (&["release-v*", "release-*", "!release-x"], "release-"),
            (&["v*", "*"], ""),
            (&["v1"], ""),
        ] {
            let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(shared_start(&patterns), start, "{patterns:?}");
        }
    }

    #[test]
    fn absent_fields_are_null() {
        let push = Scenario::of_event("push", RefKind::Branch);
        assert!(push.github(&["event", "pull_request", "number"]).is_null());
        assert_eq!(push.github(&["head_ref"]).literal().as_deref(), Some(""));
        let pull = Scenario::of_event("pull_request", RefKind::Pull);
        assert_eq!(
            pull.github(&["event", "number"]),
            pull.github(&["event", "pull_request", "number"])
        );
    }
}
