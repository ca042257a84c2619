//! The manifest of a hand-off record in a registry: an artifact whose subject is the image (OCI image-spec 1.1,
//! "Guidelines for artifact usage").

use std::collections::BTreeMap;

use barge_image::record::Run;
use barge_image::{Descriptor, Error as ImageError, MediaType, RawManifest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::pointer::Pointer;

const ARTIFACT: &str = "dev.barge.artifact";
const RUN: &str = "dev.barge.run";
const ATTEMPT: &str = "dev.barge.attempt";
const EXPIRES: &str = "dev.barge.expires";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordManifest {
    schema_version: u8,
    #[serde(default)]
    media_type: MediaType,
    #[serde(default)]
    artifact_type: MediaType,
    config: Descriptor,
    layers: Vec<Descriptor>,
    /// The manifest of the image.
    #[serde(default)]
    pub(super) subject: Option<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl RecordManifest {
    pub(super) fn new(
        empty: Descriptor,
        record: Descriptor,
        subject: Descriptor,
        pointer: &Pointer,
    ) -> Self {
        let expires = pointer.expires.map(|time| (EXPIRES, time.to_string()));
        let facts = [
            (ARTIFACT, pointer.artifact.to_string()),
            (RUN, pointer.run.id.clone()),
            (ATTEMPT, pointer.run.attempt.to_string()),
        ];
        let facts = facts.into_iter().chain(expires);
        Self {
            schema_version: 2,
            media_type: MediaType::MANIFEST,
            artifact_type: MediaType::RECORD,
            config: empty,
            layers: vec![record],
            subject: Some(subject),
            annotations: facts.map(|(key, value)| (key.to_owned(), value)).collect(),
        }
    }

    pub(super) fn to_raw(&self) -> Result<RawManifest, Error> {
        let bytes = serde_json::to_vec(self).map_err(|source| ImageError::Document {
            what: "manifest of the record",
            path: "the new artifact".into(),
            source,
        })?;
        Ok(RawManifest {
            media_type: MediaType::MANIFEST,
            bytes,
        })
    }

    /// Whether it is a record at all.
    pub(super) fn is_one(&self) -> bool {
        self.artifact_type == MediaType::RECORD
    }

    /// The record itself.
    pub(super) fn record(&self) -> Option<&Descriptor> {
        let mut records = self.layers.iter();
        records.find(|layer| layer.media_type == MediaType::RECORD)
    }

    /// What the record's tag leads from and to; `None` when it does not say.
    pub(super) fn pointer(&self) -> Option<Pointer> {
        let fact = |key| self.annotations.get(key);
        let run = Run {
            id: fact(RUN)?.clone(),
            attempt: fact(ATTEMPT)?.parse().ok()?,
        };
        Some(Pointer {
            artifact: fact(ARTIFACT)?.parse().ok()?,
            run,
            record: self.record()?.digest,
            expires: fact(EXPIRES).and_then(|time| time.parse::<Timestamp>().ok()),
        })
    }
}
