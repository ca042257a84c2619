//! Actions that build images and compute their names.

use crate::symbolic::{Condition, Term, Text, Value};

use super::super::bake;
use super::super::docker::{Baking, OutputTarget, Recipe, deliver, deliver_target, platforms};
use super::super::facts::{Delivery, FactKind};
use super::super::job::{self, Walk};
use super::super::{metadata, path};
use super::Use;

/// `docker/build-push-action`
pub(super) fn build(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let tags = usage.texts(walk, "tags");
    let load = usage.switch(walk, "load");
    let push = usage.switch(walk, "push");
    let outputs = usage.texts(walk, "outputs");
    let mut delivery = Delivery {
        references: Vec::new(),
        to_daemon: load.clone(),
        loads: load,
        to_registry: push,
        to_file: Condition::Never,
        to_docker_archive: Condition::Never,
        platforms: Vec::new(),
        recipe: Recipe {
            context: usage.text(walk, "context"),
            file: usage.text(walk, "file"),
            target: usage.text(walk, "target"),
        }
        .identity(),
        from_metadata: takes_metadata(walk, usage),
        by: "docker/build-push-action".into(),
    };
    delivery.platforms = platforms_of(walk, usage);
    record_caches(walk, usage);
    let all: Vec<Text> = tags.iter().flat_map(|(_, list)| names(list)).collect();
    for (when, text) in &outputs {
        let here = usage.condition.and(when);
        for line in text.lines() {
            export(walk, usage, &mut delivery, &line, &all, &here);
        }
    }
    // The daemon's own builder keeps every image in the daemon.
    let own = if usage.step.input("builder").is_some() {
        Condition::Always
    } else {
        walk.own_builder.clone()
    };
    delivery.to_daemon = delivery.to_daemon.or(&usage.condition.and(&own.negate()));
    if tags.is_empty() {
        deliver(
            walk,
            delivery,
            usage.condition,
            usage.number,
            &usage.place,
            usage.step.continue_on_error,
        );
        return;
    }
    for (when, list) in tags {
        let mut one = delivery.clone();
        one.references.extend(names(&list));
        one.to_daemon = one.to_daemon.and(&when);
        one.to_registry = one.to_registry.and(&when);
        one.to_file = one.to_file.and(&when);
        one.to_docker_archive = one.to_docker_archive.and(&when);
        deliver(
            walk,
            one,
            &usage.condition.and(&when),
            usage.number,
            &usage.input_place("tags"),
            usage.step.continue_on_error,
        );
    }
}

/// One line of `outputs:`.
fn export(
    walk: &mut Walk<'_>,
    usage: &Use<'_, '_>,
    delivery: &mut Delivery,
    line: &Text,
    all: &[Text],
    here: &Condition,
) {
    let target = OutputTarget::read(line);
    if let Some(name) = target.name() {
        delivery.references.push(name.clone());
    }
    if target.loads() {
        delivery.to_daemon = delivery.to_daemon.or(here);
        delivery.loads = delivery.loads.or(here);
    }
    if target.pushes() {
        delivery.to_registry = delivery.to_registry.or(here);
    }
    if let Some((file, content)) = target.file(all) {
        delivery.to_file = delivery.to_file.or(here);
        if target.is_docker() {
            delivery.to_docker_archive = delivery.to_docker_archive.or(here);
        }
        let file = path::normalize(&file);
        let place = usage.input_place("outputs");
        walk.write_file(&file, content, here, usage.number, &place);
    } else if let Some(directory) = &target_directory(line) {
        delivery.to_file = delivery.to_file.or(here);
        walk.files.open_directory(directory.clone());
    }
    if line.as_literal().is_none() && !line.contains("type=") {
        let reason = "build outputs that are not known".to_owned();
        usage.add(walk, FactKind::DaemonOpaque(reason), here, &usage.place);
    }
}

/// The registry references in which the build keeps its cache.
fn record_caches(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    for input in ["cache-from", "cache-to"] {
        let place = usage.input_place(input);
        for (when, list) in usage.texts(walk, input) {
            let condition = usage.condition.and(&when);
            for line in list.lines() {
                let fields = line.split(|c| c == ',');
                let reference = fields
                    .iter()
                    .find_map(|field| field.trim().strip_start("ref="));
                if let Some(reference) = reference {
                    usage.add(walk, FactKind::Cached(reference), &condition, &place);
                }
            }
        }
    }
}

/// Says whether the names come from a metadata step.
fn takes_metadata(walk: &Walk<'_>, usage: &Use<'_, '_>) -> bool {
    let Some(field) = usage.step.input("tags") else {
        return false;
    };
    let is_metadata = |id: &str| {
        let mut steps = walk.trace.steps.iter();
        steps
            .any(|step| step.id.as_deref() == Some(id) && step.kind.to_lowercase().contains("meta"))
    };
    job::expression_spans(field).iter().any(|(_, expression)| {
        let output = expression
            .strip_prefix("steps.")
            .and_then(|rest| rest.split_once('.'));
        output.is_some_and(|(id, rest)| rest == "outputs.tags" && is_metadata(id))
    })
}

