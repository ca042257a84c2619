//! A scan for people: a table for terminals, Markdown for comments and summaries.

use std::borrow::Cow;

use barge_report::markdown::{Document, MarkdownTable, code, escape, link};
use barge_report::table::{Cell, Column, Style, Table};
use barge_sbom::Package;

use super::json::counts;
use super::upgrade::{Upgrade, upgrades};
use crate::matching::{Fix, Match};
use crate::policy::{Status, Verdict};
use crate::scan::Scan;
use crate::severity::Severity;

/// Rows for each severity that the first view of a comment shows.
const ROWS_PER_SEVERITY: usize = 20;

/// How many files that could not be read are named.
const UNREAD_SHOWN: usize = 5;

/// The matches that count as a table, worst first; with `places` where each package lies, too.
#[must_use]
pub fn table<'a>(scan: &'a Scan<'_>, places: bool) -> Table<'a> {
    let mut columns = vec![
        Column::whole("SEVERITY"),
        Column::cut_to("PACKAGE", 20),
        Column::cut_to("INSTALLED", 12),
        Column::cut_to("FIXED IN", 12),
        Column::whole("ID"),
    ];
    columns.extend(places.then(|| Column::cut_to("WHERE", 24)));
    columns.push(Column::cut_to("TITLE", 16));
    let mut table = Table::new(columns);
    for found in scan
        .findings
        .matches
        .iter()
        .filter(|found| found.suppressed.is_none())
    {
        let cells = [
            severity_cell(found),
            Cell::from(found.package.name.as_str()),
            Cell::from(found.package.version.as_str()),
            Cell::from(fix(found)),
            Cell::from(found.advisory.id),
        ];
        let place = places.then(|| Cell::from(place(&found.package)));
        let title = Cell::styled(title(found), Style::Dim);
        table.push(cells.into_iter().chain(place).chain([title]));
    }
    table
}

/// Where a package lies, and the layer that brought it.
fn place(package: &Package) -> Cow<'_, str> {
    let Some(first) = package.evidence.first() else {
        return "-".into();
    };
    let layer = match (first.layer_index, first.layer) {
        (Some(index), _) => format!("layer {index}"),
        (None, Some(digest)) => format!("layer {}", digest.short()),
        (None, None) => String::new(),
    };
    let more = match package.evidence.len() {
        1 => String::new(),
        count => format!("{} more", count - 1),
    };
    let notes: Vec<String> = [layer, more]
        .into_iter()
        .filter(|note| !note.is_empty())
        .collect();
    if notes.is_empty() {
        first.path.as_str().into()
    } else {
        format!("{} ({})", first.path, notes.join(", ")).into()
    }
}

fn severity_cell(found: &Match<'_>) -> Cell<'static> {
    if !found.class.is_security() {
        return Cell::styled(found.class.word(), Style::Dim);
    }
    let style = match found.advisory.severity.level {
        Severity::Critical => Style::Alarm,
        Severity::High => Style::Red,
        Severity::Medium => Style::Yellow,
        Severity::Low | Severity::Negligible => Style::Plain,
        Severity::Unknown => Style::Cyan,
    };
    let level = found.advisory.severity.level.word();
    if found.advisory.exploited.is_some() {
        Cell::styled(format!("{level} (exploited)"), style)
    } else {
        Cell::styled(level, style)
    }
}

fn fix<'a>(found: &Match<'a>) -> Cow<'a, str> {
    match found.fix {
        Fix::Version(version) => version.into(),
        Fix::Subscription(version) => format!("{version} (subscription)").into(),
        Fix::None => "-".into(),
    }
}

fn title<'a>(found: &Match<'a>) -> Cow<'a, str> {
    match found.doubt.as_ref().or(found.note.as_ref()) {
        Some(doubt) => format!("[{doubt}] {}", found.advisory.summary).into(),
        None => found.advisory.summary.into(),
    }
}

/// One line: how many of each severity.
#[must_use]
pub fn count_line(verdict: &Verdict) -> String {
    let parts = counts(verdict).into_iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(level, count)| format!("{count} {}", level.0))
        .collect();
    if parts.is_empty() {
        "no vulnerabilities".to_owned()
    } else {
        parts.join(", ")
    }
}

/// How old data is: `1 day old`.
#[must_use]
pub fn age(days: Option<i64>) -> String {
    match days {
        Some(1) => "1 day old".to_owned(),
        Some(days) => format!("{days} days old"),
        None => "of unknown age".to_owned(),
    }
}

/// The scan as a Markdown document; the caller renders it within a budget.
#[must_use]
pub fn markdown(scan: &Scan<'_>) -> Document {
    let mut document = Document::new();
    let verdict = &scan.verdict;
    document.heading(2, &format!("Vulnerabilities in {}", scan.subject.name));
    let sign = match verdict.status {
        Status::Passed => "✅ passed",
        Status::Warned => "⚠️ passed with warnings",
        Status::Failed => "❌ failed",
    };
    document.text(format!("**{sign}**: {}", count_line(verdict)));
    if !verdict.reasons.is_empty() {
        let reasons = verdict
            .reasons
            .iter()
            .map(|reason| format!("- {}", escape(reason)));
        document.text(reasons.collect::<Vec<_>>().join("\n"));
    }
    document.table(facts(scan));
    push_upgrades(&mut document, scan);
    for level in Severity::WORST_FIRST {
        let of_level = |found: &&Match| {
            found.suppressed.is_none()
                && found.class.is_security()
                && found.advisory.severity.level == level
        };
        let found: Vec<&Match<'_>> = scan.findings.matches.iter().filter(of_level).collect();
        push_matches(&mut document, &format!("{level}: {}", found.len()), &found);
    }
    let others = scan
        .findings
        .matches
        .iter()
        .filter(|found| found.suppressed.is_none() && !found.class.is_security());
    let others: Vec<&Match<'_>> = others.collect();
    push_matches(
        &mut document,
        &format!("not vulnerabilities: {}", others.len()),
        &others,
    );
    document
}

