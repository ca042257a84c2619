//! Which hand-off record a job takes, and whether it may.

use barge_image::Digest;
use barge_image::record::{ArtifactName, Record, Run};
use barge_store::DirectoryStore;
use camino::Utf8Path;

use crate::error::Error;
use crate::save::Saved;
use crate::surroundings::Surroundings;

/// How a record is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChoice {
    /// What this checkout saved last.
    Last,
    /// By its digest, the safe way between jobs.
    Digest(Digest),
    /// By the artifact's name, and the run where several have used it.
    Artifact {
        /// The name.
        name: ArtifactName,
        /// The run.
        run: Option<Run>,
    },
}

/// A record with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The digest.
    pub digest: Digest,
    /// The record.
    pub record: Record,
}

/// Finds a record in a store and refuses one of another run than the one at hand (R37), unless `any_run`.
///
/// # Errors
/// When there is no such record, it was changed, or it is foreign.
pub fn choose(
    surroundings: &Surroundings,
    store: &Utf8Path,
    choice: &RecordChoice,
    any_run: bool,
) -> Result<Chosen, Error> {
    let store = DirectoryStore::at(store);
    let digest = match choice {
        RecordChoice::Last => last(surroundings)?,
        RecordChoice::Digest(digest) => *digest,
        RecordChoice::Artifact { name, run } => store.find(name, run.as_ref())?.record,
    };
    let record = store.record(&digest)?;
    if !any_run {
        same_run(surroundings, &record)?;
    }
    Ok(Chosen { digest, record })
}

fn last(surroundings: &Surroundings) -> Result<Digest, Error> {
    let workspace = surroundings.workspace();
    let saved: Option<Saved> = workspace.take(&workspace.saved())?;
    saved.map(|saved| saved.digest).ok_or_else(|| Error::Missing {
        step: "load",
        missing: format!("`{}` is not there", workspace.saved()),
        hint: "name the record that the build job gave out, with `--record sha256:...`, or run `barge save` here".into(),
    })
}

/// A later attempt may take what an earlier one built, never the other way round.
fn same_run(surroundings: &Surroundings, record: &Record) -> Result<(), Error> {
    let environment = &surroundings.environment;
    let run = environment
        .non_empty("GITHUB_RUN_ID")
        .or(environment.non_empty("CI_PIPELINE_ID"));
    let recorded = &record.source.run;
    if let Some(run) = run.filter(|run| *run != recorded.id) {
        return Err(Error::Foreign {
            what: "run",
            expected: run.to_owned(),
            found: recorded.id.clone(),
        });
    }
    let attempt: Option<u32> = environment
        .non_empty("GITHUB_RUN_ATTEMPT")
        .and_then(|text| text.parse().ok());
    match attempt {
        Some(attempt) if run.is_some() && attempt < recorded.attempt => {
            let (expected, found) = (
                format!("attempt {attempt}"),
                format!("attempt {}", recorded.attempt),
            );
            Err(Error::Foreign {
                what: "attempt",
                expected,
                found,
            })
        }
        _ => Ok(()),
    }
}
