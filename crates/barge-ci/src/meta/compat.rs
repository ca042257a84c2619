//! Compat mode: docker/metadata-action v6, output for output.
//!
//! The order of work is part of the behaviour: what was set before a failure stays set, and warnings come as they
//! arise. Reading inputs, asking git and the API, rules, version, tags, labels, annotations, json, bake files.

use serde_json::Value;

use super::context::{
    Context, RepositoryFacts, base_reference, commit_date_in_payload, from_git, from_workflow,
};
use super::csv::{Dialect as CsvDialect, parse};
use super::date::{self, Instant};
use super::ecmascript::trim;
use super::error::MetaError;
use super::flavor::Flavor;
use super::image::{images, names};
use super::label::{annotations, lines};
use super::output::{Material, bake_annotations};
use super::rule::rules;
use super::template::Dialect;
use super::version::Engine;
use crate::environment::Environment;
use crate::git::Git;

/// The payload file that the runner names.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'p> {
    /// `GITHUB_EVENT_PATH` is not set.
    Unset,
    /// No file is there.
    Missing(&'p str),
    /// The text of the file.
    Text(&'p str),
}

/// The requests that the action makes. An error is the text that the run ends with, where it does.
pub trait Api {
    /// `GET /repos/{owner}/{name}`.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with an error.
    fn repository(&self, owner: &str, name: &str) -> Result<Value, String>;

    /// `GET /repos/{owner}/{name}/commits/{sha}`.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with an error.
    fn commit(&self, owner: &str, name: &str, sha: &str) -> Result<Value, String>;
}

/// Where a run gets its facts from.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "the traits are the caller's")]
pub struct Sources<'s> {
    /// Inputs and the runner's variables.
    pub environment: &'s Environment,
    /// The event.
    pub payload: Payload<'s>,
    /// The checkout, asked in the context `git` only.
    pub git: &'s dyn Git,
    /// The forge.
    pub api: &'s dyn Api,
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

/// What a run did, also when it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Remarks without weight.
    pub notices: Vec<String>,
    /// Texts for `::warning::`.
    pub warnings: Vec<String>,
    /// Outputs in the order in which they were set.
    pub outputs: Vec<Output>,
    /// Whether outputs are exported to the environment of later steps too.
    pub export: bool,
    /// Why the run failed, for `::error::`.
    pub error: Option<MetaError>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub value: OutputValue,
}

/// What an output holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputValue {
    /// A text.
    Text(String),
    /// The path of a file with this name and content.
    File {
        /// The name without a folder.
        name: &'static str,
        /// What is in it.
        content: String,
    },
}

/// Does what the action does.
#[must_use]
pub fn run(sources: &Sources<'_>) -> Run {
    let mut run = Run::default();
    if let Err(error) = run.proceed(sources) {
        run.error = Some(error);
    }
    run
}

struct Inputs {
    context: String,
    images: Vec<String>,
    tags: Vec<String>,
    flavor: Vec<String>,
    labels: Vec<String>,
    annotations: Vec<String>,
    separator_tags: String,
    separator_labels: String,
    separator_annotations: String,
    bake_target: String,
}

impl Inputs {
    fn read(environment: &Environment) -> Result<Self, MetaError> {
        let raw = |name: &str| environment.or_empty(&format!("INPUT_{}", name.to_uppercase()));
        let or = |text: &str, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text.to_owned()
            }
        };
        Ok(Self {
            images: list(raw("images"))?,
            tags: list(raw("tags"))?,
            flavor: list(raw("flavor"))?,
            labels: list(raw("labels"))?,
            annotations: list(raw("annotations"))?,
            context: or(trim(raw("context")), "workflow"),
            separator_tags: or(raw("sep-tags"), "\n"),
            separator_labels: or(raw("sep-labels"), "\n"),
            separator_annotations: or(raw("sep-annotations"), "\n"),
            bake_target: or(trim(raw("bake-target")), "docker-metadata-action"),
        })
    }
}

