//! What well-known actions do to images, files and artifacts.

use crate::model::Step;
use crate::symbolic::{Comparison, Condition, Shape, Symbol, Term, Text, Value};

use super::artifact::{self, Artifact, ArtifactFile};
use super::docker::{OutputTarget, deliver, platforms, recipe};
use super::facts::{Content, Delivery, FactKind, FileUse, Need, Origin, Place};
use super::job::{self, FileEntry, Frame, Walk};
use super::{metadata, path};

/// One use of an action.
struct Use<'a, 'f> {
    step: &'a Step,
    frame: &'a Frame<'f>,
    number: usize,
    condition: &'a Condition,
    place: Place,
    version: String,
}

/// Records what an action of a repository does.
pub(super) fn apply(
    walk: &mut Walk<'_>,
    step: &Step,
    frame: &Frame<'_>,
    number: usize,
    condition: &Condition,
) {
    let Some((name, version)) = step.action() else {
        return;
    };
    let uses_span = step.uses.as_ref().map_or(step.span, |uses| uses.span);
    let place = Place {
        source: frame.source.clone(),
        span: uses_span,
    };
    let lower = name.to_lowercase();
    let usage = Use {
        step,
        frame,
        number,
        condition,
        place,
        version: version.to_owned(),
    };
    match lower.as_str() {
        "docker/build-push-action" => build(walk, &usage),
        "docker/bake-action" => {
            walk.add(
                FactKind::DaemonOpaque("a bake file".into()),
                condition,
                number,
                &usage.place,
                true,
            );
        }
        "docker/metadata-action" | "crazy-max/ghaction-docker-meta" => {
            metadata_outputs(walk, &usage)
        }
        "docker/setup-buildx-action" | "crazy-max/ghaction-docker-buildx" => {
            let driver = usage
                .text(walk, "driver")
                .and_then(|driver| driver.as_literal().map(str::to_owned));
            if driver.as_deref() != Some("docker") {
                walk.own_builder = walk.own_builder.or(condition);
            }
        }
        "actions/upload-artifact" => upload(walk, &usage),
        "actions/download-artifact" => download(walk, &usage),
        "actions/cache" | "actions/cache/save" | "actions/cache/restore" => {
            cache(walk, &usage, &lower)
        }
        "ishworkh/docker-image-artifact-upload" | "ishworkh/container-image-artifact-upload" => {
            upload_image(walk, &usage)
        }
        "ishworkh/docker-image-artifact-download"
        | "ishworkh/container-image-artifact-download" => download_image(walk, &usage),
        "aquasecurity/trivy-action"
        | "anchore/scan-action"
        | "anchore/sbom-action"
        | "docker/scout-action"
        | "snyk/actions/docker"
        | "aquasecurity/trivy-action/image"
        | "goodwithtech/dockle-action"
        | "erzz/dockle-action"
        | "crazy-max/ghaction-container-scan" => scan(walk, &usage, &lower),
        "actions/attest-build-provenance" | "actions/attest-sbom" | "actions/attest" => {
            if let Some((subject, place)) = usage.text_and_place(walk, "subject-name") {
                walk.add(
                    FactKind::Attested(subject),
                    condition,
                    number,
                    &place,
                    false,
                );
            }
        }
        "whoan/docker-build-with-cache-action"
        | "elgohr/publish-docker-github-action"
        | "mr-smithers-excellent/docker-build-push" => {
            walk.mark_opaque(
                number,
                condition,
                &usage.place,
                &format!("the action {name}"),
            );
        }
        // An action of somebody else can export variables even when it leaves images alone.
        _ if job::is_inert(&lower) => {
            walk.environment_open |= !lower.starts_with("docker/") && !lower.starts_with("actions/")
        }
        _ => walk.mark_opaque(
            number,
            condition,
            &usage.place,
            &format!("the action {name}"),
        ),
    }
}

impl Use<'_, '_> {
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

    /// The action's major version: from its tag, or from the comment beside a commit.
    fn major(&self) -> Option<u32> {
        let read = |text: &str| {
            let text = text
                .trim()
                .trim_start_matches("tag=")
                .trim_start_matches('v');
            let digits = text.split(['.', ' ']).next()?;
            digits.parse::<u32>().ok().filter(|_| digits.len() < 4)
        };
        let source = &self.place.source;
        let line = source.line(source.line_of(self.place.span.start));
        read(&self.version).or_else(|| read(line.split_once('#')?.1))
    }
}

