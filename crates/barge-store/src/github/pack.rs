//! A pack: everything of one hand-off in one file, of which a reader fetches only what it needs.
//!
//! ```text
//! magic, 8 bytes
//! layers, as they lie in the store, but those that an earlier artifact holds
//! manifest, config, hand-off record
//! contents, JSON: which blob is where
//! trailer, 96 bytes: sha256 of the contents in hex, their place and length (64 bits, little-endian), 8 zeros, magic
//! ```
//!
//! The small documents stand at the end: one request for the last 64 KiB brings all of them, and further ones bring only
//! the layers that an engine lacks.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use barge_image::{Descriptor, Digest, Extent, Hasher, MediaType, PackedLayer};
use serde::{Deserialize, Serialize};

use super::service::Listed;
use crate::pointer::Pointer;
use crate::remote::Artifact;

/// What a pack begins and ends with.
pub const MAGIC: [u8; 8] = *b"BARGEPK1";
/// The length of the trailer, in bytes.
pub const TRAILER_LENGTH: u64 = TRAILER as u64;
const TRAILER: usize = 96;
const SCHEMA: &str = "barge/pack/v1";
/// No list of layers is longer, in bytes.
pub(super) const CONTENTS_LIMIT: u64 = 4 << 20;
const HASH_BUFFER: usize = 256 << 10;

/// What is in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Always `barge/pack/v1`.
    pub schema: String,
    /// What the pack holds is found by.
    pub pointer: Pointer,
    /// Every blob.
    pub blobs: Vec<PackedBlob>,
}

/// Where a blob is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackedBlob {
    /// The blob.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// Of a layer, the digest of the plain tar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_id: Option<Digest>,
    /// Where it begins in its pack, or in the artifact that holds it, in bytes.
    pub offset: u64,
    /// The earlier artifact that holds it instead of its own pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

/// An artifact that holds a layer of others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// GitHub's number for it.
    pub id: u64,
    /// What it is called.
    pub name: String,
    /// Its length, in bytes.
    pub size: u64,
}

impl Holder {
    pub(super) fn of(artifact: &Listed) -> Self {
        Self {
            id: artifact.id,
            name: artifact.name.clone(),
            size: artifact.size,
        }
    }

    /// The artifact, as far as it need be known to read it.
    pub(super) fn listed(&self) -> Listed {
        Listed {
            id: self.id,
            name: self.name.clone(),
            size: self.size,
            digest: None,
            ids: None,
            expires: None,
        }
    }
}

/// A pack about to be stored: a list of what it is made of, not the bytes.
#[derive(Debug)]
pub(super) struct Pack {
    pieces: BTreeMap<u64, Piece>,
    length: u64,
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    File(Extent),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(extent) => extent.len(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(extent) => extent.read_at(offset, buffer),
            Self::Bytes(bytes) => {
                let from = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let count = buffer.len().min(bytes.len() - from);
                buffer[..count].copy_from_slice(&bytes[from..from + count]);
                Ok(count)
            }
        }
    }
}

impl Pack {
    /// Lays out a pack. The layers that earlier artifacts hold are left to them; a further one that goes without its bytes
    /// is the error.
    pub(super) fn of(
        artifact: &Artifact,
        held: &BTreeMap<Digest, PackedBlob>,
    ) -> Result<(Self, Contents), Digest> {
        let mut pack = Self {
            pieces: BTreeMap::new(),
            length: 0,
        };
        pack.push(Piece::Bytes(MAGIC.to_vec()));
        let mut blobs: Vec<PackedBlob> = Vec::new();
        for layer in &artifact.layers {
            let PackedLayer { diff_id, blob, .. } = &layer.packed;
            if blobs
                .iter()
                .any(|held| held.descriptor.digest == blob.digest)
            {
                continue;
            }
            if let Some(held) = held.get(&blob.digest) {
                blobs.push(held.clone());
                continue;
            }
            let content = layer.content.clone().ok_or(*diff_id)?;
            blobs.push(PackedBlob {
                descriptor: blob.clone(),
                diff_id: Some(*diff_id),
                offset: pack.push(Piece::File(content)),
                holder: None,
            });
        }
        let manifest = &artifact.manifest;
        let documents = [
            (manifest.media_type.clone(), &*manifest.bytes),
            (MediaType::CONFIG, artifact.config.bytes()),
            (MediaType::RECORD, &*artifact.record),
        ];
        for (media_type, bytes) in documents {
            blobs.push(PackedBlob {
                descriptor: Descriptor::of(media_type, bytes),
                diff_id: None,
                offset: pack.push(Piece::Bytes(bytes.to_vec())),
                holder: None,
            });
        }
        let contents = Contents {
            schema: SCHEMA.into(),
            pointer: artifact.pointer.clone(),
            blobs,
        };
        pack.close(&contents);
        Ok((pack, contents))
    }

