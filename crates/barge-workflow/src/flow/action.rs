//! What well-known actions do to images, files and artifacts.

mod build;
mod handoff;
mod publish;
mod redhat;
mod scan;

use crate::model::Step;
use crate::symbolic::{Condition, Term, Text, Value};

use super::facts::{FactKind, Place};
use super::job::{self, Frame, Walk};

/// One use of an action.
struct Use<'a, 'f> {
    step: &'a Step,
    frame: &'a Frame<'f>,
    number: usize,
    condition: &'a Condition,
    place: Place,
    version: String,
}

impl<'a, 'f> Use<'a, 'f> {
    /// The use that a step makes of an action, and the action's name.
    fn of(
        step: &'a Step,
        frame: &'a Frame<'f>,
        number: usize,
        condition: &'a Condition,
    ) -> Option<(&'a str, Self)> {
        let (name, version) = step.action()?;
        let span = step.uses.as_ref().map_or(step.span, |uses| uses.span);
        let usage = Self {
            step,
            frame,
            number,
            condition,
            place: Place::new(frame.source, span),
            version: version.to_owned(),
        };
        Some((name, usage))
    }
}

/// Records what an action of a repository does.
pub(super) fn apply(
    walk: &mut Walk<'_>,
    step: &Step,
    frame: &Frame<'_>,
    number: usize,
    condition: &Condition,
) {
    let Some((name, usage)) = Use::of(step, frame, number, condition) else {
        return;
    };
    let lower = name.to_lowercase();
    match lower.as_str() {
        "docker/build-push-action"
        | "depot/build-push-action"
        | "useblacksmith/build-push-action"
        | "warpbuilds/build-push-action" => build::build(walk, &usage),
        "nick-invision/retry" | "nick-fields/retry" => {
            if let Some(command) = step.input("command") {
                walk.run_script(step, command, frame, number, condition);
            }
        }
        "redhat-actions/buildah-build" => redhat::build(walk, &usage),
        "redhat-actions/push-to-registry" => redhat::push(walk, &usage),
        "mr-smithers-excellent/docker-build-push"
        | "whoan/docker-build-with-cache-action"
        | "elgohr/publish-docker-github-action"
        | "int128/kaniko-action"
        | "aevea/action-kaniko"
        | "noelware/docker-manifest-action"
        | "int128/docker-manifest-create-action" => publish::publish(walk, &usage, &lower),
        "docker/bake-action" => build::bake(walk, &usage),
        "docker/metadata-action" | "crazy-max/ghaction-docker-meta" => {
            build::metadata_outputs(walk, &usage);
        }
        "docker/setup-buildx-action" | "crazy-max/ghaction-docker-buildx" => {
            build::set_up_builder(walk, &usage);
        }
        "actions/upload-artifact" => handoff::upload(walk, &usage),
        "actions/download-artifact" => handoff::download(walk, &usage),
        "actions/cache" | "actions/cache/save" | "actions/cache/restore" => {
            handoff::cache(walk, &usage, &lower);
        }
        "ishworkh/docker-image-artifact-upload" | "ishworkh/container-image-artifact-upload" => {
            handoff::upload_image(walk, &usage);
        }
        "ishworkh/docker-image-artifact-download"
        | "ishworkh/container-image-artifact-download" => handoff::download_image(walk, &usage),
        "aquasecurity/trivy-action"
        | "anchore/scan-action"
        | "anchore/sbom-action"
        | "docker/scout-action"
        | "snyk/actions/docker"
        | "aquasecurity/trivy-action/image"
        | "goodwithtech/dockle-action"
        | "erzz/dockle-action"
        | "azure/container-scan"
        | "martinheinz/dive-action"
        | "yuichielectric/dive-action"
        | "crazy-max/ghaction-container-scan" => scan::scan(walk, &usage, &lower),
        "actions/attest-build-provenance" | "actions/attest-sbom" | "actions/attest" => {
            attest(walk, &usage);
        }
        _ => unmodelled(walk, &usage, name, &lower),
    }
}

/// Records the images that a local action is given whose file is not there.
pub(super) fn mention_unread(
    walk: &mut Walk<'_>,
    step: &Step,
    frame: &Frame<'_>,
    number: usize,
    condition: &Condition,
) {
    let Some((name, usage)) = Use::of(step, frame, number, condition) else {
        return;
    };
    scan::mention(walk, &usage, name);
}

/// Actions of which no more is known than whether they leave images and files alone.
fn unmodelled(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str, lower: &str) {
    match lower {
        // Deployments name an image and leave those of the job alone.
        "aws-actions/amazon-ecs-render-task-definition"
        | "google-github-actions/deploy-cloudrun"
        | "azure/webapps-deploy"
        | "azure/container-apps-deploy-action"
        | "azure/k8s-deploy" => scan::deploy(walk, usage, name),
        // An action of somebody else can export variables even when it leaves images alone.
        _ if job::is_inert(lower) => {
            walk.environment_open |=
                !lower.starts_with("docker/") && !lower.starts_with("actions/");
        }
        _ if !speaks_of_images(usage, lower) => {
            walk.environment_open = true;
            let reason = format!("the action {name}");
            walk.mark_files_opaque(usage.number, usage.condition, &usage.place, &reason);
        }
        _ => {
            scan::mention(walk, usage, name);
            let reason = format!("the action {name}");
            walk.mark_opaque(usage.number, usage.condition, &usage.place, &reason);
        }
    }
}

