//! Reads one record of the Open Source Vulnerability format (OSV schema 1.7.5), tolerantly.
//!
//! Published data breaks its own schema: arrays are `null`, ranges are objects, events hold two keys. What cannot be
//! understood is left out of the record, never a reason to refuse the record or the rest of the data.

use serde::Deserialize;

use crate::lenient::{Number, Object, Objects, Present, Text, Texts};
use crate::severity::{Rating, RatingKind};

/// One advisory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// The id, such as `GHSA-...`, `DSA-5237-1` or `ALSA-2025:10073`.
    pub id: String,
    /// When it was last changed, as written.
    pub modified: String,
    /// When it was published, as written.
    pub published: String,
    /// Whether it was withdrawn: then it never hits.
    pub withdrawn: bool,
    /// Ids of the same flaw: symmetric and transitive.
    pub aliases: Vec<String>,
    /// Ids of flaws that this record is about; joins nothing.
    pub upstream: Vec<String>,
    /// Ids of other records; joins nothing.
    pub related: Vec<String>,
    /// One line on what is wrong.
    pub summary: String,
    /// The long text.
    pub details: String,
    /// Where to read more: the advisory first, then in the order of the record.
    pub references: Vec<String>,
    /// How bad it is, in the publisher's own terms.
    pub ratings: Vec<Rating<'static>>,
    /// What it is about.
    pub affected: Vec<Affected>,
}

/// One package that a record names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Affected {
    /// The ecosystem with its suffix, such as `Debian:12`.
    pub ecosystem: String,
    /// The package's name as written.
    pub name: String,
    /// The ranges that order versions; commits are left out.
    pub ranges: Vec<Range>,
    /// Versions that are hit by name.
    pub versions: Vec<String>,
    /// Ratings of this package, which replace the record's.
    pub ratings: Vec<Rating<'static>>,
    /// RustSec's word for records that are no vulnerabilities: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<String>,
}

/// One range: events that switch being affected on and off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Whether the type says `SEMVER` rather than the ecosystem's own order.
    pub semver: bool,
    /// The events as written, in no particular order.
    pub events: Vec<Event>,
}

/// What happens at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// The version.
    pub version: String,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Affected from here on.
    Introduced,
    /// Not affected from here on.
    Fixed,
    /// Not affected above this.
    LastAffected,
    /// The range says nothing from here on.
    Limit,
}

impl EventKind {
    /// All kinds with the key that the format has for them.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Introduced, "introduced"),
        (Self::Fixed, "fixed"),
        (Self::LastAffected, "last_affected"),
        (Self::Limit, "limit"),
    ];

    /// The key that the format has for this kind.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, key)| key)
    }
}

