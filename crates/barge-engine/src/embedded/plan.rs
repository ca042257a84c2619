//! What a build will do, decided from the Dockerfile's text and the names it is given alone.
//!
//! Only the stages that the target needs are looked at, as BuildKit does. Everything in them that the embedded builder
//! does not do is refused here, all at once, before a byte is read or written.

use std::collections::BTreeMap;
use std::fs;

use barge_image::{Platform, Reference};

use super::build::{Build, NamedContext};
use super::error::{Engines, Error, Place, Refusal};
use crate::dockerfile::{self, Dockerfile, Kind, Scope, Stage, Transfer, expand};

/// What a build will do.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) build: Build,
    pub(super) dockerfile: Dockerfile,
    /// What `FROM` can use, and `ARG` without default takes over.
    pub(super) globals: BTreeMap<String, String>,
    /// The stages to build, in order; the last is the target.
    pub(super) steps: Vec<Step>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A stage to build.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) stage: usize,
    pub(super) base: Base,
    pub(super) platform: Platform,
}

/// What a stage starts from, or `--from` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    Scratch,
    Stage(usize),
    Named(NamedContext),
}

impl Build {
    /// Reads the Dockerfile and decides what to do. Touches neither context nor base images.
    ///
    /// # Errors
    /// When the Dockerfile cannot be read, is none, or asks for what the embedded builder does not do.
    pub fn plan(&self) -> Result<Plan, Error> {
        let text =
            fs::read_to_string(&self.dockerfile).map_err(Error::file("read", &self.dockerfile))?;
        Plan::of(self.clone(), &text)
    }
}

impl Plan {
    /// Decides what to do from a Dockerfile's text.
    ///
    /// # Errors
    /// When it is no Dockerfile, has no such target, or asks for what the embedded builder does not do.
    pub fn of(build: Build, text: &str) -> Result<Self, Error> {
        let file = build.dockerfile.clone();
        let parse_error = |source| Error::Parse {
            file: file.clone(),
            source,
        };
        let dockerfile = Dockerfile::parse(text).map_err(parse_error)?;
        let scope = Scope {
            target: build.target.as_deref(),
            platform: &build.platform,
            given: &|name| build.argument(name),
        };
        let globals = dockerfile.globals(&scope).map_err(parse_error)?;
        let mut plan = Self {
            warnings: unused_arguments(&build, &dockerfile),
            build,
            dockerfile,
            globals,
            steps: Vec::new(),
        };
        plan.resolve()?;
        Ok(plan)
    }

    /// The Dockerfile stages that are built, by name or number, in order.
    #[must_use]
    pub fn stages(&self) -> Vec<String> {
        let name = |step: &Step| {
            let stage = self.dockerfile.stages.get(step.stage);
            let name = stage.and_then(|stage| stage.name.clone());
            name.unwrap_or_else(|| step.stage.to_string())
        };
        self.steps.iter().map(name).collect()
    }

    fn resolve(&mut self) -> Result<(), Error> {
        let target = self.target()?;
        let mut refusals = self.refused_syntax();
        let mut needed = vec![false; self.dockerfile.stages.len()];
        if let Some(needed) = needed.get_mut(target) {
            *needed = true;
        }
        // Stages need earlier ones only, so one way back finds them all.
        let stages = self.dockerfile.stages.clone();
        for (index, stage) in stages.iter().enumerate().take(target + 1).rev() {
            if !needed[index] {
                continue;
            }
            let (step, uses) = self.step(index, stage, &mut refusals)?;
            self.steps.extend(step);
            for used in uses {
                needed[used] = true;
            }
        }
        self.steps.reverse();
        if refusals.is_empty() {
            return Ok(());
        }
        refusals.sort_by_key(|refusal| refusal.place.line);
        Err(Error::Refused(refusals))
    }