fn platforms_of(walk: &Walk<'_>, usage: &Use<'_, '_>) -> Vec<(Condition, Option<usize>)> {
    let mut all = Vec::new();
    for (when, list) in usage.texts(walk, "platforms") {
        let counts = platforms(Some(&list)).into_iter();
        all.extend(counts.map(|(_, count)| (when.clone(), count.map(|count| count.max(1)))));
    }
    if all.is_empty() {
        all.push((Condition::Always, Some(1)));
    }
    all
}

/// `docker/setup-buildx-action`: builds go to a builder of their own, unless the driver is the daemon's.
pub(super) fn set_up_builder(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let driver = usage.text(walk, "driver");
    if driver.is_none_or(|driver| driver.as_literal() != Some("docker")) {
        walk.own_builder = walk.own_builder.or(usage.condition);
    }
}

fn target_directory(line: &Text) -> Option<Text> {
    let destination = line
        .split(|c| c == ',')
        .into_iter()
        .find_map(|field| field.trim().strip_start("dest="))?;
    Some(path::normalize(&destination))
}

/// The names of a tags input: lines, or separated by commas.
fn names(list: &Text) -> Vec<Text> {
    list.split(|c| c == '\n' || c == ',')
        .iter()
        .map(Text::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

/// `docker/bake-action`
pub(super) fn bake(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let lines = |walk: &Walk<'_>, name: &str| usage.text(walk, name).map(|text| text.lines());
    let words = |walk: &Walk<'_>, name: &str| -> Option<Vec<String>> {
        let lines = lines(walk, name).unwrap_or_default();
        let words = lines.iter().flat_map(|line| line.split(|c| c == ','));
        words
            .map(|word| Some(word.trim().as_literal()?.to_owned()))
            .collect()
    };
    // The git context of the action is the repository at the commit that is checked out.
    let directory = usage.text(walk, "workdir").unwrap_or_default();
    let read = |walk: &Walk<'_>| {
        let question = bake::Question {
            files: words(walk, "files")?,
            wanted: words(walk, "targets")?,
            overrides: lines(walk, "set").unwrap_or_default(),
            directory: path::normalize(&directory),
            environment: &|name| walk.variable(name, usage.step, usage.frame),
        };
        bake::targets(&question, walk.repository)
    };
    let Some(targets) = read(walk) else {
        let kind = FactKind::DaemonOpaque("a bake file".into());
        return usage.add(walk, kind, usage.condition, &usage.place);
    };
    let baking = Baking {
        load: usage.switch(walk, "load"),
        push: usage.switch(walk, "push"),
        by: "docker/bake-action",
        condition: usage.condition.clone(),
        step: usage.number,
        place: usage.place.clone(),
        tolerated: usage.step.continue_on_error,
        directory: Text::new(),
    };
    for target in &targets {
        deliver_target(walk, target, &baking);
    }
}

/// `docker/metadata-action`
pub(super) fn metadata_outputs(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let sole = |name: &str, walk: &Walk<'_>| match usage.value(walk, name) {
        None => Some(Value::text("")),
        some => some,
    };
    let (Some(images), Some(tags), Some(flavor)) = (
        sole("images", walk),
        sole("tags", walk),
        sole("flavor", walk),
    ) else {
        return;
    };
    let scenario = walk.scenario;
    let mut version = None;
    let mut failed = false;
    let combined = images.flat_map(|images| {
        tags.flat_map(|tags| {
            flavor
                .map(|flavor| Term::List(vec![images.clone(), tags.clone(), flavor.clone()].into()))
        })
    });
    let mut value = Value::text("");
    for (when, inputs) in combined.alternatives() {
        let Term::List(items) = inputs else { continue };
        let [images, tags, flavor] = items.as_slice() else {
            continue;
        };
        let inputs = metadata::Inputs {
            images: images.printed(),
            tags: tags.printed(),
            flavor: flavor.printed(),
        };
        match metadata::references(&inputs, scenario) {
            Some(outputs) => {
                version = outputs.version.clone();
                value = Value::choose(when, &metadata::list(&outputs.references), &value);
            }
            None => failed = true,
        }
    }
    if failed || value.is_large() {
        return;
    }
    if let Some(trace) = walk.trace.steps.get_mut(usage.number) {
        let json = value.map(|term| {
            let tags = term.printed().lines().into_iter().map(Term::Text);
            let tags = (
                "tags".to_owned(),
                Term::List(tags.collect::<Vec<_>>().into()),
            );
            Term::Map(vec![tags].into())
        });
        trace.outputs.insert("json".into(), json);
        trace.outputs.insert("tags".into(), value);
        if let Some(version) = version.filter(|_| combined.alternatives().len() == 1) {
            trace.outputs.insert("version".into(), version.into());
        }
    }
}