fn facts(scan: &Scan<'_>) -> MarkdownTable {
    let verdict = &scan.verdict;
    let age = age(scan.data.age_days);
    let missing: Vec<&str> = scan
        .findings
        .coverage
        .iter()
        .filter(|coverage| !coverage.has_data)
        .map(|coverage| coverage.ecosystem.as_str())
        .collect();
    let mut rows = vec![
        ("Packages", scan.findings.packages.to_string()),
        (
            "Advisory data",
            format!(
                "{}, newest record {age}",
                code(&scan.data.digest.to_string())
            ),
        ),
        ("Ignored", verdict.suppressed.to_string()),
    ];
    if let Some(known) = verdict.known {
        rows.push(("Known from the baseline", known.to_string()));
    }
    if !missing.is_empty() {
        rows.push(("No data for", escape(&missing.join(", "))));
    }
    if !scan.findings.skipped.is_empty() {
        rows.push((
            "Not fully looked up",
            format!("{} packages", scan.findings.skipped.len()),
        ));
    }
    if !scan.unread.is_empty() {
        rows.push(("**Could not be read**", unread(scan)));
    }
    for (name, rules) in [
        ("Expired ignore rules", &verdict.expired_rules),
        ("Unused ignore rules", &verdict.unused_rules),
    ] {
        if !rules.is_empty() {
            rows.push((name, escape(&rules.join("; "))));
        }
    }
    let rows = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    MarkdownTable {
        titles: vec!["Fact".to_owned(), "Value".to_owned()],
        rows,
    }
}

/// The first few of what could not be read.
fn unread(scan: &Scan<'_>) -> String {
    let first = scan.unread.iter().take(UNREAD_SHOWN);
    let first: Vec<String> = first
        .map(|unknown| format!("{}: {}", code(&unknown.path), escape(&unknown.reason)))
        .collect();
    let more = match scan.unread.len().saturating_sub(UNREAD_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", first.join("; "))
}

/// What to upgrade, so that nobody has to find the greatest of many fixes.
fn push_upgrades(document: &mut Document, scan: &Scan<'_>) {
    let upgrades = upgrades(scan);
    if upgrades.is_empty() {
        return;
    }
    let row = |upgrade: &Upgrade<'_>| {
        vec![
            code(&upgrade.package.name),
            code(&upgrade.package.version),
            code(upgrade.to),
            upgrade.heals.to_string(),
            upgrade.worst.to_string(),
        ]
    };
    let titles = ["Package", "Installed", "Upgrade to", "Heals", "Worst"];
    let table = MarkdownTable {
        titles: titles.map(str::to_owned).to_vec(),
        rows: upgrades.iter().take(ROWS_PER_SEVERITY).map(row).collect(),
    };
    document.details(format!("what to upgrade: {}", upgrades.len()), table);
}

fn push_matches(document: &mut Document, summary: &str, found: &[&Match<'_>]) {
    if found.is_empty() {
        return;
    }
    let titles = ["ID", "Package", "Installed", "Fixed in", "Title"]
        .map(str::to_owned)
        .to_vec();
    let row = |found: &&Match| {
        let exploited = if found.advisory.exploited.is_some() {
            " 🔥"
        } else {
            ""
        };
        vec![
            format!(
                "{}{exploited}",
                link(found.advisory.id, &found.advisory.url.to_string())
            ),
            code(&found.package.name),
            code(&found.package.version),
            found
                .fix
                .version()
                .map(code)
                .unwrap_or_else(|| escape(&fix(found))),
            escape(&title(found)),
        ]
    };
    let mut rows: Vec<Vec<String>> = found.iter().take(ROWS_PER_SEVERITY).map(row).collect();
    if found.len() > ROWS_PER_SEVERITY {
        let more = format!("and {} more", found.len() - ROWS_PER_SEVERITY);
        rows.push(vec![
            more,
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ]);
    }
    document.details(summary, MarkdownTable { titles, rows });
}

#[cfg(test)]
mod tests {
    use barge_sbom::{Evidence, PackageKind};

    use super::*;

    #[test]
    fn a_place_is_a_path_with_its_layer_and_how_many_more_there_are() {
        let mut package = Package::new(PackageKind::Npm, "a", "1", "pkg:npm/a@1");
        assert_eq!(place(&package), "-");
        let at = |path: &str, layer_index| Evidence {
            path: path.to_owned(),
            layer: None,
            layer_index,
        };
        package.evidence = vec![at("app/package-lock.json", None)];
        assert_eq!(place(&package), "app/package-lock.json");
        package.evidence = vec![at("usr/a.json", Some(3)), at("opt/a.json", Some(4))];
        assert_eq!(place(&package), "usr/a.json (layer 3, 1 more)");
    }
}
