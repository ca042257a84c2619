//! What the arguments before the first `FROM` come to, and with them the images that the stages start from.
//!
//! The variables that BuildKit sets by itself: "Automatic platform ARGs in the global scope" of Docker's Dockerfile
//! reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use barge_image::{Platform, Reference};

use super::{Dockerfile, Instruction, Kind, ParseError, Stage, expand, shorten};

/// What a build says about a Dockerfile from outside.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The stage that is asked for, by name or number; else the last.
    pub target: Option<&'a str>,
    /// The platform the image is for.
    pub platform: &'a Platform,
    /// The values of build arguments.
    pub given: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target, platform, ..
        } = self;
        f.debug_struct("Scope")
            .field("target", target)
            .field("platform", platform)
            .finish_non_exhaustive()
    }
}

impl Dockerfile {
    /// The values that `FROM` can use, and an `ARG` without default takes over.
    ///
    /// # Errors
    /// When a default does not expand.
    pub fn globals(&self, scope: &Scope<'_>) -> Result<BTreeMap<String, String>, ParseError> {
        let mut globals = platform_arguments("TARGET", scope.platform);
        globals.extend(platform_arguments("BUILD", &Platform::host()));
        globals.insert(
            "TARGETSTAGE".into(),
            scope.target.unwrap_or("default").into(),
        );
        for instruction in &self.arguments {
            let Kind::Arg(arguments) = &instruction.kind else {
                continue;
            };
            for argument in arguments {
                let value = match ((scope.given)(&argument.name), &argument.default) {
                    (Some(given), _) => Some(given),
                    (None, Some(default)) => {
                        Some(self.expand_in(instruction, default, &globals)?)
                    }
                    (None, None) => None,
                };
                globals.extend(value.map(|value| (argument.name.clone(), value)));
            }
        }
        Ok(globals)
    }

    /// The images that the stages which the target needs start from or copy from, in the order of the text, each once. What
    /// is no reference is left out.
    #[must_use]
    pub fn bases(&self, scope: &Scope<'_>) -> Vec<Reference> {
        let globals = self.globals(scope).unwrap_or_default();
        let expanded = |text: &str| {
            let lookup = |name: &str| globals.get(name).cloned();
            expand::word(text, self.escape, &lookup).unwrap_or_default()
        };
        let mut needed = vec![false; self.stages.len()];
        if let Some(target) = self.target(scope.target) {
            needed[target] = true;
        }
        let mut bases = Vec::new();
        // Stages need earlier ones only, so one way back finds them all.
        for (index, stage) in self.stages.iter().enumerate().rev() {
            if !needed[index] {
                continue;
            }
            let base = expanded(&stage.base);
            match self.stage_named(index, &base) {
                Some(used) => needed[used] = true,
                None => bases.extend(base.parse::<Reference>().ok().filter(|_| base != "scratch")),
            }
            for from in copied(stage) {
                let from = expanded(from);
                match self.stage(index, &from) {
                    Some(used) => needed[used] = true,
                    None => bases.extend(from.parse::<Reference>().ok()),
                }
            }
        }
        bases.reverse();
        let mut seen = BTreeSet::new();
        bases.retain(|base| seen.insert(base.clone()));
        bases
    }

    /// The stage that a build asks for: the last, if it names none.
    pub(crate) fn target(&self, target: Option<&str>) -> Option<usize> {
        match target {
            Some(target) => self.stage(self.stages.len(), target),
            None => self.stages.len().checked_sub(1),
        }
    }

    fn expand_in(
        &self,
        instruction: &Instruction,
        text: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<String, ParseError> {
        let lookup = |name: &str| values.get(name).cloned();
        expand::word(text, self.escape, &lookup).map_err(|error| ParseError {
            line: instruction.span.first,
            text: shorten(&instruction.text),
            reason: error.to_string(),
        })
    }
}

fn platform_arguments(prefix: &str, platform: &Platform) -> BTreeMap<String, String> {
    let parts = [
        ("PLATFORM", platform.to_string()),
        ("OS", platform.os.clone()),
        ("ARCH", platform.architecture.clone()),
        ("VARIANT", platform.variant.clone().unwrap_or_default()),
    ];
    parts
        .map(|(name, value)| (format!("{prefix}{name}"), value))
        .into()
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

    fn bases(text: &str, target: Option<&str>, node: Option<&str>) -> Vec<String> {
        let platform: Platform = "linux/arm/v7".parse().expect("a platform");
        let scope = Scope {
            target,
            platform: &platform,
            given: &|name| node.filter(|_| name == "NODE").map(str::to_owned),
        };
        let bases = Dockerfile::parse(text).map(|dockerfile| dockerfile.bases(&scope));
        bases
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn names_what_the_target_needs_with_its_variables() {
        assert_eq!(
            bases(DOCKERFILE, None, Some("22")),
            [
                "docker.io/library/node:22-alpine",
                "docker.io/library/debian:12",
                "docker.io/library/busybox:1.36",
            ]
        );
        assert_eq!(
            bases(DOCKERFILE, Some("front"), None),
            ["docker.io/library/node:20-alpine"]
        );
        assert_eq!(
            bases(DOCKERFILE, Some("1"), None),
            ["docker.io/library/golang:1.22"]
        );
        assert_eq!(bases(DOCKERFILE, Some("none"), None), [""; 0]);
    }

    #[test]
    fn names_of_platforms_are_known() {
        let text = "FROM base-$TARGETARCH$TARGETVARIANT:$TARGETOS\n";
        assert_eq!(
            bases(text, None, None),
            ["docker.io/library/base-armv7:linux"]
        );
        let over = "ARG TARGETARCH=other\nFROM base-$TARGETARCH\n";
        assert_eq!(
            bases(over, None, None),
            ["docker.io/library/base-other:latest"]
        );
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
            assert_eq!(bases(text, None, None), [""; 0], "{text}");
        }
    }
}
