//! From the surroundings to a plan: which event it is, and what it leads to.

use std::fs;

use barge_ci::git::Git as _;
use barge_ci::meta::LatestSetting;
use barge_ci::{
    Cause, Changes, Event, EventError, Facts, Job, JobId, JobState, Plan, Rule, Switches,
};
use camino::Utf8Path;
use jiff::Timestamp;

use crate::changes::changes;
use crate::error::Error;
use crate::git::GitProgram;
use crate::surroundings::Surroundings;

/// Plans for a payload file that was named, else for the event that the CI system reports, else for the checkout.
///
/// # Errors
/// When the event is malformed, or its rules give no usable names.
pub fn plan(surroundings: &Surroundings, payload: Option<&Utf8Path>) -> Result<Plan, Error> {
    let event = event(surroundings, payload)?;
    let git = GitProgram::in_folder(&surroundings.folder);
    let settings = &surroundings.planning;
    let head = event.head.as_str();
    let wants_message = settings.skip.read_head_commit && event.message.is_none();
    let head_message = wants_message
        .then(|| git.run(&["log", "-1", "--format=%B", head]).ok())
        .flatten();
    let commit_time = git
        .run(&["log", "-1", "--format=%cI", event.commit.as_str()])
        .ok();
    let tags: Vec<String> = match settings.meta.latest {
        LatestSetting::Highest => git.run(&["tag", "--list"]).map_err(EventError::from)?,
        _ => String::new(),
    }
    .lines()
    .map(str::to_owned)
    .collect();
    let switches = Switches::from_environment(&surroundings.environment);
    let facts = Facts {
        now: surroundings.created(),
        commit_time: commit_time.and_then(|text| text.parse::<Timestamp>().ok()),
        changes: if settings.skip.wants_changes(&event) {
            changes(&git, &event)
        } else {
            Changes::default()
        },
        head_message: head_message.as_deref(),
        switches: &switches,
        tags: &tags,
    };
    let mut plan = Plan::new(event, settings, &facts)?;
    plan.jobs
        .iter_mut()
        .filter(|job| job.id == JobId::Test)
        .for_each(without_test);
    Ok(plan)
}

/// No test can be configured yet, so the plan must not promise one: the gate would wait for it.
fn without_test(job: &mut Job) {
    if job.state == JobState::Run {
        job.state = JobState::Skip;
        job.cause = Cause::new(Rule::Settings, "no test is configured");
    }
}

/// The event of a payload file, of the CI system, or of the checkout.
pub(crate) fn event(
    surroundings: &Surroundings,
    payload: Option<&Utf8Path>,
) -> Result<Event, Error> {
    let environment = &surroundings.environment;
    let reported = environment
        .non_empty("GITHUB_EVENT_PATH")
        .filter(|_| environment.is_true("GITHUB_ACTIONS"));
    if let Some(path) = payload.or(reported.map(Utf8Path::new)) {
        let text = fs::read_to_string(path).map_err(|error| EventError::PayloadFile {
            path: path.to_string(),
            message: error.to_string(),
        })?;
        return Ok(Event::from_github(environment, path.as_str(), &text)?);
    }
    if environment.is_true("GITLAB_CI") {
        return Ok(Event::from_gitlab(environment)?);
    }
    let folder = surroundings.folder.file_name().unwrap_or("image");
    Ok(Event::from_checkout(
        &GitProgram::in_folder(&surroundings.folder),
        folder,
    )?)
}
