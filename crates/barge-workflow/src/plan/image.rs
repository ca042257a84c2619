//! Where the images go.

use std::collections::BTreeMap;

use crate::flow::{FactKind, Trace};

use super::course::{ImageCourse, JobCourse, State};
use super::job::is_open;

/// The images of the jobs that come to run.
pub(super) fn images(trace: &Trace, courses: &[JobCourse]) -> Vec<ImageCourse> {
    let mut images: BTreeMap<(String, String), (bool, bool)> = BTreeMap::new();
    let reached = |course: &JobCourse| !matches!(course.state, State::Blocked | State::Skipped);
    let jobs = trace.jobs.iter().zip(courses);
    for (job, _) in jobs.filter(|(_, course)| reached(course)) {
        for fact in &job.facts {
            let FactKind::Built(delivery) = &fact.kind else {
                continue;
            };
            for reference in &delivery.references {
                let key = (reference.describe(), job.id.clone());
                let (in_daemon, pushed) = images.entry(key).or_insert((false, false));
                *in_daemon |= is_open(&delivery.to_daemon) != Some(false);
                *pushed |= is_open(&delivery.to_registry) != Some(false);
            }
        }
    }
    let courses = images.into_iter();
    let courses = courses.map(|((reference, job), (in_daemon, pushed))| ImageCourse {
        reference,
        job,
        in_daemon,
        pushed,
    });
    courses.collect()
}
