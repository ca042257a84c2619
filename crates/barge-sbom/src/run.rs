//! From an image or a directory to its bill of materials.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use barge_image::layer::{self, LayerIndex, Source};
use barge_image::{Digest, Image, image};
use rayon::prelude::*;

use crate::assemble::{self, Scope};
use crate::catalog::{self, Catalogers};
use crate::error::Error;
use crate::finding::Finding;
use crate::package::{LayerFact, Sbom, Subject};

/// What to look for, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether lock files and the like count.
    pub declared: bool,
    /// A file or folder inside the image to which the bill is restricted.
    pub path: Option<String>,
    /// Whether every layer is read through and compared with its diff_id.
    pub verify: bool,
}

/// Keeps what layers gave, by a key that names the layer's bytes and the catalogers' version.
pub trait LayerCache: Sync {
    /// Whether anything is kept at all: then layers are hashed when they are first seen.
    fn is_kept(&self) -> bool {
        true
    }

    /// The time by the clock, if what a layer gave may be kept by the unchanged file that the layer lies in, too.
    fn now(&self) -> Option<SystemTime> {
        None
    }

    /// What was kept under a key.
    fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps something; failing to is no error.
    fn put(&self, key: &str, bytes: &[u8]);

    /// Drops what was kept under a key and is of no use.
    fn remove(&self, key: &str);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl LayerCache for NoCache {
    fn is_kept(&self) -> bool {
        false
    }

    fn get(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _: &str, _: &[u8]) {}

    fn remove(&self, _: &str) {}
}

/// Catalogues an image that lies open. `name` is what the user calls it.
///
/// # Errors
/// When a layer cannot be read, or `options.path` is not in the image.
pub fn catalog_image(
    image: &Image,
    name: &str,
    options: &Options,
    cache: &dyn LayerCache,
) -> Result<Sbom, Error> {
    let mut distinct: BTreeMap<Digest, &image::Layer> = BTreeMap::new();
    for layer in &image.layers {
        distinct.entry(layer.diff_id).or_insert(layer);
    }
    // The largest first, so that no core waits for another's at the end.
    let mut distinct: Vec<_> = distinct.into_iter().collect();
    distinct.sort_by_key(|(_, layer)| Reverse(layer.content.len()));
    let read = distinct
        .into_iter()
        .par_bridge()
        .map(|(diff_id, layer)| Ok((diff_id, Arc::new(read_layer(layer, options, cache)?))))
        .collect::<Result<BTreeMap<_, _>, Error>>()?;
    let layers: Vec<_> = image
        .layers
        .iter()
        .filter_map(|layer| read.get(&layer.diff_id).map(Arc::as_ref))
        .collect();
    let subject = subject(image, name);
    let facts = layer_facts(image);
    let scope = Scope {
        path: options.path.as_deref(),
        declared: options.declared,
    };
    assemble::assemble(subject, facts, &layers, scope)
}

/// Catalogues a directory as if it were a root file system, or a single file.
///
/// # Errors
/// When it cannot be read, or `options.path` is not in it.
pub fn catalog_directory(path: &Path, options: &Options) -> Result<Sbom, Error> {
    let catalogers = Catalogers {
        declared: options.declared,
    };
    let name = path.display().to_string();
    let index = layer::read_directory(path, &catalogers).map_err(|source| Error::Directory {
        path: name.clone(),
        source,
    })?;
    let subject = Subject {
        name,
        ..Subject::default()
    };
    let scope = Scope {
        path: options.path.as_deref(),
        declared: options.declared,
    };
    assemble::assemble(subject, Vec::new(), &[&index], scope)
}

fn read_layer(
    layer: &image::Layer,
    options: &Options,
    cache: &dyn LayerCache,
) -> Result<LayerIndex<Finding>, Error> {
    let failed = |source| Error::Layer {
        diff_id: layer.diff_id,
        source,
    };
    let by_content = cache_key(layer.diff_id, options);
    let known = kept(&by_content, Some(layer.diff_id), cache);
    // Only now: a layer that is known need not be brought from where it lies.
    let by_file = || {
        let stamp = layer.content.stamp(cache.now()?)?;
        Some(format!("{by_content}-{}", stamp.hex()))
    };
    let by_file = known.is_none().then(by_file).flatten();
    let known = known.or_else(|| kept(by_file.as_ref()?, None, cache));
    if let Some(index) = known {
        if options.verify {
            layer::verify(&layer.content, layer.diff_id).map_err(failed)?;
        }
        return Ok(index.over(&layer.content));
    }
    let catalogers = Catalogers {
        declared: options.declared,
    };
    let source = Source::Extent(layer.content.clone());
    let how = layer::Options {
        diff_id: Some(layer.diff_id),
        // Bytes that only claim to be this layer must not speak for it in later images.
        check_dense: cache.is_kept(),
        verify: options.verify,
    };
    let index = layer::read(source, &catalogers, how).map_err(failed)?;
    let key = match index.diff_id {
        Some(_) => Some(by_content),
        None => by_file,
    };
    if let Some(key) = key.filter(|_| cache.is_kept()) {
        cache.put(&key, &index.to_bytes());
    }
    Ok(index)
}

/// What was kept under a key, if it is sound and of a layer that was seen to have this digest; of none, if the key names the
/// file that was read.
fn kept(key: &str, diff_id: Option<Digest>, cache: &dyn LayerCache) -> Option<LayerIndex<Finding>> {
    let bytes = cache.get(key)?;
    let index = LayerIndex::from_bytes(&bytes).filter(|index| index.diff_id == diff_id);
    if index.is_none() {
        cache.remove(key);
    }
    index
}

/// Names the layer's bytes, the catalogers, and what they were asked for.
fn cache_key(diff_id: Digest, options: &Options) -> String {
    let stage = if options.declared {
        "declared"
    } else {
        "installed"
    };
    format!("{}-{stage}-{}", diff_id.hex(), catalog::VERSION)
}

fn subject(image: &Image, name: &str) -> Subject {
    let config = image.config.parsed();
    Subject {
        name: name.to_owned(),
        references: image.references.clone(),
        image: Some(image.config.digest()),
        manifest: image
            .manifest
            .as_ref()
            .map(|manifest| manifest.descriptor().digest),
        architecture: Some(config.architecture.clone()).filter(|name| !name.is_empty()),
    }
}

/// The layers with the instructions that made them.
fn layer_facts(image: &Image) -> Vec<LayerFact> {
    let config = image.config.parsed();
    let fact = |(number, layer): (usize, &image::Layer)| LayerFact {
        diff_id: layer.diff_id,
        instruction: config.instruction(number).map(str::to_owned),
    };
    image.layers.iter().enumerate().map(fact).collect()
}
