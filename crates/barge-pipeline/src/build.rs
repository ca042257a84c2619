//! Building by the plan, and the record of what came out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use barge_ci::event::GitReference;
use barge_ci::{Build, Delivery, Event};
use barge_engine::blocking;
use barge_engine::docker::{BuildEvent, BuildOptions, Product, request_body};
use barge_engine::embedded::{self, NamedContext, Progress};
use barge_engine::{Buildx, Docker};
use barge_image::compression::Compression;
use barge_image::record::{BuildFacts, Run, Source};
use barge_image::{Digest, Layout, Platform};

use crate::bases::bases;
use crate::built::{Built, Home, SCHEMA};
use crate::engine;
use crate::error::Error;
use crate::observer::Notice;
use crate::surroundings::Surroundings;

/// Builds what the plan decided to build, and leaves the record of it.
///
/// # Errors
/// When no engine can build it, or the build fails.
pub async fn build(
    surroundings: &Surroundings,
    event: &Event,
    plan: &Build,
) -> Result<Built, Error> {
    forget(surroundings)?;
    let defaults = default_arguments(event, plan);
    let names: BTreeSet<String> = defaults
        .keys()
        .chain(surroundings.build.args.keys())
        .cloned()
        .collect();
    let docker = engine::building(surroundings).await?;
    let (home, platform, engine) = match &docker {
        Some(docker) => build_in_engine(surroundings, plan, defaults.clone(), docker).await?,
        None => build_embedded(surroundings, plan, defaults.clone()).await?,
    };
    let bases = bases(surroundings, &defaults, &platform, docker.as_ref()).await;
    let built = Built {
        schema: SCHEMA.into(),
        references: plan.names.references.clone(),
        home,
        platform,
        source: source(surroundings, event),
        facts: BuildFacts {
            engine,
            daemon: docker.as_ref().and_then(daemon),
            plan: serde_json::to_vec(plan).ok().map(|json| Digest::of(&json)),
            bases,
            arguments: names.into_iter().collect(),
        },
        publish: plan.destination.delivery == Delivery::Push,
    };
    let workspace = surroundings.workspace();
    workspace.leave(&workspace.built(), &built)?;
    Ok(built)
}

/// Leaves nothing of an earlier build and its hand-off. A build that is skipped or fails must not pass for the one before:
/// what is saved after it would be an old image under a new event.
///
/// # Errors
/// When a file cannot be removed.
pub fn forget(surroundings: &Surroundings) -> Result<(), Error> {
    let workspace = surroundings.workspace();
    workspace.forget(&workspace.built())?;
    workspace.forget(&workspace.saved())?;
    workspace.forget(&workspace.pushed())
}

/// What a daemon calls itself, if it stays with it: Podman makes a new name for each answer.
pub(crate) fn daemon(docker: &Docker) -> Option<String> {
    let info = docker.info();
    let stays = info.product == Product::Docker && !info.id.is_empty();
    stays.then(|| info.id.clone())
}

/// The build arguments of the original pipeline. A Dockerfile need not declare them.
fn default_arguments(event: &Event, plan: &Build) -> BTreeMap<String, String> {
    let created = plan.names.labels.get("org.opencontainers.image.created");
    let created = created.map(|created| ("BUILD_DATE".to_owned(), created.clone()));
    let mut arguments = BTreeMap::from([
        ("VERSION".to_owned(), plan.names.version.clone()),
        ("VCS_REF".to_owned(), event.head.to_string()),
    ]);
    arguments.extend(created);
    arguments
}

async fn build_in_engine(
    surroundings: &Surroundings,
    plan: &Build,
    arguments: BTreeMap<String, String>,
    docker: &Docker,
) -> Result<(Home, Platform, String), Error> {
    let settings = &surroundings.build;
    let (folder, dockerfile) = (
        surroundings.path(&settings.context),
        surroundings.path(&settings.dockerfile()),
    );
    let hidden = surroundings.workspace().root().to_owned();
    let context = embedded::BuildContext::read(&folder, &dockerfile, Some(&hidden))
        .map_err(barge_engine::Error::from)?;
    let options = BuildOptions {
        references: plan.names.references.clone(),
        dockerfile: context.dockerfile_name().to_owned(),
        arguments: arguments.into_iter().chain(settings.args.clone()).collect(),
        labels: plan.names.labels.clone(),
        target: settings.target.clone(),
        platform: None,
        network: settings.network.clone(),
        no_cache: settings.no_cache,
        pull: settings.pull,
    };
    match engine::buildx(surroundings, docker).await? {
        Some(buildx) => build_by_buildx(surroundings, options, context, &buildx).await,
        None => build_in_docker(surroundings, options, context, docker).await,
    }
}

/// Tells the observer what a builder tells.
fn teller(surroundings: &Surroundings) -> impl Fn(BuildEvent) + Send + 'static {
    let observer = Arc::clone(&surroundings.observer);
    move |event| match event {
        BuildEvent::Started { step } => observer.notice(&Notice::BuildStep(step)),
        BuildEvent::Output { line } => observer.notice(&Notice::BuildOutput(line)),
        BuildEvent::Completed { .. } => {}
    }
}

async fn build_by_buildx(
    surroundings: &Surroundings,
    options: BuildOptions,
    context: embedded::BuildContext,
    buildx: &Buildx,
) -> Result<(Home, Platform, String), Error> {
    let path = surroundings.workspace().layout();
    let layout = Layout::create(&path)?;
    let (deadline, tell) = (surroundings.build.deadline(), teller(surroundings));
    let manifest = buildx
        .build(&options, context, layout.root(), deadline, tell)
        .await?;
    layout.name(&manifest, &options.references)?;
    let image = layout.image(&manifest.digest, options.references)?;
    let platform = image.config.parsed().platform();
    let home = Home::Layout {
        path,
        manifest,
        config: image.config.digest(),
    };
    Ok((home, platform, buildx.name()))
}

