//! Actions that hand files and images from job to job: artifacts and caches.

use crate::symbolic::{Comparison, Condition, Shape, Symbol, Text};

use super::super::artifact::{self, Artifact, ArtifactFile};
use super::super::facts::{Content, FactKind, FileUse, Need, Origin, Place};
use super::super::files::FileEntry;
use super::super::job::Walk;
use super::super::path;
use super::Use;

/// The files of an upload's `path:`, with the exclusions left out.
fn upload_paths(list: &Text) -> Vec<Text> {
    list.lines()
        .iter()
        .filter(|line| !line.literal_start().starts_with('!'))
        .map(path::normalize)
        .collect()
}

pub(super) fn upload(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let plain =
        usage.step.input("archive").is_some() && usage.switch(walk, "archive") == Condition::Never;
    let names = match usage.value(walk, "name") {
        // Without an archive the artifact is the file, and has its name.
        _ if plain => usage
            .texts(walk, "path")
            .into_iter()
            .map(|(when, file)| (when, path::file_name(&file.trim())))
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
    let (files, open) = taken_files(walk, usage, &paths, &place);
    // Without a file there is no artifact: the action only warns.
    let elsewhere = |wanted: &Text| walk.files.is_in_open_directory(wanted);
    let unsure = open || walk.files.is_opaque() || paths.iter().any(elsewhere);
    let present = if unsure || files.iter().any(|file| !file.known) {
        Condition::Always
    } else {
        files
            .iter()
            .fold(Condition::Never, |any, file| any.or(&file.condition))
    };
    let retention = usage.step.input("retention-days").is_some();
    for (when, name) in names {
        let step_condition = usage.condition.and(&when);
        walk.artifacts.push(Artifact {
            name: name.trim(),
            job: walk.trace.id.clone(),
            leg: walk.leg,
            condition: walk.trace.condition.and(&step_condition).and(&present),
            step_condition: step_condition.clone(),
            files: files.clone(),
            open,
            place: usage.place.clone(),
            step: usage.step.title(),
            retention,
            overwrite: usage.switch(walk, "overwrite") != Condition::Never,
            major: usage.major(),
            paths: paths.clone(),
            name_field: usage.step.input("name").map(|field| field.span),
        });
        let number = walk.artifacts.len() - 1;
        usage.add(
            walk,
            FactKind::Uploaded(number),
            &step_condition,
            &usage.input_place("name"),
        );
    }
}

/// The files that an upload takes, with their paths in the artifact; true when there can be more.
fn taken_files(
    walk: &Walk<'_>,
    usage: &Use<'_, '_>,
    paths: &[Text],
    place: &Place,
) -> (Vec<ArtifactFile>, bool) {
    let is_file = |candidate: &Text| {
        walk.files.has(candidate)
            || path::file_name(candidate).contains(".") && !path::is_glob(candidate)
    };
    let root = artifact::root(paths, is_file);
    let mut files = Vec::new();
    let mut open = walk.files.is_opaque()
        && paths
            .iter()
            .any(|wanted| path::is_glob(wanted) || !is_file(wanted));
    for wanted in paths {
        let mut matched = false;
        for entry in walk.files.iter() {
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
    (files, open || paths.is_empty())
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

pub(super) fn download(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let given = usage.text(walk, "path");
    // The first version put everything into a directory of the artifact's name.
    let target = match usage.major() {
        Some(1) => given.or_else(|| usage.text(walk, "name")),
        _ => given,
    };
    let target = path::normalize(&target.unwrap_or_default());
    if let Some(trace) = walk.trace.steps.get_mut(usage.number) {
        let directory = absolute(&target);
        trace
            .outputs
            .insert("download-path".into(), directory.into());
    }
    let elsewhere = ["run-id", "run_id", "repository", "artifact-ids"]
        .iter()
        .any(|input| usage.step.input(input).is_some());
    if elsewhere {
        walk.files.open_directory(target);
        return;
    }
    let names = usage.texts(walk, "name");
    if names.is_empty() {
        download_all(walk, usage, &target);
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
        usage.add(
            walk,
            FactKind::Downloaded(Some(name.clone()), candidates.clone()),
            &condition,
            &place,
        );
        for number in &candidates {
            unpack(walk, usage, *number, &target);
        }
        if candidates.is_empty() {
            walk.files.open_directory(target.clone());
        }
    }
}

/// Without a name: every artifact, or those of a pattern.
fn download_all(walk: &mut Walk<'_>, usage: &Use<'_, '_>, target: &Text) {
    // Inputs that an older version does not know are ignored with a warning.
    let is_old = usage.major().is_some_and(|major| major < 4);
    let pattern = usage.text(walk, "pattern").filter(|_| !is_old);
    let merge = !is_old && usage.switch(walk, "merge-multiple") != Condition::Never;
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
    let place = usage.input_place("pattern");
    usage.add(
        walk,
        FactKind::Downloaded(None, candidates.clone()),
        usage.condition,
        &place,
    );
    // From version 5 on an artifact that is the only one needs no directory of its own.
    let is_lone = candidates.len() == 1 && walk.foreign_artifacts.is_none();
    let lone_is_flat = usage.major().is_none_or(|major| major > 4);
    for number in &candidates {
        let artifact = walk.artifacts.get(*number);
        let Some(name) = artifact.map(|artifact| artifact.name.clone()) else {
            continue;
        };
        let directory = if merge || (is_lone && usage.major().is_some_and(|major| major > 4)) {
            target.clone()
        } else {
            artifact::below(target, &name)
        };
        unpack(walk, usage, *number, &directory);
    }
    let unsure = lone_is_flat && !merge && walk.artifacts_vary(&candidates);
    if candidates.is_empty() || walk.foreign_artifacts.is_some() || unsure {
        let open = if merge || lone_is_flat {
            target.clone()
        } else {
            directory_of_each(target, pattern.as_ref())
        };
        walk.files.open_directory(open);
    }
}

/// Where the files of artifacts lie that are not merged: each has a directory of its name below the target.
fn directory_of_each(target: &Text, pattern: Option<&Text>) -> Text {
    let exact = pattern.filter(|pattern| pattern.as_literal().is_some() && !path::is_glob(pattern));
    if let Some(name) = exact {
        return artifact::below(target, name);
    }
    let part = |name: &str| Text::symbol(Symbol::new(name, Shape::Segment));
    artifact::below(
        &artifact::below(target, &part("\u{0}artifact")),
        &part("\u{0}file"),
    )
}

/// A directory with the workspace before it.
fn absolute(target: &Text) -> Text {
    if target.literal_start().starts_with('/') {
        return target.clone();
    }
    let mut directory = Text::symbol(Symbol::new("github.workspace", Shape::Word));
    if !target.is_empty() {
        directory.push_str("/");
        directory.append(target);
    }
    directory
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
        walk.files.open_directory(target.clone());
    }
    walk.files.unpack(target, entries);
}

pub(super) fn cache(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
    let paths: Vec<Text> = usage
        .texts(walk, "path")
        .iter()
        .flat_map(|(_, list)| upload_paths(list))
        .collect();
    let place = usage.input_place("path");
    for wanted in paths {
        if name != "actions/cache/save" {
            walk.files.open_directory(path::fixed_part(&wanted));
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

pub(super) fn upload_image(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
    let place = usage.input_place("image");
    for (when, image) in usage.texts(walk, "image") {
        let condition = usage.condition.and(&when);
        let by = "docker-image-artifact-upload".to_owned();
        usage.add(
            walk,
            FactKind::Named(image.trim(), Need::Local, by),
            &condition,
            &place,
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
        usage.add(walk, FactKind::Uploaded(number), &condition, &place);
    }
}

pub(super) fn download_image(walk: &mut Walk<'_>, usage: &Use<'_, '_>) {
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
        usage.add(
            walk,
            FactKind::Downloaded(Some(name), candidates),
            &condition,
            &place,
        );
        usage.add(
            walk,
            FactKind::Present(image.trim(), Origin::Loaded(Text::new())),
            &condition,
            &place,
        );
    }
}
