//! Which jobs the artifacts pass between.

use crate::flow::{FactKind, Trace};

use super::course::{ArtifactCourse, JobCourse, State};

pub(super) fn artifacts(trace: &Trace, jobs: &[JobCourse]) -> Vec<ArtifactCourse> {
    // What a step never reached to upload or download did not pass.
    let happens = |job: &str, line: usize| {
        let mut courses = jobs.iter().filter(|course| course.key == job);
        courses.any(|course| {
            let step = course.steps.iter().rev().find(|step| step.line <= line);
            let states = [Some(course.state), step.map(|step| step.state)];
            !states
                .iter()
                .flatten()
                .any(|state| matches!(state, State::Skipped | State::Blocked))
        })
    };
    let mut all: Vec<ArtifactCourse> = Vec::new();
    let mut entry = |name: String| {
        all.iter()
            .position(|artifact| artifact.name == name)
            .unwrap_or_else(|| {
                all.push(ArtifactCourse {
                    name,
                    uploaded_by: Vec::new(),
                    downloaded_by: Vec::new(),
                });
                all.len() - 1
            })
    };
    let mut moves: Vec<(usize, bool, String)> = Vec::new();
    for artifact in &trace.artifacts {
        let at = entry(artifact.name.describe());
        if happens(&artifact.job, artifact.place.line()) {
            moves.push((at, true, artifact.job.clone()));
        }
    }
    for job in &trace.jobs {
        for fact in &job.facts {
            if let FactKind::Downloaded(Some(name), _) = &fact.kind {
                let at = entry(name.describe());
                if happens(&job.id, fact.place.line()) {
                    moves.push((at, false, job.id.clone()));
                }
            }
        }
    }
    for (at, uploaded, job) in moves {
        let Some(artifact) = all.get_mut(at) else {
            continue;
        };
        let jobs = if uploaded {
            &mut artifact.uploaded_by
        } else {
            &mut artifact.downloaded_by
        };
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    all
}
