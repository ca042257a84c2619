//! Opening an image where it lies: docker archives in both forms, OCI layouts as folder or archive, hybrids of both.
//!
//! A hybrid is read by its OCI half, which has the manifest, and must say the same in its docker half: engines differ in
//! which half they load, and an archive with two faces would be checked as one image and run as
//! another.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::Deserialize;

use crate::annotation::{IMAGE_NAME, REF_NAME};
use crate::config::RawConfig;
use crate::digest::Digest;
use crate::error::Error;
use crate::files::{Files, blob_path};
use crate::image::{Image, Layer, RawManifest};
use crate::manifest::{Descriptor, Document, Index, Manifest};
use crate::platform::Platform;
use crate::reference::Reference;

/// Indexes may hold indexes; deeper than this is a loop.
pub(crate) const INDEX_DEPTH: usize = 4;

/// Which image of an archive or layout is meant.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Its name: a reference, or what the layout calls it. `None` takes the only image.
    pub name: Option<String>,
    /// The platform, where there are several. `None` takes this machine's.
    pub platform: Option<Platform>,
}

/// An entry of `manifest.json` in a docker archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// Opens an image in a docker archive, an OCI layout or an OCI archive.
///
/// # Errors
/// When there is no image, more than one and none was named, or a document is broken.
pub fn open(path: &Utf8Path, selection: &Selection) -> Result<Image, Error> {
    let files = Files::open(path)?;
    let docker = docker_images(&files)?;
    if files.get("index.json")?.is_none() {
        let Some(images) = docker else {
            return Err(not_an_image(&files));
        };
        return open_docker(&files, &images, selection);
    }
    let mut image = open_oci(&files, selection)?;
    if let Some(images) = docker {
        join_halves(&files, &mut image, &images)?;
    }
    Ok(image)
}

/// The images that the index of an OCI layout or archive lists, each by the digest of its manifest or index; none in a docker
/// archive.
///
/// # Errors
/// When the index is broken.
pub fn listed(path: &Utf8Path) -> Result<BTreeSet<Digest>, Error> {
    let files = Files::open(path)?;
    if files.get("index.json")?.is_none() {
        return Ok(BTreeSet::new());
    }
    let index = read_index(&files)?;
    Ok(index.images().map(|found| found.digest).collect())
}

fn read_index(files: &Files) -> Result<Index, Error> {
    let bytes = files.document("index", "index.json")?;
    serde_json::from_slice(&bytes).map_err(Error::document("index", files.path()))
}

fn not_an_image(files: &Files) -> Error {
    let found = if files.path().is_dir() {
        "a folder without `index.json`"
    } else {
        "an archive with neither `manifest.json` nor `index.json`"
    };
    Error::NotAnImage {
        path: files.path().to_owned(),
        found: found.into(),
    }
}

fn docker_images(files: &Files) -> Result<Option<Vec<DockerImage>>, Error> {
    if files.get("manifest.json")?.is_none() {
        return Ok(None);
    }
    let bytes = files.document("manifest.json", "manifest.json")?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(Error::document("manifest.json", files.path()))
}

fn open_docker(
    files: &Files,
    images: &[DockerImage],
    selection: &Selection,
) -> Result<Image, Error> {
    let chosen = match &selection.name {
        None if images.len() == 1 => images.first(),
        None => None,
        Some(name) => images
            .iter()
            .find(|image| image.tags().any(|tag| is_called(tag, name))),
    };
    let chosen = chosen.ok_or_else(|| {
        let names = images
            .iter()
            .flat_map(DockerImage::tags)
            .map(str::to_owned)
            .collect();
        unselected(files, selection, names)
    })?;
    let config = parse_config(files, files.document("config", &chosen.config)?)?;
    let paths = chosen.layers.as_deref().unwrap_or_default();
    let contents = paths
        .iter()
        .map(|path| files.get(path)?.ok_or_else(|| files.missing(path)));
    let diff_ids = config.parsed().rootfs.diff_ids.clone();
    check_count(paths.len(), diff_ids.len())?;
    let layers = diff_ids.iter().zip(contents).map(|(diff_id, content)| {
        Ok(Layer {
            diff_id: *diff_id,
            blob: None,
            content: content?,
        })
    });
    Ok(Image {
        references: chosen.references(),
        layers: layers.collect::<Result<_, Error>>()?,
        config,
        manifest: None,
    })
}

impl DockerImage {
    fn tags(&self) -> impl Iterator<Item = &str> {
        self.repo_tags.iter().flatten().map(String::as_str)
    }

    fn references(&self) -> Vec<Reference> {
        self.tags().filter_map(|tag| tag.parse().ok()).collect()
    }
}

/// Takes the names of the docker half, which must show the image of the OCI half.
fn join_halves(files: &Files, image: &mut Image, docker: &[DockerImage]) -> Result<(), Error> {
    let same = docker.iter().find(|half| {
        let stem = half
            .config
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".json");
        stem == image.config.digest().hex()
    });
    let Some(half) = same else {
        let found = "`manifest.json` and `index.json` show different images".to_owned();
        return Err(Error::NotAnImage {
            path: files.path().to_owned(),
            found,
        });
    };
    let known: BTreeSet<Reference> = image.references.iter().cloned().collect();
    image.references.extend(
        half.references()
            .into_iter()
            .filter(|reference| !known.contains(reference)),
    );
    Ok(())
}

fn open_oci(files: &Files, selection: &Selection) -> Result<Image, Error> {
    let index = read_index(files)?;
    let (descriptor, references) = choose(files, &index, selection)?;
    let manifest = resolve(files, descriptor, selection, INDEX_DEPTH)?;
    open_manifest(files, manifest, references)
}

