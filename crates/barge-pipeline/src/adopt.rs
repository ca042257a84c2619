//! Taking an image that is there already for what was built, so that it can be saved.

use barge_ci::Delivery;
use barge_engine::Docker;
use barge_engine::blocking;
use barge_engine::docker::{InspectedImage, Product};
use barge_image::record::BuildFacts;
use barge_image::{Digest, Image, Layout, Platform, Reference, Selection, open};
use camino::Utf8Path;

use crate::build::{daemon, source, unknown_source};
use crate::built::{Built, Home, SCHEMA};
use crate::engine;
use crate::error::Error;
use crate::registry::pull;
use crate::surroundings::Surroundings;

/// Takes an image that an engine holds already for what was built: all names must be of one image. Without a product, the
/// engine is the one that holds images here.
///
/// # Errors
/// When a name is not there, or the names are of several images.
pub async fn engine_image(
    surroundings: &Surroundings,
    product: Option<Product>,
    references: &[Reference],
) -> Result<Built, Error> {
    let docker = match product {
        Some(product) => engine::connect(surroundings, product).await?,
        None => engine::holding(surroundings).await?,
    };
    let mut adopted: Option<(Digest, Platform)> = None;
    let mut tags = Vec::new();
    for reference in references {
        let image = docker.require(reference).await?;
        tags.push(tagged(&docker, reference, &image).await?);
        match &adopted {
            Some((id, _)) if *id != image.id => {
                let text = format!(
                    "`{reference}` names image {}, the names before it {id}",
                    image.id
                );
                return Err(Error::Setting(text));
            }
            _ => adopted = Some((image.id, image.platform)),
        }
    }
    let (id, platform) = adopted.ok_or_else(|| Error::Setting("no image was named".into()))?;
    let home = Home::in_engine(docker.info().product, id);
    let facts = BuildFacts {
        engine: docker.name(),
        daemon: daemon(&docker),
        ..BuildFacts::default()
    };
    Ok(adopted_from(surroundings, &tags, home, platform, facts))
}

/// The name by which an engine exports an image, and loads it again: a digest beside the tag only says which image is meant.
async fn tagged(
    docker: &Docker,
    reference: &Reference,
    image: &InspectedImage,
) -> Result<Reference, Error> {
    let Some(tag) = reference.tag() else {
        let names = image.references.iter();
        let names = names.filter(|name| name.name() == reference.name());
        return Err(Error::ByDigest {
            reference: reference.clone(),
            names: names.cloned().collect(),
        });
    };
    let tagged = reference.name().with_tag(tag.clone());
    if reference.digest().is_some() {
        docker.require_same(&tagged, &image.id).await?;
    }
    Ok(tagged)
}

/// Takes an image in an archive or a layout for what was built: under these names, or under its own if there are none.
///
/// # Errors
/// When the file holds no image or several, or the image has no name.
pub async fn file(
    surroundings: &Surroundings,
    path: &Utf8Path,
    name: Option<String>,
    references: &[Reference],
) -> Result<Built, Error> {
    let file = path.to_owned();
    let selection = Selection {
        name: name.clone(),
        platform: None,
    };
    let image = blocking(move || open(&file, &selection)).await?;
    let references = names(&image, path, references)?;
    let home = Home::File {
        path: path.to_owned(),
        name,
        config: image.config.digest(),
    };
    let platform = image.config.parsed().platform();
    let facts = BuildFacts {
        engine: "unknown".to_owned(),
        ..BuildFacts::default()
    };
    Ok(adopted_from(
        surroundings,
        &references,
        home,
        platform,
        facts,
    ))
}

/// Takes the image of a registry for what was built, under these names, or under the one it was asked for by. It comes to
/// lie in a layout in `folder`, which must outlive the save.
///
/// # Errors
/// When the registry refuses or fails, or what it sends is not what its digests say.
pub async fn registry_image(
    surroundings: &Surroundings,
    reference: &Reference,
    folder: &Utf8Path,
    references: &[Reference],
) -> Result<Built, Error> {
    let image = pull(surroundings, reference, folder).await?;
    let references = match references {
        [] => std::slice::from_ref(reference),
        references => references,
    };
    // What was pulled is listed nowhere yet.
    if let Some(manifest) = &image.manifest {
        Layout::at(folder).name(&manifest.descriptor(), references)?;
    }
    file(surroundings, folder, None, references).await
}

/// The names that were asked for, else the image's own.
pub(crate) fn names(
    image: &Image,
    path: &Utf8Path,
    asked: &[Reference],
) -> Result<Vec<Reference>, Error> {
    let names = if asked.is_empty() {
        &image.references
    } else {
        asked
    };
    if names.is_empty() {
        let path = path.to_owned();
        return Err(Error::Nameless { path });
    }
    Ok(names.to_vec())
}

fn adopted_from(
    surroundings: &Surroundings,
    references: &[Reference],
    home: Home,
    platform: Platform,
    facts: BuildFacts,
) -> Built {
    let event = crate::plan::event(surroundings, None).ok();
    let publish = event.as_ref().is_some_and(|event| {
        let destination = surroundings.planning.publish.destination(event);
        destination.delivery == Delivery::Push
    });
    Built {
        schema: SCHEMA.into(),
        references: references.to_vec(),
        home,
        platform,
        source: event.map_or_else(
            || unknown_source(surroundings),
            |event| source(surroundings, &event),
        ),
        facts,
        publish,
    }
}