fn build(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let tags = usage.texts(walk, "tags");
    let from_metadata = usage.step.input("tags").is_some_and(|field| {
        job::expression_spans(field).iter().any(|(_, expression)| {
            expression
                .strip_prefix("steps.")
                .and_then(|rest| rest.split_once('.'))
                .is_some_and(|(id, rest)| {
                    rest == "outputs.tags"
                        && walk.trace.steps.iter().any(|step| {
                            step.id.as_deref() == Some(id)
                                && step.kind.to_lowercase().contains("meta")
                        })
                })
        })
    });
    let load = usage.switch(walk, "load");
    let push = usage.switch(walk, "push");
    let outputs = usage.texts(walk, "outputs");
    let mut delivery = Delivery {
        references: Vec::new(),
        to_daemon: load.clone(),
        loads: load,
        to_registry: push,
        to_file: Condition::Never,
        platforms: Vec::new(),
        recipe: recipe(
            usage.text(walk, "context").as_ref(),
            usage.text(walk, "file").as_ref(),
            usage.text(walk, "target").as_ref(),
        ),
        from_metadata,
        by: "docker/build-push-action".into(),
    };
    for (when, list) in usage.texts(walk, "platforms") {
        delivery.platforms.extend(
            platforms(Some(&list))
                .into_iter()
                .map(|(_, count)| (when.clone(), count.map(|count| count.max(1)))),
        );
    }
    if delivery.platforms.is_empty() {
        delivery.platforms = vec![(Condition::Always, Some(1))];
    }
    let all: Vec<Text> = tags.iter().flat_map(|(_, list)| names(list)).collect();
    for (when, text) in &outputs {
        let here = usage.condition.and(when);
        for line in text.lines() {
            let target = OutputTarget::read(&line);
            if target.loads() {
                delivery.to_daemon = delivery.to_daemon.or(&here);
                delivery.loads = delivery.loads.or(&here);
            }
            if target.pushes() {
                delivery.to_registry = delivery.to_registry.or(&here);
            }
            if let Some((file, content)) = target.file(&all) {
                delivery.to_file = delivery.to_file.or(&here);
                let file = path::normalize(&file);
                let place = usage.input_place("outputs");
                walk.write_file(&file, content, &here, usage.number, &place);
            } else if let Some(directory) = &target_directory(&line) {
                walk.open_directories.push(directory.clone());
            }
            if line.as_literal().is_none() && !line.contains("type=") {
                walk.add(
                    FactKind::DaemonOpaque("build outputs that are not known".into()),
                    &here,
                    usage.number,
                    &usage.place,
                    true,
                );
            }
        }
    }
    // The daemon's own builder keeps every image in the daemon.
    let own = if usage.step.input("builder").is_some() {
        Condition::Always
    } else {
        walk.own_builder.clone()
    };
    delivery.to_daemon = delivery.to_daemon.or(&usage.condition.and(&own.negate()));
    if tags.is_empty() {
        deliver(
            walk,
            delivery,
            usage.condition,
            usage.number,
            &usage.place,
            usage.step.continue_on_error,
        );
        return;
    }
    for (when, list) in tags {
        let mut one = delivery.clone();
        one.references = names(&list);
        one.to_daemon = one.to_daemon.and(&when);
        one.to_registry = one.to_registry.and(&when);
        one.to_file = one.to_file.and(&when);
        deliver(
            walk,
            one,
            &usage.condition.and(&when),
            usage.number,
            &usage.input_place("tags"),
            usage.step.continue_on_error,
        );
    }
}

fn target_directory(line: &Text) -> Option<Text> {
    let destination = line
        .split(|c| c == ',')
        .into_iter()
        .find_map(|field| field.trim().strip_start("dest="))?;
    Some(path::normalize(&destination))
}

