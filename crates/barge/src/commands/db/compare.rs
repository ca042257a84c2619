//! `barge db compare`: how versions order.

use std::io::{self, BufRead as _, BufReader, Write};

use barge_vuln::version::{Scheme, Version, compare};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Tell how two versions order: -1, 0 or 1
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge db compare --scheme deb 1.0~rc1 1.0\n  printf 'maven\\t1.0\\t1.0-rc1\\n' | barge db compare --stdin"
)]
pub(super) struct Arguments {
    /// The scheme: deb, rpm, apk, pep440, semver, maven, gem, nuget, composer, ...
    #[arg(long, required_unless_present = "stdin")]
    scheme: Option<Scheme>,
    /// One version
    #[arg(required_unless_present = "stdin")]
    left: Option<String>,
    /// The other
    #[arg(required_unless_present = "stdin")]
    right: Option<String>,
    /// Read lines of scheme, version, version with tabs between
    #[arg(long, conflicts_with_all = ["scheme", "left", "right"])]
    stdin: bool,
}

#[derive(Serialize)]
struct Comparison {
    schema: &'static str,
    scheme: String,
    left: String,
    right: String,
    order: i8,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if arguments.stdin {
        context
            .printer
            .human(|out| compare_lines(io::stdin(), out))?;
        return Ok(Exit::Done);
    }
    let (Some(scheme), Some(left), Some(right)) =
        (arguments.scheme, &arguments.left, &arguments.right)
    else {
        return Err(Error::Usage(
            "a comparison needs a scheme and two versions".into(),
        ));
    };
    let comparison = Comparison {
        schema: "barge/db-compare/v1",
        scheme: scheme.to_string(),
        left: left.clone(),
        right: right.clone(),
        order: compare(scheme, left, right).map_err(barge_vuln::Error::from)? as i8,
    };
    context
        .printer
        .result(&comparison, |out| writeln!(out, "{}", comparison.order))?;
    Ok(Exit::Done)
}

/// Answers each line, whatever is wrong with others. A program that asks line by line gets its answer before it asks on.
fn compare_lines(input: impl io::Read, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = BufReader::with_capacity(64 * 1024, input);
    let mut line = Vec::new();
    loop {
        if !lines.buffer().contains(&b'\n') {
            out.flush()?;
        }
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        match compare_line(text.trim_end_matches(['\n', '\r'])) {
            Ok(order) => writeln!(out, "{order}")?,
            Err(reason) => writeln!(out, "error: {}", barge_report::one_line(&reason))?,
        }
    }
}

fn compare_line(line: &str) -> Result<i8, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [scheme, left, right] = fields[..] else {
        return Err("a line is scheme, version, version with tabs between".to_owned());
    };
    let scheme: Scheme = scheme.parse().map_err(|error| format!("{error}"))?;
    let read = |text| Version::parse(scheme, text).map_err(|error| error.to_string());
    let order = read(left)?.compare(&read(right)?);
    Ok(order.map_or(0, |order| order as i8))
}
