//! Arguments that several commands share.

use std::str::FromStr as _;

use barge_image::record::{ArtifactName, ParseArtifactNameError, Run};
use barge_image::{Digest, Reference};
use barge_pipeline::input::{Input, bill};
use barge_pipeline::layer_cache;
use barge_pipeline::record::RecordChoice;
use barge_pipeline::verify::VerifyOptions;
use barge_pipeline::{Built, EngineChoice, Surroundings};
use barge_sbom::Sbom;
use barge_store::{Lifetime, Store, StoreAddress};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::env;
use crate::error::Error;

/// What commands look into, in their help: [`Input`] in words.
pub(crate) const INPUTS: &str = "An image is docker:REF, podman:REF, registry:REF, docker-archive:FILE, oci-archive:FILE, oci:DIR[:TAG] or store:ARTIFACT. \
    dir:PATH and file:PATH are looked into as they are, sbom:FILE and purl:PURL are bills of materials, - is what is piped in. \
    A bare word is a path that exists, else an image of the engine, else of its registry.";

/// Which event it is.
#[derive(Debug, Args)]
pub(crate) struct EventArguments {
    /// A GitHub event payload, instead of the CI system's event or the git checkout
    #[arg(long, value_name = "FILE")]
    event: Option<Utf8PathBuf>,
}

impl EventArguments {
    pub(crate) fn payload(&self) -> Option<&Utf8Path> {
        self.event.as_deref()
    }
}

/// How to build, over the settings.
#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// What builds: docker if its daemon answers, else podman, else the embedded builder
    #[arg(long, value_enum)]
    engine: Option<EngineArgument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineArgument {
    Auto,
    Docker,
    Buildx,
    Podman,
    Embedded,
}

impl BuildArguments {
    pub(crate) fn apply(&self, mut surroundings: Surroundings) -> Surroundings {
        if let Some(engine) = self.engine {
            surroundings.build.engine = match engine {
                EngineArgument::Auto => EngineChoice::Auto,
                EngineArgument::Docker => EngineChoice::Docker,
                EngineArgument::Buildx => EngineChoice::Buildx,
                EngineArgument::Podman => EngineChoice::Podman,
                EngineArgument::Embedded => EngineChoice::Embedded,
            };
        }
        surroundings
    }
}

/// Which store.
#[derive(Debug, Default, Args)]
pub(crate) struct StoreArguments {
    /// Where artifacts live: dir:FOLDER, s3://BUCKET/PREFIX, gs://, az://, registry:HOST/REPOSITORY, github:; by
    /// default BARGE_STORE, else `[store] address` of barge.toml, else dir:.barge/store
    #[arg(long, value_name = "ADDRESS")]
    store: Option<StoreAddress>,
}

impl StoreArguments {
    /// The store: the argument's, else the environment's, else the settings', else the checkout's own.
    pub(crate) fn open(&self, context: &Context) -> Result<Store, Error> {
        let surroundings = context.surroundings()?;
        let named = match &self.store {
            Some(address) => Some(address.clone()),
            None => env::store(&context.environment)?,
        };
        Ok(barge_pipeline::store::open(&surroundings, named.as_ref())?)
    }
}

/// How long to keep what is stored.
#[derive(Debug, Args)]
pub(crate) struct RetentionArguments {
    /// How long the store keeps it, such as 36h, 7d or never; by default as `[store.retention]` of barge.toml says
    #[arg(long, value_name = "TIME")]
    pub(crate) retention: Option<Lifetime>,
}

/// Which hand-off record.
#[derive(Debug, Args)]
pub(crate) struct RecordArguments {
    /// The artifact's name; by default what this checkout saved last
    pub(crate) artifact: Option<String>,
    /// The run that stored it, where several have used the name
    #[arg(long, requires = "artifact")]
    run: Option<String>,
    /// The attempt of that run
    #[arg(long, requires = "run", default_value_t = 1)]
    attempt: u32,
    /// The record's digest, as the build job gave it out
    #[arg(long, conflicts_with = "artifact", value_name = "DIGEST", value_parser = handed_on)]
    record: Option<Digest>,
    /// Take a record of another run, too
    #[arg(long)]
    pub(crate) any_run: bool,
}

