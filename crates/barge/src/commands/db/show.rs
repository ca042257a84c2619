//! `barge db show`: all that the data says of one flaw.

use std::io::{self, Write};

use barge_vuln::{
    AffectedPackage, CveFacts, Database, Epss, EventKind, Exploited, Rating, RecordText, Severity,
};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::DatabaseArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Show all records of a flaw
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Any of its ids
    id: String,
    #[command(flatten)]
    db: DatabaseArguments,
}

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    ids: Vec<String>,
    /// What side data says of its CVEs.
    cves: Vec<ShownCve>,
    records: Vec<ShownRecord>,
}

#[derive(Serialize)]
struct ShownCve {
    id: String,
    kev: Option<Exploited>,
    /// Probability and percentile, 0 to 1.
    epss: Option<(f64, f64)>,
    cvss: Vec<ShownRating>,
}

#[derive(Serialize)]
struct ShownRecord {
    id: String,
    summary: String,
    modified: String,
    published: String,
    withdrawn: bool,
    aliases: Vec<String>,
    upstream: Vec<String>,
    related: Vec<String>,
    ratings: Vec<ShownRating>,
    affected: Vec<ShownPackage>,
    details: String,
    references: Vec<String>,
}

#[derive(Serialize)]
struct ShownRating {
    text: String,
    score: Option<f64>,
    level: Severity,
    /// Who made it, if not the record.
    source: String,
}

#[derive(Serialize)]
struct ShownPackage {
    ecosystem: String,
    name: String,
    /// Events of each range in the order of the record.
    ranges: Vec<String>,
    /// Versions that are listed by name.
    versions: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let database = super::open(context, &arguments.db)?;
    let Some(number) = database.find(&arguments.id)? else {
        return Err(Error::Usage(format!(
            "no record has the id `{}`",
            arguments.id
        )));
    };
    let group = database.group(number)?;
    let cves = group
        .cves
        .iter()
        .map(|number| Ok(cve(database.cve(*number)?)));
    let mut affected = database.affected(&group.records)?;
    let mut records = Vec::with_capacity(group.records.len());
    for number in &group.records {
        let packages = affected.remove(number).unwrap_or_default();
        records.push(record(&database, *number, packages)?);
    }
    let shown = Shown {
        schema: "barge/db-show/v1",
        ids: owned(&group.ids),
        cves: cves.collect::<Result<_, Error>>()?,
        records,
    };
    context.printer.result(&shown, |out| shown.write(out))?;
    Ok(Exit::Done)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn cve(facts: CveFacts<'_>) -> ShownCve {
    ShownCve {
        id: facts.id.to_owned(),
        epss: facts.epss.map(Epss::fractions),
        cvss: facts
            .vectors
            .iter()
            .map(|(source, vector)| rating(vector, source))
            .collect(),
        kev: facts.exploited,
    }
}

fn rating(rating: &Rating<'_>, source: &str) -> ShownRating {
    ShownRating {
        text: rating.text.to_string(),
        score: rating.score(),
        level: rating.level().unwrap_or_default(),
        source: source.to_owned(),
    }
}

fn record(
    database: &Database,
    number: u32,
    packages: Vec<AffectedPackage>,
) -> Result<ShownRecord, Error> {
    let record = database.record(number)?;
    let text = database.texts(std::slice::from_ref(&record))?.pop();
    let RecordText {
        details,
        references,
    } = text.unwrap_or_default();
    let date = |seconds: i64| {
        let time = Timestamp::from_second(seconds).ok().filter(|_| seconds > 0);
        time.map_or_else(String::new, |time| time.to_string())
    };
    Ok(ShownRecord {
        id: record.id.to_owned(),
        summary: record.summary.to_owned(),
        modified: date(record.modified),
        published: date(record.published),
        withdrawn: record.withdrawn,
        aliases: owned(&record.aliases),
        upstream: owned(&record.upstream),
        related: owned(&record.related),
        ratings: record.ratings.iter().map(|own| rating(own, "")).collect(),
        affected: packages.into_iter().map(package).collect(),
        details,
        references,
    })
}

fn package(affected: AffectedPackage) -> ShownPackage {
    let events = |range: Vec<(EventKind, String)>| {
        let events: Vec<String> = range
            .iter()
            .map(|(kind, version)| format!("{} {version}", kind.key()))
            .collect();
        events.join(", ")
    };
    ShownPackage {
        ecosystem: affected.ecosystem,
        name: affected.name,
        ranges: affected.ranges.into_iter().map(events).collect(),
        versions: affected.versions,
    }
}

impl Shown {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "ids      {}", self.ids.join(", "))?;
        for cve in &self.cves {
            cve.write(out)?;
        }
        for record in &self.records {
            record.write(out)?;
        }
        Ok(())
    }
}

impl ShownCve {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", self.id)?;
        if let Some(kev) = &self.kev {
            let ransomware = if kev.ransomware {
                ", by ransomware too"
            } else {
                ""
            };
            writeln!(out, "exploited since {} (CISA KEV{ransomware})", kev.added)?;
        }
        if let Some((score, percentile)) = self.epss {
            writeln!(out, "epss     {score:.5}, percentile {percentile:.5}")?;
        }
        for rating in &self.cvss {
            rating.write(out)?;
        }
        Ok(())
    }
}

impl ShownRating {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let score = self
            .score
            .map_or_else(String::new, |score| format!(" {score:.1}"));
        let source = if self.source.is_empty() { "" } else { " by " };
        let (level, text) = (self.level, &self.text);
        writeln!(out, "severity {level}{score} {text}{source}{}", self.source)
    }
}

impl ShownRecord {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let withdrawn = if self.withdrawn { " (withdrawn)" } else { "" };
        writeln!(out, "\n{}{withdrawn}: {}", self.id, self.summary)?;
        if !self.modified.is_empty() {
            writeln!(out, "modified {}", self.modified)?;
        }
        for (name, list) in [
            ("aliases", &self.aliases),
            ("upstream", &self.upstream),
            ("related", &self.related),
        ] {
            if !list.is_empty() {
                writeln!(out, "{name:<9}{}", list.join(" "))?;
            }
        }
        for rating in &self.ratings {
            rating.write(out)?;
        }
        for package in &self.affected {
            writeln!(out, "affects  {} {}", package.ecosystem, package.name)?;
            for range in &package.ranges {
                writeln!(out, "         {range}")?;
            }
            if !package.versions.is_empty() {
                writeln!(out, "         listed {}", package.versions.join(" "))?;
            }
        }
        for link in &self.references {
            writeln!(out, "link     {link}")?;
        }
        if !self.details.is_empty() {
            writeln!(out)?;
            for line in self.details.lines() {
                writeln!(out, "{}", barge_report::one_line(line))?;
            }
        }
        Ok(())
    }
}
