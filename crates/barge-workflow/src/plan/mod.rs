//! What a workflow does for one event: which jobs and steps run, are skipped, fail or hang on something unknown, and why.
//!
//! The same walk and the same rules as the check, for a single scenario. All steps are taken to pass, save those that a rule
//! shows to fail; what comes after a failure is blocked, and so are the jobs that need it.

mod artifact;
mod cases;
mod course;
mod event;
pub mod handoff;
pub mod html;
mod image;
mod job;

pub use self::cases::all_cases;
pub use self::course::{ArtifactCourse, Break, Course, ImageCourse, JobCourse, State, StepCourse};
pub use self::event::{course, usual_scenarios};
