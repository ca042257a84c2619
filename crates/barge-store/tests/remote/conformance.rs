//! What every store elsewhere is held to, whatever is behind it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::slice::from_ref;

use barge_image::pack::LayerPacker;
use barge_image::record::{ArtifactName, Run};
use barge_image::{
    Compression, Descriptor, Digest, Image, Layout, MediaType, PackedLayer, RawManifest,
};
use barge_store::remote::{Artifact, ArtifactLayer, Wanted};
use barge_store::{Error, Pointer, Remote};

use super::fixture::{Folder, folder, noise};

/// An image on this side, to be published under several names.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) image: Image,
    pub(crate) layers: Vec<PackedLayer>,
    _folder: Folder,
}

impl Local {
    /// Layers of these seeds and lengths; equal ones are equal bytes.
    pub(crate) fn new(layers: &[(u64, usize)]) -> Self {
        let folder = folder();
        let layout = Layout::create(&folder.path).unwrap();
        let packed = layers.iter().map(|(seed, length)| {
            let mut packer = LayerPacker::new(layout.blobs(), Compression::Zstd).unwrap();
            std::io::Write::write_all(&mut packer, &noise(*seed, *length)).unwrap();
            packer.finish(layout.blobs()).unwrap()
        });
        let packed: Vec<PackedLayer> = packed.collect();
        let diff_ids: Vec<_> = packed.iter().map(|layer| layer.diff_id).collect();
        let config = serde_json::json!({
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = barge_image::RawConfig::parse(config.to_string().into_bytes()).unwrap();
        let manifest = layout.put_image(&config, &packed).unwrap();
        let image = layout.image(&manifest.digest, Vec::new()).unwrap();
        Self {
            image,
            layers: packed,
            _folder: folder,
        }
    }

    pub(crate) fn manifest(&self) -> RawManifest {
        self.image.manifest.clone().unwrap()
    }

    /// The image as an artifact. The layers that a store knows go without their bytes.
    pub(crate) fn artifact(
        &self,
        pointer: Pointer,
        record: Vec<u8>,
        known: &BTreeMap<Digest, PackedLayer>,
    ) -> Artifact {
        let layers = self.image.layers.iter().zip(&self.layers);
        let layers = layers.map(|(layer, packed)| match known.get(&packed.diff_id) {
            Some(known) => ArtifactLayer {
                packed: known.clone(),
                content: None,
            },
            None => ArtifactLayer {
                packed: packed.clone(),
                content: Some(layer.content.clone()),
            },
        });
        Artifact {
            pointer,
            record,
            references: vec!["ghcr.io/a/b:pr-7".parse().unwrap()],
            manifest: self.manifest(),
            config: self.image.config.clone(),
            layers: layers.collect(),
        }
    }
}

pub(crate) fn run(id: &str, attempt: u32) -> Run {
    Run {
        id: id.into(),
        attempt,
    }
}

/// A pointer to a record that says this.
pub(crate) fn pointer(name: &str, run: Run, record: &[u8]) -> Pointer {
    Pointer {
        artifact: name.parse().unwrap(),
        run,
        record: Digest::of(record),
        expires: None,
    }
}

pub(crate) fn wanted(name: &str) -> Wanted {
    Wanted {
        artifact: Some(name.parse::<ArtifactName>().unwrap()),
        run: None,
    }
}

/// Publishes with all bytes, unless the store says that it has them.
pub(crate) fn publish(
    store: &dyn Remote,
    local: &Local,
    pointer: &Pointer,
    record: &[u8],
) -> Result<(), Error> {
    let diff_ids: Vec<_> = local.layers.iter().map(|layer| layer.diff_id).collect();
    let known = store.layers(&diff_ids, None)?;
    let artifact = local.artifact(pointer.clone(), record.to_vec(), &known);
    store.publish(&artifact, &|_| ())
}

/// All bytes of a blob, which are what its digest says.
pub(crate) fn read(store: &dyn Remote, record: &Digest, blob: &Descriptor) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = store.blob(record, blob).unwrap()?;
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), blob.digest);
    Some(bytes)
}

