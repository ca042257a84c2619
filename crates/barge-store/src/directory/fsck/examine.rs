//! Reading all that lies there, against its names and against all that leads to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use barge_image::{Decoder, Digest, Hasher, Record};
use camino::Utf8Path;

use super::finding::{Check, Finding, Report, Trouble};
use crate::directory::pointers::read_pointer;
use crate::directory::put::hash;
use crate::directory::{DirectoryStore, entries, read};
use crate::error::Error;
use crate::parallel;
use crate::pointer::Pointer;
use crate::remote::{HeldBlob, Housekeeping as _, Wanted};

impl DirectoryStore {
    /// Looks for damage. The store is not changed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn check(&self, how: Check) -> Result<Report, Error> {
        let blobs = self.blobs()?;
        let mut examiner = Examiner {
            store: self,
            needs: BTreeMap::new(),
            findings: BTreeSet::new(),
            artifacts: 0,
        };
        for path in self.pointer_paths(&Wanted::default())? {
            examiner.pointer(&path)?;
        }
        examiner.notes()?;
        examiner.blobs(&blobs, how);
        examiner.surroundings()?;
        let is_needed = |blob: &&HeldBlob| {
            let needs = examiner.needs.get(&blob.digest);
            needs.is_some_and(|needs| !needs.artifacts.is_empty())
        };
        let mut findings: Vec<_> = examiner.findings.iter().cloned().collect();
        findings.sort_by_key(|finding| !finding.trouble.is_damage());
        Ok(Report {
            artifacts: examiner.artifacts,
            blobs: blobs.len(),
            bytes: blobs.iter().map(|blob| blob.size).sum(),
            unused: blobs.len() - blobs.iter().filter(is_needed).count(),
            findings,
        })
    }
}

/// What is expected of a blob.
#[derive(Debug, Default)]
struct Needs {
    artifacts: BTreeSet<String>,
    diff_ids: BTreeSet<Digest>,
    sizes: BTreeSet<u64>,
}

struct Examiner<'a> {
    store: &'a DirectoryStore,
    needs: BTreeMap<Digest, Needs>,
    findings: BTreeSet<Finding>,
    artifacts: usize,
}

