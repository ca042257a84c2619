//! Instructions that set the config, `ARG`, and `WORKDIR`, which also makes its directory.

use std::sync::Arc;

use barge_image::config::Empty;

use super::copy::{Changes, Target};
use super::error::{Error, Place};
use super::execute::{Execution, Present, absolute, base_error, fails, failure};
use super::stage::{self, NewLayer, Stage};
use super::{owner, path, port, signal};
use crate::dockerfile::{Argument, Kind, Pair, expand};

impl Execution<'_> {
    pub(super) fn instruction(
        &mut self,
        stage: &mut Stage,
        present: &Present<'_>,
    ) -> Result<(), Error> {
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
                stage.note(format!("USER {user}"), self.created());
                stage.config.config.user = user;
                Ok(())
            }
            Kind::Stopsignal(text) => {
                let name = self.word(stage, place, text)?;
                if !signal::is_known(&name) {
                    return Err(fails(place, format!("`{name}` is not a signal")));
                }
                stage.note(format!("STOPSIGNAL {name}"), self.created());
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
                stage.note(format!("CMD {}", quoted(&words)), self.created());
                stage.config.config.cmd = Some(words).filter(|words| !words.is_empty());
                stage.config.config.args_escaped = true;
                stage.sets_command = true;
            }
            Kind::Entrypoint(command) => {
                let words = stage.command(command);
                stage.note(format!("ENTRYPOINT {}", quoted(&words)), self.created());
                stage.config.config.entrypoint = Some(words).filter(|words| !words.is_empty());
                if !stage.sets_command {
                    stage.config.config.cmd = None;
                }
            }
            Kind::Healthcheck(check) => {
                stage.note(
                    format!("HEALTHCHECK {}", quoted(&check.test)),
                    self.created(),
                );
                stage.config.config.healthcheck = Some(stage::healthcheck(check));
            }
            Kind::Shell(words) => {
                stage.note(format!("SHELL [{}]", words.join(" ")), self.created());
                stage.config.config.shell = Some(words.clone());
            }
            Kind::Maintainer(name) => {
                stage.note(format!("MAINTAINER {name}"), self.created());
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
            let given = self.plan.build.argument(&name);
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
        stage.note(format!("ARG {}", shown.join(" ")), self.created());
        Ok(())
    }

    fn environment(&self, stage: &mut Stage, place: &Place, pairs: &[Pair]) -> Result<(), Error> {
        let pairs = self.pairs(stage, place, pairs)?;
        stage.note(format!("ENV {}", joined(&pairs)), self.created());
        for (name, value) in pairs {
            stage.set_environment(name, value);
        }
        Ok(())
    }

    fn labels(&self, stage: &mut Stage, place: &Place, pairs: &[Pair]) -> Result<(), Error> {
        let pairs = self.pairs(stage, place, pairs)?;
        stage.note(format!("LABEL {}", joined(&pairs)), self.created());
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
        stage.note(format!("EXPOSE [{}]", ports.join(" ")), self.created());
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
        stage.note(format!("VOLUME [{}]", volumes.join(" ")), self.created());
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
        stage.add_layer(format!("WORKDIR {shown}"), self.created(), layer);
        Ok(())
    }

    pub(super) fn word(&self, stage: &Stage, place: &Place, text: &str) -> Result<String, Error> {
        expand::word(text, self.plan.dockerfile.escape, &|name| {
            stage.variable(name)
        })
        .map_err(|error| fails(place, error.to_string()))
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
