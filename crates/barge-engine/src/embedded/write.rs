//! What a build leaves in the layout: layers, config, manifest.

use std::io;

use barge_image::blobs::Blobs;
use barge_image::compression::Compression;
use barge_image::image::RawManifest;
use barge_image::manifest::Descriptor;
use barge_image::pack::LayerPacker;
use barge_image::tar::{Entry, Writer};
use barge_image::{ImageConfig, Layout, PackedLayer, RawConfig};

use super::error::Error;
use super::stage::NewLayer;
use super::tree::{Node, NodeKind};

/// Writes a layer: members sorted by path, in one pass from the files to the blob.
pub(super) fn layer(
    layer: &NewLayer,
    blobs: &Blobs,
    compression: Compression,
) -> Result<PackedLayer, Error> {
    let mut writer = Writer::new(LayerPacker::new(blobs, compression)?);
    let failed = |source| Error::Layer {
        place: layer.place.clone(),
        source,
    };
    for (path, node) in &layer.changes {
        member(&mut writer, path, node).map_err(failed)?;
    }
    let packer = writer.finish().map_err(failed)?;
    Ok(packer.finish(blobs)?)
}

fn member(writer: &mut Writer<LayerPacker>, path: &[u8], node: &Node) -> io::Result<()> {
    let entry = match &node.kind {
        NodeKind::Directory => Entry::directory([path, b"/"].concat()),
        NodeKind::File { size, .. } => Entry::file(path, *size),
        NodeKind::Symlink(target) => Entry::symlink(path, target.clone()),
        NodeKind::Special(what) => return Err(io::Error::other(format!("cannot write {what}"))),
    };
    let entry = Entry {
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        mtime: node.mtime,
        ..entry
    };
    match &node.kind {
        NodeKind::File { size, content } => {
            let named = |error: io::Error| {
                io::Error::new(
                    error.kind(),
                    format!("`/{}`: {error}", String::from_utf8_lossy(path)),
                )
            };
            let reader = content.open(*size).map_err(named)?;
            writer.file(&entry, reader).map_err(named)
        }
        _ => writer.member(&entry),
    }
}

/// The config as bytes.
pub(super) fn config(config: &ImageConfig) -> Result<RawConfig, Error> {
    let document = |source| barge_image::Error::Document {
        what: "config",
        path: "config".into(),
        source,
    };
    let bytes = serde_json::to_vec(config).map_err(document)?;
    Ok(RawConfig::parse(bytes).map_err(document)?)
}

/// Stores config and manifest.
pub(super) fn manifest(
    layout: &Layout,
    config: &RawConfig,
    layers: &[PackedLayer],
) -> Result<(Descriptor, RawManifest), Error> {
    let descriptor = layout.put_image(config, layers)?;
    let bytes = layout.document("manifest", &descriptor.digest)?;
    let media_type = descriptor.media_type.clone();
    Ok((descriptor, RawManifest { media_type, bytes }))
}
