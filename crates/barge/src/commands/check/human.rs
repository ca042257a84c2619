//! The findings for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use barge_report::table::{Cell, Column, Style, Table};
use barge_workflow::render::{self, Part};
use barge_workflow::{Finding, Severity};
use camino::Utf8Path;
use similar::TextDiff;

use super::Outcome;
use crate::printer::Tone;

/// How findings are shown.
pub(super) struct Shown {
    /// What could not be decided is shown too.
    pub(super) undecided: bool,
    /// The terminal's width.
    pub(super) width: Option<usize>,
    /// Colours are wanted.
    pub(super) colors: bool,
}

pub(super) fn write(out: &mut dyn Write, outcomes: &[Outcome], shown: &Shown) -> io::Result<()> {
    for outcome in outcomes {
        write_unreadable(out, outcome)?;
        for finding in &outcome.findings {
            writeln!(out, "{}", painted(finding))?;
        }
        for (line, reason) in outcome.undecided.iter().filter(|_| shown.undecided) {
            let (mark, path) = (Tone::Faint.paint("undecided"), &outcome.file.shown);
            writeln!(out, "{mark} {path}:{line}: {reason}")?;
        }
    }
    write_repositories(out, outcomes, shown)?;
    write_summary(out, outcomes)
}

/// The changes of each file as unified diffs.
pub(super) fn write_diffs(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    for outcome in outcomes {
        write_unreadable(out, outcome)?;
        if let Some((mended, _)) = &outcome.mended {
            let path = outcome.source.path();
            let diff = TextDiff::from_lines(outcome.source.text(), mended.text());
            let mut unified = diff.unified_diff();
            let (old, new) = (format!("a/{path}"), format!("b/{path}"));
            write!(out, "{}", unified.header(&old, &new))?;
        }
    }
    Ok(())
}

fn write_unreadable(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let Some(unreadable) = &outcome.unreadable else {
        return Ok(());
    };
    let (mark, path) = (Tone::Bad.paint("unreadable"), &outcome.file.shown);
    match unreadable.line {
        0 => writeln!(out, "{mark} {path}: {}\n", unreadable.reason),
        line => writeln!(
            out,
            "{mark} {path}:{line}:{}: {}\n",
            unreadable.column, unreadable.reason
        ),
    }
}

fn painted(finding: &Finding) -> String {
    let paint = |part: Part, text: &str| match (part, finding.severity) {
        (Part::Heading | Part::Mark, Severity::Error) => Tone::Bad.paint(text),
        (Part::Heading | Part::Mark, Severity::Warning) => Tone::Warning.paint(text),
        (Part::Heading | Part::Message, _) => Tone::Strong.paint(text),
        (Part::Margin, _) => Tone::Faint.paint(text),
        _ => text.to_owned(),
    };
    render::human(finding, &paint)
}

/// What was found in some files.
#[derive(Default)]
struct Tally {
    files: usize,
    unreadable: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    ignored: usize,
    mended: usize,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        self.files += 1;
        self.unreadable += usize::from(outcome.unreadable.is_some());
        self.ignored += outcome.ignored;
        self.mended += outcome.mended.as_ref().map_or(0, |(_, count)| *count);
        for finding in &outcome.findings {
            *match finding.severity {
                Severity::Error => &mut self.errors,
                Severity::Warning => &mut self.warnings,
                Severity::Note => &mut self.notes,
            } += 1;
        }
    }

    fn is_clean(&self) -> bool {
        self.errors + self.warnings + self.notes + self.unreadable == 0
    }
}

/// One row for each checkout in which something is wrong, when there are several.
fn write_repositories(out: &mut dyn Write, outcomes: &[Outcome], shown: &Shown) -> io::Result<()> {
    let mut tallies: BTreeMap<&Utf8Path, Tally> = BTreeMap::new();
    for outcome in outcomes {
        let tally = tallies.entry(&outcome.file.root).or_default();
        tally.add(outcome);
    }
    if tallies.len() < 2 {
        return Ok(());
    }
    let columns = [
        "errors",
        "warnings",
        "notes",
        "unreadable",
        "files",
        "repository",
    ];
    let mut table = Table::new(columns.map(Column::whole).into());
    for (root, tally) in tallies.iter().filter(|(_, tally)| !tally.is_clean()) {
        let number = |count: usize, style: Style| {
            let style = if count > 0 { style } else { Style::Dim };
            Cell::styled(count.to_string(), style)
        };
        table.push(vec![
            number(tally.errors, Style::Alarm),
            number(tally.warnings, Style::Yellow),
            number(tally.notes, Style::Plain),
            number(tally.unreadable, Style::Red),
            Cell::from(tally.files.to_string()),
            Cell::from(root.as_str()),
        ]);
    }
    if !table.is_empty() {
        writeln!(out, "{}", table.render(shown.width, shown.colors))?;
    }
    let clean = tallies.values().filter(|tally| tally.is_clean()).count();
    writeln!(out, "{clean} of {} repositories are clean", tallies.len())
}

fn write_summary(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    let mut all = Tally::default();
    outcomes.iter().for_each(|outcome| all.add(outcome));
    write!(
        out,
        "{}: {}, {}, {}",
        counted(all.files, "workflow"),
        counted(all.errors, "error"),
        counted(all.warnings, "warning"),
        counted(all.notes, "note")
    )?;
    for (count, word) in [
        (all.ignored, "ignored"),
        (all.unreadable, "unreadable"),
        (all.mended, "mended"),
    ] {
        if count > 0 {
            write!(out, ", {count} {word}")?;
        }
    }
    writeln!(out)
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
