//! `barge check`: finds hand-off defects in workflow files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::process;

use barge_report::fingerprint::fingerprint;
use barge_report::{Level, Location, Report, Tool, sarif};
use barge_workflow::finding::{Edit, Severity, apply_edits};
use barge_workflow::render::{self, Part};
use barge_workflow::{Finding, Source, daemon_error, diff, rule};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::workflow_files::{Checkout, WorkflowFile, find};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

const SCHEMA: &str = "barge/check/v1";
const BASELINE_SCHEMA: &str = "barge/check-baseline/v1";

/// Find hand-off defects in workflow files
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge check\n  barge check --diff\n  barge check --explain condition-mismatch\n  barge check --explain-error 'reference does not exist'\n\nA comment `# barge: ignore[RULE] reason` on a line, or above it, silences it."
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
    /// Write the findings of today to a baseline
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<Utf8PathBuf>,
    /// Write SARIF for code scanning to a file
    #[arg(long, value_name = "FILE")]
    sarif: Option<Utf8PathBuf>,
    /// Explain a rule, or with no rule, show what could not be decided
    #[arg(long, value_name = "RULE", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
    /// Say what words of a daemon or action can mean
    #[arg(long, value_name = "TEXT")]
    explain_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

/// What came of one file.
struct Outcome {
    file: WorkflowFile,
    source: Source,
    findings: Vec<Finding>,
    ignored: usize,
    undecided: Vec<(usize, String)>,
    unreadable: Option<(usize, usize, String)>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if let Some(text) = &arguments.explain_error {
        return explain_error(text, context);
    }
    if let Some(id) = arguments.explain.as_deref().filter(|id| !id.is_empty()) {
        return explain(id, context);
    }
    let files = find(context, &arguments.paths)?;
    if files.is_empty() {
        return Err(Error::Usage(
            "there are no workflow files: name files or a folder with .github/workflows".into(),
        ));
    }
    let mut outcomes: Vec<Outcome> = files
        .into_par_iter()
        .map(|file| check(file, arguments.repo.as_deref()))
        .collect::<Result<_, _>>()?;
    if let Some(path) = &arguments.write_baseline {
        return write_baseline(context, path, &outcomes);
    }
    let known = match &arguments.baseline {
        Some(path) => read_baseline(context, path)?,
        None => BTreeSet::new(),
    };
    for outcome in &mut outcomes {
        outcome
            .findings
            .retain(|finding| !known.contains(&identity(finding)));
    }
    if arguments.fix {
        mend(context, &outcomes)?;
    }
    if let Some(path) = &arguments.sarif {
        let full = context.folder.join(path);
        let text = sarif::render(&report(&outcomes), &sarif::Options::default());
        fs::write(&full, text).map_err(|source| Error::File {
            action: "write",
            path: full,
            source,
        })?;
    }
    let explained = arguments.explain.is_some();
    context.printer.result(&json(&outcomes), |out| {
        write(out, &outcomes, arguments.diff, explained)
    })?;
    if context.in_actions() {
        annotate(&outcomes)?;
    }
    Ok(verdict(&outcomes, arguments))
}

fn verdict(outcomes: &[Outcome], arguments: &Arguments) -> Exit {
    let limit = match arguments.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
        FailOn::Never => return Exit::Done,
    };
    let mended = |finding: &Finding| {
        arguments.fix
            && finding
                .fix
                .as_ref()
                .is_some_and(|fix| !fix.edits.is_empty())
    };
    let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    if findings
        .into_iter()
        .any(|finding| finding.severity >= limit && !mended(finding))
    {
        return Exit::Policy;
    }
    // A file that could not be read was not checked: that is no pass.
    if outcomes.iter().any(|outcome| outcome.unreadable.is_some()) {
        Exit::Evidence
    } else {
        Exit::Done
    }
}

