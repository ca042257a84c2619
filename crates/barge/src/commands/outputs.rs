//! Job outputs: the same keys in every mode, none empty when there is something to say.

use barge_forge::Actions;
use barge_pipeline::push::Pushed;
use barge_pipeline::report::push_summary;
use barge_pipeline::{Built, Saved};

use crate::context::Context;
use crate::error::Error;

/// The runner's files, if a runner named them.
pub(crate) fn actions(context: &Context) -> Actions {
    let environment = &context.environment;
    Actions::new(
        environment.non_empty("GITHUB_OUTPUT"),
        environment.non_empty("GITHUB_STEP_SUMMARY"),
    )
}

/// Nothing was built.
pub(crate) fn skipped(context: &Context) -> Result<(), Error> {
    let keys = [
        "ref",
        "tags",
        "imageid",
        "config_digest",
        "digest",
        "artifact",
        "record",
        "pushed",
    ];
    let mut outputs = vec![("skip_build", "true".to_owned())];
    outputs.extend(keys.map(|key| (key, String::new())));
    Ok(actions(context).set_outputs(&outputs)?)
}

/// An image was built.
pub(crate) fn built(context: &Context, built: &Built) -> Result<(), Error> {
    let tags: Vec<_> = built.references.iter().map(ToString::to_string).collect();
    let outputs = [
        ("skip_build", "false".to_owned()),
        ("ref", tags.first().cloned().unwrap_or_default()),
        ("tags", tags.join("\n")),
        ("imageid", built.home.image_id().to_string()),
    ];
    Ok(actions(context).set_outputs(&outputs)?)
}

/// An image was saved.
pub(crate) fn saved(context: &Context, saved: &Saved) -> Result<(), Error> {
    let image = &saved.record.image;
    let outputs = [
        ("artifact", saved.record.artifact.to_string()),
        ("record", saved.digest.to_string()),
        ("config_digest", image.config.to_string()),
        ("digest", image.manifest.digest.to_string()),
    ];
    Ok(actions(context).set_outputs(&outputs)?)
}

/// An image was pushed: its names with the digest, for whoever deploys it, and in the job's summary.
pub(crate) fn pushed(context: &Context, pushed: &Pushed) -> Result<(), Error> {
    let names = pushed.references.iter().map(ToString::to_string);
    let names = names.collect::<Vec<_>>().join("\n");
    let outputs = [("digest", pushed.digest.to_string()), ("pushed", names)];
    let actions = actions(context);
    actions.set_outputs(&outputs)?;
    Ok(actions.add_summary(&push_summary(&pushed.references))?)
}