impl Record {
    /// Reads a record; the error says why the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // A list would be read field by field.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err("it is no OSV record: it is no JSON object".to_owned());
        }
        let raw: RawRecord = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no OSV record: {error}"))?;
        let id = raw.id.trimmed();
        if id.is_empty() {
            return Err("it has no `id`".to_owned());
        }
        if id.len() > 256
            || id
                .chars()
                .any(|next| next.is_control() || next.is_whitespace())
        {
            return Err("its `id` is malformed".to_owned());
        }
        let specific = raw.database_specific.0.unwrap_or_default();
        let mut ratings = ratings(raw.severity);
        let scores: Vec<Rating<'static>> = specific.plain_scores().collect();
        ratings.extend(specific.severity.rating(RatingKind::Word));
        ratings.extend(scores);
        Ok(Self {
            id,
            modified: raw.modified.trimmed(),
            published: raw.published.trimmed(),
            withdrawn: raw.withdrawn.0,
            aliases: raw.aliases.texts(),
            upstream: raw.upstream.texts(),
            related: raw.related.texts(),
            summary: raw.summary.trimmed(),
            details: raw.details.trimmed(),
            references: references(raw.references),
            ratings,
            affected: raw.affected.0.into_iter().filter_map(affected).collect(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRecord {
    id: Text,
    modified: Text,
    published: Text,
    withdrawn: Present,
    aliases: Texts,
    upstream: Texts,
    related: Texts,
    summary: Text,
    details: Text,
    references: Objects<RawReference>,
    severity: Objects<RawSeverity>,
    database_specific: Object<RawSpecific>,
    affected: Objects<RawAffected>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawReference {
    #[serde(rename = "type")]
    kind: Text,
    url: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSeverity {
    #[serde(rename = "type")]
    kind: Text,
    score: Text,
}

/// What databases put into their own corners, as far as it rates a flaw.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSpecific {
    severity: Text,
    urgency: Text,
    informational: Text,
    cvss_v2: Number,
    cvss_v3: Number,
    cvss_v4: Number,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAffected {
    package: Object<RawPackage>,
    ranges: Objects<RawRange>,
    versions: Texts,
    severity: Objects<RawSeverity>,
    ecosystem_specific: Object<RawSpecific>,
    database_specific: Object<RawSpecific>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPackage {
    ecosystem: Text,
    name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRange {
    #[serde(rename = "type")]
    kind: Text,
    events: Objects<RawEvent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawEvent {
    introduced: Text,
    fixed: Text,
    last_affected: Text,
    limit: Text,
}

impl RawSpecific {
    /// Some converters keep the score without its vector.
    fn plain_scores(&self) -> impl Iterator<Item = Rating<'static>> {
        let scores = [
            (self.cvss_v4, RatingKind::ScoreV4),
            (self.cvss_v3, RatingKind::ScoreV3),
            (self.cvss_v2, RatingKind::ScoreV2),
        ];
        scores.into_iter().filter_map(|(number, kind)| {
            let score = number.0.filter(|score| (0.0..=10.0).contains(score))?;
            Some(Rating::new(kind, format!("{score:.1}")))
        })
    }
}

impl Text {
    fn rating(self, kind: RatingKind) -> Option<Rating<'static>> {
        let text = self.trimmed();
        (!text.is_empty()).then(|| Rating::new(kind, text))
    }
}

fn affected(raw: RawAffected) -> Option<Affected> {
    let package = raw.package.0?;
    let (ecosystem, name) = (package.ecosystem.trimmed(), package.name.trimmed());
    if ecosystem.is_empty() || name.is_empty() {
        return None;
    }
    let mut ratings = ratings(raw.severity);
    let mut informational = None;
    for specific in [raw.ecosystem_specific.0, raw.database_specific.0]
        .into_iter()
        .flatten()
    {
        ratings.extend(specific.severity.rating(RatingKind::Word));
        ratings.extend(specific.urgency.rating(RatingKind::Distribution));
        informational = Some(specific.informational.trimmed())
            .filter(|word| !word.is_empty())
            .or(informational);
    }
    let ranges = raw.ranges.0.into_iter().filter_map(range).collect();
    Some(Affected {
        ecosystem,
        name,
        ranges,
        versions: raw.versions.texts(),
        ratings,
        informational,
    })
}

/// Reads a range of versions; a range of commits says nothing about a package.
fn range(raw: RawRange) -> Option<Range> {
    let semver = match raw.kind.0.as_str() {
        "SEMVER" => true,
        "ECOSYSTEM" => false,
        _ => return None,
    };
    let mut events = Vec::with_capacity(raw.events.0.len());
    for event in raw.events.0 {
        let versions = [
            event.introduced,
            event.fixed,
            event.last_affected,
            event.limit,
        ];
        for ((kind, _), version) in EventKind::ALL.into_iter().zip(versions) {
            let version = version.trimmed();
            if !version.is_empty() {
                events.push(Event { kind, version });
            }
        }
    }
    (!events.is_empty()).then_some(Range { semver, events })
}

fn references(raw: Objects<RawReference>) -> Vec<String> {
    let mut found: Vec<(bool, String)> = raw
        .0
        .into_iter()
        .map(|reference| (reference.kind.0 != "ADVISORY", reference.url.trimmed()))
        .filter(|(_, url)| url.starts_with("https://") || url.starts_with("http://"))
        .collect();
    found.sort_by_key(|(not_advisory, _)| *not_advisory);
    found.into_iter().map(|(_, url)| url).collect()
}

fn ratings(raw: Objects<RawSeverity>) -> Vec<Rating<'static>> {
    let rating = |raw: RawSeverity| {
        let kind = match raw.kind.0.as_str() {
            "CVSS_V2" => RatingKind::CvssV2,
            "CVSS_V3" => RatingKind::CvssV3,
            "CVSS_V4" => RatingKind::CvssV4,
            "" => return None,
            _ => RatingKind::Distribution,
        };
        raw.score.rating(kind)
    };
    raw.0.into_iter().filter_map(rating).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_understood_is_left_out() {
        let text = r#"{"id":"X-1","modified":7,"aliases":null,"related":"no list","withdrawn":null,"unknown":{"a":[1,{}]},
            "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"},{"type":5},null,[],"x"],
            "references":[{"type":"WEB","url":"https://e.org/w"},{"type":"ADVISORY","url":"https://e.org/a"},{"url":"ftp://x"}],
            "database_specific":{"severity":"MODERATE","cvss_v3":7.5,"cvss_v2":"high","cvss_v4":99},
            "affected":[null,{"package":null},{"package":{"ecosystem":"npm"}},{"package":{"ecosystem":"npm","name":"a"},
              "ranges":{"type":"SEMVER","events":[{"introduced":"0","fixed":" 1.0 "},{"limit":3},{}]},"versions":["1",2,null," 3 "]},
              {"package":{"ecosystem":"PyPI","name":"b"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"ECOSYSTEM","events":null}]}]}"#;
        let record = Record::parse(text.as_bytes()).unwrap();
        let event = |kind, version: &str| Event {
            kind,
            version: version.to_owned(),
        };
        assert!(
            record.aliases.is_empty()
                && record.related.is_empty()
                && !record.withdrawn
                && record.modified.is_empty()
        );
        assert_eq!(record.references, ["https://e.org/a", "https://e.org/w"]);
        let kinds: Vec<RatingKind> = record.ratings.iter().map(|rating| rating.kind).collect();
        assert_eq!(
            kinds,
            [RatingKind::CvssV3, RatingKind::Word, RatingKind::ScoreV3]
        );
        assert_eq!(record.affected.len(), 2);
        assert_eq!(
            record.affected[0].ranges[0].events,
            [
                event(EventKind::Introduced, "0"),
                event(EventKind::Fixed, "1.0")
            ]
        );
        assert_eq!(record.affected[0].versions, ["1", "3"]);
        assert!(record.affected[1].ranges.is_empty());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [
            "",
            "[]",
            "{}",
            "{\"id\":\"\"}",
            "{\"id\":\"a b\"}",
            "{\"id\":1}",
            "nul",
            deep.as_str(),
        ] {
            assert!(Record::parse(text.as_bytes()).is_err(), "{text:.20}");
        }
    }
}