fn check(file: WorkflowFile, repository: Option<&str>) -> Result<Outcome, Error> {
    let bytes = fs::read(&file.path).map_err(|source| Error::File {
        action: "read",
        path: file.path.clone(),
        source,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let source = Source::new(&file.shown, text.trim_start_matches('\u{feff}'));
    let checkout = Checkout::new(&file.root);
    let remote = repository.map(str::to_owned).or_else(|| checkout.remote());
    Ok(
        match barge_workflow::check(&source, &checkout, remote.as_deref()) {
            Ok(checked) => Outcome {
                file,
                source,
                findings: checked.findings,
                ignored: checked.ignored,
                undecided: checked.undecided,
                unreadable: None,
            },
            Err(error) => Outcome {
                unreadable: Some((error.position.line, error.position.column, error.reason)),
                file,
                source,
                findings: Vec::new(),
                ignored: 0,
                undecided: Vec::new(),
            },
        },
    )
}

/// What stays the same when other lines of the file change.
fn identity(finding: &Finding) -> String {
    let line = finding
        .source
        .line(finding.position().line)
        .trim()
        .to_owned();
    fingerprint(&["check", finding.rule, finding.source.path(), &line])
}

#[derive(Serialize, Deserialize)]
struct Baseline {
    schema: String,
    findings: BTreeSet<String>,
}

fn write_baseline(context: &Context, path: &Utf8Path, outcomes: &[Outcome]) -> Result<Exit, Error> {
    let findings = outcomes
        .iter()
        .flat_map(|outcome| outcome.findings.iter().map(identity))
        .collect();
    let baseline = Baseline {
        schema: BASELINE_SCHEMA.into(),
        findings,
    };
    let full = context.folder.join(path);
    let text = serde_json::to_string_pretty(&baseline).map_err(io::Error::from)?;
    fs::write(&full, text + "\n").map_err(|source| Error::File {
        action: "write",
        path: full,
        source,
    })?;
    context.printer.status(&format!(
        "{} findings written to {path}",
        baseline.findings.len()
    ));
    Ok(Exit::Done)
}

fn read_baseline(context: &Context, path: &Utf8Path) -> Result<BTreeSet<String>, Error> {
    let full = context.folder.join(path);
    let text = fs::read_to_string(&full).map_err(|source| Error::File {
        action: "read",
        path: full,
        source,
    })?;
    let read: Result<Baseline, _> = serde_json::from_str(&text);
    match read {
        Ok(baseline) if baseline.schema == BASELINE_SCHEMA => Ok(baseline.findings),
        _ => Err(Error::Usage(format!(
            "`{path}` is no baseline: write one with --write-baseline"
        ))),
    }
}

/// The changes of a file, by the path it has in messages.
fn edits(outcome: &Outcome) -> Vec<Edit> {
    let fixes = outcome
        .findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref());
    fixes
        .flat_map(|fix| fix.edits.iter())
        .filter(|edit| edit.path == outcome.source.path())
        .cloned()
        .collect()
}

fn mend(context: &Context, outcomes: &[Outcome]) -> Result<(), Error> {
    for outcome in outcomes {
        let edits = edits(outcome);
        if edits.is_empty() {
            continue;
        }
        let path = &outcome.file.path;
        let failed = |action| {
            move |source| Error::File {
                action,
                path: path.clone(),
                source,
            }
        };
        // Written beside the file and renamed: an interrupted run leaves the old one whole.
        let beside = path.with_file_name(format!(
            ".{}.{}",
            path.file_name().unwrap_or_default(),
            process::id()
        ));
        fs::write(&beside, apply_edits(outcome.source.text(), &edits)).map_err(failed("write"))?;
        fs::rename(&beside, path).map_err(failed("replace"))?;
        context
            .printer
            .status(&format!("mended {}", outcome.file.shown));
    }
    Ok(())
}

#[derive(Serialize)]
struct CheckJson<'a> {
    schema: &'static str,
    files: usize,
    ignored: usize,
    counts: BTreeMap<String, usize>,
    findings: Vec<FindingJson<'a>>,
    unreadable: Vec<UnreadableJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    severity: String,
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    case: Option<&'a str>,
    consequence: Option<&'a str>,
    evidence: Vec<EvidenceJson<'a>>,
    fix: Option<FixJson<'a>>,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
}

#[derive(Serialize)]
struct FixJson<'a> {
    message: &'a str,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    path: &'a str,
    start: usize,
    end: usize,
    replacement: &'a str,
}

#[derive(Serialize)]
struct UnreadableJson<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    reason: &'a str,
}

