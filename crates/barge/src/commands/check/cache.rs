//! Results of earlier checks, by content: in a checkout of an organisation few files change from day to day.
//!
//! An entry is used only when it was made by this very program, from the same text, name and repository, and when every
//! other file that the check read or looked for is as it was. Anything that does not fit is no entry.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, SystemTime};

use barge_image::Digest;
use barge_pipeline::make_room;
use barge_workflow::finding::{Case, Edit, Evidence};
use barge_workflow::source::{Place, Span};
use barge_workflow::{Checked, Finding, Fix, Repository, Source, rule};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::super::workflow_files::Checkout;
use super::Unreadable;
use crate::context::Context;

const SCHEMA: &str = "barge/check-cache/v1";
/// The largest entry that is read, in bytes.
const ENTRY_LIMIT: u64 = 16 << 20;
/// How much is kept from run to run, in bytes; then the half that was not used for longest goes.
const LIMIT: u64 = 128 << 20;
/// An entry that was used is marked as used no more often than this.
const MARK_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where results are kept; nowhere when there is no place for them.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Option<Utf8PathBuf>,
}

impl Cache {
    /// The user's cache folder, in a folder of its own for each build of this program.
    pub(super) fn open(context: &Context, wanted: bool) -> Self {
        let environment = &context.environment;
        let base = environment
            .non_empty("XDG_CACHE_HOME")
            .map(Utf8PathBuf::from)
            .or_else(|| Some(Utf8PathBuf::from(environment.non_empty("HOME")?).join(".cache")));
        let folder = base
            .filter(|base| wanted && base.is_absolute())
            .zip(program())
            .map(|(base, program)| base.join("barge/check").join(program));
        // What cannot be removed only takes room.
        match &folder {
            Some(folder) if folder.exists() => drop(make_room(folder, LIMIT, 0)),
            Some(folder) => drop(remove_others(folder)),
            None => {}
        }
        Self { folder }
    }

    /// Checks a file, or takes what an earlier check of the same found.
    pub(super) fn check(
        &self,
        source: &Source,
        checkout: &Checkout<'_>,
        repository: Option<&str>,
    ) -> Result<Checked, Unreadable> {
        let Some(folder) = &self.folder else {
            return fresh(source, checkout, repository);
        };
        let key = key(source, repository);
        let path = folder.join(format!("{key}.json"));
        if let Some(checked) = stored(&path, &key, source, checkout) {
            return Ok(checked);
        }
        let watched = Watched::new(checkout);
        let checked = fresh(source, &watched, repository)?;
        let entry = Entry::new(key, &checked, watched);
        // Without the entry the next check is slower and as right.
        drop(entry.write(folder, &path));
        Ok(checked)
    }
}

/// Removes what other builds of this program kept beside a folder: nothing else would ever do so.
fn remove_others(folder: &Utf8Path) -> io::Result<()> {
    let Some(all) = folder.parent() else {
        return Ok(());
    };
    for other in all.read_dir_utf8()? {
        let other = other?;
        if other.path() != folder && other.file_type()?.is_dir() {
            fs::remove_dir_all(other.path())?;
        }
    }
    Ok(())
}

fn fresh(
    source: &Source,
    files: &dyn Repository,
    repository: Option<&str>,
) -> Result<Checked, Unreadable> {
    barge_workflow::check(source, files, repository).map_err(|error| Unreadable::from(&error))
}

/// What tells this build of the program from others: rules change without a new version.
fn program() -> Option<String> {
    let file = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let modified = file.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!(
        "{}-{}-{}",
        env!("CARGO_PKG_VERSION"),
        file.len(),
        since.as_nanos()
    ))
}

fn key(source: &Source, repository: Option<&str>) -> String {
    let parts = [
        SCHEMA,
        source.path(),
        repository.unwrap_or_default(),
        source.text(),
    ];
    let lengths = parts.map(|part| part.len().to_string()).join(",");
    Digest::of(format!("{lengths}:{}", parts.concat()).as_bytes()).hex()
}

/// A checkout that remembers what was asked of it.
struct Watched<'a> {
    checkout: &'a Checkout<'a>,
    read: RefCell<BTreeMap<String, Option<String>>>,
    sought: RefCell<BTreeMap<String, bool>>,
}

impl<'a> Watched<'a> {
    fn new(checkout: &'a Checkout<'a>) -> Self {
        Self {
            checkout,
            read: RefCell::default(),
            sought: RefCell::default(),
        }
    }
}

fn digest(source: Option<&Source>) -> Option<String> {
    source.map(|source| Digest::of(source.text().as_bytes()).hex())
}

impl Repository for Watched<'_> {
    fn read(&self, path: &str) -> Option<Source> {
        let source = self.checkout.read(path);
        let mut read = self.read.borrow_mut();
        read.insert(path.to_owned(), digest(source.as_ref()));
        source
    }

    fn exists(&self, path: &str) -> bool {
        let exists = self.checkout.exists(path);
        self.sought.borrow_mut().insert(path.to_owned(), exists);
        exists
    }
}

