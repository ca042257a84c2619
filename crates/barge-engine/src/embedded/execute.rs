//! Carrying a plan out: stage after stage in memory, then the target's layers, config and manifest into a layout.
//!
//! No layer is written before every instruction of every needed stage has succeeded.

use std::collections::BTreeMap;
use std::sync::Arc;

use barge_image::config::Empty;
use barge_image::{ImageConfig, Layout, PackedLayer, Selection};
use camino::Utf8Path;

use super::build::{Built, NamedContext, Progress};
use super::context::{self, Context};
use super::copy::{Changes, Failure, Target};
use super::error::{Error, Place, Refusal};
use super::plan::{Base, Plan, Step, refusal};
use super::port;
use super::signal;
use super::stage::{self, NewLayer, Stage, StageLayer};
use super::tree::Tree;
use super::{owner, path, write};
use crate::dockerfile::{self, Argument, Kind, Pair, expand};

/// A build while it runs.
pub(super) struct Execution<'a> {
    pub(super) plan: &'a Plan,
    progress: &'a dyn Fn(Progress<'_>),
    stages: BTreeMap<usize, Stage>,
    context: Option<Arc<Context>>,
    folders: BTreeMap<String, Arc<Tree>>,
    created: String,
    warnings: Vec<String>,
}

/// An instruction with what its messages need.
pub(super) struct Present<'a> {
    pub(super) stage_index: usize,
    pub(super) kind: &'a Kind,
    pub(super) place: Place,
}

impl Plan {
    /// Builds the image into a layout. The layout's index is left alone: naming the image is the caller's.
    ///
    /// # Errors
    /// When an instruction fails, a base image or the context cannot be read, or the disk refuses.
    pub fn execute(
        &self,
        layout: &Layout,
        progress: &dyn Fn(Progress<'_>),
    ) -> Result<Built, Error> {
        let mut execution = Execution {
            plan: self,
            progress,
            stages: BTreeMap::new(),
            context: None,
            folders: BTreeMap::new(),
            created: self.build.created.to_string(),
            warnings: self.warnings.clone(),
        };
        for step in &self.steps {
            execution.step(step)?;
        }
        execution.finish(layout)
    }
}

impl Execution<'_> {
    pub(super) fn created_seconds(&self) -> i64 {
        self.plan.build.created.as_second()
    }

    fn step(&mut self, step: &Step) -> Result<(), Error> {
        let parsed = &self.plan.dockerfile.stages[step.stage];
        let place = self.plan.place(parsed.span.first, &parsed.text);
        (self.progress)(Progress::Instruction {
            line: parsed.span.first,
            text: &parsed.text,
        });
        let mut stage = self.start(step, &place)?;
        let triggers = stage.config.config.on_build.take().unwrap_or_default();
        for trigger in triggers {
            self.trigger(step.stage, &mut stage, &place, &trigger)?;
        }
        for instruction in &parsed.instructions {
            (self.progress)(Progress::Instruction {
                line: instruction.span.first,
                text: &instruction.text,
            });
            let present = Present {
                stage_index: step.stage,
                kind: &instruction.kind,
                place: self.plan.place(instruction.span.first, &instruction.text),
            };
            self.instruction(&mut stage, &present)?;
        }
        self.stages.insert(step.stage, stage);
        Ok(())
    }

    fn start(&self, step: &Step, place: &Place) -> Result<Stage, Error> {
        match &step.base {
            Base::Scratch => Ok(Stage::scratch(&step.platform)),
            Base::Stage(index) => match self.stages.get(index) {
                Some(parent) => Ok(Stage::from_stage(parent)),
                None => Err(fails(place, format!("stage {index} was not built"))),
            },
            Base::Named(NamedContext::Image { path, name }) => {
                let image = self.open(path, name.as_ref(), step, place)?;
                Ok(Stage::from_image(&image))
            }
            Base::Named(NamedContext::Folder(folder)) => Err(fails(
                place,
                format!("`{folder}` is a folder, not an image"),
            )),
        }
    }

    fn open(
        &self,
        path: &Utf8Path,
        name: Option<&String>,
        step: &Step,
        place: &Place,
    ) -> Result<barge_image::Image, Error> {
        let selection = Selection {
            name: name.cloned(),
            platform: Some(step.platform.clone()),
        };
        let image = barge_image::open(path, &selection).map_err(|source| Error::Base {
            place: place.clone(),
            source,
        })?;
        let found = image.config.parsed().platform();
        if found.os == step.platform.os && found.architecture == step.platform.architecture {
            return Ok(image);
        }
        Err(Error::Instruction {
            place: place.clone(),
            reason: format!(
                "the base image in `{path}` is for `{found}`, and `{}` is asked for",
                step.platform
            ),
            hint: Some(format!(
                "build for `--platform {found}`, or give a base image for `{}`",
                step.platform
            )),
        })
    }

