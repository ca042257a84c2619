//! `barge check`: finds hand-off defects in workflow files.

mod annotations;
mod baseline;
mod cache;
mod explain;
mod human;
mod json;
mod sarif;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

use barge_workflow::mend::{Mended, mend};
use barge_workflow::{Checked, Finding, Severity, Source, rule};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use tempfile::NamedTempFile;

use self::baseline::Known;
use self::cache::Cache;
use super::workflow_files::{WorkflowFile, find};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Find hand-off defects in workflow files
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge check\n  barge check --diff\n  barge check ~/checkouts --format json\n  barge check --explain=condition-mismatch\n  barge check --explain-error 'reference does not exist'\n\nA comment `# barge: ignore[RULE] reason` on a line, or above it, silences it."
)]
pub(crate) struct Arguments {
    /// Files, checkouts or folders of checkouts; by default the checkout in the working directory
    paths: Vec<Utf8PathBuf>,
    /// Mend what can be mended safely
    #[arg(long, conflicts_with = "diff")]
    fix: bool,
    /// Show what --fix would change
    #[arg(long)]
    diff: bool,
    /// End with exit code 10 when a finding is at least this grave
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,
    /// The repository's name on GitHub, which tells capitals; by default that of the remote `origin`
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// Leave out what this file lists
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Write the findings of today to a baseline, and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "diff", "baseline", "sarif"])]
    write_baseline: Option<Utf8PathBuf>,
    /// Write SARIF for code scanning to a file
    #[arg(long, value_name = "FILE")]
    sarif: Option<Utf8PathBuf>,
    /// Explain a rule, or with no rule, show what could not be decided
    #[arg(long, value_name = "RULE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    explain: Option<String>,
    /// Say what words of a daemon or action can mean
    #[arg(long, value_name = "TEXT")]
    explain_error: Option<String>,
    /// Check files again that were checked before and have not changed
    #[arg(long)]
    no_cache: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl Arguments {
    /// The rule to explain: `--explain=RULE`, or `--explain RULE` as people type it.
    fn explained(&self) -> Option<&str> {
        match (self.explain.as_deref()?, self.paths.as_slice()) {
            ("", [path]) => rule::find(path.as_str()).map(|rule| rule.id),
            (id, _) => Some(id).filter(|id| !id.is_empty()),
        }
    }
}

/// What came of one file.
struct Outcome {
    file: WorkflowFile,
    source: Source,
    findings: Vec<Finding>,
    ignored: usize,
    undecided: Vec<(usize, String)>,
    unreadable: Option<Unreadable>,
    /// The file after its fixes, and how many there were, when fixes are asked for.
    mended: Option<(Source, usize)>,
}

/// Why a file could not be checked; line and column are 0 when it could not even be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unreadable {
    line: usize,
    column: usize,
    reason: String,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if let Some(text) = &arguments.explain_error {
        return explain::words(text, context);
    }
    if let Some(id) = arguments.explained() {
        return explain::rule(id, context);
    }
    let files = find(context, &arguments.paths)?;
    if files.is_empty() {
        return Err(Error::Usage(
            "there are no workflow files: name files or a folder with .github/workflows".into(),
        ));
    }
    let known = match &arguments.baseline {
        Some(path) => baseline::read(context, path)?,
        None => Known::default(),
    };
    let check = Check {
        arguments,
        known: &known,
        cache: Cache::open(context, !arguments.no_cache),
    };
    let outcomes = files.into_par_iter().map(|file| check.file(file));
    let outcomes = without_echoes(outcomes.collect());
    if let Some(path) = &arguments.write_baseline {
        return baseline::write(context, path, &outcomes);
    }
    if arguments.fix {
        write_mended(context, &outcomes)?;
    }
    if let Some(path) = &arguments.sarif {
        let options = barge_report::sarif::Options::default();
        let text = barge_report::sarif::render(&sarif::report(&outcomes), &options);
        let text = text.map_err(Error::Output)?;
        context.write_file(path, text.as_bytes())?;
    }
    context.printer.result(&json::json(&outcomes), |out| {
        if arguments.diff {
            human::write_diffs(out, &outcomes)
        } else {
            let shown = human::Shown {
                undecided: arguments.explain.is_some(),
                width: context.printer.width(),
                colors: context.printer.colors(),
            };
            human::write(out, &outcomes, &shown)
        }
    })?;
    if context.in_actions() {
        annotations::write(context, &outcomes);
    }
    Ok(verdict(&outcomes, arguments.fail_on))
}