/// Picks the image that is meant among those of `index.json`, with all its names.
fn choose(
    files: &Files,
    index: &Index,
    selection: &Selection,
) -> Result<(Descriptor, Vec<Reference>), Error> {
    let mut images: BTreeMap<Digest, (Descriptor, Vec<String>)> = BTreeMap::new();
    for descriptor in index.images() {
        let entry = images
            .entry(descriptor.digest)
            .or_insert_with(|| (descriptor.clone(), Vec::new()));
        entry.1.extend(names(descriptor).map(str::to_owned));
    }
    let platforms_of_one = selection.name.is_none()
        && images.len() > 1
        && images.values().all(|image| image.1.is_empty());
    let chosen = match &selection.name {
        Some(name) => images
            .values()
            .find(|(_, names)| names.iter().any(|found| is_called(found, name))),
        None if images.len() == 1 => images.values().next(),
        None if platforms_of_one => images
            .values()
            .find(|(descriptor, _)| runs_on(descriptor, selection)),
        None => None,
    };
    let (descriptor, names) = chosen.ok_or_else(|| {
        let all = images.iter().flat_map(|(digest, (_, names))| {
            if names.is_empty() {
                vec![digest.to_string()]
            } else {
                names.clone()
            }
        });
        unselected(files, selection, all.collect())
    })?;
    let mut references: Vec<Reference> = Vec::new();
    for name in names.iter().filter(|name| name.contains('/')) {
        match name.parse() {
            Ok(reference) if !references.contains(&reference) => references.push(reference),
            _ => {}
        }
    }
    Ok((descriptor.clone(), references))
}

fn names(descriptor: &Descriptor) -> impl Iterator<Item = &str> {
    [IMAGE_NAME, REF_NAME]
        .into_iter()
        .filter_map(|key| descriptor.annotations.get(key))
        .map(String::as_str)
}

/// Whether a name in an image means what was asked for: the same text, or the same reference.
fn is_called(found: &str, wanted: &str) -> bool {
    found == wanted
        || matches!((found.parse::<Reference>(), wanted.parse::<Reference>()), (Ok(found), Ok(wanted)) if found == wanted)
}

fn runs_on(descriptor: &Descriptor, selection: &Selection) -> bool {
    let wanted = selection.platform.clone().unwrap_or_else(Platform::host);
    let platform = descriptor.platform.as_ref();
    platform.is_some_and(|platform| platform.runs(&wanted))
}

/// Follows indexes down to the manifest of the wanted platform.
fn resolve(
    files: &Files,
    descriptor: Descriptor,
    selection: &Selection,
    depth: usize,
) -> Result<(RawManifest, Manifest), Error> {
    let bytes = files.document("manifest", &blob_path(&descriptor.digest))?;
    match Document::parse(&bytes).map_err(Error::document("manifest", files.path()))? {
        Document::Manifest(manifest) => Ok((
            RawManifest {
                media_type: descriptor.media_type,
                bytes,
            },
            manifest,
        )),
        Document::Index(index) => match index.choose(selection.platform.as_ref()) {
            Some(found) if depth > 0 => resolve(files, found.clone(), selection, depth - 1),
            Some(_) => Err(Error::NotAnImage {
                path: files.path().to_owned(),
                found: format!("its indexes lead through more than {INDEX_DEPTH} others"),
            }),
            None => {
                let platforms = index
                    .images()
                    .filter_map(|found| found.platform.as_ref())
                    .map(ToString::to_string);
                let wanted = selection
                    .platform
                    .clone()
                    .unwrap_or_else(Platform::host)
                    .to_string();
                let names = platforms.collect();
                Err(Error::NoSuchImage {
                    path: files.path().to_owned(),
                    wanted,
                    names,
                })
            }
        },
    }
}

fn open_manifest(
    files: &Files,
    (raw, manifest): (RawManifest, Manifest),
    references: Vec<Reference>,
) -> Result<Image, Error> {
    let config = parse_config(
        files,
        files.document("config", &blob_path(&manifest.config.digest))?,
    )?;
    let diff_ids = &config.parsed().rootfs.diff_ids;
    check_count(manifest.layers.len(), diff_ids.len())?;
    let layers = diff_ids.iter().zip(manifest.layers).map(|(diff_id, blob)| {
        let path = blob_path(&blob.digest);
        let content = files.get(&path)?.ok_or_else(|| files.missing(&path))?;
        blob.expect_size(content.len())?;
        Ok(Layer {
            diff_id: *diff_id,
            blob: Some(blob),
            content,
        })
    });
    Ok(Image {
        references,
        layers: layers.collect::<Result<_, Error>>()?,
        config,
        manifest: Some(raw),
    })
}

fn parse_config(files: &Files, bytes: Vec<u8>) -> Result<RawConfig, Error> {
    RawConfig::parse(bytes).map_err(Error::document("config", files.path()))
}

fn check_count(layers: usize, diff_ids: usize) -> Result<(), Error> {
    if layers == diff_ids {
        Ok(())
    } else {
        Err(Error::LayerCount { layers, diff_ids })
    }
}

fn unselected(files: &Files, selection: &Selection, names: Vec<String>) -> Error {
    let path = files.path().to_owned();
    match &selection.name {
        Some(wanted) => Error::NoSuchImage {
            path,
            wanted: wanted.clone(),
            names,
        },
        None if names.is_empty() => Error::NotAnImage {
            path,
            found: "it names no image".into(),
        },
        None => Error::Ambiguous { path, names },
    }
}