/// The entry of a key, if it is one and still holds.
fn stored(
    path: &Utf8PathBuf,
    key: &str,
    source: &Source,
    checkout: &Checkout<'_>,
) -> Option<Checked> {
    let entry: Entry = serde_json::from_slice(&read(path).ok()?).ok()?;
    let same = entry.schema == SCHEMA
        && entry.key == key
        && entry
            .sought
            .iter()
            .all(|(path, exists)| checkout.exists(path) == *exists);
    if !same {
        return None;
    }
    let mut sources = BTreeMap::from([(source.path().to_owned(), source.clone())]);
    for (path, expected) in &entry.read {
        let source = checkout.read(path);
        if digest(source.as_ref()) != *expected {
            return None;
        }
        sources.extend(source.map(|source| (source.path().to_owned(), source)));
    }
    entry.checked(&sources)
}

/// Reads an entry, and marks it as used.
#[expect(
    clippy::disallowed_methods,
    reason = "when a file was used is bookkeeping that no output shows"
)]
fn read(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.len() > ENTRY_LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let now = SystemTime::now();
    let age = now.duration_since(metadata.modified()?);
    if age.is_ok_and(|age| age > MARK_AGE) {
        // Where the folder is not ours to write, it stays as old as it is.
        drop(file.set_modified(now));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Serialize, Deserialize)]
struct Entry {
    schema: String,
    key: String,
    /// Files that were read, with the digests of their texts; null for those that were not there.
    read: BTreeMap<String, Option<String>>,
    /// Paths that were looked for, and whether they were there.
    sought: BTreeMap<String, bool>,
    findings: Vec<StoredFinding>,
    ignored: usize,
    undecided: Vec<(usize, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredFinding {
    rule: String,
    severity: String,
    place: StoredPlace,
    message: String,
    evidence: Vec<(StoredPlace, String)>,
    case: Option<Case>,
    consequence: Option<String>,
    fix: Option<(String, Vec<(StoredPlace, String)>)>,
}

/// Path, first byte, byte after the last.
#[derive(Serialize, Deserialize)]
struct StoredPlace(String, usize, usize);

impl Entry {
    fn new(key: String, checked: &Checked, watched: Watched<'_>) -> Self {
        Self {
            schema: SCHEMA.into(),
            key,
            read: watched.read.into_inner(),
            sought: watched.sought.into_inner(),
            findings: checked.findings.iter().map(StoredFinding::new).collect(),
            ignored: checked.ignored,
            undecided: checked.undecided.clone(),
        }
    }

    /// Not synced to disk: what a crash cuts off is no entry.
    fn write(&self, folder: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(path)?;
        Ok(())
    }

    fn checked(self, sources: &BTreeMap<String, Source>) -> Option<Checked> {
        let findings = self.findings.into_iter();
        Some(Checked {
            findings: findings
                .map(|finding| finding.finding(sources))
                .collect::<Option<_>>()?,
            ignored: self.ignored,
            undecided: self.undecided,
        })
    }
}

impl StoredPlace {
    fn new(place: &Place) -> Self {
        Self(
            place.source.path().to_owned(),
            place.span.start,
            place.span.end,
        )
    }

    fn place(&self, sources: &BTreeMap<String, Source>) -> Option<Place> {
        let source = sources.get(&self.0)?;
        source.text().get(self.1..self.2)?;
        Some(Place::new(source, Span::new(self.1, self.2)))
    }
}

impl StoredFinding {
    fn new(finding: &Finding) -> Self {
        let evidence = finding.evidence.iter();
        Self {
            rule: finding.rule.into(),
            severity: finding.severity.to_string(),
            place: StoredPlace::new(&finding.place),
            message: finding.message.clone(),
            evidence: evidence
                .map(|evidence| (StoredPlace::new(&evidence.place), evidence.message.clone()))
                .collect(),
            case: finding.case.clone(),
            consequence: finding.consequence.clone(),
            fix: finding.fix.as_ref().map(|fix| {
                let edits = fix.edits.iter().map(|edit| {
                    let place = StoredPlace(edit.path.clone(), edit.span.start, edit.span.end);
                    (place, edit.replacement.clone())
                });
                (fix.message.clone(), edits.collect())
            }),
        }
    }

    fn finding(self, sources: &BTreeMap<String, Source>) -> Option<Finding> {
        let evidence = self.evidence.into_iter().map(|(place, message)| {
            Some(Evidence {
                place: place.place(sources)?,
                message,
            })
        });
        Some(Finding {
            rule: rule::find(&self.rule)?.id,
            severity: self.severity.parse().ok()?,
            place: self.place.place(sources)?,
            message: self.message,
            evidence: evidence.collect::<Option<_>>()?,
            case: self.case,
            consequence: self.consequence,
            fix: self.fix.map(|(message, edits)| Fix {
                message,
                edits: edits.into_iter().map(stored_edit).collect(),
            }),
        })
    }
}

fn stored_edit((place, replacement): (StoredPlace, String)) -> Edit {
    Edit {
        path: place.0,
        span: Span::new(place.1, place.2),
        replacement,
    }
}
