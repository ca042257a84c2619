//! A stage while it is built: its root file system, its layers, its config, its variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use barge_image::config::{Healthcheck, History};
use barge_image::{Image, ImageConfig, Platform};

use super::apply::apply;
use super::base::BaseLayer;
use super::copy::Changes;
use super::error::Place;
use super::tree::Tree;
use crate::dockerfile;

/// What docker gives an image from scratch.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What builds a layer, in `history`.
const COMMENT: &str = "barge.dockerfile.v1";

/// A stage while it is built.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// The root file system; made from the layers when first needed.
    tree: Option<Arc<Tree>>,
    pub(super) layers: Vec<StageLayer>,
    pub(super) config: ImageConfig,
    /// What words are expanded with: `ARG` and `ENV`, the later one winning.
    variables: BTreeMap<String, String>,
    /// Whether `CMD` was given in this very stage, so that `ENTRYPOINT` leaves it alone.
    pub(super) sets_command: bool,
}

/// A layer of a stage.
#[derive(Debug, Clone)]
pub(super) enum StageLayer {
    Base(Arc<BaseLayer>),
    New(Arc<NewLayer>),
}

/// A layer that an instruction makes.
#[derive(Debug)]
pub(super) struct NewLayer {
    pub(super) place: Place,
    pub(super) changes: Changes,
}

impl Stage {
    pub(super) fn scratch(platform: &Platform) -> Self {
        let mut config = ImageConfig {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            ..ImageConfig::default()
        };
        config.config.env.push(DEFAULT_PATH.into());
        config.config.working_dir = "/".into();
        Self::new(config, Vec::new())
    }

    pub(super) fn from_image(image: &Image) -> Self {
        let layers = image
            .layers
            .iter()
            .map(|layer| StageLayer::Base(Arc::new(BaseLayer::new(layer.clone()))))
            .collect();
        Self::new(image.config.parsed().clone(), layers)
    }

    /// A stage that starts where another ended.
    pub(super) fn from_stage(parent: &Self) -> Self {
        Self {
            sets_command: false,
            ..parent.clone()
        }
    }

    fn new(config: ImageConfig, layers: Vec<StageLayer>) -> Self {
        let pairs = config
            .config
            .env
            .iter()
            .filter_map(|entry| entry.split_once('='));
        let variables = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            tree: layers.is_empty().then(Arc::default),
            layers,
            config,
            variables,
            sets_command: false,
        }
    }

    /// The root file system.
    pub(super) fn tree(&mut self) -> Result<&mut Arc<Tree>, barge_image::Error> {
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => Arc::new(self.read_tree()?),
        };
        Ok(self.tree.insert(tree))
    }

    fn read_tree(&self) -> Result<Tree, barge_image::Error> {
        let mut tree = Tree::default();
        for layer in &self.layers {
            match layer {
                StageLayer::Base(layer) => apply(layer, &mut tree)?,
                StageLayer::New(layer) => {
                    for (path, node) in &layer.changes {
                        tree.put(path.clone(), node.clone());
                    }
                }
            }
        }
        Ok(tree)
    }

    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    pub(super) fn set_argument(&mut self, name: String, value: String) {
        self.variables.insert(name, value);
    }

    pub(super) fn set_environment(&mut self, name: String, value: String) {
        let entry = format!("{name}={value}");
        let prefix = format!("{name}=");
        let env = &mut self.config.config.env;
        match env.iter_mut().find(|found| found.starts_with(&prefix)) {
            Some(found) => *found = entry,
            None => env.push(entry),
        }
        self.variables.insert(name, value);
    }

    /// The words of a command for the config: shell form gets the shell before it.
    pub(super) fn command(&self, command: &dockerfile::CommandLine) -> Vec<String> {
        match command {
            dockerfile::CommandLine::Exec(words) => words.clone(),
            dockerfile::CommandLine::Shell(text) => {
                let shell = self.config.config.shell.clone();
                let mut words = shell.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
                words.push(text.clone());
                words
            }
        }
    }

    /// Notes an instruction that made no layer.
    pub(super) fn note(&mut self, instruction: String, created: &str) {
        self.history(instruction, created, true);
    }

    /// Notes an instruction with what it changed; nothing changed is no layer.
    pub(super) fn add_layer(&mut self, instruction: String, created: &str, layer: NewLayer) {
        let empty = layer.changes.is_empty();
        self.history(instruction, created, empty);
        if !empty {
            self.layers.push(StageLayer::New(Arc::new(layer)));
        }
    }

    fn history(&mut self, instruction: String, created: &str, empty_layer: bool) {
        self.config.history.push(History {
            created: Some(created.to_owned()),
            created_by: Some(instruction),
            comment: Some(COMMENT.into()),
            empty_layer,
            ..History::default()
        });
    }
}

/// The check as the config holds it.
pub(super) fn healthcheck(check: &dockerfile::Healthcheck) -> Healthcheck {
    Healthcheck {
        test: check.test.clone(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        start_interval: check.start_interval,
        retries: check.retries,
    }
}
