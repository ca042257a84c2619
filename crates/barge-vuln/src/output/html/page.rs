//! A scan as a page: the verdict, what to upgrade, every finding with its evidence. It needs nothing but itself.

use std::collections::BTreeSet;

use barge_report::page::{Page, link};
use barge_sbom::package::{Evidence, LayerFact};
use maud::{Markup, html};

use crate::matching::{Fix, Match, SuppressedBy, Suppression};
use crate::output::json::counts;
use crate::output::text::age;
use crate::output::upgrade::upgrades;
use crate::policy::Status;
use crate::scan::Scan;
use crate::severity::Severity;
use crate::side::Epss;

/// The page; `layers` are those of the bill, so that a finding can name the instruction that brought it.
#[must_use]
pub fn page(scan: &Scan<'_>, layers: &[LayerFact]) -> String {
    let is_flaw = |found: &&Match| found.suppressed.is_none() && found.class.is_security();
    let (flaws, others): (Vec<&Match<'_>>, Vec<&Match<'_>>) =
        scan.findings.matches.iter().partition(is_flaw);
    let (ignored, notices): (Vec<&Match<'_>>, Vec<&Match<'_>>) = others
        .into_iter()
        .partition(|found| found.suppressed.is_some());
    let mut list = List {
        layers,
        ids: BTreeSet::new(),
    };
    let title = format!("Vulnerabilities in {}", scan.subject.name);
    let body = html! {
        (head(scan))
        main {
            (upgrade_table(scan))
            (list.section("Findings", &flaws, true))
            (list.section("Not vulnerabilities", &notices, false))
            (list.section("Not counted", &ignored, false))
            (skipped(scan))
        }
    };
    Page {
        title: &title,
        style: include_str!("style.css"),
        script: include_str!("script.js"),
        body,
    }
    .render()
}

fn head(scan: &Scan<'_>) -> Markup {
    let verdict = &scan.verdict;
    let (class, sign, word) = match verdict.status {
        Status::Passed => ("good", "✓", "passed"),
        Status::Warned => ("warn", "!", "passed with warnings"),
        Status::Failed => ("bad", "✕", "failed"),
    };
    html! {
        header {
            h1 { (scan.subject.name) }
            p.verdict.(class) { span aria-hidden="true" { (sign) } " " strong { (word) } }
            @if !verdict.reasons.is_empty() {
                ul.reasons { @for reason in &verdict.reasons { li { (reason) } } }
            }
            ul.counts aria-label="Vulnerabilities by severity" {
                @for (level, count) in counts(verdict) {
                    li.(level.0.to_string()).none[count == 0] { b { (count) } " " (level.0) }
                }
            }
            (facts(scan))
        }
    }
}

fn facts(scan: &Scan<'_>) -> Markup {
    let missing = scan.findings.coverage.iter();
    let missing: Vec<&str> = missing
        .filter(|coverage| !coverage.has_data)
        .map(|coverage| coverage.ecosystem.as_str())
        .collect();
    let verdict = &scan.verdict;
    html! {
        dl {
            @if let Some(image) = &scan.subject.image { dt { "Image" } dd { code { (image) } } }
            @for reference in &scan.subject.references { dt { "Reference" } dd { code { (reference) } } }
            dt { "Packages" } dd { (scan.findings.packages) }
            dt { "Advisory data" } dd { code { (scan.data.digest.to_string()) } ", " (scan.data.records) " records" }
            dt { "Newest record" } dd { (age(scan.data.age_days)) }
            dt { "Scanned" } dd { (scan.time.strftime("%FT%TZ")) }
            @if let Some(known) = verdict.known { dt { "Known from the baseline" } dd { (known) } }
            @if !missing.is_empty() { dt.warn { "No data for" } dd { (missing.join(", ")) } }
            @for unknown in &scan.unread {
                dt.warn { "Could not be read" }
                dd { code { (unknown.path) } ": " (unknown.reason) }
            }
            @for rule in &verdict.expired_rules { dt.warn { "Expired ignore rule" } dd { (rule) } }
            @for rule in &verdict.unused_rules { dt { "Unused ignore rule" } dd { (rule) } }
        }
    }
}