/// Says whether an action that is not known can touch an engine's images: then its name or what it is given tells of them,
/// or of a tool or commands that may.
fn speaks_of_images(usage: &Use<'_, '_>, name: &str) -> bool {
    const WORDS: [&str; 22] = [
        "apko",
        "args:",
        "arguments:",
        "bazel",
        "build",
        "charm",
        "command:",
        "compose",
        "container",
        "dagger",
        "docker",
        "earthly",
        "goreleaser",
        "image",
        "kaniko",
        "kind",
        "nix",
        "oci",
        "podman",
        "registry",
        "rock",
        "script:",
    ];
    let tool = name.rsplit('/').next().unwrap_or(name);
    if tool.starts_with("setup-") || tool.ends_with("-installer") {
        return false;
    }
    let step = Place::new(usage.frame.source, usage.step.span);
    let text = step.text().to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// `actions/attest`: a name, and the digest that stands behind it.
fn attest(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let Some((mut subject, place)) = usage.text_and_place(walk, "subject-name") else {
        return;
    };
    if let Some(digest) = usage.text(walk, "subject-digest") {
        subject.push_str("@");
        subject.append(&digest);
    }
    usage.add(walk, FactKind::Attested(subject), usage.condition, &place);
}

impl Use<'_, '_> {
    /// Records a fact of this step.
    fn add(&self, walk: &mut Walk<'_>, kind: FactKind, condition: &Condition, place: &Place) {
        walk.add(
            kind,
            condition,
            self.number,
            place,
            self.step.continue_on_error,
        );
    }

    fn value(&self, walk: &Walk<'_>, name: &str) -> Option<Value> {
        walk.input(self.step, name, self.frame)
    }

    fn text(&self, walk: &Walk<'_>, name: &str) -> Option<Text> {
        self.value(walk, name)?.sole_text().map(|text| text.trim())
    }

    fn texts(&self, walk: &Walk<'_>, name: &str) -> Vec<(Condition, Text)> {
        self.value(walk, name)
            .map(|value| value.texts())
            .unwrap_or_default()
    }

    fn text_and_place(&self, walk: &Walk<'_>, name: &str) -> Option<(Text, Place)> {
        Some((self.text(walk, name)?, self.input_place(name)))
    }

    fn input_place(&self, name: &str) -> Place {
        let span = self
            .step
            .input(name)
            .map_or(self.place.span, |field| field.span);
        Place {
            source: self.frame.source.clone(),
            span,
        }
    }

    /// The condition under which a boolean input is on.
    fn switch(&self, walk: &Walk<'_>, name: &str) -> Condition {
        let Some(value) = self.value(walk, name) else {
            return Condition::Never;
        };
        let on = value
            .alternatives()
            .iter()
            .fold(Condition::Never, |any, (when, term)| {
                let truth = match term {
                    Term::Boolean(true) => Condition::Always,
                    Term::Text(text) => match (text.as_literal(), text.as_symbol()) {
                        (Some(literal), _) if literal.trim().eq_ignore_ascii_case("true") => {
                            Condition::Always
                        }
                        (None, Some(symbol))
                            if symbol.shape() == crate::symbolic::Shape::Boolean =>
                        {
                            Condition::truthy(symbol)
                        }
                        (None, Some(symbol)) => Condition::equals(symbol, "true"),
                        _ => Condition::Never,
                    },
                    _ => Condition::Never,
                };
                any.or(&when.and(&truth))
            });
        self.condition.and(&on)
    }

    /// The action's major version: from its tag, or from the comment beside or above a commit.
    fn major(&self) -> Option<u32> {
        let read = |text: &str| {
            let text = text.rsplit('@').next()?.trim();
            let text = text.trim_start_matches("tag=").trim_start_matches('v');
            let digits = text.split(['.', ' ']).next()?;
            digits.parse::<u32>().ok().filter(|_| digits.len() < 4)
        };
        let comment = |line: usize| {
            let (before, comment) = self.place.source.line(line).split_once('#')?;
            Some((before.trim().is_empty(), comment))
        };
        let line = self.place.line();
        let beside = || read(comment(line)?.1);
        let above = || {
            let (alone, comment) = comment(line.checked_sub(1)?)?;
            // It must be about this action: `# actions/upload-artifact@v1`.
            read(comment).filter(|_| alone && comment.contains('@'))
        };
        read(&self.version).or_else(beside).or_else(above)
    }
}