fn json(outcomes: &[Outcome]) -> CheckJson<'_> {
    let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    let mut counts = BTreeMap::new();
    for finding in findings.clone() {
        *counts.entry(finding.severity.to_string()).or_insert(0) += 1;
    }
    CheckJson {
        schema: SCHEMA,
        files: outcomes.len(),
        ignored: outcomes.iter().map(|outcome| outcome.ignored).sum(),
        counts,
        findings: findings.map(finding_json).collect(),
        unreadable: outcomes
            .iter()
            .filter_map(|outcome| {
                let (line, column, reason) = outcome.unreadable.as_ref()?;
                Some(UnreadableJson {
                    path: &outcome.file.shown,
                    line: *line,
                    column: *column,
                    reason,
                })
            })
            .collect(),
    }
}

fn finding_json(finding: &Finding) -> FindingJson<'_> {
    let (start, end) = (
        finding.position(),
        finding.source.position(finding.span.end),
    );
    FindingJson {
        rule: finding.rule,
        severity: finding.severity.to_string(),
        path: finding.source.path(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &finding.message,
        case: finding.case.as_deref(),
        consequence: finding.consequence.as_deref(),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| {
                let place = evidence.source.position(evidence.span.start);
                EvidenceJson {
                    path: evidence.source.path(),
                    line: place.line,
                    column: place.column,
                    message: &evidence.message,
                }
            })
            .collect(),
        fix: finding.fix.as_ref().map(|fix| FixJson {
            message: &fix.message,
            edits: fix
                .edits
                .iter()
                .map(|edit| EditJson {
                    path: &edit.path,
                    start: edit.span.start,
                    end: edit.span.end,
                    replacement: &edit.replacement,
                })
                .collect(),
        }),
    }
}