    fn push(&mut self, piece: Piece) -> u64 {
        let offset = self.length;
        self.length += piece.len();
        // Pieces are found by where they begin: an empty one would hide the next.
        if piece.len() > 0 {
            self.pieces.insert(offset, piece);
        }
        offset
    }

    fn close(&mut self, contents: &Contents) {
        let json = serde_json::to_vec(contents).unwrap_or_default();
        let (digest, length) = (Digest::of(&json), json.len() as u64);
        let offset = self.push(Piece::Bytes(json));
        self.push(Piece::Bytes(trailer(&digest, offset, length).to_vec()));
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Fills a buffer from a place on; the pack must be that long.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            let piece = self.pieces.range(..=at).next_back();
            let (start, piece) = piece.ok_or(io::ErrorKind::UnexpectedEof)?;
            let read = piece.read_at(at - start, &mut buffer[filled..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
        }
        Ok(())
    }

    /// The digest of the whole, which is read once.
    pub(super) fn digest(&self) -> io::Result<Digest> {
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; HASH_BUFFER];
        let mut at = 0;
        while at < self.length {
            let left = usize::try_from(self.length - at).unwrap_or(usize::MAX);
            let part = &mut buffer[..left.min(HASH_BUFFER)];
            self.read_at(at, part)?;
            hasher.update(part);
            at += part.len() as u64;
        }
        Ok(hasher.finish())
    }

    /// The last bytes.
    pub(super) fn trailer(&self) -> io::Result<[u8; TRAILER]> {
        let mut bytes = [0; TRAILER];
        self.read_at(self.length - TRAILER_LENGTH, &mut bytes)?;
        Ok(bytes)
    }
}

fn trailer(digest: &Digest, offset: u64, length: u64) -> [u8; TRAILER] {
    let mut bytes = [0; TRAILER];
    bytes[..64].copy_from_slice(digest.hex().as_bytes());
    bytes[64..72].copy_from_slice(&offset.to_le_bytes());
    bytes[72..80].copy_from_slice(&length.to_le_bytes());
    bytes[88..].copy_from_slice(&MAGIC);
    bytes
}

/// What a trailer says: where the contents are, and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) contents: Range<u64>,
    digest: Digest,
}

impl Trailer {
    /// Reads the last bytes of a pack of a known length. What is wrong is said in words.
    pub(super) fn parse(bytes: &[u8], length: u64) -> Result<Self, String> {
        let start = bytes.len().checked_sub(TRAILER).ok_or("it is too short")?;
        let bytes = &bytes[start..];
        let digest = std::str::from_utf8(&bytes[..64]).ok();
        let digest = digest.and_then(|hex| Digest::from_hex(hex).ok());
        let digest = digest.filter(|_| bytes[88..] == MAGIC);
        let digest = digest.ok_or("it does not end as a pack ends")?;
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        let (offset, size) = (number(64), number(72));
        if size > CONTENTS_LIMIT || offset.checked_add(size) != length.checked_sub(TRAILER_LENGTH) {
            return Err("its contents are not where they must be".into());
        }
        Ok(Self {
            contents: offset..offset + size,
            digest,
        })
    }
}

impl Contents {
    /// Reads the contents that a trailer leads to.
    pub(super) fn parse(bytes: &[u8], trailer: &Trailer) -> Result<Self, String> {
        if Digest::of(bytes) != trailer.digest {
            return Err("its contents were changed".into());
        }
        let contents: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("its contents: {error}"))?;
        if contents.schema != SCHEMA {
            let found = &contents.schema;
            return Err(format!(
                "it has the schema `{found}`, this version reads `{SCHEMA}`"
            ));
        }
        let is_within = |blob: &PackedBlob| {
            let end = blob.offset.checked_add(blob.descriptor.size);
            let limit = blob.holder.as_ref().map(|holder| holder.size);
            end.is_some_and(|end| end <= limit.unwrap_or(trailer.contents.start))
        };
        if let Some(blob) = contents.blobs.iter().find(|blob| !is_within(blob)) {
            return Err(format!("{} lies outside of it", blob.descriptor.digest));
        }
        Ok(contents)
    }

    /// Where a blob is.
    pub(super) fn find(&self, digest: &Digest) -> Option<&PackedBlob> {
        self.blobs
            .iter()
            .find(|blob| blob.descriptor.digest == *digest)
    }
}
