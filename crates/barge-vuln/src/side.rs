//! Facts by CVE id beside the records: CISA's catalogue of exploited flaws, EPSS, and a table of CVSS vectors.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Read};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use smallvec::SmallVec;

use crate::error::Error;
use crate::severity::{Rating, RatingKind};

/// No side file unpacks to more.
const LARGEST: u64 = 512 * 1024 * 1024;

/// What side data says of one CVE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CveFacts<'a> {
    /// The CVE's id.
    pub id: &'a str,
    /// Its entry in CISA's catalogue of known exploited vulnerabilities.
    pub exploited: Option<Exploited>,
    /// How likely it is to be exploited.
    pub epss: Option<Epss>,
    /// CVSS vectors, each with who assigned it, the most trusted first.
    pub vectors: SmallVec<[(&'a str, Rating<'a>); 1]>,
}

/// An entry of CISA's Known Exploited Vulnerabilities catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploited {
    /// The day it was added.
    pub added: String,
    /// Whether ransomware is known to use it.
    pub ransomware: bool,
}

/// A score of the Exploit Prediction Scoring System, in hundred-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epss {
    /// The probability of exploitation in the next 30 days.
    pub score: u32,
    /// The share of all CVEs with the same score or less.
    pub percentile: u32,
}

impl Epss {
    /// Score and percentile, 0 to 1.
    #[must_use]
    pub fn fractions(self) -> (f64, f64) {
        let scaled = |parts: u32| f64::from(parts) / f64::from(EPSS_UNIT);
        (scaled(self.score), scaled(self.percentile))
    }
}

/// The unit of [`Epss`]: one over this.
pub(crate) const EPSS_UNIT: u32 = 100_000;

/// Side data of all kinds, by CVE.
#[derive(Debug, Default)]
pub struct SideData {
    exploited: BTreeMap<String, Exploited>,
    epss: HashMap<String, Epss>,
    vectors: BTreeMap<String, Vec<(String, String)>>,
}

/// The kinds of side files, known by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exploited,
    Epss,
    Vectors,
}

impl SideData {
    /// Whether a file of this name holds side data.
    #[must_use]
    pub fn knows(name: &str) -> bool {
        kind(name).is_some()
    }

    /// Reads a file of side data; `.gz` is unpacked.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let failed = |reason: String| Error::SideData {
            name: name.to_owned(),
            reason,
        };
        let kind =
            kind(name).ok_or_else(|| failed("its name says nothing of its kind".to_owned()))?;
        let input: Box<dyn Read> = match bytes {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            plain => Box::new(plain),
        };
        let mut input = BufReader::new(input.take(LARGEST));
        let mut data = Self::default();
        match kind {
            Kind::Exploited => data.read_exploited(&mut input),
            Kind::Epss => data.read_epss(&mut input),
            Kind::Vectors => data.read_vectors(&mut input),
        }
        .map_err(failed)?;
        Ok(data)
    }

    fn read_exploited(&mut self, input: &mut dyn Read) -> Result<(), String> {
        let catalogue: Value = serde_json::from_reader(input).map_err(|error| error.to_string())?;
        let list = catalogue
            .get("vulnerabilities")
            .and_then(Value::as_array)
            .ok_or("it has no `vulnerabilities`")?;
        for item in list {
            let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("cveID").is_empty() {
                continue;
            }
            let ransomware = text("knownRansomwareCampaignUse").eq_ignore_ascii_case("known");
            let entry = Exploited {
                added: text("dateAdded").to_owned(),
                ransomware,
            };
            self.exploited.insert(text("cveID").to_owned(), entry);
        }
        Ok(())
    }

    /// Reads FIRST's `cve,epss,percentile`, with comment and heading lines.
    fn read_epss(&mut self, input: &mut dyn std::io::BufRead) -> Result<(), String> {
        for line in input.lines() {
            let line = line.map_err(|error| error.to_string())?;
            let mut fields = line.split(',');
            let (Some(cve), Some(score), Some(percentile)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if let (true, Some(score), Some(percentile)) =
                (cve.starts_with("CVE-"), parts(score), parts(percentile))
            {
                self.epss.insert(cve.to_owned(), Epss { score, percentile });
            }
        }
        Ok(())
    }

    /// Reads lines of CVE, who scored it, vector, score, word.
    fn read_vectors(&mut self, input: &mut dyn std::io::BufRead) -> Result<(), String> {
        for line in input.lines() {
            let line = line.map_err(|error| error.to_string())?;
            let mut fields = line.split('\t');
            let (Some(cve), Some(source), Some(vector)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if cve.starts_with("CVE-") && !vector.is_empty() {
                let vectors = self.vectors.entry(cve.to_owned()).or_default();
                vectors.push((source.to_owned(), vector.trim().to_owned()));
            }
        }
        Ok(())
    }

    /// Adds other side data; what is already there stays.
    pub fn merge(&mut self, other: Self) {
        for (cve, entry) in other.exploited {
            self.exploited.entry(cve).or_insert(entry);
        }
        for (cve, epss) in other.epss {
            self.epss.entry(cve).or_insert(epss);
        }
        for (cve, vectors) in other.vectors {
            self.vectors.entry(cve).or_default().extend(vectors);
        }
    }

    /// What is known of a CVE.
    #[must_use]
    pub fn facts<'a>(&'a self, cve: &'a str) -> Option<CveFacts<'a>> {
        let known = self.vectors.get(cve).map(Vec::as_slice).unwrap_or_default();
        let mut vectors: Vec<(&str, &str)> = known
            .iter()
            .map(|(source, vector)| (source.as_str(), vector.as_str()))
            .collect();
        // The CVE authority knows its product; among its vectors the newest CVSS counts.
        vectors.sort_by_key(|(source, vector)| {
            (*source != "cna", !vector.starts_with("CVSS:4"), *vector)
        });
        vectors.dedup();
        let facts = CveFacts {
            id: cve,
            exploited: self.exploited.get(cve).cloned(),
            epss: self.epss.get(cve).copied(),
            vectors: vectors
                .into_iter()
                .map(|(source, vector)| (source, Rating::new(vector_kind(vector), vector)))
                .collect(),
        };
        let is_known =
            facts.exploited.is_some() || facts.epss.is_some() || !facts.vectors.is_empty();
        is_known.then_some(facts)
    }
}

/// The version of CVSS that a vector names; version 2 names none.
fn vector_kind(vector: &str) -> RatingKind {
    match vector.get(..6) {
        Some("CVSS:4") => RatingKind::CvssV4,
        Some("CVSS:3") => RatingKind::CvssV3,
        _ => RatingKind::CvssV2,
    }
}

fn kind(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name {
        "kev.json" | "known_exploited_vulnerabilities.json" => Some(Kind::Exploited),
        "cve_severity.tsv" => Some(Kind::Vectors),
        name if name.starts_with("epss") && name.ends_with(".csv") => Some(Kind::Epss),
        _ => None,
    }
}

/// A probability as hundred-thousandths.
fn parts(text: &str) -> Option<u32> {
    let value: f64 = text
        .trim()
        .parse()
        .ok()
        .filter(|value| (0.0..=1.0).contains(value))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value lies between 0 and 100,000"
    )]
    Some((value * f64::from(EPSS_UNIT)).round() as u32)
}
