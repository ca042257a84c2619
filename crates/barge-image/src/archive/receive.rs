//! Taking an engine's export apart while it arrives, in one pass and without a copy of it.
//!
//! `docker save` writes layers before the documents that name them, under names that differ by version, so
//! members are told apart by their first bytes: what looks like a tar, plain or compressed, is a layer and
//! goes to the sink at once; small rest is kept as documents until `manifest.json` says what is what.

use std::collections::BTreeMap;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::archive::Passing;
use crate::compression::Compression;
use crate::config::RawConfig;
use crate::digest::Digest;
use crate::error::Error;
use crate::extent::DOCUMENT_LIMIT;
use crate::files::blob_path;
use crate::image::RawManifest;
use crate::manifest::{Descriptor, Document, Index, Manifest};
use crate::open::INDEX_DEPTH;
use crate::pack::PackedLayer;
use crate::reference::Reference;
use crate::tar::{self, Entry, Kind, Reader, Streaming};

/// Documents in one export, in total; far above what engines write.
const DOCUMENTS_LIMIT: u64 = 64 << 20;
const HEADER: usize = 512;

/// Where layers of an export go.
pub trait LayerSink {
    /// Why a layer cannot be stored.
    type Error;

    /// Takes the bytes of a layer, perhaps compressed, under the name that the export gave it.
    ///
    /// # Errors
    /// When the layer cannot be stored.
    fn layer(&mut self, name: &str, content: &mut dyn Read) -> Result<PackedLayer, Self::Error>;
}

/// Which side of a transfer failed.
#[derive(Debug)]
pub enum ReceiveError<E> {
    /// The export is broken or breaks off.
    Export(Error),
    /// The sink failed.
    Sink(E),
}

/// One image of an export.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its names, as the export states them.
    pub references: Vec<Reference>,
    /// Its config as received.
    pub config: RawConfig,
    /// Its layers as the sink stored them, base first.
    pub layers: Vec<PackedLayer>,
    /// Its manifest as received; old docker archives have none.
    pub manifest: Option<RawManifest>,
    /// The digests under which the export's index lists it: of its manifest, or of an index that leads there.
    pub ids: Vec<Digest>,
}

