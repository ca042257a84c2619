//! Where what was built is to be had from, and whether it is that still.

use barge_engine::Docker;
use barge_engine::docker::{BodyReader, InspectedImage};
use barge_image::{Digest, Image, Layout, Reference, Selection, open};

use crate::built::{Built, Home};
use crate::engine;
use crate::error::Error;
use crate::observer::Notice;
use crate::surroundings::Surroundings;

/// An engine that was asked, and holds what was built.
pub(super) struct Asked {
    pub(super) engine: Docker,
    pub(super) image: InspectedImage,
}

/// Looks at each of the recorded names in the engine, if the image is in one.
pub(super) async fn ask(
    surroundings: &Surroundings,
    built: &Built,
) -> Result<Option<Asked>, Error> {
    let home = &built.home;
    let (Some(engine), Some(id)) = (engine::of(surroundings, home).await?, home.engine_id()) else {
        return Ok(None);
    };
    let mut last = None;
    for reference in &built.references {
        last = Some(engine.require_same(reference, id).await?);
    }
    Ok(last.map(|image| Asked { engine, image }))
}

impl Asked {
    /// Asks for exactly the recorded names.
    pub(super) async fn export(
        &self,
        surroundings: &Surroundings,
        built: &Built,
    ) -> Result<BodyReader, Error> {
        surroundings.observer.notice(&Notice::Transfer {
            layers: self.image.diff_ids.len(),
            bytes: Some(self.image.size),
        });
        Ok(self.engine.export(&built.references).await?)
    }
}

/// The image, if it lies in files.
pub(super) fn in_files(built: &Built) -> Result<Option<Image>, Error> {
    Ok(match &built.home {
        Home::Layout { path, manifest, .. } => {
            Some(Layout::at(path).image(&manifest.digest, built.references.clone())?)
        }
        Home::File { path, name, config } => {
            let (name, platform) = (name.clone(), None);
            let image = open(path, &Selection { name, platform })?;
            same_image(config, &image)?;
            Some(image)
        }
        Home::Docker { .. } | Home::Podman { .. } => None,
    })
}

fn same_image(expected: &Digest, image: &Image) -> Result<(), Error> {
    let found = image.config.digest();
    if found == *expected {
        return Ok(());
    }
    let expected = *expected;
    Err(Error::Identity { expected, found })
}

pub(super) fn not_exported() -> Error {
    Error::Setting("the image was not exported".into())
}

pub(super) fn same_names(built: &Built, found: &[Reference]) -> Result<(), Error> {
    let sorted = |references: &[Reference]| {
        let mut sorted = references.to_vec();
        sorted.sort();
        sorted
    };
    if sorted(&built.references) == sorted(found) {
        return Ok(());
    }
    Err(Error::Names {
        expected: built.references.clone(),
        found: found.to_vec(),
    })
}