    fn target(&self) -> Result<usize, Error> {
        let target = self.build.target.as_deref();
        let found = self.dockerfile.target(target);
        found.ok_or_else(|| Error::Target {
            file: self.build.dockerfile.clone(),
            target: target.unwrap_or_default().to_owned(),
            stages: self
                .dockerfile
                .stages
                .iter()
                .filter_map(|stage| stage.name.clone())
                .collect(),
        })
    }

    fn step(
        &self,
        index: usize,
        stage: &Stage,
        refusals: &mut Vec<Refusal>,
    ) -> Result<(Option<Step>, Vec<usize>), Error> {
        let place = self.place(stage.span.first, &stage.text);
        let mut uses = Vec::new();
        let mut step = None;
        match self.from(index, stage, &place)? {
            Ok((base, platform)) => {
                uses.extend(base.stage());
                step = Some(Step {
                    stage: index,
                    base,
                    platform,
                });
            }
            Err(refusal) => refusals.push(refusal),
        }
        for instruction in &stage.instructions {
            let place = self.place(instruction.span.first, &instruction.text);
            if let Some((reason, engines)) = refusal(&instruction.kind) {
                refusals.push(Refusal {
                    place: place.clone(),
                    reason,
                    engines,
                });
            }
            if let Kind::Copy(Transfer {
                from: Some(from), ..
            }) = &instruction.kind
            {
                match self.source(index, from) {
                    Some(base) => uses.extend(base.stage()),
                    None => refusals.push(unresolved(place, from)),
                }
            }
        }
        Ok((step, uses))
    }

    /// What `FROM` says, or why it is refused.
    fn from(
        &self,
        index: usize,
        stage: &Stage,
        place: &Place,
    ) -> Result<Result<(Base, Platform), Refusal>, Error> {
        let fails = |reason: String| Error::Instruction {
            place: place.clone(),
            reason,
            hint: None,
        };
        let name = self.expand_global(&stage.base).map_err(fails)?;
        if name.is_empty() {
            return Err(Error::Instruction {
                place: place.clone(),
                reason: format!("the base `{}` is empty", stage.base),
                hint: Some("declare its variables with `ARG` before the first `FROM`, or pass them as build arguments".into()),
            });
        }
        let platform = match &stage.platform {
            Some(text) => {
                let text = self.expand_global(text).map_err(fails)?;
                text.parse::<Platform>()
                    .map_err(|error| fails(error.to_string()))?
            }
            None => self.build.platform.clone(),
        };
        if platform.os != "linux" {
            return Ok(Err(Refusal {
                place: place.clone(),
                reason: format!("makes images for Linux only, not for `{platform}`"),
                engines: Engines::Any,
            }));
        }
        let base = if name == "scratch" {
            Some(Base::Scratch)
        } else {
            self.base(index, &name)
        };
        Ok(match base {
            Some(Base::Named(NamedContext::Folder(_))) => Err(Refusal {
                place: place.clone(),
                reason: format!(
                    "cannot start from `{name}`, which is a folder: only `COPY --from` can read it"
                ),
                engines: Engines::BuildKit,
            }),
            Some(base) => Ok((base, platform)),
            None => Err(unresolved(place.clone(), &name)),
        })
    }

    fn base(&self, index: usize, name: &str) -> Option<Base> {
        let named = || self.dockerfile.stage_named(index, name);
        let context = self.named(name).map(Base::Named);
        context.or_else(|| named().map(Base::Stage))
    }

    /// What `--from` names: a context, an earlier stage by name or number.
    pub(super) fn source(&self, index: usize, name: &str) -> Option<Base> {
        let earlier = || self.dockerfile.stage(index, name).map(Base::Stage);
        self.base(index, name).or_else(earlier)
    }

    /// The context of a name: the same text, or another spelling of the same reference.
    fn named(&self, name: &str) -> Option<NamedContext> {
        if let Some(context) = self.build.contexts.get(name) {
            return Some(context.clone());
        }
        let reference: Reference = name.parse().ok()?;
        let same = |key: &String| key.parse::<Reference>().is_ok_and(|key| key == reference);
        let found = self.build.contexts.iter().find(|(key, _)| same(key));
        found.map(|(_, context)| context.clone())
    }

