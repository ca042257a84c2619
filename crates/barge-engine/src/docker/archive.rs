//! Sending an image as an archive that an engine loads.

use std::collections::BTreeSet;
use std::sync::Arc;

use barge_image::archive::{LayerForm, Passing, write};
use barge_image::{Digest, Image, Reference};
use hyper::Method;
use serde::Deserialize;

use super::answers::Product;
use super::body::{BodyReader, BodyWriter, request_body};
use super::client::Docker;
use super::connection::{accepted, send};
use super::load::LoadPlan;
use crate::blocking::blocking;
use crate::error::Error;

impl Docker {
    pub(super) async fn send_archive(
        &self,
        image: &Arc<Image>,
        plan: &LoadPlan,
        progress: &Progress,
    ) -> Result<usize, Error> {
        // Podman reads an archive that lacks layers by its OCI half, which must have one name only.
        let named = match self.info().product {
            Product::Podman => plan.references.iter().take(1).cloned().collect(),
            Product::Docker => plan.references.clone(),
        };
        let sent = plan.layers_to_send(image).len();
        self.post_archive(image, &named, plan, progress).await?;
        if let (Product::Podman, [first, others @ ..]) = (self.info().product, &plan.references[..])
            && let Some(loaded) = self.inspect(first).await?
        {
            self.tag_all(&loaded.id, others).await?;
        }
        Ok(sent)
    }

    async fn post_archive(
        &self,
        image: &Arc<Image>,
        names: &[Reference],
        plan: &LoadPlan,
        progress: &Progress,
    ) -> Result<(), Error> {
        let (writer, body) = request_body();
        let archive = Outgoing {
            image: Arc::clone(image),
            names: names.to_vec(),
            form: self.form(),
            omit: plan.held.clone(),
            progress: Arc::clone(progress),
        };
        let archive = tokio::spawn(blocking(move || archive.write(writer)));
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
        blocking(move || read_report(reader)).await
    }
}

/// Told of what passes, from another thread.
pub type Progress = Arc<dyn Fn(Passing) + Send + Sync>;

/// An archive to be written.
struct Outgoing {
    image: Arc<Image>,
    names: Vec<Reference>,
    form: LayerForm,
    omit: BTreeSet<Digest>,
    progress: Progress,
}

impl Outgoing {
    fn write(self, mut writer: BodyWriter) -> Result<(), barge_image::Error> {
        let progress = |passing| (self.progress)(passing);
        write(
            &self.image,
            &self.names,
            self.form,
            &self.omit,
            &mut writer,
            &progress,
        )?;
        writer.finish().map_err(|source| barge_image::Error::File {
            action: "send",
            path: "archive".into(),
            source,
        })
    }
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
