//! Actions that build and push in one, and such as push lists of platforms.

use crate::symbolic::Text;

use super::super::docker::Recipe;
use super::super::facts::{Delivery, FactKind};
use super::super::job::Walk;
use super::Use;

/// Records what is pushed. How it is built is not known, and it stays in the daemon in some of them.
pub(super) fn publish(walk: &mut Walk<'_>, usage: &Use<'_, '_>, action: &str) {
    let references = references(walk, usage, action);
    let off = ["push", "pushImage"].iter().any(|input| {
        usage.step.input(input).is_some()
            && usage.switch(walk, input) == crate::symbolic::Condition::Never
    });
    let place = usage.input_place("tags");
    let joins = action.contains("manifest");
    if joins && let Some(list) = usage.text(walk, "inputs") {
        references_of(&list).into_iter().for_each(|name| {
            usage.add(walk, FactKind::Pushed(name), usage.condition, &place);
        });
    }
    if !off {
        for name in &references {
            usage.add(
                walk,
                FactKind::Pushed(name.clone()),
                usage.condition,
                &place,
            );
        }
    }
    if joins {
        return;
    }
    let never = || crate::symbolic::Condition::Never;
    let delivery = Delivery {
        references,
        to_daemon: never(),
        loads: never(),
        to_registry: if off {
            never()
        } else {
            usage.condition.clone()
        },
        to_file: never(),
        to_docker_archive: never(),
        platforms: Vec::new(),
        recipe: Recipe {
            context: usage
                .text(walk, "context")
                .or_else(|| usage.text(walk, "directory")),
            file: usage
                .text(walk, "file")
                .or_else(|| usage.text(walk, "dockerfile")),
            target: usage.text(walk, "target"),
        }
        .identity(),
        from_metadata: false,
        by: action.to_owned(),
    };
    usage.add(
        walk,
        FactKind::Built(delivery),
        usage.condition,
        &usage.place,
    );
    let reason = format!("the action {action}");
    usage.add(
        walk,
        FactKind::DaemonOpaque(reason),
        usage.condition,
        &usage.place,
    );
}

fn references_of(list: &Text) -> Vec<Text> {
    let names = list.split(|c| c == ',' || c == '\n');
    let names = names.iter().map(Text::trim);
    names.filter(|name| !name.is_empty()).collect()
}

/// `registry/image:tag` for each tag, as far as the inputs say.
fn references(walk: &Walk<'_>, usage: &Use<'_, '_>, action: &str) -> Vec<Text> {
    let given = |names: &[&str]| names.iter().find_map(|name| usage.text(walk, name));
    let tags = given(&["tags", "image_tag", "tag"]);
    let tags = tags.map(|tags| references_of(&tags)).unwrap_or_default();
    let image = given(&["image", "image_name", "name"]);
    let Some(image) = image.filter(|_| !action.contains("manifest")) else {
        return tags;
    };
    let mut base = given(&["registry"]).unwrap_or_default();
    let mut repository = base.clone();
    repository.push_str("/");
    // The publish action takes the whole name, registry included.
    if base.is_empty()
        || image.strip_start("/").is_some()
        || image.literal_start().starts_with(base.literal_start())
            && !base.literal_start().is_empty()
    {
        base = image;
    } else {
        repository.append(&image);
        base = repository;
    }
    if tags.is_empty() {
        return vec![base];
    }
    tags.iter()
        .map(|tag| {
            let mut name = base.clone();
            name.push_str(":");
            name.append(tag);
            name
        })
        .collect()
}
