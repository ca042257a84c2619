//! `barge sbom`: what is in an image, a directory or a file, as a bill of materials in any of the formats.

use barge_pipeline::input::{Input, bill, no_cache};
use barge_pipeline::layer_cache;
use barge_sbom::format::{Provenance, cyclonedx, github, spdx, text};
use barge_sbom::{Options, Sbom};
use clap::{Args, ValueEnum};

use super::{Output, formats};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// List everything in an image as a bill of materials
#[derive(Debug, Args)]
#[command(
    after_help = format!("{}\n\n\
    Examples:\n  barge sbom image.tar\n  barge sbom docker:ghcr.io/example/app:pr-7 -o cyclonedx-json=bom.json -o spdx-json=bom.spdx.json\n  \
    barge sbom image.tar --path /app/charon\n  \
    docker save app:1 | barge sbom - -o purls", super::INPUTS)
)]
pub(crate) struct Arguments {
    /// What to look into; by default what this checkout saved last
    image: Option<String>,
    #[command(flatten)]
    store: super::StoreArguments,
    #[arg(
        short,
        long = "output",
        value_name = "FORMAT[=FILE]",
        help = format!("A format, and the file to write it to: {}", formats::<Shape>())
    )]
    outputs: Vec<Output<Shape>>,
    /// Look only at this file or folder of the image
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Count what lock files and the like ask for, too
    #[arg(long)]
    declared: bool,
    /// Read every layer through and compare it with its digest
    #[arg(long)]
    verify: bool,
    /// Neither use nor keep what layers gave before; of plain layers only what is evidence is then read
    #[arg(long)]
    no_cache: bool,
    /// Who answers for the bill, as NTIA's minimum elements ask
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
}

/// What a bill can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    #[value(name = "cyclonedx-json", alias = "cyclonedx")]
    CycloneDxJson,
    #[value(name = "cyclonedx-xml")]
    CycloneDxXml,
    #[value(name = "spdx-json", alias = "spdx")]
    SpdxJson,
    #[value(name = "github-json", alias = "github")]
    GithubJson,
    Purls,
    Table,
    Json,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let words: Vec<String> = arguments.image.iter().cloned().collect();
    let input = Input::parse(&words, &context.folder)?;
    let options = Options {
        declared: arguments.declared,
        path: arguments.path.clone(),
        verify: arguments.verify,
    };
    let store = arguments.store.open(context)?;
    let cache = if arguments.no_cache {
        no_cache()
    } else {
        layer_cache(&context.environment)
    };
    let sbom = context
        .block_on(async { Ok(bill(&surroundings, &store, &input, options, cache).await?) })?;
    for unknown in &sbom.unknowns {
        let (path, reason) = (&unknown.path, &unknown.reason);
        context
            .printer
            .warning(&format!("`{path}` was not read: {reason}"));
    }
    write_outputs(&sbom, arguments, context)?;
    let count = sbom.packages.len();
    super::outputs::actions(context).set_outputs(&[("component_count", count.to_string())])?;
    if count == 0 {
        context
            .printer
            .warning("no packages were found: an empty bill is no evidence");
        return Ok(Exit::Evidence);
    }
    Ok(Exit::Done)
}

/// Writes every format that was asked for; without any, a table for people or barge's own JSON.
fn write_outputs(sbom: &Sbom, arguments: &Arguments, context: &Context) -> Result<(), Error> {
    let standard = [Output {
        format: if context.printer.is_human() {
            Shape::Table
        } else {
            Shape::Json
        },
        file: None,
    }];
    let outputs = if arguments.outputs.is_empty() {
        &standard[..]
    } else {
        &arguments.outputs
    };
    for output in outputs {
        let bytes = render(sbom, output.format, arguments, context);
        match &output.file {
            Some(file) => context.write_file(file, &bytes)?,
            None => context.printer.human(|out| out.write_all(&bytes))?,
        }
    }
    Ok(())
}

fn render(sbom: &Sbom, shape: Shape, arguments: &Arguments, context: &Context) -> Vec<u8> {
    let provenance = Provenance {
        created: context.source_date.unwrap_or(context.now),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        author: arguments.author.clone(),
    };
    match shape {
        Shape::CycloneDxJson => cyclonedx::write_json(sbom, &provenance),
        Shape::CycloneDxXml => cyclonedx::write_xml(sbom, &provenance),
        Shape::SpdxJson => spdx::write_json(sbom, &provenance),
        Shape::GithubJson => github::write(sbom, &provenance, &job(context)),
        Shape::Purls => text::write_purls(sbom),
        Shape::Table => text::write_table(sbom),
        Shape::Json => text::write_json(sbom),
    }
}

/// The run that a snapshot belongs to, from the runner's variables.
fn job(context: &Context) -> github::Job {
    let variable = |name: &str| {
        context
            .environment
            .non_empty(name)
            .unwrap_or_default()
            .to_owned()
    };
    let (server, repository) = (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY"));
    let id = variable("GITHUB_RUN_ID");
    let page = format!("{server}/{repository}/actions/runs/{id}");
    github::Job {
        sha: variable("GITHUB_SHA"),
        reference: variable("GITHUB_REF"),
        correlator: [variable("GITHUB_WORKFLOW"), variable("GITHUB_JOB")].join("_"),
        html_url: (!server.is_empty()).then_some(page),
        id,
    }
}