/// The names of a tags input: lines, or separated by commas.
fn names(list: &Text) -> Vec<Text> {
    list.split(|c| c == '\n' || c == ',')
        .iter()
        .map(Text::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

fn metadata_outputs(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let sole = |name: &str, walk: &Walk<'_>| match usage.value(walk, name) {
        None => Some(Value::text("")),
        some => some,
    };
    let (Some(images), Some(tags), Some(flavor)) = (
        sole("images", walk),
        sole("tags", walk),
        sole("flavor", walk),
    ) else {
        return;
    };
    let scenario = walk.scenario;
    let mut version = None;
    let mut failed = false;
    let combined = images.flat_map(|images| {
        tags.flat_map(|tags| {
            flavor
                .map(|flavor| Term::List(vec![images.clone(), tags.clone(), flavor.clone()].into()))
        })
    });
    let mut value = Value::text("");
    for (when, inputs) in combined.alternatives() {
        let Term::List(items) = inputs else { continue };
        let [images, tags, flavor] = items.as_slice() else {
            continue;
        };
        let inputs = metadata::Inputs {
            images: images.printed(),
            tags: tags.printed(),
            flavor: flavor.printed(),
        };
        match metadata::references(&inputs, scenario) {
            Some(outputs) => {
                version = outputs.version.clone();
                value = Value::choose(when, &metadata::list(&outputs.references), &value);
            }
            None => failed = true,
        }
    }
    if failed || value.is_large() {
        return;
    }
    if let Some(trace) = walk.trace.steps.get_mut(usage.number) {
        trace.outputs.insert("tags".into(), value);
        if let Some(version) = version.filter(|_| combined.alternatives().len() == 1) {
            trace.outputs.insert("version".into(), version.into());
        }
    }
}

/// The files of an upload's `path:`, with the exclusions left out.
fn upload_paths(list: &Text) -> Vec<Text> {
    list.lines()
        .iter()
        .filter(|line| !line.literal_start().starts_with('!'))
        .map(path::normalize)
        .collect()
}

fn upload(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let plain =
        usage.step.input("archive").is_some() && usage.switch(walk, "archive") == Condition::Never;
    let names = match usage.value(walk, "name") {
        // Without an archive the artifact is the file, and has its name.
        _ if plain => usage
            .texts(walk, "path")
            .into_iter()
            .map(|(when, file)| (when, file_name(&file)))
            .collect(),
        Some(value) => value.texts(),
        None => vec![(Condition::Always, Text::literal("artifact"))],
    };
    let paths: Vec<Text> = usage
        .texts(walk, "path")
        .iter()
        .flat_map(|(_, list)| upload_paths(list))
        .collect();
    let place = usage.input_place("path");
    for wanted in &paths {
        walk.read_file(
            wanted,
            FileUse::Upload,
            usage.condition,
            usage.number,
            &place,
            usage.step.continue_on_error,
        );
    }
    let is_file = |candidate: &Text| {
        walk.files.iter().any(|entry| entry.path == *candidate)
            || candidate
                .split_last('/')
                .map_or_else(|| candidate.clone(), |(_, name)| name)
                .contains(".")
                && !path::is_glob(candidate)
    };
    let root = artifact::root(&paths, is_file);
    let mut files = Vec::new();
    let mut open = walk.files_opaque.is_some()
        && paths
            .iter()
            .any(|wanted| path::is_glob(wanted) || !is_file(wanted));
    for wanted in &paths {
        let mut matched = false;
        for entry in &walk.files {
            if path::covers(wanted, &entry.path) == Comparison::Different {
                continue;
            }
            matched = true;
            match path::relative(&root, &entry.path) {
                Some(relative) => files.push(artifact_file(relative, entry)),
                None => open = true,
            }
        }
        if matched {
            continue;
        }
        match path::relative(&root, wanted).filter(|_| is_file(wanted)) {
            // The path names a file: it is in the artifact, whatever wrote it.
            Some(relative) => files.push(ArtifactFile {
                path: relative,
                content: Content::Other,
                condition: usage.condition.clone(),
                known: false,
                place: place.clone(),
            }),
            None => open = true,
        }
    }
    let retention = usage.step.input("retention-days").is_some();
    for (when, name) in names {
        let step_condition = usage.condition.and(&when);
        walk.artifacts.push(Artifact {
            name: name.trim(),
            job: walk.trace.id.clone(),
            leg: walk.leg,
            condition: walk.trace.condition.and(&step_condition),
            step_condition: step_condition.clone(),
            files: files.clone(),
            open: open || paths.is_empty(),
            place: usage.place.clone(),
            step: usage.step.title(),
            retention,
            overwrite: usage.switch(walk, "overwrite") != Condition::Never,
            major: usage.major(),
            paths: paths.clone(),
            name_field: usage.step.input("name").map(|field| field.span),
        });
        let number = walk.artifacts.len() - 1;
        walk.add(
            FactKind::Uploaded(number),
            &step_condition,
            usage.number,
            &usage.input_place("name"),
            usage.step.continue_on_error,
        );
    }
}

fn file_name(path: &Text) -> Text {
    path.split_last('/')
        .map_or_else(|| path.trim(), |(_, name)| name.trim())
}

fn artifact_file(relative: Text, entry: &FileEntry) -> ArtifactFile {
    ArtifactFile {
        path: relative,
        content: entry.content.clone(),
        condition: entry.condition.clone(),
        known: true,
        place: entry.place.clone(),
    }
}

fn download(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let target = usage.text(walk, "path").unwrap_or_default();
    let target = path::normalize(&target);
    let mut directory = Text::symbol(Symbol::new("github.workspace", Shape::Word));
    if !target.is_empty() {
        directory.push_str("/");
        directory.append(&target);
    }
    let directory = if target.literal_start().starts_with('/') {
        target.clone()
    } else {
        directory
    };
    if let Some(trace) = walk.trace.steps.get_mut(usage.number) {
        trace
            .outputs
            .insert("download-path".into(), directory.into());
    }
    let elsewhere = ["run-id", "run_id", "repository", "artifact-ids"]
        .iter()
        .any(|input| usage.step.input(input).is_some());
    if elsewhere {
        walk.open_directories.push(target);
        return;
    }
    let names = usage.texts(walk, "name");
    let tolerated = usage.step.continue_on_error;
    if names.is_empty() {
        let pattern = usage.text(walk, "pattern");
        let merge = usage.switch(walk, "merge-multiple") != Condition::Never;
        let candidates: Vec<usize> = (0..walk.artifacts.len())
            .filter(|number| {
                let artifact = walk.artifacts.get(*number);
                artifact.is_some_and(|artifact| {
                    pattern.as_ref().is_none_or(|pattern| {
                        path::covers(pattern, &artifact.name) != Comparison::Different
                    })
                })
            })
            .collect();
        walk.add(
            FactKind::Downloaded(None, candidates.clone()),
            usage.condition,
            usage.number,
            &usage.place,
            tolerated,
        );
        for number in &candidates {
            let Some(name) = walk
                .artifacts
                .get(*number)
                .map(|artifact| artifact.name.clone())
            else {
                continue;
            };
            let directory = if merge {
                target.clone()
            } else {
                artifact::below(&target, &name)
            };
            unpack(walk, usage, *number, &directory);
        }
        if candidates.is_empty() || walk.foreign_artifacts.is_some() {
            walk.open_directories.push(target);
        }
        return;
    }
    for (when, name) in names {
        let condition = usage.condition.and(&when);
        let name = name.trim();
        let candidates: Vec<usize> = walk
            .artifacts
            .iter()
            .enumerate()
            .filter(|(_, artifact)| artifact.answers(&name) != Comparison::Different)
            .map(|(number, _)| number)
            .collect();
        let place = usage.input_place("name");
        walk.add(
            FactKind::Downloaded(Some(name.clone()), candidates.clone()),
            &condition,
            usage.number,
            &place,
            tolerated,
        );
        for number in &candidates {
            unpack(walk, usage, *number, &target);
        }
        if candidates.is_empty() {
            walk.open_directories.push(target.clone());
        }
    }
}

fn unpack(walk: &mut Walk<'_>, usage: &Use<'_, '_>, number: usize, target: &Text) {
    let Some(artifact) = walk.artifacts.get(number) else {
        return;
    };
    let entries: Vec<FileEntry> = artifact
        .files
        .iter()
        .map(|file| FileEntry {
            path: artifact::below(target, &file.path),
            content: file.content.clone(),
            condition: usage.condition.clone(),
            place: file.place.clone(),
        })
        .collect();
    if artifact.open {
        walk.open_directories.push(target.clone());
    }
    walk.files.extend(entries);
}

fn cache(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
    let paths: Vec<Text> = usage
        .texts(walk, "path")
        .iter()
        .flat_map(|(_, list)| upload_paths(list))
        .collect();
    let place = usage.input_place("path");
    for wanted in paths {
        if name != "actions/cache/save" {
            walk.open_directories.push(path::fixed_part(&wanted));
        }
        if name == "actions/cache/save" && path::is_archive(&wanted) {
            walk.read_file(
                &wanted,
                FileUse::Upload,
                usage.condition,
                usage.number,
                &place,
                false,
            );
        }
    }
}

/// `owner/app:tag` is kept as `action_image_artifact_owner_app_tag`.
fn image_artifact_name(image: &Text) -> Text {
    let mut name = Text::literal("action_image_artifact_");
    name.append(&image.map(|text| text.replace(['/', ':'], "_"), std::sync::Arc::clone));
    name
}

fn upload_image(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let place = usage.input_place("image");
    for (when, image) in usage.texts(walk, "image") {
        let condition = usage.condition.and(&when);
        let by = "docker-image-artifact-upload".to_owned();
        walk.add(
            FactKind::Named(image.trim(), Need::Local, by),
            &condition,
            usage.number,
            &place,
            usage.step.continue_on_error,
        );
        walk.artifacts.push(Artifact {
            name: image_artifact_name(&image.trim()),
            job: walk.trace.id.clone(),
            leg: walk.leg,
            condition: walk.trace.condition.and(&condition),
            step_condition: condition.clone(),
            files: Vec::new(),
            open: true,
            place: usage.place.clone(),
            step: usage.step.title(),
            retention: usage.step.input("retention_days").is_some(),
            overwrite: false,
            major: None,
            paths: Vec::new(),
            name_field: None,
        });
        let number = walk.artifacts.len() - 1;
        walk.add(
            FactKind::Uploaded(number),
            &condition,
            usage.number,
            &place,
            false,
        );
    }
}

fn download_image(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let place = usage.input_place("image");
    for (when, image) in usage.texts(walk, "image") {
        let condition = usage.condition.and(&when);
        let name = image_artifact_name(&image.trim());
        let candidates: Vec<usize> = walk
            .artifacts
            .iter()
            .enumerate()
            .filter(|(_, artifact)| artifact.answers(&name) != Comparison::Different)
            .map(|(number, _)| number)
            .collect();
        walk.add(
            FactKind::Downloaded(Some(name), candidates),
            &condition,
            usage.number,
            &place,
            usage.step.continue_on_error,
        );
        walk.add(
            FactKind::Present(image.trim(), Origin::Loaded(Text::new())),
            &condition,
            usage.number,
            &place,
            false,
        );
    }
}

fn scan(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
    let tolerated = usage.step.continue_on_error;
    for input in ["image-ref", "image", "image-name"] {
        let place = usage.input_place(input);
        for (when, image) in usage.texts(walk, input) {
            let image = image.trim();
            let image = image
                .strip_start("docker:")
                .or_else(|| image.strip_start("local://"))
                .unwrap_or(image);
            if image.is_empty() && usage.step.input("input").is_some() {
                continue;
            }
            let archive = [
                "docker-archive:",
                "oci-archive:",
                "oci-dir:",
                "registry:",
                "podman:",
                "dir:",
                "fs://",
                "archive://",
            ]
            .iter()
            .any(|scheme| image.literal_start().starts_with(scheme));
            if !archive {
                let kind = FactKind::Named(image, Need::LocalOrRemote, name.to_owned());
                walk.add(
                    kind,
                    &usage.condition.and(&when),
                    usage.number,
                    &place,
                    tolerated,
                );
            }
        }
    }
    for input in ["input", "sbom", "tarball"] {
        let place = usage.input_place(input);
        for (when, file) in usage.texts(walk, input) {
            let file = file.trim();
            if !file.is_empty() && name != "anchore/sbom-action" {
                let file = path::normalize(&file);
                let condition = usage.condition.and(&when);
                walk.read_file(
                    &file,
                    FileUse::Scan,
                    &condition,
                    usage.number,
                    &place,
                    tolerated,
                );
            }
        }
    }
    for output in ["output", "output-file"] {
        if let Some(file) = usage.text(walk, output).filter(|file| !file.is_empty()) {
            let file = path::normalize(&file);
            let content = if name == "anchore/sbom-action" {
                Content::Sbom
            } else {
                Content::Other
            };
            walk.write_file(&file, content, usage.condition, usage.number, &usage.place);
        }
    }
}