/// The first pass over a list: records joined again, empty ones dropped, then each trimmed.
fn list(input: &str) -> Result<Vec<String>, MetaError> {
    let records = parse(trim(input), CsvDialect::List)?;
    let entries = records
        .into_iter()
        .map(|record| record.join(","))
        .filter(|entry| !entry.is_empty());
    Ok(entries.map(|entry| trim(&entry).to_owned()).collect())
}

/// What the action's library takes for a truth value.
fn boolean(text: &str) -> Result<bool, MetaError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(MetaError::Boolean(other.to_owned())),
    }
}

impl Run {
    fn proceed(&mut self, sources: &Sources<'_>) -> Result<(), MetaError> {
        let environment = sources.environment;
        let payload = self.payload(sources.payload)?;
        let inputs = Inputs::read(environment)?;
        let context = context(sources, &inputs.context, &payload)?;
        self.export = match environment.non_empty("DOCKER_METADATA_SET_OUTPUT_ENV") {
            Some(text) => boolean(text)?,
            None => true,
        };
        let images = images(&inputs.images)?;
        let rules = rules(&inputs.tags)?;
        let flavor = Flavor::parse(&inputs.flavor)?;
        let engine = Engine {
            context: &context,
            flavor: &flavor,
            dialect: Dialect::Compat,
        };
        let (version, _) = engine.version(&rules, &mut self.warnings)?;
        let images = names(&images);
        let tags = if images.is_empty() {
            version.tags(&flavor, None)
        } else {
            images
                .iter()
                .flat_map(|image| version.tags(&flavor, Some(image)))
                .collect()
        };
        let mut material = Material {
            tag_names: version.tags(&flavor, None),
            version: version.main,
            images,
            tags,
            labels: Vec::new(),
        };
        self.set_tags(&material, &inputs);
        material.labels = engine.labels(material.version.as_deref(), &inputs.labels)?;
        self.set(
            "labels",
            lines(&material.labels).join(&inputs.separator_labels),
        );
        let annotated = engine.labels(material.version.as_deref(), &inputs.annotations)?;
        let levels = environment
            .non_empty("DOCKER_METADATA_ANNOTATIONS_LEVELS")
            .unwrap_or("manifest");
        let all = annotations(&annotated, levels.split(','));
        self.set("annotations", all.join(&inputs.separator_annotations));
        self.set("json", material.json(&all));
        // The action passes the levels on in a text with colons and takes what stands before the second one.
        let uncut = levels.split(':').next().unwrap_or_default();
        let cut = annotations(&annotated, uncut.split(','));
        self.set_bake_files(&material, &cut, &inputs.bake_target);
        Ok(())
    }

    fn payload(&mut self, payload: Payload<'_>) -> Result<Value, MetaError> {
        match payload {
            Payload::Unset => Ok(Value::Null),
            Payload::Missing(path) => {
                self.notices
                    .push(format!("GITHUB_EVENT_PATH {path} does not exist"));
                Ok(Value::Null)
            }
            Payload::Text(text) => serde_json::from_str(text).map_err(|error| {
                MetaError::Runtime(format!("the event payload is not JSON: {error}"))
            }),
        }
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.outputs.push(Output {
            name,
            value: OutputValue::Text(value),
        });
    }

    fn set_tags(&mut self, material: &Material, inputs: &Inputs) {
        if material.version.is_none() {
            self.warnings
                .push("No Docker image version has been generated. Check tags input.".into());
        }
        self.set("version", material.version.clone().unwrap_or_default());
        if material.tags.is_empty() {
            self.warnings
                .push("No Docker tag has been generated. Check tags input.".into());
        }
        self.set("tags", material.tags.join(&inputs.separator_tags));
        self.set("tag-names", material.tag_names.join(&inputs.separator_tags));
    }