async fn build_in_docker(
    surroundings: &Surroundings,
    options: BuildOptions,
    context: embedded::BuildContext,
    docker: &Docker,
) -> Result<(Home, Platform, String), Error> {
    let (mut writer, body) = request_body();
    let sent = tokio::task::spawn_blocking(move || {
        context.write(&mut writer).and_then(|()| writer.finish())
    });
    let answer = docker
        .build(
            &options,
            body,
            surroundings.build.deadline(),
            teller(surroundings),
        )
        .await;
    let answer = match (answer, sent.await) {
        (Ok(answer), _) => answer,
        // A context that could not be read is why the daemon saw half of one.
        (Err(barge_engine::Error::Broken { .. }), Ok(Err(source))) => {
            return Err(barge_engine::Error::Context(source).into());
        }
        (Err(error), _) => return Err(error.into()),
    };
    for reference in &options.references {
        docker.require_same(reference, &answer.id).await?;
    }
    let platform = docker
        .inspect_id(&answer.id)
        .await?
        .map_or_else(Platform::host, |image| image.platform);
    let home = Home::in_engine(docker.info().product, answer.id);
    Ok((home, platform, docker.name()))
}

/// Where images that the Dockerfile names lie, by the settings.
fn contexts(surroundings: &Surroundings) -> Result<BTreeMap<String, NamedContext>, Error> {
    let contexts = surroundings.build.contexts.iter();
    let parsed = contexts.map(|(name, text)| {
        let context: Result<NamedContext, embedded::ParseNamedContextError> = text.parse();
        let context = context.map_err(|error| Error::Setting(error.to_string()))?;
        Ok((name.clone(), context.in_folder(&surroundings.folder)))
    });
    parsed.collect()
}

async fn build_embedded(
    surroundings: &Surroundings,
    plan: &Build,
    default_args: BTreeMap<String, String>,
) -> Result<(Home, Platform, String), Error> {
    let settings = &surroundings.build;
    let build = embedded::Build {
        context: surroundings.path(&settings.context),
        dockerfile: surroundings.path(&settings.dockerfile()),
        target: settings.target.clone(),
        build_args: settings.args.clone(),
        default_args,
        hidden: Some(surroundings.workspace().root().to_owned()),
        labels: plan.names.labels.clone(),
        platform: Platform::host(),
        created: surroundings.created(),
        contexts: contexts(surroundings)?,
        compression: Compression::Zstd,
    };
    let path = surroundings.workspace().layout();
    let (observer, references, root) = (
        Arc::clone(&surroundings.observer),
        plan.names.references.clone(),
        path.clone(),
    );
    let work = move || -> Result<_, Error> {
        let plan = build.plan().map_err(barge_engine::Error::from)?;
        let layout = Layout::create(&root)?;
        let tell = |progress: Progress<'_>| {
            if let Progress::Instruction { text, .. } = progress {
                observer.notice(&Notice::BuildStep(text.to_owned()));
            }
        };
        let built = plan
            .execute(&layout, &tell)
            .map_err(barge_engine::Error::from)?;
        built
            .warnings
            .iter()
            .for_each(|text| observer.notice(&Notice::Warning(text.clone())));
        layout.name(&built.descriptor, &references)?;
        Ok(built)
    };
    let built = blocking(work).await?;
    let engine = format!("barge {}", env!("CARGO_PKG_VERSION"));
    Ok((
        Home::Layout {
            path,
            manifest: built.descriptor,
            config: built.config.digest(),
        },
        built.config.parsed().platform(),
        engine,
    ))
}

/// What a record says of an event.
pub(crate) fn source(surroundings: &Surroundings, event: &Event) -> Source {
    let run = event.run.as_ref().map(|run| Run {
        id: run.id.clone(),
        attempt: run.attempt,
    });
    let variable = |names: [&str; 2]| {
        let mut values = names.into_iter();
        values.find_map(|name| surroundings.environment.non_empty(name).map(str::to_owned))
    };
    Source {
        event: event.name.clone(),
        repository: format!("{}/{}", event.repository.owner, event.repository.name),
        repository_id: variable(["GITHUB_REPOSITORY_ID", "CI_PROJECT_ID"]),
        commit: event.head.to_string(),
        merge_commit: (event.commit != event.head).then(|| event.commit.to_string()),
        workflow: variable(["GITHUB_WORKFLOW_REF", "CI_CONFIG_PATH"]),
        job: variable(["GITHUB_JOB", "CI_JOB_NAME"]),
        git_ref: event.reference.as_ref().map(GitReference::to_string),
        default_branch: event.is_default_branch(),
        pull_request: event.pull_request.as_ref().map(|change| change.number),
        run: run.unwrap_or_else(|| local_run(surroundings)),
    }
}

/// What a record says of an image that came from outside any repository.
pub(crate) fn unknown_source(surroundings: &Surroundings) -> Source {
    Source {
        event: "none".into(),
        run: local_run(surroundings),
        ..Source::default()
    }
}

/// Without a CI system each run is its own; the time tells one from the next.
fn local_run(surroundings: &Surroundings) -> Run {
    Run {
        id: format!("local-{}", surroundings.now.as_millisecond()),
        attempt: 1,
    }
}
