//! What builds, and where their results go.

use crate::shell::Call;
use crate::symbolic::{Condition, Text};

use super::super::artifact;
use super::super::facts::{Archive, Content, Delivery, FactKind, Format, Origin, Place};
use super::super::job::Walk;
use super::super::machine::Script;
use super::super::path;
use super::arguments::{Arguments, BUILD_SWITCHES};

pub(super) fn build(script: &mut Script<'_, '_>, call: &Call, words: &[Text], buildx: bool) {
    let arguments = Arguments::read(words, BUILD_SWITCHES, &[]);
    let references: Vec<Text> = arguments.values(&["-t", "--tag"]).cloned().collect();
    let here = script.when(&call.condition);
    let mut delivery = Delivery {
        references,
        to_daemon: Condition::Never,
        loads: Condition::Never,
        to_registry: if arguments.has(&["--push"]) {
            here.clone()
        } else {
            Condition::Never
        },
        to_file: Condition::Never,
        to_docker_archive: Condition::Never,
        platforms: platforms(arguments.value(&["--platform"]).as_ref()),
        recipe: Recipe {
            context: arguments.positional.last().cloned(),
            file: arguments.value(&["-f", "--file"]),
            target: arguments.value(&["--target"]),
        }
        .identity(),
        from_metadata: false,
        by: if buildx {
            "docker buildx build".into()
        } else {
            "docker build".into()
        },
    };
    let outputs: Vec<Text> = arguments.values(&["-o", "--output"]).cloned().collect();
    let mut loads = arguments.has(&["--load"]);
    for output in &outputs {
        let target = OutputTarget::read(output);
        loads |= target.loads();
        if target.pushes() {
            delivery.to_registry = here.clone();
        }
        if target.destination.is_some() {
            delivery.to_file = here.clone();
        }
        if let Some((file, content)) = target.file(&delivery.references) {
            if target.is_docker() {
                delivery.to_docker_archive = here.clone();
            }
            script.write_content(&file, content, call);
        } else if let Some(directory) = &target.destination {
            let directory = script.file(directory);
            script.walk.files.open_directory(directory);
        }
    }
    if loads {
        delivery.loads = here.clone();
    }
    delivery.to_daemon = if loads || !buildx {
        here.clone()
    } else if outputs.is_empty() || delivery.to_registry == Condition::Never {
        // A builder of the daemon keeps the image there; one of its own keeps it to itself.
        if outputs.is_empty() {
            here.and(&script.walk.own_builder.negate())
        } else {
            Condition::Never
        }
    } else {
        here.and(&script.walk.own_builder.negate())
    };
    let (step, place) = (script.step, script.place(call.span));
    deliver(script.walk, delivery, &here, step, &place, call.tolerated);
    for file in ["--iidfile", "--metadata-file"] {
        if let Some(file) = arguments.value(&[file]) {
            script.write_content(&file, Content::Other, call);
        }
    }
}

/// Records a build and what it leads to.
pub(in super::super) fn deliver(
    walk: &mut Walk<'_>,
    delivery: Delivery,
    condition: &Condition,
    step: usize,
    place: &Place,
    tolerated: bool,
) {
    for reference in &delivery.references {
        walk.add(
            FactKind::Present(reference.clone(), Origin::Built),
            &delivery.to_daemon.clone(),
            step,
            place,
            tolerated,
        );
        walk.add(
            FactKind::Pushed(reference.clone()),
            &delivery.to_registry.clone(),
            step,
            place,
            tolerated,
        );
    }
    walk.add(FactKind::Built(delivery), condition, step, place, tolerated);
}

/// The number of platforms of a list.
pub(in super::super) fn platforms(list: Option<&Text>) -> Vec<(Condition, Option<usize>)> {
    let Some(list) = list else {
        return vec![(Condition::Always, Some(1))];
    };
    let parts = list
        .split(|c| c == ',' || c == '\n')
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .count();
    let known = list.symbols().all(|symbol| !symbol.may_hold(','));
    vec![(
        Condition::Always,
        if known || parts > 1 {
            Some(parts)
        } else {
            None
        },
    )]
}

/// What is built from what.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Recipe {
    pub(in super::super) context: Option<Text>,
    pub(in super::super) file: Option<Text>,
    pub(in super::super) target: Option<Text>,
}

impl Recipe {
    /// A text that two builds of one thing share.
    pub(in super::super) fn identity(&self) -> Text {
        let normalized = |text: &Option<Text>| text.as_ref().map(path::normalize);
        let mut identity = normalized(&self.context).unwrap_or_default();
        // What is built when no file is named.
        let usual = artifact::below(&identity, &Text::literal("Dockerfile"));
        let file = normalized(&self.file).filter(|file| *file != usual);
        let parts = [file, self.target.clone()];
        for part in parts.into_iter().flatten() {
            identity.push_str("|");
            identity.append(&part);
        }
        identity
    }
}

/// One `--output` or line of `outputs:`.
#[derive(Debug)]
pub(in super::super) struct OutputTarget {
    kind: Option<String>,
    destination: Option<Text>,
    /// `name=`, which gives the image a name beside the tags.
    name: Option<Text>,
    push: bool,
}

impl OutputTarget {
    /// Reads `type=docker,dest=/tmp/x.tar`.
    pub(in super::super) fn read(text: &Text) -> Self {
        let mut target = Self {
            kind: None,
            destination: None,
            name: None,
            push: false,
        };
        for field in text.split(|c| c == ',') {
            match field
                .split_first('=')
                .and_then(|(key, value)| Some((key.trim().as_literal()?.to_owned(), value.trim())))
            {
                Some((key, value)) => match key.as_str() {
                    "type" => target.kind = value.as_literal().map(str::to_owned),
                    "dest" => target.destination = Some(value),
                    "name" => target.name = Some(value),
                    "push" => target.push = value.as_literal() == Some("true"),
                    _ => {}
                },
                // A bare path is a directory of files.
                None => target.destination = Some(field.trim()),
            }
        }
        target
    }

    /// Says whether the result goes into the daemon.
    pub(in super::super) fn loads(&self) -> bool {
        self.kind.as_deref() == Some("docker") && self.destination.is_none()
    }

    /// The name it gives the image.
    pub(in super::super) fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    /// Says whether it is `type=docker`.
    pub(in super::super) fn is_docker(&self) -> bool {
        self.kind.as_deref() == Some("docker")
    }

    /// Says whether the result is pushed.
    pub(in super::super) fn pushes(&self) -> bool {
        self.push || self.kind.as_deref() == Some("registry")
    }

    /// The file it goes to and what that holds.
    pub(in super::super) fn file(&self, references: &[Text]) -> Option<(Text, Content)> {
        let destination = self
            .destination
            .clone()
            .filter(|destination| destination.as_literal() != Some("-"))?;
        let format = match self.kind.as_deref() {
            Some("docker") => Format::Docker,
            Some("oci") => Format::Oci,
            Some("tar") => Format::RootFilesystem,
            _ => return None,
        };
        Some((
            destination,
            Content::Images(Archive {
                references: references.to_vec(),
                complete: true,
                format,
            }),
        ))
    }
}