    fn set_bake_files(&mut self, material: &Material, annotations: &[String], target: &str) {
        let files = [
            (
                "bake-file-tags",
                "docker-metadata-action-bake-tags.json",
                material.bake_tags(target),
            ),
            (
                "bake-file-labels",
                "docker-metadata-action-bake-labels.json",
                material.bake_labels(target),
            ),
            (
                "bake-file-annotations",
                "docker-metadata-action-bake-annotations.json",
                bake_annotations(target, annotations),
            ),
            (
                "bake-file",
                "docker-metadata-action-bake.json",
                material.bake_all(target),
            ),
        ];
        self.outputs
            .extend(files.map(|(name, file, content)| Output {
                name,
                value: OutputValue::File {
                    name: file,
                    content,
                },
            }));
    }
}

fn context(sources: &Sources<'_>, source: &str, payload: &Value) -> Result<Context, MetaError> {
    let environment = sources.environment;
    let (reference, sha, commit_date) = match source {
        "workflow" => {
            let (reference, sha) = from_workflow(environment, payload);
            let commit_date = commit_date(sources, payload, sha.as_deref());
            (reference, sha, commit_date)
        }
        "git" => {
            let (reference, sha, commit_date) = from_git(sources.git)?;
            (Some(reference), Some(sha), commit_date)
        }
        other => return Err(MetaError::ContextSource(other.to_owned())),
    };
    let (owner, name) = repository_path(environment, payload)?;
    let answer = sources
        .api
        .repository(&owner, &name)
        .map_err(MetaError::Api)?;
    let default_branch = payload
        .get("repository")
        .and_then(|repository| repository.get("default_branch"));
    Ok(Context {
        event_name: environment.or_empty("GITHUB_EVENT_NAME").to_owned(),
        base_reference: base_reference(reference.as_deref(), payload),
        sha,
        reference,
        commit_date,
        now: sources.now,
        default_branch: default_branch.and_then(Value::as_str).map(str::to_owned),
        repository: RepositoryFacts::from_api(&answer),
        short_length: environment
            .get("DOCKER_METADATA_SHORT_SHA_LENGTH")
            .map(str::to_owned),
        local_zone: environment.non_empty("TZ").unwrap_or("UTC").to_owned(),
        default_by_event: true,
        extra: Vec::new(),
    })
}

/// From the payload, else from the API, else the present: the action never fails for want of this date.
fn commit_date(sources: &Sources<'_>, payload: &Value, sha: Option<&str>) -> Instant {
    if let Some(date) = commit_date_in_payload(payload, sha) {
        return date;
    }
    let ask = || {
        let (owner, name) = repository_path(sources.environment, payload).ok()?;
        let answer = sources.api.commit(&owner, &name, sha?).ok()?;
        let date = answer
            .get("commit")?
            .get("committer")?
            .get("date")?
            .as_str()?
            .to_owned();
        (!date.is_empty()).then_some(date)
    };
    match ask() {
        Some(text) => date::parse(&text),
        None => Some(sources.now),
    }
}

fn repository_path(
    environment: &Environment,
    payload: &Value,
) -> Result<(String, String), MetaError> {
    if let Some(path) = environment.non_empty("GITHUB_REPOSITORY") {
        let mut parts = path.split('/');
        let owner = parts.next().unwrap_or_default().to_owned();
        let name = parts.next().filter(|name| !name.is_empty());
        let name = name
            .ok_or_else(|| MetaError::Api("Empty value for parameter 'repo': undefined".into()))?;
        return Ok((owner, name.to_owned()));
    }
    let repository = payload.get("repository");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let owner = text(repository.and_then(|repository| repository.get("owner")?.get("login")));
    let name = text(repository.and_then(|repository| repository.get("name")));
    owner.zip(name).ok_or_else(|| {
        MetaError::Runtime(
            "context.repo requires a GITHUB_REPOSITORY environment variable like 'owner/repo'"
                .into(),
        )
    })
}
