//! The store in a folder.
//!
//! The folder is an OCI image layout, so that skopeo and others can read it. Beside the layout stand `layers/`, which maps
//! each diff_id to the blob that holds the layer, and `artifacts/NAME/RUN-ATTEMPT`, the pointers to hand-off records. A
//! pointer is made once, by a hard link that fails when the name is taken, and never changed. Everything a pointer
//! needs is durable before the pointer is made: a crash leaves blobs that nothing names, never a broken artifact.

use std::fs;
use std::io::{self, Read};

use barge_image::archive::{LayerSink, Received};
use barge_image::blobs::{Blobs, PARTIAL_PREFIX, partial, sync_folder, write_file};
use barge_image::compression::{Compression, Decoder};
use barge_image::pack::LayerPacker;
use barge_image::record::{ArtifactName, Record, Run};
use barge_image::{
    Descriptor, Digest, Error as ImageError, Hasher, Image, Layer, Layout, PackedLayer,
};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};

use crate::error::Error;
use crate::pointer::Pointer;
use crate::tee::Tee;

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    layout: Layout,
}

impl DirectoryStore {
    /// Opens a store, making the folder if it is not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(root: &Utf8Path) -> Result<Self, Error> {
        let layout = Layout::create(root).map_err(failed(root))?;
        let store = Self { layout };
        for folder in [store.layers(), store.artifacts()] {
            fs::create_dir_all(&folder).map_err(file("create", folder))?;
        }
        Ok(store)
    }

    /// A store that may or may not be there, for reading; the disk is not touched.
    #[must_use]
    pub fn at(root: &Utf8Path) -> Self {
        Self {
            layout: Layout::at(root),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        self.layout.root()
    }

    /// A sink that stores layers as they arrive.
    #[must_use]
    pub fn layer_sink(&self) -> DirectorySink {
        DirectorySink {
            store: self.clone(),
        }
    }

    /// Stores what was received from an engine: its layers are here already.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_received(&self, received: &Received) -> Result<Descriptor, Error> {
        let stored = match received.kept_manifest() {
            Some(manifest) => self.layout.put_raw_image(&received.config, manifest),
            None => self.layout.put_image(&received.config, &received.layers),
        };
        stored.map_err(failed(self.root()))
    }

    /// Stores an open image, layer by layer as it lies: a blob is linked or copied, never packed again.
    ///
    /// # Errors
    /// When the disk refuses, or a layer is not what its image says.
    pub fn put_image(&self, image: &Image) -> Result<Descriptor, Error> {
        let layers = image.layers.iter().map(|layer| self.put_layer(layer));
        let layers = layers.collect::<Result<Vec<_>, _>>();
        let stored = layers.and_then(|layers| self.layout.put_image(&image.config, &layers));
        stored.map_err(failed(self.root()))
    }

    fn put_layer(&self, layer: &Layer) -> Result<PackedLayer, ImageError> {
        if let Some(known) = self.packed(&layer.diff_id)? {
            return Ok(known);
        }
        let name = format!("layer {}", layer.diff_id);
        let packed = self.take_layer(&name, &mut layer.content.reader())?;
        if packed.diff_id == layer.diff_id {
            Ok(packed)
        } else {
            Err(changed("a layer", layer.diff_id, packed.diff_id))
        }
    }

    /// Stores a record and points to it, after reading back everything it names.
    ///
    /// Storing the same record twice is no error.
    ///
    /// # Errors
    /// [`Error::Taken`] when the pointer exists and names another record, or when the disk refuses.
    pub fn put_record(&self, record: &Record) -> Result<Digest, Error> {
        let bytes = record.to_bytes().map_err(failed(self.root()))?;
        let digest = self
            .layout
            .blobs()
            .put(&bytes)
            .map_err(failed(self.root()))?;
        self.image_of(record)?;
        self.exclusively(|| {
            self.layout
                .name(&record.image.manifest, &record.references)
                .map_err(failed(self.root()))
        })?;
        let artifact = record.artifact.clone();
        let pointer = Pointer {
            artifact,
            run: record.source.run.clone(),
            record: digest,
            expires: None,
        };
        self.point(&pointer)?;
        let found = self.find(&pointer.artifact, Some(&pointer.run))?.record;
        if found == digest {
            return Ok(digest);
        }
        Err(Error::ReadBack {
            root: self.root().to_owned(),
            expected: digest,
            found,
        })
    }

    /// Reads a record by its digest.
    ///
    /// # Errors
    /// When it is not there, was changed, or is of another version.
    pub fn record(&self, digest: &Digest) -> Result<Record, Error> {
        if self.layout.blobs().size(digest).is_none() {
            let held = self
                .list()?
                .iter()
                .map(|pointer| pointer.record.to_string())
                .collect();
            return Err(Error::NoSuchArtifact {
                root: self.root().to_owned(),
                wanted: digest.to_string(),
                held,
            });
        }
        let bytes = self
            .layout
            .document("hand-off record", digest)
            .map_err(failed(self.root()))?;
        Record::from_bytes(&bytes).map_err(|source| {
            let path = self.layout.blobs().path(digest);
            failed(self.root())(ImageError::Document {
                what: "hand-off record",
                path,
                source,
            })
        })
    }

    /// Finds an artifact by name. Without a run it must be the only one of that name: the newest is never guessed (R25).
    ///
    /// # Errors
    /// When there is none, or more than one and no run was named.
    pub fn find(&self, name: &ArtifactName, run: Option<&Run>) -> Result<Pointer, Error> {
        let all = self.list()?;
        let matches = |pointer: &&Pointer| {
            pointer.artifact == *name && run.is_none_or(|run| pointer.run == *run)
        };
        let mut found: Vec<Pointer> = all.iter().filter(matches).cloned().collect();
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => {
                let wanted =
                    run.map_or_else(|| name.to_string(), |run| format!("{name} of run {run}"));
                let held = all
                    .iter()
                    .map(|pointer| format!("{} of run {}", pointer.artifact, pointer.run))
                    .collect();
                Err(Error::NoSuchArtifact {
                    root: self.root().to_owned(),
                    wanted,
                    held,
                })
            }
            _ => {
                let runs = found.into_iter().map(|pointer| pointer.run).collect();
                Err(Error::Ambiguous {
                    name: name.clone(),
                    runs,
                })
            }
        }
    }

    /// All pointers, sorted by name, run and attempt.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Pointer>, Error> {
        let mut pointers = Vec::new();
        for folder in entries(&self.artifacts())? {
            for path in entries(&folder)? {
                // What begins with a dot is a pointer in the making.
                if path.file_name().is_some_and(|name| !name.starts_with('.')) {
                    pointers.push(read_pointer(&path)?);
                }
            }
        }
        pointers.sort_by(|a, b| (&a.artifact, &a.run).cmp(&(&b.artifact, &b.run)));
        Ok(pointers)
    }

    /// Opens the image of a record and compares it with the record.
    ///
    /// # Errors
    /// When something is missing, or is not what the record says.
    pub fn image_of(&self, record: &Record) -> Result<Image, Error> {
        let digest = &record.image.manifest.digest;
        let image = self
            .layout
            .image(digest, record.references.clone())
            .map_err(failed(self.root()))?;
        let found = image.config.digest();
        if found == record.image.config {
            return Ok(image);
        }
        let expected = record.image.config;
        Err(failed(self.root())(ImageError::Digest {
            what: "the config".into(),
            expected,
            found,
        }))
    }

    fn packed(&self, diff_id: &Digest) -> Result<Option<PackedLayer>, ImageError> {
        let path = self.layers().join(diff_id.hex());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(ImageError::File {
                    action: "read",
                    path,
                    source,
                });
            }
        };
        // A note that cannot be read, or whose blob is gone, only costs packing the layer again.
        let packed = serde_json::from_slice::<PackedLayer>(&bytes).ok();
        Ok(packed.filter(|packed| {
            self.layout.blobs().size(&packed.blob.digest) == Some(packed.blob.size)
        }))
    }

    /// Stores a layer in one pass, under the name that its origin gave it.
    fn take_layer(&self, name: &str, content: &mut dyn Read) -> Result<PackedLayer, ImageError> {
        // Docker from 25 on names a plain layer by its diff_id: one that is known need only be hashed.
        let named = name
            .rsplit('/')
            .next()
            .and_then(|hex| Digest::from_hex(hex).ok());
        if let Some(known) = named.and_then(|diff_id| self.packed(&diff_id).ok().flatten()) {
            let found = hash(content).map_err(broken(name))?;
            return if found == known.diff_id {
                Ok(known)
            } else {
                Err(changed(name, known.diff_id, found))
            };
        }
        let packed = pack(self.layout.blobs(), name, content)?;
        self.note(&packed)?;
        Ok(packed)
    }

    fn note(&self, layer: &PackedLayer) -> Result<(), ImageError> {
        let path = self.layers().join(layer.diff_id.hex());
        let bytes = serde_json::to_vec(layer).map_err(|source| ImageError::Document {
            what: "layer note",
            path: path.clone(),
            source,
        })?;
        write_file(&path, &bytes)
    }

    fn point(&self, pointer: &Pointer) -> Result<(), Error> {
        let folder = self.artifacts().join(pointer.artifact.as_str());
        fs::create_dir_all(&folder).map_err(file("create", &folder))?;
        let path = folder.join(pointer.key());
        let mut temporary = partial(&folder, PARTIAL_PREFIX).map_err(file("write", &path))?;
        serde_json::to_writer(&mut temporary, pointer)
            .map_err(|error| file("write", &path)(error.into()))?;
        temporary
            .as_file()
            .sync_all()
            .map_err(file("write", &path))?;
        match fs::hard_link(temporary.path(), &path) {
            Ok(()) => sync_folder(&folder).map_err(failed(self.root())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let held = read_pointer(&path)?.record;
                if held == pointer.record {
                    return Ok(());
                }
                let (name, run, wanted) = (
                    pointer.artifact.clone(),
                    pointer.run.clone(),
                    pointer.record,
                );
                Err(Error::Taken {
                    name,
                    run,
                    held,
                    wanted,
                })
            }
            Err(error) => Err(file("write", path)(error)),
        }
    }

    /// Keeps other processes from changing `index.json` meanwhile. Blobs and pointers need no lock.
    fn exclusively<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let path = self.root().join("lock");
        let lock = fs::File::create(&path).map_err(file("lock", &path))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| file("lock", &path)(error.into()))?;
        work()
    }

    fn layers(&self) -> Utf8PathBuf {
        self.root().join("layers")
    }

    fn artifacts(&self) -> Utf8PathBuf {
        self.root().join("artifacts")
    }
}

