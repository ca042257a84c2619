//! `barge meta`: tags, labels, annotations. With the inputs of docker/metadata-action in the environment it does what
//! that action does; otherwise it follows `barge.toml`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barge_ci::meta::TagDecision;
use barge_ci::{Cause, Decision, Environment, Names};
use barge_image::Reference;
use clap::Args;
use serde::Serialize;

use super::metadata_action;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Show the tags, labels and annotations of an image; drop-in for docker/metadata-action
///
/// With the action's inputs in the environment (INPUT_IMAGES, INPUT_TAGS, ...) the outputs are those of the action,
/// written to GITHUB_OUTPUT and GITHUB_ENV. Otherwise the section [meta] of barge.toml rules.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge meta\n  barge meta --event push.json --format json\n  INPUT_IMAGES=ghcr.io/example/app INPUT_TAGS=type=sha barge meta"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: super::EventArguments,
}

#[derive(Serialize)]
struct MetaJson<'a> {
    schema: &'static str,
    skip: bool,
    cause: &'a Cause,
    version: Option<&'a str>,
    tags: &'a [Reference],
    labels: BTreeMap<&'a str, &'a str>,
    annotations: &'a [String],
    rules: &'a [TagDecision],
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if has_inputs(&context.environment) {
        return metadata_action::run(context);
    }
    let surroundings = context.surroundings()?;
    let plan = barge_pipeline::plan::plan(&surroundings, arguments.event.payload())?;
    let names = plan.decision.build().map(|build| &build.names);
    let json = json(plan.decision.cause(), names);
    if let Some(names) = names {
        set_outputs(context, names)?;
    }
    context
        .printer
        .result(&json, |out| write(out, &plan.decision))?;
    Ok(Exit::Done)
}

/// Whether the environment is that of a step with the action's inputs.
fn has_inputs(environment: &Environment) -> bool {
    const INPUTS: [&str; 11] = [
        "CONTEXT",
        "IMAGES",
        "TAGS",
        "FLAVOR",
        "LABELS",
        "ANNOTATIONS",
        "SEP-TAGS",
        "SEP-LABELS",
        "SEP-ANNOTATIONS",
        "BAKE-TARGET",
        "GITHUB-TOKEN",
    ];
    INPUTS
        .iter()
        .any(|name| environment.get(&format!("INPUT_{name}")).is_some())
}

fn json<'a>(cause: &'a Cause, names: Option<&'a Names>) -> MetaJson<'a> {
    let labels = names.iter().flat_map(|names| &names.labels);
    MetaJson {
        schema: "barge/meta/v1",
        skip: names.is_none(),
        cause,
        version: names.map(|names| names.version.as_str()),
        tags: names.map_or(&[], |names| &names.references),
        labels: labels
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect(),
        annotations: names.map_or(&[], |names| &names.annotations),
        rules: names.map_or(&[], |names| &names.rules),
    }
}

fn set_outputs(context: &Context, names: &Names) -> Result<(), Error> {
    let lines = |lines: &mut dyn Iterator<Item = String>| lines.collect::<Vec<_>>().join("\n");
    let labels = names.labels.iter();
    let outputs = [
        ("version", names.version.clone()),
        (
            "tags",
            lines(&mut names.references.iter().map(ToString::to_string)),
        ),
        (
            "labels",
            lines(&mut labels.map(|(key, value)| format!("{key}={value}"))),
        ),
        ("annotations", names.annotations.join("\n")),
    ];
    Ok(super::outputs::actions(context).set_outputs(&outputs)?)
}

fn write(out: &mut dyn Write, decision: &Decision) -> io::Result<()> {
    let Some(build) = decision.build() else {
        let cause = decision.cause();
        let word = Tone::Warning.paint("skip");
        return writeln!(out, "{word} by rule `{}`: {}", cause.rule, cause.reason);
    };
    let names = &build.names;
    writeln!(out, "{}", Tone::Strong.paint("tags"))?;
    for reference in &names.references {
        writeln!(out, "  {reference}")?;
    }
    writeln!(out, "\n{}", Tone::Strong.paint("rules"))?;
    for decision in &names.rules {
        let tag = decision.tag.as_deref().unwrap_or("none");
        writeln!(out, "  {}\n    {tag}: {}", decision.rule, decision.reason)?;
    }
    writeln!(out, "\n{}", Tone::Strong.paint("labels"))?;
    for (key, value) in &names.labels {
        writeln!(out, "  {key}={value}")?;
    }
    Ok(())
}