    fn trigger(
        &mut self,
        index: usize,
        stage: &mut Stage,
        place: &Place,
        text: &str,
    ) -> Result<(), Error> {
        let place = Place {
            text: format!(
                "ONBUILD {} (of the base image of `{}`)",
                dockerfile::shorten(text),
                place.text
            ),
            ..place.clone()
        };
        let kind = Kind::parse(text, self.plan.dockerfile.escape)
            .map_err(|reason| fails(&place, reason))?;
        if let Some((reason, engines)) = refusal(&kind) {
            return Err(Error::Refused(vec![Refusal {
                place,
                reason,
                engines,
            }]));
        }
        let present = Present {
            stage_index: index,
            kind: &kind,
            place,
        };
        self.instruction(stage, &present)
    }

    fn instruction(&mut self, stage: &mut Stage, present: &Present<'_>) -> Result<(), Error> {
        let place = &present.place;
        match present.kind {
            Kind::Add(transfer) => self.transfer(stage, present, transfer, true),
            Kind::Copy(transfer) => self.transfer(stage, present, transfer, false),
            Kind::Workdir(text) => self.workdir(stage, place, text),
            Kind::Arg(arguments) => self.arguments(stage, place, arguments),
            Kind::Env(pairs) => self.environment(stage, place, pairs),
            Kind::Label(pairs) => self.labels(stage, place, pairs),
            Kind::Expose(ports) => self.expose(stage, place, ports),
            Kind::Volume(paths) => self.volumes(stage, place, paths),
            Kind::Run { .. } => Err(fails(place, "the embedded builder runs no commands".into())),
            Kind::User(text) => {
                let user = self.word(stage, place, text)?;
                stage.note(format!("USER {user}"), &self.created);
                stage.config.config.user = user;
                Ok(())
            }
            Kind::Stopsignal(text) => {
                let name = self.word(stage, place, text)?;
                if !signal::is_known(&name) {
                    return Err(fails(place, format!("`{name}` is not a signal")));
                }
                stage.note(format!("STOPSIGNAL {name}"), &self.created);
                stage.config.config.stop_signal = Some(name);
                Ok(())
            }
            other => {
                self.start_setting(stage, other);
                Ok(())
            }
        }
    }

    /// How a container starts: instructions whose text is taken as it is.
    fn start_setting(&self, stage: &mut Stage, kind: &Kind) {
        match kind {
            Kind::Cmd(command) => {
                let words = stage.command(command);
                stage.note(format!("CMD {}", quoted(&words)), &self.created);
                stage.config.config.cmd = Some(words).filter(|words| !words.is_empty());
                stage.config.config.args_escaped = true;
                stage.sets_command = true;
            }
            Kind::Entrypoint(command) => {
                let words = stage.command(command);
                stage.note(format!("ENTRYPOINT {}", quoted(&words)), &self.created);
                stage.config.config.entrypoint = Some(words).filter(|words| !words.is_empty());
                if !stage.sets_command {
                    stage.config.config.cmd = None;
                }
            }
            Kind::Healthcheck(check) => {
                stage.note(
                    format!("HEALTHCHECK {}", quoted(&check.test)),
                    &self.created,
                );
                stage.config.config.healthcheck = Some(stage::healthcheck(check));
            }
            Kind::Shell(words) => {
                stage.note(format!("SHELL [{}]", words.join(" ")), &self.created);
                stage.config.config.shell = Some(words.clone());
            }
            Kind::Maintainer(name) => {
                stage.note(format!("MAINTAINER {name}"), &self.created);
                stage.config.author = Some(name.clone());
            }
            Kind::Onbuild(trigger) => {
                let triggers = stage.config.config.on_build.get_or_insert_default();
                triggers.push(trigger.clone());
            }
            _ => {}
        }
    }