/// Stores layers as they arrive, in one pass each.
#[derive(Debug)]
pub struct DirectorySink {
    store: DirectoryStore,
}

impl LayerSink for DirectorySink {
    type Error = Error;

    fn layer(&mut self, name: &str, content: &mut dyn Read) -> Result<PackedLayer, Error> {
        self.store
            .take_layer(name, content)
            .map_err(failed(self.store.root()))
    }
}

/// Packs a plain layer; keeps one that is compressed already, whose bytes somebody may know by digest.
fn pack(blobs: &Blobs, name: &str, content: &mut dyn Read) -> Result<PackedLayer, ImageError> {
    let tee = Tee::new(content, blobs.writer()?);
    let (compression, mut decoder) = Decoder::sniffing(tee).map_err(broken(name))?;
    if compression == Compression::None {
        decoder.get_mut().stop_copying();
        let mut packer = LayerPacker::new(blobs, Compression::Zstd)?;
        io::copy(&mut decoder, &mut packer).map_err(broken(name))?;
        return packer.finish(blobs);
    }
    let mut plain = Hasher::new();
    let plain_size = copy_into(&mut decoder, |bytes| plain.update(bytes)).map_err(broken(name))?;
    let stored = decoder
        .into_inner()
        .finish()
        .map_err(broken(name))?
        .finish()?;
    Ok(PackedLayer::kept(
        plain.finish(),
        plain_size,
        compression,
        stored,
    ))
}

fn hash(content: &mut dyn Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    copy_into(content, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

fn copy_into(mut source: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; 128 << 10];
    let mut copied = 0;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => {
                take(&buffer[..count]);
                copied += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn changed(name: &str, expected: Digest, found: Digest) -> ImageError {
    ImageError::Digest {
        what: name.to_owned(),
        expected,
        found,
    }
}

fn broken(name: &str) -> impl FnOnce(io::Error) -> ImageError {
    let path = Utf8PathBuf::from(name);
    move |source| ImageError::File {
        action: "store",
        path,
        source,
    }
}

fn failed(root: &Utf8Path) -> impl FnOnce(ImageError) -> Error {
    let root = root.to_owned();
    move |source| Error::Content { root, source }
}

fn file(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

fn read_pointer(path: &Utf8Path) -> Result<Pointer, Error> {
    let bytes = fs::read(path).map_err(file("read", path))?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Pointer {
        path: path.to_owned(),
        source,
    })
}

fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let listing = match folder.read_dir_utf8() {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file("read", folder)(error)),
    };
    listing
        .map(|entry| {
            entry
                .map(camino::Utf8DirEntry::into_path)
                .map_err(file("read", folder))
        })
        .collect()
}
