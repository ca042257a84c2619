//! `barge gate`: one verdict from job results.

use std::fs;
use std::io::{self, Read as _, Write};

use barge_ci::gate::{GATE_SCHEMA, JobVerdict};
use barge_ci::{EventError, Plan, Results, Verdict};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Turn the results of all jobs into one verdict: only success passes, and what was planned to be skipped
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge gate --results needs.json\n  echo '${{ toJSON(needs) }}' | barge gate --results -\n  barge gate --results needs.json --plan plan.json"
)]
pub(crate) struct Arguments {
    /// Results by job: {"build": "success", ...}, or GitHub's `toJSON(needs)`; `-` reads stdin
    #[arg(long, value_name = "FILE")]
    results: Utf8PathBuf,
    /// The plan that the jobs followed, as `barge plan --format json` wrote it; else the event is planned again
    #[arg(long, value_name = "FILE", conflicts_with = "event")]
    plan: Option<Utf8PathBuf>,
    #[command(flatten)]
    event: super::EventArguments,
}

#[derive(Serialize)]
struct GateJson<'v> {
    schema: &'static str,
    #[serde(flatten)]
    verdict: &'v Verdict,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if arguments.results == "-" && arguments.plan.as_deref() == Some(Utf8Path::new("-")) {
        let text = "results and plan cannot both be read from stdin".into();
        return Err(Error::Usage(text));
    }
    let results = Results::parse(&read(context, &arguments.results)?)?;
    let plan = match &arguments.plan {
        Some(path) => parse_plan(path, &read(context, path)?)?,
        None => plan_again(arguments, context)?,
    };
    let verdict = results.judge(&plan.jobs);
    let json = GateJson {
        schema: GATE_SCHEMA,
        verdict: &verdict,
    };
    context.printer.result(&json, |out| write(out, &verdict))?;
    Ok(if verdict.passed {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn plan_again(arguments: &Arguments, context: &Context) -> Result<Plan, Error> {
    let plan = barge_pipeline::plan::plan(&context.surroundings()?, arguments.event.payload());
    plan.map_err(|error| match error {
        barge_pipeline::Error::Event(EventError::Git(error)) => Error::Usage(format!(
            "there is no plan to judge by: give the one that the jobs followed with `--plan FILE`, or a checkout ({error})"
        )),
        other => other.into(),
    })
}

fn read(context: &Context, path: &Utf8Path) -> Result<String, Error> {
    let text = if path == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(context.folder.join(path))
    };
    text.map_err(|source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

fn parse_plan(path: &Utf8Path, text: &str) -> Result<Plan, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Usage(format!("`{path}` is no plan of barge: {error}")))
}

fn write(out: &mut dyn Write, verdict: &Verdict) -> io::Result<()> {
    for job in &verdict.jobs {
        write_job(out, job)?;
    }
    let (word, tone) = if verdict.passed {
        ("passed", Tone::Good)
    } else {
        ("failed", Tone::Bad)
    };
    writeln!(out, "verdict: {}", tone.paint(word))
}

fn write_job(out: &mut dyn Write, job: &JobVerdict) -> io::Result<()> {
    let (word, tone) = if job.passed {
        ("pass", Tone::Good)
    } else {
        ("fail", Tone::Bad)
    };
    writeln!(out, "{:<8} {} {}", job.job, tone.paint(word), job.reason)
}
