//! Carrying a plan out: stage after stage in memory, then the target's layers, config and manifest into a layout.
//!
//! No layer is written before every instruction of every needed stage has succeeded.

use std::collections::BTreeMap;
use std::sync::Arc;

use barge_image::{ImageConfig, Layout, PackedLayer, Selection};
use camino::Utf8Path;

use super::build::{Built, NamedContext, Progress};
use super::context::{self, Context};
use super::copy::Failure;
use super::error::{Error, Place, Refusal};
use super::plan::{Base, Plan, Step, refusal};
use super::stage::{Stage, StageLayer};
use super::tree::Tree;
use super::write;
use crate::dockerfile::{self, Kind};

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
        let image =
            barge_image::open(path, &selection).map_err(|source| base_error(place, source))?;
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

    pub(super) fn created(&self) -> &str {
        &self.created
    }

    /// The build context, looked through once.
    pub(super) fn context(&mut self) -> Result<Arc<Context>, Error> {
        if let Some(context) = &self.context {
            return Ok(Arc::clone(context));
        }
        let build = &self.plan.build;
        let ignore =
            context::ignore_file(&build.context, &build.dockerfile, build.hidden.as_deref())?;
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
                let ignore = context::ignore_file(folder, &folder.join("Dockerfile"), None)?;
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
            return Err(Error::Target {
                file: self.plan.build.dockerfile.clone(),
                target: self.plan.build.target.clone().unwrap_or_default(),
                stages: Vec::new(),
            });
        };
        let mut layers: Vec<PackedLayer> = Vec::new();
        for (index, layer) in stage.layers.iter().enumerate() {
            let packed = match layer {
                StageLayer::Base(layer) => layer.store(layout, self.plan.build.compression)?,
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
        source: Box::new(source),
    }
}
