//! Reads one record of the Open Source Vulnerability format (OSV schema 1.7.5), tolerantly.
//!
//! Published data breaks its own schema: arrays are `null`, ranges are objects, events hold two keys. What cannot be
//! understood is left out of the record, never a reason to refuse the record or the rest of the data.

use serde_json::{Map, Value};

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
    pub ratings: Vec<Rating>,
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
    pub ratings: Vec<Rating>,
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
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, key)| key)
    }
}

impl Record {
    /// Reads a record; the error says why the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
        let object = value.as_object().ok_or("it is no JSON object")?;
        let id = text(object, "id");
        if id.is_empty() {
            return Err("it has no `id`".to_owned());
        }
        if id.len() > 256 || id.chars().any(|next| next.is_control() || next.is_whitespace()) {
            return Err("its `id` is malformed".to_owned());
        }
        let specific = object.get("database_specific").and_then(Value::as_object);
        let mut ratings = ratings(object);
        ratings.extend(specific.and_then(|specific| word(specific, "severity")));
        ratings.extend(specific.map(plain_scores).unwrap_or_default());
        Ok(Self {
            id,
            modified: text(object, "modified"),
            published: text(object, "published"),
            withdrawn: object.get("withdrawn").is_some_and(|withdrawn| !withdrawn.is_null()),
            aliases: texts(object, "aliases"),
            upstream: texts(object, "upstream"),
            related: texts(object, "related"),
            summary: text(object, "summary"),
            details: text(object, "details"),
            references: references(object),
            ratings,
            affected: objects(object.get("affected")).filter_map(affected).collect(),
        })
    }
}

fn affected(object: &Map<String, Value>) -> Option<Affected> {
    let package = object.get("package")?.as_object()?;
    let (ecosystem, name) = (text(package, "ecosystem"), text(package, "name"));
    if ecosystem.is_empty() || name.is_empty() {
        return None;
    }
    let own = object.get("ecosystem_specific").and_then(Value::as_object);
    let database = object.get("database_specific").and_then(Value::as_object);
    let mut ratings = ratings(object);
    for specific in [own, database].into_iter().flatten() {
        ratings.extend(word(specific, "severity"));
        ratings.extend(word(specific, "urgency"));
    }
    let informational = database.map(|database| text(database, "informational")).filter(|word| !word.is_empty());
    Some(Affected {
        ecosystem,
        name,
        ranges: objects(object.get("ranges")).filter_map(range).collect(),
        versions: texts(object, "versions"),
        ratings,
        informational,
    })
}

/// Reads a range of versions; a range of commits says nothing about a package.
fn range(object: &Map<String, Value>) -> Option<Range> {
    let semver = match object.get("type").and_then(Value::as_str)? {
        "SEMVER" => true,
        "ECOSYSTEM" => false,
        _ => return None,
    };
    let mut events = Vec::new();
    for event in objects(object.get("events")) {
        for (kind, key) in EventKind::ALL {
            let version = text(event, key);
            if !version.is_empty() {
                events.push(Event { kind, version });
            }
        }
    }
    (!events.is_empty()).then_some(Range { semver, events })
}

fn references(object: &Map<String, Value>) -> Vec<String> {
    let mut found: Vec<(bool, String)> = objects(object.get("references"))
        .map(|reference| (text(reference, "type") != "ADVISORY", text(reference, "url")))
        .filter(|(_, url)| url.starts_with("https://") || url.starts_with("http://"))
        .collect();
    found.sort_by_key(|(not_advisory, _)| *not_advisory);
    found.into_iter().map(|(_, url)| url).collect()
}

fn ratings(object: &Map<String, Value>) -> Vec<Rating> {
    objects(object.get("severity"))
        .filter_map(|rating| {
            let kind = match text(rating, "type").as_str() {
                "CVSS_V2" => RatingKind::CvssV2,
                "CVSS_V3" => RatingKind::CvssV3,
                "CVSS_V4" => RatingKind::CvssV4,
                "" => return None,
                _ => RatingKind::Distribution,
            };
            let score = text(rating, "score");
            (!score.is_empty()).then_some(Rating { kind, score })
        })
        .collect()
}

fn word(specific: &Map<String, Value>, key: &str) -> Option<Rating> {
    let kind = if key == "urgency" { RatingKind::Distribution } else { RatingKind::Word };
    let score = text(specific, key);
    (!score.is_empty()).then_some(Rating { kind, score })
}

/// Some converters keep the score without its vector.
fn plain_scores(specific: &Map<String, Value>) -> Vec<Rating> {
    [("cvss_v4", RatingKind::ScoreV4), ("cvss_v3", RatingKind::ScoreV3), ("cvss_v2", RatingKind::ScoreV2)]
        .into_iter()
        .filter_map(|(key, kind)| {
            let score = specific.get(key)?.as_f64().filter(|score| (0.0..=10.0).contains(score))?;
            Some(Rating { kind, score: format!("{score:.1}") })
        })
        .collect()
}

fn text(object: &Map<String, Value>, key: &str) -> String {
    object.get(key).and_then(Value::as_str).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn texts(object: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// The objects of an array; one that stands where an array should is taken for its only element.
fn objects(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(single @ Value::Object(_)) => std::slice::from_ref(single),
        _ => &[],
    };
    list.iter().filter_map(Value::as_object)
}
