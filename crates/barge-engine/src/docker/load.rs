//! Loading an image: what the engine lacks, under the very same names, checked afterwards (R27, handoff.md section 6).

use std::collections::BTreeSet;
use std::sync::Arc;

use barge_image::archive::{LayerForm, write};
use barge_image::{Digest, Identity, Image, Reference};
use hyper::Method;
use serde::Deserialize;

use super::body::{BodyReader, BodyWriter, request_body};
use super::client::{Docker, InspectedImage};
use super::connection::{accepted, send};
use crate::blocking::blocking;
use crate::error::Error;

/// Images that are looked at for layers that need not be sent again.
const CANDIDATES: usize = 64;

/// What a load will do to an engine; made before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadPlan {
    /// The names that the image will have.
    pub references: Vec<Reference>,
    /// Names that another image has now, with that image's ID.
    pub moves: Vec<(Reference, Digest)>,
    /// The image itself, if the engine holds it already.
    present: Option<Digest>,
    /// Layers from the base up that the engine holds already.
    held: usize,
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The engine's ID of the image.
    pub id: Digest,
    /// Layers that were sent, of all.
    pub sent: usize,
}

impl Docker {
    /// Finds out what a load would do.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn plan_load(
        &self,
        identity: &Identity,
        references: &[Reference],
    ) -> Result<LoadPlan, Error> {
        let mut plan = LoadPlan {
            references: references.to_vec(),
            moves: Vec::new(),
            present: None,
            held: 0,
        };
        for reference in references {
            match self.inspect(reference).await? {
                Some(image) if self.is_same(&image, identity) => plan.present = Some(image.id),
                Some(image) => plan.moves.push((reference.clone(), image.id)),
                None => {}
            }
        }
        // A containerd store says yes to a partial archive and may keep a broken image; only the other store is sure.
        if !self.info().containerd_store && plan.present.is_none() {
            let by_id = self.inspect_id(&identity.config).await?;
            plan.present = by_id.map(|image| image.id);
            plan.held = self.held_layers(&identity.diff_ids).await?;
        }
        Ok(plan)
    }

    /// Carries a plan out. The image must be the one that the plan was made for.
    ///
    /// # Errors
    /// When the image cannot be read, the daemon refuses, or what it holds afterwards is not the image.
    pub async fn load(
        &self,
        image: Arc<Image>,
        plan: &LoadPlan,
        progress: Progress,
    ) -> Result<Loaded, Error> {
        let identity = image.identity();
        let sent = match plan.present {
            Some(id) => {
                for reference in &plan.references {
                    self.tag(&id, reference).await?;
                }
                0
            }
            None => self.send_archive(image, plan, progress).await?,
        };
        match self.check_loaded(&identity, &plan.references).await {
            Ok(id) => Ok(Loaded { id, sent }),
            Err(error) => {
                self.undo(plan).await;
                Err(error)
            }
        }
    }

    fn is_same(&self, image: &InspectedImage, identity: &Identity) -> bool {
        let same_layers = image.diff_ids == identity.diff_ids;
        // The manifest that a containerd store takes for the ID is not known before the load.
        same_layers && (image.id == identity.config || self.info().containerd_store)
    }

    /// How many layers, from the base up, some image of the engine has in common with these.
    async fn held_layers(&self, diff_ids: &[Digest]) -> Result<usize, Error> {
        let mut longest = 0;
        let ids: BTreeSet<Digest> = self
            .list()
            .await?
            .into_iter()
            .map(|image| image.id)
            .collect();
        for id in ids.into_iter().take(CANDIDATES) {
            let Some(image) = self.inspect_id(&id).await? else {
                continue;
            };
            let common = image
                .diff_ids
                .iter()
                .zip(diff_ids)
                .take_while(|(held, wanted)| held == wanted)
                .count();
            longest = longest.max(common);
        }
        Ok(longest)
    }

    async fn send_archive(
        &self,
        image: Arc<Image>,
        plan: &LoadPlan,
        progress: Progress,
    ) -> Result<usize, Error> {
        let (writer, body) = request_body();
        let omit: BTreeSet<Digest> = image
            .layers
            .iter()
            .take(plan.held)
            .map(|layer| layer.diff_id)
            .collect();
        let sent = image
            .layers
            .iter()
            .filter(|layer| !omit.contains(&layer.diff_id))
            .count();
        let references = plan.references.clone();
        let form = if self.info().containerd_store {
            LayerForm::AsStored
        } else {
            LayerForm::Plain
        };
        let archive = tokio::spawn(blocking(move || {
            write_archive(&image, &references, form, &omit, writer, &progress)
        }));

        let mut call = self.call(Method::POST, "/images/load?quiet=1", "load the archive");
        call.content_type = "application/x-tar";
        call.patience = None;
        let answer = send(&self.host, &call, Box::pin(body)).await;
        let written = archive
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        // A daemon that refuses also closes the pipe: its words say more than the broken pipe.
        let answer = match (answer, written) {
            (Ok(answer), written) if !answer.status().is_success() || written.is_ok() => answer,
            (_, Err(error)) => return Err(error.into()),
            (answer, Ok(())) => answer?,
        };
        let answer = accepted(&self.host, &call, answer).await?;
        let reader = BodyReader::new(answer.into_body());
        blocking(move || read_report(reader)).await?;
        Ok(sent)
    }

    async fn check_loaded(
        &self,
        identity: &Identity,
        references: &[Reference],
    ) -> Result<Digest, Error> {
        let mut id = identity.config;
        for reference in references {
            let loaded = self.inspect(reference).await?;
            match loaded {
                None => {
                    let problem = format!("`{reference}` is not there");
                    return Err(Error::Loaded { problem });
                }
                Some(image) if !self.is_same(&image, identity) => {
                    let problem = format!(
                        "`{reference}` is {} instead of {}",
                        image.id, identity.config
                    );
                    return Err(Error::Loaded { problem });
                }
                Some(image) => id = image.id,
            }
        }
        Ok(id)
    }

    /// Takes away the names that a failed load made, and gives back those that it moved.
    async fn undo(&self, plan: &LoadPlan) {
        for reference in &plan.references {
            let before = plan.moves.iter().find(|(moved, _)| moved == reference);
            let undone = match before {
                Some((_, id)) => self.tag(id, reference).await,
                None => self.untag(reference).await,
            };
            if let Err(error) = undone {
                tracing::debug!(%reference, %error, "could not undo");
            }
        }
    }
}

/// Told of bytes as they pass, from another thread.
pub type Progress = Box<dyn Fn(u64) + Send>;

fn write_archive(
    image: &Image,
    references: &[Reference],
    form: LayerForm,
    omit: &BTreeSet<Digest>,
    mut writer: BodyWriter,
    progress: &Progress,
) -> Result<(), barge_image::Error> {
    write(image, references, form, omit, &mut writer, progress)?;
    writer.finish().map_err(|source| barge_image::Error::File {
        action: "send",
        path: "archive".into(),
        source,
    })
}

/// Reads a load's answer to its end: a daemon may say 200 and fail later, in words only.
fn read_report(reader: BodyReader) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        stream: String,
        #[serde(default)]
        error: String,
    }
    let failed = |problem: String| Error::Answer {
        action: "load the archive".into(),
        problem,
    };
    for message in serde_json::Deserializer::from_reader(reader).into_iter::<Message>() {
        let message = message.map_err(|error| failed(error.to_string()))?;
        if !message.error.is_empty() {
            return Err(failed(message.error));
        }
        if message.stream.contains("Error unpacking image") {
            return Err(failed(message.stream.trim().to_owned()));
        }
    }
    Ok(())
}
