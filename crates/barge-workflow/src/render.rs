//! A finding as text for people: the line with its code, then what led to it, the case, the end of it, and the way out.

use std::fmt::Write as _;

use crate::finding::{Case, Finding};
use crate::source::Place;

/// What a stretch of the text is, for those who colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `error[rule]`
    Heading,
    /// The message.
    Message,
    /// Line numbers and rulers.
    Margin,
    /// The mark under the code.
    Mark,
    /// `case`, `then`, `fix`
    Label,
}

const CODE_WIDTH: usize = 160;

/// The finding as lines; `paint` may wrap stretches in colours.
#[must_use]
pub fn human(finding: &Finding, paint: &dyn Fn(Part, &str) -> String) -> String {
    let mut out = String::new();
    let position = finding.position();
    let heading = format!("{}[{}]", finding.severity, finding.rule);
    let place = format!(
        "{}:{}:{}",
        finding.place.source.path(),
        position.line,
        position.column
    );
    let _ = writeln!(
        out,
        "{} {}",
        paint(Part::Heading, &heading),
        paint(Part::Message, &finding.message)
    );
    let lines = finding
        .evidence
        .iter()
        .map(|evidence| evidence.place.line());
    let width = lines
        .chain([position.line])
        .max()
        .unwrap_or(1)
        .to_string()
        .len()
        .max(4);
    let margin = |text: &str| paint(Part::Margin, &format!("{text:>width$} |"));
    let _ = writeln!(
        out,
        "{} {place}",
        paint(Part::Margin, &format!("{:>width$}", "-->"))
    );
    code(&mut out, &finding.place, &margin, paint);
    for evidence in &finding.evidence {
        let line = evidence.place.line();
        if line == position.line && evidence.place.source.path() == finding.place.source.path() {
            let _ = writeln!(out, "{} {}", margin(""), evidence.message);
        } else if evidence.place.source.path() == finding.place.source.path() {
            let _ = writeln!(out, "{} {}", margin(&line.to_string()), evidence.message);
        } else {
            let _ = writeln!(
                out,
                "{} {} ({}:{line})",
                margin(""),
                evidence.message,
                evidence.place.source.path()
            );
        }
    }
    let fix = finding.fix.as_ref().map(|fix| {
        let sure = if fix.edits.is_empty() {
            ""
        } else {
            "   (--fix)"
        };
        format!("{}{sure}", fix.message)
    });
    for (label, text) in [
        ("case", &finding.case.as_ref().map(Case::to_string)),
        ("then", &finding.consequence),
        ("fix", &fix),
    ] {
        if let Some(text) = text {
            let _ = writeln!(
                out,
                "{} {text}",
                paint(Part::Label, &format!("{label:>width$} :"))
            );
        }
    }
    out
}

fn code(
    out: &mut String,
    place: &Place,
    margin: &dyn Fn(&str) -> String,
    paint: &dyn Fn(Part, &str) -> String,
) {
    let Place { source, span } = place;
    let line = place.line();
    let text = source.line(line);
    let indent = text.len() - text.trim_start().len();
    let start = (span.start - source.line_start(line)).max(indent);
    let end = (span.end.min(source.line_end(line)) - source.line_start(line)).max(start);
    let shown: String = text.trim_start().chars().take(CODE_WIDTH).collect();
    let before = text
        .get(indent..start)
        .map_or(0, |before| before.chars().count());
    let marked = text
        .get(start..end)
        .map_or(1, |marked| marked.trim_end().chars().count())
        .max(1);
    let _ = writeln!(out, "{} {shown}", margin(&line.to_string()));
    if before < CODE_WIDTH {
        let mark = "^".repeat(marked.min(CODE_WIDTH - before));
        let _ = writeln!(
            out,
            "{} {}{}",
            margin(""),
            " ".repeat(before),
            paint(Part::Mark, &mark)
        );
    }
}