impl Received {
    /// The manifest, if it describes the layers as the sink stored them.
    #[must_use]
    pub fn kept_manifest(&self) -> Option<&RawManifest> {
        let raw = self.manifest.as_ref()?;
        let manifest: Manifest = serde_json::from_slice(&raw.bytes).ok()?;
        let listed = manifest.layers.iter().map(|blob| &blob.digest);
        let stored = self.layers.iter().map(|layer| &layer.blob.digest);
        listed.eq(stored).then_some(raw)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// Reads an export to its end. `origin` names it in messages.
///
/// # Errors
/// When the stream breaks off, a document is missing or broken, a layer cannot be stored or is not what its config says.
pub fn receive<S: LayerSink>(
    stream: impl Read,
    origin: &str,
    sink: &mut S,
    progress: &dyn Fn(Passing),
) -> Result<Vec<Received>, ReceiveError<S::Error>> {
    let mut export = Export::default();
    let path = Utf8PathBuf::from(origin);
    let mut reader = Reader::new(Streaming(stream));
    while let Some(entry) = reader.next().map_err(Error::tar(&path))? {
        export.take(&path, &entry, &mut reader, sink, progress)?;
    }
    // What follows the end mark must be read too: an engine reports late failures by cutting the connection.
    reader.drain().map_err(Error::tar(&path))?;
    Ok(export.images(&path)?)
}

impl<E> From<Error> for ReceiveError<E> {
    fn from(error: Error) -> Self {
        Self::Export(error)
    }
}

#[derive(Default)]
struct Export {
    documents: BTreeMap<String, Vec<u8>>,
    documents_size: usize,
    layers: BTreeMap<String, PackedLayer>,
    links: BTreeMap<String, String>,
}

impl Export {
    fn take<S: LayerSink>(
        &mut self,
        path: &Utf8Path,
        entry: &Entry,
        content: &mut Reader<Streaming<impl Read>>,
        sink: &mut S,
        progress: &dyn Fn(Passing),
    ) -> Result<(), ReceiveError<S::Error>> {
        let name = String::from_utf8_lossy(&entry.path).into_owned();
        match entry.kind {
            Kind::File => {}
            Kind::Symlink | Kind::HardLink => {
                let target = String::from_utf8_lossy(&entry.link).into_owned();
                self.links.insert(name, target);
                return Ok(());
            }
            _ => return Ok(()),
        }
        let broken = |source| Error::Tar {
            path: path.to_owned(),
            source: tar::Error::Read {
                offset: entry.offset,
                source,
            },
        };
        let mut first = [0; HEADER];
        let length = fill(content, &mut first).map_err(broken)?;
        let first = &first[..length];
        if !is_layer(first) {
            return Ok(self.document(path, &name, entry.size, first.chain(content), broken)?);
        }
        progress(Passing::Layer { size: entry.size });
        let mut watched = Watched {
            inner: first.chain(content),
            progress,
            failed: None,
        };
        let stored = sink.layer(&name, &mut watched);
        let layer = stored.map_err(|error| match watched.failed {
            Some(source) => ReceiveError::Export(broken(source)),
            None => ReceiveError::Sink(error),
        })?;
        match self.layers.insert(name.clone(), layer) {
            None => Ok(()),
            Some(_) => Err(twice(path, &name).into()),
        }
    }

    fn document(
        &mut self,
        path: &Utf8Path,
        name: &str,
        size: u64,
        mut content: impl Read,
        broken: impl FnOnce(io::Error) -> Error,
    ) -> Result<(), Error> {
        let all = size.saturating_add(self.documents_size as u64);
        for (what, size, limit) in [
            (name, size, DOCUMENT_LIMIT),
            ("all documents together", all, DOCUMENTS_LIMIT),
        ] {
            if size > limit {
                let (what, path) = (what.to_owned(), path.to_owned());
                return Err(Error::TooLarge {
                    what,
                    path,
                    size,
                    limit,
                });
            }
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(broken)?;
        self.documents_size += bytes.len();
        match self.documents.insert(name.to_owned(), bytes) {
            None => Ok(()),
            Some(_) => Err(twice(path, name)),
        }
    }

    fn images(&self, path: &Utf8Path) -> Result<Vec<Received>, Error> {
        let listed = self
            .documents
            .get("manifest.json")
            .ok_or_else(|| missing(path, "manifest.json"))?;
        let images: Vec<DockerImage> =
            serde_json::from_slice(listed).map_err(Error::document("manifest.json", path))?;
        images.iter().map(|image| self.image(path, image)).collect()
    }

    fn image(&self, path: &Utf8Path, image: &DockerImage) -> Result<Received, Error> {
        let bytes = self
            .documents
            .get(&image.config)
            .ok_or_else(|| missing(path, &image.config))?;
        let config = RawConfig::parse(bytes.clone()).map_err(Error::document("config", path))?;
        let names = image.layers.as_deref().unwrap_or_default();
        let layers = names
            .iter()
            .map(|name| self.layer(path, name))
            .collect::<Result<Vec<_>, _>>()?;
        let diff_ids = &config.parsed().rootfs.diff_ids;
        if layers.len() != diff_ids.len() {
            return Err(Error::LayerCount {
                layers: layers.len(),
                diff_ids: diff_ids.len(),
            });
        }
        for (layer, diff_id) in layers.iter().zip(diff_ids) {
            if layer.diff_id != *diff_id {
                return Err(Error::Digest {
                    what: "a layer".into(),
                    expected: *diff_id,
                    found: layer.diff_id,
                });
            }
        }
        let references = image
            .repo_tags
            .iter()
            .flatten()
            .filter_map(|tag| tag.parse().ok())
            .collect();
        let (manifest, ids) = self.listed(path, &config.digest())?;
        Ok(Received {
            references,
            config,
            layers,
            manifest,
            ids,
        })
    }

    /// The manifest of a config and the digests that lead to it in the export's own index, if it has one.
    fn listed(
        &self,
        path: &Utf8Path,
        config: &Digest,
    ) -> Result<(Option<RawManifest>, Vec<Digest>), Error> {
        let Some(bytes) = self.documents.get("index.json") else {
            return Ok((None, Vec::new()));
        };
        let index: Index = serde_json::from_slice(bytes).map_err(Error::document("index", path))?;
        let (mut manifest, mut ids) = (None, Vec::new());
        for descriptor in &index.manifests {
            if let Some(found) = self.manifest_of(descriptor, config, INDEX_DEPTH) {
                manifest = Some(found);
                ids.push(descriptor.digest);
            }
        }
        ids.sort();
        ids.dedup();
        Ok((manifest, ids))
    }

    /// Follows a descriptor to the manifest of a config. What the export does not hold, or holds changed, leads nowhere.
    fn manifest_of(
        &self,
        descriptor: &Descriptor,
        config: &Digest,
        depth: usize,
    ) -> Option<RawManifest> {
        let bytes = self.documents.get(&blob_path(&descriptor.digest))?;
        if Digest::of(bytes) != descriptor.digest {
            return None;
        }
        match Document::parse(bytes).ok()? {
            Document::Manifest(manifest) => (manifest.config.digest == *config).then(|| {
                let (media_type, bytes) = (descriptor.media_type.clone(), bytes.clone());
                RawManifest { media_type, bytes }
            }),
            Document::Index(index) if depth > 0 => index
                .manifests
                .iter()
                .find_map(|found| self.manifest_of(found, config, depth - 1)),
            Document::Index(_) => None,
        }
    }

    /// Old archives hold equal layers once and link to them, relative to the link.
    fn layer(&self, path: &Utf8Path, name: &str) -> Result<PackedLayer, Error> {
        let direct = self.layers.get(name);
        let linked = || {
            let target = self.links.get(name)?;
            let target = target.trim_start_matches("../");
            self.layers.get(target)
        };
        direct
            .or_else(linked)
            .cloned()
            .ok_or_else(|| missing(path, name))
    }
}

/// Engines differ in which of two members they read: an archive with two faces.
fn twice(path: &Utf8Path, what: &str) -> Error {
    Error::NotAnImage {
        path: path.to_owned(),
        found: format!("it holds `{what}` twice"),
    }
}

fn missing(path: &Utf8Path, what: &str) -> Error {
    Error::Missing {
        path: path.to_owned(),
        what: format!("`{what}`"),
    }
}

/// A tar header, a compressed stream, or the zero block of an empty tar.
fn is_layer(first: &[u8]) -> bool {
    let zero_block = first.len() == HEADER && first.iter().all(|byte| *byte == 0);
    let tar = first.len() == HEADER
        && Reader::new(Streaming(first))
            .next()
            .is_ok_and(|entry| entry.is_some());
    let has_magic = first.len() == HEADER && first[257..262] == *b"ustar";
    zero_block || tar || has_magic || Compression::sniff(first) != Compression::None
}

/// Keeps the error of a source, so that a sink's failure to read is told from its failure to write.
struct Watched<'a, R> {
    inner: R,
    progress: &'a dyn Fn(Passing),
    failed: Option<io::Error>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(read) => {
                (self.progress)(Passing::Bytes(read as u64));
                Ok(read)
            }
            Err(error) => {
                let told = io::Error::from(error.kind());
                self.failed = Some(error);
                Err(told)
            }
        }
    }
}

fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