/// Reads everything that a pointer leads to.
pub(crate) fn fetch(store: &dyn Remote, pointer: &Pointer, local: &Local, record: &[u8]) {
    let found = store.record(&pointer.record).unwrap();
    assert_eq!(found.as_deref(), Some(record));
    let manifest = local.manifest().descriptor();
    let config = Descriptor::of(MediaType::CONFIG, local.image.config.bytes());
    let layers = local.layers.iter().map(|layer| layer.blob.clone());
    for blob in [manifest, config].into_iter().chain(layers) {
        let bytes = read(store, &pointer.record, &blob);
        assert_eq!(bytes.map(|bytes| bytes.len() as u64), Some(blob.size));
    }
}

/// Stores, finds, reads and tells apart. Runs of one store may be those of one workflow: `ids` says which there are.
pub(crate) fn conforms(store: &dyn Remote, ids: [&str; 2]) {
    let first = Local::new(&[(1, 300_000), (2, 70_000), (3, 0)]);
    let (a, b) = (run(ids[0], 1), run(ids[1], 2));
    let one = pointer("image-pr-7", a.clone(), b"record one");
    assert_eq!(store.pointers(&Wanted::default()).unwrap().pointers, []);
    assert_eq!(store.record(&one.record).unwrap(), None);

    publish(store, &first, &one, b"record one").unwrap();
    assert_eq!(
        store.pointers(&Wanted::default()).unwrap().pointers,
        from_ref(&one)
    );
    fetch(store, &one, &first, b"record one");

    // The same again is no error; another record under the name is.
    publish(store, &first, &one, b"record one").unwrap();
    let other = pointer("image-pr-7", a.clone(), b"record two");
    let error = publish(store, &first, &other, b"record two").unwrap_err();
    assert!(
        matches!(&error, Error::Taken { held, wanted, .. } if *held == one.record && *wanted == other.record),
        "{error:?}"
    );
    fetch(store, &one, &first, b"record one");

    // A second commit changes one layer.
    let second = Local::new(&[(1, 300_000), (2, 70_000), (9, 5_000)]);
    let two = pointer("image-pr-7", b.clone(), b"record two");
    publish(store, &second, &two, b"record two").unwrap();
    let three = pointer("image-pr", a.clone(), b"record three");
    publish(store, &second, &three, b"record three").unwrap();
    fetch(store, &one, &first, b"record one");
    fetch(store, &two, &second, b"record two");
    fetch(store, &three, &second, b"record three");

    // Names that begin alike are told apart.
    let names = |wanted: &Wanted| {
        let mut found = store.pointers(wanted).unwrap().pointers;
        found.sort_by(|a, b| (&a.artifact, &a.run).cmp(&(&b.artifact, &b.run)));
        found
    };
    assert_eq!(
        names(&Wanted::default()),
        [three.clone(), one.clone(), two.clone()]
    );
    assert_eq!(names(&wanted("image-pr")), from_ref(&three));
    assert_eq!(names(&wanted("image-pr-7")), [one.clone(), two.clone()]);
    let of_run = Wanted {
        run: Some(b),
        ..wanted("image-pr-7")
    };
    assert_eq!(names(&of_run), from_ref(&two));
    assert_eq!(names(&wanted("image")), []);

    // What is not there is not there.
    let absent = Descriptor::of(MediaType::LAYER, b"absent");
    assert!(read(store, &one.record, &absent).is_none());

    // What goes leaves the others whole.
    store.remove(&one).unwrap();
    store.remove(&one).unwrap();
    assert_eq!(names(&wanted("image-pr-7")), from_ref(&two));
    fetch(store, &two, &second, b"record two");
    fetch(store, &three, &second, b"record three");
}

/// Layers that the store has are known by diff_id, and need not be sent.
pub(crate) fn knows_layers(store: &dyn Remote, ids: [&str; 2]) {
    let first = Local::new(&[(21, 200_000), (22, 1_000)]);
    let one = pointer("known", run(ids[0], 1), b"one");
    publish(store, &first, &one, b"one").unwrap();
    let second = Local::new(&[(21, 200_000), (23, 1_000)]);
    let diff_ids: Vec<_> = second.layers.iter().map(|layer| layer.diff_id).collect();
    let known = store.layers(&diff_ids, None).unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), [&diff_ids[0]]);
    assert_eq!(known[&diff_ids[0]].plain_size, 200_000);
    let two = pointer("known", run(ids[1], 1), b"two");
    publish(store, &second, &two, b"two").unwrap();
    fetch(store, &two, &second, b"two");
}
