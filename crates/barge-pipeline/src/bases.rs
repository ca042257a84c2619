//! The images that a build starts from, for its record: by name as the Dockerfile says, by digest as far as somebody here
//! knows it.

use std::collections::BTreeMap;

use barge_engine::Docker;
use barge_engine::dockerfile::{Dockerfile, Kind, Stage, expand};
use barge_engine::embedded::NamedContext;
use barge_image::record::BaseImage;
use barge_image::{Digest, Reference, Selection};

use crate::surroundings::Surroundings;

/// The images that the stages of a build start from, in the order of the Dockerfile, as far as the target needs them. A
/// Dockerfile that cannot be understood names none: that is the builder's to say.
pub(crate) async fn bases(
    surroundings: &Surroundings,
    defaults: &BTreeMap<String, String>,
    docker: Option<&Docker>,
) -> Vec<BaseImage> {
    let settings = &surroundings.build;
    let path = surroundings.path(&settings.dockerfile());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let given = |name: &str| settings.args.get(name).or(defaults.get(name)).cloned();
    let mut bases = Vec::new();
    for name in names(&text, settings.target.as_deref(), &given) {
        let digest = match (name.digest(), docker) {
            (Some(digest), _) => Some(*digest),
            (None, Some(docker)) => held(docker, &name).await,
            (None, None) => lying(surroundings, &name),
        };
        bases.push(BaseImage { name, digest });
    }
    bases
}

/// The digest by which the engine once pulled or pushed an image.
async fn held(docker: &Docker, name: &Reference) -> Option<Digest> {
    let image = docker.inspect(name).await.ok()??;
    let mut digests = image.digests.iter();
    let of_name = digests.find(|digest| digest.name() == name.name());
    of_name.and_then(Reference::digest).copied()
}

/// The manifest of an image that lies where the settings say.
fn lying(surroundings: &Surroundings, name: &Reference) -> Option<Digest> {
    let mut contexts = surroundings.build.contexts.iter();
    let is_it = |text: &str| text.parse::<Reference>().is_ok_and(|found| found == *name);
    let (_, context) = contexts.find(|(text, _)| is_it(text))?;
    let context: NamedContext = context.parse().ok()?;
    let NamedContext::Image { path, name } = context.in_folder(&surroundings.folder) else {
        return None;
    };
    let selection = Selection {
        name,
        platform: None,
    };
    let image = barge_image::open(&path, &selection).ok()?;
    Some(image.manifest?.descriptor().digest)
}

/// The names after `FROM` that are no stages, of the stages that a target needs.
fn names(
    text: &str,
    target: Option<&str>,
    given: &dyn Fn(&str) -> Option<String>,
) -> Vec<Reference> {
    let Ok(dockerfile) = Dockerfile::parse(text) else {
        return Vec::new();
    };
    let globals = globals(&dockerfile, given);
    let expanded = |text: &str| {
        let lookup = |name: &str| globals.get(name).cloned();
        expand::word(text, dockerfile.escape, &lookup).unwrap_or_default()
    };
    let stages = &dockerfile.stages;
    let last = stages.len().saturating_sub(1);
    let target = target.map_or(Some(last), |target| dockerfile.stage(stages.len(), target));
    let mut needed = vec![false; stages.len()];
    let mut names = Vec::new();
    if let Some(target) = target {
        needed[target] = true;
    }
    // Stages need earlier ones only, so one way back finds them all.
    for (index, found) in stages.iter().enumerate().rev() {
        if !needed[index] {
            continue;
        }
        let base = expanded(&found.base);
        match dockerfile.stage_named(index, &base) {
            Some(used) => needed[used] = true,
            None => names.extend(base.parse::<Reference>().ok().filter(|_| base != "scratch")),
        }
        for from in copied(found) {
            let from = expanded(from);
            match dockerfile.stage(index, &from) {
                Some(used) => needed[used] = true,
                None => names.extend(from.parse::<Reference>().ok()),
            }
        }
    }
    names.reverse();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn globals(
    dockerfile: &Dockerfile,
    given: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let mut globals = BTreeMap::new();
    let arguments = dockerfile
        .arguments
        .iter()
        .filter_map(|line| match &line.kind {
            Kind::Arg(arguments) => Some(arguments),
            _ => None,
        });
    for argument in arguments.flatten() {
        let default = argument.default.as_ref().and_then(|text| {
            let lookup = |name: &str| globals.get(name).cloned();
            expand::word(text, dockerfile.escape, &lookup).ok()
        });
        let value = given(&argument.name).or(default);
        globals.extend(value.map(|value| (argument.name.clone(), value)));
    }
    globals
}

/// What `COPY --from` names.
fn copied(stage: &Stage) -> impl Iterator<Item = &str> {
    stage
        .instructions
        .iter()
        .filter_map(|line| match &line.kind {
            Kind::Copy(transfer) => transfer.from.as_deref(),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "ARG NODE=20\nARG BASE=debian:12\n\
        FROM node:${NODE}-alpine AS front\nRUN make\n\
        FROM golang:1.22 AS unused\n\
        FROM $BASE AS tools\n\
        FROM tools\nCOPY --from=front /dist /dist\nCOPY --from=busybox:1.36 /bin /bin\n";

    fn found(target: Option<&str>, node: Option<&str>) -> Vec<String> {
        let given = |name: &str| node.filter(|_| name == "NODE").map(str::to_owned);
        let names = names(DOCKERFILE, target, &given);
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_what_the_target_needs_with_its_variables() {
        assert_eq!(
            found(None, Some("22")),
            [
                "docker.io/library/node:22-alpine",
                "docker.io/library/debian:12",
                "docker.io/library/busybox:1.36",
            ]
        );
        assert_eq!(
            found(Some("front"), None),
            ["docker.io/library/node:20-alpine"]
        );
        assert_eq!(found(Some("1"), None), ["docker.io/library/golang:1.22"]);
        assert_eq!(found(Some("none"), None), [""; 0]);
    }

    #[test]
    fn what_is_no_dockerfile_names_nothing() {
        for text in [
            "",
            "RUN x",
            "FROM scratch",
            "FROM $UNSET",
            "FROM Not:A:Name",
        ] {
            assert_eq!(names(text, None, &|_| None), [], "{text}");
        }
    }
}
