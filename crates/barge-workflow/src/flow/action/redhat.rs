//! Red Hat's actions around buildah and podman, whose images lie in podman's store.

use crate::symbolic::{Condition, Text};

use super::super::docker::{self, Recipe, deliver};
use super::super::facts::{Delivery, FactKind, Need, Store};
use super::super::job::Walk;
use super::Use;

/// `redhat-actions/buildah-build`: `image` with each of `tags`.
pub(super) fn build(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let references = named(walk, usage, None);
    let platforms = usage.text(walk, "platforms");
    let delivery = Delivery {
        to_daemon: usage.condition.clone(),
        // Several platforms make a manifest list, which the store holds.
        loads: Condition::Never,
        to_registry: Condition::Never,
        to_file: Condition::Never,
        to_docker_archive: Condition::Never,
        platforms: docker::platforms(platforms.as_ref()),
        recipe: Recipe {
            context: usage.text(walk, "context"),
            file: usage
                .text(walk, "containerfiles")
                .or_else(|| usage.text(walk, "dockerfiles")),
            target: None,
        }
        .identity(),
        from_metadata: false,
        by: "redhat-actions/buildah-build".into(),
        references: references.clone(),
    };
    walk.store = Store::Podman;
    let place = usage.input_place("image");
    let tolerated = usage.step.continue_on_error;
    deliver(
        walk,
        delivery,
        usage.condition,
        usage.number,
        &place,
        tolerated,
    );
    walk.store = Store::Docker;
    let image = usage.text(walk, "image");
    let tags = usage.text(walk, "tags");
    if let Some(trace) = walk.trace.steps.get_mut(usage.number) {
        let first = references.into_iter().next();
        let outputs = [("image", image), ("tags", tags), ("image-with-tag", first)];
        let known = outputs
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        trace
            .outputs
            .extend(known.map(|(name, text)| (name.to_owned(), text.into())));
    }
}

/// `redhat-actions/push-to-registry`: the same names below `registry`.
pub(super) fn push(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let place = usage.input_place("image");
    walk.store = Store::Podman;
    for name in named(walk, usage, None) {
        let kind = FactKind::Named(name, Need::Local, "push-to-registry".into());
        // It takes the image from docker when podman has none.
        walk.add(kind, usage.condition, usage.number, &place, true);
    }
    let registry = usage.text(walk, "registry");
    for name in named(walk, usage, registry.as_ref()) {
        usage.add(walk, FactKind::Pushed(name), usage.condition, &place);
    }
    walk.store = Store::Docker;
}

/// `image:tag` for each tag; a tag can be a whole name already.
fn named(walk: &Walk<'_>, usage: &Use<'_, '_>, registry: Option<&Text>) -> Vec<Text> {
    let image = usage.text(walk, "image");
    let tags = usage
        .text(walk, "tags")
        .unwrap_or_else(|| Text::literal("latest"));
    let tags = tags.split(char::is_whitespace);
    let whole = |tag: &Text| {
        if tag.contains("/") || tag.contains(":") {
            return Some(tag.clone());
        }
        let mut name = registry.cloned().unwrap_or_default();
        if !name.is_empty() {
            name = name.strip_end("/").unwrap_or(name);
            name.push_str("/");
        }
        name.append(image.as_ref()?);
        name.push_str(":");
        name.append(tag);
        Some(name)
    };
    tags.iter()
        .filter(|tag| !tag.is_empty())
        .filter_map(whole)
        .collect()
}
