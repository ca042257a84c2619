//! Actions that scan images.

use crate::symbolic::{Condition, Text};

use super::super::facts::{Content, FactKind, FileUse, Need, Place};
use super::super::job::Walk;
use super::super::path;
use super::Use;

/// Actions that name an image, or read an archive or SBOM.
pub(super) fn scan(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
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
            let file = ["docker-archive:", "oci-archive:", "archive://"]
                .iter()
                .find_map(|scheme| image.strip_start(scheme));
            if let Some(file) = file {
                let condition = usage.condition.and(&when);
                read(walk, usage, &file, &condition, &place);
                continue;
            }
            let elsewhere = ["oci-dir:", "registry:", "podman:", "dir:", "fs://"]
                .iter()
                .any(|scheme| image.literal_start().starts_with(scheme));
            if !elsewhere {
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
                let condition = usage.condition.and(&when);
                read(walk, usage, &file, &condition, &place);
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

fn read(walk: &mut Walk<'_>, usage: &Use<'_, '_>, file: &Text, when: &Condition, place: &Place) {
    let file = path::normalize(file);
    let tolerated = usage.step.continue_on_error;
    walk.read_file(&file, FileUse::Scan, when, usage.number, place, tolerated);
}

/// An action that has one image started somewhere.
pub(super) fn deploy(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
    name_images(walk, usage, &format!("the deployment with {name}"), false);
}

/// Images that an action of which nothing else is known is given: what it does with them is not judged.
pub(super) fn mention(walk: &mut Walk<'_>, usage: &Use<'_, '_>, name: &str) {
    name_images(walk, usage, name, true);
    let signs = ["sign", "attest"].iter().any(|word| name.contains(word));
    for (input, _) in usage.step.with.iter().filter(|_| signs) {
        let place = usage.input_place(input);
        let named = usage.text(walk, input).filter(|text| text.contains("@"));
        if let Some(name) = named {
            walk.add(
                FactKind::Attested(name),
                usage.condition,
                usage.number,
                &place,
                true,
            );
        }
    }
}

fn name_images(walk: &mut Walk<'_>, usage: &Use<'_, '_>, by: &str, tolerated: bool) {
    for input in [
        "image-ref",
        "image",
        "images",
        "image-name",
        "image_name",
        "image-uri",
        "imageToDeploy",
    ] {
        let place = usage.input_place(input);
        for (when, image) in usage.texts(walk, input) {
            let kind = FactKind::Named(image.trim(), Need::Remote, by.to_owned());
            let condition = usage.condition.and(&when);
            walk.add(kind, &condition, usage.number, &place, tolerated);
        }
    }
}