impl Examiner<'_> {
    fn find(&mut self, path: &Utf8Path, trouble: Trouble, artifacts: &[String]) {
        let (path, artifacts) = (path.to_owned(), artifacts.to_vec());
        self.findings.insert(Finding {
            trouble,
            path,
            artifacts,
        });
    }

    fn pointer(&mut self, path: &Utf8Path) -> Result<(), Error> {
        let place = path.strip_prefix(self.store.artifacts()).unwrap_or(path);
        let pointer = match read_pointer(path) {
            Ok(Some(pointer)) => pointer,
            Ok(None) => return Ok(()),
            Err(Error::Pointer { source, .. }) => {
                let why = source.to_string();
                self.find(path, Trouble::Malformed { why }, &[place.to_string()]);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.artifacts += 1;
        let name = pointer.to_string();
        if place != Utf8Path::new(pointer.artifact.as_str()).join(pointer.key()) {
            let other = name.clone();
            self.find(path, Trouble::Mismatch { other }, &[place.to_string()]);
        }
        if let Some(record) = self.record(&pointer, &name)? {
            if !pointer.is_of(&record) {
                let other = format!("{} of run {}", record.artifact, record.source.run);
                self.find(
                    path,
                    Trouble::Mismatch { other },
                    std::slice::from_ref(&name),
                );
            }
            self.image(&record, &name)?;
        }
        Ok(())
    }

    fn record(&mut self, pointer: &Pointer, name: &str) -> Result<Option<Record>, Error> {
        let parse = |bytes: &[u8]| Record::from_bytes(bytes);
        self.document("hand-off record", &pointer.record, name, parse)
    }

    fn image(&mut self, record: &Record, name: &str) -> Result<(), Error> {
        let parse = |bytes: &[u8]| serde_json::from_slice::<barge_image::Manifest>(bytes);
        let manifest = self.document("manifest", &record.image.manifest.digest, name, parse)?;
        let parse = |bytes: &[u8]| barge_image::RawConfig::parse(bytes.to_vec());
        let config = self.document("config", &record.image.config, name, parse)?;
        let (Some(manifest), Some(config)) = (manifest, config) else {
            return Ok(());
        };
        let diff_ids = &config.parsed().rootfs.diff_ids;
        for (index, layer) in manifest.layers.iter().enumerate() {
            let needs = self.needs.entry(layer.digest).or_default();
            needs.artifacts.insert(name.to_owned());
            needs.sizes.insert(layer.size);
            needs.diff_ids.extend(diff_ids.get(index));
            if self.store.layout().blobs().size(&layer.digest).is_none() {
                let path = self.store.layout().blobs().path(&layer.digest);
                self.find(
                    &path,
                    Trouble::Missing { what: "layer" },
                    &[name.to_owned()],
                );
            }
        }
        Ok(())
    }

    /// A document that an artifact needs, unless it is missing or broken. Changed bytes are found with all other blobs.
    fn document<T>(
        &mut self,
        what: &'static str,
        digest: &Digest,
        name: &str,
        parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<Option<T>, Error> {
        let needs = self.needs.entry(*digest).or_default();
        needs.artifacts.insert(name.to_owned());
        let path = self.store.layout().blobs().path(digest);
        let Some(bytes) = read(&path)? else {
            self.find(&path, Trouble::Missing { what }, &[name.to_owned()]);
            return Ok(None);
        };
        if Digest::of(&bytes) != *digest {
            return Ok(None);
        }
        match parse(&bytes) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(error) => {
                let why = error.to_string();
                self.find(&path, Trouble::Malformed { why }, &[name.to_owned()]);
                Ok(None)
            }
        }
    }

    fn notes(&mut self) -> Result<(), Error> {
        for path in entries(&self.store.layers())? {
            let name = path.file_name().unwrap_or_default();
            let Ok(diff_id) = Digest::from_hex(name) else {
                continue;
            };
            match self.store.noted(&diff_id)? {
                None => {
                    let why = "no note of this layer".to_owned();
                    self.find(&path, Trouble::Malformed { why }, &[]);
                }
                Some(layer)
                    if self
                        .store
                        .layout()
                        .blobs()
                        .size(&layer.blob.digest)
                        .is_none() =>
                {
                    self.find(&path, Trouble::OrphanNote, &[]);
                }
                Some(layer) => {
                    let needs = self.needs.entry(layer.blob.digest).or_default();
                    needs.diff_ids.insert(diff_id);
                    needs.sizes.insert(layer.blob.size);
                }
            }
        }
        Ok(())
    }

    fn blobs(&mut self, blobs: &[HeldBlob], how: Check) {
        let found = Mutex::new(Vec::new());
        let examine = |blob: &HeldBlob, _: &_| {
            let troubles = self.troubles(blob, how);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(troubles.into_iter().map(|trouble| (blob.digest, trouble)));
            Ok::<(), std::convert::Infallible>(())
        };
        match parallel::for_each(blobs, examine) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        for (digest, trouble) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let needs = self.needs.get(&digest);
            let artifacts: Vec<_> = needs
                .into_iter()
                .flat_map(|needs| needs.artifacts.iter().cloned())
                .collect();
            let path = self.store.layout().blobs().path(&digest);
            self.find(&path, trouble, &artifacts);
        }
    }

    fn troubles(&self, blob: &HeldBlob, how: Check) -> Vec<Trouble> {
        let none = Needs::default();
        let needs = self.needs.get(&blob.digest).unwrap_or(&none);
        let wrong_size = needs.sizes.iter().find(|size| **size != blob.size);
        let mut troubles = Vec::from_iter(wrong_size.map(|expected| Trouble::Size {
            expected: *expected,
            found: blob.size,
        }));
        if how == Check::Whole || (needs.diff_ids.is_empty() && troubles.is_empty()) {
            troubles.extend(self.troubles_within(blob, needs));
        }
        troubles
    }

    fn troubles_within(&self, blob: &HeldBlob, needs: &Needs) -> Vec<Trouble> {
        match examine(&self.store.layout().blobs().path(&blob.digest), needs) {
            Ok(None) => Vec::new(),
            Ok(Some((found, _))) if found != blob.digest => vec![Trouble::Digest { found }],
            Ok(Some((_, plain))) => {
                let others = needs
                    .diff_ids
                    .iter()
                    .filter(|diff_id| plain != Some(**diff_id));
                let layer = |expected: &Digest| Trouble::Layer {
                    expected: *expected,
                    found: plain,
                };
                others.map(layer).collect()
            }
            Err(error) => {
                let why = error.to_string();
                vec![Trouble::Malformed { why }]
            }
        }
    }

    fn surroundings(&mut self) -> Result<(), Error> {
        let index = self.store.root().join("index.json");
        let expected = self.store.expected_index();
        match (self.store.layout().index(), expected) {
            (Err(error), _) => {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                let why = why.unwrap_or_else(|| error.to_string());
                self.find(&index, Trouble::Malformed { why }, &[]);
            }
            (Ok(held), Ok(expected)) if !same_names(&held, &expected) => {
                self.find(&index, Trouble::StaleIndex, &[]);
            }
            // Pointers that cannot be read were told of already.
            _ => {}
        }
        for stray in self.store.strays()? {
            self.find(&stray.path, Trouble::Stray, &[]);
        }
        Ok(())
    }
}

fn same_names(held: &[barge_image::Descriptor], expected: &[barge_image::Descriptor]) -> bool {
    let names = |entries: &[barge_image::Descriptor]| {
        let names = entries.iter();
        let names = names.map(|entry| (entry.name().map(str::to_owned), entry.digest));
        names.collect::<BTreeSet<_>>()
    };
    names(held) == names(expected)
}

/// The digest of a blob and, of one that should be a layer, of what it unpacks to; `None` when it is gone.
fn examine(path: &Utf8Path, needs: &Needs) -> io::Result<Option<(Digest, Option<Digest>)>> {
    let mut file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if needs.diff_ids.is_empty() {
        return Ok(Some((hash(&mut file)?, None)));
    }
    let hashing = Hashing {
        source: file,
        hasher: Hasher::new(),
    };
    let (_, mut decoder) = Decoder::sniffing(hashing)?;
    let plain = hash(&mut decoder).ok();
    let mut hashing = decoder.into_inner();
    // A decoder that stumbled has not read to the end.
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(Some((hashing.hasher.finish(), plain)))
}

struct Hashing<R> {
    source: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
