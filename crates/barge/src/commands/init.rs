//! `barge init`: a commented settings file.

use barge_image::blobs::write_file;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::settings::FILE;

/// Every setting, with its default or an example, commented out.
const TEMPLATE: &str = include_str!("../barge.toml");

/// Write a commented barge.toml for this repository
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  barge init\n  barge init --print")]
pub(crate) struct Arguments {
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Write to stdout instead
    #[arg(long)]
    print: bool,
}

#[derive(Serialize)]
struct InitJson {
    schema: &'static str,
    path: String,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if arguments.print {
        context
            .printer
            .human(|out| out.write_all(TEMPLATE.as_bytes()))?;
        return Ok(Exit::Done);
    }
    let path = context.folder.join(FILE);
    if path.exists() && !arguments.force {
        return Err(Error::Usage(format!(
            "`{path}` is there already; `--force` replaces it"
        )));
    }
    write_file(&path, TEMPLATE.as_bytes()).map_err(barge_pipeline::Error::from)?;
    let json = InitJson {
        schema: "barge/init/v1",
        path: path.to_string(),
    };
    context.printer.result(&json, |out| {
        writeln!(out, "{} {path}", Tone::Good.paint("wrote"))
    })?;
    Ok(Exit::Done)
}
