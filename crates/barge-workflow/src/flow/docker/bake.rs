//! `docker buildx bake` and `docker compose`: builds that a file of the repository describes.

use crate::shell::{Call, Machine as _};
use crate::symbolic::{Condition, Text, Value};

use super::super::bake::{self, Target};
use super::super::compose;
use super::super::facts::{Delivery, FactKind, Origin, Place};
use super::super::job::Walk;
use super::super::machine::Script;
use super::arguments::Arguments;
use super::build::{deliver, platforms};

const BAKE_SWITCHES: &[&str] = &[
    "--load",
    "--push",
    "--no-cache",
    "--pull",
    "--print",
    "--check",
    "-D",
];
const COMPOSE_SWITCHES: &[&str] = &[
    "-d",
    "-q",
    "--quiet",
    "--detach",
    "--build",
    "--no-build",
    "--wait",
    "--rm",
    "--no-deps",
    "--no-cache",
    "--force-recreate",
    "--remove-orphans",
    "--quiet-pull",
    "--with-dependencies",
    "--abort-on-container-exit",
    "--ignore-buildable",
    "-T",
    "--no-TTY",
    "--verbose",
    "--compatibility",
];

/// How the targets of one call are built.
pub(in super::super) struct Baking {
    pub(in super::super) load: Condition,
    pub(in super::super) push: Condition,
    pub(in super::super) by: &'static str,
    pub(in super::super) condition: Condition,
    pub(in super::super) step: usize,
    pub(in super::super) place: Place,
    pub(in super::super) tolerated: bool,
    /// Where files are written that the targets name.
    pub(in super::super) directory: Text,
}

/// Records the build of a target, once for each case of its names.
pub(in super::super) fn deliver_target(walk: &mut Walk<'_>, target: &Target, baking: &Baking) {
    let mut cases: Vec<(Condition, Vec<Text>)> = Vec::new();
    for (when, tag) in &target.tags {
        match cases.iter_mut().find(|(known, _)| known == when) {
            Some((_, tags)) => tags.push(tag.clone()),
            None => cases.push((when.clone(), vec![tag.clone()])),
        }
    }
    if cases.is_empty() {
        cases.push((Condition::Always, Vec::new()));
    }
    for (when, references) in cases {
        let condition = baking.condition.and(&when);
        let delivery = delivery(walk, target, references, baking, &condition);
        deliver(
            walk,
            delivery,
            &condition,
            baking.step,
            &baking.place,
            baking.tolerated,
        );
    }
}

fn delivery(
    walk: &mut Walk<'_>,
    target: &Target,
    references: Vec<Text>,
    baking: &Baking,
    condition: &Condition,
) -> Delivery {
    let mut loads = baking.load.and(condition);
    let mut to_registry = baking.push.and(condition);
    let (mut to_file, mut to_docker_archive) = (Condition::Never, Condition::Never);
    for output in target.output_targets() {
        if output.loads() {
            loads = condition.clone();
        }
        if output.pushes() {
            to_registry = condition.clone();
        }
        if let Some((file, content)) = output.file(&references) {
            to_file = condition.clone();
            if output.is_docker() {
                to_docker_archive = condition.clone();
            }
            let file = Walk::file_path(&baking.directory, &file);
            walk.write_file(&file, content, condition, baking.step, &baking.place);
        }
    }
    // The daemon's own builder keeps what is sent nowhere else.
    let own = condition.and(&walk.own_builder.negate());
    let kept = if target.outputs.is_empty() {
        own
    } else {
        Condition::Never
    };
    Delivery {
        references,
        to_daemon: loads.or(&kept),
        loads,
        to_registry,
        to_file,
        to_docker_archive,
        platforms: platforms(target.platforms.as_ref()),
        recipe: target.recipe.identity(),
        from_metadata: false,
        by: baking.by.into(),
    }
}

impl Baking {
    fn of(script: &Script<'_, '_>, call: &Call, load: bool, push: bool, by: &'static str) -> Self {
        let here = script.when(&call.condition);
        let when = |on: bool| if on { here.clone() } else { Condition::Never };
        Self {
            load: when(load),
            push: when(push),
            by,
            step: script.step,
            place: script.place(call.span),
            tolerated: call.tolerated,
            directory: script.directory.clone(),
            condition: here,
        }
    }
}

