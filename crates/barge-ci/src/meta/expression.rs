//! The expressions that templates may use: `branch`, `tag`, `sha`, `date` and their like.

use std::rc::Rc;

use super::context::Context;
use super::date::Instant;
use super::ecmascript::number;
use super::moment;
use super::template::{Arguments, TemplateError, Value};

/// All expressions.
pub(super) fn global(context: &Context) -> Value<'_> {
    let mut members = vec![
        (
            "branch",
            Value::function("branch", 0, |_| {
                Ok(Value::text(stripped(context, "refs/heads/")))
            }),
        ),
        (
            "tag",
            Value::function("tag", 0, |_| {
                Ok(Value::text(stripped(context, "refs/tags/")))
            }),
        ),
        (
            "sha",
            Value::function("sha", 0, |_| short_sha(context).map(Value::text)),
        ),
        (
            "base_ref",
            Value::function("base_ref", 0, |_| {
                Ok(Value::text(
                    context.base_reference.as_deref().unwrap_or_default(),
                ))
            }),
        ),
        (
            "commit_date",
            date_function("commit_date", context.commit_date, context),
        ),
        (
            "is_default_branch",
            Value::function("is_default_branch", 0, |_| {
                flag(is_default_branch(context)?)
            }),
        ),
        (
            "is_not_default_branch",
            Value::function("is_not_default_branch", 0, |arguments| {
                // The function asks its sibling through `this`, which is another value inside a block.
                match arguments.this.property("is_default_branch") {
                    Value::Function(_) => flag(!is_default_branch(context)?),
                    _ => Err(TemplateError::Type(
                        "this.is_default_branch is not a function".into(),
                    )),
                }
            }),
        ),
        ("date", date_function("date", Some(context.now), context)),
    ];
    members.extend(
        context
            .extra
            .iter()
            .map(|(name, value)| (*name, Value::text(value))),
    );
    Value::Object(Rc::from(members))
}

/// The two expressions that the pattern of a schedule knows.
pub(super) fn dates(context: &Context) -> Value<'_> {
    Value::Object(Rc::from([
        ("date", date_function("date", Some(context.now), context)),
        (
            "commit_date",
            date_function("commit_date", context.commit_date, context),
        ),
    ]))
}

fn flag<'c>(holds: bool) -> Result<Value<'c>, TemplateError> {
    Ok(Value::text(if holds { "true" } else { "false" }))
}

fn stripped<'c>(context: &'c Context, folder: &str) -> &'c str {
    context
        .reference
        .as_deref()
        .and_then(|reference| reference.strip_prefix(folder))
        .unwrap_or_default()
}

/// Some events always run for the default branch; they are told by a part of their name.
fn is_default_branch(context: &Context) -> Result<bool, TemplateError> {
    let reference = context.reference.as_deref().ok_or_else(|| {
        TemplateError::Type("Cannot read properties of undefined (reading 'replace')".into())
    })?;
    let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    if branch.is_empty() {
        return Ok(false);
    }
    let events = ["create", "discussion", "issues", "schedule"];
    let default = context.default_branch.as_deref() == Some(branch);
    Ok(default
        || context.default_by_event
            && events
                .iter()
                .any(|event| context.event_name.contains(event)))
}

/// The commit, cut to the length that the user wants.
pub(super) fn short_sha(context: &Context) -> Result<&str, TemplateError> {
    let wanted = context
        .short_length
        .as_deref()
        .filter(|text| !text.is_empty());
    let length = wanted.map_or(7.0, number);
    if let (true, Some(text)) = (length.is_nan(), wanted) {
        let message = format!("DOCKER_METADATA_SHORT_SHA_LENGTH is not a valid number: {text}");
        return Err(TemplateError::Function(message));
    }
    let sha = context.sha.as_deref().ok_or_else(|| {
        TemplateError::Type("Cannot read properties of undefined (reading 'length')".into())
    })?;
    let end = sha
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|_| length > 0.0)
        .nth(whole(length));
    Ok(match end {
        Some(end) => &sha[..end],
        None if length > 0.0 => sha,
        None => "",
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length beyond usize means all"
)]
fn whole(length: f64) -> usize {
    length.max(0.0) as usize
}

/// `date 'format' tz='zone'`.
fn date_function<'c>(name: &'static str, instant: Instant, context: &'c Context) -> Value<'c> {
    Value::function(name, 2, move |arguments| {
        date_text(instant, arguments, &context.local_zone).map(Value::text)
    })
}

fn date_text(
    instant: Instant,
    arguments: &Arguments<'_>,
    local: &str,
) -> Result<String, TemplateError> {
    let (Some(hash), [format]) = (&arguments.hash, arguments.positional.as_slice()) else {
        return Err(TemplateError::Type(
            "Cannot read properties of undefined (reading 'hash')".into(),
        ));
    };
    let mut zone = &Value::text("UTC");
    for (key, value) in hash {
        if key != "tz" {
            return Err(TemplateError::Function(format!("Unknown {key} attribute")));
        }
        zone = value;
    }
    let zone = match zone {
        Value::Text(zone) if !zone.is_empty() => zone,
        other if other.is_truthy() => {
            return Err(TemplateError::Type(
                "Time zone name must be a string".into(),
            ));
        }
        _ => {
            return Err(TemplateError::Type(
                "Cannot read properties of undefined (reading 'format')".into(),
            ));
        }
    };
    let format = match format {
        Value::Text(format) => format,
        other if other.is_truthy() && instant.is_some() => {
            return Err(TemplateError::Type("format.match is not a function".into()));
        }
        _ => "",
    };
    moment::format(instant, zone, format, local)
        .map_err(|error| TemplateError::Type(error.to_string()))
}