/// Drops what a caller's walk finds in a file that is checked itself and finds it too.
fn without_echoes(mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let key = |finding: &Finding| {
        let place = &finding.place;
        (place.source.path().to_owned(), place.line(), finding.rule)
    };
    let is_own =
        |outcome: &Outcome, finding: &Finding| finding.place.source.path() == outcome.source.path();
    let found = outcomes.iter().flat_map(|outcome| {
        let own = outcome.findings.iter();
        own.filter(|finding| is_own(outcome, finding)).map(key)
    });
    let known: BTreeSet<_> = found.collect();
    for outcome in &mut outcomes {
        let path = outcome.source.path().to_owned();
        outcome.findings.retain(|finding| {
            finding.place.source.path() == path || !known.contains(&key(finding))
        });
    }
    outcomes
}

fn verdict(outcomes: &[Outcome], fail_on: FailOn) -> Exit {
    let limit = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
        FailOn::Never => return Exit::Done,
    };
    let mut findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    if findings.any(|finding| finding.severity >= limit) {
        return Exit::Policy;
    }
    // A file that could not be read was not checked: that is no pass.
    if outcomes.iter().any(|outcome| outcome.unreadable.is_some()) {
        Exit::Evidence
    } else {
        Exit::Done
    }
}

/// How files are checked.
struct Check<'a> {
    arguments: &'a Arguments,
    known: &'a Known,
    cache: Cache,
}

impl Check<'_> {
    /// Checks one file. Whatever is wrong with it is an outcome, and no reason to stop.
    fn file(&self, file: WorkflowFile) -> Outcome {
        let mut outcome = Outcome {
            source: Source::new(&file.shown, ""),
            file,
            findings: Vec::new(),
            ignored: 0,
            undecided: Vec::new(),
            unreadable: None,
            mended: None,
        };
        if let Err(unreadable) = self.fill(&mut outcome) {
            outcome.unreadable = Some(unreadable);
        }
        outcome
    }

    fn fill(&self, outcome: &mut Outcome) -> Result<(), Unreadable> {
        let file = &outcome.file;
        let text = file.read().map_err(|reason| Unreadable {
            line: 0,
            column: 0,
            reason,
        })?;
        outcome.source = Source::new(&file.shown, &text);
        let checkout = file.checkout();
        let repository = self.arguments.repo.clone().or_else(|| checkout.remote());
        let checked = if self.arguments.fix || self.arguments.diff {
            let mended = mend(
                &outcome.source,
                &checkout,
                repository.as_deref(),
                &|findings| self.known.news(findings),
            );
            let Mended {
                source,
                count,
                checked,
            } = mended.map_err(|error| Unreadable::from(&error))?;
            if count > 0 {
                outcome.mended = Some((source, count));
            }
            checked
        } else {
            self.cache
                .check(&outcome.source, &checkout, repository.as_deref())?
        };
        let Checked {
            findings,
            ignored,
            undecided,
        } = checked;
        outcome.findings = self.known.news(&findings).into_iter().cloned().collect();
        outcome.ignored = ignored;
        outcome.undecided = undecided;
        Ok(())
    }
}

impl From<&barge_workflow::yaml::ParseYamlError> for Unreadable {
    fn from(error: &barge_workflow::yaml::ParseYamlError) -> Self {
        Self {
            line: error.position.line,
            column: error.position.column,
            reason: error.reason.clone(),
        }
    }
}

fn write_mended(context: &Context, outcomes: &[Outcome]) -> Result<(), Error> {
    for outcome in outcomes {
        if let Some((source, count)) = &outcome.mended {
            replace_file(&outcome.file.path, source.text())?;
            let shown = &outcome.file.shown;
            context
                .printer
                .status(&format!("mended {count} in {shown}"));
        }
    }
    Ok(())
}

/// Puts a new text in the place of a file, whole or not at all: an interrupted run leaves the old one. A link stays one.
fn replace_file(path: &Utf8Path, text: &str) -> Result<(), Error> {
    let target = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let replace = || {
        let folder = target.parent().unwrap_or(Utf8Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        let permissions = fs::metadata(&target)?.permissions();
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|error| error.error)
    };
    replace().map(drop).map_err(|source| Error::File {
        action: "replace",
        path: path.to_owned(),
        source,
    })
}