    fn arguments(
        &self,
        stage: &mut Stage,
        place: &Place,
        arguments: &[Argument],
    ) -> Result<(), Error> {
        let mut shown = Vec::new();
        for argument in arguments {
            let name = self.word(stage, place, &argument.name)?;
            let given = self.plan.build.build_args.get(&name).cloned();
            let value = match (given, &argument.default) {
                (Some(given), _) => Some(given),
                (None, Some(default)) => Some(self.word(stage, place, default)?),
                (None, None) => self.plan.globals.get(&name).cloned(),
            };
            shown.push(match &value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            });
            if let Some(value) = value {
                stage.set_argument(name, value);
            }
        }
        stage.note(format!("ARG {}", shown.join(" ")), &self.created);
        Ok(())
    }

    fn environment(&self, stage: &mut Stage, place: &Place, pairs: &[Pair]) -> Result<(), Error> {
        let pairs = self.pairs(stage, place, pairs)?;
        stage.note(format!("ENV {}", joined(&pairs)), &self.created);
        for (name, value) in pairs {
            stage.set_environment(name, value);
        }
        Ok(())
    }

    fn labels(&self, stage: &mut Stage, place: &Place, pairs: &[Pair]) -> Result<(), Error> {
        let pairs = self.pairs(stage, place, pairs)?;
        stage.note(format!("LABEL {}", joined(&pairs)), &self.created);
        stage.config.config.labels.extend(pairs);
        Ok(())
    }

    /// All pairs see the variables from before the instruction.
    fn pairs(
        &self,
        stage: &Stage,
        place: &Place,
        pairs: &[Pair],
    ) -> Result<Vec<(String, String)>, Error> {
        let expanded = pairs.iter().map(|pair| {
            let name = self.word(stage, place, &pair.name)?;
            if name.is_empty() {
                return Err(fails(place, format!("the name `{}` is empty", pair.name)));
            }
            Ok((name, self.word(stage, place, &pair.value)?))
        });
        expanded.collect()
    }

    fn expose(&self, stage: &mut Stage, place: &Place, texts: &[String]) -> Result<(), Error> {
        let mut ports = Vec::new();
        for text in texts {
            let lookup = |name: &str| stage.variable(name);
            let words = expand::words(text, self.plan.dockerfile.escape, &lookup);
            for word in words.map_err(|error| fails(place, error.to_string()))? {
                ports.extend(port::parse(&word).map_err(|reason| fails(place, reason))?);
            }
        }
        ports.sort();
        ports.dedup();
        stage.note(format!("EXPOSE [{}]", ports.join(" ")), &self.created);
        let exposed = ports.into_iter().map(|port| (port, Empty {}));
        stage.config.config.exposed_ports.extend(exposed);
        Ok(())
    }

    fn volumes(&self, stage: &mut Stage, place: &Place, texts: &[String]) -> Result<(), Error> {
        let volumes = texts.iter().map(|text| self.word(stage, place, text));
        let volumes = volumes.collect::<Result<Vec<_>, _>>()?;
        if volumes.iter().any(String::is_empty) {
            return Err(fails(place, "a volume is empty".into()));
        }
        stage.note(format!("VOLUME [{}]", volumes.join(" ")), &self.created);
        let volumes = volumes.into_iter().map(|volume| (volume, Empty {}));
        stage.config.config.volumes.extend(volumes);
        Ok(())
    }

    fn workdir(&self, stage: &mut Stage, place: &Place, text: &str) -> Result<(), Error> {
        let text = self.word(stage, place, text)?;
        let directory = path::clean(absolute(&stage.config, &text).as_bytes());
        let shown = path::shown(&directory);
        let user = stage.config.config.user.clone();
        let created = self.created_seconds();
        let tree = stage.tree().map_err(|source| base_error(place, source))?;
        let resolved = tree
            .resolve(&directory)
            .map_err(|error| failure(place, error.into()))?;
        let mut target = Target {
            tree: Arc::make_mut(tree),
            changes: Changes::new(),
            created,
        };
        if !target.tree.is_directory(&resolved) {
            // BuildKit gives the directory to the user that is set.
            let owner = Some(user).filter(|user| !user.is_empty());
            let owner = owner
                .map(|user| owner::resolve(&user, target.tree))
                .transpose();
            let owner = owner.map_err(|reason| fails(place, reason))?;
            target
                .make_directories(&resolved, owner)
                .map_err(|error| failure(place, error))?;
        }
        let layer = NewLayer {
            place: place.clone(),
            changes: target.finish(),
        };
        stage.config.config.working_dir.clone_from(&shown);
        stage.add_layer(format!("WORKDIR {shown}"), &self.created, layer);
        Ok(())
    }

    pub(super) fn word(&self, stage: &Stage, place: &Place, text: &str) -> Result<String, Error> {
        expand::word(text, self.plan.dockerfile.escape, &|name| {
            stage.variable(name)
        })
        .map_err(|error| fails(place, error.to_string()))
    }

    pub(super) fn created(&self) -> &str {
        &self.created
    }

    /// The build context, looked through once.
    pub(super) fn context(&mut self) -> Result<Arc<Context>, Error> {
        if let Some(context) = &self.context {
            return Ok(Arc::clone(context));
        }
        let build = &self.plan.build;
        let ignore = context::ignore_file(&build.context, &build.dockerfile)?;
        let context = Arc::new(Context::read(&build.context, ignore)?);
        self.context = Some(Arc::clone(&context));
        Ok(context)
    }

    /// The root file system that `--from` names.
    pub(super) fn source(&mut self, present: &Present<'_>, from: &str) -> Result<Arc<Tree>, Error> {
        let place = &present.place;
        let base = self.plan.source(present.stage_index, from);
        let base = base.ok_or_else(|| {
            fails(
                place,
                format!("`{from}` is no earlier stage and no context"),
            )
        })?;
        match &base {
            Base::Scratch => Ok(Arc::default()),
            Base::Stage(index) => match self.stages.get_mut(index) {
                Some(stage) => Ok(Arc::clone(
                    stage.tree().map_err(|source| base_error(place, source))?,
                )),
                // A trigger of a base image can name a stage that the Dockerfile itself does not.
                None => Err(fails(
                    place,
                    format!("the stage `{from}` is not needed by the Dockerfile itself"),
                )),
            },
            Base::Named(context) => {
                if let Some(tree) = self.folders.get(from) {
                    return Ok(Arc::clone(tree));
                }
                let tree = Arc::new(self.named_tree(present, context)?);
                self.folders.insert(from.to_owned(), Arc::clone(&tree));
                Ok(tree)
            }
        }
    }

    fn named_tree(&self, present: &Present<'_>, context: &NamedContext) -> Result<Tree, Error> {
        match context {
            NamedContext::Folder(folder) => {
                let ignore = context::ignore_file(folder, &folder.join("Dockerfile"))?;
                Ok(Context::read(folder, ignore)?.tree)
            }
            NamedContext::Image { .. } => {
                let step = Step {
                    stage: present.stage_index,
                    base: Base::Named(context.clone()),
                    platform: self.plan.build.platform.clone(),
                };
                let mut stage = self.start(&step, &present.place)?;
                let tree = stage
                    .tree()
                    .map_err(|source| base_error(&present.place, source))?;
                Ok(Tree::clone(tree))
            }
        }
    }

    fn finish(mut self, layout: &Layout) -> Result<Built, Error> {
        let Some((_, stage)) = self.stages.pop_last() else {
            return Err(Error::Refused(Vec::new()));
        };
        let mut layers: Vec<PackedLayer> = Vec::new();
        for (index, layer) in stage.layers.iter().enumerate() {
            let packed = match layer {
                StageLayer::Base(layer) => {
                    layer.store(layout.blobs(), self.plan.build.compression)?
                }
                StageLayer::New(layer) => {
                    write::layer(layer, layout.blobs(), self.plan.build.compression)?
                }
            };
            (self.progress)(Progress::Layer {
                number: index + 1,
                count: stage.layers.len(),
                layer: &packed,
            });
            layers.push(packed);
        }
        let mut config = stage.config;
        config.created = Some(self.created);
        config.config.labels.extend(self.plan.build.labels.clone());
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let config = write::config(&config)?;
        let (descriptor, manifest) = write::manifest(layout, &config, &layers)?;
        Ok(Built {
            config,
            manifest,
            descriptor,
            layers,
            warnings: self.warnings,
        })
    }
}

/// A path as an instruction writes it, seen from the working directory.
pub(super) fn absolute(config: &ImageConfig, text: &str) -> String {
    if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("{}/{text}", config.config.working_dir)
    }
}

pub(super) fn fails(place: &Place, reason: String) -> Error {
    Error::Instruction {
        place: place.clone(),
        reason,
        hint: None,
    }
}

pub(super) fn failure(place: &Place, failure: Failure) -> Error {
    Error::Instruction {
        place: place.clone(),
        reason: failure.reason,
        hint: failure.hint,
    }
}

pub(super) fn base_error(place: &Place, source: barge_image::Error) -> Error {
    Error::Base {
        place: place.clone(),
        source,
    }
}

/// Words as docker's history shows them.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}

fn joined(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(" ")
}