fn upgrade_table(scan: &Scan<'_>) -> Markup {
    let upgrades = upgrades(scan);
    html! {
        @if !upgrades.is_empty() {
            section aria-labelledby="upgrades" {
                h2 #upgrades { "What to upgrade" }
                table {
                    thead { tr { th { "Package" } th { "Installed" } th { "Upgrade to" } th { "Heals" } th { "Worst" } } }
                    tbody {
                        @for upgrade in &upgrades {
                            tr {
                                td { code { (upgrade.package.name) } }
                                td { code { (upgrade.package.version) } }
                                td { code { (upgrade.to) } }
                                td { (upgrade.heals) }
                                td { (badge(&upgrade.worst.to_string())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn badge(level: &str) -> Markup {
    html! { span.badge.(level) { (level) } }
}

fn skipped(scan: &Scan<'_>) -> Markup {
    html! {
        @if !scan.findings.skipped.is_empty() {
            section aria-labelledby="skipped" {
                h2 #skipped { "Not fully looked up " span.faint { (scan.findings.skipped.len()) } }
                table {
                    thead { tr { th { "Package" } th { "Why" } } }
                    tbody {
                        @for (purl, reason) in &scan.findings.skipped { tr { td { code { (purl) } } td { (reason) } } }
                    }
                }
            }
        }
    }
}

/// Findings as they are listed one after the other.
struct List<'a> {
    layers: &'a [LayerFact],
    /// The anchors that were given out.
    ids: BTreeSet<String>,
}

impl List<'_> {
    fn section(&mut self, title: &str, matches: &[&Match<'_>], is_main: bool) -> Markup {
        let anchor = title.to_lowercase().replace(' ', "-");
        html! {
            @if !matches.is_empty() {
                section aria-labelledby=(anchor) {
                    h2 id=(anchor) { (title) " " span.faint { (matches.len()) } }
                    @if is_main { (controls()) }
                    @for found in matches { (self.finding(found)) }
                }
            } @else if is_main {
                section { h2 { (title) } p { "Nothing was found that counts." } }
            }
        }
    }

    fn finding(&mut self, found: &Match<'_>) -> Markup {
        let (package, advisory) = (&found.package, &found.advisory);
        let level = if found.class.is_security() {
            advisory.severity.level
        } else {
            Severity::Unknown
        };
        let word = if found.class.is_security() {
            level.to_string()
        } else {
            found.class.word().to_owned()
        };
        let likelihood = advisory.epss.map_or(0.0, |epss| epss.fractions().0);
        html! {
            details.finding id=(self.anchor(found)) data-level=(level) data-package=(package.name)
                data-likelihood=(likelihood) data-exploited[advisory.exploited.is_some()] {
                summary {
                    (badge(&word))
                    span.package { code { (package.name) } " " code.faint { (package.version) } }
                    span.fix { (fix(&found.fix)) }
                    span.id { (advisory.id) @if advisory.exploited.is_some() { " " (badge("exploited")) } }
                    span.title { (advisory.summary) }
                }
                (self.facts(found))
            }
        }
    }

    /// The same finding has the same anchor in every report of the image, so that links to it live.
    fn anchor(&mut self, found: &Match<'_>) -> String {
        let base = format!("{}:{}", found.advisory.id, found.package.purl);
        let numbered = (2..).map(|number| format!("{base}:{number}"));
        let mut anchors = std::iter::once(base.clone()).chain(numbered);
        let anchor = anchors.find(|anchor| !self.ids.contains(anchor));
        let anchor = anchor.unwrap_or(base);
        self.ids.insert(anchor.clone());
        anchor
    }

    fn facts(&self, found: &Match<'_>) -> Markup {
        let (package, advisory) = (&found.package, &found.advisory);
        let severity = &advisory.severity;
        html! {
            dl {
                @if let Some(why) = &found.suppressed { dt { "Not counted" } dd { (suppression(why)) } }
                @if let Some(doubt) = &found.doubt { dt { "Doubtful" } dd { (doubt) } }
                @if let Some(note) = &found.note { dt { "Note" } dd { (note) } }
                dt { "Read more" } dd { (link(&advisory.url.to_string(), &advisory.url.to_string())) }
                @if !advisory.aliases.is_empty() { dt { "Also known as" } dd { (advisory.aliases.join(", ")) } }
                @if !advisory.upstream.is_empty() { dt { "Fixes" } dd { (advisory.upstream.join(", ")) } }
                @if !severity.source.is_empty() {
                    dt { "Severity" }
                    dd {
                        (severity.level)
                        @if let Some(score) = severity.score { ", " (score) }
                        " (" (severity.source) ")"
                        @if let Some(vector) = &severity.vector { br; code { (vector) } }
                    }
                }
                @if let Some(exploited) = &advisory.exploited {
                    dt { "Known to be exploited" }
                    dd { "listed by CISA since " (exploited.added) @if exploited.ransomware { ", by ransomware, too" } }
                }
                @if let Some((score, percentile)) = advisory.epss.map(Epss::fractions) {
                    dt { "Likelihood (EPSS)" }
                    dd { (percent(score)) " in the next 30 days, more than " (percent(percentile)) " of all flaws" }
                }
                dt { "Package" } dd { code { (package.purl) } }
                @for reason in &found.why {
                    dt { "Why" }
                    dd { (reason.record) ": " code { (reason.name) } " " code { (reason.version) } " is " (reason.range) }
                }
                @for evidence in &package.evidence { dt { "Found in" } dd { (self.evidence(evidence)) } }
            }
        }
    }

    fn evidence(&self, evidence: &Evidence) -> Markup {
        let layer = evidence
            .layer_index
            .and_then(|index| self.layers.get(index as usize));
        html! {
            code { "/" (evidence.path) }
            @if let (Some(index), Some(layer)) = (evidence.layer_index, layer) {
                br;
                span.faint { "layer " (index + 1) " of " (self.layers.len()) }
                @if let Some(instruction) = &layer.instruction { ": " code { (instruction) } }
            }
        }
    }
}

/// What only helps with a script, and is hidden without.
fn controls() -> Markup {
    html! {
        form.controls hidden {
            input type="search" name="words" placeholder="Filter by package, id, title, path" aria-label="Filter";
            select name="level" aria-label="Least severity" {
                option value="" { "every severity" }
                @for level in Severity::WORST_FIRST { option value=(level) { (level) } }
            }
            select name="order" aria-label="Order" {
                option value="" { "worst first" }
                option value="likelihood" { "likeliest first" }
                option value="package" { "by package" }
            }
            output.faint name="shown" {}
        }
    }
}

fn fix(fix: &Fix<'_>) -> Markup {
    html! {
        @match fix {
            Fix::Version(version) => { "→ " code { (version) } }
            Fix::Subscription(version) => { "→ " code { (version) } " (subscription)" }
            Fix::None => { span.faint { "no fix" } }
        }
    }
}

fn suppression(why: &Suppression) -> Markup {
    let by = match why.by {
        SuppressedBy::Ownership => "owned by the distribution",
        SuppressedBy::Vex => "VEX",
        SuppressedBy::Rule => "ignore rule",
    };
    html! { (by) ": " (why.reason) }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
