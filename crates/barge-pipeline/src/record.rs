//! Which hand-off record a job takes, and whether it may.

use barge_ci::Event;
use barge_image::Digest;
use barge_image::record::{ArtifactName, Record, Run, Source};
use barge_store::Store;

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

impl From<&Saved> for Chosen {
    fn from(saved: &Saved) -> Self {
        Self {
            digest: saved.digest,
            record: saved.record.clone(),
        }
    }
}

/// Finds a record in a store, and refuses one that is not of the event at hand, unless `any_run`.
///
/// # Errors
/// When there is no such record, it was changed, or it is foreign.
pub fn choose(
    surroundings: &Surroundings,
    store: &Store,
    choice: &RecordChoice,
    any_run: bool,
) -> Result<Chosen, Error> {
    let (digest, pointer) = match choice {
        RecordChoice::Last => (last(surroundings)?, None),
        RecordChoice::Digest(digest) => (*digest, None),
        RecordChoice::Artifact { name, run } => {
            let pointer = store.find(name, run.as_ref())?;
            (pointer.record, Some(pointer))
        }
    };
    let record = store.record(&digest)?;
    if let Some(pointer) = pointer.filter(|pointer| !pointer.is_of(&record)) {
        return Err(barge_store::Error::misled(&pointer, &record).into());
    }
    if !any_run {
        Occasion::at_hand(surroundings)?.check(&record.source)?;
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

/// What the job at hand is about: what a record must agree with, as far as it is known.
#[derive(Debug, Default)]
struct Occasion {
    run: Option<String>,
    attempt: Option<u32>,
    event: Option<String>,
    repository: Option<String>,
    pull_request: Option<u64>,
    commit: Option<String>,
}

impl Occasion {
    /// What the CI system says. A checkout on somebody's machine is no occasion: there anything may be looked at.
    fn at_hand(surroundings: &Surroundings) -> Result<Self, Error> {
        let environment = &surroundings.environment;
        let is_job = environment.is_true("GITHUB_ACTIONS") || environment.is_true("GITLAB_CI");
        if is_job {
            return crate::plan::event(surroundings, None).map(|event| Self::of(&event));
        }
        let run = environment.non_empty("GITHUB_RUN_ID");
        Ok(Self {
            run: run
                .or(environment.non_empty("CI_PIPELINE_ID"))
                .map(str::to_owned),
            attempt: environment
                .non_empty("GITHUB_RUN_ATTEMPT")
                .and_then(|text| text.parse().ok()),
            ..Self::default()
        })
    }

    /// A workflow that follows another one is about the other one's run.
    fn of(event: &Event) -> Self {
        let repository = &event.repository;
        let followed = event.upstream.as_ref();
        let run = event.run.as_ref().filter(|_| followed.is_none());
        Self {
            run: match followed {
                Some(upstream) => upstream.id.map(|id| id.to_string()),
                None => run.map(|run| run.id.clone()),
            },
            attempt: run.map(|run| run.attempt),
            event: Some(
                followed
                    .map_or(&event.name, |upstream| &upstream.event)
                    .clone(),
            ),
            repository: Some(format!("{}/{}", repository.owner, repository.name)),
            pull_request: event.pull_request.as_ref().map(|change| change.number),
            commit: Some(event.head.to_string()),
        }
    }

    /// Compares from the widest to the narrowest, so that the message names what really differs.
    fn check(&self, source: &Source) -> Result<(), Error> {
        let recorded = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let number = |number: Option<u64>| number.map(|number| format!("#{number}"));
        let (here, there) = (self, source);
        differ(
            "repository",
            here.repository.clone(),
            recorded(&there.repository),
        )?;
        differ("event", here.event.clone(), recorded(&there.event))?;
        differ(
            "pull request",
            number(here.pull_request),
            number(there.pull_request),
        )?;
        differ("commit", here.commit.clone(), recorded(&there.commit))?;
        differ("run", here.run.clone(), recorded(&there.run.id))?;
        // A later attempt may take what an earlier one built, never the other way round.
        match self.attempt {
            Some(attempt) if self.run.is_some() && attempt < source.run.attempt => differ(
                "attempt",
                Some(attempt.to_string()),
                Some(source.run.attempt.to_string()),
            ),
            _ => Ok(()),
        }
    }
}

/// Refuses two different values; what one side does not know cannot differ.
fn differ(
    what: &'static str,
    expected: Option<String>,
    found: Option<String>,
) -> Result<(), Error> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => Err(Error::Foreign {
            what,
            expected,
            found,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion() -> Occasion {
        Occasion {
            run: Some("100".into()),
            attempt: Some(2),
            event: Some("pull_request".into()),
            repository: Some("a/b".into()),
            pull_request: Some(7),
            commit: Some("c".repeat(40)),
        }
    }

    fn source() -> Source {
        Source {
            event: "pull_request".into(),
            repository: "a/b".into(),
            commit: "c".repeat(40),
            pull_request: Some(7),
            run: Run {
                id: "100".into(),
                attempt: 2,
            },
            ..Source::default()
        }
    }

    #[test]
    fn each_difference_has_its_own_name() {
        let run = |id: &str, attempt| Run {
            id: id.into(),
            attempt,
        };
        type Change = fn(&mut Source);
        let cases: [(&str, Change); 5] = [
            ("repository", |source| source.repository = "a/c".into()),
            ("event", |source| source.event = "push".into()),
            ("pull request", |source| source.pull_request = Some(8)),
            ("commit", |source| source.commit = "d".repeat(40)),
            ("run", |source| source.run.id = "99".into()),
        ];
        for (name, change) in cases {
            let mut source = source();
            change(&mut source);
            let error = occasion().check(&source).unwrap_err();
            assert!(
                matches!(error, Error::Foreign { what, .. } if what == name),
                "{name}: {error}"
            );
        }
        for (attempt, is_fine) in [(1, true), (2, true), (3, false)] {
            let source = Source {
                run: run("100", attempt),
                ..source()
            };
            assert_eq!(
                occasion().check(&source).is_ok(),
                is_fine,
                "attempt {attempt}"
            );
        }
    }

    #[test]
    fn what_one_side_does_not_know_cannot_differ() {
        occasion().check(&Source::default()).unwrap();
        Occasion::default().check(&source()).unwrap();
    }
}
