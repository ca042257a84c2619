//! Verifying an image without an engine: every layer against its digest, the bill of materials, advisories, the policy.
//!
//! A layer is read once: its hash and its packages come out of the same pass. What a layer gave before is not looked for
//! again, its bytes are hashed all the same.

use std::sync::Arc;
use std::time::Instant;

use barge_engine::blocking;
use barge_image::{Digest, Image, Platform, Reference};
use barge_sbom::{Sbom, catalog_image};
use barge_store::Store;
use barge_vuln::{Database, Options, Policy, Scan};
use camino::Utf8PathBuf;

use crate::elapsed::seconds_since;
use crate::error::Error;
use crate::layer_cache::layer_cache;
use crate::record::Chosen;
use crate::surroundings::Surroundings;

/// What is verified, against what, by which rules.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// An index file, or a folder of OSV records or archives.
    pub database: Option<Utf8PathBuf>,
    /// The policy.
    pub policy: Policy,
    /// A file or folder inside the image to which everything is restricted.
    pub path: Option<String>,
}

/// Evidence about one image.
#[derive(Debug)]
pub struct Verified {
    /// Every name of the image.
    pub references: Vec<Reference>,
    /// The config digest.
    pub image: Digest,
    /// What it runs on.
    pub platform: Platform,
    /// The record that led to it.
    pub record: Option<Digest>,
    /// The commit that it was built from, by the record.
    pub commit: Option<String>,
    /// What is in it.
    pub sbom: Sbom,
    /// What is known to be wrong with it.
    pub scan: Scan<'static>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Verifies the image of a record, in the store where it lies.
///
/// # Errors
/// When the image is not what the record says, or evidence is missing: no packages, no advisory data, data that is too old.
pub async fn verify_record(
    surroundings: &Surroundings,
    store: &Store,
    chosen: &Chosen,
    options: VerifyOptions,
) -> Result<Verified, Error> {
    let (opening, of) = (store.clone(), chosen.clone());
    let image = blocking(move || opening.image(&of.digest, &of.record)).await?;
    let image = Arc::new(image);
    let verified = match verify_image(surroundings, Arc::clone(&image), options).await {
        Err(Error::Sbom(barge_sbom::Error::Layer { diff_id, source })) => {
            let store = store.clone();
            let damage = blocking(move || store.damage(&image)).await;
            return Err(damage.map_or_else(
                || barge_sbom::Error::Layer { diff_id, source }.into(),
                Error::Store,
            ));
        }
        other => other?,
    };
    let commit = Some(chosen.record.source.commit.clone()).filter(|commit| !commit.is_empty());
    Ok(Verified {
        record: Some(chosen.digest),
        commit,
        ..verified
    })
}

/// Verifies an image that lies open.
///
/// # Errors
/// As [`verify_record`].
pub async fn verify_image(
    surroundings: &Surroundings,
    image: Arc<Image>,
    options: VerifyOptions,
) -> Result<Verified, Error> {
    let started = Instant::now();
    let database = options.database.clone().ok_or(Error::NoAdvisoryData)?;
    let (now, created) = (surroundings.now, surroundings.created());
    let cache = layer_cache(&surroundings.environment);
    let work = move || {
        let name = image
            .references
            .first()
            .map_or_else(|| image.config.digest().to_string(), Reference::familiar);
        let cataloging = barge_sbom::Options {
            path: options.path.clone(),
            verify: true,
            ..Default::default()
        };
        // What is found goes where the evidence goes, and its texts are the index's: the map stays until the process ends.
        let database: &Database = Box::leak(Box::new(barge_vuln::open(database.as_std_path())?));
        let scanning = Options {
            policy: options.policy,
            statements: Vec::new(),
            baseline: None,
            distro: None,
            now,
            created,
        };
        scanning.check(database)?;
        let sbom = catalog_image(&image, &name, &cataloging, &*cache)?;
        let scan = barge_vuln::scan(database, &sbom, &scanning)?;
        Ok::<_, Error>(Verified {
            references: image.references.clone(),
            image: image.config.digest(),
            platform: image.config.parsed().platform(),
            record: None,
            commit: None,
            sbom,
            scan,
            seconds: 0.0,
        })
    };
    let verified = blocking(work).await?;
    Ok(Verified {
        seconds: seconds_since(started),
        ..verified
    })
}