impl RecordArguments {
    pub(crate) fn choice(&self) -> Result<RecordChoice, Error> {
        let name = self.artifact.as_deref().map(artifact_name).transpose()?;
        Ok(match (name, self.record) {
            (_, Some(digest)) => RecordChoice::Digest(digest),
            (Some(name), None) => {
                let run = self.run.clone().map(|id| Run {
                    id,
                    attempt: self.attempt,
                });
                RecordChoice::Artifact { name, run }
            }
            (None, None) => RecordChoice::Last,
        })
    }
}

/// The digest that another job handed on. CI systems make an empty text of an output that no job gave.
fn handed_on(text: &str) -> Result<Digest, String> {
    if text.is_empty() {
        return Err("the job that hands it on was skipped, failed, or has no such output".into());
    }
    Digest::from_str(text).map_err(|error| error.to_string())
}

/// Names that were typed.
pub(crate) fn references(words: &[String]) -> Result<Vec<Reference>, Error> {
    let references = words.iter().map(|text| text.parse());
    Ok(references.collect::<Result<_, _>>()?)
}

/// As commands that take other inputs, too, the artifact may be called `store:NAME`.
fn artifact_name(word: &str) -> Result<ArtifactName, Error> {
    let name = word.strip_prefix("store:").unwrap_or(word);
    name.parse()
        .map_err(|error: ParseArtifactNameError| Error::Usage(error.to_string()))
}

/// Which advisory data.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArguments {
    /// Advisory data: an index file, or a folder of OSV records or archives; by default BARGE_DB, else `[db] path` of
    /// barge.toml, else what `barge db update` made
    #[arg(long, value_name = "PATH")]
    db: Option<Utf8PathBuf>,
}

impl DatabaseArguments {
    /// Where the data lies; nothing when none was named and none was fetched.
    pub(crate) fn path(&self, context: &Context) -> Result<Option<Utf8PathBuf>, Error> {
        let variable = context.environment.non_empty(env::DATABASE);
        let settings = context.settings()?;
        let named = self.db.clone().or_else(|| variable.map(Utf8PathBuf::from));
        match named.or_else(|| settings.db.path.clone()) {
            Some(path) => Ok(Some(context.folder.join(path))),
            None => super::db::updated_index(context),
        }
    }
}

/// What a scan goes by.
#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    #[command(flatten)]
    db: DatabaseArguments,
    /// Look only at this file or folder of the image
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
}

impl ScanArguments {
    pub(crate) fn options(&self, context: &Context) -> Result<VerifyOptions, Error> {
        Ok(VerifyOptions {
            database: self.db.path(context)?,
            policy: context.settings()?.scan.clone(),
            path: self.path.clone(),
        })
    }
}

/// The bill of materials of what was named, with every layer compared with its digest.
pub(crate) fn bill_of(
    context: &Context,
    store: &StoreArguments,
    words: &[String],
    path: Option<String>,
) -> Result<Sbom, Error> {
    let input = Input::parse(words, &context.folder)?;
    if let Input::Bill(bill) = &input {
        return Ok(bill.read()?);
    }
    let surroundings = context.surroundings()?;
    let options = barge_sbom::Options {
        path,
        verify: true,
        ..Default::default()
    };
    let store = store.open(context)?;
    let cache = layer_cache(&context.environment);
    context.block_on(async { Ok(bill(&surroundings, &store, &input, options, cache).await?) })
}

/// What was built last in this checkout.
pub(crate) fn last_build(surroundings: &Surroundings) -> Result<Built, Error> {
    let workspace = surroundings.workspace();
    let built = workspace.take(&workspace.built())?;
    Ok(built.ok_or_else(|| barge_pipeline::Error::Missing {
        step: "save",
        missing: format!("`{}` is not there", workspace.built()),
        hint: "run `barge build` first; a skipped or failed build leaves nothing to save".into(),
    })?)
}