/// The texts, if all of them are known.
fn literals<'a>(texts: impl Iterator<Item = &'a Text>) -> Option<Vec<String>> {
    texts
        .map(|text| Some(text.as_literal()?.to_owned()))
        .collect()
}

pub(super) fn bake(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, BAKE_SWITCHES, &[]);
    if arguments.has(&["--print", "--check"]) {
        return;
    }
    let read = |script: &Script<'_, '_>| {
        let question = bake::Question {
            files: literals(arguments.values(&["-f", "--file"]))?,
            wanted: literals(arguments.positional.iter())?,
            overrides: arguments.values(&["--set"]).cloned().collect(),
            directory: script.directory.clone(),
            environment: &|name| script.environment(name),
        };
        bake::targets(&question, script.walk.repository)
    };
    let Some(targets) = read(script) else {
        return script.fact(FactKind::DaemonOpaque("a bake file".into()), call);
    };
    let (load, push) = (arguments.has(&["--load"]), arguments.has(&["--push"]));
    let baking = Baking::of(script, call, load, push, "docker buildx bake");
    for target in &targets {
        deliver_target(script.walk, target, &baking);
    }
}

pub(in super::super) fn compose(script: &mut Script<'_, '_>, call: &Call, words: &[Text]) {
    let arguments = Arguments::read(words, COMPOSE_SWITCHES, &[]);
    let Some((verb, rest)) = arguments.positional.split_first() else {
        return;
    };
    let verb = verb.as_literal().unwrap_or_default();
    if !matches!(verb, "build" | "up" | "run" | "pull" | "create" | "push") {
        return;
    }
    let opaque = || FactKind::DaemonOpaque("a compose file".into());
    // What follows the service of `run` is its command.
    let chosen = if verb == "run" {
        rest.get(..1).unwrap_or_default()
    } else {
        rest
    };
    let Some((services, chosen)) = services(script, &arguments).zip(literals(chosen.iter())) else {
        return script.fact(opaque(), call);
    };
    let baking = Baking::of(script, call, true, false, "docker compose");
    // `up` starts what a service depends on too: the services that are not named count as well.
    let all = chosen.is_empty() || matches!(verb, "up" | "run" | "create");
    for service in services
        .iter()
        .filter(|service| all || chosen.contains(&service.name))
    {
        record(script, call, verb, service, &baking);
    }
}

fn record(script: &mut Script<'_, '_>, call: &Call, verb: &str, service: &Target, baking: &Baking) {
    match verb {
        "push" => {
            for (_, tag) in &service.tags {
                script.fact(FactKind::Pushed(tag.clone()), call);
            }
        }
        "pull" => take(script, call, service),
        _ if service.builds => {
            deliver_target(script.walk, service, baking);
            if service.tags.is_empty() {
                let reason = "a service without `image:`".to_owned();
                script.fact(FactKind::DaemonOpaque(reason), call);
            }
        }
        "build" => {}
        _ => take(script, call, service),
    }
}

fn take(script: &mut Script<'_, '_>, call: &Call, service: &Target) {
    for (_, tag) in &service.tags {
        script.fact(FactKind::Present(tag.clone(), Origin::Pulled), call);
    }
}

/// The services of the files that are named, or of those that compose looks for; later files go over earlier ones.
fn services(script: &Script<'_, '_>, arguments: &Arguments) -> Option<Vec<Target>> {
    let repository = script.walk.repository;
    let read = |name: &str| {
        let path = script.file(&Text::literal(name));
        repository.read(path.as_literal()?)
    };
    let named = literals(arguments.values(&["-f", "--file"]))?;
    let sources = if named.is_empty() {
        let first = compose::FILES
            .iter()
            .find_map(|name| Some((name, read(name)?)));
        let (name, source) = first?;
        let over = name.replacen('.', ".override.", 1);
        std::iter::once(source).chain(read(&over)).collect()
    } else {
        named
            .iter()
            .map(|name| read(name))
            .collect::<Option<Vec<_>>>()?
    };
    let environment = |name: &str| -> Option<Value> { script.environment(name) };
    let mut all: Vec<Target> = Vec::new();
    for source in &sources {
        for service in compose::services(source, &environment)? {
            match all.iter_mut().find(|known| known.name == service.name) {
                None => all.push(service),
                Some(known) => {
                    known.builds |= service.builds;
                    if !service.tags.is_empty() {
                        known.tags = service.tags;
                    }
                }
            }
        }
    }
    Some(all)
}