/// The findings in the model that all reports share.
fn report(outcomes: &[Outcome]) -> Report {
    let level = |severity| match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let rules = rule::RULES.iter().map(|rule| barge_report::Rule {
        id: rule.id.into(),
        name: camel_case(rule.id),
        summary: rule.summary.into(),
        description: rule.explanation.into(),
        help: rule.explanation.into(),
        level: level(rule.severity),
        tags: vec!["hand-off".into()],
        ..barge_report::Rule::default()
    });
    let findings = outcomes
        .iter()
        .flat_map(|outcome| &outcome.findings)
        .map(|finding| {
            let end = finding.source.position(finding.span.end);
            let whole = [
                Some(finding.message.as_str()),
                finding.case.as_deref(),
                finding.consequence.as_deref(),
            ];
            barge_report::Finding {
                rule: finding.rule.into(),
                level: level(finding.severity),
                message: whole.into_iter().flatten().collect::<Vec<_>>().join("; "),
                locations: vec![Location {
                    path: finding.source.path().into(),
                    line: number(finding.position().line),
                    column: Some(number(finding.position().column)),
                    end_line: Some(number(end.line)),
                    end_column: Some(number(end.column)),
                }],
                fingerprint: identity(finding),
                ..barge_report::Finding::default()
            }
        });
    Report {
        tool: Tool {
            name: "barge".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            url: env!("CARGO_PKG_REPOSITORY").into(),
        },
        subject: "workflows".into(),
        category: "barge-check".into(),
        rules: rules.collect(),
        findings: findings.collect(),
        ..Report::default()
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn camel_case(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}

/// Lines that GitHub shows beside the code.
fn annotate(outcomes: &[Outcome]) -> Result<(), Error> {
    let mut out = io::stderr().lock();
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = finding.message.clone();
        for more in [&finding.case, &finding.consequence].into_iter().flatten() {
            message.push('\n');
            message.push_str(more);
        }
        let message = message
            .replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A");
        let path = finding
            .source
            .path()
            .replace('%', "%25")
            .replace(',', "%2C")
            .replace(':', "%3A");
        writeln!(
            out,
            "::{command} file={path},line={},title=barge {}::{message}",
            finding.position().line,
            finding.rule
        )?;
    }
    Ok(())
}

fn write(
    out: &mut dyn Write,
    outcomes: &[Outcome],
    diffs: bool,
    explained: bool,
) -> io::Result<()> {
    for outcome in outcomes {
        if let Some((line, column, reason)) = &outcome.unreadable {
            writeln!(
                out,
                "{} {}:{line}:{column}: {reason}\n",
                Tone::Bad.paint("unreadable"),
                outcome.file.shown
            )?;
        }
        if diffs {
            let edits = edits(outcome);
            if !edits.is_empty() {
                write!(out, "{}", diff::unified(&outcome.source, &edits))?;
            }
            continue;
        }
        for finding in &outcome.findings {
            let paint = |part: Part, text: &str| match (part, finding.severity) {
                (Part::Heading | Part::Mark, Severity::Error) => Tone::Bad.paint(text),
                (Part::Heading | Part::Mark, Severity::Warning) => Tone::Warning.paint(text),
                (Part::Heading | Part::Message, _) => Tone::Strong.paint(text),
                (Part::Margin, _) => Tone::Faint.paint(text),
                _ => text.to_owned(),
            };
            writeln!(out, "{}", render::human(finding, &paint))?;
        }
        for (line, reason) in outcome.undecided.iter().filter(|_| explained) {
            writeln!(
                out,
                "{} {}:{line}: {reason}",
                Tone::Faint.paint("undecided"),
                outcome.file.shown
            )?;
        }
    }
    if diffs {
        Ok(())
    } else {
        write_summary(out, outcomes)
    }
}

fn write_summary(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    let roots: BTreeSet<&Utf8Path> = outcomes
        .iter()
        .map(|outcome| outcome.file.root.as_path())
        .collect();
    if roots.len() > 1 {
        for root in &roots {
            let own = outcomes.iter().filter(|outcome| outcome.file.root == *root);
            let (files, findings) = own.fold((0, 0), |(files, findings), outcome| {
                (files + 1, findings + outcome.findings.len())
            });
            if findings > 0 {
                writeln!(out, "{findings:>5} in {files:>3} files  {root}")?;
            }
        }
    }
    let count = |severity| {
        outcomes
            .iter()
            .flat_map(|outcome| &outcome.findings)
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let ignored: usize = outcomes.iter().map(|outcome| outcome.ignored).sum();
    let ignored = if ignored > 0 {
        format!(", {ignored} ignored")
    } else {
        String::new()
    };
    writeln!(
        out,
        "{} workflows: {} errors, {} warnings, {} notes{ignored}",
        outcomes.len(),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    )
}

fn explain(id: &str, context: &Context) -> Result<Exit, Error> {
    let Some(rule) = rule::find(id) else {
        let ids: Vec<&str> = rule::RULES.iter().map(|rule| rule.id).collect();
        return Err(Error::Usage(format!(
            "there is no rule `{id}`; the rules are {}",
            ids.join(", ")
        )));
    };
    #[derive(Serialize)]
    struct RuleJson<'a> {
        schema: &'static str,
        rule: &'a str,
        severity: String,
        summary: &'a str,
        explanation: &'a str,
    }
    let json = RuleJson {
        schema: "barge/rule/v1",
        rule: rule.id,
        severity: rule.severity.to_string(),
        summary: rule.summary,
        explanation: rule.explanation,
    };
    context.printer.result(&json, |out| {
        writeln!(
            out,
            "{} ({})\n{}\n\n{}",
            Tone::Strong.paint(rule.id),
            rule.severity,
            rule.summary,
            rule.explanation
        )
    })?;
    Ok(Exit::Done)
}

fn explain_error(text: &str, context: &Context) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct MeaningJson {
        text: &'static str,
        causes: &'static [&'static str],
        rules: &'static [&'static str],
    }
    #[derive(Serialize)]
    struct ExplainJson {
        schema: &'static str,
        meanings: Vec<MeaningJson>,
    }
    let found = daemon_error::explain(text);
    let meanings = found.iter().map(|meaning| MeaningJson {
        text: meaning.text,
        causes: meaning.causes,
        rules: meaning.rules,
    });
    let json = ExplainJson {
        schema: "barge/explain-error/v1",
        meanings: meanings.collect(),
    };
    context.printer.result(&json, |out| {
        if found.is_empty() {
            writeln!(out, "these words are not known")?;
        }
        for meaning in &found {
            writeln!(out, "{}", Tone::Strong.paint(meaning.text))?;
            for cause in meaning.causes {
                writeln!(out, "  - {cause}")?;
            }
            if !meaning.rules.is_empty() {
                writeln!(out, "  found in workflows by: {}", meaning.rules.join(", "))?;
            }
        }
        Ok(())
    })?;
    Ok(if found.is_empty() {
        Exit::Failed
    } else {
        Exit::Done
    })
}