    pub(super) fn place(&self, line: usize, text: &str) -> Place {
        Place {
            file: self.build.dockerfile.clone(),
            line,
            text: dockerfile::shorten(text),
        }
    }

    fn expand_global(&self, text: &str) -> Result<String, String> {
        let lookup = |name: &str| self.globals.get(name).cloned();
        expand::word(text, self.dockerfile.escape, &lookup).map_err(|error| error.to_string())
    }

    fn refused_syntax(&self) -> Vec<Refusal> {
        let Some((line, syntax)) = &self.dockerfile.syntax else {
            return Vec::new();
        };
        if is_known_syntax(syntax) {
            return Vec::new();
        }
        vec![Refusal {
            place: self.place(*line, &format!("# syntax={syntax}")),
            reason: "speaks the syntax of `docker/dockerfile:1` only".into(),
            engines: Engines::BuildKit,
        }]
    }
}

impl Base {
    fn stage(&self) -> Option<usize> {
        match self {
            Self::Stage(index) => Some(*index),
            Self::Scratch | Self::Named(_) => None,
        }
    }
}

/// The stable releases of Docker's own frontend, whose language this is.
fn is_known_syntax(syntax: &str) -> bool {
    let name = syntax.split_once('@').map_or(syntax, |(name, _)| name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    match name.split_once(':') {
        None => name == "docker/dockerfile",
        Some((repository, tag)) => {
            repository == "docker/dockerfile"
                && (tag == "latest" || tag == "1" || tag.starts_with("1."))
                && !tag.contains("labs")
        }
    }
}

fn unresolved(place: Place, name: &str) -> Refusal {
    Refusal {
        place,
        reason: format!(
            "pulls nothing: `{name}` is no earlier stage, and no context says where it lies (`[build] \
             contexts = {{ \"{name}\" = \"oci-layout:DIR\" }}` in barge.toml, or `docker-archive:FILE`)"
        ),
        engines: Engines::Any,
    }
}

/// Why the embedded builder does not carry out an instruction.
pub(super) fn refusal(kind: &Kind) -> Option<(String, Engines)> {
    match kind {
        Kind::Run { flags, .. } if flags.is_empty() => {
            Some(("runs no commands".into(), Engines::Any))
        }
        Kind::Run { .. } => Some(("runs no commands".into(), Engines::BuildKitOrBuildah)),
        Kind::Add(transfer) => refused_add(transfer).or_else(|| refused_transfer(transfer)),
        Kind::Copy(transfer) => refused_transfer(transfer),
        _ => None,
    }
}

fn refused_add(add: &Transfer) -> Option<(String, Engines)> {
    if let Some(remote) = add.sources.iter().find(|source| is_remote(source)) {
        return Some((
            format!("fetches nothing, and `{remote}` is remote"),
            Engines::Any,
        ));
    }
    if add.checksum.is_some() || add.keep_git_dir {
        return Some((
            "fetches nothing, so `--checksum` and `--keep-git-dir` have no meaning".into(),
            Engines::BuildKit,
        ));
    }
    add.unpack
        .map(|_| ("does not know `--unpack`".into(), Engines::BuildKit))
}

fn refused_transfer(transfer: &Transfer) -> Option<(String, Engines)> {
    if transfer.parents {
        return Some(("does not know `--parents`".into(), Engines::BuildKit));
    }
    let symbolic = transfer
        .chmod
        .as_ref()
        .filter(|mode| !mode.contains('$') && octal(mode).is_none());
    symbolic.map(|mode| {
        (
            format!("takes `--chmod` as octal digits only, not `{mode}`"),
            Engines::BuildKit,
        )
    })
}

/// Reads `755` or `0644`.
pub(super) fn octal(mode: &str) -> Option<u32> {
    u32::from_str_radix(mode, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
}

/// Whether a source of `ADD` is a URL or a Git repository.
pub(super) fn is_remote(source: &str) -> bool {
    const SCHEMES: [&str; 5] = ["http://", "https://", "git://", "ssh://", "ftp://"];
    SCHEMES.iter().any(|scheme| source.starts_with(scheme))
        || (source.starts_with("git@") && source.contains(':'))
        || (source.starts_with("github.com/") && source.contains(".git"))
}

/// Arguments that docker hands to every build without a declaration.
const PREDEFINED: [&str; 5] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

fn unused_arguments(build: &Build, dockerfile: &Dockerfile) -> Vec<String> {
    let stages = dockerfile
        .stages
        .iter()
        .flat_map(|stage| &stage.instructions);
    let declared: Vec<&str> = stages
        .chain(&dockerfile.arguments)
        .filter_map(|instruction| match &instruction.kind {
            Kind::Arg(arguments) => Some(arguments),
            _ => None,
        })
        .flatten()
        .map(|argument| argument.name.as_str())
        .collect();
    let is_unused = |name: &&String| {
        !declared.contains(&name.as_str())
            && !PREDEFINED.contains(&name.to_ascii_uppercase().as_str())
            && !name.starts_with("BUILDKIT_")
            && *name != "SOURCE_DATE_EPOCH"
    };
    let unused = build.build_args.keys().filter(is_unused);
    unused
        .map(|name| format!("the build argument `{name}` is not declared by any `ARG`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn build() -> Build {
        Build {
            context: "/context".into(),
            dockerfile: "Dockerfile".into(),
            target: None,
            build_args: BTreeMap::new(),
            default_args: BTreeMap::new(),
            hidden: None,
            labels: BTreeMap::new(),
            platform: "linux/amd64".parse().unwrap(),
            created: jiff::Timestamp::UNIX_EPOCH,
            contexts: BTreeMap::from([("debian:12".into(), "oci-layout:debian".parse().unwrap())]),
            compression: barge_image::compression::Compression::Zstd,
        }
    }

    #[test]
    fn names_mean_contexts_before_stages() {
        let text = "FROM scratch AS docker.io/library/debian\n";
        assert!(
            Plan::of(build(), text).is_err(),
            "no stage has a slash in its name"
        );
        let mut shadowing = build();
        shadowing
            .contexts
            .insert("one".into(), "oci-layout:o".parse().unwrap());
        let plan = Plan::of(shadowing, "FROM scratch AS one\nRUN x\nFROM one\n").unwrap();
        assert_eq!(plan.steps.len(), 1);
        for name in [
            "debian:12",
            "docker.io/library/debian:12",
            "library/debian:12",
        ] {
            let plan = Plan::of(build(), &format!("FROM {name}\n")).unwrap();
            assert!(matches!(plan.steps[0].base, Base::Named(_)), "{name}");
        }
    }

    #[test]
    fn knows_dockers_own_frontends() {
        for syntax in [
            "docker/dockerfile:1",
            "docker.io/docker/dockerfile:1.7",
            "docker/dockerfile",
            "docker/dockerfile:1@sha256:ab",
        ] {
            assert!(is_known_syntax(syntax), "{syntax}");
        }
        for syntax in [
            "docker/dockerfile:1-labs",
            "docker/dockerfile:experimental",
            "docker/dockerfile:2",
            "x/docker/dockerfile:1",
        ] {
            assert!(!is_known_syntax(syntax), "{syntax}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(lines in proptest::collection::vec(
            ("(ARG|FROM|COPY|ADD|RUN|ONBUILD)", "( (scratch|a|AS|debian:12|--from=0|--from=a|--platform=\\$TARGETPLATFORM|--chmod=7|\\$\\{V\\}|x=y|/)){1,5}"),
            0..12,
        )) {
            let text: String = lines.iter().map(|(word, rest)| format!("{word}{rest}\n")).collect();
            let _ = Plan::of(build(), &text).is_ok();
        }
    }
}
